"""The events for the rest of the shop, derived from committed changes of the orders table."""

from typing import Any, Literal, NamedTuple

from cancel_core.domain.cancellation import Cancellation
from cancel_core.domain.item_rows import item_rows
from cancel_core.domain.order import Order
from cancel_core.domain.refund_plan import plan_refund
from cancel_core.domain.values import number

SOURCE = "cancel-core"
CONFIG_SOURCE = "cancel-core.config"
"""Differs from the source of the orders' events, so that their subscribers do not receive config events."""
SCHEMA_VERSION = 1
MAX_DETAIL_BYTES = 240 * 1024
"""EventBridge accepts entries of up to 256 KB, including the names around the detail."""
DetailType = Literal[
    "OrderCanceled",
    "OrderRefunded",
    "OrderRefundFailed",
    "OrderPaymentSurplus",
    "CancellationRequested",
    "CancellationDeclined",
    "WithdrawalReceived",
    "ConfigInvalid",
]


class Event(NamedTuple):
    """One event, before it is assigned to a bus."""

    detail_type: DetailType
    detail: dict[str, Any]
    source: str = SOURCE

    @property
    def log_keys(self) -> dict[str, str]:
        """Ids that identify one order in the logs of all functions, and that the dashboard counts."""
        names = {name: name for name in ("order_id", "store_id", "reason", "cancellation_id", "withdrawal_id")}
        # In the log, a request_id is that of an HTTP request.
        names |= {"request_id": "cancellation_request_id"}
        return {"event": self.detail_type} | {
            key: self.detail[name] for name, key in names.items() if name in self.detail
        }


class OrderState(NamedTuple):
    """The data of an order for events, at one moment. `order` is None if the rest of the document can't be read."""

    order_id: str
    store_id: str
    customer_id: str | None
    cancellation: Cancellation | None
    order: Order | None


def transitions(before: OrderState | None, after: OrderState, at: str) -> list[Event]:
    """The events between two images of an order, in chronological order. `at`: now (ISO 8601)."""
    now = after.cancellation
    if now is None:
        return []
    was = before.cancellation if before else None
    events = []
    if was is None or was.cancellation_id != now.cancellation_id:
        events.append(canceled(after, now))
    elif surplus := _late_capture(before.order if before else None, after.order, now):
        events.append(Event("OrderPaymentSurplus", _detail(after, now, at) | {"surplus": surplus}))
    if now.refund and now.refund.status != (was.refund.status if was and was.refund else "pending"):
        if now.refund.status == "succeeded":
            events.append(Event("OrderRefunded", _detail(after, now, now.refund.updated_at)))
        elif now.refund.status == "failed":
            events.append(Event("OrderRefundFailed", _detail(after, now, now.refund.updated_at)))
    return events


def _late_capture(before: Order | None, after: Order | None, cancellation: Cancellation) -> int:
    """What the payments hold and nothing will refund, if more was captured than before: 0 if it was not.

    A refund that is still pending refunds what is invoiced. After one that has succeeded, and without one, a person
    must resolve all of it.
    """
    if before is None or after is None:
        return 0
    captured = [sum(payment.amount_captured for payment in order.payments) for order in (before, after)]
    if captured[1] <= captured[0]:
        return 0
    refund = cancellation.refund
    if refund is None or refund.status == "succeeded":
        return sum(payment.amount_held for payment in after.payments)
    return plan_refund(after, cancellation.basis).surplus


def given_up(gone: OrderState) -> list[Event]:
    """The events of a cancelled order that was deleted: a pending refund can't be carried out."""
    cancellation = gone.cancellation
    if cancellation is None or cancellation.refund is None or cancellation.refund.status != "pending":
        return []
    return [Event("OrderRefundFailed", _detail(gone, cancellation, cancellation.refund.updated_at))]


def canceled(state: OrderState, cancellation: Cancellation) -> Event:
    return Event("OrderCanceled", _detail(state, cancellation, cancellation.requested_at))


def _detail(state: OrderState, cancellation: Cancellation, occurred_at: str) -> dict[str, Any]:
    rows = item_rows(state.order, cancellation.rows) if state.order else []
    refund = cancellation.refund
    return {
        "schema_version": SCHEMA_VERSION,
        "order_id": state.order_id,
        "store_id": state.store_id,
        "customer_id": state.customer_id,
        "cancellation_id": cancellation.cancellation_id,
        "reason": cancellation.reason.code,
        "items": [
            {
                "item_id": row.item.item_id,
                "sku": row.item.sku,
                "qty_canceled": number(row.qty_canceled),
                "qty_refunded": number(row.qty_refunded),
            }
            for row in rows
            if row.qty_canceled or row.qty_refunded
        ],
        "refund": {"amount": refund.amount, "currency": refund.currency} if refund else None,
        "surplus": cancellation.surplus,
        "occurred_at": occurred_at,
    }
