"""A typed client of the API: cancels one order for its customer, and repeats the request until there is an answer.

    TOKEN=... python cancel.py https://api.example.com ORDER_ID REASON

`cancel_core_client` is generated from docs/openapi.yaml by openapi-python-client (`make clients`).
"""

import json
import os
import sys
import time
import uuid

import httpx
from cancel_core_client import AuthenticatedClient
from cancel_core_client.api.cancellation import cancel_order, check_eligibility
from cancel_core_client.models import CancelAnswer, CancelRequest, Eligibility, Problem


class GatewayError(Exception):
    """The gateway's own answer, which has no `code`: a bad token, no such route, too many requests."""


def _tell_gateway_from_functions(response: httpx.Response) -> None:
    """Problems are `application/problem+json`. An error of another type is the gateway's, and no `Problem`."""
    if response.is_error and not response.headers.get("content-type", "").startswith("application/problem+json"):
        response.read()
        raise GatewayError(f"{response.status_code} {response.text}")


def client(url: str, token: str) -> AuthenticatedClient:
    """A client for the customer whose token it is."""
    hooks = {"event_hooks": {"response": [_tell_gateway_from_functions]}}
    return AuthenticatedClient(base_url=url, token=token, httpx_args=hooks, timeout=httpx.Timeout(30))


def cancel(api: AuthenticatedClient, order_id: str, reason: str) -> CancelAnswer | Problem:
    """Cancels the order, or asks the shop to. One key for all tries: the order is cancelled once."""
    key = str(uuid.uuid4())
    for attempt in range(5):
        try:
            body = CancelRequest(reason=reason)
            answer = cancel_order.sync(order_id, client=api, body=body, idempotency_key=key)
        except (httpx.TransportError, GatewayError):
            if attempt == 4:
                raise
        else:
            if isinstance(answer, CancelAnswer):
                return answer
            if isinstance(answer, Problem) and answer.code != "SERVICE_UNAVAILABLE":
                return answer
        time.sleep(2**attempt / 10)
    raise TimeoutError(order_id)


def main(url: str, order_id: str, reason: str) -> None:
    """Says what became of it."""
    with client(url, os.environ.get("TOKEN", "")) as api:
        asked = check_eligibility.sync(order_id, client=api)
        said: dict[str, object] = {"eligible": asked.eligible if isinstance(asked, Eligibility) else None}
        answer = cancel(api, order_id, reason)
    if isinstance(answer, Problem):
        said["refused"] = answer.code
    else:
        said["status"] = answer.order.status
        said["amount"] = refund.amount if (made := answer.order.cancellation) and (refund := made.refund) else 0
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
