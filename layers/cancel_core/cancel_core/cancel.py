"""The cancel: read the order, decide, write once on condition that what was decided on is still so."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from cancel_core import changes
from cancel_core.changes import CancelRequest
from cancel_core.clock import iso
from cancel_core.errors import (
    CancellationDisabled,
    ConcurrentUpdate,
    IdempotencyKeyReused,
    InvalidCancellationReason,
    InvalidOrderStatus,
    OrderNotFound,
    OrderTooLarge,
    PartialOrderItemShipped,
    Refusal,
)
from cancel_core.policy import Policy
from cancel_core.rules import Blocker, decide
from cancel_core.tables import MAX_ITEM_BYTES, Conflict, Orders, Policies, StoredOrder
from cancel_core.views import order_view

MAX_ATTEMPTS = 5
ALWAYS_FITS_BYTES = 100 * 1024
"""No order of this size can outgrow the item limit by what a cancel and a refund write on it."""

_REFUSALS: dict[str, type[Refusal]] = {
    refusal.code: refusal for refusal in (CancellationDisabled, InvalidOrderStatus, PartialOrderItemShipped)
}


class Canceled(NamedTuple):
    """A cancelled order, just now or (`replayed`) by an earlier request with the same key and body."""

    stored: StoredOrder
    policy: Policy
    replayed: bool

    def view(self) -> dict[str, Any]:
        order = self.stored.order
        view = order_view(order, self.policy)
        return {"order": view, "cancellation": view["cancellation"]}


def cancel_order(orders: Orders, policies: Policies, request: CancelRequest, now: datetime) -> Canceled:
    """Cancels an order of the customer, or finds that this very request did. Two round trips where nobody interferes.

    Raises a `Refusal`, checked in this order: the order is the caller's; the request is not a repeat; the blockers;
    the reason; the write.
    """
    stored = orders.get(request.order_id)
    for _ in range(MAX_ATTEMPTS):
        if stored is None or not stored.belongs_to(request.customer_id):
            raise OrderNotFound("There is no such order.")
        policy = policies.get(stored.store_id)
        if _is_repeat(stored, policy, request):
            return Canceled(stored, policy, replayed=True)
        change = _change(stored, policy, request, now)
        try:
            written = orders.write(stored, change)
        except OrderTooLarge as refusal:
            refusal.order = order_view(stored.order, policy)
            raise
        if isinstance(written, StoredOrder):
            return Canceled(written, policy, replayed=False)
        assert isinstance(written, Conflict)
        stored = written.current
        if stored and _is_own_write(stored, request):
            return Canceled(stored, policy, replayed=False)
    # The last state that was seen is as good as any: it will have changed again.
    view = order_view(stored.order, policy) if stored and stored.belongs_to(request.customer_id) else None
    raise ConcurrentUpdate("The order kept changing while it was to be cancelled. Try again.", order=view)


def _is_repeat(stored: StoredOrder, policy: Policy, request: CancelRequest) -> bool:
    known = stored.order.cancellation.idempotency if stored.order.cancellation else None
    if known is None or request.fingerprint is None or known.key != request.fingerprint.key:
        return False
    if known.body != request.fingerprint.body:
        raise IdempotencyKeyReused(
            "This Idempotency-Key was used with another body.", order=order_view(stored.order, policy)
        )
    return True


def _is_own_write(stored: StoredOrder, request: CancelRequest) -> bool:
    """Whether the write that got in between was this request's own, whose answer the network lost."""
    cancellation = stored.cancellation
    return cancellation is not None and cancellation.request_id == request.request_id


def _change(stored: StoredOrder, policy: Policy, request: CancelRequest, now: datetime) -> changes.OrderChange:
    order = stored.order
    decision = decide(order, policy)
    if decision.refund is None:
        raise _refusal(decision.blockers[0], order_view(order, policy))
    reason = policy.reason(request.reason)
    if reason is None:
        raise InvalidCancellationReason("The reason is not among the store's reasons.", order=order_view(order, policy))
    change = changes.cancel(order, decision.refund, reason, request, iso(now))
    if stored.size > ALWAYS_FITS_BYTES and _size_when_refunded(stored.changed(change), iso(now)) > MAX_ITEM_BYTES:
        raise OrderTooLarge(
            "The order is too large to be cancelled here. Please contact the shop.", order=order_view(order, policy)
        )
    return change


def _refusal(blocker: Blocker, view: dict[str, Any]) -> Refusal:
    extra = {"item_ids": list(blocker.item_ids)} if blocker.item_ids else {}
    return _REFUSALS[blocker.code](blocker.message, order=view, **extra)


def _size_when_refunded(canceled: StoredOrder, at: str) -> int:
    """The bytes of the order once its refund is booked: what can't be booked later must not be begun now."""
    cancellation = canceled.order.cancellation
    if cancellation is None or cancellation.refund is None:
        return canceled.size
    refund = cancellation.refund
    for index, leg in enumerate(refund.payments):
        refund = changes.settle_leg(
            refund, index, leg.model_copy(update={"status": "succeeded", "reference": "x" * 64}), None, at
        )
    return canceled.changed(changes.book(canceled.order, cancellation, refund)).size
