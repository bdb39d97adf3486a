"""Refusals and failures as RFC 9457 problem details. Only this module maps errors to HTTP statuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cancel_core.entrypoints.http.request import ApiRequest, InvalidRequest
from cancel_core.entrypoints.http.response import respond
from cancel_core.errors import (
    AddressMissing,
    CommentRequired,
    InvalidAccessCode,
    InvalidAccessToken,
    OrderNotCancellable,
    Refusal,
    ServiceUnavailable,
    TooManyCancellations,
)

RETRY_AFTER_SECONDS = 2

STATUSES: Mapping[str, tuple[int, str]] = {
    "INVALID_REQUEST": (422, "The request is not valid"),
    "ORDER_NOT_FOUND": (404, "No such order"),
    "CANCELLATION_NOT_FOUND": (404, "The order has no cancellation"),
    "CANCELLATION_REQUEST_NOT_FOUND": (404, "The order has no cancellation request"),
    "CANCELLATION_REQUEST_DECIDED": (409, "The request has been decided"),
    "IDEMPOTENCY_KEY_REUSED": (422, "The idempotency key was used with another body"),
    "ORDER_CANCELLATION_DISABLED": (409, "Cancelling is not enabled"),
    "INVALID_ORDER_STATUS": (409, "The order's status does not allow cancelling"),
    "CANCELLATION_REQUESTED": (409, "The shop has been asked already"),
    "CANCELLATION_WINDOW_CLOSED": (409, "The time for cancelling is over"),
    "NOT_CANCELLABLE": (409, "The store does not let such orders be cancelled"),
    "PARTIAL_ORDER_ITEM_SHIPPED": (409, "Part of the order has shipped"),
    "INVALID_CANCELLATION_REASON": (422, "The reason is not one of the store's"),
    "COMMENT_REQUIRED": (422, "The reason needs a comment"),
    "TOO_MANY_CANCELLATIONS": (429, "No more orders can be cancelled today"),
    "WITHDRAWAL_DISABLED": (409, "Withdrawing is not enabled"),
    "CONCURRENT_UPDATE": (409, "The order kept changing"),
    "ORDER_TOO_LARGE": (409, "The order is too large to be written"),
    "INVALID_ACCESS_CODE": (401, "The access code is not valid"),
    "INVALID_ACCESS_TOKEN": (401, "The access token is not valid"),
    "SERVICE_UNAVAILABLE": (503, "Try again shortly"),
}
"""The HTTP status and the title of each code. A request that can't be parsed has its own status."""


def refusal_problem(request: ApiRequest, refusal: Refusal) -> dict[str, Any]:
    """The response to a request that is refused, with the order if the caller may see it."""
    status, title = STATUSES[refusal.code]
    extra: dict[str, Any] = {}
    headers: dict[str, str] = {}
    match refusal:
        case InvalidRequest():
            status = refusal.status
            if refusal.errors:
                extra["errors"] = _errors(refusal.errors)
        case AddressMissing():
            extra["errors"] = _errors([("#/email", "must be given, for the order has no address")])
        case OrderNotCancellable():
            extra |= {"because": refusal.because} if refusal.because else {}
            extra |= {"item_ids": list(refusal.item_ids)} if refusal.item_ids else {}
        case CommentRequired():
            extra["errors"] = _errors([("#/comment", "must be given with this reason")])
        case InvalidAccessCode():
            headers["www-authenticate"] = 'Bearer realm="guest"'
        case InvalidAccessToken():
            headers["www-authenticate"] = 'Bearer realm="guest", error="invalid_token"'
        case TooManyCancellations():
            headers["retry-after"] = str(refusal.retry_after)
        case ServiceUnavailable():
            headers["retry-after"] = str(RETRY_AFTER_SECONDS)
    if refusal.order and refusal.policy:
        # Functions that never return an order do not have the rules that its document needs.
        from cancel_core.entrypoints.http.documents import order_view

        extra["order"] = order_view(refusal.order, refusal.policy, request.received)
    return _problem(request, status, refusal.code, title, refusal.detail, extra, headers)


def internal_error(request: ApiRequest) -> dict[str, Any]:
    """The response to an unexpected error: no internal detail, only the id to report."""
    detail = "Something went wrong here. Quote the request id when you ask about it."
    return _problem(request, 500, "INTERNAL_ERROR", "Internal error", detail, {}, {})


def _errors(errors: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"pointer": pointer, "message": message} for pointer, message in errors]


def _problem(
    request: ApiRequest,
    status: int,
    code: str,
    title: str,
    detail: str,
    extra: Mapping[str, Any],
    headers: Mapping[str, str],
) -> dict[str, Any]:
    body = {
        "type": f"urn:cancel-core:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "code": code,
        "request_id": request.request_id,
        **extra,
    }
    return respond(request, status, body, {"content-type": "application/problem+json", **headers})
