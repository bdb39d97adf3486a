"""The write that gives an order back the cancellation that the order system wrote over."""

from __future__ import annotations

from cancel_core.domain.cancellation import Cancellation
from cancel_core.domain.ids import pending_since
from cancel_core.domain.order import Charge, HistoryEntry, Order, Payment
from cancel_core.domain.order_change import OrderChange, RowChange


def put_back(now: Order | None, was: Order | None, cancellation: Cancellation, at: str) -> OrderChange:
    """The write that gives an order its erased cancellation back, and the sums that went with it.

    `was` is the order as it stood before the write that erased, `now` as it is (None where either can't be read). Sums
    never go down: what the order system has booked since stays. An order that has left the house keeps its status.
    """
    attributes: dict[str, str] = {}
    if cancellation.refund and cancellation.refund.status == "pending":
        attributes["refund_pending_since"] = pending_since(cancellation.cancellation_id, at)
    if now is None:
        return OrderChange(cancellation, conditions=("cancellation",), attributes=attributes)
    status = now.status
    if not now.has_left:
        attributes["status"] = status = "closed" if was and was.status == "closed" else "canceled"
    comment = "The order system wrote over the cancellation; it has been put back."
    return OrderChange(
        cancellation,
        rows=tuple(_sums_back(now, was)) if was else (),
        attributes=attributes,
        history=HistoryEntry(at=at, status=status, comment=comment),
    )


def _sums_back(now: Order, was: Order) -> list[RowChange]:
    rows = []
    payments = {payment.payment_id: payment for payment in was.payments}
    for index, payment in enumerate(now.payments):
        if before := payments.get(payment.payment_id):
            rows.append(_raised("payments", index, payment, before, ("amount_refunded", "amount_voided")))
    if now.rows_digest == was.rows_digest:
        names = ("amount_refunded",) if now.has_left else ("qty_canceled", "qty_refunded", "amount_refunded")
        rows += [
            _raised("items", index, item, before, names)
            for index, (item, before) in enumerate(zip(now.items, was.items, strict=True))
        ]
    if now.shipping and was.shipping:
        rows.append(_raised("shipping", None, now.shipping, was.shipping, ("amount_refunded",)))
    fees = {fee.fee_id: fee for fee in was.fees}
    for index, fee in enumerate(now.fees):
        if earlier := fees.get(fee.fee_id):
            rows.append(_raised("fees", index, fee, earlier, ("amount_refunded",)))
    return [row for row in rows if row.numbers]


def _raised(
    attribute: str, position: int | None, now: Charge | Payment, was: Charge | Payment, names: tuple[str, ...]
) -> RowChange:
    numbers = {name: getattr(was, name) for name in names if getattr(was, name) > getattr(now, name)}
    return RowChange(attribute, position, numbers)
