"""The refund: record the intent, ask the provider under a derived key, book the result on refund and order together.

Each line that talks to the outside may be the last one that runs. The message then comes again, or the reconciler
announces the order anew, and the same steps find what was done: the intent by its derived id, the provider's part by
the derived key, the booking by the leg's state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from cancel_core import changes
from cancel_core.clock import iso
from cancel_core.errors import CancelCoreError, CancellationErased, OrderUnreadable
from cancel_core.order import Cancellation, Failure, FailureCode, Leg, Order, Refund
from cancel_core.providers import Outcome, PaymentRequest, Provider
from cancel_core.tables import Orders, Refunds, StoredOrder
from cancel_core.views import refund_items

MAX_ATTEMPTS = 5

_MESSAGES: dict[FailureCode, str] = {
    "INSUFFICIENT_CAPTURED_AMOUNT": "The order's payments hold less than is owed, so nothing was paid out. "
    "Correct the payments, or pay the customer back by hand.",
    "INVALID_ORDER": "The order does not allow the refund to be carried out.",
    "PROVIDER_DECLINED": "The payment provider declined.",
}


_LOOK_FIRST = "Look at the provider for this refund's id before paying anything by hand."
_SHIPPED = (
    f"An item was shipped after the order had been cancelled, so nothing more is paid out or released. {_LOOK_FIRST}"
)


class RefundContended(CancelCoreError):
    """Others kept changing the order or the refund; the message is to come again."""


class _Step(NamedTuple):
    """The refund after one step, and what the operator is to know when it failed."""

    refund: Refund
    message: str | None = None


def refund_order(
    orders: Orders,
    refunds: Refunds,
    providers: Mapping[str, Provider],
    order_id: str,
    cancellation_id: str,
    clock: Callable[[], datetime],
) -> Refund | None:
    """Carries a cancelled order's refund to its end, from wherever it stands. None when nothing was left to do.

    Safe to run twice and at once. Three round trips to the database for one payment, one more for each further payment.
    Raises `CancellationErased` when the order no longer has that cancellation; `ProviderUnavailable`,
    `ServiceUnavailable` and `RefundContended` when it is to be tried again.
    """
    for _ in range(MAX_ATTEMPTS):
        stored = orders.get(order_id)
        cancellation = stored.cancellation if stored else None
        if stored is None or cancellation is None or cancellation.cancellation_id != cancellation_id:
            raise CancellationErased(f"order {order_id} has no cancellation {cancellation_id} any more")
        if cancellation.refund is None or cancellation.refund.status != "pending":
            return None
        if finished := _carry_through(refunds, providers, stored, cancellation, cancellation.refund, clock):
            return finished
    raise RefundContended(f"order {order_id} kept changing while its refund was to be booked")


def _carry_through(
    refunds: Refunds,
    providers: Mapping[str, Provider],
    stored: StoredOrder,
    cancellation: Cancellation,
    refund: Refund,
    clock: Callable[[], datetime],
) -> Refund | None:
    """The finished refund; or None when somebody else got in between, and the order is to be read anew."""
    order, unreadable = _readable(stored)
    document = refunds.begin(_document(stored, order, cancellation, refund, iso(clock())))
    while refund.status == "pending":
        if order is None:
            step = _Step(changes.give_up(refund, "INVALID_ORDER", iso(clock()), voids=True), unreadable)
            change = changes.book_failure(cancellation, step.refund)
        else:
            step = _next_step(providers, order, refund, document, clock)
            change = changes.book(order, cancellation, step.refund)
        after = _next_document(document, step)
        written = refunds.book(document, after, stored, change)
        if written is None:
            return None
        stored, document, refund = written, after, step.refund
        order, unreadable = _readable(stored)
        cancellation = cancellation.model_copy(update={"refund": refund})
    return refund


def _readable(stored: StoredOrder) -> tuple[Order | None, str | None]:
    try:
        return stored.order, None
    except OrderUnreadable as error:
        return None, f"{error}. {_LOOK_FIRST}"


def _payments_hold(order: Order, refund: Refund) -> bool:
    """Whether each payment still holds what is to be paid back from it: a leg and its payment are booked as one."""
    held = {payment.payment_id: payment.amount_held for payment in order.payments}
    pending = (leg for leg in refund.payments if leg.action == "refund" and leg.status == "pending")
    return all(held.get(leg.payment_id, 0) >= leg.amount for leg in pending)


def _next_step(
    providers: Mapping[str, Provider],
    order: Order,
    refund: Refund,
    document: Mapping[str, Any],
    clock: Callable[[], datetime],
) -> _Step:
    """The next pending leg, done; or what is pending given up, where something stands against paying it.

    What the refund document has already recorded of a leg is taken from there.
    """
    if any(item.qty_shipped > 0 for item in order.items):
        # The order system has shipped what was cancelled: goods and money are not both given away unasked.
        return _Step(changes.give_up(refund, "INVALID_ORDER", iso(clock()), voids=True), _SHIPPED)
    if not _payments_hold(order, refund):
        # The shop has given something back by itself since the cancel.
        return _Step(changes.give_up(refund, "INSUFFICIENT_CAPTURED_AMOUNT", iso(clock())))
    if _legs(document["payments"]) != _legs(leg.model_dump() for leg in refund.payments):
        # The order system erased an earlier cancellation, and the order was cancelled anew with other sums.
        other_sums = "An earlier refund of this order has other sums. Compare the two and settle the rest by hand."
        return _Step(changes.give_up(refund, "INVALID_ORDER", iso(clock()), voids=True), other_sums)
    for index, leg in enumerate(refund.payments):
        if leg.status != "pending":
            continue
        outcome = _recorded(document, index) or _ask(providers, order, refund, leg)
        failure = Failure(code=outcome.code) if outcome.status == "failed" else None
        done = leg.model_copy(update={"status": outcome.status, "reference": outcome.reference})
        message = f"{leg.payment_id}: {outcome.message or _MESSAGES[outcome.code]}" if failure else None
        return _Step(changes.settle_leg(refund, index, done, failure, iso(clock())), message)
    # No leg was ever to be waited for: a shortfall, with nothing to release.
    return _Step(changes.finish(refund, iso(clock())))


def _legs(legs: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    return [(leg["payment_id"], leg["action"], leg["amount"]) for leg in legs]


def _recorded(document: Mapping[str, Any], index: int) -> Outcome | None:
    leg = document["payments"][index]
    if leg["status"] == "pending":
        return None
    failure = document.get("failure") or {}
    code = failure.get("code", "PROVIDER_DECLINED")
    return Outcome(leg["status"], leg.get("reference"), code, failure.get("message", ""))


def _ask(providers: Mapping[str, Provider], order: Order, refund: Refund, leg: Leg) -> Outcome:
    provider = providers.get(leg.provider)
    if provider is None:
        known = ", ".join(sorted(providers))
        return Outcome(
            "failed", code="INVALID_ORDER", message=f"there is no payment provider {leg.provider!r}, only {known}"
        )
    payment = next((payment for payment in order.payments if payment.payment_id == leg.payment_id), None)
    if payment is None:
        return Outcome("failed", code="INVALID_ORDER", message="the order no longer has this payment")
    return provider.execute(
        PaymentRequest(
            action=leg.action,
            idempotency_key=changes.leg_key(refund.refund_id, leg),
            refund_id=refund.refund_id,
            payment_reference=payment.reference,
            amount=leg.amount,
            currency=refund.currency,
        )
    )


# --- the refund document, as operators see it -----------------------------------------------------------------------


def _document(
    stored: StoredOrder, order: Order | None, cancellation: Cancellation, refund: Refund, at: str
) -> dict[str, Any]:
    items = refund_items(order, cancellation) if order else []
    return {
        "refund_id": refund.refund_id,
        "cancellation_id": cancellation.cancellation_id,
        "order_id": stored.order_id,
        "store_id": stored.store_id,
        "status": "pending",
        "currency": refund.currency,
        "amount": refund.amount,
        "shipping": refund.shipping,
        "fees": refund.fees,
        "surplus": cancellation.surplus,
        "items": [item | {"qty": Decimal(str(item["qty"]))} for item in items],
        "payments": [leg.model_dump(exclude_none=True) for leg in refund.payments],
        "created_at": at,
        "updated_at": at,
    }


def _next_document(document: dict[str, Any], step: _Step) -> dict[str, Any]:
    """The document after a step. One that had come to its end keeps it, whatever becomes of the order."""
    after = document | {"updated_at": step.refund.updated_at}
    if document["status"] != "pending":
        return after
    after |= {
        "status": step.refund.status,
        "payments": [leg.model_dump(exclude_none=True) for leg in step.refund.payments],
    }
    if step.refund.failure and "failure" not in document:
        code = step.refund.failure.code
        after["failure"] = {"code": code, "message": step.message or _MESSAGES[code]}
    return after
