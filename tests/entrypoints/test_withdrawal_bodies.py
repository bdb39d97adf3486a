"""Statements of withdrawal at the HTTP edge: what is taken, what is refused and which field is named."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

import pytest
import rfc8785
from cancel_core.domain.values import number
from cancel_core.domain.withdrawal import Statement, WithdrawalRequest
from cancel_core.entrypoints.http.request import ApiRequest, InvalidRequest
from cancel_core.entrypoints.http.withdrawals import AnyonesBody, CustomersBody, mask, submitted
from cancel_core.services.withdraw import Submitted
from hypothesis import given
from hypothesis import strategies as st

from tests.entrypoints.test_http import event

SAID: dict[str, Any] = {"name": "Anna", "email": "anna@example.com", "order": "#4711"}


def asked(body: str, **headers: str) -> WithdrawalRequest:
    return ApiRequest(event(body, **headers)).withdrawal_request(AnyonesBody)


def read(**more: Any) -> dict[str, Any]:
    return dict(asked(json.dumps(SAID | more)).given)


WRONG_ORDERS: list[Any] = ["", "\u00a0\t", "x" * 256, None, 4711, {}]
WRONG_ITEMS: list[Any] = [[], {}, "Mug", [{"item": "x"}] * 201]


def pointers(body: Any, model: type[AnyonesBody] | type[CustomersBody] = AnyonesBody) -> list[str]:
    text = body if isinstance(body, str) else json.dumps(body)
    with pytest.raises(InvalidRequest) as caught:
        ApiRequest(event(text)).withdrawal_request(model)
    assert caught.value.status == 422
    return [pointer for pointer, _ in caught.value.errors]


def test_everything_is_taken_as_it_was_said() -> None:
    whole = SAID | {
        "items": [{"item": "Mug, blue", "qty": 1}, {"item": "MUG-01"}],
        "message": "Zu klein.\r\n\tDanke! 👋",
        "store_id": "se",
        "language": "de-AT",
    }
    request = asked(json.dumps(whole), idempotency_key="k")
    assert request.given == whole
    assert request.key == "k"
    assert request.received.isoformat() == "2026-11-22T10:00:00.017000+00:00"


def test_null_counts_as_not_given() -> None:
    assert read(items=None, message=None, store_id=None, language=None) == SAID
    assert read(items=[{"item": "Mug", "qty": None}])["items"] == [{"item": "Mug"}]


def test_a_customer_need_say_nothing() -> None:
    assert ApiRequest(event("{}")).withdrawal_request(CustomersBody).given == {}
    assert pointers({"order": "o1", "language": "sv"}, CustomersBody) == ["#/order", "#/language"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, ["#/name", "#/email", "#/order"]),
        ([], ["#"]),
        ("null", ["#"]),
        *(
            (SAID | {"name": name}, ["#/name"])
            for name in ("", " ", "\u200b\u2060", "\u3164", "x" * 201, None, 5, ["A"])
        ),
        *((SAID | {"order": text}, ["#/order"]) for text in WRONG_ORDERS),
        *(
            (SAID | {"email": text}, ["#/email"])
            for text in (
                "",
                "anna",
                "a@b@c",
                "a b@c",
                " a@b",
                "a@b,c@d",
                "@b",
                "a@",
                "<a@b>",
                "x" * 250 + "@b.se",
                None,
            )
        ),
        *((SAID | {"items": items}, ["#/items"]) for items in WRONG_ITEMS),
        (SAID | {"items": ["Mug"]}, ["#/items/0"]),
        (SAID | {"items": [{"item": "Mug"}, {"qty": 1}]}, ["#/items/1/item"]),
        (SAID | {"items": [{"item": " "}]}, ["#/items/0/item"]),
        (SAID | {"items": [{"item": "x" * 201}]}, ["#/items/0/item"]),
        (SAID | {"items": [{"item": "Mug", "sku": "M"}]}, ["#/items/0/sku"]),
        (SAID | {"message": "x" * 2001}, ["#/message"]),
        (SAID | {"message": ["x"]}, ["#/message"]),
        (SAID | {"store_id": ""}, ["#/store_id"]),
        (SAID | {"store_id": "x" * 256}, ["#/store_id"]),
        *((SAID | {"language": tag}, ["#/language"]) for tag in ("", "sv ", "svenska språket", "x" * 36, "sv-\n", 1)),
        (SAID | {"reason": "none"}, ["#/reason"]),
        (
            {"name": "", "email": "x", "order": " ", "items": [], "why": 1},
            ["#/items", "#/name", "#/email", "#/order", "#/why"],
        ),
    ],
)
def test_each_field_that_is_wrong_is_named(body: Any, named: list[str]) -> None:
    assert pointers(body) == named


@pytest.mark.parametrize("no_text", ["\\ud800", "a\\udfff", "\\u0000", "Anna\\u0007", "\\u009f.", "\\u007f"])
@pytest.mark.parametrize("field", ["name", "order", "message", "store_id", "email"])
def test_what_is_no_text_is_refused_by_name_and_never_a_failure(field: str, no_text: str) -> None:
    body = json.dumps(SAID | {field: "@"}).replace('"@"', f'"{no_text}@x"')

    assert pointers(body) == [f"#/{field}"]
    item = json.dumps(SAID | {"items": [{"item": "@"}]}).replace('"@"', f'"{no_text}"')
    assert pointers(item) == ["#/items/0/item"]


@pytest.mark.parametrize(
    "quantity", ["1", "1.0", "1e0", "0.5", "1.5", "0.000001", "1000000000", "123456789.012345", "0.30", "10E2"]
)
def test_a_quantity_is_kept_exactly(quantity: str) -> None:
    body = json.dumps(SAID | {"items": [{"item": "Rope", "qty": 0}]}).replace(": 0}", f": {quantity}}}")
    qty = asked(body).given["items"][0]["qty"]

    assert Decimal(str(qty)) == Decimal(quantity)
    # What the canonical form says of it, and what comes back from the table.
    assert Decimal(rfc8785.dumps(qty).decode()) == Decimal(quantity)
    assert number(Decimal(repr(qty))) == qty


@pytest.mark.parametrize(
    "quantity",
    [
        *("0", "-1", "-0.0", "1000000001", "0.0000001", "1e400", "1e-400", "1e999999999999999999999", "9" * 400),
        *("1234567890123456789", "1.0000000000000000001", "0.1234567890123456", "true", '"1"', "[1]", "{}"),
    ],
)
def test_a_quantity_that_is_none_or_would_not_be_kept_exactly_is_refused(quantity: str) -> None:
    body = json.dumps(SAID | {"items": [{"item": "Rope", "qty": 0}]}).replace(": 0}", f": {quantity}}}")

    assert pointers(body) == ["#/items/0/qty"]


@given(st.decimals(Decimal("0.000001"), Decimal(10**9), places=6))
def test_any_quantity_is_kept_exactly_or_refused(quantity: Decimal) -> None:
    body = json.dumps(SAID | {"items": [{"item": "Rope", "qty": 0}]}).replace(": 0}", f": {quantity}}}")

    assert Decimal(rfc8785.dumps(asked(body).given["items"][0]["qty"]).decode()) == quantity


def test_no_number_at_all_is_no_json() -> None:
    with pytest.raises(InvalidRequest) as caught:
        asked('{"name": NaN}')
    assert caught.value.status == 400


# --- how long a body may be


@pytest.mark.parametrize("letter", ["x", "ö", "€", "👟"])
@pytest.mark.parametrize("as_escapes", [True, False])
def test_the_longest_texts_fit_in_any_letters_and_as_escapes(letter: str, as_escapes: bool) -> None:
    longest = {"name": letter * 200, "order": letter * 255, "message": letter * 2000}
    body = json.dumps(SAID | longest, ensure_ascii=as_escapes)
    in_base64 = event(base64.b64encode(body.encode()).decode()) | {"isBase64Encoded": True}

    for one in (event(body), in_base64):
        assert ApiRequest(one).withdrawal_request(AnyonesBody).given == SAID | longest


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(SAID)[:-1] + " " * 16_384 + "}",
        "\\u" + "x" * 16_400,
        "\\u0041" * 8_200,
        "\\u" * 200_000,
        "ö" * 8193,
    ],
)
def test_more_than_16_kb_is_413_before_it_is_parsed(body: str) -> None:
    for one in (event(body), event(base64.b64encode(body.encode()).decode()) | {"isBase64Encoded": True}):
        with pytest.raises(InvalidRequest) as caught:
            ApiRequest(one).withdrawal_request(AnyonesBody)
        assert caught.value.status == 413


def test_a_bad_key_is_named_beside_the_fields() -> None:
    with pytest.raises(InvalidRequest) as caught:
        asked("{}", idempotency_key="ö")
    assert [pointer for pointer, _ in caught.value.errors] == ["#/name", "#/email", "#/order", "#/Idempotency-Key"]


# --- the answer


def test_an_address_that_the_request_did_not_give_is_masked_wherever_it_is_shown() -> None:
    stored = Statement("wdr_1", "2026-11-22T10:00:00.017Z", "se", SAID, "ab", 1)
    made = Submitted(stored, replayed=False)

    own, from_order = (submitted(asked(json.dumps(SAID))._replace(given=given), made) for given in (SAID, {}))
    assert (own.status, own.body["statement"]) == (201, SAID)
    assert from_order.body["statement"] == SAID | {"email": "a•••@example.com"}
    assert own.body["acknowledgement"] == from_order.body["acknowledgement"]
    assert own.body["acknowledgement"] == {"channel": "email", "to": "a•••@example.com"}
    assert "anna@example.com" not in json.dumps(from_order.body)
    assert own.headers == {}
    assert submitted(asked(json.dumps(SAID)), Submitted(stored, replayed=True)).headers == {
        "idempotency-replayed": "true"
    }


@pytest.mark.parametrize(("address", "shown"), [("a@b.se", "a•••@b.se"), ("ö.k@x", "ö•••@x")])
def test_a_mask_is_as_long_for_every_name(address: str, shown: str) -> None:
    assert mask(address) == shown
