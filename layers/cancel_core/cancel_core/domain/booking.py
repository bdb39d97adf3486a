"""Bookings on an order during its refund: on the payments after each leg, on the rows once the refund has succeeded.

Every booking is an absolute and bounded amount: `amount_refunded` never exceeds what was invoiced or captured,
`amount_voided` never exceeds what was authorized, and `qty_refunded` never exceeds `qty_invoiced`. Booking is
idempotent, also if the order system books the same refund first. Amounts never decrease.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from cancel_core.domain.cancellation import Cancellation, Failure, Leg, Refund, RefundStatus
from cancel_core.domain.given import Given, given
from cancel_core.domain.ids import pending_since
from cancel_core.domain.item_rows import fees, item_rows
from cancel_core.domain.order import Charge, HistoryEntry, Order, Payment
from cancel_core.domain.order_change import OrderChange, RowChange
from cancel_core.domain.refund_document import AskedLeg, Ledger, RefundDocument
from cancel_core.domain.refund_plan import PlannedLeg
from cancel_core.domain.refund_rest import Rest

ENDS: dict[RefundStatus, str] = {
    "succeeded": "Refund completed.",
    "failed": "The refund could not be completed; the shop has been told.",
}


def with_sums(
    document: RefundDocument, others: Sequence[RefundDocument], rest: Rest, status: RefundStatus
) -> RefundDocument:
    """The document with the sums of the refund in its current state: what was requested, and what is still owed."""
    legs = (*(leg for other in others for leg in other.payments), *document.payments)
    moved = sum(leg.amount for leg in legs if leg.action == "refund" and leg.may_have_moved)
    amount = moved + (0 if status == "succeeded" else rest.owed)
    beyond = max(0, amount + rest.credited_by_shop - rest.invoiced)
    return document.model_copy(
        update={
            "status": status,
            "amount": amount,
            "credited_by_shop": min(rest.credited_by_shop, max(0, document.shown - amount)),
            "rounding": rest.rounding,
            "surplus": rest.surplus,
            "not_invoiced": rest.surplus if document.basis == "invoiced" else beyond,
        }
    )


def refund_of(
    refund: Refund, document: RefundDocument, others: Sequence[RefundDocument] = (), planned: Sequence[PlannedLeg] = ()
) -> Refund:
    """The refund as the order shows it. `others`: the order's earlier refunds, whose payments are included."""
    legs = (*(leg for other in others for leg in other.payments if leg.has_moved), *document.payments)
    known = {(leg.payment_id, leg.action): leg.model_extra or {} for leg in refund.payments}

    def shown_leg(values: dict[str, Any]) -> Leg:
        # Fields that a newer version has added to a leg are kept.
        return Leg(**known.get((values["payment_id"], values["action"]), {}), **values)

    asked = [shown_leg({name: getattr(leg, name) for name in Leg.model_fields}) for leg in legs]
    pending = [shown_leg(leg._asdict() | {"status": "pending"}) for leg in planned if document.status == "pending"]
    shown = refund.amount_shown
    return refund.model_copy(
        update={
            "status": document.status,
            "amount": document.amount,
            "shown": None if shown == document.amount else shown,
            "credited_by_shop": document.credited_by_shop,
            "settled_by_hand": document.settled_by_hand,
            "not_invoiced": document.not_invoiced,
            "payments": (*asked, *pending),
            "failure": Failure(code=document.failure.code) if document.failure else None,
            "updated_at": document.updated_at,
        }
    )


def book(
    order: Order,
    cancellation: Cancellation,
    refund: Refund,
    ledger: Ledger | None,
    documents: Iterable[RefundDocument],
    revision: int,
    surplus: int,
    comment: str = "",
) -> OrderChange:
    """The write that brings an order to its refund's next state: the payments' sums, and everything else once it is
    done.
    """
    back = given(order, ledger, list(documents), lambda leg: leg.has_moved) if ledger else None
    rows = [] if back is None else _book_payments(order, back)
    booked = cancellation.model_copy(update={"refund": refund, "revision": revision, "surplus": surplus})
    attributes: dict[str, str] = {}
    if refund.status == "pending":
        # It was processed just now: the reconciler need not do it soon.
        attributes["refund_pending_since"] = pending_since(cancellation.cancellation_id, refund.updated_at)
        return OrderChange(booked, rows=tuple(rows), attributes=attributes)
    status = order.status
    # A refund that a person settled on a shipped order: no goods came back.
    if refund.status == "succeeded" and not (refund.settled_by_hand and order.has_left):
        rows += _book_rows(order, cancellation)
        # Nothing was left to cancel: the order ends as paid and refunded in full. A status that the order system has
        # set since then is kept.
        if status == "canceled" and not cancellation.rows.qty_canceled:
            attributes["status"] = status = "closed"
    return OrderChange(
        booked,
        rows=tuple(rows),
        attributes=attributes,
        remove=("refund_pending_since",),
        history=HistoryEntry(
            at=refund.updated_at, status=status, comment=comment or ENDS[refund.status], visible_to_customer=True
        ),
    )


