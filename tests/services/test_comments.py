"""Comments that have been kept for long enough are taken off their orders, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from cancel_core.adapters.dynamodb.requests import Requests
from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.services.cancel import cancel_order
from cancel_core.services.comments import PARTS, erase_old_comments
from cancel_core.services.process_requests import Desk, OrderSeen, process_requests

from tests.support.orders import paid
from tests.support.tables import NOW, Heard, Shop, request

KEEP = timedelta(days=30)
COMMENT = "I live at Storgatan 1."


@pytest.fixture
def order_id(shop: Shop) -> Iterator[str]:
    order_id = shop.put(paid())
    cancel_order(shop.orders, shop.policies(), request(order_id, comment=COMMENT), lambda: NOW)
    yield order_id
    shop.client.delete_item(TableName=shop.tables["orders"], Key={"order_id": {"S": order_id}})


def a_day(shop: Shop, keep: timedelta, after: timedelta, seconds_left: float = 300) -> int:
    """Each hour's run of the day that begins so long after the cancel."""
    requests = Requests(shop.client, shop.tables["requests"])
    return sum(
        erase_old_comments(shop.orders, requests, keep, NOW + after, part, lambda: seconds_left)
        for part in range(PARTS)
    )


def test_a_comment_goes_within_a_day_once_it_is_old_and_all_else_stays(shop: Shop, order_id: str) -> None:
    before = shop.document(order_id)
    a_day(shop, KEEP, timedelta(days=28))
    assert shop.document(order_id) == before

    # The tables are shared: other tests' comments may go with it.
    assert a_day(shop, KEEP, timedelta(days=31)) >= 1
    del before["cancellation"]["comment"]
    assert shop.document(order_id) == before
    assert a_day(shop, KEEP, timedelta(days=32)) == 0


def test_all_are_kept_unless_a_time_is_set(shop: Shop, order_id: str) -> None:
    assert a_day(shop, timedelta(0), timedelta(days=4000)) == 0
    assert shop.document(order_id)["cancellation"]["comment"] == COMMENT


def test_what_does_not_fit_into_a_run_is_left_to_the_next_day(shop: Shop, order_id: str) -> None:
    assert a_day(shop, KEEP, timedelta(days=31), seconds_left=5) == 0
    assert shop.document(order_id)["cancellation"]["comment"] == COMMENT
    assert a_day(shop, KEEP, timedelta(days=32)) >= 1


def test_an_order_that_was_placed_anew_meanwhile_keeps_its_comment(shop: Shop, order_id: str) -> None:
    assert not shop.orders.erase_comment(order_id, "2020-01-01T00:00:00Z")
    assert shop.document(order_id)["cancellation"]["comment"] == COMMENT


def test_a_requests_comment_goes_from_the_order_and_from_its_row(shop: Shop) -> None:
    shop.configure(approval="always")
    order_id = shop.put(paid())
    cancel_order(shop.orders, shop.policies(), request(order_id, comment=COMMENT), lambda: NOW)
    requests, asked = Requests(shop.client, shop.tables["requests"]), shop.orders.get(order_id)
    assert isinstance(asked, StoredOrder)
    desk = Desk(requests, shop.orders, shop.policies(), Heard())
    assert process_requests(desk, [("1", OrderSeen(None, asked))], lambda: NOW) == []
    (row,) = requests.of_order(order_id)
    assert shop.document(order_id)["cancellation_request"]["comment"] == row["comment"] == COMMENT
    a_day(shop, KEEP, timedelta(days=28))
    assert requests.of_order(order_id) == [row]
    assert a_day(shop, KEEP, timedelta(days=31)) >= 2
    assert "comment" not in shop.document(order_id)["cancellation_request"]
    del row["comment"]
    assert requests.of_order(order_id) == [row]
    shop.client.delete_item(TableName=shop.tables["orders"], Key={"order_id": {"S": order_id}})
    shop.client.delete_item(TableName=shop.tables["requests"], Key={"request_id": {"S": row["request_id"]}})
