"""Gives an order back its cancellation, when the order system has written over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cancel_core.domain.events import OrderState
from cancel_core.domain.order import Order
from cancel_core.domain.put_back import put_back
from cancel_core.domain.times import iso
from cancel_core.errors import ConcurrentUpdate, OrderChanged, OrderUnreadable
from cancel_core.telemetry import logger

if TYPE_CHECKING:
    from datetime import datetime

    from cancel_core.adapters.dynamodb.orders import Orders
    from cancel_core.adapters.dynamodb.stored_order import StoredOrder

MAX_ATTEMPTS = 5


def put_back_cancellation(orders: Orders, before: StoredOrder, was: OrderState, now: datetime) -> bool:
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
        try:
            orders.write(stored, put_back(_readable(stored), _readable(before), was.cancellation, iso(now)))
        except OrderChanged as conflict:
            stored = conflict.current
            continue
        logger.warning(
            "the cancellation has been put back",
            extra={"order_id": was.order_id, "cancellation_id": was.cancellation.cancellation_id},
        )
        return True
    raise ConcurrentUpdate("The order kept changing while its cancellation was to be put back.")


def _readable(stored: StoredOrder) -> Order | None:
    try:
        return stored.order
    except OrderUnreadable:
        return None
