"""The cancel's write: what a cancel makes of an order."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple, TypeVar

from cancel_core.domain.cancellation import Cancellation, Failure, Fingerprint, Leg, Reason, Refund, Rows
from cancel_core.domain.ids import cancellation_id, pending_since, refund_id
from cancel_core.domain.order import HistoryEntry, Order
from cancel_core.domain.order_change import OrderChange, RowChange
from cancel_core.domain.policy import PolicyReason
from cancel_core.domain.refund_plan import RefundPlan

N = TypeVar("N", int, Decimal)


class CancelRequest(NamedTuple):
    """Who asks for what. `request_id` is the gateway's, `fingerprint` there where an Idempotency-Key came along."""

    order_id: str
    customer_id: str | None
    reason: str
    comment: str | None
    request_id: str
    fingerprint: Fingerprint | None


def cancel(order: Order, plan: RefundPlan, reason: PolicyReason, request: CancelRequest, at: str) -> OrderChange:
    """The one write that cancels an order: status, cancelled quantities, cancellation, refund plan and history."""
    new_id = cancellation_id(order.order_id, order.placed_at)
    canceled = tuple(item.qty_cancelable for item in order.items)
    cancellation = Cancellation(
        cancellation_id=new_id,
        reason=Reason(code=reason.code, description=reason.description),
        comment=request.comment,
        requested_at=at,
        request_id=request.request_id,
        idempotency=request.fingerprint,
        surplus=plan.surplus,
        rows=Rows(
            digest=order.rows_digest,
            qty_canceled=_unless_zero(canceled),
            qty_refunded=_unless_zero(tuple(item.qty_refundable for item in order.items)),
            amounts=_unless_zero(plan.amounts),
        ),
        refund=_pending_refund(order, plan, refund_id(new_id), at) if plan.is_needed else None,
    )
    attributes = {"status": "canceled"}
    if cancellation.refund:
        attributes["refund_pending_since"] = pending_since(new_id, at)
    return OrderChange(
        cancellation,
        rows=tuple(
            RowChange("items", index, {"qty_canceled": item.qty_canceled + quantity})
            for index, (item, quantity) in enumerate(zip(order.items, canceled, strict=True))
            if quantity
        ),
        attributes=attributes,
        history=HistoryEntry(at=at, status="canceled", comment=f"Cancelled by the customer: {reason.description}"),
    )


def _pending_refund(order: Order, plan: RefundPlan, new_id: str, at: str) -> Refund:
    return Refund(
        refund_id=new_id,
        status="pending",
        currency=order.currency,
        amount=plan.amount,
        shipping=plan.shipping,
        fees=plan.fees,
        payments=tuple(Leg(**leg._asdict(), status="pending") for leg in plan.legs),
        failure=Failure(code=plan.failure) if plan.failure else None,
        updated_at=at,
    )


def _unless_zero(numbers: tuple[N, ...]) -> tuple[N, ...]:
    return numbers if any(numbers) else ()
