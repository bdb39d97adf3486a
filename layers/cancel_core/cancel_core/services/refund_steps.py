"""One step of a refund: the next leg, as the provider has it now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from cancel_core.domain import booking
from cancel_core.domain.cancellation import Failure, FailureCode, Leg, Refund
from cancel_core.domain.ids import leg_key
from cancel_core.domain.operator import settle_by_hand
from cancel_core.domain.order import Order
from cancel_core.domain.provider import Outcome, PaymentRequest, Provider
from cancel_core.domain.refund_document import MESSAGES, Step, has_same_legs, recorded
from cancel_core.domain.times import iso

_SHIPPED = "The order was shipped after it had been cancelled, so nothing more is paid out or released."
_OTHER_SUMS = (
    "An earlier refund of this order, which the order system wrote over, has other sums. What it paid back is booked. "
    "Compare the two and settle the rest by hand."
)


def given_up(refund: Refund, message: str | None, clock: Callable[[], datetime]) -> Step:
    return Step(booking.give_up(refund, "INVALID_ORDER", iso(clock())), message, "given up")


def _payments_hold(order: Order, refund: Refund) -> bool:
    """Whether each payment still holds what is to be paid back from it: a leg and its payment are booked as one."""
    held = {payment.payment_id: payment.amount_held for payment in order.payments}
    pending = (leg for leg in refund.payments if leg.action == "refund" and leg.status == "pending")
    return all(held.get(leg.payment_id, 0) >= leg.amount for leg in pending)


def _obstacle(order: Order, refund: Refund, leg: Leg) -> Outcome | None:
    """What stands against paying or releasing this leg now, as the outcome it then has."""
    if order.has_left:
        # The order system has shipped what was cancelled: goods and money are not both given away unasked.
        return Outcome("failed", code="INVALID_ORDER", message=_SHIPPED)
    known = refund.failure.code if refund.failure else None
    if leg.action == "refund" and (known == "INSUFFICIENT_CAPTURED_AMOUNT" or not _payments_hold(order, refund)):
        # The shop has given something back by itself since the cancel. A part of what is left is not paid either.
        code: FailureCode = "INSUFFICIENT_CAPTURED_AMOUNT"
        return Outcome("failed", code=code, message=MESSAGES[code])
    return None


def next_step(
    providers: Mapping[str, Provider],
    order: Order,
    refund: Refund,
    document: Mapping[str, Any],
    waiting: set[str],
    clock: Callable[[], datetime],
    *,
    is_retry: bool,
) -> Step | None:
    """The next pending leg, as the provider has it now. None when all that is pending waits for the provider.

    What the refund document has already recorded of a leg is taken from there. `waiting` gathers the payments that
    were asked for in vain in this pass.
    """
    if "settled" in document and ("payments" not in document or has_same_legs(document, refund)):
        return _settled_before(providers, order, refund, document, clock)
    if not has_same_legs(document, refund):
        return _after_another(providers, order, refund, document, clock)
    pending = [(index, leg) for index, leg in enumerate(refund.payments) if leg.status == "pending"]
    if not pending:
        # No leg was ever to be waited for: a shortfall, with nothing to release.
        return Step(booking.finish(refund, iso(clock())), None, "nothing is paid out")
    for index, leg in pending:
        if leg.payment_id in waiting:
            continue
        outcome = recorded(document, index) or _outcome(
            providers, order, refund, leg, document["payments"][index].get("reference"), is_retry=is_retry
        )
        if outcome.status == "pending":
            waiting.add(leg.payment_id)
            if outcome.reference == leg.reference:
                continue
        failure = Failure(code=outcome.code) if outcome.status == "failed" else None
        message = f"{leg.payment_id}: {outcome.message or MESSAGES[outcome.code]}" if failure else None
        after = leg.model_copy(update={"status": outcome.status, "reference": outcome.reference})
        return Step(booking.settle_leg(refund, index, after, failure, iso(clock())), message, _entry(after, refund))
    return None


def _after_another(
    providers: Mapping[str, Provider],
    order: Order,
    refund: Refund,
    document: Mapping[str, Any],
    clock: Callable[[], datetime],
) -> Step | None:
    """The end of a refund whose earlier self has other sums: its cancellation was erased, and the order changed and
    cancelled anew. What the earlier one paid is booked, the difference is a person's. None while it is pending there.
    """
    earlier = _ended_legs(providers, order, refund, document)
    if earlier is None:
        return None
    given = given_up(refund, _OTHER_SUMS, clock)
    done = ", ".join(_entry(leg, refund) for leg in earlier if leg.status == "succeeded")
    return given._replace(entry=f"given up after {done or 'nothing'}", earlier=earlier)


def _settled_before(
    providers: Mapping[str, Provider],
    order: Order,
    refund: Refund,
    document: Mapping[str, Any],
    clock: Callable[[], datetime],
) -> Step | None:
    """The end of a refund that a person has seen to while its order or its cancellation was gone: nothing more is paid,
    and what providers had paid before is booked. None while that is pending there.
    """
    ended = _ended_legs(providers, order, refund, document)
    if ended is None:
        return None
    known = refund.model_copy(update={"payments": ended}) if ended else refund
    ended_refund = booking.give_up(known, "INVALID_ORDER", iso(clock()))
    return Step(settle_by_hand(ended_refund, ended_refund.updated_at), None, "settled by hand before")


def _ended_legs(
    providers: Mapping[str, Provider], order: Order, refund: Refund, document: Mapping[str, Any]
) -> tuple[Leg, ...] | None:
    """A document's legs as they ended, by what it has recorded, else by what the provider has. Nothing is begun.

    None while one is pending at its provider.
    """
    ended = []
    for index, row in enumerate(document.get("payments", ())):
        leg = Leg.model_validate(row)
        outcome = recorded(document, index) or _find(providers, order, refund, leg)
        if outcome and outcome.status == "pending":
            return None
        told = {"status": outcome.status, "reference": outcome.reference} if outcome else {"status": "failed"}
        ended.append(leg.model_copy(update=told))
    return tuple(ended)


def _entry(leg: Leg, refund: Refund) -> str:
    reference = f", {leg.reference} at {leg.provider}" if leg.reference else ""
    return f"{leg.payment_id}: {leg.action} of {leg.amount} {refund.currency} {leg.status}{reference}"


def _outcome(
    providers: Mapping[str, Provider],
    order: Order,
    refund: Refund,
    leg: Leg,
    recorded_reference: str | None,
    *,
    is_retry: bool,
) -> Outcome:
    provider = providers.get(leg.provider)
    if provider is None:
        known = ", ".join(sorted(providers))
        return Outcome(
            "failed", code="INVALID_ORDER", message=f"there is no payment provider {leg.provider!r}, only {known}"
        )
    request = _request(order, refund, leg, recorded_reference, is_retry=is_retry)
    if request is None:
        return Outcome("failed", code="INVALID_ORDER", message="the order no longer has this payment")
    obstacle = _obstacle(order, refund, leg)
    if obstacle is None:
        return provider.execute(request)
    # What an earlier pass may have begun is booked as it is; nothing new is begun.
    return (provider.find(request) if is_retry else None) or obstacle


def _find(providers: Mapping[str, Provider], order: Order, refund: Refund, leg: Leg) -> Outcome | None:
    """What a provider has of a leg that may have been begun."""
    provider, request = providers.get(leg.provider), _request(order, refund, leg, leg.reference, is_retry=True)
    return provider.find(request) if provider and request else None


def _request(
    order: Order, refund: Refund, leg: Leg, recorded_reference: str | None, *, is_retry: bool
) -> PaymentRequest | None:
    """None where the order no longer has the leg's payment."""
    payment = next((payment for payment in order.payments if payment.payment_id == leg.payment_id), None)
    if payment is None:
        return None
    return PaymentRequest(
        action=leg.action,
        idempotency_key=leg_key(refund.refund_id, leg),
        refund_id=refund.refund_id,
        payment_reference=payment.reference,
        amount=leg.amount,
        currency=refund.currency,
        is_retry=is_retry,
        reference=leg.reference or recorded_reference,
    )
