"""The documents of the refunds table: one for each refund, as operators see it, and one ledger for each order.

These documents are the record of what the product paid for an order, whatever the order says. A leg is added before its
provider is called: from then on amount and key are frozen, until the provider reports the result.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Self

from cancel_core.domain.cancellation import (
    Cancellation,
    Failure,
    FailureCode,
    Leg,
    RefundAction,
    RefundBasis,
    RefundStatus,
)
from cancel_core.domain.ids import ledger_id
from cancel_core.domain.item_rows import refund_items
from cancel_core.domain.order import Order
from cancel_core.domain.refund_plan import PlannedLeg
from cancel_core.domain.values import Amount, OwnDocument, Quantity

MESSAGES: dict[FailureCode, str] = {
    "INSUFFICIENT_CAPTURED_AMOUNT": "The order's payments hold less than is owed, so nothing was paid out. "
    "Correct the payments, or pay the customer back by hand.",
    "INVALID_ORDER": "The order does not allow the refund to be carried out.",
    "PROVIDER_DECLINED": "The payment provider declined.",
}
FORMAT = 2
"""1: documents of versions before 0.2, whose pending legs may have been requested or not."""


class AskedLeg(Leg):
    """A leg that its provider may have been asked for.

    `base`: the refunded (or voided) amount of the payment at the time of the request, according to the order, and
    `rows_base` that of its rows. `payment_reference`: the provider's id of the payment at that time, and `captured` the
    captured amount according to the order. `earlier_amounts`: amounts of earlier requests under the same key, when it
    was unknown whether they had arrived. `is_disputed`: the provider did something other than requested, and a person
    decides; it counts as paid. `is_returned`: the provider had paid it and got the money back, for example from a
    closed bank account; it counts as not paid.
    """

    base: Amount = 0
    rows_base: Amount = 0
    payment_reference: str = ""
    captured: Amount = 0
    asked_at: str = ""
    earlier_amounts: tuple[Amount, ...] = ()
    is_disputed: bool = False
    is_returned: bool = False

    @property
    def may_have_moved(self) -> bool:
        """Whether money has moved for it, or may still move."""
        return self.status != "failed" or self.is_disputed

    @property
    def has_moved(self) -> bool:
        return self.status == "succeeded"


class LogEntry(OwnDocument):
    """One line of a refund's log. `at` is ISO 8601 UTC."""

    at: str
    entry: str


class RefundItem(OwnDocument):
    """An item that is refunded."""

    item_id: str
    sku: str = ""
    qty: Quantity = Decimal(0)
    amount: Amount = 0


class DocumentFailure(Failure):
    """Why a refund failed, in words for the operator."""

    message: str = ""


