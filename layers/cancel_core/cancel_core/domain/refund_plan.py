"""The amounts of a refund: what is owed, and from which payments. Integers in minor units, without division.

Source: the contract, "What is refunded".
"""

from collections.abc import Iterable
from typing import NamedTuple

from cancel_core.domain.cancellation import FailureCode, RefundAction, RefundBasis
from cancel_core.domain.order import Order


class PlannedLeg(NamedTuple):
    """One call to a payment provider: refund `amount`, or release it."""

    payment_id: str
    provider: str
    action: RefundAction
    amount: int


class Available(NamedTuple):
    """What a payment still has: `held` can be refunded, `releasable` can be released."""

    payment_id: str
    provider: str
    held: int
    releasable: int


class Payable(NamedTuple):
    """The part of the owed amount that can be refunded.

    `rounding`: what the payments lack, at most one minor unit for each row. `surplus`: what they hold beyond it. With
    `failure` nothing is refunded.
    """

    amount: int
    rounding: int = 0
    surplus: int = 0
    failure: FailureCode | None = None


class RefundPlan(NamedTuple):
    """What a cancel owes for an order in its current state.

    `owed` is the sum of the items' amounts, `shipping` and `fees`, never below 0. `legs` are in the payments' order.
    `not_invoiced` is what the payments hold beyond what is owed: on the basis `paid` it is refunded as well, on
    `invoiced` it is the surplus, for a person to decide. With `failure` no leg refunds, only voids run.
    """

    amounts: tuple[int, ...]
    shipping: int
    fees: int
    legs: tuple[PlannedLeg, ...]
    held: int
    not_invoiced: int
    basis: RefundBasis
    failure: FailureCode | None

    @property
    def owed(self) -> int:
        return max(0, sum(self.amounts) + self.shipping + self.fees)

    @property
    def amount(self) -> int:
        """The amount that is refunded."""
        return self.owed + (self.not_invoiced if self.basis == "paid" else 0)

    @property
    def surplus(self) -> int:
        return self.not_invoiced if self.basis == "invoiced" else 0

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to refund or to release."""
        return self.amount > 0 or bool(self.legs)

    @property
    def is_nothing_charged(self) -> bool:
        """Whether the payments hold nothing, and nothing would be released."""
        return self.held == 0 and not self.legs


def plan_refund(order: Order, basis: RefundBasis = "invoiced") -> RefundPlan:
    """The invoiced amount that was not refunded is owed, from the payments in their order; authorizations are released.

    On the basis `paid` everything that the payments hold is refunded, invoiced or not.
    """
    amounts = tuple(item.amount_owed for item in order.items)
    shipping = order.shipping.amount_owed if order.shipping else 0
    fees = tuple(fee.amount_owed for fee in order.fees)
    owed = max(0, sum(amounts) + shipping + sum(fees))
    available = [
        Available(payment.payment_id, payment.provider, payment.amount_held, payment.amount_releasable)
        for payment in order.payments
    ]
    held = sum(payment.held for payment in available)
    payable = pay(max(owed, held) if basis == "paid" else owed, held, sum(map(bool, (*amounts, shipping, *fees))))
    return RefundPlan(
        amounts=amounts,
        shipping=shipping,
        fees=sum(fees),
        legs=allocate(available, payable.amount),
        held=held,
        not_invoiced=max(0, held - owed),
        basis=basis,
        failure=payable.failure,
    )


def pay(owed: int, held: int, rows: int, *, is_begun: bool = False) -> Payable:
    """The refundable part of what is owed for this number of rows, from payments that hold this much.

    If they hold less, nothing is refunded: a person has to choose the part. The exception is a difference of up to one
    minor unit for each row, rounding: then everything that they hold is refunded. `is_begun`: something was refunded
    already, so that the rest may be rounding alone.
    """
    if held >= owed:
        return Payable(owed, surplus=held - owed)
    if (held > 0 or is_begun) and owed - held <= rows:
        return Payable(held, rounding=owed - held)
    return Payable(0, failure="INSUFFICIENT_CAPTURED_AMOUNT")


def allocate(payments: Iterable[Available], amount: int) -> tuple[PlannedLeg, ...]:
    """The payments that an amount is taken from, in their order; and the releases."""
    legs: list[PlannedLeg] = []
    for payment in payments:
        if take := min(amount, payment.held):
            legs.append(PlannedLeg(payment.payment_id, payment.provider, "refund", take))
            amount -= take
        if payment.releasable:
            legs.append(PlannedLeg(payment.payment_id, payment.provider, "void", payment.releasable))
    return tuple(legs)
