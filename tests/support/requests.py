"""What the tests of requests share: a store that decides its cancels, on an engine, with every hand on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

from cancel_core.adapters.dynamodb.attributes import plain
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.adapters.dynamodb.requests import Requests
from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.domain.caller import Customer
from cancel_core.domain.cancellation_request import CancellationRequest
from cancel_core.services.cancel import Canceled, cancel_order
from cancel_core.services.process_requests import Desk, OrderSeen, Record, RowSeen, process_requests
from cancel_core.services.reconcile_requests import reconcile_requests
from cancel_core.services.take_back import take_back_request

from tests.support.aws import attribute_values
from tests.support.orders import paid
from tests.support.tables import NOW, Heard, Shop, request

AFTER = timedelta(minutes=15)


@dataclass
class RequestDesk:
    """The use cases with a shop's tables, a bus that remembers, and a clock that goes on by a second a look."""

    shop: Shop
    heard: Heard = field(default_factory=Heard)
    now: datetime = NOW
    table: str = ""
    """Where it is not the one that all tests share."""
    images: list[StoredOrder | None] = field(default_factory=list)
    """Of the order, as its stream has them."""
    seen: int = 1
    order_id: str = ""

    def __post_init__(self) -> None:
        self.requests = Requests(self.shop.client, self.table or self.shop.tables["requests"])
        self.desk = Desk(self.requests, self.shop.orders, self.shop.policies(), self.heard)
        self.shop.configure(approval="always")

    def clock(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def on(self, client: Any) -> Desk:
        """The same, by another client."""
        orders = Orders(client, self.shop.tables["orders"])
        policies = self.shop.policies(60)
        policies.get(self.shop.store_id)
        return Desk(Requests(client, self.requests.table), orders, policies, self.heard)

    # --- customers

    def place(self, **attributes: Any) -> str:
        self.order_id = self.shop.put(paid(**attributes))
        self.images, self.seen = [self.stored()], 1
        return self.order_id

    def choose(self, order_id: str) -> None:
        """Goes on with an earlier one."""
        self.order_id = order_id
        self.images, self.seen = [self.stored()], 1

    def ask(self, **asked: Any) -> CancellationRequest:
        """Asks for the order, and has the admin see it."""
        made = self.cancel(**asked)
        assert made.is_request
        self.follow()
        assert made.stored.request
        return made.stored.request

    def asked(self, **attributes: Any) -> CancellationRequest:
        """Of a new order."""
        self.place(**attributes)
        return self.ask(comment="Please")

    def cancel(self, **asked: Any) -> Canceled:
        asked = {"request_id": uuid4().hex} | asked
        made = cancel_order(self.shop.orders, self.shop.policies(), request(self.order_id, **asked), self.clock)
        self.note()
        return made

    def take_back(self) -> None:
        take_back_request(self.shop.orders, self.shop.policies(), self.order_id, Customer("c1"), self.clock)
        self.note()

    # --- the shop

    def decide(self, row_id: str, decision: Any, **more: Any) -> None:
        """As the console does: whatever there is."""
        names = {"decision": decision} | more
        self.shop.client.update_item(
            TableName=self.requests.table,
            Key={"request_id": {"S": row_id}},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in names),
            ExpressionAttributeNames={f"#{name}": name for name in names},
            ExpressionAttributeValues=attribute_values({f":{name}": value for name, value in names.items()}),
        )

    def set(self, **attributes: Any) -> None:
        self.shop.set(self.order_id, **attributes)
        self.note()

    def put(self, image: StoredOrder | None, **more: Any) -> None:
        """Writes over the order with what was read once."""
        assert image
        self.shop.client.put_item(TableName=self.shop.tables["orders"], Item=image.raw | attribute_values(more))
        self.note()

    def delete(self) -> None:
        self.shop.client.delete_item(TableName=self.shop.tables["orders"], Key={"order_id": {"S": self.order_id}})
        self.note()

    # --- the product

    def stored(self) -> StoredOrder | None:
        return self.shop.orders.get(self.order_id)

    def note(self) -> None:
        """The order's stream has what the order now is."""
        if not self.images:
            return
        now, last = self.stored(), self.images[-1]
        if (now.raw if now else None) != (last.raw if last else None):
            self.images.append(now)

    def records(self) -> list[Record]:
        """All of the order's stream, from the beginning."""
        return [(str(at), OrderSeen(*pair)) for at, pair in enumerate(pairwise(self.images), start=1)]

    def follow(self) -> None:
        """Deals with what happened to the order, and with what that brings about."""
        self.note()
        while self.seen < len(self.images):
            self.process(self.records()[self.seen - 1])
            self.seen += 1
            self.note()

    def process(self, *records: Record, desk: Desk | None = None) -> None:
        assert process_requests(desk or self.desk, records, self.clock) == []

    def carry_out(self, row_id: str, desk: Desk | None = None) -> None:
        self.process(("row", RowSeen(row_id)), desk=desk)
        self.note()

    def reconcile(self, after: timedelta = AFTER, seconds_left: Callable[[], float] = lambda: 60) -> int:
        looked_at = reconcile_requests(self.desk, self.clock, after, seconds_left)
        self.note()
        return looked_at

    # --- what there is

    def row(self, row_id: str) -> dict[str, Any]:
        answer = self.shop.client.get_item(
            TableName=self.requests.table, Key={"request_id": {"S": row_id}}, ConsistentRead=True
        )
        return plain(answer.get("Item", {}))

    def rows(self) -> list[dict[str, Any]]:
        return self.requests.of_order(self.order_id)

    @property
    def on_order(self) -> CancellationRequest:
        stored = self.stored()
        assert stored
        assert stored.request
        return stored.request

    def cancels(self) -> int:
        """How often the order was cancelled, by its own history."""
        history = self.shop.document(self.order_id)["history"]
        return sum("Cancelled by the customer" in entry["comment"] for entry in history)

    def settled(self, row_id: str, status: str, outcome: str) -> None:
        """One end, on the order and in the row alike; and a cancel where there is one to be, and no other."""
        row, order = self.row(row_id), self.shop.order(self.order_id)
        assert (self.on_order.request_id, self.on_order.status, row["status"]) == (row_id, status, status)
        assert outcome in row["outcome"]
        assert "open" not in row
        assert (order.cancellation is not None) is (self.cancels() == 1) is (status == "approved")
        if order.cancellation:
            assert order.cancellation.request_id == row_id
