from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

from ...models.cancel_answer import CancelAnswer
from ...models.cancel_request import CancelRequest
from ...models.gateway_message import GatewayMessage
from ...models.problem import Problem
from ...types import UNSET, Unset
from typing import cast


def _get_kwargs(
    order_id: str,
    *,
    body: CancelRequest,
    idempotency_key: str | Unset = UNSET,
    accept_language: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    if not isinstance(accept_language, Unset):
        headers["Accept-Language"] = accept_language

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/orders/{order_id}/cancellation".format(
            order_id=quote(str(order_id), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> CancelAnswer | GatewayMessage | Problem | None:
    if response.status_code == 200:
        response_200 = CancelAnswer.from_dict(response.json())

        return response_200

    if response.status_code == 202:
        response_202 = CancelAnswer.from_dict(response.json())

        return response_202

    if response.status_code == 400:
        response_400 = Problem.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = GatewayMessage.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = GatewayMessage.from_dict(response.json())

        return response_403

    if response.status_code == 404:
        response_404 = Problem.from_dict(response.json())

        return response_404

    if response.status_code == 409:
        response_409 = Problem.from_dict(response.json())

        return response_409

    if response.status_code == 413:
        response_413 = Problem.from_dict(response.json())

        return response_413

    if response.status_code == 415:
        response_415 = Problem.from_dict(response.json())

        return response_415

    if response.status_code == 422:
        response_422 = Problem.from_dict(response.json())

        return response_422

    if response.status_code == 429:
        response_429 = Problem.from_dict(response.json())

        return response_429

    if response.status_code == 500:
        response_500 = Problem.from_dict(response.json())

        return response_500

    if response.status_code == 503:
        response_503 = Problem.from_dict(response.json())

        return response_503

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[CancelAnswer | GatewayMessage | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    order_id: str,
    *,
    client: AuthenticatedClient | Client,
    body: CancelRequest,
    idempotency_key: str | Unset = UNSET,
    accept_language: str | Unset = UNSET,
) -> Response[CancelAnswer | GatewayMessage | Problem]:
    """Cancel an order

     The order is cancelled at once. The refund follows asynchronously: `refund.status` changes from
    `pending` to `succeeded` or `failed`.
    If the store decides on cancels (`approval_required` of the eligibility), the cancel becomes a
    request to the shop. The answer is a 202, and the order does not change.

    With an `Idempotency-Key` the request may be repeated at any time. A repeat with the same body
    (compared as parsed JSON, `comment: null` equals none)
    is answered with a 200, the same cancellation, the current state of order and refund, and
    `Idempotency-Replayed: true`. A refusal records nothing, so the key can be used again.
    Without a key, a second cancel is refused with `INVALID_ORDER_STATUS`, or with
    `CANCELLATION_REQUESTED` while a request is open.

    Refusals are checked in this sequence, and the first one is the answer: `INVALID_REQUEST`,
    `ORDER_NOT_FOUND`, the replay of a key and `IDEMPOTENCY_KEY_REUSED`,
    `ORDER_CANCELLATION_DISABLED`, `INVALID_ORDER_STATUS`, `CANCELLATION_REQUESTED`,
    `CANCELLATION_WINDOW_CLOSED`, `NOT_CANCELLABLE`, `PARTIAL_ORDER_ITEM_SHIPPED`,
    `INVALID_CANCELLATION_REASON`, `COMMENT_REQUIRED`, `TOO_MANY_CANCELLATIONS`, `CONCURRENT_UPDATE`,
    `ORDER_TOO_LARGE`, `SERVICE_UNAVAILABLE`.

    Args:
        order_id (str):
        idempotency_key (str | Unset):
        accept_language (str | Unset):
        body (CancelRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[CancelAnswer | GatewayMessage | Problem]
    """

    kwargs = _get_kwargs(
        order_id=order_id,
        body=body,
        idempotency_key=idempotency_key,
        accept_language=accept_language,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    order_id: str,
    *,
    client: AuthenticatedClient | Client,
    body: CancelRequest,
    idempotency_key: str | Unset = UNSET,
    accept_language: str | Unset = UNSET,
) -> CancelAnswer | GatewayMessage | Problem | None:
    """Cancel an order

     The order is cancelled at once. The refund follows asynchronously: `refund.status` changes from
    `pending` to `succeeded` or `failed`.
    If the store decides on cancels (`approval_required` of the eligibility), the cancel becomes a
    request to the shop. The answer is a 202, and the order does not change.

    With an `Idempotency-Key` the request may be repeated at any time. A repeat with the same body
    (compared as parsed JSON, `comment: null` equals none)
    is answered with a 200, the same cancellation, the current state of order and refund, and
    `Idempotency-Replayed: true`. A refusal records nothing, so the key can be used again.
    Without a key, a second cancel is refused with `INVALID_ORDER_STATUS`, or with
    `CANCELLATION_REQUESTED` while a request is open.

    Refusals are checked in this sequence, and the first one is the answer: `INVALID_REQUEST`,
    `ORDER_NOT_FOUND`, the replay of a key and `IDEMPOTENCY_KEY_REUSED`,
    `ORDER_CANCELLATION_DISABLED`, `INVALID_ORDER_STATUS`, `CANCELLATION_REQUESTED`,
    `CANCELLATION_WINDOW_CLOSED`, `NOT_CANCELLABLE`, `PARTIAL_ORDER_ITEM_SHIPPED`,
    `INVALID_CANCELLATION_REASON`, `COMMENT_REQUIRED`, `TOO_MANY_CANCELLATIONS`, `CONCURRENT_UPDATE`,
    `ORDER_TOO_LARGE`, `SERVICE_UNAVAILABLE`.

    Args:
        order_id (str):
        idempotency_key (str | Unset):
        accept_language (str | Unset):
        body (CancelRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        CancelAnswer | GatewayMessage | Problem
    """

    return sync_detailed(
        order_id=order_id,
        client=client,
        body=body,
        idempotency_key=idempotency_key,
        accept_language=accept_language,
    ).parsed


async def asyncio_detailed(
    order_id: str,
    *,
    client: AuthenticatedClient | Client,
    body: CancelRequest,
    idempotency_key: str | Unset = UNSET,
    accept_language: str | Unset = UNSET,
) -> Response[CancelAnswer | GatewayMessage | Problem]:
    """Cancel an order

     The order is cancelled at once. The refund follows asynchronously: `refund.status` changes from
    `pending` to `succeeded` or `failed`.
    If the store decides on cancels (`approval_required` of the eligibility), the cancel becomes a
    request to the shop. The answer is a 202, and the order does not change.

    With an `Idempotency-Key` the request may be repeated at any time. A repeat with the same body
    (compared as parsed JSON, `comment: null` equals none)
    is answered with a 200, the same cancellation, the current state of order and refund, and
    `Idempotency-Replayed: true`. A refusal records nothing, so the key can be used again.
    Without a key, a second cancel is refused with `INVALID_ORDER_STATUS`, or with
    `CANCELLATION_REQUESTED` while a request is open.

    Refusals are checked in this sequence, and the first one is the answer: `INVALID_REQUEST`,
    `ORDER_NOT_FOUND`, the replay of a key and `IDEMPOTENCY_KEY_REUSED`,
    `ORDER_CANCELLATION_DISABLED`, `INVALID_ORDER_STATUS`, `CANCELLATION_REQUESTED`,
    `CANCELLATION_WINDOW_CLOSED`, `NOT_CANCELLABLE`, `PARTIAL_ORDER_ITEM_SHIPPED`,
    `INVALID_CANCELLATION_REASON`, `COMMENT_REQUIRED`, `TOO_MANY_CANCELLATIONS`, `CONCURRENT_UPDATE`,
    `ORDER_TOO_LARGE`, `SERVICE_UNAVAILABLE`.

    Args:
        order_id (str):
        idempotency_key (str | Unset):
        accept_language (str | Unset):
        body (CancelRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[CancelAnswer | GatewayMessage | Problem]
    """

    kwargs = _get_kwargs(
        order_id=order_id,
        body=body,
        idempotency_key=idempotency_key,
        accept_language=accept_language,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    order_id: str,
    *,
    client: AuthenticatedClient | Client,
    body: CancelRequest,
    idempotency_key: str | Unset = UNSET,
    accept_language: str | Unset = UNSET,
) -> CancelAnswer | GatewayMessage | Problem | None:
    """Cancel an order

     The order is cancelled at once. The refund follows asynchronously: `refund.status` changes from
    `pending` to `succeeded` or `failed`.
    If the store decides on cancels (`approval_required` of the eligibility), the cancel becomes a
    request to the shop. The answer is a 202, and the order does not change.

    With an `Idempotency-Key` the request may be repeated at any time. A repeat with the same body
    (compared as parsed JSON, `comment: null` equals none)
    is answered with a 200, the same cancellation, the current state of order and refund, and
    `Idempotency-Replayed: true`. A refusal records nothing, so the key can be used again.
    Without a key, a second cancel is refused with `INVALID_ORDER_STATUS`, or with
    `CANCELLATION_REQUESTED` while a request is open.

    Refusals are checked in this sequence, and the first one is the answer: `INVALID_REQUEST`,
    `ORDER_NOT_FOUND`, the replay of a key and `IDEMPOTENCY_KEY_REUSED`,
    `ORDER_CANCELLATION_DISABLED`, `INVALID_ORDER_STATUS`, `CANCELLATION_REQUESTED`,
    `CANCELLATION_WINDOW_CLOSED`, `NOT_CANCELLABLE`, `PARTIAL_ORDER_ITEM_SHIPPED`,
    `INVALID_CANCELLATION_REASON`, `COMMENT_REQUIRED`, `TOO_MANY_CANCELLATIONS`, `CONCURRENT_UPDATE`,
    `ORDER_TOO_LARGE`, `SERVICE_UNAVAILABLE`.

    Args:
        order_id (str):
        idempotency_key (str | Unset):
        accept_language (str | Unset):
        body (CancelRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        CancelAnswer | GatewayMessage | Problem
    """

    return (
        await asyncio_detailed(
            order_id=order_id,
            client=client,
            body=body,
            idempotency_key=idempotency_key,
            accept_language=accept_language,
        )
    ).parsed
