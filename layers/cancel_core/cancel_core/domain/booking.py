"""What is booked on an order as its refund goes on: leg by leg on the payments, on the rows once it has succeeded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from cancel_core.domain.cancellation import Cancellation, Failure, FailureCode, Leg, Refund, RefundStatus, Rows
from cancel_core.domain.ids import pending_since
from cancel_core.domain.item_rows import item_rows
from cancel_core.domain.order import HistoryEntry, Order, Payment
from cancel_core.domain.order_change import OrderChange, RowChange


def settle_leg(refund: Refund, index: int, settled: Leg, failure: Failure | None, at: str) -> Refund:
    """The refund with one leg as the provider has it now."""
    legs = (*refund.payments[:index], settled, *refund.payments[index + 1 :])
    return finish(refund.model_copy(update={"payments": legs, "failure": refund.failure or failure}), at)


def give_up(refund: Refund, code: FailureCode, at: str) -> Refund:
    """The refund with all its pending legs failed."""
    legs = tuple(
        leg.model_copy(update={"status": "failed"}) if leg.status == "pending" else leg for leg in refund.payments
    )
    return finish(refund.model_copy(update={"payments": legs, "failure": refund.failure or Failure(code=code)}), at)


def finish(refund: Refund, at: str) -> Refund:
    """The refund with the status that follows: done when no leg is pending, failed when anything failed."""
    status: RefundStatus = "failed" if refund.failure else "succeeded"
    if any(leg.status == "pending" for leg in refund.payments):
        status = "pending"
    return refund.model_copy(update={"status": status, "updated_at": at})


_ENDS = {
    "succeeded": "Refund completed.",
    "failed": "The refund could not be completed; the shop has been told.",
}


def book(
    order: Order, cancellation: Cancellation, refund: Refund, comment: str = "", earlier: Iterable[Leg] = ()
) -> OrderChange:
    """The write that brings an order to its refund's next state: the legs' sums, and all else once it is done.

    A payment's sum is booked when its leg succeeds, so that the order never says less than the provider has given back.
    So is what succeeded of `earlier`, the legs of a refund that was erased. Items, shipping and fees are booked when
    the whole refund has succeeded.
    """
    assert cancellation.refund is not None
    before = {leg.payment_id: leg.status for leg in cancellation.refund.payments}
    done = {
        leg.payment_id: leg
        for leg in (*refund.payments, *earlier)
        if leg.status == "succeeded" and before.get(leg.payment_id) != "succeeded"
    }
    rows = [
        _book_payment(index, payment, done)
        for index, payment in enumerate(order.payments)
        if payment.payment_id in done
    ]
    attributes: dict[str, str] = {}
    booked = cancellation.model_copy(update={"refund": refund})
    if refund.status == "pending":
        # It has just been looked at: the reconciler need not do so soon.
        attributes["refund_pending_since"] = pending_since(cancellation.cancellation_id, refund.updated_at)
        return OrderChange(booked, rows=tuple(rows), attributes=attributes)

    status = order.status
    if refund.status == "succeeded":
        rows += _book_rows(order, cancellation.rows, refund)
        # Nothing was left to cancel: the order ends as one that was paid and refunded in full. A status that the order
        # system has set since is its own.
        if status == "canceled" and not cancellation.rows.qty_canceled:
            attributes["status"] = status = "closed"
    return OrderChange(
        booked,
        rows=tuple(rows),
        attributes=attributes,
        remove=("refund_pending_since",),
        history=HistoryEntry(at=refund.updated_at, status=status, comment=comment or _ENDS[refund.status]),
    )


def book_failure(cancellation: Cancellation, refund: Refund) -> OrderChange:
    """The write that ends the refund of an order that can't be read: the cancellation alone is touched."""
    return OrderChange(
        cancellation.model_copy(update={"refund": refund}),
        conditions=("cancellation",),
        remove=("refund_pending_since",),
    )


def _book_payment(index: int, payment: Payment, done: Mapping[str, Leg]) -> RowChange:
    leg = done[payment.payment_id]
    if leg.action == "refund":
        # Where the shop has booked what it heard from the provider, it is the same money.
        refunded = min(payment.amount_refunded + leg.amount, max(payment.amount_captured, payment.amount_refunded))
        return RowChange("payments", index, {"amount_refunded": refunded})
    return RowChange("payments", index, {"amount_voided": payment.amount_voided + leg.amount})


def _book_rows(order: Order, planned: Rows, refund: Refund) -> list[RowChange]:
    rows = []
    for index, item_row in enumerate(item_rows(order, planned)):
        item = order.items[index]
        numbers: dict[str, int | Decimal] = {}
        if item_row.qty_refunded:
            numbers["qty_refunded"] = item.qty_refunded + item_row.qty_refunded
        if item_row.amount:
            numbers["amount_refunded"] = item.amount_refunded + item_row.amount
        if numbers:
            rows.append(RowChange("items", index, numbers))
    if order.shipping and refund.shipping:
        rows.append(RowChange("shipping", None, {"amount_refunded": order.shipping.amount_refunded + refund.shipping}))
    if refund.fees:
        rows += [
            RowChange("fees", index, {"amount_refunded": fee.amount_refunded + fee.amount_owed})
            for index, fee in enumerate(order.fees)
            if fee.amount_owed
        ]
    return rows
