"""One class for each thing that can go wrong. How they are answered over HTTP stands in `api` alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class CancelCoreError(Exception):
    """Base of the product's own errors."""


# --- what a client is told ------------------------------------------------------------------------------------------


class Refusal(CancelCoreError):
    """A request that is refused. `order` is the order as the API shows it, where the caller may see it.

    `code` keeps the name that Adobe Commerce's `cancelOrder` uses, where it has one.
    """

    code: str
    status: int
    title: str

    def __init__(self, detail: str, *, order: dict[str, Any] | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.order = order
        self.extra = extra


class InvalidRequest(Refusal):
    """`status` is 400 for no JSON, 415 for another media type, 422 for a wrong shape (`errors` says where)."""

    code, status, title = "INVALID_REQUEST", 422, "The request is not valid"

    def __init__(self, detail: str, *, status: int = 422, errors: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(detail)
        if errors:
            self.extra["errors"] = [{"pointer": pointer, "message": message} for pointer, message in errors]
        self.status = status


class OrderNotFound(Refusal):
    """No such order, or not the caller's."""

    code, status, title = "ORDER_NOT_FOUND", 404, "No such order"


class CancellationNotFound(Refusal):
    """The caller's order, which was not cancelled here."""

    code, status, title = "CANCELLATION_NOT_FOUND", 404, "The order has no cancellation"


class IdempotencyKeyReused(Refusal):
    """The key made this order's cancellation, with another body."""

    code, status, title = "IDEMPOTENCY_KEY_REUSED", 422, "The idempotency key was used with another body"


class CancellationDisabled(Refusal):
    """Not enabled for the order's store: its config says so, is missing, or never was right."""

    code, status, title = "ORDER_CANCELLATION_DISABLED", 409, "Cancelling is not enabled"


class InvalidOrderStatus(Refusal):
    """The status is not among the cancellable ones."""

    code, status, title = "INVALID_ORDER_STATUS", 409, "The order's status does not allow cancelling"


class PartialOrderItemShipped(Refusal):
    """An item has shipped; `item_ids` names each that has."""

    code, status, title = "PARTIAL_ORDER_ITEM_SHIPPED", 409, "Part of the order has shipped"


class InvalidCancellationReason(Refusal):
    """The code is not among the store's reasons."""

    code, status, title = "INVALID_CANCELLATION_REASON", 422, "The reason is not one of the store's"


class ConcurrentUpdate(Refusal):
    """Each try to write found the order changed since it was read."""

    code, status, title = "CONCURRENT_UPDATE", 409, "The order kept changing"


class OrderTooLarge(Refusal):
    """The order, its cancellation and its refund would not fit into one item of the database."""

    code, status, title = "ORDER_TOO_LARGE", 409, "The order is too large to be written"


class ServiceUnavailable(Refusal):
    """The database throttles or can't be reached. A write may have taken effect; a repeat with the key tells."""

    code, status, title = "SERVICE_UNAVAILABLE", 503, "Try again shortly"


# --- what an operator is told ---------------------------------------------------------------------------------------


class OrderUnreadable(CancelCoreError):
    """An order document that can't be read. `faults` name the places, not the values."""

    def __init__(self, order_id: str, faults: Sequence[str]) -> None:
        super().__init__(f"order {order_id} can't be read: {'; '.join(faults)}")
        self.order_id = order_id
        self.faults = list(faults)


class CancellationErased(CancelCoreError):
    """An order that was cancelled no longer carries its cancellation: the order system has written over it."""


class PublishFailed(CancelCoreError):
    """The bus took some events and refused others. `failed` holds the positions of those it refused."""

    def __init__(self, failed: dict[int, str]) -> None:
        super().__init__(f"the bus refused {len(failed)} event(s): {sorted(set(failed.values()))}")
        self.failed = failed
