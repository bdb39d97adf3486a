from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

from ...models.gateway_message import GatewayMessage
from ...models.problem import Problem
from ...models.submitted_withdrawal import SubmittedWithdrawal
from ...models.withdrawal_request import WithdrawalRequest
from ...types import UNSET, Unset
from typing import cast


def _get_kwargs(
    *,
    body: WithdrawalRequest,
    idempotency_key: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/withdrawals",
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
    *,
    client: AuthenticatedClient | Client,
    body: WithdrawalRequest,
    idempotency_key: str | Unset = UNSET,
) -> Response[GatewayMessage | Problem | SubmittedWithdrawal]:
    """Withdraw from a contract, without a token

     A consumer's statement of withdrawal (Directive 2011/83/EU, Article 11a). It is stored before the
    answer is sent. It needs no account, no matching order and no reason.
    The answer does not depend on whether an order matches, and whether the statement is late or a
    second one. The consumer is notified of the outcome by e-mail.

    With an `Idempotency-Key` the request may be repeated at any time. A repeat is answered with the
    same statement and `Idempotency-Replayed: true`. Bodies are compared as parsed JSON, and a null
    field equals an absent one.

    The body has at most 16,384 bytes. A character that is written as `\\uXXXX` counts as two.

    Args:
        idempotency_key (str | Unset):
        body (WithdrawalRequest): Texts must have visible characters. Control characters other
            than line breaks and tabs, and unpaired surrogates, are refused.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[GatewayMessage | Problem | SubmittedWithdrawal]
    """

    kwargs = _get_kwargs(
        body=body,
        idempotency_key=idempotency_key,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    body: WithdrawalRequest,
    idempotency_key: str | Unset = UNSET,
) -> GatewayMessage | Problem | SubmittedWithdrawal | None:
    """Withdraw from a contract, without a token

     A consumer's statement of withdrawal (Directive 2011/83/EU, Article 11a). It is stored before the
    answer is sent. It needs no account, no matching order and no reason.
    The answer does not depend on whether an order matches, and whether the statement is late or a
    second one. The consumer is notified of the outcome by e-mail.

    With an `Idempotency-Key` the request may be repeated at any time. A repeat is answered with the
    same statement and `Idempotency-Replayed: true`. Bodies are compared as parsed JSON, and a null
    field equals an absent one.

    The body has at most 16,384 bytes. A character that is written as `\\uXXXX` counts as two.

    Args:
        idempotency_key (str | Unset):
        body (WithdrawalRequest): Texts must have visible characters. Control characters other
            than line breaks and tabs, and unpaired surrogates, are refused.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        GatewayMessage | Problem | SubmittedWithdrawal
    """

    return sync_detailed(
        client=client,
        body=body,
        idempotency_key=idempotency_key,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: WithdrawalRequest,
    idempotency_key: str | Unset = UNSET,
) -> Response[GatewayMessage | Problem | SubmittedWithdrawal]:
    """Withdraw from a contract, without a token

     A consumer's statement of withdrawal (Directive 2011/83/EU, Article 11a). It is stored before the
    answer is sent. It needs no account, no matching order and no reason.
    The answer does not depend on whether an order matches, and whether the statement is late or a
    second one. The consumer is notified of the outcome by e-mail.

    With an `Idempotency-Key` the request may be repeated at any time. A repeat is answered with the
    same statement and `Idempotency-Replayed: true`. Bodies are compared as parsed JSON, and a null
    field equals an absent one.

    The body has at most 16,384 bytes. A character that is written as `\\uXXXX` counts as two.

    Args:
        idempotency_key (str | Unset):
        body (WithdrawalRequest): Texts must have visible characters. Control characters other
            than line breaks and tabs, and unpaired surrogates, are refused.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[GatewayMessage | Problem | SubmittedWithdrawal]
    """

    kwargs = _get_kwargs(
        body=body,
        idempotency_key=idempotency_key,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: WithdrawalRequest,
    idempotency_key: str | Unset = UNSET,
) -> GatewayMessage | Problem | SubmittedWithdrawal | None:
    """Withdraw from a contract, without a token

     A consumer's statement of withdrawal (Directive 2011/83/EU, Article 11a). It is stored before the
    answer is sent. It needs no account, no matching order and no reason.
    The answer does not depend on whether an order matches, and whether the statement is late or a
    second one. The consumer is notified of the outcome by e-mail.

    With an `Idempotency-Key` the request may be repeated at any time. A repeat is answered with the
    same statement and `Idempotency-Replayed: true`. Bodies are compared as parsed JSON, and a null
    field equals an absent one.

    The body has at most 16,384 bytes. A character that is written as `\\uXXXX` counts as two.

    Args:
        idempotency_key (str | Unset):
        body (WithdrawalRequest): Texts must have visible characters. Control characters other
            than line breaks and tabs, and unpaired surrogates, are refused.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        GatewayMessage | Problem | SubmittedWithdrawal
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
            idempotency_key=idempotency_key,
        )
    ).parsed
