"""A store with a limit of cancels a day, on an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from cancel_core.adapters.dynamodb.limits import Limits
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.domain.caller import Caller, Customer
from cancel_core.domain.ids import cancellation_id
from cancel_core.domain.limits import slot_of
from cancel_core.errors import Refusal
from cancel_core.services.cancel import Canceled, cancel_order

from tests.support.orders import paid
from tests.support.tables import NOW, Aws, Calls, Shop, request

PLACED = "2026-11-20T10:00:00Z"
REFUSED = "TOO_MANY_CANCELLATIONS"


@dataclass
class Till:
    """A store with a limit, and a customer of this test's own."""

    shop: Shop
    customer_id: str
    limits: Limits
    now: datetime = NOW

    def put(self, **attributes: Any) -> str:
        return self.shop.put(paid(customer_id=self.customer_id, placed_at=PLACED) | attributes)

    def cancel(self, order_id: str, **more: Any) -> Canceled:
        """`request_id`: another one each time, as the gateway's. `orders`, `limits`, `shop`: others than the till's."""
        shop: Shop = more.pop("shop", self.shop)
        orders: Orders = more.pop("orders", shop.orders)
        limits: Limits | None = more.pop("limits", self.limits)
        asked = {"request_id": str(uuid4()), "customer_id": self.customer_id} | more
        counted = (lambda: limits) if limits else None
        return cancel_order(orders, shop.policies(), request(order_id, **asked), lambda: self.now, counted)

    def outcome(self, order_id: str, **more: Any) -> str:
        try:
            canceled = self.cancel(order_id, **more)
        except Refusal as refusal:
            return refusal.code
        done = "requested" if canceled.is_request else "canceled"
        return "replayed" if canceled.replayed else done

    def counted(self, caller: Caller | None = None, address: str = "") -> set[str]:
        """The slots that are taken on the day."""
        key = slot_of(caller or Customer(self.customer_id), address, "", "", self.now).counted
        answer = self.shop.client.get_item(
            TableName=self.limits.table, Key={"counted": {"S": key}}, ConsistentRead=True
        )
        return set(answer.get("Item", {}).get("slots", {"SS": []})["SS"])

    def slots(self, *order_ids: str) -> set[str]:
        return {cancellation_id(order_id, PLACED) for order_id in order_ids}


@pytest.fixture
def till(shop: Shop) -> Till:
    shop.configure(max_cancels_per_day=2)
    return Till(shop, f"c-{uuid4()}", Limits(shop.client, shop.tables["limits"]))


@contextmanager
def just_before_the_write(till: Till, aws: Aws, *actions: Callable[[], Any]) -> Iterator[Orders]:
    """Orders; before each write of them one of the actions happens."""
    writer = aws.client("dynamodb")
    calls, left = Calls(writer), list(actions)

    def act() -> None:
        left.pop(0)()
        if left:
            calls.before("UpdateItem", act)

    calls.before("UpdateItem", act)
    yield Orders(writer, till.shop.tables["orders"])
    assert not left