def book_failure(cancellation: Cancellation, refund: Refund, revision: int) -> OrderChange:
    """The write that ends the refund of an order that can't be read: only the cancellation changes."""
    return OrderChange(
        cancellation.model_copy(update={"refund": refund, "revision": revision}),
        conditions=("cancellation",),
        remove=("refund_pending_since",),
    )


def largest(order: Order, cancellation: Cancellation) -> OrderChange:
    """The largest amount of data that a refund may write on an order: if it would not fit later, the refund must not
    begin.
    """
    refund = cancellation.refund
    assert refund is not None
    legs = [
        leg.model_copy(update={"status": "succeeded", "reference": "x" * 64, "attempt": 9}) for leg in refund.payments
    ]
    done = refund.model_copy(
        update={
            "status": "succeeded",
            "payments": tuple(legs),
            "shown": refund.amount,
            "credited_by_shop": refund.amount,
            "settled_by_hand": refund.amount,
        }
    )
    payments = [
        RowChange(
            "payments",
            payment.payment_id,
            {"amount_refunded": payment.amount_captured, "amount_voided": payment.amount_authorized},
        )
        for payment in order.payments
    ]
    return OrderChange(
        cancellation.model_copy(update={"refund": done, "revision": 9999}),
        rows=(*payments, *_book_rows(order, cancellation)),
        history=HistoryEntry(at=refund.updated_at, status="canceled", comment="x" * 200, visible_to_customer=True),
    )


def _book_payments(order: Order, back: Given) -> list[RowChange]:
    rows = []
    for payment in order.payments:
        numbers: dict[str, int | Decimal] = {}
        refunded, voided = _sums(payment, back)
        if refunded > payment.amount_refunded:
            numbers["amount_refunded"] = refunded
        if voided > payment.amount_voided:
            numbers["amount_voided"] = voided
        if numbers:
            rows.append(RowChange("payments", payment.payment_id, numbers))
    return rows


def _sums(payment: Payment, back: Given) -> tuple[int, int]:
    """The amounts that are booked on a payment as refunded and as voided."""
    refunded = min(back.refunded[payment.payment_id], payment.amount_captured)
    voided = min(back.voided[payment.payment_id], payment.amount_authorized)
    return max(refunded, payment.amount_refunded), max(voided, payment.amount_voided)


def asked_with_booking(
    leg: AskedLeg, order: Order, ledger: Ledger | None, documents: Sequence[RefundDocument]
) -> AskedLeg:
    """A leg that is frozen in the same write that books the previous one: its base includes that booking."""
    if ledger is None:
        return leg
    back = given(order, ledger, documents, lambda one: one.has_moved)
    payment = order.payment(leg.payment_id)
    assert payment
    refunded, voided = _sums(payment, back)
    return leg.model_copy(update={"base": refunded if leg.action == "refund" else voided})


def _book_rows(order: Order, cancellation: Cancellation) -> list[RowChange]:
    """Everything that is invoiced on the rows of the cancel: the product and the shop have refunded all of it."""
    rows = []
    for row in item_rows(order, cancellation.rows):
        numbers = _in_full(row.item)
        if row.item.qty_refundable:
            numbers["qty_refunded"] = row.item.qty_invoiced
        if numbers:
            rows.append(RowChange("items", row.item.item_id, numbers))
    known = cancellation.rows
    if order.shipping and (known.has_shipping or known.keys is None) and (numbers := _in_full(order.shipping)):
        rows.append(RowChange("shipping", None, numbers))
    rows += [RowChange("fees", fee.fee_id, numbers) for fee in fees(order, known) if (numbers := _in_full(fee))]
    return rows


def _in_full(charge: Charge) -> dict[str, int | Decimal]:
    return {"amount_refunded": charge.amount_invoiced} if charge.amount_owed else {}
