"""What the gateway itself answers: tokens, routes, CORS."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.client import Client
from tests.support.openapi import ApiDocument
from tests.support.shop import CANCELLATION, ELIGIBILITY, ORDER, REASONS, REQUEST, Shop, refused
from tests.support.stack import TABLES, Running

SECURED = [
    *(("GET", "/orders"), ("GET", ORDER), ("GET", ELIGIBILITY), ("GET", CANCELLATION), ("POST", CANCELLATION)),
    ("DELETE", REQUEST),
]


def _part(value: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _tampered(token: str, **claims: object) -> str:
    """The token with other claims under the same signature."""
    head, body, signature = token.split(".")
    decoded: dict[str, object] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return ".".join([head, _part(decoded | claims), signature])


def _unsigned(token: str) -> str:
    return ".".join([_part({"alg": "none", "typ": "JWT"}), token.split(".")[1], ""])


BAD: dict[str, Callable[[str], str | None]] = {
    "none": lambda _: None,
    "empty": lambda _: "",
    "not a bearer": lambda token: f"Basic {token}",
    "no token": lambda _: "Bearer",
    "no JWT": lambda _: "Bearer abc",
    "another customer's name": lambda token: f"Bearer {_tampered(token, sub='somebody-else')}",
    "a longer life": lambda token: f"Bearer {_tampered(token, exp=9999999999)}",
    "no signature": lambda token: f"Bearer {_unsigned(token)}",
    "half a signature": lambda token: f"Bearer {token[:-20]}",
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_no_token_or_a_bad_one_is_401(shop: Shop, anyone: Client, bad: Callable[[str], str | None]) -> None:
    order_id = shop.put()
    assert shop.client.token
    header = bad(shop.client.token)
    headers = {} if header is None else {"authorization": header}
    for method, path in SECURED:
        body: dict[str, Any] = {"json": {"reason": "other"}} if method == "POST" else {}
        path_names: dict[str, Any] = {"order_id": order_id} if "{" in path else {}
        answer = anyone.request(method, path, headers=headers, **body, **path_names)
        assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
    assert shop.order(order_id)["status"] == "pending"


def test_the_reasons_need_no_token(anyone: Client) -> None:
    assert anyone.get(REASONS).status_code == 200
    assert anyone.get(REASONS, headers={"authorization": "Bearer abc"}).status_code == 200


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("POST", "/"),
        ("GET", "/nothing"),
        ("DELETE", "/orders"),
        ("POST", "/orders"),
        ("PUT", "/orders/1"),
        ("DELETE", "/orders/1/cancellation"),
        ("POST", "/orders/1/cancellation-request"),
        ("GET", "/guest/order/cancellation-request"),
        ("POST", "/cancellation-reasons"),
        ("GET", "/orders/1/refund"),
    ],
)
def test_no_such_route_is_the_gateways_404(shop: Shop, method: str, url: str) -> None:
    answer = shop.client.raw(method, url)
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (404, "application/json")
    assert answer.json() == {"message": "Not Found"}


def test_every_answer_of_a_function_has_a_request_id_of_its_own(shop: Shop) -> None:
    order_id = shop.put()
    answers = [
        shop.client.get(ORDER, order_id=order_id),
        shop.client.get(ORDER, order_id="none"),
        shop.cancel(order_id),
    ]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert len(set(ids)) == 3
    assert refused(answers[1], 404, "ORDER_NOT_FOUND")["request_id"] == ids[1]


def test_a_web_shop_on_another_origin_may_read_the_headers(shop: Shop) -> None:
    answer = shop.client.get(ORDER, order_id=shop.put(), headers={"origin": "https://shop.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    exposed = {name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")}
    assert {"idempotency-replayed", "retry-after", "etag", "x-request-id"} <= exposed


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("POST", "/orders/1/cancellation"),
        ("DELETE", "/orders/1/cancellation-request"),
        ("DELETE", "/guest/order/cancellation-request"),
    ],
)
def test_a_preflight_is_answered(anyone: Client, method: str, url: str) -> None:
    answer = anyone.raw(
        "OPTIONS",
        url,
        headers={
            "origin": "https://shop.example",
            "access-control-request-method": method,
            "access-control-request-headers": "authorization,content-type,idempotency-key",
        },
    )
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert method in answer.headers["access-control-allow-methods"]
    allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert {"authorization", "content-type", "idempotency-key", "if-none-match"} <= allowed


def test_the_local_stack_tells_what_it_has(stack: Running) -> None:
    told = httpx.get(f"{stack.endpoint}/local/stack", timeout=30, trust_env=False).json()
    assert told["tables"].keys() == TABLES
    for name in ("endpoint_url", "dynamodb_endpoint_url", "region", "event_bus"):
        assert isinstance(told[name], str)
        assert told[name]
    assert told["queues"]
    # A function for each route, and those behind the bus.
    assert len(told["functions"]) >= len(ApiDocument().operations()) + 3
