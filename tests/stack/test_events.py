"""What the bus tells. Each event is held against docs/schemas/events as it is taken from the queue."""

from __future__ import annotations

import json
import time

import pytest

from ops.__main__ import main as command
from tests.support import documents
from tests.support.aws import EventWatch
from tests.support.client import PRIVATE_COMMENT, PRIVATE_EMAIL, PRIVATE_REFERENCE
from tests.support.documents import captured, invoiced, row
from tests.support.shop import Shop
from tests.support.waiting import wait_until

FIELDS = {
    "schema_version",
    "order_id",
    "store_id",
    "customer_id",
    "cancellation_id",
    "reason",
    "items",
    "refund",
    "surplus",
    "occurred_at",
}


def test_a_cancel_and_its_refund_are_told(shop: Shop, events: EventWatch) -> None:
    order_id = shop.put(
        status="processing",
        items=[
            invoiced("1"),
            row("2", qty_ordered=3, qty_invoiced=1, qty_canceled=1, amount_invoiced=700),
            row("3", qty_canceled=2),
        ],
        payments=[captured(20700)],
    )
    cancellation = shop.canceled(order_id, reason="other", comment=PRIVATE_COMMENT)["cancellation"]
    expected = {
        "schema_version": 1,
        "order_id": order_id,
        "store_id": shop.store_id,
        "customer_id": shop.customer_id,
        "cancellation_id": cancellation["cancellation_id"],
        "reason": "other",
        # What this cancel does: not what was cancelled before, and no row that it leaves alone.
        "items": [
            {"item_id": "1", "sku": "SKU-1", "qty_canceled": 0, "qty_refunded": 2},
            {"item_id": "2", "sku": "SKU-2", "qty_canceled": 1, "qty_refunded": 1},
        ],
        "refund": {"amount": 20700, "currency": "SEK"},
        "surplus": 0,
        "occurred_at": cancellation["requested_at"],
    }
    assert events.wait_for(order_id, "OrderCanceled") == expected
    refunded = events.wait_for(order_id, "OrderRefunded")
    assert refunded == expected | {"occurred_at": refunded["occurred_at"]}
    assert refunded["occurred_at"] >= expected["occurred_at"]
    assert not events.of(order_id, "OrderRefundFailed")


def test_a_failed_refund_is_told(shop: Shop, events: EventWatch) -> None:
    order_id = shop.put(**documents.paid(payments=[captured(1)]))
    cancellation = shop.canceled(order_id)["cancellation"]
    detail = events.wait_for(order_id, "OrderRefundFailed")
    assert detail.keys() == FIELDS
    assert detail["cancellation_id"] == cancellation["cancellation_id"]
    assert detail["refund"] == {"amount": 20000, "currency": "SEK"}
    assert not events.of(order_id, "OrderRefunded")


def test_a_cancel_without_a_refund_is_told_once(shop: Shop, events: EventWatch) -> None:
    order_id = shop.put()
    shop.canceled(order_id)
    detail = events.wait_for(order_id, "OrderCanceled")
    assert detail["refund"] is None
    assert detail["items"] == [{"item_id": "1", "sku": "SKU-1", "qty_canceled": 2, "qty_refunded": 0}]
    # Nothing more follows; a moment is given to what should not come.
    time.sleep(1)
    assert {event["detail-type"] for event in events.of(order_id)} == {"OrderCanceled"}


def test_no_event_holds_personal_data_or_a_payments_reference(shop: Shop, events: EventWatch) -> None:
    order_id = shop.put(**documents.paid())
    shop.canceled(order_id, comment=PRIVATE_COMMENT)
    events.wait_for(order_id, "OrderRefunded")
    told = json.dumps(events.seen, default=str)
    for private in (PRIVATE_EMAIL, PRIVATE_REFERENCE, PRIVATE_COMMENT):
        assert private not in told


def test_a_refused_cancel_is_not_told(shop: Shop, events: EventWatch) -> None:
    refused_id = shop.put(status="complete")
    shop.cancel(refused_id)
    told_id = shop.put()
    shop.canceled(told_id)
    events.wait_for(told_id, "OrderCanceled")
    assert not events.of(refused_id)


def test_the_shops_own_writes_are_not_told(shop: Shop, events: EventWatch) -> None:
    order_id = shop.put(**documents.paid())
    shop.canceled(order_id)
    events.wait_for(order_id, "OrderRefunded")
    known = len(events.of(order_id))
    shop.aws.orders.update_item(
        Key={"order_id": order_id}, UpdateExpression="SET note = :note", ExpressionAttributeValues={":note": "seen"}
    )
    # A later order's event has passed through the same stream behind it.
    later = shop.put()
    shop.canceled(later)
    events.wait_for(later, "OrderCanceled")
    time.sleep(0.5)
    assert len(events.of(order_id)) == known


