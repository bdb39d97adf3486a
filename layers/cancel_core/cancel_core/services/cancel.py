"""The cancel: read the order, decide, write once on condition that what was decided on is still so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from cancel_core.domain.cancel import WITHDRAWAL_REASON, CancelRequest, cancel
from cancel_core.domain.mail_settings import LANGUAGE
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
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cancel_core.adapters.dynamodb.config import Policies
    from cancel_core.adapters.dynamodb.orders import Orders
    from cancel_core.adapters.dynamodb.stored_order import StoredOrder
    from cancel_core.domain.rule_settings import PolicyReason

MAX_ATTEMPTS = 5
ALWAYS_FITS_BYTES = 100 * 1024
"""No order of this size can outgrow the item limit by what a cancel and a refund write on it."""


class Canceled(NamedTuple):
    """A cancelled order, just now or (`replayed`) by an earlier request with the same key and body."""

    stored: StoredOrder
    policy: Policy
    replayed: bool


def cancel_order(orders: Orders, policies: Policies, request: CancelRequest, clock: Callable[[], datetime]) -> Canceled:
    """Cancels an order of the caller's, or finds that this very request did. Two round trips where nobody interferes.

    `clock`: each try to write is decided by the time it then is.

    Raises a `Refusal`, checked in this order: the order is the caller's; the request is not a repeat; the blockers;
    the reason; its comment; the write.
    """
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
        change = _change(stored, policy, request, clock(), orders.MAX_ITEM_BYTES)
        try:
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


def _change(
    stored: StoredOrder, policy: Policy, request: CancelRequest, now: datetime, max_item_bytes: int
) -> OrderChange:
    order = stored.order
    decision = decide(order, policy, now, request.judged)
    if decision.refund is None:
        raise OrderNotCancellable(decision.blockers[0], order=order, policy=policy)
    reason = WITHDRAWAL_REASON if request.judged == "withdrawal" else policy.reason(request.reason)
    if reason is None:
        raise InvalidCancellationReason("The reason is not among the store's reasons.", order=order, policy=policy)
    if request.judged == "cancel" and policy.needs_comment(reason.code) and is_blank(request.comment or ""):
        raise CommentRequired("This reason needs a comment.", order=order, policy=policy)
    told = reason._replace(description=told_to_customer(reason, stored, policy, request.languages))
    change = cancel(order, decision.refund, told, request, iso(now))
    if stored.size > ALWAYS_FITS_BYTES and _size_when_refunded(stored.changed(change)) > max_item_bytes:
        raise OrderTooLarge(
            "The order is too large to be cancelled here. Please contact the shop.", order=order, policy=policy
        )
    return change


def told_to_customer(reason: PolicyReason, stored: StoredOrder, policy: Policy, accepted: tuple[str, ...]) -> str:
    """The reason in the order's language; where it names none, in one of those that the request accepts."""
    own = stored.contact.language.strip()
    return reason.told((own,) if re.fullmatch(LANGUAGE, own) else accepted, policy.mail.language)


def _size_when_refunded(canceled: StoredOrder) -> int:
    """The bytes of the order once its refund is booked."""
    # Only a large order needs it.
    from cancel_core.domain.booking import largest

    cancellation = canceled.order.cancellation
    if cancellation is None or cancellation.refund is None:
        return canceled.size
    return canceled.changed(largest(canceled.order, cancellation)).size
