"""The order as the shop's order system writes it, and what the product adds to it.

The models read only what is decided upon or shown; every other attribute belongs to the shop and is left alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import model_validator

from cancel_core.domain.cancellation import Cancellation
from cancel_core.domain.values import Amount, Document, Quantity, read_model


class Charge(Document):
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


class Payment(Document):
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


class HistoryEntry(Document):
    """One line of the order's story. `at` is ISO 8601 UTC."""

    at: str
    status: str
    comment: str


class Order(Document):
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
    return read_model(Order, document, str(document.get("order_id")))
