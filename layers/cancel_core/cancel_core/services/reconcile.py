"""Announces again whatever has been pending for too long."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from cancel_core.domain.events import Event, canceled
from cancel_core.domain.times import iso, moment
from cancel_core.errors import OrderUnreadable, PublishFailed, ServiceUnavailable
from cancel_core.telemetry import count, logger, measure_seconds

if TYPE_CHECKING:
    from cancel_core.adapters.dynamodb.orders import Orders
    from cancel_core.adapters.dynamodb.stored_order import StoredOrder
    from cancel_core.adapters.eventbridge import Bus


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
        if len(due) == bus.ENTRIES_A_CALL:
            announced += _announce(orders, bus, due, failed, now)
            due = []
    announced += _announce(orders, bus, due, failed, now)
    measure_seconds("RefundPendingSeconds", (now - oldest).total_seconds())
    if failed:
        raise PublishFailed(dict(enumerate(failed)))
    logger.info("reconciled", extra={"announced": announced})
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
            logger.warning("announced, and to be announced again", extra=one.event.log_keys)
    return len(due) - len(refused)
