"""The order as the shop's order system writes it, and what the product adds to it.

The models read only what is decided upon or shown; every other attribute belongs to the shop and is left alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from cancel_core.errors import OrderUnreadable


def _whole(value: object) -> int:
    """A database number (Decimal) as an int; amounts are whole minor units, so anything else is an error."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be a number")
    if value != (whole := int(value)):
        raise ValueError("must be a whole number of minor units")
    return whole


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be a number")
    return Decimal(value)


Amount = Annotated[int, BeforeValidator(_whole)]
"""Minor units (öre, cents, yen) of the order's currency."""
Quantity = Annotated[Decimal, BeforeValidator(_number)]
"""Pieces, or a measure: 1.5 kg."""

M = TypeVar("M", bound=BaseModel)

RefundStatus = Literal["pending", "succeeded", "failed"]
RefundAction = Literal["refund", "void"]
FailureCode = Literal["INSUFFICIENT_CAPTURED_AMOUNT", "PROVIDER_DECLINED", "INVALID_ORDER"]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class _Own(_Document):
    """A document that the product itself writes, as a whole: what a newer version has added to it is kept."""

    model_config = ConfigDict(extra="allow")


class Charge(_Document):
    """Amounts of a row: what was agreed, what was invoiced of it, what was refunded of that."""

    amount: Amount = 0
    amount_invoiced: Amount = 0
    amount_refunded: Amount = 0

    @property
    def amount_owed(self) -> int:
        """What a cancel gives back for this row: the invoiced that was not refunded before, never below 0."""
        return max(0, self.amount_invoiced - self.amount_refunded)


class Item(Charge):
    """A row of the order."""

    item_id: str
    sku: str
    name: str
    qty_ordered: Quantity = Decimal(0)
    qty_invoiced: Quantity = Decimal(0)
    qty_shipped: Quantity = Decimal(0)
    qty_refunded: Quantity = Decimal(0)
    qty_canceled: Quantity = Decimal(0)

    @property
    def qty_cancelable(self) -> Decimal:
        """What was neither invoiced nor cancelled before."""
        return max(Decimal(0), self.qty_ordered - self.qty_invoiced - self.qty_canceled)

    @property
    def qty_refundable(self) -> Decimal:
        return max(Decimal(0), self.qty_invoiced - self.qty_refunded)


class Fee(Charge):
    """A charge beside the items: gift wrap, a payment fee."""

    fee_id: str
    name: str


class Payment(_Document):
    """One payment of the order. `reference` is the provider's own id of it."""

    payment_id: str
    provider: str
    reference: str = ""
    amount_authorized: Amount = 0
    amount_captured: Amount = 0
    amount_refunded: Amount = 0
    amount_voided: Amount = 0

    @property
    def amount_held(self) -> int:
        """What can still be given back from this payment."""
        return max(0, self.amount_captured - self.amount_refunded)

    @property
    def amount_releasable(self) -> int:
        """What a void releases: an authorization of which nothing was captured."""
        return max(0, self.amount_authorized - self.amount_voided) if self.amount_captured == 0 else 0


class HistoryEntry(_Document):
    """One line of the order's story. `at` is ISO 8601 UTC."""

    at: str
    status: str
    comment: str


class Reason(_Own):
    """The reason that was chosen, as the store put it then."""

    code: str
    description: str


class Fingerprint(_Own):
    """Hashes of the Idempotency-Key and of the body that came with it."""

    key: str
    body: str


class Rows(_Own):
    """What the cancel does to each item, in the order of `items`; an absent list is all zeros.

    Lists of numbers, without the items' ids and names, because the order must stay within the database's item limit.
    `digest` tells whether `items` still is the list that the numbers stand for.
    """

    digest: str
    qty_canceled: tuple[Quantity, ...] = ()
    qty_refunded: tuple[Quantity, ...] = ()
    amounts: tuple[Amount, ...] = ()


class Failure(_Own):
    """Why a refund failed. The refunds table adds a message for the operator."""

    code: FailureCode


class Leg(_Own):
    """The refund's part in one payment. `reference` is the provider's id of the refund or void.

    A pending leg with a reference is in the provider's hands. `attempt` counts the times a person had it tried anew.
    """

    payment_id: str
    provider: str
    action: RefundAction
    amount: Amount
    status: RefundStatus
    reference: str | None = None
    attempt: Amount = 1


class Refund(_Own):
    """`amount` is what is owed: items, shipping and fees. `failure` may be known before the status is `failed`."""

    refund_id: str
    status: RefundStatus
    currency: str
    amount: Amount
    shipping: Amount
    fees: Amount
    payments: tuple[Leg, ...]
    failure: Failure | None = None
    updated_at: str


class Cancellation(_Own):
    """What the product writes on an order it has cancelled."""

    cancellation_id: str
    reason: Reason
    comment: str | None = None
    requested_at: str
    request_id: str
    idempotency: Fingerprint | None = None
    surplus: Amount = 0
    rows: Rows
    refund: Refund | None = None


class Order(_Document):
    """An order of the orders table. Amounts are minor units of `currency`; `total` is what was agreed in all."""

    order_id: str
    store_id: str = "default"
    status: str
    currency: str
    placed_at: str
    total: Amount
    customer_id: str | None = None
    items: tuple[Item, ...]
    shipping: Charge | None = None
    fees: tuple[Fee, ...] = ()
    payments: tuple[Payment, ...] = ()
    history: tuple[HistoryEntry, ...] = ()
    cancellation: Cancellation | None = None

    @model_validator(mode="after")
    def _payments_have_ids_of_their_own(self) -> Order:
        # The key that keeps a refund from being paid twice is made of the payment's id.
        if len({payment.payment_id for payment in self.payments}) < len(self.payments):
            raise ValueError("two payments have the same payment_id")
        return self

    @property
    def has_left(self) -> bool:
        """Whether the order system has let goods out of the house."""
        return self.status == "complete" or any(item.qty_shipped > 0 for item in self.items)

    @property
    def rows_digest(self) -> str:
        return hashlib.sha256("\0".join(item.item_id for item in self.items).encode()).hexdigest()[:16]


ORDER_ATTRIBUTES = frozenset(Order.model_fields)
"""The attributes that are read of an order; all others are the shop's."""


def read_order(document: Mapping[str, Any]) -> Order:
    """The order in a document of plain values (numbers as Decimal or int). Raises `OrderUnreadable`."""
    return _read(Order, document, str(document.get("order_id")))


def read_cancellation(document: Mapping[str, Any], order_id: str) -> Cancellation:
    """The `cancellation` of an order by itself, whatever the rest of the order is. Raises `OrderUnreadable`."""
    return _read(Cancellation, document, order_id)


def _read(model: type[M], document: Mapping[str, Any], order_id: str) -> M:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        # The places and what is wrong there, never the values: they may be personal.
        faults = [f"{'.'.join(map(str, e['loc'])) or 'order'}: {e['msg']}" for e in error.errors(include_input=False)]
        raise OrderUnreadable(order_id, faults) from error
