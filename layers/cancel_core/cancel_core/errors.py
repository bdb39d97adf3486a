"""One class for each error. `entrypoints.http.problems` maps the refusals to answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cancel_core.adapters.dynamodb.stored_order import StoredOrder
    from cancel_core.domain.order import Order
    from cancel_core.domain.policy import Policy
    from cancel_core.domain.rules import Blocker


class CancelCoreError(Exception):
    """Base of the product's own errors."""


# --- what a client is told ------------------------------------------------------------------------------------------


class Refusal(CancelCoreError):
    """A request that is refused. `order` is the order, under its store's `policy`, where the caller may see it.

    `code` keeps the name that Adobe Commerce's `cancelOrder` uses, where it has one.
    """

    code: str

    def __init__(self, detail: str, *, order: Order | None = None, policy: Policy | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.order = order
        self.policy = policy


class OrderNotFound(Refusal):
    """No such order, or not the caller's."""

    code = "ORDER_NOT_FOUND"


class CancellationNotFound(Refusal):
    """The caller's order, which was not cancelled here."""

    code = "CANCELLATION_NOT_FOUND"


class IdempotencyKeyReused(Refusal):
    """The key made this order's cancellation, with another body."""

    code = "IDEMPOTENCY_KEY_REUSED"


class OrderNotCancellable(Refusal):
    """A rule stands against it. `code` is the first blocker's; its `item_ids` are named where items are meant."""

    def __init__(self, blocker: Blocker, *, order: Order, policy: Policy) -> None:
        super().__init__(blocker.message, order=order, policy=policy)
        self.code = blocker.code
        self.item_ids = blocker.item_ids
        self.because = blocker.because


class RequestNotFound(Refusal):
    """The shop was never asked to cancel this order."""

    code = "CANCELLATION_REQUEST_NOT_FOUND"


class RequestDecided(Refusal):
    """There is nothing to take back any more: the shop has decided, or the order is cancelled."""

    code = "CANCELLATION_REQUEST_DECIDED"


class InvalidCancellationReason(Refusal):
    """The code is not among the store's reasons."""

    code = "INVALID_CANCELLATION_REASON"


class CommentRequired(Refusal):
    """The store takes this reason with a comment alone."""

    code = "COMMENT_REQUIRED"


class TooManyCancellations(Refusal):
    """The customer has cancelled as many orders today as the store takes. `retry_after`: seconds until the day ends."""

    code = "TOO_MANY_CANCELLATIONS"

    def __init__(self, detail: str, *, order: Order, policy: Policy, retry_after: int) -> None:
        super().__init__(detail, order=order, policy=policy)
        self.retry_after = retry_after


class ConcurrentUpdate(Refusal):
    """Each try to write found the order changed since it was read."""

    code = "CONCURRENT_UPDATE"


class OrderTooLarge(Refusal):
    """The order, its cancellation and its refund would not fit into one item of the database."""

    code = "ORDER_TOO_LARGE"


class WithdrawalDisabled(Refusal):
    """The store takes no statements of withdrawal."""

    code = "WITHDRAWAL_DISABLED"


class AddressMissing(Refusal):
    """Neither the request nor the order says where a receipt can be sent to."""

    code = "INVALID_REQUEST"


class InvalidAccessCode(Refusal):
    """A guest's code that is wrong, old, used, or none, for an order that may not exist: nobody is told which."""

    code = "INVALID_ACCESS_CODE"


class InvalidAccessToken(Refusal):
    """A guest's token that is missing, unknown or expired."""

    code = "INVALID_ACCESS_TOKEN"


class ServiceUnavailable(Refusal):
    """The database throttles or can't be reached. A write may have taken effect; a repeat with the key tells."""

    code = "SERVICE_UNAVAILABLE"


# --- what services are told -----------------------------------------------------------------------------------------


class OrderChanged(CancelCoreError):
    """A write whose condition no longer held. `current` is the order as it now is; None when there is none."""

    def __init__(self, current: StoredOrder | None) -> None:
        super().__init__("the order was changed since it was read")
        self.current = current


# --- what an operator is told ---------------------------------------------------------------------------------------


class RequestEnded(CancelCoreError):
    """A request that was to be carried out has an end already, which the order carries."""


class OrderUnreadable(CancelCoreError):
    """An order document that can't be read. `faults` name the places, not the values."""

    def __init__(self, order_id: str, faults: Sequence[str]) -> None:
        super().__init__(f"order {order_id} can't be read: {'; '.join(faults)}")
        self.order_id = order_id
        self.faults = list(faults)


class RefundChanged(CancelCoreError):
    """A refund, its order or the order's ledger was changed by somebody else since it was read; read it anew."""

    def __init__(self, refund_id: str) -> None:
        super().__init__(f"refund {refund_id} or its order was changed meanwhile")


class CancellationErased(CancelCoreError):
    """An order that was cancelled no longer carries its cancellation: the order system has written over it."""


class PublishFailed(CancelCoreError):
    """The bus took some events and refused others. `failed` holds the positions of those it refused."""

    def __init__(self, failed: dict[int, str]) -> None:
        super().__init__(f"the bus refused {len(failed)} event(s): {sorted(set(failed.values()))}")
        self.failed = failed


class ProviderUnavailable(CancelCoreError):
    """The provider can't say now; the same request is to be made again later, with the same key.

    The message is for operators and logs: what the provider answered, never a secret.
    """


class MailUnavailable(CancelCoreError):
    """SES can't take the mail now; the same one is to be tried again later. The message is SES's error code."""


class MailRefused(CancelCoreError):
    """The mail will never be taken as it is. The message is SES's error code, never an address."""


class GuestCodePostponed(CancelCoreError):
    """Others asked for codes of the same order at the same moment; the request is to come again."""


class MailPostponed(CancelCoreError):
    """Something that an event is told by could not be sent; the event is to come again."""
