from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

from ...models.gateway_message import GatewayMessage
from ...models.guest_access import GuestAccess
from ...models.guest_access_request import GuestAccessRequest
from ...models.problem import Problem
from typing import cast


def _get_kwargs(
    *,
    body: GuestAccessRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/guest-access",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> GatewayMessage | GuestAccess | Problem | None:
    if response.status_code == 202:
        response_202 = GuestAccess.from_dict(response.json())

        return response_202

    if response.status_code == 400:
        response_400 = Problem.from_dict(response.json())

        return response_400

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
) -> Response[GatewayMessage | GuestAccess | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: GuestAccessRequest,
) -> Response[GatewayMessage | GuestAccess | Problem]:
    """Request a code by e-mail

     The answer and its time do not depend on whether the order exists, is a guest's, has this address,
    and whether its store allows guest access (`guest_access`).
    If all of this is true, a six-digit code is mailed to the address *on the order*, with a link to the
    shop's page. It is valid for `expires_in` seconds and can be used once. It expires after five wrong
    attempts,
    or when a newer one is sent. At most three codes are mailed for an order within an hour. Further
    requests are ignored without an error.

    Args:
        body (GuestAccessRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[GatewayMessage | GuestAccess | Problem]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    body: GuestAccessRequest,
) -> GatewayMessage | GuestAccess | Problem | None:
    """Request a code by e-mail

     The answer and its time do not depend on whether the order exists, is a guest's, has this address,
    and whether its store allows guest access (`guest_access`).
    If all of this is true, a six-digit code is mailed to the address *on the order*, with a link to the
    shop's page. It is valid for `expires_in` seconds and can be used once. It expires after five wrong
    attempts,
    or when a newer one is sent. At most three codes are mailed for an order within an hour. Further
    requests are ignored without an error.

    Args:
        body (GuestAccessRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        GatewayMessage | GuestAccess | Problem
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: GuestAccessRequest,
) -> Response[GatewayMessage | GuestAccess | Problem]:
    """Request a code by e-mail

     The answer and its time do not depend on whether the order exists, is a guest's, has this address,
    and whether its store allows guest access (`guest_access`).
    If all of this is true, a six-digit code is mailed to the address *on the order*, with a link to the
    shop's page. It is valid for `expires_in` seconds and can be used once. It expires after five wrong
    attempts,
    or when a newer one is sent. At most three codes are mailed for an order within an hour. Further
    requests are ignored without an error.

    Args:
        body (GuestAccessRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[GatewayMessage | GuestAccess | Problem]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: GuestAccessRequest,
) -> GatewayMessage | GuestAccess | Problem | None:
    """Request a code by e-mail

     The answer and its time do not depend on whether the order exists, is a guest's, has this address,
    and whether its store allows guest access (`guest_access`).
    If all of this is true, a six-digit code is mailed to the address *on the order*, with a link to the
    shop's page. It is valid for `expires_in` seconds and can be used once. It expires after five wrong
    attempts,
    or when a newer one is sent. At most three codes are mailed for an order within an hour. Further
    requests are ignored without an error.

    Args:
        body (GuestAccessRequest):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        GatewayMessage | GuestAccess | Problem
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
