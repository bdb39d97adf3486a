"""Reasons in the customer's language over HTTP: what is offered, what a cancel keeps, and who is told which words."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support import documents
from tests.support.aws import EventWatch
from tests.support.client import PLAIN, Client
from tests.support.mails import MAIL
from tests.support.openapi import body_of
from tests.support.shop import CANCELLATION, REASONS, Shop, refused
from tests.support.stack import Running
from tests.support.waiting import wait_until

WORDS = {"sv": "Jag behöver den inte längre", "de": "Ich brauche es nicht mehr"}
OWN = "I no longer need it"
TRANSLATED: list[dict[str, Any]] = [
    {"code": "no_longer_needed", "description": OWN, "descriptions": WORDS},
    {"code": "other", "description": "Other"},
]
SWEDISH_FIRST = "sv-SE, sv;q=0.9, en;q=0.5"


def offered(shop: Shop, client: Client, accept: str | None = None, **params: str) -> str:
    """The words of the first reason; the second one has but one."""
    answer = client.get(
        REASONS,
        params={"store_id": shop.store_id} | params,
        headers={"accept-language": accept} if accept is not None else None,
    )
    assert answer.status_code == 200, answer.text
    assert "accept-language" in answer.headers["vary"]
    first, second = body_of(answer)["reasons"]
    assert [first.keys(), second.keys()] == [{"code", "description", "comment_required"}] * 2
    assert (first["code"], second) == ("no_longer_needed", documents.offered(TRANSLATED[1:])[0])
    return str(first["description"])


@pytest.mark.parametrize(
    ("params", "accept", "words"),
    [
        ({}, None, OWN),
        ({"language": "sv"}, None, WORDS["sv"]),
        ({"language": "SV-fi"}, None, WORDS["sv"]),
        ({"language": "de"}, SWEDISH_FIRST, WORDS["de"]),
        ({"language": "en"}, SWEDISH_FIRST, OWN),
        ({"language": "fi"}, SWEDISH_FIRST, OWN),
        ({"language": ""}, SWEDISH_FIRST, WORDS["sv"]),
        ({}, SWEDISH_FIRST, WORDS["sv"]),
        ({}, "en, sv;q=0.5", OWN),
        ({}, "sv;q=0.1, de;q=0.9", WORDS["de"]),
        ({}, "sv;q=0, *", OWN),
        ({}, "fi, de;q=0.1", WORDS["de"]),
        ({}, ";;;q=what, \x7f", OWN),
    ],
)
def test_reasons_are_told_in_the_language_that_is_asked_for(
    shop: Shop, anyone: Client, params: dict[str, str], accept: str | None, words: str
) -> None:
    shop.configure(reasons=TRANSLATED)
    assert offered(shop, anyone, accept, **params) == words
    # Switched off again, nothing is left of it.
    shop.configure(reasons=[{"code": "no_longer_needed", "description": OWN}, *TRANSLATED[1:]])
    assert offered(shop, anyone, accept, **params) == OWN


@pytest.mark.parametrize("language", ["*", "sv,de", "in Swedish", "sv;q=1", "å"])
def test_a_language_that_is_none_is_refused(shop: Shop, anyone: Client, language: str) -> None:
    problem = refused(
        anyone.get(REASONS, params={"store_id": shop.store_id, "language": language}), 422, "INVALID_REQUEST"
    )
    assert [error["pointer"] for error in problem["errors"]] == ["#/language"]


def test_each_language_has_an_etag_of_its_own(shop: Shop, anyone: Client) -> None:
    shop.configure(reasons=TRANSLATED)
    params = {"store_id": shop.store_id}
    etags = {}
    for language in ("sv", "de", "en"):
        answer = anyone.get(REASONS, params=params, headers={"accept-language": language})
        assert (answer.headers["vary"], answer.headers["cache-control"]) == ("accept-language", "public, max-age=20")
        etags[language] = answer.headers["etag"]
    assert len(set(etags.values())) == 3
    for language, status in (("sv", 304), ("de", 200)):
        headers = {"accept-language": language, "if-none-match": etags["sv"]}
        again = anyone.get(REASONS, params=params, headers=headers)
        assert (again.status_code, again.headers["vary"]) == (status, "accept-language")


def cancel(shop: Shop, order_id: str, accept: str, key: str = "k") -> httpx.Response:
    headers = {"accept-language": accept, "idempotency-key": key}
    return shop.client.post(CANCELLATION, order_id=order_id, headers=headers, json={"reason": "no_longer_needed"})


@pytest.mark.parametrize(
    ("language", "accept", "words"),
    [
        ({"language": "sv"}, "de", WORDS["sv"]),
        ({"language": "fi"}, "de", OWN),
        ({}, "de-AT, en;q=0.5", WORDS["de"]),
        ({}, "en, de;q=0.5", OWN),
        ({}, "?", OWN),
    ],
)
def test_a_cancel_keeps_the_orders_language_or_else_the_requests(
    shop: Shop, language: dict[str, str], accept: str, words: str
) -> None:
    shop.configure(reasons=TRANSLATED)
    order_id = shop.put(**language)
    reason = {"code": "no_longer_needed", "description": words}
    answer = cancel(shop, order_id, accept)
    assert (answer.status_code, body_of(answer)["cancellation"]["reason"]) == (200, reason)
    # Whatever is asked for later, and whatever becomes of the words: it stays as it was.
    again = cancel(shop, order_id, "sv")
    assert (again.headers["idempotency-replayed"], body_of(again)["cancellation"]["reason"]) == ("true", reason)
    shop.configure(reasons=documents.REASONS)
    assert shop.cancellation(order_id)["reason"] == reason
    order = shop.order(order_id)
    assert order["cancellation"]["reason"] == reason
    assert any(entry["comment"].endswith(f": {words}") for entry in order["history"])


def test_words_are_never_taken_for_a_code(shop: Shop) -> None:
    shop.configure(reasons=TRANSLATED, comment_required_for=[WORDS["sv"]])
    order_id = shop.put(language="sv")
    for words in (WORDS["sv"], OWN, "sv"):
        refused(shop.cancel(order_id, words), 422, "INVALID_CANCELLATION_REASON")
    assert shop.canceled(order_id)["cancellation"]["reason"]["description"] == WORDS["sv"]


def test_mails_have_the_words_and_events_the_code(stack: Running, shop: Shop, events: EventWatch) -> None:
    shop.configure(reasons=TRANSLATED, mail=MAIL)
    order_id = shop.put(**documents.paid(language="de", customer_email="anna@example.com"))
    shop.canceled(order_id)

    def notice() -> dict[str, Any] | None:
        mails = httpx.get(f"{stack.endpoint}/local/mails", verify=PLAIN).json()["mails"]
        about = (mail for mail in mails if order_id in mail["subject"] and mail["kind"] == "order_canceled_notice")
        return next(about, None)

    mail = wait_until(notice, what=f"the shop is told of {order_id}")
    assert mail
    assert f"Reason: {WORDS['de']} (no_longer_needed)\n" in mail["text"]
    event = events.wait_for(order_id, "OrderCanceled")
    assert event["reason"] == "no_longer_needed"
    assert WORDS["de"] not in str(event)


def test_words_that_are_wrong_are_told_and_not_in_force(shop: Shop, anyone: Client) -> None:
    shop.configure(reasons=TRANSLATED)
    shop.accepted()
    shop.configure(reasons=[TRANSLATED[0] | {"descriptions": {"sv": " "}}, *TRANSLATED[1:]])
    assert offered(shop, anyone, language="sv") == WORDS["sv"]

    def told() -> bool:
        item = shop.aws.config_item(shop.scope) or {}
        fault = "reason 1 has no description in 'sv'; give it one, or remove it"
        return f"NOT IN FORCE: scope {shop.scope}: {fault}." in str(item.get("validation"))

    wait_until(told, what="the admin is told")
