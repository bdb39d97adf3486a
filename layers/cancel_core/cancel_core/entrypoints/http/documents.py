"""The documents for clients. They never contain the customer's e-mail address or payment references."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cancel_core.domain.cancellation import Cancellation
from cancel_core.domain.item_rows import refund_items
from cancel_core.domain.order import Charge, Item, Order
from cancel_core.domain.policy import Policy
from cancel_core.domain.refund_plan import RefundPlan
from cancel_core.domain.rules import Decision, decide
from cancel_core.domain.times import iso, moment
from cancel_core.domain.values import number

if TYPE_CHECKING:
    from cancel_core.domain.cancellation_request import CancellationRequest
    from cancel_core.domain.withdrawal_period import Withdrawal
    from cancel_core.services.cancel import Canceled

SUMMARY = {"order_id": str, "store_id": str, "status": str, "placed_at": str, "currency": str, "total": int}
"""The part that the list and the page of an order have in common."""
_LEG = {"payment_id", "provider", "action", "amount", "status", "reference"}
_ENTRY = {"at", "status", "comment"}


def reasons_view(policy: Policy, languages: tuple[str, ...] = ()) -> dict[str, Any]:
    """The reasons of a store, each in the first of these `languages` that it has: see `PolicyReason.told`."""
    shown = [
        {
            "code": reason.code,
            "description": reason.told(languages, policy.mail.language),
            "comment_required": policy.needs_comment(reason.code),
        }
        for reason in (policy.reasons if policy.enabled else ())
    ]
    return {"enabled": policy.enabled, "reasons": shown}


def canceled_view(canceled: Canceled, now: datetime) -> dict[str, Any]:
    """The response to a cancel: the order after the cancel, and its cancellation."""
    order = order_view(canceled.stored.order, canceled.policy, now)
    if canceled.is_request:
        return requested_view(order)
    return {"order": order, "cancellation": order["cancellation"]}


def requested_view(order: dict[str, Any]) -> dict[str, Any]:
    """The response to a request to the shop, and to taking it back. `order` as in `order_view`."""
    return {"order": order, "cancellation_request": order["cancellation_request"]}


def summary_view(order: Order, policy: Policy, now: datetime) -> dict[str, Any]:
    """An order in a list, with the actions that are possible `now`."""
    return _summary(order, decide(order, policy, now), _withdrawal(order, policy, now))


def _summary(order: Order, decision: Decision, withdrawal: Withdrawal | None) -> dict[str, Any]:
    actions = ["CANCEL"] if decision.eligible else []
    if order.cancellation_request and order.cancellation_request.is_open:
        actions = ["WITHDRAW_REQUEST"]
    if withdrawal and withdrawal.offers:
        actions.append("WITHDRAW")
    can = {"available_actions": actions, "cancellable_until": iso(decision.until) if decision.until else None}
    return {name: getattr(order, name) for name in SUMMARY} | can


def _withdrawal(order: Order, policy: Policy, now: datetime) -> Withdrawal | None:
    """None if withdrawing is not enabled."""
    if not policy.withdrawal.enabled:
        return None
    # Not needed by a store that has not enabled it.
    from cancel_core.domain.withdrawal_period import withdrawal_of

    return withdrawal_of(order, policy, now)


def order_view(order: Order, policy: Policy, now: datetime) -> dict[str, Any]:
    """One complete order, with the actions that are possible `now`."""
    withdrawal = _withdrawal(order, policy, now)
    # Entries are appended: of two in the same second the later one is the newer.
    visible = [entry for entry in order.history if entry.visible_to_customer]
    newest_first = sorted(enumerate(visible), key=lambda row: (_time(row[1].at), row[0]), reverse=True)
    return _summary(order, decide(order, policy, now), withdrawal) | {
        "items": [_item_view(item) for item in order.items],
        "shipping": _charge_view(order.shipping) if order.shipping else None,
        "fees": [{"fee_id": fee.fee_id, "name": fee.name} | _charge_view(fee) for fee in order.fees],
        "history": [entry.model_dump(include=_ENTRY) for _, entry in newest_first],
        "cancellation": cancellation_view(order, order.cancellation) if order.cancellation else None,
        "cancellation_request": _request_view(order.cancellation_request) if order.cancellation_request else None,
        "withdrawal": {
            "open": withdrawal.open if withdrawal else False,
            "until": withdrawal.until.isoformat() if withdrawal and withdrawal.until else None,
            "withdrawal_id": order.withdrawal.withdrawal_id if order.withdrawal else None,
        },
    }


def _time(at: str) -> datetime:
    """By time, not by text: …29Z is before …29.017Z. A value that is not a time sorts as the oldest."""
    return moment(at) or datetime.min.replace(tzinfo=UTC)


def _charge_view(charge: Charge) -> dict[str, int]:
    return {
        "amount": charge.amount,
        "amount_invoiced": charge.amount_invoiced,
        "amount_refunded": charge.amount_refunded,
    }


def _item_view(item: Item) -> dict[str, Any]:
    quantities = ("qty_ordered", "qty_invoiced", "qty_shipped", "qty_refunded", "qty_canceled")
    return {
        "item_id": item.item_id,
        "sku": item.sku,
        "name": item.name,
        **{name: number(getattr(item, name)) for name in quantities},
        **_charge_view(item),
    }


def cancellation_view(order: Order, cancellation: Cancellation) -> dict[str, Any]:
    return {
        "cancellation_id": cancellation.cancellation_id,
        "order_id": order.order_id,
        "reason": cancellation.reason.model_dump(include={"code", "description"}),
        "comment": cancellation.comment,
        "requested_at": cancellation.requested_at,
        "refund": _refund_view(order, cancellation),
    }


def _request_view(request: CancellationRequest) -> dict[str, Any]:
    shown = {"request_id", "status", "comment", "requested_at", "decided_at", "note"}
    return request.model_dump(include=shown) | {"reason": request.reason.model_dump(include={"code", "description"})}


def _refund_view(order: Order, cancellation: Cancellation) -> dict[str, Any] | None:
    refund = cancellation.refund
    if refund is None:
        return None
    failure = refund.failure if refund.status == "failed" else None
    return {
        "refund_id": refund.refund_id,
        "status": refund.status,
        "currency": refund.currency,
        "amount": refund.amount,
        "credited_by_shop": refund.credited_by_shop,
        "settled_by_hand": refund.settled_by_hand,
        "not_invoiced": refund.not_invoiced,
        "shipping": refund.shipping,
        "items": refund_items(order, cancellation),
        "fees": refund.fees,
        "failure": failure.model_dump(include={"code"}) if failure else None,
        "payments": [leg.model_dump(include=_LEG) for leg in refund.payments],
    }


def eligibility_view(order: Order, decision: Decision) -> dict[str, Any]:
    blockers = []
    for blocker in decision.blockers:
        row: dict[str, Any] = {"code": blocker.code, "message": blocker.message}
        row |= {"because": blocker.because} if blocker.because else {}
        row |= {"item_ids": list(blocker.item_ids)} if blocker.item_ids else {}
        blockers.append(row)
    plan = decision.refund
    return {
        "order_id": order.order_id,
        "eligible": decision.eligible,
        "approval_required": decision.approval_required,
        "cancellable_until": iso(decision.until) if decision.until else None,
        "blockers": blockers,
        "refund": _plan_view(order, plan) if plan and not plan.is_nothing_charged else None,
    }


def _plan_view(order: Order, plan: RefundPlan) -> dict[str, Any]:
    return {
        "currency": order.currency,
        "amount": plan.amount,
        "shipping": plan.shipping,
        "fees": plan.fees,
        "items": [
            {"item_id": item.item_id, "sku": item.sku, "qty": number(item.qty_refundable), "amount": amount}
            for item, amount in zip(order.items, plan.amounts, strict=True)
            if amount
        ],
        "not_invoiced": plan.not_invoiced,
    }
