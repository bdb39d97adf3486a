"""Random sequences of faults: a few hundred steps each time, as many as one likes with `make chaos`.

`STEPS`, `SEED`: see `rounds`. `ENGINE`: moto or dynamodb-local.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial

import pytest

from tests.conftest import Aws, serve
from tests.invariants.machine import Machine
from tests.invariants.product import listening
from tests.invariants.request_world import Asked
from tests.invariants.requests import RequestMachine
from tests.invariants.rounds import make_rounds
from tests.invariants.world import Surroundings


@pytest.fixture(scope="module")
def engine() -> Iterator[Aws]:
    yield from serve(os.environ.get("ENGINE") or "moto")


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the product counts of thousands of faults is not what one wants to read; the machine does."""
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")


@pytest.mark.timeout(0)
def test_whatever_happens_the_same_money_goes_back_once(engine: Aws) -> None:
    around = Surroundings(engine)
    with listening(around):
        make_rounds(partial(Machine, around), around.tally, around.wire.tally, runs=10, steps=50)


@pytest.mark.timeout(0)
def test_whatever_happens_a_request_has_one_end(engine: Aws) -> None:
    asked = Asked(engine)
    with listening(asked):
        make_rounds(partial(RequestMachine, asked), asked.tally, asked.wire.tally, runs=24, steps=10)
