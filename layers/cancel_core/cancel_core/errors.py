"""One class for each error. `entrypoints.http.problems` maps the refusals to responses."""

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


# --- errors for clients ---------------------------------------------------------------------------------------------


class Refusal(CancelCoreError):
    """A request that is refused. `order` is the order, under its store's `policy`, if the caller may see it.

    `code` is the name in Adobe Commerce's `cancelOrder`, if it has one.
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
    """The caller's order, which the product has not cancelled."""

    code = "CANCELLATION_NOT_FOUND"


class IdempotencyKeyReused(Refusal):
    """This order was cancelled with the same key, but another body."""

    code = "IDEMPOTENCY_KEY_REUSED"


class OrderNotCancellable(Refusal):
    """A rule blocks it. `code` is the first blocker's; its `item_ids` are listed if it is about items."""

    def __init__(self, blocker: Blocker, *, order: Order, policy: Policy) -> None:
        super().__init__(blocker.message, order=order, policy=policy)
        self.code = blocker.code
        self.item_ids = blocker.item_ids
        self.because = blocker.because


class RequestNotFound(Refusal):
    """There is no request to the shop about this order."""

    code = "CANCELLATION_REQUEST_NOT_FOUND"


class RequestDecided(Refusal):
    """There is no open request: the shop has decided, or the order is cancelled."""

    code = "CANCELLATION_REQUEST_DECIDED"


class InvalidCancellationReason(Refusal):
    """The code is not among the store's reasons."""

    code = "INVALID_CANCELLATION_REASON"


class CommentRequired(Refusal):
    """The store requires a comment for this reason."""

    code = "COMMENT_REQUIRED"


class TooManyCancellations(Refusal):
    """The customer has reached the store's daily limit of cancels. `retry_after`: seconds until the day ends."""

    code = "TOO_MANY_CANCELLATIONS"

    def __init__(self, detail: str, *, order: Order, policy: Policy, retry_after: int) -> None:
        super().__init__(detail, order=order, policy=policy)
        self.retry_after = retry_after


class ConcurrentUpdate(Refusal):
    """The order changed between read and write in every attempt."""

    code = "CONCURRENT_UPDATE"


class OrderTooLarge(Refusal):
    """The order, its cancellation and its refund would not fit into one item of the database."""

    code = "ORDER_TOO_LARGE"


class WithdrawalDisabled(Refusal):
    """The store does not accept statements of withdrawal."""

    code = "WITHDRAWAL_DISABLED"


class AddressMissing(Refusal):
    """Neither the request nor the order has an address for the receipt."""

    code = "INVALID_REQUEST"


class InvalidAccessCode(Refusal):
    """A guest's code that is wrong, expired, used or missing, for an order that may not exist: one answer for all."""

    code = "INVALID_ACCESS_CODE"


class InvalidAccessToken(Refusal):
    """A guest's token that is missing, unknown or expired."""

    code = "INVALID_ACCESS_TOKEN"


class ServiceUnavailable(Refusal):
    """The database throttles or can't be reached. A write may have taken effect; a repeat with the key finds it."""

    code = "SERVICE_UNAVAILABLE"


# --- errors for services ----------------------------------------------------------------------------------------------


class OrderChanged(CancelCoreError):
    """A write whose condition no longer held. `current` is the order as it now is; None if there is none."""

    def __init__(self, current: StoredOrder | None) -> None:
        super().__init__("the order was changed since it was read")
        self.current = current


# --- errors for operators ---------------------------------------------------------------------------------------------


class RequestEnded(CancelCoreError):
    """A request that was to be carried out has ended already, according to its order."""


class OrderUnreadable(CancelCoreError):
    """An order document that can't be read. `faults` name the paths, not the values."""

    def __init__(self, order_id: str, faults: Sequence[str]) -> None:
        super().__init__(f"order {order_id} can't be read: {'; '.join(faults)}")
        self.order_id = order_id
        self.faults = list(faults)


class RefundChanged(CancelCoreError):
    """A refund, its order or the order's ledger was changed concurrently; read it again."""

    def __init__(self, refund_id: str) -> None:
        super().__init__(f"refund {refund_id} or its order was changed meanwhile")


class CancellationErased(CancelCoreError):
    """An order that was cancelled no longer has its cancellation: the order system has overwritten it."""


class PublishFailed(CancelCoreError):
    """The bus accepted some events and rejected others. `failed` holds the positions of the rejected ones."""

    def __init__(self, failed: dict[int, str]) -> None:
        super().__init__(f"the bus refused {len(failed)} event(s): {sorted(set(failed.values()))}")
        self.failed = failed


class ProviderUnavailable(CancelCoreError):
    """The provider is unavailable; the same request is made again later, with the same key.

    The message is for operators and logs: the provider's answer, never a secret.
    """


class MailUnavailable(CancelCoreError):
    """SES is unavailable; the same mail is retried later. The message is SES's error code."""


class MailRefused(CancelCoreError):
    """SES permanently rejects the mail. The message is SES's error code, never an address."""


class GuestCodePostponed(CancelCoreError):
    """Concurrent requests for codes of the same order; the request is retried."""


class MailPostponed(CancelCoreError):
    """A mail about an event could not be sent; the event is retried."""
