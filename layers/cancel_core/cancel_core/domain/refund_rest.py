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
    """`legs` are the next requests to providers. `owed` is what is still to be refunded, including declined legs.

    `credited_by_shop`: what the shop refunded itself since the cancel. `invoiced`: what is invoiced on the rows of the
    cancel, and was not refunded before it.
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
    """The remaining part. It was not requested yet; requests without an answer count as paid.

    `own` is the refund's document, `others` are the documents of the order's earlier refunds, whose cancellations were
    overwritten. In total no more is refunded than is invoiced (on the basis `paid`: than was captured).
    """
    back = given(order, ledger, (*others, own), lambda leg: leg.may_have_moved)
    mine = list(charges(order, cancellation.rows))
    held = {
        payment.payment_id: max(0, payment.amount_captured - back.refunded[payment.payment_id])
        for payment in order.payments
    }
    # The smaller of what rows and payments leave: the shop may have booked its refund on either.
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
        # An earlier version did not store which rows there were: never more than it had shown.
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
        # A shipped order: goods and money are not both given away without a person's decision.
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
    """By payment, what its provider has refused: it is not taken from another payment, a person decides."""
    amounts: Counter[str] = Counter()
    for leg in legs:
        if leg.action == action and leg.status == "failed" and not leg.is_disputed:
            amounts[leg.payment_id] += leg.amount
    return amounts
