"""The remaining part of a refund, computed from the current order and the amounts already refunded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cancel_core.domain.cancellation import Cancellation, FailureCode
from cancel_core.domain.given import given
from cancel_core.domain.item_rows import charges
from cancel_core.domain.order import Order
from cancel_core.domain.refund_document import MESSAGES, AskedLeg, Ledger, RefundDocument
from cancel_core.domain.refund_plan import Available, PlannedLeg, allocate, pay

SHIPPED = "The order was shipped after it had been cancelled, so nothing more is paid out or released."


@dataclass(frozen=True, slots=True)
class Rest:
    """`legs` are what providers are to be asked for next. `owed` is what is still to go back, with what was declined.

    `credited_by_shop`: what the shop gave back itself since the cancel. `invoiced`: what is invoiced of the rows that
    the cancel found, and had not gone back before it.
    """

    legs: tuple[PlannedLeg, ...]
    owed: int
    invoiced: int
    rounding: int
    surplus: int
    credited_by_shop: int
    failure: FailureCode | None = None
    message: str = ""


def plan_rest(
    order: Order, cancellation: Cancellation, ledger: Ledger, own: RefundDocument, others: Sequence[RefundDocument]
) -> Rest:
    """What is left to do. Nobody was asked for it yet; what was asked for and not answered counts as paid.

    `own` is the refund's document, `others` are the documents of the order's earlier refunds, whose cancellations were
    written over. Over all of them no more is given than is invoiced (on the basis `paid`: than was captured).
    """
    back = given(order, ledger, (*others, own), lambda leg: leg.may_have_moved)
    mine = list(charges(order, cancellation.rows))
    held = {
        payment.payment_id: max(0, payment.amount_captured - back.refunded[payment.payment_id])
        for payment in order.payments
    }
    # The less of what rows and payments leave: what the shop gave back counts on whichever it has booked it.
    rows_owe = max(0, sum(charge.amount_owed for charge in mine))
    by_rows = rows_owe - back.unseen
    ever_owed = rows_owe + order.rows_refunded - ledger.rows_before
    by_payments = ever_owed - back.payments_since
    invoiced = max(0, min(by_rows, by_payments))
    owed = invoiced
    if cancellation.basis == "paid":
        beside = max(0, back.rows_since - back.payments_since)
        owed = max(invoiced, sum(held.values()) - beside)
    if cancellation.rows.keys is None and cancellation.refund:
        # An earlier version did not keep which rows were there: never more than it had shown.
        owed = min(owed, max(0, cancellation.refund.amount_shown - back.by_us))
    payable = pay(
        owed,
        sum(held.values()),
        sum(1 for charge in mine if charge.amount_invoiced),
        is_begun=back.by_us + back.by_shop > 0,
    )
    declined = _declined(own.payments, "refund")
    kept = _declined(own.payments, "void")
    available = [
        Available(
            payment.payment_id,
            payment.provider,
            max(0, held[payment.payment_id] - declined[payment.payment_id]),
            0
            if kept[payment.payment_id]
            else max(0, payment.amount_authorized - max(0, payment.amount_captured) - back.voided[payment.payment_id]),
        )
        for payment in order.payments
    ]
    legs = allocate(available, max(0, payable.amount - declined.total()))
    failure, message = payable.failure, MESSAGES[payable.failure] if payable.failure else ""
    if legs and order.has_left:
        # Goods and money are not both given away unasked.
        legs, failure, message = (), "INVALID_ORDER", SHIPPED
    return Rest(
        legs=legs,
        owed=owed,
        invoiced=ever_owed,
        rounding=payable.rounding,
        surplus=payable.surplus if cancellation.basis == "invoiced" else 0,
        credited_by_shop=back.by_shop,
        failure=failure,
        message=message,
    )


def _declined(legs: Sequence[AskedLeg], action: str) -> Counter[str]:
    """By payment, what its provider has said no to: it is not taken from another payment, a person decides."""
    amounts: Counter[str] = Counter()
    for leg in legs:
        if leg.action == action and leg.status == "failed" and not leg.is_disputed:
            amounts[leg.payment_id] += leg.amount
    return amounts
