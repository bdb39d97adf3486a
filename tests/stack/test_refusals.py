"""POST /orders/{order_id}/cancellation: each refusal, and the order in which they are checked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support import documents
from tests.support.client import PRIVATE_COMMENT
from tests.support.shop import CANCELLATION, Shop, refused

JSON = {"content-type": "application/json"}


def unchanged(shop: Shop, order_id: str, before: dict[str, Any]) -> None:
    assert shop.stored(order_id) == before


# --- 2: the request


@pytest.mark.parametrize("headers", [{}, JSON, {"content-type": "text/plain"}], ids=["no type", "json", "text"])
def test_no_body_is_400_whatever_its_type(shop: Shop, headers: dict[str, str]) -> None:
    refused(shop.client.post(CANCELLATION, order_id=shop.put(), headers=headers, content=b""), 400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"reason=other",
        b'{"reason": "other",}',
        b"\xff\xfe",
        b'{"reason": NaN}',
        b"[" * 16_000,
        b"1" * 5000 + b"x",
    ],
)
def test_what_is_not_json_is_400(shop: Shop, content: bytes) -> None:
    answer = shop.client.post(CANCELLATION, order_id=shop.put(), headers=JSON, content=content)
    refused(answer, 400, "INVALID_REQUEST")


@pytest.mark.parametrize("fields", [1_500, 90_000, 480_000])
@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "application/octet-stream"])
def test_a_body_of_more_than_16_kb_is_413(shop: Shop, fields: int, media_type: str) -> None:
    content = json.dumps({f"f{number}": number for number in range(fields)}).encode()
    answer = shop.client.post(
        CANCELLATION, order_id=shop.put(), headers={"content-type": media_type}, content=content[: 4 * 1024 * 1024]
    )
    problem = refused(answer, 413, "INVALID_REQUEST")
    assert "errors" not in problem
    assert len(answer.content) < 1024


def test_no_more_than_ten_faults_of_a_body_are_told(shop: Shop) -> None:
    body = {f"{number}{'x' * 300}": 1 for number in range(40)}
    problem = refused(shop.client.post(CANCELLATION, order_id=shop.put(), json=body), 422, "INVALID_REQUEST")
    assert len(problem["errors"]) == 10
    assert max(len(error["pointer"]) for error in problem["errors"]) == 200


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", None])
def test_another_media_type_is_415(shop: Shop, media_type: str | None) -> None:
    content = json.dumps({"reason": "other"}).encode()
    headers = {"content-type": media_type} if media_type else {}
    answer = shop.client.post(CANCELLATION, order_id=shop.put(), headers=headers, content=content)
    refused(answer, 415, "INVALID_REQUEST")


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_may_be_named_with_parameters(shop: Shop, media_type: str) -> None:
    content = json.dumps({"reason": "other"}).encode()
    headers = {"content-type": media_type}
    answer = shop.client.post(CANCELLATION, order_id=shop.put(), headers=headers, content=content)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/reason"),
        ({"reason": ""}, "#/reason"),
        ({"reason": None}, "#/reason"),
        ({"reason": 1}, "#/reason"),
        ({"reason": ["other"]}, "#/reason"),
        ({"reason": "x" * 65}, "#/reason"),
        ({"reason": "other", "comment": 5}, "#/comment"),
        ({"reason": "other", "comment": "x" * 501}, "#/comment"),
        ({"reason": "other", "comment": {}}, "#/comment"),
        ({"reason": "other", "order_id": "1"}, "#/order_id"),
        ({"reason": "other", "a/b~c": 1}, "#/a~1b~0c"),
        ([], "#"),
        ("other", "#"),
        (None, "#"),
        (7, "#"),
    ],
)
def test_a_wrong_shape_is_422_and_says_where(shop: Shop, body: object, pointer: str) -> None:
    order_id = shop.put()
    before = shop.stored(order_id)
    content = json.dumps(body).encode()
    answer = shop.client.post(CANCELLATION, order_id=order_id, headers=JSON, content=content)
    problem = refused(answer, 422, "INVALID_REQUEST")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    unchanged(shop, order_id, before)


def test_every_fault_of_a_body_is_told(shop: Shop) -> None:
    answer = shop.client.post(
        CANCELLATION,
        order_id=shop.put(),
        headers={"idempotency-key": "k" * 256},
        json={"reason": "", "comment": 1, "more": True},
    )
    pointers = {error["pointer"] for error in refused(answer, 422, "INVALID_REQUEST")["errors"]}
    assert pointers == {"#/reason", "#/comment", "#/more", "#/Idempotency-Key"}


def test_the_longest_that_is_allowed(shop: Shop) -> None:
    reason = {"code": "r" * 64, "description": "The longest code"}
    shop.configure(reasons=[reason])
    body = shop.canceled(shop.put(), reason="r" * 64, comment="☃" * 500, key="~" * 255)
    assert body["cancellation"]["reason"] == reason
    assert body["cancellation"]["comment"] == "☃" * 500


@pytest.mark.parametrize("key", [b"", b"k" * 256, b"k\xe9y", "nyckel-å".encode(), b"a\tb"])
def test_a_bad_key_is_422(shop: Shop, key: bytes) -> None:
    order_id = shop.put()
    headers: Any = {b"idempotency-key": key}
    answer = shop.client.post(CANCELLATION, order_id=order_id, headers=headers, json={"reason": "other"})
    problem = refused(answer, 422, "INVALID_REQUEST")
    assert [error["pointer"] for error in problem["errors"]] == ["#/Idempotency-Key"]
    assert shop.order(order_id)["status"] == "pending"


@pytest.mark.parametrize("key", ["k", "! ~", "k" * 255, "7c1f0a52-4c0b-4b7e-9d0a-3f9d8a3f5f10"])
def test_a_good_key_is_taken(shop: Shop, key: str) -> None:
    shop.canceled(shop.put(), key=key)


# --- 3 to 7


def test_no_such_order(shop: Shop) -> None:
    problem = refused(shop.cancel("no-such-order"), 404, "ORDER_NOT_FOUND")
    assert "order" not in problem


def test_someone_elses_order(shop: Shop) -> None:
    order_id = shop.put()
    before = shop.stored(order_id)
    answer = shop.another_customer().post(CANCELLATION, order_id=order_id, json={"reason": "other"})
    problem = refused(answer, 404, "ORDER_NOT_FOUND")
    assert "order" not in problem
    unchanged(shop, order_id, before)


def test_a_guests_order_is_nobodys(shop: Shop) -> None:
    document = documents.order(f"{shop.mark}-guest", "", shop.store_id)
    del document["customer_id"]
    shop.put_exactly(document)
    refused(shop.cancel(document["order_id"]), 404, "ORDER_NOT_FOUND")


def test_disabled(shop: Shop) -> None:
    shop.configure(enabled=False)
    order_id = shop.put()
    before = shop.stored(order_id)
    problem = refused(shop.cancel(order_id), 409, "ORDER_CANCELLATION_DISABLED")
    assert problem["order"] == shop.order(order_id)
    unchanged(shop, order_id, before)


def test_status(shop: Shop) -> None:
    order_id = shop.put(status="complete")
    before = shop.stored(order_id)
    problem = refused(shop.cancel(order_id), 409, "INVALID_ORDER_STATUS")
    assert problem["order"] == shop.order(order_id)
    unchanged(shop, order_id, before)


def test_shipped(shop: Shop) -> None:
    order_id = shop.put(
        items=[documents.row("a"), documents.row("b", qty_shipped=1), documents.row("c", qty_shipped=2)]
    )
    before = shop.stored(order_id)
    problem = refused(shop.cancel(order_id), 409, "PARTIAL_ORDER_ITEM_SHIPPED")
    assert problem["item_ids"] == ["b", "c"]
    assert problem["order"] == shop.order(order_id)
    unchanged(shop, order_id, before)


@pytest.mark.parametrize("reason", ["unknown", "OTHER", "other ", "Another reason"])
def test_reason(shop: Shop, reason: str) -> None:
    order_id = shop.put()
    before = shop.stored(order_id)
    problem = refused(shop.cancel(order_id, reason), 422, "INVALID_CANCELLATION_REASON")
    assert problem["order"] == shop.order(order_id)
    unchanged(shop, order_id, before)


def test_a_reason_of_another_store_is_none_of_this_one(shop: Shop) -> None:
    shop.configure(reasons=[{"code": "mine", "description": "Mine alone"}])
    refused(shop.cancel(shop.put(), "no_longer_needed"), 422, "INVALID_CANCELLATION_REASON")


def test_a_second_cancel_without_a_key(shop: Shop) -> None:
    order_id = shop.put()
    first = shop.canceled(order_id, key="k")
    refused(shop.cancel(order_id), 409, "INVALID_ORDER_STATUS")
    problem = refused(shop.cancel(order_id, key="another"), 409, "INVALID_ORDER_STATUS")
    assert problem["order"]["cancellation"] == first["cancellation"]


# --- the order of the checks: an order with everything wrong, corrected from the first check to the last


def test_the_first_check_that_fails_is_answered(shop: Shop) -> None:
    order_id = f"{shop.mark}-all"
    shop.configure(enabled=False)
    body: dict[str, Any] = {"reason": "unknown", "comment": 5}
    key = "k" * 256

    def attempt() -> Any:
        return shop.client.post(CANCELLATION, order_id=order_id, headers={"idempotency-key": key}, json=body)

    # 1 before 2: no token at all.
    bare = shop.client.raw("POST", f"/orders/{order_id}/cancellation", headers={"authorization": ""}, json=body)
    assert (bare.status_code, bare.json()) == (401, {"message": "Unauthorized"})
    # 2 before 3.
    refused(attempt(), 422, "INVALID_REQUEST")
    refused(shop.client.post(CANCELLATION, order_id=order_id, headers=JSON, content=b"{"), 400, "INVALID_REQUEST")
    refused(shop.client.post(CANCELLATION, order_id=order_id, content=b"reason"), 415, "INVALID_REQUEST")
    body["comment"] = None
    refused(attempt(), 422, "INVALID_REQUEST")
    key = "k"
    # 3 before 4.
    refused(attempt(), 404, "ORDER_NOT_FOUND")
    shop.put(order_id=order_id, status="complete", items=[documents.row(qty_shipped=1)])
    # 4 before 5.
    refused(attempt(), 409, "ORDER_CANCELLATION_DISABLED")
    shop.configure()
    # 5 before 6.
    refused(attempt(), 409, "INVALID_ORDER_STATUS")
    shop.put(order_id=order_id, items=[documents.row(qty_shipped=1)])
    # 6 before 7.
    refused(attempt(), 409, "PARTIAL_ORDER_ITEM_SHIPPED")
    shop.put(order_id=order_id)
    refused(attempt(), 422, "INVALID_CANCELLATION_REASON")
    # None of the refusals has recorded the key, so it can go with another body now.
    body["reason"] = "other"
    answer = attempt()
    assert answer.status_code == 200
    assert "idempotency-replayed" not in answer.headers


def test_a_replay_comes_before_everything_after_the_order(shop: Shop) -> None:
    order_id = shop.put()
    first = shop.canceled(order_id, key="k")
    shop.configure_exactly(enabled=False)
    again = shop.cancel(order_id, key="k")
    assert again.status_code == 200
    assert again.json()["cancellation"] == json.loads(json.dumps(first["cancellation"], default=float))
    refused(shop.cancel(order_id, "other", key="k"), 422, "IDEMPOTENCY_KEY_REUSED")
    refused(shop.cancel(order_id), 409, "ORDER_CANCELLATION_DISABLED")


def test_a_refusal_shows_no_comment_and_no_order_of_others(shop: Shop) -> None:
    order_id = shop.put()
    answer = shop.another_customer().post(
        CANCELLATION, order_id=order_id, json={"reason": "other", "comment": PRIVATE_COMMENT}
    )
    assert PRIVATE_COMMENT not in answer.text
    assert shop.store_id not in answer.text


# --- 9: the database's item limit


def size_of(document: dict[str, Any]) -> int:
    """Roughly what DynamoDB counts; the padding makes up nearly all of it."""
    return len(json.dumps(document, default=str))


@pytest.mark.parametrize("where", ["attribute", "items"])
def test_an_order_of_300_kb_is_cancelled_and_refunded(shop: Shop, where: str) -> None:
    if where == "attribute":
        order_id = shop.put(**documents.paid(padding="x" * 299_000))
    else:
        items = [documents.invoiced(str(number), qty_ordered=1, amount=100, name="x" * 700) for number in range(350)]
        order_id = shop.put(status="processing", items=items, payments=[documents.captured(35_000)])
        assert 270_000 < size_of(shop.stored(order_id)) < 320_000
    shop.canceled(order_id)
    assert shop.refunded(order_id)["refund"]["status"] == "succeeded"
    assert shop.order(order_id)["status"] == "closed"


def test_an_order_just_under_400_kb_is_too_large(shop: Shop) -> None:
    order_id = shop.put(**documents.paid(padding="x" * 404_000))
    before = shop.stored(order_id)
    assert shop.eligibility(order_id)["eligible"]
    problem = refused(shop.cancel(order_id), 409, "ORDER_TOO_LARGE")
    assert problem["order"]["order_id"] == order_id
    unchanged(shop, order_id, before)
