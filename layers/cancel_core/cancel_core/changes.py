"""What a cancel and a refund write on an order, as data.

Nothing here writes: an `OrderChange` says what becomes of which attribute, and the adapter turns it into one
conditional write.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from cancel_core.order import (
    Cancellation,
    Charge,
    Failure,
    FailureCode,
    Fingerprint,
    HistoryEntry,
    Leg,
    Order,
    Payment,
    Reason,
    Refund,
    RefundStatus,
    Rows,
)
from cancel_core.policy import PolicyReason
from cancel_core.refund_plan import RefundPlan

N = TypeVar("N", int, Decimal)

# What a decision reads, and what its write therefore makes a condition of. The order system bumps no version for us.
DECIDED_ON = (
    "status",
    "customer_id",
    "store_id",
    "currency",
    "items",
    "shipping",
    "fees",
    "payments",
    "cancellation",
)


class RowChange(NamedTuple):
    """New numbers in a row of a list (`items`, `fees`, `payments`), or in a map (`shipping`) without a position."""

    attribute: str
    position: int | None
    numbers: Mapping[str, int | Decimal]


@dataclass(frozen=True, slots=True)
class OrderChange:
    """One write. `conditions` are the attributes that must still be what was read; `attributes` are texts; `history` is
    appended.
    """

    cancellation: Cancellation
    conditions: tuple[str, ...] = DECIDED_ON
    rows: tuple[RowChange, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    history: HistoryEntry | None = None


def apply(order: Order, change: OrderChange) -> Order:
    """The order as it is once the change is written: the same as reading it anew would give, at a tenth of the cost."""
    now: dict[str, Any] = {"cancellation": change.cancellation}
    now |= {name: text for name, text in change.attributes.items() if name in Order.model_fields}
    for row in change.rows:
        if row.position is None:
            now[row.attribute] = getattr(order, row.attribute).model_copy(update=row.numbers)
            continue
        rows = now.setdefault(row.attribute, list(getattr(order, row.attribute)))
        rows[row.position] = rows[row.position].model_copy(update=row.numbers)
    if change.history:
        now["history"] = [*order.history, change.history]
    return order.model_copy(
        update={name: tuple(value) if isinstance(value, list) else value for name, value in now.items()}
    )


# --- ids: derived, so that doing a thing again is doing the same thing ----------------------------------------------


def _derived(prefix: str, *parts: str) -> str:
    digest = hashlib.sha256("\0".join((prefix, *parts)).encode()).hexdigest()
    return f"{prefix}_{digest[:32]}"


def cancellation_id(order_id: str, placed_at: str) -> str:
    """One for an order, always. The placing time is in it so that a shop may use an order_id anew."""
    return _derived("can", order_id, placed_at)


def refund_id(cancellation: str) -> str:
    return _derived("ref", cancellation)


PENDING_SHARDS = 16
"""Under how many keys of their index the orders lie that were cancelled within the same second."""


def pending_since(cancellation: str, at: str) -> str:
    """The key under which a pending refund is found again: the time (ISO 8601 UTC), and a shard, for one second's
    cancels would all lie on one partition of the index.
    """
    return f"{at}#{int(cancellation[-8:], 16) % PENDING_SHARDS:x}"


def leg_key(refund: str, leg: Leg) -> str:
    """The idempotency key under which a provider is asked to pay a leg back or to release it.

    A leg that a person has tried anew is another request: under the old key the provider would repeat its old no.
    """
    attempt = (str(leg.attempt),) if leg.attempt > 1 else ()
    return _derived("leg", refund, leg.payment_id, leg.action, *attempt)


# --- the cancel -----------------------------------------------------------------------------------------------------


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


# --- the refund -----------------------------------------------------------------------------------------------------


def settle_leg(refund: Refund, index: int, settled: Leg, failure: Failure | None, at: str) -> Refund:
    """The refund with one leg as the provider has it now."""
    legs = (*refund.payments[:index], settled, *refund.payments[index + 1 :])
    return finish(refund.model_copy(update={"payments": legs, "failure": refund.failure or failure}), at)


def give_up(refund: Refund, code: FailureCode, at: str) -> Refund:
    """The refund with all its pending legs failed."""
    legs = tuple(
        leg.model_copy(update={"status": "failed"}) if leg.status == "pending" else leg for leg in refund.payments
    )
    return finish(refund.model_copy(update={"payments": legs, "failure": refund.failure or Failure(code=code)}), at)


def try_anew(order: Order, refund: Refund, at: str) -> Refund | None:
    """A failed refund with its failed legs pending again; None where the payments do not hold what is owed.

    A refund that had no legs to pay back, for the payments held too little, gets them now.
    """
    legs = [
        leg.model_copy(update={"status": "pending", "attempt": leg.attempt + 1, "reference": None})
        if leg.status == "failed"
        else leg
        for leg in refund.payments
    ]
    missing = 0 if any(leg.action == "refund" for leg in legs) else refund.amount
    known = {leg.payment_id for leg in legs}
    for payment in order.payments:
        if payment.payment_id not in known and (take := min(missing, payment.amount_held)):
            new = Leg(
                payment_id=payment.payment_id,
                provider=payment.provider,
                action="refund",
                amount=take,
                status="pending",
            )
            legs.append(new)
            missing -= take
    held = {payment.payment_id: payment.amount_held for payment in order.payments}
    short = any(
        leg.amount > held.get(leg.payment_id, 0) for leg in legs if leg.status == "pending" and leg.action == "refund"
    )
    if missing or short:
        return None
    return refund.model_copy(update={"status": "pending", "payments": tuple(legs), "failure": None, "updated_at": at})


def settle_by_hand(refund: Refund, at: str) -> Refund:
    """A failed refund that a person has seen to. Its legs stay as they are: they tell what the providers did."""
    return refund.model_copy(update={"status": "succeeded", "failure": None, "updated_at": at})


def finish(refund: Refund, at: str) -> Refund:
    """The refund with the status that follows: done when no leg is pending, failed when anything failed."""
    status: RefundStatus = "failed" if refund.failure else "succeeded"
    if any(leg.status == "pending" for leg in refund.payments):
        status = "pending"
    return refund.model_copy(update={"status": status, "updated_at": at})


_ENDS = {
    "succeeded": "Refund completed.",
    "failed": "The refund could not be completed; the shop has been told.",
}


def book(
    order: Order, cancellation: Cancellation, refund: Refund, comment: str = "", earlier: Iterable[Leg] = ()
) -> OrderChange:
    """The write that brings an order to its refund's next state: the legs' sums, and all else once it is done.

    A payment's sum is booked when its leg succeeds, so that the order never says less than the provider has given back.
    So is what succeeded of `earlier`, the legs of a refund that was erased. Items, shipping and fees are booked when
    the whole refund has succeeded.
    """
    assert cancellation.refund is not None
    before = {leg.payment_id: leg.status for leg in cancellation.refund.payments}
    done = {
        leg.payment_id: leg
        for leg in (*refund.payments, *earlier)
        if leg.status == "succeeded" and before.get(leg.payment_id) != "succeeded"
    }
    rows = [
        _book_payment(index, payment, done)
        for index, payment in enumerate(order.payments)
        if payment.payment_id in done
    ]
    attributes: dict[str, str] = {}
    booked = cancellation.model_copy(update={"refund": refund})
    if refund.status == "pending":
        # It has just been looked at: the reconciler need not do so soon.
        attributes["refund_pending_since"] = pending_since(cancellation.cancellation_id, refund.updated_at)
        return OrderChange(booked, rows=tuple(rows), attributes=attributes)

    status = order.status
    if refund.status == "succeeded":
        rows += _book_rows(order, cancellation.rows, refund)
        # Nothing was left to cancel: the order ends as one that was paid and refunded in full. A status that the order
        # system has set since is its own.
        if status == "canceled" and not cancellation.rows.qty_canceled:
            attributes["status"] = status = "closed"
    return OrderChange(
        booked,
        rows=tuple(rows),
        attributes=attributes,
        remove=("refund_pending_since",),
        history=HistoryEntry(at=refund.updated_at, status=status, comment=comment or _ENDS[refund.status]),
    )


def book_failure(cancellation: Cancellation, refund: Refund) -> OrderChange:
    """The write that ends the refund of an order that can't be read: the cancellation alone is touched."""
    return OrderChange(
        cancellation.model_copy(update={"refund": refund}),
        conditions=("cancellation",),
        remove=("refund_pending_since",),
    )


