"""The write of a cancel: the changes that it makes on an order."""

from decimal import Decimal
from typing import NamedTuple, TypeVar

from cancel_core.domain.caller import Caller, Shop
from cancel_core.domain.cancellation import Cancellation, Failure, Fingerprint, Leg, Reason, Refund, Rows
from cancel_core.domain.cancellation_request import CancellationRequest, lapsed
from cancel_core.domain.ids import cancellation_id, pending_since, refund_id, row_key
from cancel_core.domain.order import HistoryEntry, Item, Order
from cancel_core.domain.order_change import OrderChange, RowChange
from cancel_core.domain.refund_plan import RefundPlan
from cancel_core.domain.rule_settings import PolicyReason
from cancel_core.domain.rules import Judged
from cancel_core.domain.values import plus

N = TypeVar("N", int, Decimal)


class CancelRequest(NamedTuple):
    """The request to cancel. `request_id` is the gateway's; `fingerprint` is set if there was an Idempotency-Key.

    `earlier_body` is the fingerprint of the body in earlier versions. For a `withdrawal`, `request_id` is the
    withdrawal's id, by which a repeat finds its own write; it is only for the order with this `placed_at`. The same
    applies to a request that the shop has `approved`, which is stored unchanged. `languages`: the client's languages,
    as for `PolicyReason.told`.
    """

    order_id: str
    caller: Caller | Shop
    reason: str
    comment: str | None
    request_id: str
    fingerprint: Fingerprint | None
    earlier_body: str | None = None
    languages: tuple[str, ...] = ()
    judged: Judged = "cancel"
    placed_at: str | None = None
    approved: CancellationRequest | None = None


WITHDRAWAL_REASON = PolicyReason("withdrawal", "Withdrawal from the contract")
"""The reason of a cancel that carries out a withdrawal; it is in no store's list."""


def cancel(order: Order, plan: RefundPlan, reason: PolicyReason, request: CancelRequest, at: str) -> OrderChange:
    """The one write that cancels an order: status, cancelled quantities, cancellation, refund plan and history.

    The ids are derived here from the data that was read, on which the write is conditional; later they are read.
    """
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
        basis=plan.basis,
        rows_refunded=order.rows_refunded,
        payments_refunded=order.payments_refunded,
        revision=1,
        rows=Rows(
            digest=order.rows_digest,
            keys="".join(row_key(item.item_id) for item in order.items),
            fee_ids=tuple(fee.fee_id for fee in order.fees),
            has_shipping=order.shipping is not None,
            qty_canceled=_unless_zero(canceled),
            qty_refunded=_unless_zero(tuple(item.qty_refundable for item in order.items)),
            amounts=_unless_zero(plan.amounts),
        ),
        refund=_pending_refund(order, plan, refund_id(new_id), at) if plan.is_needed else None,
    )
    numbers: list[dict[str, int | Decimal]] = [
        {"qty_canceled": plus(item.qty_canceled, quantity)} if quantity else {}
        for item, quantity in zip(order.items, canceled, strict=True)
    ]
    attributes = {"status": "canceled"}
    if cancellation.refund:
        attributes["refund_pending_since"] = pending_since(new_id, at)
    elif plan.owed == 0:
        # There is nothing to refund: invoiced quantities without an amount are refunded with the cancel itself.
        returned = [item.qty_refundable for item in order.items]
        numbers = [row | _returned(item) for row, item in zip(numbers, order.items, strict=True)]
        if any(returned) and not any(canceled):
            attributes["status"] = "closed"
    return OrderChange(
        cancellation,
        rows=tuple(
            RowChange("items", item.item_id, row) for item, row in zip(order.items, numbers, strict=True) if row
        ),
        attributes=attributes,
        history=HistoryEntry(
            at=at,
            status=attributes["status"],
            comment=f"Cancelled by the customer: {reason.description}",
            visible_to_customer=True,
        ),
        request=request.approved or lapsed(order.cancellation_request),
    )


def _returned(item: Item) -> dict[str, int | Decimal]:
    return {"qty_refunded": item.qty_invoiced} if item.qty_refundable else {}


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
        not_invoiced=plan.not_invoiced,
    )


def _unless_zero(numbers: tuple[N, ...]) -> tuple[N, ...]:
    return numbers if any(numbers) else ()
