"""The shop ships while the customer cancels, forced with a pause between read and write. Never both.

The order system of these tests checks the status alone, and bumps no version.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import boto3
import httpx
import pytest

from examples.shipping import ship
from tests.faults.conftest import World, about
from tests.support import documents
from tests.support.machine import ROOT
from tests.support.proxy import FaultProxy, drop_answer, just_before
from tests.support.shop import Shop, refused
from tests.support.waiting import wait_until

CANCEL = "CancelOrderFunction"
SECONDS = 30
ROUNDS = 20


@contextmanager
def order_system(shop: Shop) -> Iterator[tuple[Any, FaultProxy]]:
    """The orders table as an order system has it, and the proxy that it goes through."""
    info = shop.aws.info
    with FaultProxy(info.dynamodb_endpoint_url) as proxy:
        session = boto3.Session("local", "local", region_name=info.region)
        dynamodb = session.resource("dynamodb", endpoint_url=proxy.url)
        try:
            yield dynamodb.Table(info.tables["orders"]), proxy
        finally:
            dynamodb.meta.client.close()


def in_the_table(shop: Shop, order_id: str) -> tuple[str, bool, bool]:
    """(status, cancelled, shipped)"""
    order = shop.stored(order_id)
    return order["status"], "cancellation" in order, any(row.get("qty_shipped", 0) for row in order["items"])


@pytest.mark.parametrize(
    ("status", "code"), [("complete", "INVALID_ORDER_STATUS"), ("processing", "PARTIAL_ORDER_ITEM_SHIPPED")]
)
def test_what_ships_between_the_cancels_read_and_its_write_is_not_cancelled(
    world: World, shop: Shop, status: str, code: str
) -> None:
    order_id = shop.put(**documents.paid())
    shipped: list[bool] = []
    world.proxies[CANCEL].plan(
        about("UpdateItem", order_id),
        just_before(lambda: shipped.append(ship(shop.aws.orders, order_id, {"1": 2}, status))),
    )

    problem = refused(shop.cancel(order_id), 409, code)

    assert shipped == [True]
    assert in_the_table(shop, order_id) == (status, False, True)
    assert problem["order"]["available_actions"] == []


def test_an_order_that_changes_before_every_write_is_409_and_stays_as_it_is(world: World, shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    captured = itertools.count(10_001)

    def captures_a_little_more() -> None:
        shop.aws.orders.update_item(
            Key={"order_id": order_id},
            UpdateExpression="SET payments = :payments",
            ExpressionAttributeValues={":payments": [documents.captured(next(captured))]},
        )

    proxy, writes = world.proxies[CANCEL], about("UpdateItem", order_id)
    proxy.plan(writes, just_before(captures_a_little_more), times=math.inf)

    problem = refused(shop.cancel(order_id), 409, "CONCURRENT_UPDATE")

    assert problem["order"]["order_id"] == order_id
    assert in_the_table(shop, order_id) == ("processing", False, False)
    proxy.clear()
    assert shop.cancel(order_id).status_code == 200


def test_what_is_cancelled_between_the_shops_read_and_its_write_is_not_shipped(shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    with order_system(shop) as (orders, proxy):
        proxy.plan("UpdateItem", just_before(lambda: shop.canceled(order_id)))

        assert not ship(orders, order_id, {"1": 2})

    shop.refunded(order_id)
    assert in_the_table(shop, order_id) == ("closed", True, False)
    assert not ship(shop.aws.orders, order_id, {"1": 2})


def test_a_shipment_whose_answer_was_lost_is_known_as_ones_own(shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    with order_system(shop) as (orders, proxy):
        proxy.plan("UpdateItem", drop_answer)

        assert ship(orders, order_id, {"1": 2})

    assert in_the_table(shop, order_id) == ("complete", False, True)


def test_of_a_cancel_and_a_shipment_at_once_one_wins(shop: Shop) -> None:
    won = []
    with ThreadPoolExecutor(2) as pool:
        for _ in range(ROUNDS):
            order_id = shop.put(**documents.paid())
            start = threading.Barrier(2, timeout=SECONDS)

            def cancels(order_id: str = order_id, start: threading.Barrier = start) -> httpx.Response:
                start.wait()
                return shop.cancel(order_id)

            def ships(order_id: str = order_id, start: threading.Barrier = start) -> bool:
                start.wait()
                return ship(shop.aws.orders, order_id, {"1": 2})

            answer, shipment = pool.submit(cancels), pool.submit(ships)
            canceled = answer.result(SECONDS).status_code == 200
            assert shipment.result(SECONDS) is not canceled
            if not canceled:
                refused(answer.result(), 409, "INVALID_ORDER_STATUS")
            _, in_table, shipped = in_the_table(shop, order_id)
            assert (in_table, shipped) == (canceled, not canceled)
            won.append(canceled)
    assert len(won) == ROUNDS


def test_what_the_shop_ships_blindly_over_a_cancel_is_told_and_not_paid_back(world: World, shop: Shop) -> None:
    """Against the rule: the order system puts back, as shipped, what it read before the cancel."""
    order_id = shop.put(**documents.paid())
    read = shop.aws.order(order_id)
    sent = {**read, "status": "complete", "items": [{**row, "qty_shipped": 2} for row in read["items"]]}
    # Before the refund begins.
    world.proxies["RefundOrderFunction"].plan(
        about("BatchGetItem", order_id), just_before(lambda: shop.aws.orders.put_item(Item=sent))
    )

    shop.canceled(order_id)

    def failed() -> bool:
        order = shop.aws.order(order_id)
        return bool(order.get("cancellation", {}).get("refund", {}).get("status") == "failed")

    wait_until(failed, what="the refund has failed", seconds=60)
    assert in_the_table(shop, order_id) == ("complete", True, True)
    refund = world.aws.refund(shop.cancellation(order_id)["refund"]["refund_id"])
    assert "shipped after it had been cancelled" in refund["failure"]["message"]
    assert shop.stored(order_id)["payments"][0].get("amount_refunded", 0) == 0


def test_the_guide_shows_the_example_as_it_is() -> None:
    example = (ROOT / "examples" / "shipping.py").read_text()
    assert example[example.index("from collections.abc") :] in (ROOT / "docs" / "order-system.md").read_text()
