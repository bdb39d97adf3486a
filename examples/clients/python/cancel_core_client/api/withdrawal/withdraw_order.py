from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

from ...models.gateway_message import GatewayMessage
from ...models.order_withdrawal_request import OrderWithdrawalRequest
from ...models.problem import Problem
from ...models.submitted_withdrawal import SubmittedWithdrawal
from ...types import UNSET, Unset
from typing import cast


def _get_kwargs(
    order_id: str,
    *,
    body: OrderWithdrawalRequest,
    idempotency_key: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/orders/{order_id}/withdrawal".format(
            order_id=quote(str(order_id), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> GatewayMessage | Problem | SubmittedWithdrawal | None:
    if response.status_code == 201:
        response_201 = SubmittedWithdrawal.from_dict(response.json())

        return response_201

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
        response_429 = GatewayMessage.from_dict(response.json())

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
) -> Response[GatewayMessage | Problem | SubmittedWithdrawal]:
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
    body: OrderWithdrawalRequest,
    idempotency_key: str | Unset = UNSET,
) -> Response[GatewayMessage | Problem | SubmittedWithdrawal]:
    """Withdraw from the contract of one of my orders

     Like `POST /withdrawals`, but the token identifies the order. Absent fields are taken from the
    order. An address from the order is masked in the answer.
    The receipt's hash is of the statement with the complete address, as in the e-mail. If neither the
    request nor the order has an address, the answer is a 422 for `#/email`.

    Args:
        order_id (str):
        idempotency_key (str | Unset):
        body (OrderWithdrawalRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[GatewayMessage | Problem | SubmittedWithdrawal]
    """

    kwargs = _get_kwargs(
        order_id=order_id,
        body=body,
        idempotency_key=idempotency_key,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    order_id: str,
    *,
    client: AuthenticatedClient | Client,
    body: OrderWithdrawalRequest,
    idempotency_key: str | Unset = UNSET,
) -> GatewayMessage | Problem | SubmittedWithdrawal | None:
    """Withdraw from the contract of one of my orders

     Like `POST /withdrawals`, but the token identifies the order. Absent fields are taken from the
    order. An address from the order is masked in the answer.
    The receipt's hash is of the statement with the complete address, as in the e-mail. If neither the
    request nor the order has an address, the answer is a 422 for `#/email`.

    Args:
        order_id (str):
        idempotency_key (str | Unset):
        body (OrderWithdrawalRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        GatewayMessage | Problem | SubmittedWithdrawal
    """

    return sync_detailed(
        order_id=order_id,
        client=client,
        body=body,
        idempotency_key=idempotency_key,
    ).parsed


async def asyncio_detailed(
    order_id: str,
    *,
    client: AuthenticatedClient | Client,
    body: OrderWithdrawalRequest,
    idempotency_key: str | Unset = UNSET,
) -> Response[GatewayMessage | Problem | SubmittedWithdrawal]:
    """Withdraw from the contract of one of my orders

     Like `POST /withdrawals`, but the token identifies the order. Absent fields are taken from the
    order. An address from the order is masked in the answer.
    The receipt's hash is of the statement with the complete address, as in the e-mail. If neither the
    request nor the order has an address, the answer is a 422 for `#/email`.

    Args:
        order_id (str):
        idempotency_key (str | Unset):
        body (OrderWithdrawalRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[GatewayMessage | Problem | SubmittedWithdrawal]
    """

    kwargs = _get_kwargs(
        order_id=order_id,
        body=body,
        idempotency_key=idempotency_key,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    order_id: str,
    *,
    client: AuthenticatedClient | Client,
    body: OrderWithdrawalRequest,
    idempotency_key: str | Unset = UNSET,
) -> GatewayMessage | Problem | SubmittedWithdrawal | None:
    """Withdraw from the contract of one of my orders

     Like `POST /withdrawals`, but the token identifies the order. Absent fields are taken from the
    order. An address from the order is masked in the answer.
    The receipt's hash is of the statement with the complete address, as in the e-mail. If neither the
    request nor the order has an address, the answer is a 422 for `#/email`.

    Args:
        order_id (str):
        idempotency_key (str | Unset):
        body (OrderWithdrawalRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        GatewayMessage | Problem | SubmittedWithdrawal
    """

    return (
        await asyncio_detailed(
            order_id=order_id,
            client=client,
            body=body,
            idempotency_key=idempotency_key,
        )
    ).parsed
