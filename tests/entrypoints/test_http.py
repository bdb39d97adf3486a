"""The HTTP edge: what of a request is refused, and how errors are answered."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from typing import Any, get_args

import pytest
from cancel_core.domain.caller import Customer, Guest
from cancel_core.domain.cancel import CancelRequest
from cancel_core.domain.policy import Policy, read_policy
from cancel_core.domain.rule_settings import PolicyReason
from cancel_core.domain.rules import Blocker, BlockerCode
from cancel_core.entrypoints.http.api import api
from cancel_core.entrypoints.http.cursor import read_cursor, write_cursor
from cancel_core.entrypoints.http.documents import order_view, reasons_view
from cancel_core.entrypoints.http.problems import STATUSES
from cancel_core.entrypoints.http.request import ApiRequest, InvalidRequest
from cancel_core.entrypoints.http.response import ONE_PACKET, Answer, public
from cancel_core.errors import (
    OrderNotCancellable,
    OrderNotFound,
    OrderTooLarge,
    Refusal,
    ServiceUnavailable,
    TooManyCancellations,
)
from cancel_core.telemetry import report_config
from hypothesis import given
from hypothesis import strategies as st

from tests.support.openapi import content_of
from tests.support.orders import ENABLED, document, item, order
from tests.support.tables import NOW


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
        "requestContext": {
            "requestId": "gateway-request",
            "timeEpoch": 1795341600017,
            "http": {"method": "POST"},
            "authorizer": {"jwt": {"claims": {"sub": "c1"}}},
        },
        "body": body,
    }


def cancel_request(asked: dict[str, Any]) -> CancelRequest:
    request = ApiRequest(asked)
    return request.cancel_request(request.caller("sub", lambda _: None))


def refused(body: str | None, **headers: str) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        cancel_request(event(body, **headers))
    return caught.value


def pointers(refusal: InvalidRequest) -> list[str]:
    return [pointer for pointer, _ in refusal.errors]


@pytest.mark.parametrize("body", [None, "", "{", "reason=other", '{"reason": NaN}', "[" * 16_000, "\ufeff{}"])
def test_no_json_is_400(body: str | None) -> None:
    assert refused(body).status == 400


LONGEST = '{"reason": "other", "comment": "' + "x" * 500 + '"' + " " * 15_850 + "}"


@pytest.mark.parametrize(
    "body",
    [
        f"{LONGEST} ",
        "{" * 16_385,
        json.dumps({f"field-{number}": 1 for number in range(90_000)}),
        # Fewer characters than bytes.
        "ö" * 8193,
        "\ud800" * 16_385,
    ],
    ids=["one more", "not JSON", "90,000 fields", "two bytes each", "no characters"],
)
def test_a_body_of_more_than_16_kb_is_413_before_it_is_parsed(body: str) -> None:
    assert refused(body).status == 413
    assert refused(body, content_type="text/plain").status == 413


def test_a_body_of_16_kb_is_taken() -> None:
    assert len(LONGEST) == 16_384
    assert cancel_request(event(LONGEST)).comment == "x" * 500
    assert cancel_request(as_base64(LONGEST)).comment == "x" * 500


@pytest.mark.parametrize("more", [1, 2, 3, 100_000])
def test_a_body_in_base64_is_as_long_as_what_it_stands_for(more: int) -> None:
    with pytest.raises(InvalidRequest) as caught:
        cancel_request(as_base64(LONGEST + " " * more))

    assert caught.value.status == 413


def as_base64(body: str) -> dict[str, Any]:
    return event(base64.b64encode(body.encode()).decode()) | {"isBase64Encoded": True}


def test_ten_errors_are_told_with_short_pointers_and_the_answer_stays_small() -> None:
    fields: dict[str, Any] = {f"{number}{'é' * 300}": 1 for number in range(20)}
    ask = api(lambda request: Answer({"reason": request.cancel_request(request.caller("sub", lambda _: None)).reason}))
    path = "/orders/" + "o" * 9000
    answer = ask(event(json.dumps(fields, ensure_ascii=False)) | {"rawPath": path}, Context())
    problem = json.loads(content_of(answer))

    assert answer["statusCode"] == 422
    assert len(problem["errors"]) == 10
    assert max(len(error["pointer"]) for error in problem["errors"]) == 200
    assert path.startswith(problem["instance"])
    assert len(content_of(answer)) < 8192


@pytest.mark.parametrize(
    "claim",
    [None, "", "[c1]", "[c1 c2]", "[]", "true", "false", "null", "<nil>", '{"a":1}', "map[a:b]", ["c1"], True, 1],
)
def test_a_claim_that_is_no_string_speaks_for_nobody(claim: Any) -> None:
    asked = event()
    asked["requestContext"]["authorizer"]["jwt"]["claims"] = {"sub": claim}

    assert ApiRequest(asked).customer_id("sub") is None
    assert ApiRequest(asked).customer_id("other") is None


@pytest.mark.parametrize("claim", ["c1", "auth0|4711", "[c1", "truest", "a [b]"])
def test_any_other_string_speaks_for_its_customer(claim: str) -> None:
    asked = event()
    asked["requestContext"]["authorizer"]["jwt"]["claims"] = {"sub": claim}

    assert ApiRequest(asked).customer_id("sub") == claim


def test_every_answer_is_taken_for_what_it_is_and_comes_by_tls() -> None:
    def fail(_: ApiRequest) -> Answer:
        raise ValueError

    def refuse(_: ApiRequest) -> Answer:
        raise OrderNotFound("There is no such order.")

    answers = [api(handle)(event(), Context()) for handle in (fail, refuse, lambda _: Answer(LARGE))]
    assert [answer["statusCode"] for answer in answers] == [500, 404, 200]
    for answer in [*answers, sent(LARGE), sent(SMALL, if_none_match="*"), sent(LARGE, accept_encoding="gzip")]:
        assert answer["headers"]["x-content-type-options"] == "nosniff"
        assert answer["headers"]["strict-transport-security"] == "max-age=31536000"


def cursor_of(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        cursor_of("[" * 5000),
        cursor_of("[" * 100_000),
        cursor_of('{"a":' * 1000),
        cursor_of("1" * 5000),
        "A" * 1_000_000,
    ],
    ids=["nested", "nested and long", "objects", "a long number", "long"],
)
def test_no_cursor_is_more_than_a_bad_one(cursor: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_cursor(cursor, "c1")

    assert pointers(caught.value) == ["#/cursor"]


def test_the_longest_cursor_is_read() -> None:
    last = {"placed_at": "\x01" * 255, "order_id": "o" * 1024}

    assert read_cursor(write_cursor(last, "c1"), "c1") == last


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"])
def test_another_media_type_is_415(media_type: str) -> None:
    assert refused('{"reason": "other"}', content_type=media_type).status == 415


def test_a_charset_and_capitals_are_application_json_too() -> None:
    headers = {"content_type": "Application/JSON; charset=utf-8"}

    assert cancel_request(event('{"reason": "other"}', **headers)).reason == "other"


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
    return cancel_request(asked).fingerprint


def test_bodies_are_compared_as_parsed() -> None:
    one = fingerprint('{"reason": "other", "comment": null}')

    assert one == fingerprint('{ "reason" : "oth\\u0065r" }')
    assert one.key == fingerprint('{"reason": "mistake"}').key
    assert one.body != fingerprint('{"reason": "mistake"}').body
    assert one.body != fingerprint('{"reason": "other", "comment": ""}').body
    assert one.key != fingerprint('{"reason": "other"}', key="K").key
    assert one.key != fingerprint('{"reason": "other"}', customer_id="c2").key


def test_a_comment_can_not_be_confirmed_by_its_fingerprint() -> None:
    """It stays when the comment is erased, and must not allow a guess of the comment to be confirmed."""
    comment = "no longer needed"
    body = json.dumps({"reason": "other", "comment": comment})
    fingerprints = {fingerprint(body, key=key, customer_id=who).body for key in "ab" for who in ("c1", "c2")}

    assert len(fingerprints) == 4
    plain = json.dumps(["other", comment])
    assert hashlib.sha256(plain.encode()).hexdigest() not in fingerprints


def test_a_customers_fingerprint_is_what_orders_hold() -> None:
    """Cancellations that earlier versions wrote are replayed by it."""
    told = fingerprint('{"reason": "other", "comment": "x"}')

    assert told.key == "0c0a3f68d859ed4c83bdc1d6dda2a5025597c5fad17dfac7b2c8ec6f0bd3a7f8"
    assert told.body == "1867b6a44e69ed91efb488266b66b39750de06bcdd0ea7d79bbbd911667a7862"


def test_a_guests_keys_are_the_orders_and_nobody_elses() -> None:
    def told(caller: Customer | Guest) -> Any:
        asked = event('{"reason": "other"}', idempotency_key="k") | {"pathParameters": {"order_id": "o1"}}
        return ApiRequest(asked).cancel_request(caller).fingerprint

    one = told(Guest("o1", "2026-11-20T10:00:00Z", "a", b"one token"))

    assert one == told(Guest("o1", "2026-11-20T10:00:00Z", "b", b"the next token"))
    assert one.key != told(Guest("o2", "2026-11-20T10:00:00Z", "a", b"one token")).key
    assert one.key != told(Customer("o1")).key


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
    max_age = int(public(seconds)["cache-control"].removeprefix("public, max-age="))

    assert max_age + seconds <= 60


SMALL = {"enabled": True}
LARGE = {"orders": [{"order_id": f"order-{number}", "total": number * 7919} for number in range(100)]}


def sent(
    body: Any, method: str = "GET", answer_headers: dict[str, str] | None = None, /, **headers: str
) -> dict[str, Any]:
    """What the gateway gets for a request: this document, or the refusal it is."""

    @api
    def handler(_request: ApiRequest) -> Answer:
        if isinstance(body, Exception):
            raise body
        return Answer(body, answer_headers or {})

    asked = event(None, None, **headers)
    asked["requestContext"]["http"]["method"] = method
    return handler(asked, Context())


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', '"other",W/{} ', "*"])
@pytest.mark.parametrize("body", [SMALL, LARGE])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_who_has_the_answer_is_told_so_without_a_body(form: str, body: Any, coding: str) -> None:
    first = sent(body, accept_encoding=coding)
    etag = first["headers"]["etag"]

    known = sent(body, accept_encoding=coding, if_none_match=form.format(etag))
    changed = sent(body | {"more": 1}, accept_encoding=coding, if_none_match=etag)

    # All that a cache would take over from a 200.
    headers = {name: text for name, text in first["headers"].items() if name != "content-encoding"}
    assert known == {"statusCode": 304, "headers": headers, "body": ""}
    assert changed["statusCode"] == 200
    assert changed["headers"]["etag"] != etag


@pytest.mark.parametrize("form", ["", '"other"', "other", '"', 'W/"other", "more"', "**"])
def test_who_has_another_answer_gets_this_one(form: str) -> None:
    assert sent(SMALL, if_none_match=form)["statusCode"] == 200


def test_plain_and_zipped_have_etags_of_their_own_and_either_is_known() -> None:
    plain, zipped = sent(LARGE), sent(LARGE, accept_encoding="gzip")
    etags = plain["headers"]["etag"], zipped["headers"]["etag"]
    assert etags[1] == etags[0].removesuffix('"') + '-gzip"'

    for etag in etags:
        for coding in ("identity", "gzip"):
            # The client is told of what it has: by another's ETag a cache would not know what to renew.
            known = sent(LARGE, accept_encoding=coding, if_none_match=etag)
            assert (known["statusCode"], known["headers"]["etag"]) == (304, etag)


def test_what_is_the_customers_own_is_kept_by_their_browser_alone_and_asked_for_each_time() -> None:
    assert sent(SMALL)["headers"]["cache-control"] == "private, no-cache"
    assert sent(SMALL, "GET", public(30))["headers"]["cache-control"] == "public, max-age=20"


def test_what_a_post_answers_is_not_kept() -> None:
    for headers in ({}, {"if_none_match": "*"}):
        answer = sent(LARGE, "POST", **headers)
        assert (answer["statusCode"], answer["headers"]["cache-control"]) == (200, "no-store")
        assert "etag" not in answer["headers"]


@given(body=st.dictionaries(st.text(max_size=40), st.text() | st.integers()), padding=st.integers(0, 2 * ONE_PACKET))
def test_what_is_zipped_is_what_is_sent_plain(body: dict[str, Any], padding: int) -> None:
    body |= {"padding": "x" * padding}
    for method in ("GET", "POST"):
        plain, zipped = sent(body, method), sent(body, method, accept_encoding="gzip")

        size = len(content_of(plain))
        assert zipped.get("isBase64Encoded", False) is (size > ONE_PACKET)
        assert content_of(zipped) == content_of(plain)
        for answer in (plain, zipped):
            assert answer["headers"].get("vary") == ("accept-encoding" if size > ONE_PACKET else None)


def test_what_is_zipped_holds_no_time_so_that_one_etag_is_of_the_same_bytes() -> None:
    zipped = base64.b64decode(sent(LARGE, accept_encoding="gzip")["body"])

    assert zipped[4:8] == bytes(4)  # MTIME (RFC 1952, 2.3)


def test_what_an_answer_depends_on_is_all_told() -> None:
    for coding, body in itertools.product(("identity", "gzip"), (SMALL, LARGE)):
        answer = sent(body, "GET", {"vary": "accept-language"}, accept_encoding=coding)
        large = "accept-encoding, " if body is LARGE else ""
        assert answer["headers"]["vary"] == f"{large}accept-language"
        etag = answer["headers"]["etag"]
        known = sent(body, "GET", {"vary": "accept-language"}, accept_encoding=coding, if_none_match=etag)
        assert (known["statusCode"], known["headers"]["vary"]) == (304, answer["headers"]["vary"])


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        ("sv", ("sv",)),
        ("sv-SE,sv;q=0.9,en;q=0.5", ("sv-se", "sv", "en")),
        ("en;q=0.5, de;q=0.8, sv", ("sv", "de", "en")),
        ("\tde-AT ;\tQ=0.001 ", ("de-at",)),
        ("da, en-gb;q=0.8, en;q=0.7", ("da", "en-gb", "en")),
        # Of the same weight: as they stand.
        ("fr, de, sv;q=1.000", ("fr", "de", "sv")),
        ("*", ("*",)),
        ("sv, *;q=0.5", ("sv", "*")),
        ("sv;q=0, en", ("en",)),
        ("sv;q=0.000, *;q=0", ()),
        ("pt_BR", ("pt_br",)),
        (",, sv,", ("sv",)),
        ("sv;q=2, de", ("de",)),
        ("sv;q=-1, de;q=x, fi;q=, en;level=1, svenska-på-svenska", ()),
        ("in Swedish, please", ("please",)),
        ("1sv, #, -sv, sv-, sv--se, abcdefghi", ()),
        ("", ()),
        ("\u00e5\u00e4\u00f6; q=1", ()),
    ],
)
def test_languages_are_read_by_their_weights(header: str, languages: tuple[str, ...]) -> None:
    assert ApiRequest(event(accept_language=header)).languages() == languages
    assert ApiRequest(event(accept_language=header)).asked_languages() == languages


def test_a_language_that_is_named_counts_before_the_header() -> None:
    asked = event(accept_language="de")
    assert ApiRequest(event()).asked_languages() == ()
    for query, languages in (({"language": "sv-SE"}, ("sv-SE",)), ({"language": ""}, ("de",)), (None, ("de",))):
        assert ApiRequest(asked | {"queryStringParameters": query}).asked_languages() == languages
    for wrong in ("*", "sv,de", "sv;q=1", "in Swedish", "sv\n", "å", "-", "x" * 9):
        with pytest.raises(InvalidRequest) as refused:
            ApiRequest(asked | {"queryStringParameters": {"language": wrong}}).asked_languages()
        assert (refused.value.status, refused.value.errors[0][0]) == (422, "#/language")


@given(header=st.text() | st.lists(st.sampled_from(["sv", "de-AT", "*", ";q=0.5", ";q=0", ",", " ", "x"])).map("".join))
def test_whatever_a_client_says_that_it_reads_the_reasons_are_told(header: str) -> None:
    words = {"sv": "Annat", "de": "Anderes"}
    policy = Policy(enabled=True, reasons=(PolicyReason("other", "Other", words), PolicyReason("x", "X")))
    first, second = reasons_view(policy, ApiRequest(event(accept_language=header)).asked_languages())["reasons"]
    assert first.keys() == {"code", "description", "comment_required"}
    assert (first["code"], first["description"] in {"Other", *words.values()}) == ("other", True)
    assert (second["code"], second["description"]) == ("x", "X")


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("GZip", True),
        ("\tgzip ;\tQ=0.001 ", True),
        ("*", True),
        ("deflate, *;q=0.5", True),
        ("gzip, *;q=0", True),
        ("gzip, identity", True),
        ("gzip;q=0.5, identity;q=0.5", True),
        ("identity;q=0.2, *;q=0.3", True),
        (",, gzip,", True),
        ("gzip;q=1.000", True),
        ("", False),
        ("identity", False),
        ("deflate, br", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *", False),
        ("*;q=0", False),
        ("identity, gzip;q=0.9", False),
        ("gzip;q=0.5, *", False),
        ("identity;q=0.5, *;q=0.4", False),
        ("x-gzip-2, gzipped", False),
        ("gzip;q=1.1", False),
        ("gzip;q=2", False),
        ("gzip;q=0.1234", False),
        ("gzip;q = 1", False),
        ("gzip;q=", False),
        ("gzip;level=9", False),
        ("gzip q=1", False),
    ],
)
def test_gzip_is_sent_to_who_accepts_it_and_does_not_like_plain_better(header: str, accepted: bool) -> None:
    assert ApiRequest(event(accept_encoding=header)).accepts_gzip() is accepted


def test_who_says_nothing_gets_it_plain() -> None:
    assert ApiRequest(event()).accepts_gzip() is False


def test_a_refusal_with_an_order_is_zipped_too() -> None:
    large = order(items=[item(f"i{number}") for number in range(100)])
    refusal = OrderTooLarge("The order is too large.", order=large, policy=ENABLED)
    for method in ("GET", "POST"):
        answer = sent(refusal, method, accept_encoding="gzip", if_none_match="*")

        assert answer["statusCode"] == 409
        assert json.loads(content_of(answer))["order"] == order_view(large, ENABLED, NOW)
        headers = {name: answer["headers"][name] for name in ("content-type", "cache-control", "vary")}
        assert headers == {
            "content-type": "application/problem+json",
            "cache-control": "no-store",
            "vary": "accept-encoding",
        }
        assert "etag" not in answer["headers"]


@pytest.mark.parametrize(("more", "is_zipped"), [(0, False), (1, True)])
def test_what_fits_a_packet_is_sent_as_it_is(more: int, is_zipped: bool) -> None:
    body = {"a": "å" * 600}
    body["b"] = "x" * (ONE_PACKET - len(content_of(sent(body | {"b": ""}))) + more)

    assert len(content_of(sent(body))) == ONE_PACKET + more
    assert sent(body, accept_encoding="gzip").get("isBase64Encoded", False) is is_zipped


def answered(error: Exception) -> dict[str, Any]:
    return sent(error, "POST")


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


def test_too_many_is_429_with_the_rest_of_the_day_and_the_order() -> None:
    answer = answered(TOO_MANY)

    body = json.loads(answer["body"])
    assert answer["statusCode"] == body["status"] == 429
    assert answer["headers"]["retry-after"] == "3600"
    assert (body["code"], body["order"]["available_actions"]) == ("TOO_MANY_CANCELLATIONS", ["CANCEL"])


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


BLOCKED = [OrderNotCancellable(Blocker(code, "No."), order=order(), policy=ENABLED) for code in get_args(BlockerCode)]
TOO_MANY = TooManyCancellations("No.", order=order(), policy=ENABLED, retry_after=3600)
PLAIN = [kind for kind in Refusal.__subclasses__() if kind not in {OrderNotCancellable, TooManyCancellations}]
REFUSALS = [*(kind("No.") for kind in PLAIN), TOO_MANY, *BLOCKED]


def test_every_refusal_has_a_status_and_no_status_is_without_a_refusal() -> None:
    assert {refusal.code for refusal in REFUSALS} == STATUSES.keys()


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.code)
def test_a_refusal_is_counted_by_its_code(refusal: Refusal, capfd: pytest.CaptureFixture[str]) -> None:
    @api
    def handler(_: ApiRequest) -> Answer:
        raise refusal

    handler(event(), Context())

    (line,) = [json.loads(line) for line in capfd.readouterr().out.splitlines() if '"Refused"' in line]
    (told,) = line["_aws"]["CloudWatchMetrics"]
    assert (told["Namespace"], [sorted(names) for names in told["Dimensions"]]) == (
        "cancel-core",
        [["code", "service"]],
    )
    assert (line["code"], line["service"], line["Refused"]) == (refusal.code, "cancel-core", [1])
