"""The shop's order system under load, and the log of all that is asked and answered.

Orders are placed, written on and shipped by plain boto3 as docs/order-system.md has it.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from botocore.exceptions import ClientError

from tests.load import mix
from tests.load.seen import Answer, is_refunded
from tests.support import documents
from tests.support.aws import Aws
from tests.support.openapi import PROBLEM
from tests.support.schemas import assert_valid
from tests.support.shop import Shop
from tests.support.stripe_servers import Account

T = TypeVar("T")

WRITES = ("place an order", "write a note", "ship")


@dataclass(frozen=True)
class Sample:
    """One request: what it was, what was answered, and how long that took in seconds."""

    kind: str
    said: str
    seconds: float


@dataclass
class Story:
    """One order: as the order system has it, and what was answered to cancels of it."""

    placed: dict[str, Any]
    shipped: bool = False
    answers: list[Answer] = field(default_factory=list)
    withdrawn: bool = False
    """Whether a withdrawal was accepted that is to cancel it."""
    is_listed: bool = True
    """Whether its customer's list is looked at in the end."""

    @property
    def order_id(self) -> str:
        return str(self.placed["order_id"])

    @property
    def accepted(self) -> bool:
        return self.withdrawn or any(answer.accepted for answer in self.answers)

    def refund_under_way(self, log: Log) -> bool:
        return self.accepted and is_refunded(self.placed) and self.order_id not in log.refunded


@dataclass
class Log:
    """All that was asked and answered, by all threads, in the order it ended; what was wrong with it as sentences."""

    samples: list[Sample] = field(default_factory=list)
    stories: list[Story] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    undocumented: list[str] = field(default_factory=list)
    refunded: set[str] = field(default_factory=set)
    """The orders of which an event has told that their refund has ended."""


class EndOfVisitError(Exception):
    """A request was not served as it should have been; what was to come after it has no sense."""


class OrderSystem:
    """The shop's own side: places orders, writes on them, ships them. Used by all customers' threads."""

    def __init__(self, aws: Aws, shop: Shop, account: Account, log: Log) -> None:
        # A client, for a resource is not for several threads; this one takes plain values as resources do.
        self._orders = aws.orders.meta.client
        self._table = aws.orders.name
        self._shop = shop
        self.account = account
        self._log = log

    def place(self, turn: mix.Turn, customer_id: str) -> Story:
        return self.put(str(turn.number), customer_id, **mix.order(turn.order, turn.random, self.account))

    def put(self, name: str, customer_id: str | None, **attributes: Any) -> Story:
        """A new order; a guest's without a customer."""
        now, order_id = documents.timestamp(), f"{self._shop.mark}-{name}"
        document = documents.order(order_id, customer_id or "", self._shop.store_id, placed_at=now, **attributes)
        if customer_id is None:
            del document["customer_id"]
        assert_valid("order", document)
        with self._timed("place an order"):
            self._orders.put_item(
                TableName=self._table, Item=document, ConditionExpression="attribute_not_exists(order_id)"
            )
        story = Story(document)
        self._log.stories.append(story)
        return story

    def write_a_note(self, story: Story, text: str) -> None:
        """Touches only what is the shop's, whatever else happens to the order."""
        entry = {"at": documents.timestamp(), "status": "note", "comment": text}
        with self._timed("write a note"):
            self._orders.update_item(
                TableName=self._table,
                Key={"order_id": story.order_id},
                UpdateExpression="SET warehouse_note = :note, history = list_append(history, :entry)",
                ExpressionAttributeValues={":note": text, ":entry": [entry]},
            )
        story.placed |= {"warehouse_note": text, "history": [*story.placed["history"], entry]}

    def ship(self, story: Story, *, quantity: int | None = None) -> bool:
        """All of the first row, which completes the order, or a quantity of it; unless it has been cancelled."""
        row = story.placed["items"][0]
        status = "complete" if quantity is None else story.placed["status"]
        quantity = row["qty_ordered"] if quantity is None else quantity
        with self._timed("ship"):
            try:
                self._orders.update_item(
                    TableName=self._table,
                    Key={"order_id": story.order_id},
                    UpdateExpression="SET #status = :status, #items[0].qty_shipped = :shipped",
                    ConditionExpression="#status = :read",
                    ExpressionAttributeNames={"#status": "status", "#items": "items"},
                    ExpressionAttributeValues={
                        ":status": status,
                        ":shipped": quantity,
                        ":read": story.placed["status"],
                    },
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise
                return False
        first = row | {"qty_shipped": quantity}
        story.placed |= {"status": status, "items": [first, *story.placed["items"][1:]]}
        story.shipped = True
        return True

    @contextmanager
    def _timed(self, kind: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._log.samples.append(Sample(kind, "done", time.monotonic() - began))


def said_of(response: httpx.Response) -> str:
    status = str(response.status_code)
    if response.is_success:
        return f"{status} replayed" if "idempotency-replayed" in response.headers else status
    if response.headers["content-type"] == PROBLEM:
        return f"{status} {response.json()['code']}"
    return f"{status} of the gateway"


def a_key(rng: random.Random) -> str:
    return f"{rng.getrandbits(64):016x}"


def a_body(rng: random.Random) -> dict[str, Any]:
    body: dict[str, Any] = {"reason": rng.choice(documents.REASONS)["code"]}
    return body | rng.choice([{}, {"comment": None}, {"comment": "Found it in the attic. Åäö"}])


def at_once(*calls: Callable[[], T]) -> list[T]:
    """What each call gives; all of them begin at the same moment."""
    barrier = threading.Barrier(len(calls))

    def start(call: Callable[[], T]) -> T:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(start, calls))
