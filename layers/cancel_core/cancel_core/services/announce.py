"""From the committed write to the bus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from cancel_core.domain.events import Event, given_up, transitions
from cancel_core.errors import OrderUnreadable, PublishFailed, Refusal
from cancel_core.services.put_back import put_back_cancellation
from cancel_core.telemetry import count, logger

if TYPE_CHECKING:
    from datetime import datetime

    from cancel_core.adapters.dynamodb.orders import Orders
    from cancel_core.adapters.dynamodb.stored_order import StoredOrder
    from cancel_core.adapters.eventbridge import Bus


class Change(NamedTuple):
    """One stream record: where it stands, and the images of the order before and after."""

    sequence_number: str
    before: StoredOrder | None
    after: StoredOrder | None


def publish_changes(orders: Orders, bus: Bus, stream: Sequence[Change], now: datetime) -> list[str]:
    """Puts on the bus what the changes mean. Answers the sequence numbers of those to be given again.

    A cancellation that the order system has written over is put back first.
    """
    failed: dict[str, None] = {}
    events: list[Event] = []
    sources: list[Change] = []
    for change in stream:
        try:
            happened = _events(orders, change, now)
        except OrderUnreadable as error:
            # It won't be readable the next time either: the retries end at the dead-letter queue, before a person.
            logger.error(
                "a cancellation in the stream can't be read", extra={"faults": error.faults, "order_id": error.order_id}
            )
            count("InternalError")
            failed[change.sequence_number] = None
            continue
        except Refusal as error:
            order_id = change.before.order_id if change.before else None
            logger.warning(
                "a cancellation could not be put back yet", extra={"error": error.code, "order_id": order_id}
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


def _events(orders: Orders, change: Change, now: datetime) -> list[Event]:
    before = change.before.state if change.before else None
    after = change.after.state if change.after else None
    if change.before and before and before.cancellation and not (after and after.cancellation):
        logger.error(
            "the order system has written over a cancellation: it must change orders with UpdateItem, "
            "or put them on condition of the status it read",
            extra={"order_id": before.order_id, "cancellation_id": before.cancellation.cancellation_id},
        )
        count("CancellationErased")
        if not put_back_cancellation(orders, change.before, before, now):
            return given_up(before)
    return transitions(before, after) if after else []


def _tell(event: Event) -> None:
    """The log line and the metrics of something that happened. From here, because here it is told at least once."""
    detail = event.detail
    logger.info("published", extra=event.log_keys)
    match event.detail_type:
        case "OrderCanceled":
            count("OrderCanceled")
            if detail["surplus"]:
                logger.warning(
                    "the payments hold more than was invoiced; a person has to decide on the surplus",
                    extra=event.log_keys | {"surplus": detail["surplus"]},
                )
                count("PaymentSurplus")
        case "OrderRefunded":
            count("RefundSucceeded")
        case "OrderRefundFailed":
            logger.error("a refund has failed; the refunds table says why", extra=event.log_keys)
            count("RefundFailed")
