"""The cancel: read the order, decide, write once on condition that what was decided on is still so."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cancel_core.domain.cancel import WITHDRAWAL_REASON, CancelRequest, cancel
from cancel_core.domain.order_change import OrderChange
from cancel_core.domain.policy import Policy
from cancel_core.domain.rules import decide
from cancel_core.domain.setting_values import is_blank
from cancel_core.domain.times import iso
from cancel_core.errors import (
    CommentRequired,
    ConcurrentUpdate,
    IdempotencyKeyReused,
    InvalidCancellationReason,
    OrderChanged,
    OrderNotCancellable,
    OrderNotFound,
    OrderTooLarge,
    OrderUnreadable,
    Refusal,
    ServiceUnavailable,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cancel_core.adapters.dynamodb.config import Policies
    from cancel_core.adapters.dynamodb.limits import Limits
    from cancel_core.adapters.dynamodb.orders import Orders
    from cancel_core.adapters.dynamodb.stored_order import StoredOrder
    from cancel_core.domain.limits import Slot

MAX_ATTEMPTS = 5
ALWAYS_FITS_BYTES = 100 * 1024
"""No order of this size can outgrow the item limit by what a cancel and a refund write on it."""


class Canceled(NamedTuple):
    """A cancelled order, just now or (`replayed`) by an earlier request with the same key and body."""

    stored: StoredOrder
    policy: Policy
    replayed: bool


def cancel_order(
    orders: Orders,
    policies: Policies,
    request: CancelRequest,
    clock: Callable[[], datetime],
    limits: Callable[[], Limits] | None = None,
) -> Canceled:
    """Cancels an order of the caller's, or finds that this very request did. Two round trips where nobody interferes,
    three where the store has a limit for the day.

    `clock`: each try to write is decided by the time it then is. `limits`: asked for where the store has a limit; None
    for a cancel that is not counted.

    Raises a `Refusal`, checked in this order: the order is the caller's; the request is not a repeat; the blockers;
    the reason; its comment; the limit for the day; the write.
    """
    taken: list[Slot] = []
    try:
        return _cancel_order(orders, policies, request, clock, limits, taken)
    except ServiceUnavailable:
        # The write may have taken effect, so what was taken stays.
        raise
    except (Refusal, OrderUnreadable):
        if taken and limits:
            from cancel_core.services.limits import give_back

            give_back(limits(), taken)
        raise


def _cancel_order(
    orders: Orders,
    policies: Policies,
    request: CancelRequest,
    clock: Callable[[], datetime],
    limits: Callable[[], Limits] | None,
    taken: list[Slot],
) -> Canceled:
    stored = orders.of_caller(request.order_id, request.caller)
    for _ in range(MAX_ATTEMPTS):
        if stored is None or not _is_meant(stored, request):
            raise OrderNotFound("There is no such order.")
        policy = policies.get(stored.store_id)
        if request.judged == "withdrawal" and _is_own_write(stored, request):
            # It comes again, as other requests do not.
            return Canceled(stored, policy, replayed=False)
        if _is_repeat(stored, policy, request):
            return Canceled(stored, policy, replayed=True)
        now = clock()
        change = _change(stored, policy, request, now)
        if limits and policy.max_cancels_per_day and request.judged == "cancel":
            # Only a store with a limit needs it.
            from cancel_core.services.limits import take

            slot = change.cancellation.cancellation_id
            take(limits(), taken, stored, policy, request, slot, now)
        try:
            _check_size(stored, change, orders.MAX_ITEM_BYTES)
            return Canceled(orders.write(stored, change), policy, replayed=False)
        except OrderTooLarge as refusal:
            refusal.order, refusal.policy = stored.order, policy
            raise
        except OrderChanged as conflict:
            stored = conflict.current
        if stored and _is_own_write(stored, request):
            return Canceled(stored, policy, replayed=False)
    # The last state that was seen is as good as any: it will have changed again.
    order = stored.order if stored and _is_meant(stored, request) else None
    raise ConcurrentUpdate(
        "The order kept changing while it was to be cancelled. Try again.", order=order, policy=policy
    )


def _is_meant(stored: StoredOrder, request: CancelRequest) -> bool:
    """Whether it is the caller's, and not another order that was placed under the same number since."""
    return stored.belongs_to(request.caller) and request.placed_at in {None, stored.owner.placed_at}


def _is_repeat(stored: StoredOrder, policy: Policy, request: CancelRequest) -> bool:
    known = stored.order.cancellation.idempotency if stored.order.cancellation else None
    if known is None or request.fingerprint is None or known.key != request.fingerprint.key:
        return False
    if known.body not in {request.fingerprint.body, request.earlier_body}:
        raise IdempotencyKeyReused(
            "This Idempotency-Key was used with another body.", order=stored.order, policy=policy
        )
    return True


def _is_own_write(stored: StoredOrder, request: CancelRequest) -> bool:
    """Whether this very request has cancelled it: by the write that got in between, whose answer the network lost."""
    cancellation = stored.cancellation
    return cancellation is not None and cancellation.request_id == request.request_id


def _change(stored: StoredOrder, policy: Policy, request: CancelRequest, now: datetime) -> OrderChange:
    order = stored.order
    decision = decide(order, policy, now, request.judged)
    if decision.refund is None:
        raise OrderNotCancellable(decision.blockers[0], order=order, policy=policy)
    reason = WITHDRAWAL_REASON if request.judged == "withdrawal" else policy.reason(request.reason)
    if reason is None:
        raise InvalidCancellationReason("The reason is not among the store's reasons.", order=order, policy=policy)
    if request.judged == "cancel" and policy.needs_comment(reason.code) and is_blank(request.comment or ""):
        raise CommentRequired("This reason needs a comment.", order=order, policy=policy)
    return cancel(order, decision.refund, reason, request, iso(now))


def _check_size(stored: StoredOrder, change: OrderChange, max_item_bytes: int) -> None:
    if stored.size > ALWAYS_FITS_BYTES and _size_when_refunded(stored.changed(change)) > max_item_bytes:
        raise OrderTooLarge("The order is too large to be cancelled here. Please contact the shop.")


def _size_when_refunded(canceled: StoredOrder) -> int:
    """The bytes of the order once its refund is booked."""
    # Only a large order needs it.
    from cancel_core.domain.booking import largest

    cancellation = canceled.order.cancellation
    if cancellation is None or cancellation.refund is None:
        return canceled.size
    return canceled.changed(largest(canceled.order, cancellation)).size
