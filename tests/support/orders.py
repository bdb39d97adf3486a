"""Orders for tests, as the order system writes them: plain values, as complete as a test leaves them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.domain import booking, cancel
from cancel_core.domain.caller import Customer
from cancel_core.domain.cancel import CancelRequest
from cancel_core.domain.cancellation import RefundStatus
from cancel_core.domain.order import Order, read_order
from cancel_core.domain.policy import Policy
from cancel_core.domain.refund_document import (
    DocumentFailure,
    Ledger,
    RefundDocument,
    asked_leg,
    first_ledger,
    new_document,
)
from cancel_core.domain.refund_plan import plan_refund
from cancel_core.domain.refund_rest import plan_rest
from cancel_core.domain.request_steps import decline, make_request
from cancel_core.domain.rule_settings import PolicyReason

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
        "history": [
            {"at": "2026-11-20T10:00:00Z", "status": "pending", "comment": "Placed", "visible_to_customer": True}
        ],
    } | more


def paid(**more: Any) -> dict[str, Any]:
    """An order of one item, invoiced and captured in full."""
    return document(status="processing", items=[item(invoiced=1)], payments=[payment(captured=10000)]) | more


def order(source: dict[str, Any] | None = None, **more: Any) -> Order:
    return read_order((source or document()) | more)


AT, LATER = "2026-11-22T10:00:00Z", "2026-11-22T10:00:05Z"
REQUEST = CancelRequest("o1", Customer("c1"), "other", "Bought two by mistake", "request-1", None)


def stored(source: dict[str, Any]) -> StoredOrder:
    return StoredOrder(attribute_values(source))


def asked(source: dict[str, Any]) -> StoredOrder:
    """An order whose shop is asked to cancel it."""
    before = stored(source)
    return before.changed(make_request(before.order, plan_refund(before.order), ENABLED.reasons[0], REQUEST, AT))


def decided(asked: StoredOrder, status: Literal["approved", "declined", "lapsed"], note: str | None) -> StoredOrder:
    """What the shop has decided on a request, carried out."""
    request = asked.request
    assert request
    ended = request.ended(status, LATER, note)
    if status == "approved":
        approved = REQUEST._replace(approved=ended)
        return asked.changed(cancel.cancel(asked.order, plan_refund(asked.order), ENABLED.reasons[0], approved, LATER))
    return asked.changed(decline(ended, asked.status, LATER))


def canceled(source: dict[str, Any]) -> StoredOrder:
    before = stored(source)
    return before.changed(cancel.cancel(before.order, plan_refund(before.order), ENABLED.reasons[0], REQUEST, AT))


def refunded(after_cancel: StoredOrder, failing: tuple[str, ...] = ()) -> StoredOrder:
    """Every leg settled, one booking each, as the refund function does it."""
    current, order = after_cancel, after_cancel.order
    cancellation = order.cancellation
    assert cancellation
    document = new_document(order, order.order_id, order.store_id, cancellation, LATER)
    ledger = first_ledger(order, cancellation, document)
    for index, planned in enumerate(plan_rest(order, cancellation, ledger, document, ()).legs):
        leg = asked_leg(planned, current.order, document, LATER)
        failed = leg.payment_id in failing
        done = leg.model_copy(update={"status": "failed" if failed else "succeeded", "reference": f"re-{index}"})
        document = document.with_leg(done, LATER, "settled")
        if failed and document.failure is None:
            document = document.model_copy(update={"failure": DocumentFailure(code="PROVIDER_DECLINED")})
        current, document = _booked(current, ledger, document)
    if document.status == "pending":
        current, document = _booked(current, ledger, document)
    return current


def _booked(current: StoredOrder, ledger: Ledger, document: RefundDocument) -> tuple[StoredOrder, RefundDocument]:
    order = current.order
    cancellation = order.cancellation
    assert cancellation
    assert cancellation.refund
    rest = plan_rest(order, cancellation, ledger, document, ())
    if rest.failure and document.failure is None:
        document = document.model_copy(update={"failure": DocumentFailure(code=rest.failure)})
    status: RefundStatus = "pending" if rest.legs else "failed" if document.failure else "succeeded"
    document = booking.with_sums(document, (), rest, status).model_copy(update={"updated_at": LATER})
    refund = booking.refund_of(cancellation.refund, document, (), rest.legs)
    revision = cancellation.revision + 1
    change = booking.book(order, cancellation, refund, ledger, [document], revision, document.surplus)
    return current.changed(change), document
