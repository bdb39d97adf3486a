"""The model of an order: the order system's attributes, and those that the product adds.

The models contain only the attributes that are used for decisions or shown; all others belong to the shop.
"""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from cancel_core.domain.cancellation import Cancellation
from cancel_core.domain.cancellation_request import CancellationRequest, read_request
from cancel_core.domain.times import moment
from cancel_core.domain.values import Amount, Document, Quantity, minus, read_model

ORDER_ID = r"^[A-Za-z0-9._~\-:@+=,!$*()]{1,255}$"
CURRENCY = r"^[A-Z]{3}$"
TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$"
"""ISO 8601, UTC."""
Id = Annotated[str, Field(min_length=1)]
_EXEMPTIONS = frozenset("abcdefghijklm")


def _exemption(value: object) -> str | None:
    letter = value.strip(" ()").lower() if isinstance(value, str) else ""
    return letter if letter in _EXEMPTIONS else None


def _time_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and moment(value) else None


def _count(value: object) -> int:
    return int(value) if isinstance(value, int | Decimal) and value >= 1 else 1


def _noted(value: object) -> object:
    try:
        return NotedWithdrawal.model_validate(value)
    except ValidationError:
        return None


# Attributes that only withdrawals or a store's own rules use never make an order unreadable: a value of another type,
# or a value that makes no sense, counts as absent.
Word = Annotated[str | None, BeforeValidator(lambda value: value if isinstance(value, str) else None)]
Delivered = Annotated[str | None, BeforeValidator(_time_or_none)]
"""ISO 8601, UTC: when the customer received it."""


class Charge(Document):
    """Amounts of a row: the agreed amount, the invoiced part of it, and the refunded part of that."""

    amount: Amount = 0
    amount_invoiced: Amount = 0
    amount_refunded: Amount = 0

    @property
    def amount_owed(self) -> int:
        """What a cancel refunds for this row: the invoiced amount that was not refunded before, never below 0.

        A row that is itself negative, a discount, counts with its sign.
        """
        owed = self.amount_invoiced - self.amount_refunded
        return min(0, owed) if self.amount_invoiced < 0 else max(0, owed)


class Item(Charge):
    """A row of the order."""

    item_id: Id
    sku: str
    name: str
    qty_ordered: Quantity = Decimal(0)
    qty_invoiced: Quantity = Decimal(0)
    qty_shipped: Quantity = Decimal(0)
    qty_refunded: Quantity = Decimal(0)
    qty_canceled: Quantity = Decimal(0)
    delivered_at: Delivered = None
    withdrawal_exempt: Annotated[str | None, BeforeValidator(_exemption)] = None
    """The letter of Article 16 of Directive 2011/83/EU that exempts the item from the right of withdrawal."""
    type: Word = None
    """The kind of product, "download" or "giftcard"; a store may exclude some."""

    @property
    def qty_cancelable(self) -> Decimal:
        """What was neither invoiced nor cancelled before."""
        return minus(self.qty_ordered, self.qty_invoiced, self.qty_canceled)

    @property
    def qty_refundable(self) -> Decimal:
        return minus(self.qty_invoiced, self.qty_refunded)


class Fee(Charge):
    """A charge beside the items: gift wrap, a payment fee."""

    fee_id: Id
    name: str


class Payment(Document):
    """One payment of the order. `reference` is the provider's own id of it."""

    payment_id: Id
    provider: str
    reference: str = ""
    amount_authorized: Amount = 0
    amount_captured: Amount = 0
    amount_refunded: Amount = 0
    amount_voided: Amount = 0

    @property
    def amount_held(self) -> int:
        """What can still be refunded from this payment."""
        return max(0, self.amount_captured - self.amount_refunded)

    @property
    def amount_releasable(self) -> int:
        """What a void releases: the part of an authorization that was neither captured nor released before."""
        return max(0, self.amount_authorized - max(0, self.amount_captured) - self.amount_voided)


class HistoryEntry(Document):
    """One entry of the order's history. `at` is ISO 8601 UTC. The shop's internal notes are entries, too: a customer
    sees only those with `visible_to_customer` true, a Boolean.
    """

    at: str
    status: str
    comment: str
    visible_to_customer: Annotated[bool, BeforeValidator(lambda value: value is True)] = False


class NotedWithdrawal(Document):
    """The order's record of the statements of withdrawal about it: the first one's id, and whether any was about the
    whole order.
    """

    withdrawal_id: Id
    received_at: Annotated[str, BeforeValidator(lambda value: value if isinstance(value, str) else "")] = ""
    whole: Annotated[bool, BeforeValidator(lambda value: value is True)] = False
    count: Annotated[int, BeforeValidator(_count)] = 1


class Order(Document):
    """An order of the orders table. Amounts are minor units of `currency`; `total` is the agreed total."""

    order_id: Annotated[str, Field(pattern=ORDER_ID)]
    store_id: Id = "default"
    status: Id
    currency: Annotated[str, Field(pattern=CURRENCY)]
    placed_at: Annotated[str, Field(pattern=TIME)]
    total: Amount
    customer_id: Id | None = None
    customer_group: Word = None
    items: tuple[Item, ...]
    shipping: Charge | None = None
    fees: tuple[Fee, ...] = ()
    payments: tuple[Payment, ...] = ()
    history: tuple[HistoryEntry, ...] = ()
    cancellation: Cancellation | None = None
    cancellation_request: Annotated[CancellationRequest | None, BeforeValidator(read_request)] = None
    delivered_at: Delivered = None
    business: Annotated[bool, BeforeValidator(lambda value: value is True)] = False
    withdrawal: Annotated[NotedWithdrawal | None, BeforeValidator(_noted)] = None

    @model_validator(mode="after")
    def _rows_have_ids_of_their_own(self) -> Self:
        # Rows are identified by their ids at any position, and a payment's id is part of its refund's key.
        for name, ids in (
            ("payments have the same payment_id", [payment.payment_id for payment in self.payments]),
            ("items have the same item_id", [item.item_id for item in self.items]),
            ("fees have the same fee_id", [fee.fee_id for fee in self.fees]),
        ):
            if len(set(ids)) < len(ids):
                raise ValueError(f"two {name}")
        return self

    def payment(self, payment_id: str) -> Payment | None:
        """The payment with this id; None if the order has none (any more)."""
        return next((payment for payment in self.payments if payment.payment_id == payment_id), None)

    @property
    def rows_refunded(self) -> int:
        """The refunded amount according to the rows: items, shipping and fees."""
        charges = (*self.items, *self.fees, *((self.shipping,) if self.shipping else ()))
        return sum(charge.amount_refunded for charge in charges)

    @property
    def payments_refunded(self) -> int:
        """The refunded amount according to the payments."""
        return sum(payment.amount_refunded for payment in self.payments)

    @property
    def has_left(self) -> bool:
        """Whether any item was shipped."""
        return self.status == "complete" or any(item.qty_shipped > 0 for item in self.items)

    @property
    def rows_digest(self) -> str:
        return hashlib.sha256("\0".join(item.item_id for item in self.items).encode()).hexdigest()[:16]


ORDER_ATTRIBUTES = frozenset(Order.model_fields)
"""The attributes of an order that are read; all others are the shop's."""


def read_order(document: Mapping[str, Any]) -> Order:
    """The order from a document of plain values (numbers as Decimal or int). Raises `OrderUnreadable`."""
    return read_model(Order, document, str(document.get("order_id")))