# --- a cancellation that the order system wrote over ------------------------------------------------------------------


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


def _book_payment(index: int, payment: Payment, done: Mapping[str, Leg]) -> RowChange:
    leg = done[payment.payment_id]
    if leg.action == "refund":
        # Where the shop has booked what it heard from the provider, it is the same money.
        refunded = min(payment.amount_refunded + leg.amount, max(payment.amount_captured, payment.amount_refunded))
        return RowChange("payments", index, {"amount_refunded": refunded})
    return RowChange("payments", index, {"amount_voided": payment.amount_voided + leg.amount})


def _book_rows(order: Order, planned: Rows, refund: Refund) -> list[RowChange]:
    rows = []
    for index, item_row in enumerate(item_rows(order, planned)):
        item = order.items[index]
        numbers: dict[str, int | Decimal] = {}
        if item_row.qty_refunded:
            numbers["qty_refunded"] = item.qty_refunded + item_row.qty_refunded
        if item_row.amount:
            numbers["amount_refunded"] = item.amount_refunded + item_row.amount
        if numbers:
            rows.append(RowChange("items", index, numbers))
    if order.shipping and refund.shipping:
        rows.append(RowChange("shipping", None, {"amount_refunded": order.shipping.amount_refunded + refund.shipping}))
    if refund.fees:
        rows += [
            RowChange("fees", index, {"amount_refunded": fee.amount_refunded + fee.amount_owed})
            for index, fee in enumerate(order.fees)
            if fee.amount_owed
        ]
    return rows


class ItemRow(NamedTuple):
    """What the cancel does to one item: the quantities of this cancel alone, `amount` in minor units."""

    item_id: str
    sku: str
    qty_canceled: Decimal
    qty_refunded: Decimal
    amount: int


def item_rows(order: Order, rows: Rows) -> list[ItemRow]:
    """The cancellation's rows with their items' names, in the items' order.

    Empty when the order system has since made `items` another list: then it isn't known which row is whose.
    """
    if order.rows_digest != rows.digest:
        return []
    zeros = (Decimal(0),) * len(order.items)
    return [
        ItemRow(item.item_id, item.sku, canceled, refunded, amount)
        for item, canceled, refunded, amount in zip(
            order.items,
            rows.qty_canceled or zeros,
            rows.qty_refunded or zeros,
            rows.amounts or (0,) * len(order.items),
            strict=True,
        )
    ]


def to_document(model: Cancellation) -> dict[str, Any]:
    """The stored form: plain values, absent attributes left out."""
    return model.model_dump(exclude_none=True, exclude_defaults=True)
