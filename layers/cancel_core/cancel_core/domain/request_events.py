"""The events of requests to the shop, derived from committed changes of the orders table."""

from __future__ import annotations

from typing import Any

from cancel_core.domain.cancellation_request import CancellationRequest
from cancel_core.domain.events import SCHEMA_VERSION, Event
from cancel_core.domain.request_row import AskedAbout


def requested(order: AskedAbout, request: CancellationRequest) -> Event:
    """The event that a customer has made a request to the shop."""
    return Event("CancellationRequested", _detail(order, request, request.requested_at))


def declined(order: AskedAbout, request: CancellationRequest) -> Event:
    """The event that the shop declined it, or approved it when it was no longer possible: see `status`."""
    detail = _detail(order, request, request.decided_at or request.requested_at)
    return Event("CancellationDeclined", detail | {"status": request.status})


def _detail(order: AskedAbout, request: CancellationRequest, occurred_at: str) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "order_id": order.order_id,
        "store_id": order.store_id,
        "customer_id": order.customer_id,
        "request_id": request.request_id,
        "reason": request.reason.code,
        # What a cancel would have refunded at the time of the request.
        "refund": {"amount": request.amount, "currency": order.currency} if request.amount else None,
        "occurred_at": occurred_at,
    }
