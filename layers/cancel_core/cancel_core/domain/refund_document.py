"""The documents of the refunds table: one for each refund, as operators see it, and one ledger for each order.

What we paid for an order is known from here, whatever the order says. A leg stands in a document from the moment before
its provider is asked for it: amount and key are then frozen, until the provider has said what became of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

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
"""1: documents of versions before 0.2, whose pending legs may have been asked for or not."""


class AskedLeg(Leg):
    """A leg that its provider may have been asked for.

    `base`: what the order said was refunded (or voided) of the payment when it was asked for, and `rows_base` what its
    rows said. `payment_reference`: the provider's id of the payment, as it was then, and `captured` what the order said
    of it. `earlier_amounts`: what was asked for before under the same key, when nobody knew whether the request had
    arrived. `is_disputed`: the provider
    did something else than it was asked, and a person decides; it counts as paid. `is_returned`: the provider had paid
    it, and then had the money back, as from a bank account that is closed; it counts as not paid.
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
        """Whether money has moved for it, or may yet."""
        return self.status != "failed" or self.is_disputed

    @property
    def has_moved(self) -> bool:
        return self.status == "succeeded"


class LogEntry(OwnDocument):
    """One line of a refund's story. `at` is ISO 8601 UTC."""

    at: str
    entry: str


class RefundItem(OwnDocument):
    """An item for which money goes back."""

    item_id: str
    sku: str = ""
    qty: Quantity = Decimal(0)
    amount: Amount = 0


class DocumentFailure(Failure):
    """Why a refund failed, in words for the operator."""

    message: str = ""


class RefundDocument(OwnDocument):
    """One refund. Sums as on the order's refund; `rounding` is what the payments lacked of what was owed.

    `payments` are the legs that were asked for, `earlier_tries` those that failed before a person had them tried anew.
    `unsettled_since` has it stand in the operator's list. `order_gone`: its order no longer carries it. `request_id`:
    of the cancel that it was begun for, for an order whose cancellation was written over may be cancelled anew.
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
        """Whether it was begun for this very cancel, not for an earlier one under the same ids."""
        if self.request_id:
            return self.request_id == cancellation.request_id
        return self.created_at >= cancellation.requested_at

    def of(self, cancellation: Cancellation) -> RefundDocument:
        """The document, gone on with for a cancel that came later under the same ids."""
        refund = cancellation.refund
        assert refund is not None
        sums = {"shown": refund.amount_shown, "shipping": refund.shipping, "fees": refund.fees}
        return self.model_copy(update={**sums, "basis": cancellation.basis, "request_id": cancellation.request_id})

    def pending(self) -> list[AskedLeg]:
        return [leg for leg in self.payments if leg.status == "pending"]

    def paid(self) -> int:
        """What providers paid back through us."""
        return sum(leg.amount for leg in self.payments if leg.action == "refund" and leg.has_moved)

    def said(self, at: str, entry: str, **changed: Any) -> RefundDocument:
        """The document with something else in it, and a line in its log that says so."""
        log = (*self.log, LogEntry(at=at, entry=entry))
        return self.model_copy(
            update={**changed, "log": log, "updated_at": at, "revision": self.revision + 1, "format": FORMAT}
        )

    def with_leg(self, leg: AskedLeg, at: str, entry: str) -> RefundDocument:
        """The document with this leg in place of the one of the same attempt, or beside the others."""
        same = [one for one in self.payments if identity(one) == identity(leg)]
        legs = tuple(leg if one in same else one for one in self.payments) if same else (*self.payments, leg)
        return self.said(at, entry, payments=legs)

    def without(self, leg: AskedLeg) -> RefundDocument:
        """The document as it was before this leg was asked for."""
        return self.model_copy(update={"payments": tuple(one for one in self.payments if one is not leg)})

    def next_attempt(self, payment_id: str, action: RefundAction) -> int:
        """The number of the next request for this payment, which its idempotency key is made of."""
        known = (
            leg.attempt
            for leg in (*self.payments, *self.earlier_tries)
            if (leg.payment_id, leg.action) == (payment_id, action)
        )
        return max(known, default=0) + 1


class Ledger(OwnDocument):
    """What the refunds of one order have in common: which there are, and what the order said when the first began.

    `rows_before` and `payments_before`: what rows and payments said was refunded at the first cancel. `version` goes up
    each time a leg is frozen, so that two refunds of one order never plan side by side.
    """

    refund_id: str
    order_id: str
    refunds: tuple[str, ...] = ()
    rows_before: Amount = 0
    payments_before: Amount = 0
    version: Amount = 0

    def with_refund(self, refund_id: str) -> Ledger:
        known = self.refunds if refund_id in self.refunds else (*self.refunds, refund_id)
        return self.model_copy(update={"refunds": known, "version": self.version + 1})


def first_ledger(order: Order, cancellation: Cancellation, document: RefundDocument) -> Ledger:
    """The ledger of an order for which nobody was asked for anything yet, but by an earlier version of the product."""
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
    """The document of a refund of which nothing was begun."""
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
    """A planned leg as it is frozen right before its provider is asked for it."""
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
    """A leg of which nothing is to be found at its provider, for what is owed now, under the same key.

    What the order says of the payment and its rows today has nothing of it.
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

    Its legs say nothing of what the order said before. What has moved was booked with the leg on the order's refund, if
    the order still has it. `unasked` are its pending legs of which the provider knows nothing: they are planned anew.
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
    """What tells a leg from all others of its refund."""
    return leg.payment_id, leg.action, leg.attempt


def to_item(document: RefundDocument | Ledger) -> dict[str, Any]:
    """The stored form: plain values, absent attributes left out."""
    return document.model_dump(exclude_none=True, exclude_defaults=True) | {
        name: getattr(document, name) for name in _ALWAYS if name in type(document).model_fields
    }


_ALWAYS = ("status", "amount", "shipping", "fees", "surplus", "revision", "version")
"""What an operator who looks at the table wants to see, also where it is 0."""


def read_document(item: Mapping[str, Any]) -> RefundDocument:
    """A refund document in plain values; whatever a person has taken out of it counts as absent."""
    return RefundDocument.model_validate(item)


def read_ledger(item: Mapping[str, Any]) -> Ledger:
    return Ledger.model_validate(item)
