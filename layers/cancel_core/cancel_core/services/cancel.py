"""The cancel: read the order, decide, and write once, conditional on the data that was decided on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from cancel_core.domain.cancel import WITHDRAWAL_REASON, CancelRequest, cancel
from cancel_core.domain.cancellation_request import has_ended
from cancel_core.domain.mail_settings import LANGUAGE
from cancel_core.domain.order_change import OrderChange
from cancel_core.domain.policy import Policy
from cancel_core.domain.rule_settings import PolicyReason
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
    RequestEnded,
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
"""An order below this size cannot exceed the item limit by what a cancel and a refund add to it."""


class Canceled(NamedTuple):
    """A cancelled order, by this request or (`replayed`) by an earlier one with the same key and body.

    `is_request`: it is a request to the shop instead.
    """

    stored: StoredOrder
    policy: Policy
    replayed: bool
    is_request: bool = False


def cancel_order(
    orders: Orders,
    policies: Policies,
    request: CancelRequest,
    clock: Callable[[], datetime],
    limits: Callable[[], Limits] | None = None,
) -> Canceled:
    """Cancels an order of the caller, or finds that this very request has cancelled it. Two round trips without
    concurrent changes, three if the store has a daily limit.

    `clock`: each attempt to write is decided with the current time. `limits`: used if the store has a daily limit; None
    for a cancel that does not count towards it.

    If the store decides on cancels, the same steps create a request to the shop.

    Raises a `Refusal`, checked in this order: the order is the caller's; the request is not a repeat; the blockers; the
    reason; its comment; the daily limit; the write. `RequestEnded` for an approved request that has ended in another
    way.
    """
    taken: list[Slot] = []
    try:
        return _cancel_order(orders, policies, request, clock, limits, taken)
    except ServiceUnavailable:
        # The write may have taken effect, so the slot stays taken.
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
        if request.judged != "cancel" and (own := _own_write(stored, policy, request)):
            # This one is retried, unlike other requests.
            return own
        if repeated := _repeated(stored, policy, request):
            return repeated
        now = clock()
        change = _change(stored, policy, request, now)
        if limits and policy.max_cancels_per_day and request.judged == "cancel":
            # Only needed by a store with a limit.
            from cancel_core.services.limits import take

            take(limits(), taken, stored, policy, request, now)
        try:
            _check_size(stored, change, orders.MAX_ITEM_BYTES)
            written = orders.write(stored, change)
            return Canceled(written, policy, replayed=False, is_request=change.cancellation is None)
        except OrderTooLarge as refusal:
            refusal.order, refusal.policy = stored.order, policy
            raise
        except OrderChanged as conflict:
            stored = conflict.current
        if stored and (own := _own_write(stored, policy, request)):
            return own
    # The last state that was read; the order keeps changing.
    order = stored.order if stored and _is_meant(stored, request) else None
    raise ConcurrentUpdate(
        "The order kept changing while it was to be cancelled. Try again.", order=order, policy=policy
    )


def _is_meant(stored: StoredOrder, request: CancelRequest) -> bool:
    """Whether it is the caller's, and not a later order with the same number."""
    return stored.belongs_to(request.caller) and request.placed_at in {None, stored.owner.placed_at}


def _repeated(stored: StoredOrder, policy: Policy, request: CancelRequest) -> Canceled | None:
    """The result of an earlier request with the same key; None if there was none."""
    order = stored.order
    for made, is_request in ((order.cancellation, False), (order.cancellation_request, True)):
        known = made.idempotency if made else None
        if known is None or request.fingerprint is None or known.key != request.fingerprint.key:
            continue
        if known.body not in {request.fingerprint.body, request.earlier_body}:
            raise IdempotencyKeyReused("This Idempotency-Key was used with another body.", order=order, policy=policy)
        return Canceled(stored, policy, replayed=True, is_request=is_request)
    return None


def _own_write(stored: StoredOrder, policy: Policy, request: CancelRequest) -> Canceled | None:
    """The result of this very request, if the write that came in between was its own, with a lost response."""
    if stored.cancellation and stored.cancellation.request_id == request.request_id:
        return Canceled(stored, policy, replayed=False)
    if stored.request and stored.request.made_by == request.request_id:
        return Canceled(stored, policy, replayed=False, is_request=True)
    return None


def _change(stored: StoredOrder, policy: Policy, request: CancelRequest, now: datetime) -> OrderChange:
    order = stored.order
    if request.approved and has_ended(order.cancellation_request, request.approved):
        raise RequestEnded
    decision = decide(order, policy, now, request.judged)
    if decision.refund is None:
        raise OrderNotCancellable(decision.blockers[0], order=order, policy=policy)
    reason = _reason(policy, request)
    if reason is None:
        raise InvalidCancellationReason("The reason is not among the store's reasons.", order=order, policy=policy)
    if request.judged == "cancel" and policy.needs_comment(reason.code) and is_blank(request.comment or ""):
        raise CommentRequired("This reason needs a comment.", order=order, policy=policy)
    told = reason._replace(description=told_to_customer(reason, stored, policy, request.languages))
    if decision.approval_required:
        # The usual case: most stores let their customers cancel.
        from cancel_core.domain.request_steps import make_request

        return make_request(order, decision.refund, told, request, iso(now))
    return cancel(order, decision.refund, told, request, iso(now))


def _check_size(stored: StoredOrder, change: OrderChange, max_item_bytes: int) -> None:
    if stored.size > ALWAYS_FITS_BYTES and _size_when_refunded(stored.changed(change)) > max_item_bytes:
        raise OrderTooLarge("The order is too large to be cancelled here. Please contact the shop.")


def _reason(policy: Policy, request: CancelRequest) -> PolicyReason | None:
    """The reason in its current form. A withdrawal has its own reason; an approved request has the one chosen then."""
    if request.approved:
        return PolicyReason(request.approved.reason.code, request.approved.reason.description)
    return WITHDRAWAL_REASON if request.judged == "withdrawal" else policy.reason(request.reason)


def told_to_customer(reason: PolicyReason, stored: StoredOrder, policy: Policy, accepted: tuple[str, ...]) -> str:
    """The reason in the order's language; if it has none, in a language that the request accepts."""
    own = stored.contact.language.strip()
    return reason.told((own,) if re.fullmatch(LANGUAGE, own) else accepted, policy.mail.language)


def _size_when_refunded(canceled: StoredOrder) -> int:
    """The bytes of the order once its refund is booked."""
    # Only needed for a large order.
    from cancel_core.domain.booking import largest

    cancellation = canceled.order.cancellation
    if cancellation is None or cancellation.refund is None:
        return canceled.size
    return canceled.changed(largest(canceled.order, cancellation)).size