class RefundDocument(OwnDocument):
    """One refund. Sums as on the order's refund; `rounding` is what the payments lacked of what was owed.

    `payments` are the requested legs, `earlier_tries` those that failed before a person had them retried.
    `unsettled_since` adds it to the operator's list. `order_gone`: its order no longer has it. `request_id`: that of
    the cancel that it was begun for, because an order whose cancellation was overwritten may be cancelled again.
    """

    refund_id: str
    cancellation_id: str
    request_id: str = ""
    order_id: str
    store_id: str = "default"
    status: RefundStatus = "pending"
    currency: str = ""
    basis: RefundBasis = "invoiced"
    amount: Amount = 0
    shipping: Amount = 0
    fees: Amount = 0
    surplus: Amount = 0
    shown: Amount = 0
    credited_by_shop: Amount = 0
    settled_by_hand: Amount = 0
    not_invoiced: Amount = 0
    rounding: Amount = 0
    items: tuple[RefundItem, ...] = ()
    payments: tuple[AskedLeg, ...] = ()
    earlier_tries: tuple[AskedLeg, ...] = ()
    created_at: str = ""
    updated_at: str = ""
    unsettled_since: str | None = None
    failure: DocumentFailure | None = None
    last_error: dict[str, Any] | None = None
    settled: dict[str, Any] | None = None
    order_gone: bool = False
    log: tuple[LogEntry, ...] = ()
    revision: Amount = 0
    format: Amount = 1

    def is_of(self, cancellation: Cancellation) -> bool:
        """Whether it was begun for this very cancel, not for an earlier one with the same ids."""
        if self.request_id:
            return self.request_id == cancellation.request_id
        return self.created_at >= cancellation.requested_at

    def of(self, cancellation: Cancellation) -> Self:
        """The document, continued for a later cancel with the same ids."""
        refund = cancellation.refund
        assert refund is not None
        sums = {"shown": refund.amount_shown, "shipping": refund.shipping, "fees": refund.fees}
        return self.model_copy(update={**sums, "basis": cancellation.basis, "request_id": cancellation.request_id})

    def pending(self) -> list[AskedLeg]:
        return [leg for leg in self.payments if leg.status == "pending"]

    def paid(self) -> int:
        """What providers refunded through the product."""
        return sum(leg.amount for leg in self.payments if leg.action == "refund" and leg.has_moved)

    def said(self, at: str, entry: str, **changed: Any) -> Self:
        """The document with these changes, and a line in its log about them."""
        log = (*self.log, LogEntry(at=at, entry=entry))
        return self.model_copy(
            update={**changed, "log": log, "updated_at": at, "revision": self.revision + 1, "format": FORMAT}
        )

    def with_leg(self, leg: AskedLeg, at: str, entry: str) -> Self:
        """The document with this leg replacing the one of the same attempt, or added to the others."""
        same = [one for one in self.payments if identity(one) == identity(leg)]
        legs = tuple(leg if one in same else one for one in self.payments) if same else (*self.payments, leg)
        return self.said(at, entry, payments=legs)

    def without(self, leg: AskedLeg) -> Self:
        """The document as it was before this leg was requested."""
        return self.model_copy(update={"payments": tuple(one for one in self.payments if one is not leg)})

    def next_attempt(self, payment_id: str, action: RefundAction) -> int:
        """The number of the next request for this payment, which is part of its idempotency key."""
        known = (
            leg.attempt
            for leg in (*self.payments, *self.earlier_tries)
            if (leg.payment_id, leg.action) == (payment_id, action)
        )
        return max(known, default=0) + 1


class Ledger(OwnDocument):
    """The data that the refunds of one order share: their ids, and the order's sums when the first one began.

    `rows_before` and `payments_before`: the refunded sums of rows and payments at the first cancel. `version` increases
    each time a leg is frozen, so that two refunds of one order never plan concurrently.
    """

    refund_id: str
    order_id: str
    refunds: tuple[str, ...] = ()
    rows_before: Amount = 0
    payments_before: Amount = 0
    version: Amount = 0

    def with_refund(self, refund_id: str) -> Self:
        known = self.refunds if refund_id in self.refunds else (*self.refunds, refund_id)
        return self.model_copy(update={"refunds": known, "version": self.version + 1})


def first_ledger(order: Order, cancellation: Cancellation, document: RefundDocument) -> Ledger:
    """The ledger of an order without any request to a provider, except by an earlier version of the product."""
    knows = cancellation.rows.keys is not None
    bases: dict[str, int] = {}
    for leg in (*document.earlier_tries, *document.payments):
        if leg.action == "refund" and leg.may_have_moved:
            bases.setdefault(leg.payment_id, leg.base)
    before = sum(bases.get(payment.payment_id, payment.amount_refunded) for payment in order.payments)
    return Ledger(
        refund_id=ledger_id(order.order_id),
        order_id=order.order_id,
        rows_before=cancellation.rows_refunded if knows else order.rows_refunded,
        payments_before=cancellation.payments_refunded if knows else before,
    )


