"""An operator's moves: what becomes of a refund that a person tries anew or has settled."""

from __future__ import annotations

from cancel_core.domain.cancellation import Leg, Refund
from cancel_core.domain.order import Order


def try_anew(order: Order, refund: Refund, at: str) -> Refund | None:
    """A failed refund with its failed legs pending again; None where the payments do not hold what is owed.

    A refund that had no legs to pay back, for the payments held too little, gets them now.
    """
    legs = [
        leg.model_copy(update={"status": "pending", "attempt": leg.attempt + 1, "reference": None})
        if leg.status == "failed"
        else leg
        for leg in refund.payments
    ]
    missing = 0 if any(leg.action == "refund" for leg in legs) else refund.amount
    known = {leg.payment_id for leg in legs}
    for payment in order.payments:
        if payment.payment_id not in known and (take := min(missing, payment.amount_held)):
            new = Leg(
                payment_id=payment.payment_id,
                provider=payment.provider,
                action="refund",
                amount=take,
                status="pending",
            )
            legs.append(new)
            missing -= take
    held = {payment.payment_id: payment.amount_held for payment in order.payments}
    short = any(
        leg.amount > held.get(leg.payment_id, 0) for leg in legs if leg.status == "pending" and leg.action == "refund"
    )
    if missing or short:
        return None
    return refund.model_copy(update={"status": "pending", "payments": tuple(legs), "failure": None, "updated_at": at})


def settle_by_hand(refund: Refund, at: str) -> Refund:
    """A failed refund that a person has seen to. Its legs stay as they are: they tell what the providers did."""
    return refund.model_copy(update={"status": "succeeded", "failure": None, "updated_at": at})
