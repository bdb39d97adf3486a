"""The figures of growth are there, in kind: units exact, times of some length."""

from __future__ import annotations

from pathlib import Path

from tests.bench.growth import Cost, growth, same_units
from tests.conftest import Aws
from tests.services.test_capacity import EXPECTED, ROUTES
from tests.support.builds import Build


def units(cost: Cost) -> tuple[int, float, float]:
    return cost.trips, float(cost.read), float(cost.written)


def test_growth(build: Build, aws: Aws, runtime_folder: Path) -> None:
    told: list[str] = []
    before = set(aws.client("dynamodb").list_tables()["TableNames"])

    found = growth(build, aws, runtime_folder, most_orders=250, pairs=1, tell=told.append)

    assert [step.orders for step in found.steps] == [100, 250]
    assert [customer.orders for customer in found.customers] == [10, 100]
    # A cancel costs what docs/costs.md says it does, however many orders there are.
    cancel = EXPECTED[1][ROUTES.index("cancel")]
    assert {units(step.cancel) for step in found.steps} == {cancel}
    assert same_units(found.cancels)
    assert same_units(found.pages)
    # 20 orders of a row each are read as one, half as dear, in 4 KB; 10 are half of that.
    small, large = found.customers
    assert units(small.first) == units(small.last)
    assert units(large.first) == units(large.last) == units(found.steps[0].page)
    assert units(small.first)[1] < units(large.first)[1]
    costs = [cost for step in found.steps for cost in (step.cancel, step.page)]
    costs += [cost for customer in found.customers for cost in (customer.first, customer.last)]
    assert all(cost.latency.ours.median >= cost.cpu.ours.median > 0 for cost in costs)
    assert [line.split(" put")[0] for line in told] == [
        *("100 orders", "250 orders", "a cancel and a page measured", "customers of 10, 100 orders")
    ]
    assert set(aws.client("dynamodb").list_tables()["TableNames"]) == before
