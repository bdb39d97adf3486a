"""GET /orders and GET /orders/{order_id}"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.support import documents
from tests.support.client import Client
from tests.support.openapi import body_of
from tests.support.shop import CANCELLATION, ELIGIBILITY, ORDER, Shop, refused
from tests.support.waiting import wait_until

ORDERS = "/orders"


def page(client: Client, **params: str) -> dict[str, Any]:
    answer = client.get(ORDERS, params=params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = body_of(answer)
    return body


def all_ids(client: Client, limit: int) -> list[str]:
    """The ids of all pages. A page may be short, but never longer than asked for."""
    ids: list[str] = []
    params = {"limit": str(limit)}
    for _ in range(50):
        answer = page(client, **params)
        assert len(answer["orders"]) <= limit
        ids += [order["order_id"] for order in answer["orders"]]
        if answer["next_cursor"] is None:
            return ids
        params["cursor"] = answer["next_cursor"]
    raise AssertionError("the pages do not end")


# --- one order


def test_one_order_is_shown_whole(shop: Shop) -> None:
    placed, paid_at = documents.timestamp(60), documents.timestamp(50)
    order_id = shop.put(
        status="processing",
        placed_at=placed,
        total=26400,
        items=[
            documents.invoiced("1", qty_ordered=Decimal("1.5")),
            documents.row("2", qty_ordered=1, amount=0, qty_canceled=1),
        ],
        shipping={"amount": 4900, "amount_invoiced": 4900},
        fees=[{"fee_id": "wrap", "name": "Gift wrap", "amount": 1500, "amount_invoiced": 1500, "amount_refunded": 500}],
        payments=[documents.captured(26400)],
        history=[
            {"at": placed, "status": "pending", "comment": "Placed.", "visible_to_customer": True},
            {"at": paid_at, "status": "processing", "comment": "Paid.", "visible_to_customer": True},
            {"at": paid_at, "status": "processing", "comment": "Customer is rude. Deliver last."},
            {"at": paid_at, "status": "processing", "comment": "Likewise.", "visible_to_customer": False},
        ],
    )
    numbers = {"qty_invoiced": 0, "qty_shipped": 0, "qty_refunded": 0, "qty_canceled": 0}
    assert shop.order(order_id) == {
        "order_id": order_id,
        "store_id": shop.store_id,
        "status": "processing",
        "placed_at": placed,
        "currency": "SEK",
        "total": 26400,
        "available_actions": ["CANCEL"],
        "cancellable_until": None,
        "items": [
            {
                "item_id": "1",
                "sku": "SKU-1",
                "name": "Item 1",
                "qty_ordered": Decimal("1.5"),
                **numbers,
                "qty_invoiced": Decimal("1.5"),
                "amount": 20000,
                "amount_invoiced": 20000,
                "amount_refunded": 0,
            },
            {
                "item_id": "2",
                "sku": "SKU-2",
                "name": "Item 2",
                "qty_ordered": 1,
                **numbers,
                "qty_canceled": 1,
                "amount": 0,
                "amount_invoiced": 0,
                "amount_refunded": 0,
            },
        ],
        "shipping": {"amount": 4900, "amount_invoiced": 4900, "amount_refunded": 0},
        "fees": [
            {"fee_id": "wrap", "name": "Gift wrap", "amount": 1500, "amount_invoiced": 1500, "amount_refunded": 500}
        ],
        "history": [
            {"at": paid_at, "status": "processing", "comment": "Paid."},
            {"at": placed, "status": "pending", "comment": "Placed."},
        ],
        "cancellation": None,
        "cancellation_request": None,
        "withdrawal": {"open": False, "until": None, "withdrawal_id": None},
    }


def test_an_order_without_shipping_and_fees_says_so(shop: Shop) -> None:
    order = shop.order(shop.put())
    assert (order["shipping"], order["fees"]) == (None, [])


def test_an_order_without_store_id_belongs_to_the_store_default(shop: Shop) -> None:
    document = documents.order(f"{shop.mark}-default", shop.customer_id, "default")
    del document["store_id"]
    shop.put_exactly(document)
    assert shop.order(document["order_id"])["store_id"] == "default"


def test_an_order_id_may_hold_every_character_that_is_documented(shop: Shop) -> None:
    order_id = shop.put(order_id=f"{shop.mark}Az09._~-:@+=,!$*()")
    assert shop.order(order_id)["order_id"] == order_id
    assert shop.canceled(order_id)["order"]["status"] == "canceled"


def test_an_order_id_that_a_url_cannot_tell_apart_makes_the_order_unreadable(shop: Shop) -> None:
    order_id = f"{shop.mark} å"
    shop.put_exactly(documents.order(order_id, shop.customer_id, shop.store_id), valid=False)
    refused(shop.client.get(ORDER, order_id=order_id), 500, "INTERNAL_ERROR")
    refused(shop.cancel(order_id), 500, "INTERNAL_ERROR")
    assert "cancellation" not in (shop.aws.order(order_id) or {})


def test_someone_elses_order_and_none_at_all_look_alike(shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    guests = documents.order(f"{shop.mark}-guest", "", shop.store_id)
    del guests["customer_id"]
    shop.put_exactly(guests)
    shop.canceled(order_id)

    stranger = shop.another_customer()
    for template in (ORDER, ELIGIBILITY, CANCELLATION):
        seen = [
            refused(stranger.get(template, order_id=which), 404, "ORDER_NOT_FOUND")
            for which in (order_id, guests["order_id"], "no-such-order", "x" * 3000)
        ]
        alike = [
            {name: value for name, value in problem.items() if name not in ("instance", "request_id")}
            for problem in seen
        ]
        assert alike == [alike[0]] * len(seen)
    refused(shop.client.get(ORDER, order_id=guests["order_id"]), 404, "ORDER_NOT_FOUND")


# --- lists


def test_the_list_is_newest_first_and_in_brief(shop: Shop) -> None:
    older = shop.put(placed_at=documents.timestamp(300), status="complete")
    newer = shop.put(placed_at=documents.timestamp(100), total=12345)
    oldest = shop.put(placed_at=documents.timestamp(9000))
    orders = page(shop.client)["orders"]
    assert [order["order_id"] for order in orders] == [newer, older, oldest]
    assert orders[0] == {
        "order_id": newer,
        "store_id": shop.store_id,
        "status": "pending",
        "placed_at": orders[0]["placed_at"],
        "currency": "SEK",
        "total": 12345,
        "available_actions": ["CANCEL"],
        "cancellable_until": None,
    }
    assert orders[1]["available_actions"] == []


def test_paging_comes_to_the_end_with_every_limit(shop: Shop) -> None:
    # Two of the same second among them: a cursor must tell them apart.
    ages = [10, 20, 20, 30, 40, 50, 60]
    ids = [shop.put(placed_at=documents.timestamp(age)) for age in ages]
    for limit in (1, 2, 3, 6, 7, 8, 100):
        seen = all_ids(shop.client, limit)
        assert sorted(seen) == sorted(ids), limit
        assert [seen[0], *seen[3:]] == [ids[0], *ids[3:]], limit


def test_the_limit_is_20_unless_told_otherwise(shop: Shop) -> None:
    for _ in range(21):
        shop.put()
    first = page(shop.client)
    assert len(first["orders"]) == 20
    assert len(page(shop.client, cursor=first["next_cursor"])["orders"]) == 1


def test_a_customer_without_orders_has_an_empty_list(shop: Shop) -> None:
    assert page(shop.client) == {"orders": [], "next_cursor": None}


def test_orders_of_others_and_of_guests_are_never_listed(shop: Shop) -> None:
    mine = shop.put()
    shop.put_exactly(documents.order(f"{shop.mark}-theirs", f"other-{shop.mark}", shop.store_id))
    guests = documents.order(f"{shop.mark}-guest", "", shop.store_id)
    del guests["customer_id"]
    shop.put_exactly(guests)
    assert all_ids(shop.client, 100) == [mine]
    assert all_ids(shop.another_customer(), 100) == [f"{shop.mark}-theirs"]


def test_a_cursor_cannot_be_turned_on_another_customer(shop: Shop) -> None:
    for age in (10, 20, 30):
        shop.put(placed_at=documents.timestamp(age))
    cursor = page(shop.client, limit="1")["next_cursor"]
    assert cursor
    problem = refused(shop.another_customer().get(ORDERS, params={"cursor": cursor}), 422, "INVALID_REQUEST")
    assert [error["pointer"] for error in problem["errors"]] == ["#/cursor"]


@pytest.mark.parametrize(
    "cursor", ["", "x", "!!!", "W10", "e30", "bnVsbA", "WzEsMiwzXQ", "é", "a" * 5000, "W1tb" * 1300]
)
def test_a_bad_cursor_is_refused(shop: Shop, cursor: str) -> None:
    problem = refused(shop.client.get(ORDERS, params={"cursor": cursor}), 422, "INVALID_REQUEST")
    assert [error["pointer"] for error in problem["errors"]] == ["#/cursor"]


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "abc", "", " ", "1e1", "٣", "100000000000000000000"])
def test_a_bad_limit_is_refused(shop: Shop, limit: str) -> None:
    problem = refused(shop.client.get(ORDERS, params={"limit": limit}), 422, "INVALID_REQUEST")
    assert [error["pointer"] for error in problem["errors"]] == ["#/limit"]


# --- orders that can't be read

DAMAGED: dict[str, dict[str, Any]] = {
    "total is text": {"total": "20000"},
    "an amount has a fraction": {"items": [documents.row(amount=Decimal("10.5"))]},
    "an item has no id": {"items": [{"sku": "a", "name": "b"}]},
    "items is text": {"items": "none"},
    "a payment has no id": {"payments": [{"provider": "offline", "reference": "pi_never_shown"}]},
    "a quantity is text": {"items": [documents.row(qty_ordered="two")]},
    "status is a number": {"status": 7},
    "the cancellation is damaged": {"cancellation": {"cancellation_id": "can_1"}},
}


@pytest.mark.parametrize("attributes", DAMAGED.values(), ids=DAMAGED.keys())
def test_an_unreadable_order_does_not_take_the_list_down(shop: Shop, attributes: dict[str, Any]) -> None:
    sound = shop.put(placed_at=documents.timestamp(10))
    document = documents.order(
        f"{shop.mark}-damaged", shop.customer_id, shop.store_id, placed_at=documents.timestamp(20)
    )
    shop.put_exactly(document | attributes, valid=False)

    listed = page(shop.client)["orders"]
    assert [(order["order_id"], order["available_actions"]) for order in listed] == [
        (sound, ["CANCEL"]),
        (document["order_id"], []),
    ]
    # What can be read is shown.
    assert listed[1]["currency"] == "SEK"
    assert listed[1]["placed_at"] == document["placed_at"]


def test_an_unreadable_order_by_itself_is_an_internal_error(shop: Shop) -> None:
    order_id = f"{shop.mark}-damaged"
    for attributes in ({"items": [{"sku": "inner-detail", "name": "b"}]}, {"total": "inner-detail"}):
        document = documents.order(order_id, shop.customer_id, shop.store_id) | attributes
        shop.put_exactly(document, valid=False)
        for template in (ORDER, ELIGIBILITY):
            answer = shop.client.get(template, order_id=order_id)
            problem = refused(answer, 500, "INTERNAL_ERROR")
            assert problem["request_id"] == answer.headers["x-request-id"]
            assert "inner-detail" not in answer.text
            assert "items" not in answer.text
        refused(shop.cancel(order_id), 500, "INTERNAL_ERROR")
        assert shop.aws.order(order_id) == document
        # To someone else it does not exist all the same.
        refused(shop.another_customer().get(ORDER, order_id=order_id), 404, "ORDER_NOT_FOUND")


def test_an_order_that_is_mended_can_be_cancelled(shop: Shop) -> None:
    order_id = f"{shop.mark}-damaged"
    sound = documents.order(order_id, shop.customer_id, shop.store_id)
    shop.put_exactly(sound | {"total": "a lot"}, valid=False)
    refused(shop.cancel(order_id, key="k"), 500, "INTERNAL_ERROR")
    shop.put_exactly(sound)
    assert shop.canceled(order_id, key="k")["order"]["status"] == "canceled"


def test_the_list_shows_a_cancel(shop: Shop) -> None:
    order_id = shop.put()
    shop.canceled(order_id)
    listed = wait_until(
        lambda: [order for order in page(shop.client)["orders"] if order["status"] == "canceled"],
        what="the index follows",
    )
    assert [(order["order_id"], order["available_actions"]) for order in listed] == [(order_id, [])]
