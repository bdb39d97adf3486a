"""The HTTP edge: what of a request is refused, and how errors are answered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cancel_core.api import Answer, ApiRequest, api, cached
from cancel_core.errors import InvalidRequest, OrderNotFound, Refusal, ServiceUnavailable
from cancel_core.policy import read_policy
from cancel_core.telemetry import report_config

from tests.unit.builders import document, order


class Context:
    aws_request_id = "function-request"


def event(body: str | None = None, query: dict[str, str] | None = None, /, **headers: str) -> dict[str, Any]:
    return {
        "rawPath": "/orders/o1/cancellation",
        "routeKey": "POST /orders/{order_id}/cancellation",
        "headers": {"content-type": "application/json"}
        | {name.replace("_", "-"): text for name, text in headers.items()},
        "queryStringParameters": query,
        "pathParameters": {"order_id": "o1"},
        "requestContext": {"requestId": "gateway-request", "authorizer": {"jwt": {"claims": {"sub": "c1"}}}},
        "body": body,
    }


def refused(body: str | None, **headers: str) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        ApiRequest(event(body, **headers)).cancel_request("sub")
    return caught.value


def pointers(refusal: InvalidRequest) -> list[str]:
    return [error["pointer"] for error in refusal.extra["errors"]]


@pytest.mark.parametrize("body", [None, "", "{", "reason=other", '{"reason": NaN}', "[" * 100_000, "\ufeff{}"])
def test_no_json_is_400(body: str | None) -> None:
    assert refused(body).status == 400


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"])
def test_another_media_type_is_415(media_type: str) -> None:
    assert refused('{"reason": "other"}', content_type=media_type).status == 415


def test_a_charset_and_capitals_are_application_json_too() -> None:
    headers = {"content_type": "Application/JSON; charset=utf-8"}

    assert ApiRequest(event('{"reason": "other"}', **headers)).cancel_request("sub").reason == "other"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ("{}", "#/reason"),
        ('{"reason": ""}', "#/reason"),
        ('{"reason": 1}', "#/reason"),
        ('{"reason": null}', "#/reason"),
        (json.dumps({"reason": "x" * 65}), "#/reason"),
        (json.dumps({"reason": "other", "comment": "x" * 501}), "#/comment"),
        ('{"reason": "other", "comment": 1}', "#/comment"),
        ('{"reason": "other", "a/b~c": 1}', "#/a~1b~0c"),
        ('{"reason": "other", "comment": "\\ud800"}', "#/comment"),
        ('["reason"]', "#"),
        ('"other"', "#"),
        ("null", "#"),
    ],
)
def test_a_wrong_shape_is_422_and_says_where(body: str, pointer: str) -> None:
    refusal = refused(body)

    assert refusal.status == 422
    assert pointers(refusal) == [pointer]


@pytest.mark.parametrize("key", ["", "x" * 256, "nyckel-å", "a\tb", "a\x7f"])
def test_a_bad_key_is_422(key: str) -> None:
    assert pointers(refused('{"reason": "other"}', idempotency_key=key)) == ["#/Idempotency-Key"]


def test_everything_wrong_is_told_at_once() -> None:
    assert pointers(refused('{"comment": 1}', idempotency_key="")) == ["#/reason", "#/comment", "#/Idempotency-Key"]


def fingerprint(body: str, key: str = "k", customer_id: str = "c1") -> Any:
    asked = event(body, idempotency_key=key)
    asked["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = customer_id
    return ApiRequest(asked).cancel_request("sub").fingerprint


def test_bodies_are_compared_as_parsed() -> None:
    one = fingerprint('{"reason": "other", "comment": null}')

    assert one == fingerprint('{ "reason" : "oth\\u0065r" }')
    assert one.key == fingerprint('{"reason": "mistake"}').key
    assert one.body != fingerprint('{"reason": "mistake"}').body
    assert one.body != fingerprint('{"reason": "other", "comment": ""}').body
    assert one.key != fingerprint('{"reason": "other"}', key="K").key
    assert one.key != fingerprint('{"reason": "other"}', customer_id="c2").key


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.0", "abc", "", "٣", "1000000"])
def test_a_bad_limit_is_422(limit: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        ApiRequest(event(None, {"limit": limit})).limit()

    assert pointers(caught.value) == ["#/limit"]


def test_the_limit_is_20_unless_given() -> None:
    assert ApiRequest(event()).limit() == 20
    assert ApiRequest(event(None, {"limit": "100"})).limit() == 100


@pytest.mark.parametrize("seconds", [0, 30, 45, 55])
def test_caches_together_hold_a_config_no_longer_than_a_minute(seconds: float) -> None:
    answer = cached(ApiRequest(event()), {"enabled": False}, seconds)

    max_age = int(answer["headers"]["cache-control"].removeprefix("public, max-age="))
    assert max_age + seconds <= 60


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_who_has_the_answer_is_told_so_without_a_body(form: str) -> None:
    etag = cached(ApiRequest(event()), {"enabled": True}, 30)["headers"]["etag"]

    known = cached(ApiRequest(event(if_none_match=form.format(etag))), {"enabled": True}, 30)
    changed = cached(ApiRequest(event(if_none_match=etag)), {"enabled": False}, 30)

    assert (known["statusCode"], known["body"], known["headers"]["etag"]) == (304, "", etag)
    assert changed["statusCode"] == 200


def answered(error: Exception) -> dict[str, Any]:
    @api
    def handler(_request: ApiRequest) -> Answer:
        raise error

    return handler(event(), Context())


def test_a_refusal_is_a_problem_with_code_and_request_id() -> None:
    answer = answered(OrderNotFound("There is no such order."))

    body = json.loads(answer["body"])
    assert answer["statusCode"] == body["status"] == 404
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert answer["headers"]["x-request-id"] == body["request_id"] == "gateway-request"
    assert body["code"] == "ORDER_NOT_FOUND"
    assert body["instance"] == "/orders/o1/cancellation"
    assert {"type", "title", "detail"} <= body.keys()


def test_a_dead_database_is_503_with_a_time_to_try_again() -> None:
    answer = answered(ServiceUnavailable("busy"))

    assert answer["statusCode"] == 503
    assert int(answer["headers"]["retry-after"]) > 0


def test_the_unforeseen_is_500_without_its_detail(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    answer = answered(RuntimeError("the secret of the table"))

    assert answer["statusCode"] == 500
    assert "secret" not in answer["body"]
    assert json.loads(answer["body"])["code"] == "INTERNAL_ERROR"
    assert "the secret of the table" in caplog.text
    assert '"InternalError"' in capsys.readouterr().out


def test_an_order_that_cannot_be_read_is_logged_by_its_places_not_its_values(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = document(total=document()["customer_email"])

    @api
    def handler(_request: ApiRequest) -> Answer:
        return Answer({"total": order(broken).total})

    answer = handler(event(), Context())

    assert answer["statusCode"] == 500
    assert "total" in caplog.text
    assert "someone@example.com" not in caplog.text


def test_a_token_without_the_claim_speaks_for_nobody() -> None:
    assert ApiRequest(event()).customer_id("sub") == "c1"
    assert ApiRequest(event()).customer_id("custom:customer") is None


def test_a_config_that_is_wrong_is_told_in_the_log_and_beside_the_metric(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    @api
    def handler(_request: ApiRequest) -> Answer:
        report_config(read_policy("se", None, {"scope": "store:se", "enabled": "perhaps"}))
        return Answer({})

    handler(event(), Context())

    told = "scope store:se: enabled is neither Yes nor No; set it to a Boolean, or to the word Yes or No"
    assert told in caplog.text
    metric = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert metric["ConfigInvalid"] == [1.0]
    assert metric["config_problems"] == [told]


@pytest.mark.parametrize("refusal", Refusal.__subclasses__(), ids=lambda refusal: refusal.code)
def test_a_refusal_is_counted_by_its_code(refusal: type[Refusal], capfd: pytest.CaptureFixture[str]) -> None:
    @api
    def handler(_: ApiRequest) -> Answer:
        raise refusal("No.")

    handler(event(), Context())

    (line,) = [json.loads(line) for line in capfd.readouterr().out.splitlines() if '"Refused"' in line]
    (told,) = line["_aws"]["CloudWatchMetrics"]
    assert (told["Namespace"], [sorted(names) for names in told["Dimensions"]]) == (
        "cancel-core",
        [["code", "service"]],
    )
    assert (line["code"], line["service"], line["Refused"]) == (refusal.code, "cancel-core", [1])
