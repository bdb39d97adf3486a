"""The models of the cancellation that the product writes on an order, with the refund and its legs."""

from collections.abc import Mapping
from typing import Any, Literal

from cancel_core.domain.values import Amount, OwnDocument, Quantity, read_model

RefundStatus = Literal["pending", "succeeded", "failed"]
RefundAction = Literal["refund", "void"]
RefundBasis = Literal["invoiced", "paid"]
FailureCode = Literal["INSUFFICIENT_CAPTURED_AMOUNT", "PROVIDER_DECLINED", "INVALID_ORDER"]


class Reason(OwnDocument):
    """The chosen reason, as the store worded it then."""

    code: str
    description: str


class Fingerprint(OwnDocument):
    """Hashes of the Idempotency-Key, and of the body that was sent with it."""

    key: str
    body: str


class Rows(OwnDocument):
    """What the cancel does to each item, in the order of `items`; an absent list is all zeros.

    Lists of numbers, without the items' ids and names, because the order must stay within the database's item limit.
    `digest` tells whether `items` is still the list that the numbers belong to; if not, `keys` (eight characters for
    each item) identify the rows. `fee_ids` and `has_shipping` name the charges at that time. Cancellations of earlier
    versions lack `keys` and the fields after it.
    """

    digest: str
    keys: str | None = None
    fee_ids: tuple[str, ...] = ()
    has_shipping: bool = False
    qty_canceled: tuple[Quantity, ...] = ()
    qty_refunded: tuple[Quantity, ...] = ()
    amounts: tuple[Amount, ...] = ()


class Failure(OwnDocument):
    """Why a refund failed. The refunds table adds a message for the operator."""

    code: FailureCode


class Leg(OwnDocument):
    """The part of the refund for one payment. `reference` is the provider's id of the refund or void.

    The provider is processing a pending leg with a reference. `attempt` counts the requests for it.
    """

    payment_id: str
    provider: str
    action: RefundAction
    amount: Amount
    status: RefundStatus
    reference: str | None = None
    attempt: Amount = 1


class Refund(OwnDocument):
    """`amount` is what the product refunds; `credited_by_shop` and `settled_by_hand` are the rest of what the cancel
    had shown (`shown`, if that is another sum). `not_invoiced` is what the payments hold beyond the invoiced amount: a
    part of `amount` on the basis `paid`. `failure` may be known before the status is `failed`.
    """

    refund_id: str
    status: RefundStatus
    currency: str
    amount: Amount
    shipping: Amount
    fees: Amount
    payments: tuple[Leg, ...]
    failure: Failure | None = None
    updated_at: str
    shown: Amount | None = None
    credited_by_shop: Amount = 0
    settled_by_hand: Amount = 0
    not_invoiced: Amount = 0

    @property
    def amount_shown(self) -> int:
        """The amount that the cancel had shown as owed."""
        return self.amount if self.shown is None else self.shown


class Cancellation(OwnDocument):
    """What the product writes on an order that it has cancelled.

    `rows_refunded` and `payments_refunded` are the sums that rows and payments had as refunded before. `revision`
    increases with each write of the product: if the order has an older one, someone else has written it.
    """

    cancellation_id: str
    reason: Reason
    comment: str | None = None
    requested_at: str
    request_id: str
    idempotency: Fingerprint | None = None
    surplus: Amount = 0
    basis: RefundBasis = "invoiced"
    rows_refunded: Amount = 0
    payments_refunded: Amount = 0
    revision: Amount = 0
    rows: Rows
    refund: Refund | None = None


def read_cancellation(document: Mapping[str, Any], order_id: str) -> Cancellation:
    """The `cancellation` of an order, also if the rest of the order is invalid. Raises `OrderUnreadable`."""
    return read_model(Cancellation, document, order_id)


def to_document(model: Cancellation) -> dict[str, Any]:
    """The stored form: plain values, absent attributes left out."""
    return model.model_dump(exclude_none=True, exclude_defaults=True)
