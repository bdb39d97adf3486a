"""What is sent again, and how: ETags, 304, compression."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support import documents
from tests.support.client import Client
from tests.support.openapi import body_of
from tests.support.shop import CANCELLATION, ELIGIBILITY, ORDER, REASONS, Shop, refused
from tests.support.waiting import wait_until

ORDERS = "/orders"
OWN = "private, no-cache"
KEPT = ("cache-control", "etag", "vary")
"""What a cache takes over from a 304."""


def get(client: Client, template: str, order_id: str, **headers: str) -> httpx.Response:
    path: dict[str, Any] = {"order_id": order_id} if "{" in template else {}
    return client.get(template, headers={name.replace("_", "-"): text for name, text in headers.items()}, **path)


def kept(answer: httpx.Response) -> dict[str, str | None]:
    return {name: answer.headers.get(name) for name in KEPT}


def large(shop: Shop) -> str:
    """An order whose document does not fit a packet."""
    return shop.put(**documents.paid(items=[documents.invoiced(str(number)) for number in range(1, 31)]))


@pytest.mark.parametrize("template", [ORDERS, ORDER, ELIGIBILITY])
def test_an_answer_is_sent_again_only_when_it_has_changed(shop: Shop, template: str) -> None:
    order_id = shop.put()
    first = get(shop.client, template, order_id)
    assert (first.status_code, first.headers["cache-control"]) == (200, OWN)
    etag = first.headers["etag"]

    same = get(shop.client, template, order_id, if_none_match=etag)
    assert (same.status_code, same.content, kept(same)) == (304, b"", kept(first))
    assert same.headers["x-request-id"] != first.headers["x-request-id"]

    shop.canceled(order_id)
    changed = wait_until(
        lambda: (again := get(shop.client, template, order_id, if_none_match=etag)).status_code == 200 and again,
        what=f"{template} shows the cancel",
    )
    assert changed
    assert changed.headers["etag"] != etag
    assert body_of(changed) != body_of(first)


def test_a_cancellation_is_sent_again_when_its_refund_has_ended(shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    shop.canceled(order_id)
    shop.refunded(order_id)
    first = get(shop.client, CANCELLATION, order_id)
    assert first.headers["cache-control"] == OWN
    assert get(shop.client, CANCELLATION, order_id, if_none_match=first.headers["etag"]).status_code == 304


@pytest.mark.parametrize("template", [ORDER, ELIGIBILITY, CANCELLATION])
def test_who_names_the_etag_of_an_order_that_is_not_theirs_gets_404(shop: Shop, template: str) -> None:
    order_id = shop.put(**documents.paid())
    shop.canceled(order_id)
    etag = get(shop.client, template, order_id).headers["etag"]

    for known in (etag, "*"):
        for client, which in ((shop.another_customer(), order_id), (shop.client, f"{order_id}-none")):
            answer = get(client, template, which, if_none_match=known)
            refused(answer, 404, "ORDER_NOT_FOUND")
            assert kept(answer) == {"cache-control": "no-store", "etag": None, "vary": None}


def test_another_customers_list_is_never_taken_for_ones_own(shop: Shop) -> None:
    shop.put()
    etag = get(shop.client, ORDERS, "").headers["etag"]
    assert body_of(get(shop.another_customer(), ORDERS, "", if_none_match=etag))["orders"] == []


@pytest.mark.parametrize("template", [ORDERS, ORDER, ELIGIBILITY, CANCELLATION, REASONS])
def test_who_takes_gzip_gets_the_same_document_in_fewer_bytes(shop: Shop, template: str) -> None:
    order_id = large(shop)
    for _ in range(10 if template == ORDERS else 0):
        shop.put()
    if template == REASONS:
        many = [{"code": f"reason-{number}", "description": f"Reason number {number}"} for number in range(30)]
        shop.configure(reasons=many)
    if template == CANCELLATION:
        shop.canceled(order_id)
        shop.refunded(order_id, "failed")  # what was paid is too little for so many items
    asked: dict[str, Any] = {"order_id": order_id} if "{" in template else {}
    if template == REASONS:
        asked = {"params": {"store_id": shop.store_id}}

    plain = shop.client.get(template, headers={"accept-encoding": "identity"}, **asked)
    zipped = shop.client.get(template, headers={"accept-encoding": "gzip, deflate, br"}, **asked)
    assert zipped.content == plain.content
    assert (zipped.headers["content-encoding"], plain.headers.get("content-encoding")) == ("gzip", None)
    assert int(zipped.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert zipped.headers["etag"] != plain.headers["etag"]
    for answer in (plain, zipped):
        assert answer.headers["vary"] == "accept-encoding" + (", accept-language" if template == REASONS else "")
        # Whatever is asked for now: who has either has the document.
        for coding in ("identity", "gzip"):
            headers = {"accept-encoding": coding, "if-none-match": answer.headers["etag"]}
            same = shop.client.get(template, headers=headers, **asked)
            assert (same.status_code, same.content, kept(same)) == (304, b"", kept(answer))


def test_a_small_answer_is_sent_as_it_is(shop: Shop) -> None:
    answer = get(shop.client, ORDER, shop.put(), accept_encoding="gzip")
    assert (answer.headers.get("content-encoding"), answer.headers.get("vary")) == (None, None)


def test_what_a_cancel_answers_is_zipped_and_not_kept(shop: Shop) -> None:
    order_id = large(shop)
    canceled, refusal = shop.cancel(order_id), shop.cancel(order_id)
    assert (canceled.status_code, refusal.status_code) == (200, 409)
    assert body_of(refusal)["order"]["items"] == body_of(canceled)["order"]["items"]
    for answer in (canceled, refusal):
        assert answer.headers["content-encoding"] == "gzip"
        assert kept(answer) == {"cache-control": "no-store", "etag": None, "vary": "accept-encoding"}
