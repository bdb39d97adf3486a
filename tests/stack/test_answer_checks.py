"""The check that every answer goes through (tests/support) turns red where it should."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.openapi import ApiDocument, UndocumentedAnswerError

FUNCTION = {"content-type": "application/json", "x-request-id": "r1", "cache-control": "no-store"}
READ = FUNCTION | {"cache-control": "private, no-cache", "etag": '"e1"'}
PROBLEM = FUNCTION | {"content-type": "application/problem+json"}
ELIGIBLE = {"order_id": "1", "eligible": True, "approval_required": False, "cancellable_until": None, "blockers": []}
ELIGIBLE |= {"refund": None}
NOT_FOUND = {
    "type": "urn:cancel-core:problem:ORDER_NOT_FOUND",
    "title": "No such order",
    "status": 404,
    "detail": "There is no such order.",
    "instance": "/orders/1/cancellation-eligibility",
    "code": "ORDER_NOT_FOUND",
    "request_id": "r1",
}
OWED = {"currency": "SEK", "amount": 1, "shipping": 1, "fees": 0, "items": [], "not_invoiced": 0}
DISCOUNT = {"item_id": "1", "sku": "S", "qty": 1, "amount": -100}


def without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {other: value for other, value in fields.items() if other != name}


def check(status: int, headers: dict[str, str], body: Any) -> None:
    request = httpx.Request("GET", "http://127.0.0.1/orders/1/cancellation-eligibility")
    answer = httpx.Response(status, json=body, headers=headers, request=request)
    ApiDocument().check("GET", "/orders/{order_id}/cancellation-eligibility", answer)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, READ, ELIGIBLE),
        (200, READ | {"vary": "accept-encoding, Origin"}, ELIGIBLE),
        (200, READ, ELIGIBLE | {"refund": OWED}),
        (200, READ, ELIGIBLE | {"refund": OWED | {"items": [DISCOUNT]}}),
        (404, PROBLEM, NOT_FOUND),
        (404, {"content-type": "application/json"}, {"message": "Not Found"}),
    ],
)
def test_what_is_documented_passes(status: int, headers: dict[str, str], body: Any) -> None:
    check(status, headers, body)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        pytest.param(201, FUNCTION, ELIGIBLE, id="status"),
        pytest.param(200, READ | {"content-type": "text/plain"}, ELIGIBLE, id="media type"),
        pytest.param(200, without(READ, "x-request-id"), ELIGIBLE, id="no request id"),
        pytest.param(200, READ | {"location": "/"}, ELIGIBLE, id="a header that is not documented"),
        pytest.param(200, without(READ, "etag"), ELIGIBLE, id="no ETag"),
        pytest.param(200, READ | {"etag": 'W/"e1"'}, ELIGIBLE, id="a weak ETag"),
        pytest.param(200, READ | {"cache-control": "no-cache"}, ELIGIBLE, id="anyone may keep it"),
        pytest.param(200, READ | {"vary": "authorization"}, ELIGIBLE, id="varies with something else"),
        pytest.param(304, READ, ELIGIBLE, id="a body where there is none"),
        pytest.param(404, PROBLEM | {"etag": '"e1"'}, NOT_FOUND, id="a refusal with an ETag"),
        pytest.param(200, READ, ELIGIBLE | {"more": 1}, id="an unknown field"),
        pytest.param(200, READ, {"order_id": "1"}, id="missing fields"),
        pytest.param(200, READ, ELIGIBLE | {"refund": OWED | {"amount": 1.0}}, id="money with a point"),
        pytest.param(200, READ, ELIGIBLE | {"refund": without(OWED, "not_invoiced")}, id="no word on the surplus"),
        pytest.param(200, READ, ELIGIBLE | {"refund": OWED | {"items": [DISCOUNT | {"amount": 0}]}}, id="a row of 0"),
        pytest.param(200, READ, ELIGIBLE | {"eligible": False}, id="refused without a blocker"),
        pytest.param(404, PROBLEM, NOT_FOUND | {"status": 400}, id="a status that disagrees"),
        pytest.param(404, PROBLEM, NOT_FOUND | {"request_id": "r2"}, id="a request id that disagrees"),
        pytest.param(404, PROBLEM, NOT_FOUND | {"code": "INTERNAL_ERROR"}, id="a code of another status"),
        pytest.param(404, PROBLEM, NOT_FOUND | {"instance": "/orders/2"}, id="an instance that disagrees"),
        pytest.param(503, PROBLEM, NOT_FOUND | {"code": "SERVICE_UNAVAILABLE", "status": 503}, id="no Retry-After"),
    ],
)
def test_what_is_not_documented_is_noticed(status: int, headers: dict[str, str], body: Any) -> None:
    with pytest.raises(UndocumentedAnswerError):
        check(status, headers, body)
