"""What a cancel and a refund consume in the database, as AWS counts it. docs/costs.md is made of these numbers.

AWS's DynamoDB Local counts as DynamoDB does; moto does not.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from cancel_core.adapters.dynamodb.config import Policies
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.adapters.dynamodb.refunds import Refunds
from cancel_core.domain.caller import Customer
from cancel_core.services.cancel import cancel_order
from cancel_core.services.queries import check_eligibility, get_cancellation, get_order, list_orders
from cancel_core.services.refund import refund_order

from tests.support.bank import Bank
from tests.support.machine import ROOT
from tests.support.metering import Meter, order_of
from tests.support.tables import NOW, Aws, Shop, request


def measured(shop: Shop, aws: Aws, items: int) -> dict[str, tuple[int, Decimal, Decimal]]:
    meter = Meter(aws.client("dynamodb"))
    orders = Orders(meter.client, shop.tables["orders"])
    policies = Policies(meter.client, shop.config_tables, 60, print)
    refunds = Refunds(meter.client, shop.tables["refunds"], orders)
    policies.get(shop.store_id)
    meter.units()
    customer = f"customer-of-{items}-{shop.store_id}"
    order_id = shop.put(order_of(items) | {"customer_id": customer})
    told = {}

    policies.get(shop.store_id)
    told["reasons"] = meter.units()
    get_order(orders, policies, order_id, Customer(customer))
    told["order"] = meter.units()
    list_orders(orders, policies, customer, 20, None)
    told["list"] = meter.units()
    check_eligibility(orders, policies, order_id, Customer(customer), NOW)
    told["eligibility"] = meter.units()
    canceled = cancel_order(orders, policies, request(order_id, key="k", customer_id=customer), lambda: NOW)
    told["cancel"] = meter.units()
    cancellation = canceled.stored.cancellation
    assert cancellation
    get_cancellation(orders, order_id, Customer(customer))
    told["cancellation"] = meter.units()
    refund_order(refunds, {"offline": Bank()}, order_id, cancellation.cancellation_id, lambda: NOW)
    told["refund"] = meter.units()
    return told


ROUTES = ("reasons", "list", "order", "eligibility", "cancel", "cancellation", "refund")
# By items: round trips, units read, units written of each of ROUTES. Exact: a change here is a change of what it costs.
EXPECTED: dict[int, tuple[tuple[int, float, int], ...]] = {
    1: ((0, 0, 0), (1, 0.5, 0), (1, 1, 0), (1, 1, 0), (2, 1, 5), (1, 1, 0), (3, 1, 20)),
    10: ((0, 0, 0), (1, 0.5, 0), (1, 1, 0), (1, 1, 0), (2, 1, 7), (1, 1, 0), (3, 1, 28)),
    100: ((0, 0, 0), (1, 1.5, 0), (1, 3, 0), (1, 3, 0), (2, 3, 29), (1, 4, 0), (3, 4, 100)),
    400: ((0, 0, 0), (1, 6, 0), (1, 12, 0), (1, 12, 0), (2, 12, 103), (1, 13, 0), (3, 13, 352)),
}


@pytest.mark.parametrize("aws", ["dynamodb-local"], indirect=True)
@pytest.mark.parametrize("items", EXPECTED)
def test_what_each_route_consumes(shop: Shop, aws: Aws, items: int) -> None:
    told = measured(shop, aws, items)

    assert [(trips, float(read), int(written)) for trips, read, written in (told[route] for route in ROUTES)] == list(
        EXPECTED[items]
    )


def test_the_costs_page_has_these_numbers() -> None:
    page = (ROOT / "docs" / "costs.md").read_text()
    for items, routes in EXPECTED.items():
        row = [f"{trips} / {read:g} / {written}" for trips, read, written in routes]
        assert "| " + " | ".join([str(items), *row]) + " |" in page
