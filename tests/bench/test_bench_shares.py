"""The figures of memory sizes and of refunds are there; not what they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.memory import memory, price
from tests.bench.refunds import refunds
from tests.bench.share import can_limit
from tests.conftest import Aws
from tests.support.builds import Build


def test_a_route_is_measured_with_the_share_of_its_memory(build: Build, aws: Aws, runtime_folder: Path) -> None:
    if not can_limit():
        pytest.skip("This machine does not let a process be given a share of a processor.")
    (taken,) = memory(build, aws, runtime_folder, 1, 2, sizes=[1769], routes=["GetOrderFunction"])
    assert (taken.function, taken.memory) == ("GetOrderFunction", 1769)
    assert 0 < taken.warm <= taken.warm_p95 < taken.init
    assert taken.peak > 10 * 1024**2


def test_the_price_is_that_of_milliseconds_begun() -> None:
    # A GB-second is a GB for a second; a million of 2 ms are 2,000 seconds.
    assert price(0.0011, 1024) == pytest.approx(2000 * 0.0000133334)
    assert price(0.002, 512) == pytest.approx(1000 * 0.0000133334)


def test_refunds_and_the_reconciler_are_measured(build: Build, aws: Aws, runtime_folder: Path) -> None:
    found = refunds(build, aws, runtime_folder, 1, [30])
    # Three calls of 0.3 s.
    assert found.seconds > found.calls * 0.3 >= 0.3
    assert found.minutes(1_000, 10) == pytest.approx(1_000 * found.seconds / 10 / 60)
    (run,) = found.runs
    assert (run.pending, run.announced) == (30, 30)
    assert 0 < run.seconds < run.limit == 120
