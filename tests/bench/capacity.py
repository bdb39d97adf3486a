"""Round trips and units of each route, by an order's rows. Exact: a test holds them, and docs/costs.md has them."""

from __future__ import annotations

from collections.abc import Mapping

from tests.conftest import Aws
from tests.services.test_capacity import EXPECTED, measured
from tests.support.tables import open_shop

Units = tuple[int, float, int]
"""Round trips, units read, units written."""


def capacity(aws: Aws) -> Mapping[int, Mapping[str, Units]]:
    """By rows, by route. `aws` is on DynamoDB Local, which counts as DynamoDB does."""
    shop = open_shop(aws)
    return {
        rows: {
            route: (trips, float(read), int(written))
            for route, (trips, read, written) in measured(shop, aws, rows).items()
        }
        for rows in EXPECTED
    }
