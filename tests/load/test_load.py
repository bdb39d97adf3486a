"""The short form of `make soak`: the invariants hold, and everything was really tried. Nothing of speed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.load import driver, mix, report
from tests.load.checks import OF_EACH_ORDER, OF_THE_LOAD, check
from tests.load.customers import REQUESTS
from tests.load.order_system import WRITES, Log
from tests.load.people import PEOPLE_REQUESTS, Crowd
from tests.load.people_checks import OF_EACH_ACCESS, OF_EACH_WITHDRAWAL
from tests.load.seen import Load
from tests.support.machine import ROOT
from tests.support.stack import Running, local_stack

SETTINGS = driver.Settings(customers=8, seconds=5, withdrawals=4, guests=4, settle_seconds=60)
ANSWERS = {
    "200",
    "200 replayed",
    "409 INVALID_ORDER_STATUS",
    "409 PARTIAL_ORDER_ITEM_SHIPPED",
    "422 IDEMPOTENCY_KEY_REUSED",
}
OF_PEOPLE = {"200", "201", "201 replayed", "202", "401 INVALID_ACCESS_CODE", "422 IDEMPOTENCY_KEY_REUSED"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with local_stack(tmp_path_factory.mktemp("stack"), "--no-demo", DYNAMODB="moto") as running:
        yield running


def test_all_invariants_hold_while_customers_cancel_repeat_and_list(stack: Running) -> None:
    result = driver.run(stack.endpoint, stack.info, SETTINGS)

    told = report.text(result)
    assert result.holds, told
    assert {sample.kind for sample in result.log.samples} == {*REQUESTS, *PEOPLE_REQUESTS, *WRITES}, told
    assert set(result.load.answers) >= ANSWERS, told
    assert set(result.load.arrived) >= OF_PEOPLE, told
    assert len(result.load.outcomes) >= sum(mix.VISITS.values())
    assert len(result.load.people.withdrawals) >= sum(mix.WITHDRAWALS.values())
    assert len(result.load.people.accesses) >= sum(mix.ACCESSES.values())
    assert told.count("  holds ") == len(result.found)


def test_the_program_loads_a_stack_that_runs_and_reports(stack: Running) -> None:
    # With no time at all, each kind of visit is made once.
    settings = {
        "CUSTOMERS": "4",
        "SECONDS": "0",
        "SEED": "2",
        "WITHDRAWALS": "8",
        "GUESTS": "8",
        "STACK_URL": stack.endpoint,
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.load"],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.match(r"4 customers for \d+ s, moto, seed 2\n  [0-9.]+ requests/s, [0-9.]+ cancels/s", done.stdout)
    for name in [
        *REQUESTS,
        *WRITES,
        "OrderRefunded",
        *OF_EACH_ORDER,
        *OF_EACH_WITHDRAWAL,
        *OF_EACH_ACCESS,
        *OF_THE_LOAD,
    ]:
        assert name in done.stdout


def test_what_is_broken_is_reported() -> None:
    load = Load([], unexpected=[f"o-{number}: wrong" for number in range(7)])
    result = driver.Result(SETTINGS, "moto", 1.0, 0.0, Log(), Crowd(), {}, load, check(load))
    told = report.text(result)
    assert not result.holds
    assert "  BROKEN  each answer is one that could be expected\n          o-0: wrong\n" in told
    assert "          o-4: wrong\n          and 2 more\n" in told
    assert told.count("  holds ") == len(result.found) - 1


def test_the_same_seed_deals_the_same_turns() -> None:
    def turns(seed: int) -> list[tuple[object, ...]]:
        dealt = mix.Mix(seed)
        drawn = [dealt.draw() for _ in range(100)]
        return [(turn.visit, turn.order, turn.random.random()) for turn in drawn]

    assert turns(1) == turns(1)
    assert turns(1) != turns(2)


@pytest.mark.parametrize(("percent", "value"), [(50, 2), (75, 3), (76, 4), (99, 4), (100, 4)])
def test_a_percentile_is_the_nearest_rank(percent: int, value: int) -> None:
    assert report.percentile([1, 2, 3, 4], percent) == value
    assert report.percentile([7], percent) == 7
