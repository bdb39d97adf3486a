"""The write that restores a cancellation that the order system has overwritten or replaced with an older one."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TypeVar

from cancel_core.domain.cancellation import Cancellation
from cancel_core.domain.cancellation_request import CancellationRequest, lapsed
from cancel_core.domain.ids import pending_since
from cancel_core.domain.order import Charge, HistoryEntry, Order
from cancel_core.domain.order_change import OrderChange, RowChange

N = TypeVar("N", int, Decimal)


def is_older(now: Cancellation | None, known: Cancellation) -> bool:
    """Whether someone else has replaced the known cancellation by what the order has now.

    That is none, another one, or an earlier state of it: each write of the product has a higher revision.
    """
    return now is None or now.cancellation_id != known.cancellation_id or now.revision < known.revision


def is_same_cancel(one: Cancellation, other: Cancellation) -> bool:
    """Whether two states are of one cancel. An order that was overwritten may be cancelled again, under the same id."""
    return (one.cancellation_id, one.request_id) == (other.cancellation_id, other.request_id)


def put_back(now: Order | None, was: Order | None, cancellation: Cancellation, at: str) -> OrderChange:
    """The write that restores the cancellation of an order, and the amounts that were booked with it.

    `was` is the order before the write that erased the cancellation, `now` the current order (None if it cannot be
    read). An amount is never lowered and never exceeds what is invoiced, captured or authorized now: bookings of the
    order system since then are kept. A shipped order keeps its status. The customer's comment is not restored, because
    the overwrite may have been made to erase personal data.
    """
    cancellation = cancellation.model_copy(update={"comment": None})
    attributes: dict[str, str] = {}
    remove: tuple[str, ...] = ()
    if cancellation.refund and cancellation.refund.status == "pending":
        attributes["refund_pending_since"] = pending_since(cancellation.cancellation_id, at)
    else:
        remove = ("refund_pending_since",)
    if now is None:
        return OrderChange(cancellation, conditions=("cancellation",), attributes=attributes, remove=remove)
    status = now.status
    if not now.has_left:
        attributes["status"] = status = "closed" if was and was.status == "closed" else "canceled"
    comment = "The order system wrote over the cancellation; it has been put back."
    return OrderChange(
        cancellation,
        rows=tuple(_sums_back(now, was)) if was else (),
        attributes=attributes,
        remove=remove,
        history=HistoryEntry(at=at, status=status, comment=comment, visible_to_customer=True),
        request=_request_back(now, was, cancellation),
    )


def _request_back(now: Order, was: Order | None, cancellation: Cancellation) -> CancellationRequest | None:
    """The end of an open request on the order: the one that led to the cancellation was approved, and any other has
    lapsed, because the order is cancelled. None if there is none, or its end is not known.
    """
    request, before = now.cancellation_request, was.cancellation_request if was else None
    if request is None or request.request_id != cancellation.request_id:
        return lapsed(request)
    is_its_end = before and before.request_id == request.request_id and not before.is_open
    return before if request.is_open and is_its_end else None


def _sums_back(now: Order, was: Order) -> Iterator[RowChange]:
    """Rows are found by their ids, at any position."""
    payments = {payment.payment_id: payment for payment in was.payments}
    for payment in now.payments:
        if payment.payment_id in payments:
            before = payments[payment.payment_id]
            numbers: dict[str, int | Decimal] = {
                **_raised("amount_refunded", payment.amount_refunded, before.amount_refunded, payment.amount_captured),
                **_raised("amount_voided", payment.amount_voided, before.amount_voided, payment.amount_authorized),
            }
            if numbers:
                yield RowChange("payments", payment.payment_id, numbers)
    items = {item.item_id: item for item in was.items}
    for item in now.items:
        if item.item_id in items:
            earlier = items[item.item_id]
            numbers = {**_refunded(item, earlier)}
            if not now.has_left:
                numbers |= _raised("qty_canceled", item.qty_canceled, earlier.qty_canceled, item.qty_ordered)
                numbers |= _raised("qty_refunded", item.qty_refunded, earlier.qty_refunded, item.qty_invoiced)
            if numbers:
                yield RowChange("items", item.item_id, numbers)
    if now.shipping and was.shipping and (refunded := _refunded(now.shipping, was.shipping)):
        yield RowChange("shipping", None, refunded)
    fees = {fee.fee_id: fee for fee in was.fees}
    for fee in now.fees:
        if fee.fee_id in fees and (refunded := _refunded(fee, fees[fee.fee_id])):
            yield RowChange("fees", fee.fee_id, refunded)


def _raised(name: str, now: N, was: N, most: N) -> dict[str, N]:
    target = min(was, most)
    return {name: target} if target > now else {}


def _refunded(now: Charge, was: Charge) -> dict[str, int | Decimal]:
    if now.amount_invoiced >= 0:
        return dict(_raised("amount_refunded", now.amount_refunded, was.amount_refunded, now.amount_invoiced))
    # A discount: its sums are negative.
    target = max(was.amount_refunded, now.amount_invoiced)
    return {"amount_refunded": target} if target < now.amount_refunded else {}
