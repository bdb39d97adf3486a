"""Restores the cancellation of an order after the order system has overwritten it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cancel_core.domain.cancellation import Cancellation
from cancel_core.domain.order import Order
from cancel_core.domain.put_back import is_older, is_same_cancel, put_back
from cancel_core.domain.times import iso
from cancel_core.errors import ConcurrentUpdate, OrderChanged, OrderUnreadable
from cancel_core.telemetry import logger

if TYPE_CHECKING:
    from datetime import datetime

    from cancel_core.adapters.dynamodb.orders import Orders
    from cancel_core.adapters.dynamodb.stored_order import StoredOrder

MAX_ATTEMPTS = 5


def put_back_cancellation(
    orders: Orders, before: StoredOrder, known: Cancellation, seen: Cancellation | None, now: datetime
) -> bool:
    """Restores the known cancellation of an order, unless it has it again, or a newer state of it. False if the order
    does not exist.

    `seen` is what replaced it; None if nothing did. If the customer has cancelled again since then, the new
    cancellation is kept. The write is announced as any other, so that the refund continues. Raises `ConcurrentUpdate`,
    `ServiceUnavailable`, `OrderTooLarge`.
    """
    stored = orders.get(before.order_id)
    for _ in range(MAX_ATTEMPTS):
        if stored is None:
            return False
        current = stored.cancellation
        if not is_older(current, known):
            return True
        if current and not any(is_same_cancel(current, one) for one in (known, seen) if one):
            return True
        try:
            orders.write(stored, put_back(_readable(stored), _readable(before), known, iso(now)))
        except OrderChanged as conflict:
            stored = conflict.current
            continue
        logger.warning(
            "the cancellation has been restored",
            extra={"order_id": before.order_id, "cancellation_id": known.cancellation_id},
        )
        return True
    raise ConcurrentUpdate("The order kept changing while its cancellation was to be put back.")


def _readable(stored: StoredOrder) -> Order | None:
    try:
        return stored.order
    except OrderUnreadable:
        return None
