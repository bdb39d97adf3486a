"""From the committed write to the bus: the stream's records, and again whatever has been pending for too long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from cancel_core.bus import ENTRIES_A_CALL, Bus
from cancel_core.clock import iso
from cancel_core.errors import OrderUnreadable, PublishFailed
from cancel_core.events import Event, canceled, erases, transitions
from cancel_core.tables import Orders, StoredOrder
from cancel_core.telemetry import count, logger


class Change(NamedTuple):
    """One stream record: where it stands, and the images of the order before and after."""

    sequence_number: str
    before: StoredOrder | None
    after: StoredOrder | None


def read_changes(records: Iterable[Mapping[str, Any]]) -> list[Change]:
    """The changes in the records of a DynamoDB stream event with new and old images."""
    changes = []
    for record in records:
        body = record["dynamodb"]
        before, after = body.get("OldImage"), body.get("NewImage")
        changes.append(
            Change(
                body["SequenceNumber"], StoredOrder(before) if before else None, StoredOrder(after) if after else None
            )
        )
    return changes


def publish_changes(bus: Bus, changes: Sequence[Change]) -> list[str]:
    """Puts on the bus what the changes mean. Answers the sequence numbers of those to be given again."""
    failed: dict[str, None] = {}
    events: list[Event] = []
    sources: list[Change] = []
    for change in changes:
        try:
            happened = _events(change)
        except OrderUnreadable as error:
            # It won't be readable the next time either: the retries end at the dead-letter queue, before a person.
            logger.error(
                "a cancellation in the stream can't be read", extra={"faults": error.faults, "order_id": error.order_id}
            )
            count("InternalError")
            failed[change.sequence_number] = None
            continue
        events += happened
        sources += [change] * len(happened)
    unpublished: dict[int, str] = {}
    try:
        bus.publish(events)
    except PublishFailed as error:
        logger.error("events could not be published", extra={"errors": sorted(set(error.failed.values()))})
        unpublished = error.failed
    for position, (event, change) in enumerate(zip(events, sources, strict=True)):
        if position in unpublished:
            failed[change.sequence_number] = None
        else:
            _tell(event)
    return list(failed)


def _events(change: Change) -> list[Event]:
    before = change.before.state if change.before else None
    after = change.after.state if change.after else None
    if before and erases(before, after):
        logger.error(
            "the order system has written over a cancellation: it must change orders with UpdateItem, "
            "or put them on condition of the status it read",
            extra={
                "order_id": before.order_id,
                "cancellation_id": before.cancellation.cancellation_id if before.cancellation else None,
            },
        )
        count("CancellationErased")
    return transitions(before, after) if after else []


def _tell(event: Event) -> None:
    """The log line and the metrics of something that happened. From here, because here it is told at least once."""
    detail = event.detail
    logger.info(
        "published",
        extra={
            "event": event.detail_type,
            **{name: detail[name] for name in ("order_id", "store_id", "cancellation_id")},
        },
    )
    match event.detail_type:
        case "OrderCanceled":
            count("OrderCanceled")
            if detail["surplus"]:
                logger.warning(
                    "the payments hold more than was invoiced; a person has to decide on the surplus",
                    extra={"order_id": detail["order_id"], "surplus": detail["surplus"]},
                )
                count("PaymentSurplus")
        case "OrderRefunded":
            count("RefundSucceeded")
        case "OrderRefundFailed":
            logger.error("a refund has failed; the refunds table says why", extra={"order_id": detail["order_id"]})
            count("RefundFailed")


def reannounce(orders: Orders, bus: Bus, now: datetime, after: timedelta) -> int:
    """Announces again each order whose refund has been pending for `after` or longer. Answers how many.

    Raises `PublishFailed` when some could not be announced; they stay pending, and the next run finds them.
    """
    events = []
    announced = 0
    failed: list[str] = []
    for order_id in orders.pending_refunds(until=iso(now - after)):
        if event := _pending(orders.get(order_id)):
            events.append(event)
        if len(events) == ENTRIES_A_CALL:
            announced += _publish(bus, events, failed)
            events = []
    announced += _publish(bus, events, failed)
    if failed:
        raise PublishFailed(dict(enumerate(failed)))
    return announced


def _pending(stored: StoredOrder | None) -> Event | None:
    """The announcement of an order whose refund still is pending; the index may lag behind."""
    if stored is None:
        return None
    try:
        state = stored.state
    except OrderUnreadable as error:
        logger.error("a pending cancellation can't be read", extra={"faults": error.faults, "order_id": error.order_id})
        count("InternalError")
        return None
    cancellation = state.cancellation
    if cancellation is None or cancellation.refund is None or cancellation.refund.status != "pending":
        return None
    logger.warning(
        "announcing again", extra={"order_id": state.order_id, "cancellation_id": cancellation.cancellation_id}
    )
    return canceled(state, cancellation)


def _publish(bus: Bus, events: list[Event], failed: list[str]) -> int:
    """Answers how many are on the bus; adds to `failed` why the others are not."""
    try:
        bus.publish(events)
    except PublishFailed as error:
        failed += error.failed.values()
        return len(events) - len(error.failed)
    return len(events)
