"""Publishes OrderCanceled again for refunds that have been pending for too long."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from cancel_core.domain.events import Event, canceled
from cancel_core.domain.times import iso, moment
from cancel_core.errors import OrderUnreadable, PublishFailed, ServiceUnavailable
from cancel_core.telemetry import count, flush, logger, measure_seconds

if TYPE_CHECKING:
    from cancel_core.adapters.dynamodb.orders import Orders
    from cancel_core.adapters.dynamodb.refunds import Refunds
    from cancel_core.adapters.dynamodb.stored_order import StoredOrder
    from cancel_core.adapters.eventbridge import Bus

WRITES_AT_ONCE = 8
ENOUGH_SECONDS = 10.0
"""The most time that one batch needs. With less left a run ends, and the next one starts elsewhere in the index."""


def reannounce(
    orders: Orders, refunds: Refunds, bus: Bus, now: datetime, after: timedelta, seconds_left: Callable[[], float]
) -> int:
    """Announces each order again whose refund has been pending for `after` or longer. Returns how many.

    Measures `RefundPendingSeconds`: how long the customer of the oldest one has been waiting, 0 if there is none; after
    each batch, so that a run that is killed has reported its progress. Orders announced less than `after` ago are
    skipped: the oldest of all shows within `after` and one run.

    Raises `PublishFailed` if some could not be announced; they stay pending, and the next run finds them.
    """
    seen: set[str] = set()
    oldest = now
    failed: list[str] = []
    with ThreadPoolExecutor(WRITES_AT_ONCE) as writers:
        for batch in _pending_for(orders, refunds, iso(now - after), seen, part=int(now.timestamp() // 60)):
            due = _due(orders, batch)
            # The time of the cancel; the time in the index changes with each announcement.
            oldest = min([oldest, *(moment(one.event.detail["occurred_at"]) or now for one in due)])
            _measure(now - oldest)
            on_the_bus = _publish(bus, due, failed)
            list(writers.map(lambda one: _postpone(orders, one, now), on_the_bus))
            seen.update(one.order_id for one in on_the_bus)
            if seconds_left() < ENOUGH_SECONDS:
                logger.warning("one run cannot publish all pending refunds", extra={"announced": len(seen)})
                break
    _measure(now - oldest)
    if failed:
        raise PublishFailed(dict(enumerate(failed)))
    logger.info("reconciled", extra={"announced": len(seen)})
    return len(seen)


class _Due(NamedTuple):
    """A pending refund to announce again, and its time in the index; None if it is not in the index."""

    order_id: str
    since: str | None
    event: Event


def _pending_for(
    orders: Orders, refunds: Refunds, until: str, seen: Container[str], part: int
) -> Iterator[list[tuple[str, str | None]]]:
    """First the refunds that are pending according to the orders, then those that are pending only in our own
    documents: the order system may have overwritten the order, and the stream record may have been lost.
    """
    for batch in orders.pending_refunds(until, first=part):
        yield [*batch]
    for documents in refunds.pending(until):
        yield [(one.order_id, None) for one in documents if one.order_id not in seen]


def _due(orders: Orders, batch: Sequence[tuple[str, str | None]]) -> list[_Due]:
    found = orders.get_many(order_id for order_id, _ in batch)
    events = ((order_id, since, _pending(found.get(order_id), is_begun=since is None)) for order_id, since in batch)
    return [_Due(order_id, since, event) for order_id, since, event in events if event]


def _measure(waiting: timedelta) -> None:
    measure_seconds("RefundPendingSeconds", waiting.total_seconds())
    flush()


def _pending(stored: StoredOrder | None, *, is_begun: bool) -> Event | None:
    """The announcement of an order whose refund is still pending: according to the order itself, because the index may
    lag behind, or to the refund's document.
    """
    if stored is None:
        return None
    try:
        state = stored.state
    except OrderUnreadable as error:
        logger.error("a pending cancellation can't be read", extra={"faults": error.faults, "order_id": error.order_id})
        count("InternalError")
        return None
    cancellation = state.cancellation
    if cancellation is None or cancellation.refund is None:
        return None
    if cancellation.refund.status != "pending" and not is_begun:
        return None
    logger.warning(
        "publishing again", extra={"order_id": state.order_id, "cancellation_id": cancellation.cancellation_id}
    )
    return canceled(state, cancellation)


def _publish(bus: Bus, due: Sequence[_Due], failed: list[str]) -> list[_Due]:
    """Returns those that were published; adds to `failed` why the others were not."""
    refused: dict[int, str] = {}
    try:
        bus.publish([one.event for one in due])
    except PublishFailed as error:
        refused = error.failed
        failed += error.failed.values()
    return [one for position, one in enumerate(due) if position not in refused]


def _postpone(orders: Orders, one: _Due, now: datetime) -> None:
    if one.since is None:
        return
    try:
        # Else each run would announce it while its provider is unavailable.
        orders.postpone(one.order_id, one.since, iso(now))
    except ServiceUnavailable:
        logger.warning("published, and will be published again", extra=one.event.log_keys)
