"""Publishes committed changes of orders on the bus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from cancel_core.domain.cancellation import Cancellation
from cancel_core.domain.events import Event, OrderState, given_up, transitions
from cancel_core.domain.put_back import is_older
from cancel_core.domain.times import iso
from cancel_core.errors import OrderUnreadable, PublishFailed, Refusal
from cancel_core.services.put_back import put_back_cancellation
from cancel_core.telemetry import count, logger

if TYPE_CHECKING:
    from datetime import datetime

    from cancel_core.adapters.dynamodb.orders import Orders
    from cancel_core.adapters.dynamodb.refunds import Refunds
    from cancel_core.adapters.dynamodb.stored_order import StoredOrder
    from cancel_core.adapters.eventbridge import Bus


CANCELED = frozenset({"canceled", "closed"})
"""The statuses that a cancelled order may have."""


class Change(NamedTuple):
    """One stream record: its position, and the images of the order before and after."""

    sequence_number: str
    before: StoredOrder | None
    after: StoredOrder | None


def publish_changes(orders: Orders, refunds: Refunds, bus: Bus, stream: Sequence[Change], now: datetime) -> list[str]:
    """Publishes the events of the changes. Returns the sequence numbers of the records to retry.

    A cancellation that the order system has overwritten or replaced by an older state is restored first.
    """
    failed: dict[str, None] = {}
    events: list[Event] = []
    sources: list[Change] = []
    for change in stream:
        try:
            happened = _events(orders, refunds, change, now)
        except OrderUnreadable as error:
            # A retry won't help: the record ends in the dead-letter queue, for a person.
            logger.error(
                "a cancellation in the stream can't be read", extra={"faults": error.faults, "order_id": error.order_id}
            )
            count("InternalError")
            failed[change.sequence_number] = None
            continue
        except Refusal as error:
            order_id = change.before.order_id if change.before else None
            logger.warning(
                "a cancellation could not be restored yet", extra={"error": error.code, "order_id": order_id}
            )
            failed[change.sequence_number] = None
            continue
        events += happened
        sources += [change] * len(happened)
    unpublished: dict[int, str] = {}
    try:
        bus.publish(events)
    except PublishFailed as error:
        unpublished = error.failed
    for position, (event, change) in enumerate(zip(events, sources, strict=True)):
        if position in unpublished:
            logger.error("could not be published", extra=event.log_keys | {"error": unpublished[position]})
            failed[change.sequence_number] = None
        else:
            _tell(event)
    return list(failed)


def _events(orders: Orders, refunds: Refunds, change: Change, now: datetime) -> list[Event]:
    before = change.before.state if change.before else None
    after = change.after.state if change.after else None
    known = before.cancellation if before else None
    if change.before and before and known:
        if after is None:
            # Deleted. An order that has this id since is another order.
            _close(refunds, before, known, iso(now))
            return given_up(before)
        if is_older(after.cancellation, known):
            logger.error(
                "the order system has written over a cancellation: it must change orders with UpdateItem, "
                "or put them on condition of the status it read",
                extra={"order_id": before.order_id, "cancellation_id": known.cancellation_id},
            )
            count("CancellationErased")
            if not put_back_cancellation(orders, change.before, known, after.cancellation, now):
                return given_up(before)
            return []
        if change.after and _has_reopened(change.before, change.after):
            logger.error(
                "the order system has given a cancelled order another status; it must not be shipped",
                extra={"order_id": before.order_id, "cancellation_id": known.cancellation_id},
            )
            count("CanceledOrderReopened")
    if after is None:
        return []
    events = transitions(before, after, iso(now))
    for event in events:
        if event.detail["surplus"] and event.detail_type != "OrderRefundFailed":
            # Listed before it is announced: an operator who gets the event finds it in the list.
            refunds.list_surplus(after.order_id, event.detail["cancellation_id"], event.detail["surplus"], iso(now))
    return events


def _close(refunds: Refunds, gone: OrderState, cancellation: Cancellation, at: str) -> None:
    if cancellation.refund and cancellation.refund.status == "pending":
        failure = {"code": "INVALID_ORDER", "message": "The order was deleted while its refund was pending."}
        refunds.close(cancellation.refund.refund_id, cancellation.cancellation_id, gone.order_id, failure, at)


def _has_reopened(before: StoredOrder, after: StoredOrder) -> bool:
    return before.status in CANCELED and after.status not in CANCELED


def _tell(event: Event) -> None:
    """The log line and the metrics of an event. Written here, where each event is processed at least once."""
    detail = event.detail
    logger.info("published", extra=event.log_keys)
    match event.detail_type:
        case "OrderCanceled":
            count("OrderCanceled")
        case "OrderRefunded":
            count("RefundSucceeded")
        case "OrderRefundFailed":
            logger.error("a refund has failed; the refunds table says why", extra=event.log_keys)
            count("RefundFailed")
    if detail["surplus"] and event.detail_type != "OrderRefundFailed":
        logger.warning(
            "the payments hold more than is paid back; a person has to decide on the surplus",
            extra=event.log_keys | {"surplus": detail["surplus"]},
        )
        count("PaymentSurplus")
