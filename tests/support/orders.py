"""Orders for tests, as the order system writes them: plain values, as complete as a test leaves them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.domain import booking, cancel
from cancel_core.domain.cancel import CancelRequest
from cancel_core.domain.cancellation import Failure
from cancel_core.domain.order import Order, read_order
from cancel_core.domain.policy import Policy, PolicyReason
from cancel_core.domain.refund_plan import plan_refund

from tests.support.aws import attribute_values

ENABLED = Policy(enabled=True, reasons=(PolicyReason("other", "Other"), PolicyReason("mistake", "Ordered by mistake")))
DISABLED = Policy(enabled=False)


def item(
    item_id: str = "i1", *, ordered: Any = 1, invoiced: Any = 0, amount: int = 10000, **more: Any
) -> dict[str, Any]:
    """A row; what is invoiced of its amount follows from the quantities unless given."""
    share = amount if invoiced == ordered else 0
    row = {
        "item_id": item_id,
        "sku": f"sku-{item_id}",
        "name": f"Thing {item_id}",
        "qty_ordered": Decimal(str(ordered)),
        "qty_invoiced": Decimal(str(invoiced)),
        "amount": amount,
        "amount_invoiced": share,
    }
    return row | more


def payment(payment_id: str = "p1", *, captured: int = 0, authorized: int | None = None, **more: Any) -> dict[str, Any]:
    return {
        "payment_id": payment_id,
        "provider": "offline",
        "reference": f"ref-{payment_id}",
        "amount_authorized": captured if authorized is None else authorized,
        "amount_captured": captured,
    } | more


def document(**more: Any) -> dict[str, Any]:
    """An order of one item that nothing was paid for."""
    return {
        "order_id": "o1",
        "store_id": "default",
        "customer_id": "c1",
        "customer_email": "someone@example.com",
        "status": "pending",
        "currency": "SEK",
        "placed_at": "2026-11-20T10:00:00Z",
        "total": 10000,
        "items": [item()],
        "payments": [],
        "history": [{"at": "2026-11-20T10:00:00Z", "status": "pending", "comment": "Placed"}],
    } | more


def paid(**more: Any) -> dict[str, Any]:
    """An order of one item, invoiced and captured in full."""
    return document(status="processing", items=[item(invoiced=1)], payments=[payment(captured=10000)]) | more


def order(source: dict[str, Any] | None = None, **more: Any) -> Order:
    return read_order((source or document()) | more)


AT, LATER = "2026-11-22T10:00:00Z", "2026-11-22T10:00:05Z"
REQUEST = CancelRequest("o1", "c1", "other", "Bought two by mistake", "request-1", None)


def stored(source: dict[str, Any]) -> StoredOrder:
    return StoredOrder(attribute_values(source))


def canceled(source: dict[str, Any]) -> StoredOrder:
    before = stored(source)
    return before.changed(cancel.cancel(before.order, plan_refund(before.order), ENABLED.reasons[0], REQUEST, AT))


def refunded(after_cancel: StoredOrder, failing: tuple[str, ...] = ()) -> StoredOrder:
    """Every leg settled, one booking each, as the refund function does it."""
    current = after_cancel
    cancellation = current.order.cancellation
    assert cancellation
    assert cancellation.refund
    for index, leg in enumerate(cancellation.refund.payments):
        failed = leg.payment_id in failing
        done = leg.model_copy(update={"status": "failed" if failed else "succeeded", "reference": f"re-{index}"})
        now = current.order.cancellation
        assert now
        assert now.refund
        failure = Failure(code="PROVIDER_DECLINED") if failed else None
        refund = booking.settle_leg(now.refund, index, done, failure, LATER)
        current = current.changed(booking.book(current.order, now, refund))
    return current
