"""What is read: the reasons, eligibility, one order, a customer's orders, a cancellation."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Callable
from typing import Any

from cancel_core.errors import CancellationNotFound, InvalidRequest, OrderNotFound, OrderUnreadable
from cancel_core.policy import Policy
from cancel_core.rules import decide
from cancel_core.tables import Orders, Policies, StoredOrder
from cancel_core.telemetry import count, logger
from cancel_core.views import cancellation_view, eligibility_view, order_view, summary_view, unreadable_view


def _own(orders: Orders, order_id: str, customer_id: str | None) -> StoredOrder:
    """The caller's order. Someone else's and none at all look exactly alike."""
    stored = orders.get(order_id)
    if stored is None or not stored.belongs_to(customer_id):
        raise OrderNotFound("There is no such order.")
    return stored


def get_order(orders: Orders, policies: Policies, order_id: str, customer_id: str | None) -> dict[str, Any]:
    stored = _own(orders, order_id, customer_id)
    return order_view(stored.order, policies.get(stored.store_id))


def check_eligibility(orders: Orders, policies: Policies, order_id: str, customer_id: str | None) -> dict[str, Any]:
    stored = _own(orders, order_id, customer_id)
    return eligibility_view(stored.order, decide(stored.order, policies.get(stored.store_id)))


def get_cancellation(orders: Orders, order_id: str, customer_id: str | None) -> dict[str, Any]:
    order = _own(orders, order_id, customer_id).order
    if order.cancellation is None:
        raise CancellationNotFound("This order has not been cancelled here.")
    return cancellation_view(order, order.cancellation)


def list_orders(
    orders: Orders, policies: Policies, customer_id: str | None, limit: int, cursor: str | None
) -> dict[str, Any]:
    """A page of the caller's orders, newest first. Raises `InvalidRequest` for a cursor that isn't the caller's."""
    if not customer_id:
        return {"orders": [], "next_cursor": None}
    # One read for each store on the page, even where nothing is cached.
    policy_of = functools.cache(policies.get)
    page, last = orders.page(customer_id, limit, _read_cursor(cursor, customer_id) if cursor is not None else None)
    return {
        "orders": [_summary(stored, policy_of) for stored in page],
        "next_cursor": _cursor(last, customer_id) if last else None,
    }


def _summary(stored: StoredOrder, policy_of: Callable[[str], Policy]) -> dict[str, Any]:
    try:
        return summary_view(stored.order, policy_of(stored.store_id))
    except OrderUnreadable as error:
        logger.error("an order in a list can't be read", extra={"faults": error.faults, "order_id": error.order_id})
        count("InternalError")
        return unreadable_view(stored.document)


def _owner(customer_id: str) -> str:
    return hashlib.sha256(customer_id.encode("utf-8", "replace")).hexdigest()[:16]


def _cursor(last: dict[str, str], customer_id: str) -> str:
    """Where the next page begins, and whose it is; the query takes the customer from the token all the same."""
    text = json.dumps([_owner(customer_id), last["placed_at"], last["order_id"]], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str, customer_id: str) -> dict[str, str]:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        owner, placed_at, order_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if owner == _owner(customer_id) and all(
            isinstance(text, str) and 0 < len(text.encode()) <= 1024 for text in (placed_at, order_id)
        ):
            return {"order_id": order_id, "placed_at": placed_at}
    except (ValueError, TypeError):
        pass
    raise InvalidRequest(
        "The cursor is not one that a list of these orders gave.", errors=[("#/cursor", "is not a valid cursor")]
    )