def new_document(
    order: Order | None, order_id: str, store_id: str, cancellation: Cancellation, at: str
) -> RefundDocument:
    """The document of a refund that has not begun."""
    refund = cancellation.refund
    assert refund is not None
    items = refund_items(order, cancellation) if order else []
    return RefundDocument(
        refund_id=refund.refund_id,
        cancellation_id=cancellation.cancellation_id,
        request_id=cancellation.request_id,
        order_id=order_id,
        store_id=store_id,
        currency=refund.currency,
        basis=cancellation.basis,
        amount=refund.amount,
        shipping=refund.shipping,
        fees=refund.fees,
        surplus=cancellation.surplus,
        shown=refund.amount_shown,
        not_invoiced=refund.not_invoiced,
        items=tuple(RefundItem.model_validate(item | {"qty": Decimal(str(item["qty"]))}) for item in items),
        created_at=at,
        updated_at=at,
        unsettled_since=at,
        revision=cancellation.revision,
        format=FORMAT,
    )


def asked_leg(planned: PlannedLeg, order: Order, document: RefundDocument, at: str) -> AskedLeg:
    """A planned leg, frozen right before its provider is called."""
    payment = order.payment(planned.payment_id)
    assert payment
    return AskedLeg(
        payment_id=planned.payment_id,
        provider=planned.provider,
        action=planned.action,
        amount=planned.amount,
        status="pending",
        attempt=document.next_attempt(planned.payment_id, planned.action),
        base=payment.amount_refunded if planned.action == "refund" else payment.amount_voided,
        rows_base=order.rows_refunded,
        payment_reference=payment.reference,
        captured=payment.amount_captured,
        asked_at=at,
    )


def asked_again(leg: AskedLeg, amount: int, order: Order, at: str) -> AskedLeg:
    """A leg that its provider does not know, with the amount that is owed now, under the same key.

    The order's current sums of the payment and its rows do not include it.
    """
    payment = order.payment(leg.payment_id)
    assert payment
    return leg.model_copy(
        update={
            "amount": amount,
            "earlier_amounts": (*leg.earlier_amounts, leg.amount),
            "base": payment.amount_refunded if leg.action == "refund" else payment.amount_voided,
            "rows_base": order.rows_refunded,
            "asked_at": at,
        }
    )


def adopted(document: RefundDocument, order: Order, unasked: Iterable[AskedLeg]) -> RefundDocument:
    """A document of an earlier version (format 1) in today's form.

    Its legs lack the order's earlier sums. Money that moved was booked together with the leg on the order's refund, if
    the order still has it. `unasked` are its pending legs that the provider does not know: they are planned again.
    """
    payments = {payment.payment_id: payment for payment in order.payments}
    refund = order.cancellation.refund if order.cancellation else None
    booked = {(leg.payment_id, leg.action) for leg in refund.payments if leg.status == "succeeded"} if refund else set()
    gone = [identity(leg) for leg in unasked]

    def known(leg: AskedLeg) -> AskedLeg:
        payment = payments.get(leg.payment_id)
        if payment is None:
            return leg
        now = payment.amount_refunded if leg.action == "refund" else payment.amount_voided
        base = now - leg.amount if leg.has_moved and (leg.payment_id, leg.action) in booked else now
        return leg.model_copy(
            update={
                "base": max(0, base),
                "rows_base": order.rows_refunded,
                "payment_reference": payment.reference,
                "captured": payment.amount_captured,
            }
        )

    legs = tuple(known(leg) for leg in document.payments if identity(leg) not in gone)
    return document.model_copy(update={"payments": legs, "format": FORMAT, "shown": document.shown or document.amount})


def identity(leg: Leg) -> tuple[str, str, int]:
    """The key of a leg within its refund."""
    return leg.payment_id, leg.action, leg.attempt


def to_item(document: RefundDocument | Ledger) -> dict[str, Any]:
    """The stored form: plain values, absent attributes left out."""
    return document.model_dump(exclude_none=True, exclude_defaults=True) | {
        name: getattr(document, name) for name in _ALWAYS if name in type(document).model_fields
    }


_ALWAYS = ("status", "amount", "shipping", "fees", "surplus", "revision", "version")
"""The sums that operators want to see in the table, also if they are 0."""


def read_document(item: Mapping[str, Any]) -> RefundDocument:
    """A refund document from plain values; anything that a person has removed counts as absent."""
    return RefundDocument.model_validate(item)


def read_ledger(item: Mapping[str, Any]) -> Ledger:
    return Ledger.model_validate(item)
