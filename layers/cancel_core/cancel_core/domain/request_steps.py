"""The writes of a request on its order: created, taken back, declined, restored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cancel_core.domain.cancellation import Reason
from cancel_core.domain.cancellation_request import CancellationRequest
from cancel_core.domain.ids import request_id
from cancel_core.domain.order import HistoryEntry
from cancel_core.domain.order_change import OrderChange

if TYPE_CHECKING:
    from cancel_core.domain.cancel import CancelRequest
    from cancel_core.domain.order import Order
    from cancel_core.domain.refund_plan import RefundPlan
    from cancel_core.domain.rule_settings import PolicyReason

CONDITIONS = ("placed_at", "cancellation", "cancellation_request")
"""The attributes on which the end of a request is conditional. Other concurrent changes are kept."""


def make_request(order: Order, plan: RefundPlan, reason: PolicyReason, asked: CancelRequest, at: str) -> OrderChange:
    """The write that creates a request. The order keeps its status. As a cancel it is conditional on what was decided
    on.
    """
    made = CancellationRequest(
        request_id=request_id(order.order_id, order.placed_at, at, asked.request_id),
        status="open",
        reason=Reason(code=reason.code, description=reason.description),
        comment=asked.comment,
        amount=plan.amount,
        requested_at=at,
        made_by=asked.request_id,
        idempotency=asked.fingerprint,
    )
    return OrderChange(request=made, history=_entry(at, order.status, f"Cancellation requested: {reason.description}"))


def take_back(request: CancellationRequest, status: str, at: str) -> OrderChange:
    """The customer has taken it back. `status`: the order's, which is unchanged."""
    return _end(request.ended("withdrawn"), status, at, "Cancellation request taken back by the customer")


def decline(request: CancellationRequest, status: str, at: str) -> OrderChange:
    """The shop has `declined` it, or it has `lapsed`. `request`: its new state. `status`: the order's."""
    said = "declined by the shop" if request.status == "declined" else "can't be carried out any more"
    note = f": {request.note}" if request.note else ""
    return _end(request, status, at, f"Cancellation request {said}{note}")


def request_back(known: CancellationRequest, status: str, at: str) -> OrderChange:
    """The write that restores a request on its order. Without the comment, as for a cancellation, because the overwrite
    may have been made to erase personal data.
    """
    comment = "The order system wrote over the cancellation request; it has been put back."
    return _end(known.model_copy(update={"comment": None}), status, at, comment)


def _end(request: CancellationRequest, status: str, at: str, comment: str) -> OrderChange:
    return OrderChange(request=request, conditions=CONDITIONS, history=_entry(at, status, comment))


def _entry(at: str, status: str, comment: str) -> HistoryEntry:
    return HistoryEntry(at=at, status=status, comment=comment, visible_to_customer=True)
