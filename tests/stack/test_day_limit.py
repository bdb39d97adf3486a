"""So many cancels a day for each customer, over HTTP: switched on and off through the config table."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest

from tests.stack.test_requests import Desk, asked
from tests.support import documents
from tests.support.openapi import body_of
from tests.support.shop import CANCELLATION, Shop, refused

CODE = "TOO_MANY_CANCELLATIONS"


def left_of_the_day() -> float:
    now = datetime.now(UTC)
    return 86400 - (now - now.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()


@pytest.fixture(autouse=True)
def not_at_midnight() -> None:
    if left_of_the_day() < 60:
        pytest.skip("The day ends within a minute, and the count begins again.")


def test_beyond_the_limit_a_cancel_is_refused_for_the_rest_of_the_day(shop: Shop) -> None:
    shop.configure(max_cancels_per_day=2)
    orders = [shop.put() for _ in range(3)]
    for order_id in orders[:2]:
        assert shop.canceled(order_id, key="k")["order"]["status"] == "canceled"

    answer = shop.cancel(orders[2], key="k")

    problem = refused(answer, 429, CODE)
    assert problem["order"]["available_actions"] == ["CANCEL"]
    assert abs(int(answer.headers["retry-after"]) - left_of_the_day()) < 60
    # Eligibility is about the order, not about its customer.
    assert shop.eligibility(orders[2])["eligible"]
    again = shop.cancel(orders[0], key="k")
    assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")
    refused(shop.cancel(orders[0]), 409, "INVALID_ORDER_STATUS")
    refused(shop.cancel(orders[2], "nobodys"), 422, "INVALID_CANCELLATION_REASON")
    theirs = f"{shop.mark}-theirs"
    shop.put_exactly(documents.order(theirs, f"other-{shop.mark}", shop.store_id))
    answer = shop.another_customer().post(CANCELLATION, order_id=theirs, json={"reason": "no_longer_needed"})
    assert answer.status_code == 200
    # Switched off, and on again.
    shop.configure()
    assert shop.canceled(orders[2])["order"]["status"] == "canceled"
    shop.configure(max_cancels_per_day=2)
    refused(shop.cancel(shop.put()), 429, CODE)
    shop.configure(max_cancels_per_day=3)
    assert shop.canceled(shop.put())["order"]["status"] == "canceled"


def test_a_page_of_another_origin_may_read_when_to_come_again(shop: Shop) -> None:
    shop.configure(max_cancels_per_day=1)
    shop.canceled(shop.put())
    answer = shop.client.post(
        CANCELLATION,
        order_id=shop.put(),
        json={"reason": "no_longer_needed"},
        headers={"origin": "https://shop.example.com"},
    )
    refused(answer, 429, CODE)
    assert "retry-after" in answer.headers["access-control-expose-headers"]


def test_of_twenty_at_once_three_are_accepted(shop: Shop) -> None:
    shop.configure(max_cancels_per_day=3)
    orders = [shop.put() for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(shop.cancel, orders))
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [429] * 17
    canceled = {order_id for order_id in orders if shop.order(order_id)["status"] == "canceled"}
    assert canceled == {order_id for order_id, answer in zip(orders, answers, strict=True) if answer.is_success}


def test_of_twenty_about_the_last_order_of_the_day_one_counts(shop: Shop) -> None:
    shop.configure(max_cancels_per_day=1)
    order_id = shop.put()

    def one(_: int) -> httpx.Response:
        return shop.cancel(order_id, key="k")

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(one, range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({body_of(answer)["cancellation"]["cancellation_id"] for answer in answers}) == 1
    refused(shop.cancel(shop.put()), 429, CODE)


def test_a_request_that_is_approved_counts_once_and_is_carried_out_whatever_the_limit(shop: Shop) -> None:
    shop.configure(max_cancels_per_day=1, approval="always")
    order_id, other = shop.put(), shop.put()
    request = asked(shop, order_id, key="k")["cancellation_request"]["request_id"]
    refused(shop.cancel(other), 429, CODE)
    desk = Desk(shop)
    desk.decide(request, "approved")
    assert desk.outcome(request).startswith("Approved")
    assert shop.order(order_id)["status"] in {"canceled", "closed"}
    refused(shop.cancel(other), 429, CODE)
    shop.configure(max_cancels_per_day=2, approval="always")
    assert asked(shop, other)["cancellation_request"]["status"] == "open"
    refused(shop.cancel(shop.put()), 429, CODE)


def test_what_is_kept_names_nobody(shop: Shop) -> None:
    shop.configure(max_cancels_per_day=5)
    cancellation = shop.canceled(shop.put())["cancellation"]["cancellation_id"]
    (day,) = (row for row in shop.aws.rows("limits") if cancellation in row["slots"])
    assert day.keys() == {"counted", "slots", cancellation, "expires_at"}
    assert shop.mark not in day["counted"]
    assert 86400 < float(day["expires_at"]) - datetime.now(UTC).timestamp() < 2 * 86400
