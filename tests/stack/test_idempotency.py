"""Idempotency-Key, repeats, and many at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.support import documents
from tests.support.aws import EventWatch
from tests.support.openapi import body_of
from tests.support.shop import CANCELLATION, Shop, refused


def replayed(answer: httpx.Response) -> bool:
    assert answer.status_code == 200, answer.text
    return "idempotency-replayed" in answer.headers


def test_a_repeat_answers_with_the_same_cancellation(shop: Shop) -> None:
    order_id = shop.put(items=[documents.row()])
    first = shop.cancel(order_id, key="k", comment="One")
    again = shop.cancel(order_id, key="k", comment="One")
    assert (replayed(first), replayed(again)) == (False, True)
    assert body_of(again) == body_of(first)
    # Nothing was written a second time.
    assert [entry["status"] for entry in shop.stored(order_id)["history"]] == ["pending", "canceled"]


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ('{"reason": "other"}', '{"reason": "other", "comment": null}'),
        ('{"reason": "other", "comment": null}', '{"reason":"other"}'),
        ('{"reason": "other", "comment": "å"}', '{ "comment": "\\u00e5",\n "reason": "\\u006fther" }'),
    ],
)
def test_bodies_are_compared_as_parsed_json(shop: Shop, first: str, again: str) -> None:
    order_id = shop.put()
    headers = {"content-type": "application/json", "idempotency-key": "k"}
    answers = [
        shop.client.post(CANCELLATION, order_id=order_id, headers=headers, content=body.encode())
        for body in (first, again)
    ]
    assert [replayed(answer) for answer in answers] == [False, True]


@pytest.mark.parametrize("other", [{"reason": "no_longer_needed"}, {"reason": "other", "comment": ""}])
def test_the_key_with_another_body_is_refused(shop: Shop, other: dict[str, str]) -> None:
    order_id = shop.put()
    shop.canceled(order_id, reason="other", key="k")
    before = shop.stored(order_id)
    answer = shop.client.post(CANCELLATION, order_id=order_id, headers={"idempotency-key": "k"}, json=other)
    problem = refused(answer, 422, "IDEMPOTENCY_KEY_REUSED")
    assert problem["order"] == shop.order(order_id)
    assert shop.stored(order_id) == before


def test_a_key_belongs_to_its_order(shop: Shop) -> None:
    orders = [shop.put(), shop.put()]
    reasons = ["other", "no_longer_needed"]
    bodies = [shop.cancel(order_id, reason, key="k") for order_id, reason in zip(orders, reasons, strict=True)]
    assert [replayed(answer) for answer in bodies] == [False, False]
    assert len({body_of(answer)["cancellation"]["cancellation_id"] for answer in bodies}) == 2


def test_a_key_belongs_to_its_customer(shop: Shop) -> None:
    order_id = shop.put()
    shop.canceled(order_id, key="k")
    answer = shop.another_customer().post(
        CANCELLATION, order_id=order_id, headers={"idempotency-key": "k"}, json={"reason": "no_longer_needed"}
    )
    refused(answer, 404, "ORDER_NOT_FOUND")


def test_a_refusal_records_nothing(shop: Shop) -> None:
    order_id = shop.put(status="complete")
    refused(shop.cancel(order_id, "unknown", key="k"), 409, "INVALID_ORDER_STATUS")
    shop.put(order_id=order_id)
    refused(shop.cancel(order_id, "unknown", key="k"), 422, "INVALID_CANCELLATION_REASON")
    assert not replayed(shop.cancel(order_id, key="k"))


def test_a_repeat_after_the_feature_was_switched_off(shop: Shop) -> None:
    order_id = shop.put()
    first = shop.canceled(order_id, key="k")
    shop.configure(enabled=False)
    again = shop.cancel(order_id, key="k")
    assert replayed(again)
    assert body_of(again)["cancellation"] == first["cancellation"]


def test_a_repeat_after_the_reason_was_removed(shop: Shop) -> None:
    order_id = shop.put()
    first = shop.canceled(order_id, key="k")
    shop.configure(reasons=[{"code": "new", "description": "Another one"}])
    again = shop.cancel(order_id, key="k")
    assert replayed(again)
    assert body_of(again)["cancellation"]["reason"] == first["cancellation"]["reason"] == documents.REASONS[0]


def test_a_repeat_after_the_refund_shows_order_and_refund_as_they_are(shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    first = shop.canceled(order_id, key="k")
    assert first["order"]["status"] == "canceled"
    ended = shop.refunded(order_id)
    again = shop.cancel(order_id, key="k")
    assert replayed(again)
    body = body_of(again)
    assert body["cancellation"] == ended == body["order"]["cancellation"]
    assert body["order"] == shop.order(order_id)
    assert body["order"]["status"] == "closed"


def at_once(shop: Shop, order_id: str, keys: list[str | None]) -> list[httpx.Response]:
    with ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(lambda key: shop.cancel(order_id, key=key), keys))


def cancels_of(shop: Shop, order_id: str) -> list[Any]:
    return [entry for entry in shop.stored(order_id)["history"] if entry["status"] == "canceled"]


def test_twenty_at_once_with_one_key_are_one_cancel(shop: Shop, events: EventWatch) -> None:
    order_id = shop.put(**documents.paid())
    answers = at_once(shop, order_id, ["k"] * 20)
    assert [answer.status_code for answer in answers] == [200] * 20
    assert len({body_of(answer)["cancellation"]["cancellation_id"] for answer in answers}) == 1
    assert [replayed(answer) for answer in answers].count(False) == 1
    shop.refunded(order_id)
    assert len(cancels_of(shop, order_id)) == 1
    assert shop.stored(order_id)["payments"][0]["amount_refunded"] == 20000
    events.wait_for(order_id, "OrderRefunded")
    assert len({event["detail"]["cancellation_id"] for event in events.of(order_id)}) == 1


@pytest.mark.parametrize("keys", ["none", "each its own"])
def test_twenty_at_once_have_one_winner(shop: Shop, keys: str) -> None:
    order_id = shop.put(**documents.paid())
    answers = at_once(shop, order_id, [None if keys == "none" else f"key-{number}" for number in range(20)])
    won = [answer for answer in answers if answer.status_code == 200]
    assert len(won) == 1
    for answer in answers:
        if answer is not won[0]:
            refused(answer, 409, "INVALID_ORDER_STATUS")
    shop.refunded(order_id)
    stored = shop.stored(order_id)
    assert len(cancels_of(shop, order_id)) == 1
    assert stored["items"][0]["amount_refunded"] == stored["payments"][0]["amount_refunded"] == 20000
    assert json.loads(won[0].content)["cancellation"]["cancellation_id"] == stored["cancellation"]["cancellation_id"]
