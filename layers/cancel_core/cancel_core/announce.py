"""From the committed write to the bus: the stream's records, and again whatever has been pending for too long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from cancel_core import changes
from cancel_core.bus import ENTRIES_A_CALL, Bus
from cancel_core.clock import iso, moment
from cancel_core.errors import ConcurrentUpdate, OrderUnreadable, PublishFailed, Refusal, ServiceUnavailable
from cancel_core.events import Event, OrderState, canceled, given_up, transitions
from cancel_core.order import Order
from cancel_core.tables import Conflict, Orders, StoredOrder
from cancel_core.telemetry import count, logger, measure_seconds


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


MAX_ATTEMPTS = 5


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
            logger.error("could not be published", extra=_about(event) | {"error": unpublished[position]})
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
        if not _put_back(orders, change.before, before, now):
            return given_up(before)
    return transitions(before, after) if after else []


def _put_back(orders: Orders, before: StoredOrder, was: OrderState, now: datetime) -> bool:
    """Gives an order its erased cancellation back, unless it has one again. False when the order is gone.

    The write is announced as any other, so that the refund goes on. Raises `ConcurrentUpdate`, `ServiceUnavailable`,
    `OrderTooLarge`.
    """
    assert was.cancellation is not None
    stored = orders.get(was.order_id)
    for _ in range(MAX_ATTEMPTS):
        if stored is None or stored.cancellation_id != before.cancellation_id:
            return False
        if "cancellation" in stored.raw:
            return True
        written = orders.write(
            stored, changes.put_back(_readable(stored), _readable(before), was.cancellation, iso(now))
        )
        if not isinstance(written, Conflict):
            logger.warning(
                "the cancellation has been put back",
                extra={"order_id": was.order_id, "cancellation_id": was.cancellation.cancellation_id},
            )
            return True
        stored = written.current
    raise ConcurrentUpdate("The order kept changing while its cancellation was to be put back.")


def _readable(stored: StoredOrder) -> Order | None:
    try:
        return stored.order
    except OrderUnreadable:
        return None


def _about(event: Event) -> dict[str, str]:
    """By these keys one order is followed through the log of all functions."""
    return {"event": event.detail_type} | {
        name: event.detail[name] for name in ("order_id", "store_id", "cancellation_id")
    }


def _tell(event: Event) -> None:
    """The log line and the metrics of something that happened. From here, because here it is told at least once."""
    detail = event.detail
    logger.info("published", extra=_about(event))
    match event.detail_type:
        case "OrderCanceled":
            count("OrderCanceled")
            if detail["surplus"]:
                logger.warning(
                    "the payments hold more than was invoiced; a person has to decide on the surplus",
                    extra=_about(event) | {"surplus": detail["surplus"]},
                )
                count("PaymentSurplus")
        case "OrderRefunded":
            count("RefundSucceeded")
        case "OrderRefundFailed":
            logger.error("a refund has failed; the refunds table says why", extra=_about(event))
            count("RefundFailed")


def reannounce(orders: Orders, bus: Bus, now: datetime, after: timedelta) -> int:
    """Announces again each order whose refund has been pending for `after` or longer. Answers how many.

    Measures `RefundPendingSeconds`: how long the customer of the oldest of them has been waiting, 0 where there is
    none. What was announced less than `after` ago is not looked at: the oldest of all shows within `after` and a run.

    Raises `PublishFailed` when some could not be announced; they stay pending, and the next run finds them.
    """
    due: list[_Due] = []
    announced = 0
    oldest = now
    failed: list[str] = []
    for order_id, since in orders.pending_refunds(until=iso(now - after)):
        if event := _pending(orders.get(order_id)):
            due.append(_Due(order_id, since, event))
            # The cancel's own moment; the time in the index moves on with each announcement.
            oldest = min(oldest, moment(event.detail["occurred_at"]) or now)
        if len(due) == ENTRIES_A_CALL:
            announced += _announce(orders, bus, due, failed, now)
            due = []
    announced += _announce(orders, bus, due, failed, now)
    measure_seconds("RefundPendingSeconds", (now - oldest).total_seconds())
    if failed:
        raise PublishFailed(dict(enumerate(failed)))
    return announced


class _Due(NamedTuple):
    """A pending refund that is to be announced again, and the time under which the index has it."""

    order_id: str
    since: str
    event: Event


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


def _announce(orders: Orders, bus: Bus, due: list[_Due], failed: list[str], now: datetime) -> int:
    """Answers how many are on the bus; adds to `failed` why the others are not."""
    refused: dict[int, str] = {}
    try:
        bus.publish([one.event for one in due])
    except PublishFailed as error:
        refused = error.failed
        failed += error.failed.values()
    for position, one in enumerate(due):
        if position in refused:
            continue
        try:
            # Otherwise each run would announce it, as long as its provider is away.
            orders.postpone(one.order_id, one.since, iso(now))
        except ServiceUnavailable:
            logger.warning("announced, and to be announced again", extra=_about(one.event))
    return len(due) - len(refused)
