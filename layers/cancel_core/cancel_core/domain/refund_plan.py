"""The sums of a refund: what is owed, and from which payments it is taken. Integers in minor units; nothing divides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from cancel_core.domain.cancellation import FailureCode, RefundAction
from cancel_core.domain.order import Order


class PlannedLeg(NamedTuple):
    """One call to a payment provider: give back `amount`, or release it."""

    payment_id: str
    provider: str
    action: RefundAction
    amount: int


@dataclass(frozen=True, slots=True)
class RefundPlan:
    """What a cancel owes for an order as it stands.

    `amount` is the sum of the items' amounts, `shipping` and `fees`. `legs` are in the payments' order. `surplus` is
    what the payments hold beyond `amount`, for a person to decide. With `failure` no leg pays back, only voids run.
    """

    amounts: tuple[int, ...]
    shipping: int
    fees: int
    legs: tuple[PlannedLeg, ...]
    surplus: int
    failure: FailureCode | None

    @property
    def amount(self) -> int:
        return sum(self.amounts) + self.shipping + self.fees

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to pay back or to release."""
        return self.amount > 0 or bool(self.legs)


def plan_refund(order: Order) -> RefundPlan:
    """What is invoiced and not refunded is owed, from the payments in their order; authorizations are released.

    Where the payments hold less than is owed nothing is paid out: a part would have to be chosen, and a person chooses.
    """
    amounts = tuple(item.amount_owed for item in order.items)
    shipping = order.shipping.amount_owed if order.shipping else 0
    fees = sum(fee.amount_owed for fee in order.fees)
    owed = sum(amounts) + shipping + fees
    held = sum(payment.amount_held for payment in order.payments)
    short = held < owed

    legs: list[PlannedLeg] = []
    missing = 0 if short else owed
    for payment in order.payments:
        if take := min(missing, payment.amount_held):
            legs.append(PlannedLeg(payment.payment_id, payment.provider, "refund", take))
            missing -= take
        elif payment.amount_releasable:
            legs.append(PlannedLeg(payment.payment_id, payment.provider, "void", payment.amount_releasable))
    return RefundPlan(
        amounts=amounts,
        shipping=shipping,
        fees=fees,
        legs=tuple(legs),
        surplus=max(0, held - owed),
        failure="INSUFFICIENT_CAPTURED_AMOUNT" if short else None,
    )
