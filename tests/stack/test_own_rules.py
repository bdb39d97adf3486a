"""A store's own rules over HTTP: list, order, eligibility and cancel say the same."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cancel_core.domain.times import iso

from tests.support import documents
from tests.support.openapi import body_of
from tests.support.shop import REASONS, Shop, refused


def listed(shop: Shop, order_id: str) -> dict[str, Any]:
    orders = body_of(shop.client.get("/orders", params={"limit": "100"}))["orders"]
    (row,) = (row for row in orders if row["order_id"] == order_id)
    return dict(row)


def placed(minutes: float) -> str:
    """So many minutes ago."""
    return iso(datetime.now(UTC) - timedelta(minutes=minutes))


def test_within_the_window_everything_says_until_when(shop: Shop) -> None:
    shop.configure(cancel_within_minutes=60)
    order_id = shop.put(placed_at=(at := placed(10)))
    until = iso(datetime.fromisoformat(at) + timedelta(minutes=60))
    assert shop.order(order_id)["cancellable_until"] == until
    assert shop.eligibility(order_id)["cancellable_until"] == until
    assert (listed(shop, order_id)["available_actions"], listed(shop, order_id)["cancellable_until"]) == (
        ["CANCEL"],
        until,
    )
    assert shop.canceled(order_id)["order"]["cancellable_until"] is None


def test_after_the_window_nothing_offers_it(shop: Shop) -> None:
    shop.configure(cancel_within_minutes=60)
    order_id = shop.put(placed_at=placed(61))
    for seen in (shop.order(order_id), listed(shop, order_id)):
        assert (seen["available_actions"], seen["cancellable_until"]) == ([], None)
    eligibility = shop.eligibility(order_id)
    assert [blocker["code"] for blocker in eligibility["blockers"]] == ["CANCELLATION_WINDOW_CLOSED"]
    assert (eligibility["eligible"], eligibility["cancellable_until"]) == (False, None)
    problem = refused(shop.cancel(order_id), 409, "CANCELLATION_WINDOW_CLOSED")
    assert problem["order"]["status"] == "pending"


def test_the_button_goes_when_the_window_closes_though_nothing_was_written(shop: Shop) -> None:
    shop.configure(cancel_within_minutes=1)
    order_id = shop.put(placed_at=iso(datetime.now(UTC) - timedelta(seconds=55)))
    etag = shop.client.get("/orders/{order_id}", order_id=order_id).headers["etag"]
    end = datetime.fromisoformat(shop.stored(order_id)["placed_at"]) + timedelta(seconds=60)
    time.sleep(max(0.0, (end - datetime.now(UTC)).total_seconds()) + 1.1)
    again = shop.client.get("/orders/{order_id}", order_id=order_id, headers={"if-none-match": etag})
    assert again.status_code == 200
    assert body_of(again)["available_actions"] == []
    refused(shop.cancel(order_id), 409, "CANCELLATION_WINDOW_CLOSED")


EXCLUDED = {
    "skus": ["ENGRAVED"],
    "item_types": ["download"],
    "payment_providers": ["invoice"],
    "customer_groups": ["wholesale"],
    "total_above": {"SEK": 50000},
}


@pytest.mark.parametrize(
    ("attributes", "because", "item_ids"),
    [
        ({"items": [documents.row("1"), documents.row("2", sku="ENGRAVED")]}, "sku", ["2"]),
        ({"items": [documents.row("1", type="download"), documents.row("2")]}, "item_type", ["1"]),
        ({"payments": [documents.authorized(20000, provider="invoice")]}, "payment_provider", None),
        ({"customer_group": "wholesale"}, "customer_group", None),
        ({"total": 50001}, "total", None),
    ],
)
def test_what_is_excluded_says_because_of_what(
    shop: Shop, attributes: dict[str, Any], because: str, item_ids: list[str] | None
) -> None:
    shop.configure(excluded=EXCLUDED)
    order_id = shop.put(**attributes)
    (blocker,) = shop.eligibility(order_id)["blockers"]
    assert (blocker["code"], blocker["because"], blocker.get("item_ids")) == ("NOT_CANCELLABLE", because, item_ids)
    assert shop.order(order_id)["available_actions"] == listed(shop, order_id)["available_actions"] == []
    problem = refused(shop.cancel(order_id), 409, "NOT_CANCELLABLE")
    assert (problem["because"], problem.get("item_ids")) == (because, item_ids)
    shop.configure()
    assert shop.canceled(order_id)["order"]["status"] == "canceled"


def test_a_group_that_changes_in_the_midst_of_a_cancel_is_seen(shop: Shop) -> None:
    """The write is made on condition of all that was decided on."""
    shop.configure(excluded=EXCLUDED)
    order_id = shop.put()
    assert shop.actions(order_id) == ["CANCEL"]
    shop.put(order_id=order_id, customer_group="wholesale")
    refused(shop.cancel(order_id), 409, "NOT_CANCELLABLE")


def test_a_reason_that_needs_a_comment_is_taken_with_one_alone(shop: Shop) -> None:
    needy, other = (reason["code"] for reason in documents.REASONS[:2])
    shop.configure(comment_required_for=[needy])
    answer = body_of(shop.client.get(REASONS, params={"store_id": shop.store_id}))
    told = {reason["code"]: reason["comment_required"] for reason in answer["reasons"]}
    assert (told[needy], told[other]) == (True, False)
    order_id = shop.put()
    for comment in (None, "", "  ", "\u200b\u2060 \u00ad", "\u3164"):
        problem = refused(shop.cancel(order_id, needy, comment=comment), 422, "COMMENT_REQUIRED")
        assert problem["errors"][0]["pointer"] == "#/comment"
        assert problem["order"]["available_actions"] == ["CANCEL"]
    refused(shop.cancel(order_id, "nobodys"), 422, "INVALID_CANCELLATION_REASON")
    assert shop.canceled(order_id, reason=needy, comment="Two of them")["cancellation"]["comment"] == "Two of them"
    assert shop.canceled(shop.put(), reason=other)["order"]["status"] == "canceled"


def test_a_repeat_of_a_cancel_that_was_in_time_is_answered_as_it_was(shop: Shop) -> None:
    order_id = shop.put(placed_at=placed(10))
    shop.canceled(order_id, key="k")
    shop.configure(cancel_within_minutes=1, excluded={"total_above": {"SEK": 0}})
    again = shop.cancel(order_id, key="k")
    assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")


def test_a_setting_that_is_wrong_is_not_in_force(shop: Shop) -> None:
    shop.configure(cancel_within_minutes=60)
    shop.accepted()
    order_id = shop.put(placed_at=placed(61))
    shop.configure(cancel_within_minutes="soon")
    refused(shop.cancel(order_id), 409, "CANCELLATION_WINDOW_CLOSED")
