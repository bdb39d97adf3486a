"""Random sequences of faults: a few hundred steps each time, as many as one likes with `make chaos`.

`STEPS`: go on until so many steps were made. `SEED`: the same steps again. `ENGINE`: moto or dynamodb-local.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import partial
from typing import cast

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import serve
from tests.invariants.machine import Machine
from tests.invariants.product import listening
from tests.invariants.world import Surroundings

SEED = int(os.environ.get("SEED") or 1)
STEPS = int(os.environ.get("STEPS") or 0)
STEPS_A_RUN = 50
RUNS_A_ROUND = 10


@pytest.fixture(scope="module")
def around() -> Iterator[Surroundings]:
    for aws in serve(os.environ.get("ENGINE") or "moto"):
        yield Surroundings(aws)


@pytest.fixture(autouse=True)
def _quiet(around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the product logs and counts of thousands of faults is not what one wants to read; the machine does."""
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
    with listening(around):
        yield


@pytest.mark.timeout(0)
def test_whatever_happens_the_same_money_goes_back_once(around: Surroundings) -> None:
    began, tally, number = time.monotonic(), around.tally, SEED
    print()
    while True:
        print(f"SEED={number}", flush=True)
        _round(around, number)
        number += 1
        if tally["steps"] >= STEPS:
            break
        print(f"  {tally['steps']} steps in {time.monotonic() - began:.0f} s", flush=True)
    print(f"{tally['steps']} steps in {time.monotonic() - began:.0f} s")
    for name, times in sorted((tally + around.wire.tally).items()):
        print(f"{times:7} {name}")


def _round(around: Surroundings, number: int) -> None:
    """A few runs, always the same ones for a seed."""
    phases = [Phase.generate, Phase.shrink] if os.environ.get("SHRINK") else [Phase.generate]
    run_state_machine_as_test(
        seed(number)(cast("type[Machine]", partial(Machine, around))),
        settings=settings(
            max_examples=RUNS_A_ROUND,
            stateful_step_count=STEPS_A_RUN,
            phases=phases,
            database=None,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
