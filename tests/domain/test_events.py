"""What is told of an order, from its images before and after."""

from __future__ import annotations

import json
from typing import Any

from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.domain.events import Event, given_up, transitions
from cancel_core.entrypoints.order_stream import read_changes

from tests.support.orders import AT, LATER, canceled, document, item, paid, payment, refunded, stored


def happened(before: StoredOrder | None, after: StoredOrder) -> list[Event]:
    return transitions(before.state if before else None, after.state, LATER)


def test_a_cancel_is_told_with_the_quantities_of_this_cancel() -> None:
    source = paid(
        items=[
            item("a", ordered=3, invoiced=2, amount_invoiced=2000, qty_canceled=0),
            item("b", ordered=1, qty_canceled=1),
        ],
        payments=[payment(captured=2500)],
    )

    (event,) = happened(stored(source), canceled(source))

    assert event == Event(
        "OrderCanceled",
        {
            "schema_version": 1,
            "order_id": "o1",
            "store_id": "default",
            "customer_id": "c1",
            "cancellation_id": canceled(source).cancellation_id,
            "reason": "other",
            "items": [{"item_id": "a", "sku": "sku-a", "qty_canceled": 1, "qty_refunded": 2}],
            "refund": {"amount": 2000, "currency": "SEK"},
            "surplus": 500,
            "occurred_at": AT,
        },
    )


def test_a_finished_refund_is_told_once() -> None:
    before, after = canceled(paid()), refunded(canceled(paid()))

    (event,) = happened(before, after)

    assert (event.detail_type, event.detail["occurred_at"]) == ("OrderRefunded", LATER)
    assert happened(after, after) == []


def test_a_failed_refund_is_told() -> None:
    after_cancel = canceled(paid())

    (event,) = happened(after_cancel, refunded(after_cancel, failing=("p1",)))

    assert event.detail_type == "OrderRefundFailed"


def test_an_order_without_money_is_told_without_refund() -> None:
    (event,) = happened(stored(document()), canceled(document()))

    assert event.detail["refund"] is None


def test_images_that_lie_further_apart_tell_all_that_is_between_them() -> None:
    events = happened(stored(paid()), refunded(canceled(paid())))

    assert [event.detail_type for event in events] == ["OrderCanceled", "OrderRefunded"]


def test_the_shops_own_writes_tell_nothing() -> None:
    source = paid()

    assert happened(None, stored(source)) == []
    assert happened(stored(source), stored(source | {"status": "complete"})) == []
    assert happened(canceled(source), StoredOrder(canceled(source).raw | {"shelf": {"S": "B4"}})) == []


def test_an_order_that_can_no_longer_be_read_is_told_without_its_rows() -> None:
    broken = StoredOrder(canceled(paid()).raw | {"items": {"S": "gone"}})

    (event,) = happened(stored(paid()), broken)

    assert event.detail["items"] == []
    assert event.detail["refund"] == {"amount": 10000, "currency": "SEK"}


def test_nothing_personal_is_told() -> None:
    text = json.dumps([event.detail for event in happened(stored(paid()), refunded(canceled(paid())))])

    for secret in ("someone@example.com", "ref-p1", "Bought two by mistake"):
        assert secret not in text


def test_of_an_order_that_is_gone_the_refund_that_was_pending_has_failed() -> None:
    (event,) = given_up(canceled(paid()).state)

    assert event.detail_type == "OrderRefundFailed"
    assert event.detail["refund"] == {"amount": 10000, "currency": "SEK"}
    assert given_up(refunded(canceled(paid())).state) == []
    assert given_up(stored(paid()).state) == []


def test_stream_records_are_read_with_and_without_images() -> None:
    record: dict[str, Any] = {"dynamodb": {"SequenceNumber": "7", "NewImage": stored(paid()).raw}}

    (change,) = read_changes([record])

    assert (change.sequence_number, change.before) == ("7", None)
    assert change.after
    assert change.after.order.order_id == "o1"


def test_the_shops_own_binaries_come_as_text_in_a_stream_and_do_no_harm() -> None:
    image = stored(paid()).raw
    image["items"]["L"][0]["M"] |= {"label": {"B": "AP8="}, "labels": {"BS": ["AP8="]}}
    image["blob"] = {"B": "AP8="}

    (change,) = read_changes([{"dynamodb": {"SequenceNumber": "7", "NewImage": image}}])

    assert change.after
    assert change.after.order.items[0].item_id == "i1"
