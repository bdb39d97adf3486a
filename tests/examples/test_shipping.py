"""examples/shipping.py on real engines: what carries a cancellation is never shipped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import boto3
import pytest

from examples.shipping import ship
from tests.conftest import Aws
from tests.support import documents

CANCELLATION = {"cancellation_id": "can_1", "reason": {"code": "other", "description": "Other"}}


@contextmanager
def _orders(aws: Aws) -> Iterator[Any]:
    session = boto3.Session("local", "local", region_name=aws.template.region)
    dynamodb = session.resource("dynamodb", endpoint_url=aws.dynamodb_endpoint_url)
    try:
        yield dynamodb.Table(aws.tables["orders"])
    finally:
        dynamodb.meta.client.close()


@pytest.fixture
def orders(aws: Aws) -> Iterator[Any]:
    """The orders table as an order system has it."""
    with _orders(aws) as table:
        yield table


def put(orders: Any, **attributes: Any) -> str:
    order_id = f"ship-{uuid4().hex}"
    orders.put_item(Item=documents.order(order_id, "c", "default", **documents.paid(**attributes)))
    return order_id


def read(orders: Any, order_id: str) -> dict[str, Any]:
    item: dict[str, Any] = orders.get_item(Key={"order_id": order_id}, ConsistentRead=True)["Item"]
    return item


class WrittenBetween:
    """The table, in which something else is written right after the order system's read."""

    def __init__(self, orders: Any, order_id: str, **attributes: Any) -> None:
        self._orders, self._order_id, self._attributes = orders, order_id, attributes

    def get_item(self, **arguments: Any) -> Any:
        answer = self._orders.get_item(**arguments)
        if self._attributes:
            self._orders.put_item(Item=answer["Item"] | self._attributes)
            self._attributes = {}
        return answer

    def update_item(self, **arguments: Any) -> Any:
        return self._orders.update_item(**arguments)


def test_an_order_is_shipped_once_and_a_repeat_knows_it_as_its_own(orders: Any) -> None:
    order_id = put(orders)
    assert ship(orders, order_id, {"1": 2})
    stored = read(orders, order_id)
    assert (stored["status"], stored["items"][0]["qty_shipped"]) == ("complete", 2)
    assert ship(orders, order_id, {"1": 2})
    assert not ship(orders, order_id, {"1": 1})


@pytest.mark.parametrize("status", ["pending", "processing", "complete", "canceled", "closed", "packing"])
def test_an_order_that_carries_a_cancellation_is_not_shipped_whatever_its_status(orders: Any, status: str) -> None:
    order_id = put(orders, cancellation=CANCELLATION, status=status)
    before = read(orders, order_id)
    assert not ship(orders, order_id, {"1": 2})
    assert read(orders, order_id) == before


def test_one_that_was_put_over_its_cancel_as_shipped_may_not_be_sent_again(orders: Any) -> None:
    items = [documents.invoiced(qty_shipped=2)]
    order_id = put(orders, cancellation=CANCELLATION, status="complete", items=items)
    assert not ship(orders, order_id, {"1": 2})


def test_a_cancellation_that_comes_between_read_and_write_counts_whatever_the_status_is(orders: Any) -> None:
    """Cancelled, and set back to the status that was read: the cancellation alone tells."""
    order_id = put(orders)
    between = WrittenBetween(orders, order_id, cancellation=CANCELLATION)
    assert not ship(between, order_id, {"1": 2})
    stored = read(orders, order_id)
    assert (stored["status"], stored["items"][0].get("qty_shipped", 0)) == ("processing", 0)


def test_a_status_that_changes_between_read_and_write_counts_by_itself(orders: Any) -> None:
    order_id = put(orders)
    assert not ship(WrittenBetween(orders, order_id, status="canceled"), order_id, {"1": 2})
    assert read(orders, order_id)["items"][0].get("qty_shipped", 0) == 0


def test_a_cancellation_that_is_null_is_none(orders: Any) -> None:
    """Many serializers write NULL for what they have not."""
    order_id = put(orders, cancellation=None)
    assert ship(orders, order_id, {"1": 2})
    assert read(orders, order_id)["status"] == "complete"


def test_parts_may_be_shipped_one_by_one(orders: Any) -> None:
    items = [documents.invoiced("1"), documents.invoiced("2")]
    order_id = put(orders, items=items, payments=[documents.captured(40000)])
    assert ship(orders, order_id, {"1": 2}, status="processing")
    assert ship(orders, order_id, {"1": 2, "2": 2})
    assert [row["qty_shipped"] for row in read(orders, order_id)["items"]] == [2, 2]
