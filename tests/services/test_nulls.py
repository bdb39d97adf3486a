"""NULL anywhere in an order counts as an absent attribute, for every reader, and stays what it is."""

from __future__ import annotations

from typing import Any

import pytest
from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.domain.caller import Customer
from cancel_core.entrypoints.http.documents import order_view
from cancel_core.errors import OrderUnreadable
from cancel_core.services.announce import Change, publish_changes
from cancel_core.services.cancel import cancel_order
from cancel_core.services.queries import get_order, list_orders

from tests.support.bank import Bank, canceled, run
from tests.support.orders import item, paid, payment
from tests.support.tables import NOW, Heard, Shop, request

ROW = ("qty_shipped", "qty_refunded", "qty_canceled", "amount_refunded")
NULLS: dict[str, dict[str, Any]] = {
    "cancellation": {"cancellation": None},
    "fees": {"fees": None},
    "shipping": {"shipping": None},
    "history": {"history": None},
    "store and e-mail": {"customer_email": None},
    "a number of shipping": {"shipping": {"amount": 0, "amount_invoiced": None, "amount_refunded": None}},
    "numbers of rows": {"items": [item(invoiced=1) | dict.fromkeys(ROW)]},
    "numbers of payments": {
        "payments": [payment(captured=10000, amount_refunded=None, amount_voided=None)],
    },
    "a row of a list": {"fees": [None], "history": [None]},
    "a payment of the list": {"payments": [None, payment(captured=10000)]},
}
EVERYTHING: dict[str, Any] = {name: value for nulls in NULLS.values() for name, value in nulls.items()} | {
    "shipping": None,
    "fees": None,
    "history": None,
}


@pytest.mark.parametrize("nulls", [*NULLS.values(), EVERYTHING], ids=[*NULLS, "all of them"])
def test_an_order_with_nulls_is_cancelled_and_refunded_like_one_without(shop: Shop, nulls: dict[str, Any]) -> None:
    bank, order_id = Bank(), canceled(shop, paid(**nulls))

    refund = run(shop, order_id, bank)

    assert refund
    assert refund.status == "succeeded"
    assert bank.amounts == {"ref-p1": 10000}
    order = shop.document(order_id)
    held = next(row for row in order["payments"] if row)
    assert (held["amount_refunded"], order["items"][0]["amount_refunded"], order["status"]) == (10000, 10000, "closed")
    assert [entry["status"] for entry in order["history"] if entry][-2:] == ["canceled", "closed"]
    for name in ("customer_email", "fees", "shipping"):
        # What it was it stays: the order system may read it by itself.
        assert order.get(name, "absent") == paid(**nulls).get(name, "absent")


@pytest.mark.parametrize("nulls", [*NULLS.values(), EVERYTHING], ids=[*NULLS, "all of them"])
def test_an_order_with_nulls_is_shown_like_one_without(shop: Shop, nulls: dict[str, Any]) -> None:
    customer = f"customer-{shop.store_id}"
    order_id = shop.put(paid(customer_id=customer, **nulls))

    (listed,) = list_orders(shop.orders, shop.policies(), customer, 20, None).orders
    shown = order_view(*get_order(shop.orders, shop.policies(), order_id, Customer(customer)), NOW)

    assert listed.order
    assert shown["available_actions"] == ["CANCEL"]
    assert shown["cancellation"] is None
    assert shown["items"][0]["qty_shipped"] == 0


@pytest.mark.parametrize("nulls", [*NULLS.values(), EVERYTHING], ids=[*NULLS, "all of them"])
@pytest.mark.parametrize("refunded", [False, True])
def test_a_cancellation_is_put_back_on_an_order_with_nulls(
    shop: Shop, nulls: dict[str, Any], *, refunded: bool
) -> None:
    bank, source = Bank(), paid(**nulls)
    order_id = canceled(shop, source)
    if refunded:
        run(shop, order_id, bank)
    before = shop.stored(order_id)
    shop.write(source | {"order_id": order_id, "store_id": shop.store_id})
    heard = Heard()

    assert publish_changes(shop.orders, shop.refunds, heard, [Change("1", before, shop.stored(order_id))], NOW) == []
    run(shop, order_id, bank)

    order = shop.document(order_id)
    assert shop.stored(order_id).cancellation_id == before.cancellation_id
    assert (order["status"], order["items"][0]["amount_refunded"]) == ("closed", 10000)
    assert bank.amounts == {"ref-p1": 10000}


def test_a_cancellation_that_is_set_to_null_is_erased_and_put_back(shop: Shop) -> None:
    order_id = canceled(shop, paid())
    before = shop.stored(order_id)
    shop.set(order_id, cancellation=None)
    heard = Heard()

    publish_changes(shop.orders, shop.refunds, heard, [Change("1", before, shop.stored(order_id))], NOW)

    assert shop.stored(order_id).cancellation_id == before.cancellation_id


def test_parts_of_a_cancellation_that_are_null_are_absent(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, paid())
    cancellation = shop.document(order_id)["cancellation"]
    nulls = {"comment": None, "idempotency": None, "surplus": None}
    refund = cancellation["refund"] | {"failure": None, "shown": None}
    shop.set(order_id, cancellation=cancellation | nulls | {"refund": refund})

    run(shop, order_id, bank)

    assert bank.amounts == {"ref-p1": 10000}
    assert shop.document(order_id)["cancellation"]["refund"]["status"] == "succeeded"


@pytest.mark.parametrize("name", ["status", "currency", "total", "items"])
def test_what_must_be_there_and_is_null_is_missing(shop: Shop, name: str) -> None:
    order_id = shop.put(paid(**{name: None}))

    with pytest.raises(OrderUnreadable):
        cancel_order(shop.orders, shop.policies(), request(order_id), lambda: NOW)

    assert "cancellation" not in shop.document(order_id)


def test_a_guests_order_may_say_so_by_null() -> None:
    stored = StoredOrder({"order_id": {"S": "o1"}, "customer_id": {"NULL": True}, "store_id": {"NULL": True}})

    assert not stored.belongs_to(Customer("c1"))
    assert stored.store_id == "default"
