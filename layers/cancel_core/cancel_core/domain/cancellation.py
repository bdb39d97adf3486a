"""What the product writes on an order it has cancelled: the cancellation, and in it the refund with its legs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from cancel_core.domain.values import Amount, OwnDocument, Quantity, read_model

RefundStatus = Literal["pending", "succeeded", "failed"]
RefundAction = Literal["refund", "void"]
FailureCode = Literal["INSUFFICIENT_CAPTURED_AMOUNT", "PROVIDER_DECLINED", "INVALID_ORDER"]


class Reason(OwnDocument):
    """The reason that was chosen, as the store put it then."""

    code: str
    description: str


class Fingerprint(OwnDocument):
    """Hashes of the Idempotency-Key and of the body that came with it."""

    key: str
    body: str


class Rows(OwnDocument):
    """What the cancel does to each item, in the order of `items`; an absent list is all zeros.

    Lists of numbers, without the items' ids and names, because the order must stay within the database's item limit.
    `digest` tells whether `items` still is the list that the numbers stand for.
    """

    digest: str
    qty_canceled: tuple[Quantity, ...] = ()
    qty_refunded: tuple[Quantity, ...] = ()
    amounts: tuple[Amount, ...] = ()


class Failure(OwnDocument):
    """Why a refund failed. The refunds table adds a message for the operator."""

    code: FailureCode


class Leg(OwnDocument):
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


class Refund(OwnDocument):
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


class Cancellation(OwnDocument):
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


def read_cancellation(document: Mapping[str, Any], order_id: str) -> Cancellation:
    """The `cancellation` of an order by itself, whatever the rest of the order is. Raises `OrderUnreadable`."""
    return read_model(Cancellation, document, order_id)


def to_document(model: Cancellation) -> dict[str, Any]:
    """The stored form: plain values, absent attributes left out."""
    return model.model_dump(exclude_none=True, exclude_defaults=True)
