"""Money: what is given back, from which payments, and what the order says afterwards."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

from tests.support import documents
from tests.support.aws import EventWatch
from tests.support.documents import authorized, captured, invoiced, paid, row
from tests.support.shop import CANCELLATION, Shop, refused


def fee(fee_id: str, amount: int, **attributes: Any) -> dict[str, Any]:
    return {"fee_id": fee_id, "name": fee_id, "amount": amount, "amount_invoiced": amount, **attributes}


def legs(cancellation: dict[str, Any]) -> list[tuple[str, str, int, str]]:
    return [
        (leg["payment_id"], leg["action"], leg["amount"], leg["status"]) for leg in cancellation["refund"]["payments"]
    ]


def numbers(row_: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row_.get(name, 0) for name in names)


def test_a_paid_order_is_refunded_within_two_seconds(shop: Shop) -> None:
    # The first ones start the functions, as in a stack that has just come up.
    warm = shop.put(**paid())
    shop.canceled(warm)
    shop.refunded(warm)

    order_id = shop.put(**paid())
    began = time.monotonic()
    body = shop.canceled(order_id)
    assert body["order"]["status"] == "canceled"
    assert body["cancellation"]["refund"]["status"] == "pending"
    shop.refunded(order_id)
    assert time.monotonic() - began < 2


def test_a_paid_order(shop: Shop) -> None:
    order_id = shop.put(
        status="processing",
        items=[invoiced("1"), invoiced("2", qty_ordered=1, amount=5000)],
        shipping={"amount": 4900, "amount_invoiced": 4900},
        fees=[fee("wrap", 1500), fee("invoice", 2900)],
        payments=[captured(34300)],
    )
    body = shop.canceled(order_id, reason="other", comment="Changed my mind")
    pending = body["cancellation"]
    assert body["order"]["cancellation"] == pending
    assert (pending["order_id"], pending["comment"]) == (order_id, "Changed my mind")
    assert pending["reason"] == {"code": "other", "description": "Another reason"}
    assert pending["refund"] == {
        "refund_id": pending["refund"]["refund_id"],
        "status": "pending",
        "currency": "SEK",
        "credited_by_shop": 0,
        "settled_by_hand": 0,
        "not_invoiced": 0,
        "amount": 34300,
        "shipping": 4900,
        "items": [
            {"item_id": "1", "sku": "SKU-1", "qty": 2, "amount": 20000},
            {"item_id": "2", "sku": "SKU-2", "qty": 1, "amount": 5000},
        ],
        "fees": 4400,
        "failure": None,
        "payments": [
            {
                "payment_id": "p1",
                "provider": "offline",
                "action": "refund",
                "amount": 34300,
                "status": "pending",
                "reference": None,
            }
        ],
    }
    done = shop.refunded(order_id)
    leg = done["refund"]["payments"][0]
    finished = {"status": "succeeded", "payments": [pending["refund"]["payments"][0] | {"status": "succeeded"}]}
    finished["payments"][0]["reference"] = leg["reference"]
    assert done == pending | {"refund": pending["refund"] | finished}

    order = shop.order(order_id)
    assert order["status"] == "closed"
    assert [numbers(item, "qty_refunded", "amount_refunded", "qty_canceled") for item in order["items"]] == [
        (2, 20000, 0),
        (1, 5000, 0),
    ]
    assert order["shipping"]["amount_refunded"] == 4900
    assert [charge["amount_refunded"] for charge in order["fees"]] == [1500, 2900]
    assert shop.stored(order_id)["payments"][0]["amount_refunded"] == 34300


def test_an_order_that_is_not_paid(shop: Shop) -> None:
    order_id = shop.put()
    body = shop.canceled(order_id)
    assert body["cancellation"]["refund"] is None
    assert (body["order"]["status"], body["order"]["items"][0]["qty_canceled"]) == ("canceled", 2)
    stored = shop.stored(order_id)
    assert "refund_pending_since" not in stored
    assert "refund" not in stored["cancellation"]


def test_a_partly_invoiced_order_stays_canceled(shop: Shop) -> None:
    order_id = shop.put(
        status="processing",
        items=[row("1", qty_ordered=3, qty_invoiced=1, amount=30000, amount_invoiced=10000), row("2")],
        payments=[captured(10000)],
    )
    body = shop.canceled(order_id)
    assert [item["qty_canceled"] for item in body["order"]["items"]] == [2, 2]
    refund = shop.refunded(order_id)["refund"]
    assert (refund["amount"], refund["items"]) == (
        10000,
        [{"item_id": "1", "sku": "SKU-1", "qty": 1, "amount": 10000}],
    )
    order = shop.order(order_id)
    assert order["status"] == "canceled"
    assert [numbers(item, "qty_canceled", "qty_refunded", "amount_refunded") for item in order["items"]] == [
        (2, 1, 10000),
        (2, 0, 0),
    ]


def test_what_was_refunded_before_is_not_refunded_again(shop: Shop) -> None:
    order_id = shop.put(
        status="processing",
        items=[
            invoiced("1", qty_refunded=1, amount_refunded=10000),
            invoiced("2", qty_refunded=2, amount_refunded=20000),
        ],
        shipping={"amount": 4900, "amount_invoiced": 4900, "amount_refunded": 4900},
        fees=[fee("wrap", 1500, amount_refunded=500)],
        payments=[captured(46400, amount_refunded=35400)],
    )
    shop.canceled(order_id)
    refund = shop.refunded(order_id)["refund"]
    assert (refund["amount"], refund["shipping"], refund["fees"]) == (11000, 0, 1000)
    assert refund["items"] == [{"item_id": "1", "sku": "SKU-1", "qty": 1, "amount": 10000}]
    stored = shop.stored(order_id)
    assert stored["status"] == "closed"
    assert [numbers(item, "qty_refunded", "amount_refunded") for item in stored["items"]] == [(2, 20000), (2, 20000)]
    assert stored["shipping"]["amount_refunded"] == 4900
    assert stored["fees"][0]["amount_refunded"] == 1500
    assert stored["payments"][0]["amount_refunded"] == 46400


def test_a_negative_difference_counts_as_0(shop: Shop) -> None:
    order_id = shop.put(
        status="processing",
        items=[
            invoiced("1", qty_ordered=1, amount=10000, qty_refunded=1, amount_refunded=12000),
            invoiced("2", qty_ordered=1, amount=5000),
        ],
        shipping={"amount": 4900, "amount_invoiced": 4900, "amount_refunded": 5900},
        fees=[fee("a", 100, amount_refunded=300), fee("b", 700)],
        payments=[captured(20700, amount_refunded=15000)],
    )
    assert shop.eligibility(order_id)["refund"]["amount"] == 5700
    shop.canceled(order_id)
    refund = shop.refunded(order_id)["refund"]
    assert (refund["amount"], refund["shipping"], refund["fees"]) == (5700, 0, 700)
    assert [item["item_id"] for item in refund["items"]] == ["2"]
    stored = shop.stored(order_id)
    assert [item["amount_refunded"] for item in stored["items"]] == [12000, 5000]
    assert stored["shipping"]["amount_refunded"] == 5900
    assert [charge["amount_refunded"] for charge in stored["fees"]] == [300, 700]


def test_rows_with_amount_0_are_left_out(shop: Shop) -> None:
    items = [invoiced("free", amount=0), invoiced("1"), row("not invoiced")]
    order_id = shop.put(status="processing", items=items, payments=[captured(20000)])
    assert [item["item_id"] for item in shop.eligibility(order_id)["refund"]["items"]] == ["1"]
    shop.canceled(order_id)
    assert [item["item_id"] for item in shop.refunded(order_id)["refund"]["items"]] == ["1"]
    # It is refunded all the same: its quantity comes back.
    assert shop.stored(order_id)["items"][0]["qty_refunded"] == 2


def test_items_cancelled_before_and_invoiced_ones_end_closed(shop: Shop) -> None:
    items = [
        invoiced("1"),
        row("2", qty_canceled=2),
        row("3", qty_ordered=3, qty_invoiced=1, qty_canceled=2, amount_invoiced=700),
    ]
    order_id = shop.put(status="processing", items=items, payments=[captured(20700)])
    shop.canceled(order_id)
    shop.refunded(order_id)
    order = shop.order(order_id)
    assert order["status"] == "closed"
    assert [item["qty_canceled"] for item in order["items"]] == [0, 2, 2]


def test_a_free_order_that_is_invoiced_has_no_refund_and_ends_closed(shop: Shop) -> None:
    order_id = shop.put(status="processing", items=[invoiced("1", amount=0)])
    body = shop.canceled(order_id)
    assert (body["cancellation"]["refund"], body["order"]["status"]) == (None, "closed")
    item = shop.stored(order_id)["items"][0]
    assert item["qty_refunded"] == item["qty_invoiced"]


def test_several_payments_are_used_in_their_order(shop: Shop) -> None:
    order_id = shop.put(
        **paid(
            payments=[
                captured(8000, "p1"),
                captured(5000, "p2", amount_refunded=5000),
                captured(9000, "p3", amount_refunded=1000),
                captured(9000, "p4"),
                captured(9000, "p5"),
            ]
        )
    )
    shop.canceled(order_id)
    cancellation = shop.refunded(order_id)
    assert legs(cancellation) == [
        ("p1", "refund", 8000, "succeeded"),
        ("p3", "refund", 8000, "succeeded"),
        ("p4", "refund", 4000, "succeeded"),
    ]
    stored = shop.stored(order_id)
    assert [numbers(payment, "amount_refunded")[0] for payment in stored["payments"]] == [8000, 5000, 9000, 4000, 0]


def test_a_surplus_is_told_and_not_paid_back(shop: Shop, events: EventWatch) -> None:
    order_id = shop.put(**paid(payments=[captured(12000, "p1"), captured(13000, "p2")]))
    body = shop.canceled(order_id)
    cancellation = shop.refunded(order_id)
    assert legs(cancellation) == [("p1", "refund", 12000, "succeeded"), ("p2", "refund", 8000, "succeeded")]
    refund = shop.aws.refund(body["cancellation"]["refund"]["refund_id"])
    assert (refund["amount"], refund["surplus"]) == (20000, 5000)
    assert events.wait_for(order_id, "OrderCanceled")["surplus"] == 5000
    assert events.wait_for(order_id, "OrderRefunded")["surplus"] == 5000


def test_money_held_for_nothing_invoiced_is_a_surplus_alone(shop: Shop, events: EventWatch) -> None:
    order_id = shop.put(payments=[captured(20000)])
    body = shop.canceled(order_id)
    assert body["cancellation"]["refund"] is None
    detail = events.wait_for(order_id, "OrderCanceled")
    assert (detail["refund"], detail["surplus"]) == (None, 20000)
    assert "amount_refunded" not in shop.stored(order_id)["payments"][0]


def test_a_shortfall_pays_nothing_out(shop: Shop, events: EventWatch) -> None:
    order_id = shop.put(**paid(payments=[captured(9000, "p1"), captured(10000, "p2")]))
    before = shop.stored(order_id)
    body = shop.canceled(order_id)
    assert body["cancellation"]["refund"]["status"] == "pending"
    cancellation = shop.refunded(order_id, "failed")
    assert cancellation["refund"]["failure"] == {"code": "INSUFFICIENT_CAPTURED_AMOUNT"}
    assert cancellation["refund"]["amount"] == 20000
    assert "succeeded" not in [leg[3] for leg in legs(cancellation)]

    stored = shop.stored(order_id)
    assert stored["status"] == "canceled"
    assert stored["items"] == before["items"]
    assert stored["payments"] == before["payments"]
    assert "refund_pending_since" not in stored
    refund = shop.aws.refund(body["cancellation"]["refund"]["refund_id"])
    assert refund["status"] == "failed"
    assert refund["failure"]["code"] == "INSUFFICIENT_CAPTURED_AMOUNT"
    assert refund["failure"]["message"]
    assert events.wait_for(order_id, "OrderRefundFailed")["refund"] == {"amount": 20000, "currency": "SEK"}
    assert not events.of(order_id, "OrderRefunded")
    # A person settles it: the customer cannot cancel again.
    refused(shop.cancel(order_id), 409, "INVALID_ORDER_STATUS")


def test_an_authorization_is_released(shop: Shop, events: EventWatch) -> None:
    order_id = shop.put(payments=[authorized(20000)])
    body = shop.canceled(order_id)
    assert legs(body["cancellation"]) == [("p1", "void", 20000, "pending")]
    assert (body["cancellation"]["refund"]["amount"], body["cancellation"]["refund"]["items"]) == (0, [])
    cancellation = shop.refunded(order_id)
    assert legs(cancellation) == [("p1", "void", 20000, "succeeded")]
    stored = shop.stored(order_id)
    assert stored["status"] == "canceled"
    assert numbers(stored["payments"][0], "amount_voided", "amount_refunded") == (20000, 0)
    assert events.wait_for(order_id, "OrderRefunded")["refund"] == {"amount": 0, "currency": "SEK"}


def test_a_captured_payment_is_refunded_and_an_authorized_one_released(shop: Shop) -> None:
    order_id = shop.put(
        **paid(
            payments=[
                authorized(7000, "p1"),
                captured(20000, "p2", amount_authorized=30000),
                authorized(500, "p3", amount_voided=500),
            ]
        )
    )
    shop.canceled(order_id)
    cancellation = shop.refunded(order_id)
    assert cancellation["refund"]["amount"] == 20000
    assert legs(cancellation) == [
        ("p1", "void", 7000, "succeeded"),
        ("p2", "refund", 20000, "succeeded"),
        ("p2", "void", 10000, "succeeded"),
    ]
    stored = shop.stored(order_id)
    assert [numbers(payment, "amount_voided", "amount_refunded") for payment in stored["payments"]] == [
        (7000, 0),
        (10000, 20000),
        (500, 0),
    ]
    assert stored["status"] == "closed"


def test_a_void_runs_even_with_a_shortfall(shop: Shop) -> None:
    order_id = shop.put(**paid(payments=[captured(100, "p1"), authorized(7000, "p2")]))
    shop.canceled(order_id)
    cancellation = shop.refunded(order_id, "failed")
    assert cancellation["refund"]["failure"] == {"code": "INSUFFICIENT_CAPTURED_AMOUNT"}
    assert ("p2", "void", 7000, "succeeded") in legs(cancellation)
    stored = shop.stored(order_id)
    assert stored["status"] == "canceled"
    assert numbers(stored["payments"][0], "amount_refunded") == (0,)
    assert numbers(stored["payments"][1], "amount_voided") == (7000,)
    assert numbers(stored["items"][0], "qty_refunded", "amount_refunded") == (0, 0)


def test_a_payment_of_an_unknown_provider_fails(shop: Shop, events: EventWatch) -> None:
    order_id = shop.put(**paid(payments=[captured(20000, provider="no-such-provider")]))
    shop.canceled(order_id)
    cancellation = shop.refunded(order_id, "failed")
    assert cancellation["refund"]["failure"] == {"code": "INVALID_ORDER"}
    stored = shop.stored(order_id)
    assert stored["status"] == "canceled"
    assert numbers(stored["items"][0], "amount_refunded") == (0,)
    assert numbers(stored["payments"][0], "amount_refunded") == (0,)
    events.wait_for(order_id, "OrderRefundFailed")


def test_fractional_quantities(shop: Shop, events: EventWatch) -> None:
    items = [
        row("kg", qty_ordered=Decimal("1.5"), qty_invoiced=Decimal("0.7"), amount=15001, amount_invoiced=7001),
        invoiced("m", qty_ordered=Decimal("2.25"), amount=99),
    ]
    order_id = shop.put(status="processing", items=items, payments=[captured(7100)])
    assert [item["qty"] for item in shop.eligibility(order_id)["refund"]["items"]] == [Decimal("0.7"), Decimal("2.25")]
    body = shop.canceled(order_id)
    assert [item["qty_canceled"] for item in body["order"]["items"]] == [Decimal("0.8"), 0]
    refund = shop.refunded(order_id)["refund"]
    assert [(item["qty"], item["amount"]) for item in refund["items"]] == [
        (Decimal("0.7"), 7001),
        (Decimal("2.25"), 99),
    ]
    stored = shop.stored(order_id)
    assert [numbers(item, "qty_canceled", "qty_refunded") for item in stored["items"]] == [
        (Decimal("0.8"), Decimal("0.7")),
        (0, Decimal("2.25")),
    ]
    told = events.wait_for(order_id, "OrderCanceled")["items"]
    assert [(item["qty_canceled"], item["qty_refunded"]) for item in told] == [
        (Decimal("0.8"), Decimal("0.7")),
        (0, Decimal("2.25")),
    ]


def test_large_sums_and_other_currencies_are_whole_numbers(shop: Shop) -> None:
    much = 9_007_199_254_740_993  # one more than a double can tell from its neighbour
    order_id = shop.put(**paid(currency="JPY", items=[invoiced(amount=much)], payments=[captured(much)]))
    assert shop.order(order_id)["total"] == much
    shop.canceled(order_id)
    refund = shop.refunded(order_id)["refund"]
    assert (refund["currency"], refund["amount"], refund["items"][0]["amount"]) == ("JPY", much, much)
    assert shop.stored(order_id)["items"][0]["amount_refunded"] == much


def test_the_refund_document_is_for_the_operator(shop: Shop) -> None:
    order_id = shop.put(**paid(payments=[captured(20000), authorized(100, "p2")]))
    cancellation = shop.canceled(order_id)["cancellation"]
    ended = shop.refunded(order_id)
    document = shop.aws.refund(cancellation["refund"]["refund_id"])
    assert {name: document[name] for name in ("cancellation_id", "order_id", "store_id", "currency", "status")} == {
        "cancellation_id": cancellation["cancellation_id"],
        "order_id": order_id,
        "store_id": shop.store_id,
        "currency": "SEK",
        "status": "succeeded",
    }
    assert (document["amount"], document["shipping"], document["fees"], document["surplus"]) == (20000, 0, 0, 0)
    assert document["items"] == ended["refund"]["items"]
    assert [(leg["payment_id"], leg["status"]) for leg in document["payments"]] == [
        ("p1", "succeeded"),
        ("p2", "succeeded"),
    ]
    assert "failure" not in document
    assert document["created_at"] <= document["updated_at"]


def test_the_history_tells_of_the_cancel_and_of_the_refund(shop: Shop) -> None:
    order_id = shop.put(**paid())
    shop.canceled(order_id, reason="other", comment="A word of my own")
    shop.refunded(order_id)
    refund_entry, cancel_entry, placed = shop.order(order_id)["history"]
    assert (placed["status"], cancel_entry["status"], refund_entry["status"]) == ("pending", "canceled", "closed")
    assert "Another reason" in cancel_entry["comment"]
    assert refund_entry["comment"]
    # In the table the newest stands last: it was appended.
    assert [entry["status"] for entry in shop.stored(order_id)["history"]] == ["pending", "canceled", "closed"]


def test_there_is_no_cancellation_before_the_cancel(shop: Shop) -> None:
    order_id = shop.put()
    refused(shop.client.get(CANCELLATION, order_id=order_id), 404, "CANCELLATION_NOT_FOUND")
    # The shop's own cancel is none of the product's.
    shop.put(order_id=order_id, status="canceled")
    refused(shop.client.get(CANCELLATION, order_id=order_id), 404, "CANCELLATION_NOT_FOUND")


def test_the_order_system_may_go_on_writing_after_the_cancel(shop: Shop) -> None:
    """What the shop adds between the cancel and its refund stays, and does not hold the refund up."""
    order_id = shop.put(**paid())
    shop.canceled(order_id)
    note = {"at": documents.timestamp(), "status": "canceled", "comment": "Seen by the warehouse."}
    shop.aws.orders.update_item(
        Key={"order_id": order_id},
        UpdateExpression="SET warehouse_note = :note, history = list_append(history, :entry)",
        ExpressionAttributeValues={":note": "stopped", ":entry": [note]},
    )
    shop.refunded(order_id)
    stored = shop.stored(order_id)
    assert stored["warehouse_note"] == "stopped"
    assert note in stored["history"]
    assert [entry["status"] for entry in stored["history"]].count("closed") == 1
