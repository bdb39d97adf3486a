"""What guests send, and who is asked for what: shapes, tokens, and the two queues' messages."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from cancel_core.domain.access import Token
from cancel_core.domain.caller import Customer, Guest
from cancel_core.entrypoints.guest_queue import LATE_AFTER, comes_from, each_code
from cancel_core.entrypoints.http.api import api
from cancel_core.entrypoints.http.guest_documents import access_view, token_view
from cancel_core.entrypoints.http.guest_requests import AccessBody, TokenBody
from cancel_core.entrypoints.http.request import ApiRequest, InvalidRequest
from cancel_core.entrypoints.http.response import Answer
from cancel_core.errors import InvalidAccessCode, InvalidAccessToken, MailPostponed, ServiceUnavailable

GUEST = Guest("o1", "2026-11-20T10:00:00Z", "hash", b"key")
TOKEN = "t" * 43
BOTH = (AccessBody, TokenBody)


def event(body: object = None, route: str = "POST /guest-access", **headers: str) -> dict[str, Any]:
    method, path = route.split(" ")
    return {
        "routeKey": route,
        "rawPath": path,
        "headers": {"content-type": "application/json", **headers},
        "requestContext": {"requestId": "gateway-request", "http": {"method": method}},
        "body": body if isinstance(body, str) else json.dumps(body),
    }


def pointers(body: object, model: type[AccessBody | TokenBody]) -> list[str]:
    with pytest.raises(InvalidRequest) as caught:
        ApiRequest(event(body)).body(model)
    assert caught.value.status == 422
    return [pointer for pointer, _ in caught.value.errors]


# --------------------------------------------------------------------------------------------------------------- shape


@pytest.mark.parametrize("email", ["guest@example.com", "  Guest@Example.com ", "a@b", "å@exämple.se"])
def test_an_address_is_taken_trimmed(email: str) -> None:
    read = ApiRequest(event({"order_id": "o1", "email": email})).body(AccessBody)
    assert read.email == email.strip()


@pytest.mark.parametrize(
    "email",
    [
        *(
            "",
            " ",
            "guest",
            "@example.com",
            "guest@",
            "a@b@c",
            "a b@c",
            "a,b@c",
            "<a@b>",
            "(a)@b",
            "[a]@b",
            "a@b\n@c",
            "a@b\n",
            "a@b\t",
        ),
        *("a\x00@b", "a" * 243 + "@example.com", None, 7, ["a@b"]),
    ],
)
def test_what_is_no_address_is_422_and_says_where(email: object) -> None:
    assert pointers({"order_id": "o1", "email": email}, AccessBody) == ["#/email"]


@pytest.mark.parametrize("order_id", ["", "o" * 256, None, 7])
@pytest.mark.parametrize("model", BOTH)
def test_an_order_id_has_1_to_255_characters(order_id: object, model: type[AccessBody | TokenBody]) -> None:
    assert pointers({"order_id": order_id, "email": "a@b", "code": "1"}, model)[0] == "#/order_id"


def test_wrong_types_and_unknown_fields_are_a_wrong_shape() -> None:
    assert pointers({"order_id": "o1", "code": 123456}, TokenBody) == ["#/code"]
    assert pointers({"order_id": "o1", "code": None}, TokenBody) == ["#/code"]
    assert pointers({"order_id": "o1"}, TokenBody) == ["#/code"]
    assert pointers({"order_id": "o1", "code": "1", "email": "a@b"}, TokenBody) == ["#/email"]
    assert pointers({"email": "a@b", "order_id": "o1", "name": "A"}, AccessBody) == ["#/name"]
    assert pointers([], AccessBody) == ["#"]


@pytest.mark.parametrize("code", ["", "12345", "abcdef", " 123456", "1" * 1000, "\ud800"])
def test_any_text_is_a_code_of_the_right_shape(code: str) -> None:
    assert ApiRequest(event({"order_id": "o1", "code": code})).body(TokenBody).code == code


@pytest.mark.parametrize("model", BOTH)
def test_half_a_character_goes_to_no_database(model: type[AccessBody | TokenBody]) -> None:
    body = {"order_id": "o\ud800", "email": "a@b", "code": "1"}
    body.pop("code" if model is AccessBody else "email")
    assert pointers(body, model) == ["#/order_id"]


# --------------------------------------------------------------------------------------------------------------- token


def asked_for(event: dict[str, Any]) -> tuple[list[str], Any]:
    """The tokens that were looked up, and who asks."""
    seen: list[str] = []

    def find(token: str) -> Guest | None:
        seen.append(token)
        return GUEST if token == TOKEN else None

    return seen, ApiRequest(event).caller("sub", find)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_token_speaks_for_its_guest(scheme: str) -> None:
    seen, caller = asked_for(event(route="GET /guest/order", authorization=f"{scheme} {TOKEN}"))
    assert caller is GUEST
    assert seen == [TOKEN]
    assert ApiRequest(event(route="GET /guest/order")).order_id_of(caller) == "o1"


@pytest.mark.parametrize(
    "credentials", ["", TOKEN, "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN} x", "Bearer é"]
)
def test_what_is_no_token_is_not_looked_up(credentials: str) -> None:
    with pytest.raises(InvalidAccessToken):
        asked_for(event(route="GET /guest/order", authorization=credentials))


def test_an_unknown_token_is_401_before_the_body_is_looked_at() -> None:
    @api
    def handler(request: ApiRequest) -> Answer:
        request.cancel_request(request.caller("sub", lambda _: None))
        raise AssertionError

    for headers in ({}, {"authorization": "Bearer unknown"}):
        answer = handler(event("no JSON", "POST /guest/order/cancellation", **headers), CONTEXT)
        problem = json.loads(answer["body"])
        assert (answer["statusCode"], problem["code"]) == (401, "INVALID_ACCESS_TOKEN")
        assert answer["headers"]["www-authenticate"] == 'Bearer realm="guest", error="invalid_token"'
        assert answer["headers"]["content-type"] == "application/problem+json"


def test_a_customers_route_takes_no_access_token() -> None:
    asked = event(route="GET /orders/{order_id}", authorization=f"Bearer {TOKEN}")
    asked["requestContext"]["authorizer"] = {"jwt": {"claims": {"sub": "c1"}}}
    seen, caller = asked_for(asked)
    assert caller == Customer("c1")
    assert seen == []


CONTEXT = SimpleNamespace(aws_request_id="function-request")


def test_a_code_that_is_not_valid_is_401() -> None:
    @api
    def handler(_request: ApiRequest) -> Answer:
        raise InvalidAccessCode("The code is not valid.")

    answer = handler(event({}, "POST /guest-access/token"), CONTEXT)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (401, "INVALID_ACCESS_CODE")
    assert answer["headers"]["www-authenticate"] == 'Bearer realm="guest"'


def test_the_answers() -> None:
    @api
    def handler(_request: ApiRequest) -> Answer:
        return Answer(access_view(), status=202)

    answer = handler(event({}), CONTEXT)
    assert (answer["statusCode"], json.loads(answer["body"])) == (202, {"expires_in": 900})
    assert answer["headers"]["cache-control"] == "no-store"
    token = Token("abc", datetime(2026, 11, 22, 10, 30, tzinfo=UTC))
    assert token_view(token) == {"token": "abc", "expires_at": "2026-11-22T10:30:00Z"}


# -------------------------------------------------------------------------------------------------------------- queues


def batch(body: str = '{"a": 1}', received: int = 1) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": str(received)}
    message = {"messageId": "m1", "receiptHandle": "r1", "body": body, "attributes": attributes, "eventSourceARN": "q1"}
    return {"Records": [message]}


def test_which_queue_a_batch_comes_from() -> None:
    assert comes_from(batch(), "q1")
    assert not comes_from(batch(), "q2")
    assert not comes_from({"Records": []}, "q1")


@pytest.mark.parametrize("error", [MailPostponed("later"), ServiceUnavailable("busy"), KeyError("order_id")])
def test_what_fails_comes_again_alone(
    error: Exception, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    postponed = []

    def handle(_: Any) -> None:
        raise error

    failed = {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    secret = '{"code": "123456"}'
    for received in (1, LATE_AFTER):
        assert each_code(batch(secret, received), handle, lambda *told: postponed.append(told)) == failed
    assert postponed == [("r1", 1), ("r1", LATE_AFTER)]
    assert "123456" not in caplog.text + capsys.readouterr().out


def test_what_is_done_is_done() -> None:
    seen: list[Any] = []
    assert each_code(batch(), seen.append, lambda *_: None) == {"batchItemFailures": []}
    assert seen == [{"a": 1}]
