"""What a cancel and a refund consume in the database, as AWS counts it. docs/costs.md is made of these numbers.

AWS's DynamoDB Local counts as DynamoDB does; moto does not.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from cancel_core.cancel import cancel_order
from cancel_core.queries import check_eligibility, get_cancellation, get_order, list_orders
from cancel_core.refund import refund_order
from cancel_core.tables import Orders, Policies, Refunds

from tests.adapters.conftest import NOW, Aws, Shop, request
from tests.adapters.test_refund import Bank
from tests.machine import ROOT
from tests.unit.builders import item, payment


class Meter:
    """The units that a client's calls consume, and the calls."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.calls = 0
        self.read, self.written = Decimal(0), Decimal(0)
        client.meta.events.register("provide-client-params.dynamodb.*", self._ask)
        client.meta.events.register("after-call.dynamodb.*", self._count)

    def _ask(self, params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def _count(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        self.calls += 1
        told = parsed.get("ConsumedCapacity", [])
        units = sum(Decimal(str(one["CapacityUnits"])) for one in (told if isinstance(told, list) else [told]))
        if model.name in {"GetItem", "BatchGetItem", "Query", "Scan"}:
            self.read += units
        else:
            self.written += units

    def units(self) -> tuple[int, Decimal, Decimal]:
        """(round trips, units read, units written) since the last time."""
        told = (self.calls, self.read, self.written)
        self.calls, self.read, self.written = 0, Decimal(0), Decimal(0)
        return told


def order_of(items: int) -> dict[str, Any]:
    """An invoiced order of so many rows, with shipping and a gift wrap, paid by one payment."""
    rows = [item(f"item-{number}", ordered=2, invoiced=2, amount=19900) for number in range(items)]
    charge = {"amount": 4900, "amount_invoiced": 4900, "amount_refunded": 0}
    held = sum(row["amount"] for row in rows) + 2 * 4900
    return {
        "customer_id": "c1",
        "customer_email": "someone@example.com",
        "status": "processing",
        "currency": "SEK",
        "placed_at": "2026-11-20T10:00:00Z",
        "total": held,
        "items": rows,
        "shipping": charge,
        "fees": [{"fee_id": "gift-wrap", "name": "Gift wrap", **charge}],
        "payments": [payment(captured=held)],
        "history": [{"at": "2026-11-20T10:00:00Z", "status": "pending", "comment": "Placed"}],
    }


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
    get_order(orders, policies, order_id, customer)
    told["order"] = meter.units()
    list_orders(orders, policies, customer, 20, None)
    told["list"] = meter.units()
    check_eligibility(orders, policies, order_id, customer)
    told["eligibility"] = meter.units()
    canceled = cancel_order(orders, policies, request(order_id, key="k", customer_id=customer), NOW)
    told["cancel"] = meter.units()
    cancellation = canceled.stored.cancellation
    assert cancellation
    get_cancellation(orders, order_id, customer)
    told["cancellation"] = meter.units()
    refund_order(orders, refunds, {"offline": Bank()}, order_id, cancellation.cancellation_id, lambda: NOW)
    told["refund"] = meter.units()
    return told


ROUTES = ("reasons", "list", "order", "eligibility", "cancel", "cancellation", "refund")
# By items: round trips, units read, units written of each of ROUTES. Exact: a change here is a change of what it costs.
EXPECTED: dict[int, tuple[tuple[int, float, int], ...]] = {
    1: ((0, 0, 0), (1, 0.5, 0), (1, 1, 0), (1, 1, 0), (2, 1, 5), (1, 1, 0), (3, 1, 16)),
    10: ((0, 0, 0), (1, 0.5, 0), (1, 1, 0), (1, 1, 0), (2, 1, 7), (1, 1, 0), (3, 1, 22)),
    100: ((0, 0, 0), (1, 1.5, 0), (1, 3, 0), (1, 3, 0), (2, 3, 27), (1, 4, 0), (3, 4, 87)),
    400: ((0, 0, 0), (1, 6, 0), (1, 12, 0), (1, 12, 0), (2, 12, 97), (1, 12, 0), (3, 12, 316)),
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