WHO = ("--by", "ann@shop.example", "--why", "seen to it")


def operate(shop: Shop, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The operator's command; what it says."""
    assert command(["refunds", "--local", "--url", shop.endpoint, *arguments]) == 0
    return capsys.readouterr().out


def test_a_refund_that_was_settled_is_told_with_what_providers_paid(
    shop: Shop, events: EventWatch, capsys: pytest.CaptureFixture[str]
) -> None:
    order_id = shop.put(**documents.paid(payments=[captured(1)]))
    shop.canceled(order_id)
    events.wait_for(order_id, "OrderRefundFailed")
    operate(shop, capsys, "settle", order_id, *WHO)
    assert events.wait_for(order_id, "OrderRefunded")["refund"] == {"amount": 0, "currency": "SEK"}
    refund = shop.cancellation(order_id)["refund"]
    assert (refund["status"], refund["amount"], refund["settled_by_hand"]) == ("succeeded", 0, 20000)


def test_a_surplus_is_told_with_the_cancel_listed_and_settled(
    shop: Shop, events: EventWatch, capsys: pytest.CaptureFixture[str]
) -> None:
    order_id = shop.put(**documents.paid(payments=[captured(25000)]))
    shop.canceled(order_id)
    assert events.wait_for(order_id, "OrderCanceled")["surplus"] == 5000
    refunded = events.wait_for(order_id, "OrderRefunded")
    assert (refunded["refund"]["amount"], refunded["surplus"]) == (20000, 5000)
    listed = operate(shop, capsys, "list")
    assert f"the payments of order {order_id} hold 50.00 SEK too much" in listed
    assert "settled by hand" in operate(shop, capsys, "settle", f"surplus:{order_id}", *WHO)
    assert f"surplus:{order_id}" not in operate(shop, capsys, "list")
    assert not events.of(order_id, "OrderPaymentSurplus")


def test_money_that_is_captured_after_the_cancel_is_told_at_once(
    shop: Shop, events: EventWatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bank debit that comes late."""
    order_id = shop.put(payments=[documents.payment()])
    shop.canceled(order_id)
    events.wait_for(order_id, "OrderCanceled")

    def arrive(amount: int) -> None:
        shop.aws.orders.update_item(
            Key={"order_id": order_id},
            UpdateExpression="SET payments[0].amount_captured = :amount",
            ExpressionAttributeValues={":amount": amount},
        )

    arrive(20000)
    detail = events.wait_for(order_id, "OrderPaymentSurplus")
    assert detail.keys() == FIELDS
    assert (detail["refund"], detail["surplus"]) == (None, 20000)
    assert f"the payments of order {order_id} hold 200.00 SEK too much" in operate(shop, capsys, "list")
    # What was settled is back in the list when more comes.
    operate(shop, capsys, "settle", f"surplus:{order_id}", *WHO)
    arrive(30000)

    def is_listed() -> bool:
        return f"the payments of order {order_id} hold 300.00 SEK too much" in operate(shop, capsys, "list")

    wait_until(is_listed, what="the surplus is listed again", every=1)
    assert [event["detail"]["surplus"] for event in events.of(order_id, "OrderPaymentSurplus")] == [20000, 30000]
    assert not events.of(order_id, "OrderRefunded")


def test_what_the_shop_gives_back_itself_is_not_told_as_ours(shop: Shop, events: EventWatch) -> None:
    """Credited in the order system before the refund is tried again."""
    order_id = shop.put(**documents.paid(payments=[captured(1)]))
    shop.canceled(order_id)
    events.wait_for(order_id, "OrderRefundFailed")
    shop.aws.orders.update_item(
        Key={"order_id": order_id},
        UpdateExpression="SET payments = :payments, #items[0].amount_refunded = :credited",
        ExpressionAttributeNames={"#items": "items"},
        ExpressionAttributeValues={":payments": [captured(20000, amount_refunded=15000)], ":credited": 15000},
    )
    assert command(["refunds", "--local", "--url", shop.endpoint, "retry", order_id, *WHO]) == 0
    assert events.wait_for(order_id, "OrderRefunded")["refund"] == {"amount": 5000, "currency": "SEK"}
    refund = shop.cancellation(order_id)["refund"]
    assert (refund["amount"], refund["credited_by_shop"], refund["settled_by_hand"]) == (5000, 15000, 0)
