"""What a cancel and a page of the list cost as the shop grows: by the orders in the table, and by those of a customer.

On AWS's DynamoDB Local. What that tells: the units are DynamoDB's own arithmetic, and exact, so a request that read
more as the shop grew would show; and the ratio to the floor shows what our side adds. What it does not: it is one
SQLite file in memory, without partitions and without a network, so its latencies are not those of AWS, and what they
gain with the table is that file's own.
"""

from __future__ import annotations

import http.client
import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cancel_core.cancel import cancel_order
from cancel_core.queries import list_orders
from cancel_core.tables import ConfigTables, Orders, Policies

from tests.adapters.conftest import NOW, request
from tests.adapters.test_capacity import Meter, order_of
from tests.bench.measure import Ratio
from tests.bench.warm import PAGE, ROUTES, Bench, event
from tests.builds import Build
from tests.conftest import Aws
from tests.contract_support.aws import attribute_values

STEPS = (100, 10_000, 1_000_000)
CUSTOMERS = (10, 100, 1_000, 10_000)
ORDERS_OF_ONE = 10
"""How many orders most customers have."""
ORDERS_OF_THE_READER = 40
READER = "customer-of-steps"
"""The customer whose list is read at each step."""
TABLE = "cancel-core-growth"


@dataclass(frozen=True)
class Cost:
    """Of one request: seconds, beside the floor; round trips, and the units of DynamoDB that they consume."""

    latency: Ratio
    cpu: Ratio
    trips: int
    read: Decimal
    written: Decimal


@dataclass(frozen=True)
class Step:
    """`orders`: in the table when this was measured, not counting those that were cancelled for it.

    `filled_seconds`: how long it took to put in what was added since the step before.
    """

    orders: int
    filled_seconds: float
    cancel: Cost
    page: Cost


@dataclass(frozen=True)
class Customer:
    """The first and the last page of a customer with so many orders, whose orders come on top of the last step's."""

    orders: int
    first: Cost
    last: Cost


@dataclass(frozen=True)
class Change:
    """From the first of several costs to the last: 1.0 is flat. `same_units`: all trips and units are the same.

    `ours` and `floor` are the quotients of the medians in seconds, `ratio` that of the ratios to the floor.
    """

    ours: float
    floor: float
    ratio: float
    cpu_ratio: float
    same_units: bool

    @classmethod
    def of(cls, costs: Sequence[Cost]) -> Change:
        first, last = costs[0], costs[-1]
        return cls(
            ours=last.latency.ours.median / first.latency.ours.median,
            floor=last.latency.floor.median / first.latency.floor.median,
            ratio=last.latency.ratio.median / first.latency.ratio.median,
            cpu_ratio=last.cpu.ratio.median / first.cpu.ratio.median,
            same_units=len({(cost.trips, cost.read, cost.written) for cost in costs}) == 1,
        )


@dataclass(frozen=True)
class Growth:
    """`steps`: one table as it grows. `customers`: those of the last step, from few orders to many."""

    steps: tuple[Step, ...]
    customers: tuple[Customer, ...]

    @property
    def cancel(self) -> Change:
        return Change.of([step.cancel for step in self.steps])

    @property
    def page(self) -> Change:
        return Change.of([step.page for step in self.steps])

    @property
    def first_page(self) -> Change:
        return Change.of([customer.first for customer in self._full])

    @property
    def last_page(self) -> Change:
        return Change.of([customer.last for customer in self._full])

    @property
    def _full(self) -> list[Customer]:
        """Those who fill a page: one with less reads less."""
        return [customer for customer in self.customers if customer.orders >= PAGE]


def growth(
    build: Build,
    aws: Aws,
    runtime_folder: Path,
    most_orders: int = STEPS[-1],
    pairs: int = 100,
    tell: Callable[[str], None] = lambda _: None,
) -> Growth:
    """Fills a table of its own up to `most_orders` and measures at each of STEPS on the way; deletes it then.

    `aws` is on DynamoDB Local. `pairs`: of a request and its floor, for each figure. `tell` is given a line now and
    then. Raises ValueError for fewer orders than the first step's.
    """
    if most_orders < STEPS[0]:
        raise ValueError(f"at least {STEPS[0]} orders")
    with _table(aws) as table:
        there = replace(
            aws,
            tables={**aws.tables, "orders": table},
            environment={**aws.environment, "ORDERS_TABLE": table},
        )
        shop = _Shop(Bench(build, there, runtime_folder), there, pairs)
        steps: list[Step] = []
        for orders in sorted({min(step, most_orders) for step in STEPS}):
            added = orders - shop.orders
            seconds = shop.fill({} if steps else {READER: ORDERS_OF_THE_READER}, added)
            tell(f"{orders} orders; {added} put in {seconds:.0f} s")
            steps.append(Step(orders, seconds, shop.cancel(), shop.page()))
        sizes = [number for number in CUSTOMERS if number <= most_orders]
        shop.fill({_customer(number): number for number in sizes}, sum(sizes))
        tell("customers of " + ", ".join(map(str, sizes)) + " orders")
        return Growth(tuple(steps), tuple(shop.customers(sizes)))


@contextmanager
def _table(aws: Aws) -> Iterator[str]:
    """The orders table without its stream, all of whose records DynamoDB Local would keep."""
    dynamodb, declared = aws.client("dynamodb"), aws.template.resources("AWS::DynamoDB::Table")["OrdersTable"]
    keys = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    dynamodb.create_table(TableName=TABLE, **{key: declared[key] for key in keys})
    try:
        yield TABLE
    finally:
        dynamodb.delete_table(TableName=TABLE)


class _Shop:
    """The table, what fills it, and what is measured on it."""

    def __init__(self, bench: Bench, aws: Aws, pairs: int) -> None:
        self.orders = 0
        self._bench, self._aws, self._pairs = bench, aws, pairs
        self._meter = Meter(aws.client("dynamodb"))
        self._orders = Orders(self._meter.client, aws.tables["orders"])
        config = ConfigTables(aws.tables["config"], aws.tables["history"])
        self._policies = Policies(self._meter.client, config, 100_000, print)
        self._policies.get("default")

    def fill(self, named: dict[str, int], number: int) -> float:
        """Puts `number` orders: so many of each of `named`, the rest of customers with a few each. Gives the seconds
        it took.
        """
        others = ((f"one-{n:07}", ORDERS_OF_ONE) for n in itertools.count(self.orders))
        customers = itertools.chain(named.items(), others)
        orders = ((customer, n) for customer, count in customers for n in range(count))
        began = time.monotonic()
        _put(self._aws, itertools.islice(orders, number))
        self.orders += number
        return time.monotonic() - began

    def cancel(self) -> Cost:
        """Of an order of one row that was put a moment ago."""
        warm = self._bench.measure("CancelOrderFunction", 1, self._pairs)
        order_id = f"metered-{self.orders}"
        document = order_of(1) | {"order_id": order_id, "customer_id": "metered"}
        self._meter.client.put_item(TableName=self._orders.table, Item=attribute_values(document))
        self._meter.units()
        asked = request(order_id, key="k", customer_id="metered")
        cancel_order(self._orders, self._policies, asked, NOW)
        trips, read, written = self._meter.units()
        assert trips == warm.trips
        return Cost(warm.latency, warm.cpu, trips, read, written)

    def page(self) -> Cost:
        (cost,) = self._pages([(READER, None)])
        return cost

    def customers(self, sizes: Sequence[int]) -> Iterator[Customer]:
        """Their pages are measured in turn, not one after the other."""
        first = [(_customer(number), None) for number in sizes]
        last = [(_customer(number), self._last(number)) for number in sizes]
        costs = self._pages([*first, *last])
        return map(Customer, sizes, costs[: len(sizes)], costs[len(sizes) :])

    def _last(self, number: int) -> str | None:
        """The cursor of the last page of the customer with so many orders."""
        customer, cursor = _customer(number), None
        while number > PAGE:
            limit = min(100, number - PAGE)
            cursor = list_orders(self._orders, self._policies, customer, limit, cursor)["next_cursor"]
            number -= limit
        return cursor

    def _pages(self, pages: Sequence[tuple[str, str | None]], warm: int = 20) -> list[Cost]:
        """Of a customer and a cursor each, in turn."""
        function = "ListOrdersFunction"
        route, _ = ROUTES[function]
        events = []
        for customer, cursor in pages:
            made = event(route, customer, "")
            made["queryStringParameters"] = {"limit": str(PAGE)} | ({"cursor": cursor} if cursor else {})
            events.append((made, ""))
        # All of them as often, before and after what is not counted.
        warm += -warm % len(pages)
        measured = self._bench.run(function, events * (warm // len(pages) + self._pairs), warm)
        assert all(one["status"] == 200 for one in measured), measured
        return [
            self._page(customer, cursor, measured[number :: len(pages)])
            for number, (customer, cursor) in enumerate(pages)
        ]

    def _page(self, customer: str, cursor: str | None, measured: list[dict[str, Any]]) -> Cost:
        self._meter.units()
        list_orders(self._orders, self._policies, customer, PAGE, cursor)
        trips, read, written = self._meter.units()
        assert {one["trips"] for one in measured} == {trips}
        latency, cpu = (Ratio.of([(one["ours"][which], one["floor"][which]) for one in measured]) for which in (0, 1))
        return Cost(latency, cpu, trips, read, written)


def _customer(orders: int) -> str:
    # All names of one length: what a page reads is counted by size.
    return f"customer-of-{orders:05}"


def _put(aws: Aws, orders: Iterable[tuple[str, int]]) -> None:
    """Puts each customer's order of that number, in requests that are made of text.

    boto3 would take longer to write them than DynamoDB Local to read them. That takes one write at a time, so a second
    connection gains nothing.
    """
    item = attribute_values(order_of(1) | {"order_id": "@order", "customer_id": "@customer", "placed_at": "@placed"})
    put = json.dumps({"PutRequest": {"Item": item}}, separators=(",", ":"))
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": "DynamoDB_20120810.BatchWriteItem",
        # DynamoDB Local reads nothing of it, but wants one.
        "authorization": f"AWS4-HMAC-SHA256 Credential=local/20260101/{aws.template.region}/dynamodb/aws4_request,"
        " SignedHeaders=host, Signature=none",
    }
    began = datetime(2020, 1, 1, tzinfo=UTC)
    connection = http.client.HTTPConnection(urlsplit(aws.dynamodb_endpoint_url).netloc, timeout=60)
    orders = iter(orders)
    try:
        while batch := list(itertools.islice(orders, 25)):
            puts = (
                put.replace("@order", f"{customer}-{number:05}")
                .replace("@customer", customer)
                .replace("@placed", f"{began + timedelta(minutes=number):%Y-%m-%dT%H:%M:%SZ}")
                for customer, number in batch
            )
            body = f'{{"RequestItems":{{"{aws.tables["orders"]}":[{",".join(puts)}]}}}}'
            connection.request("POST", "/", body.encode(), headers)
            answer = connection.getresponse()
            told = json.loads(answer.read())
            assert told == {"UnprocessedItems": {}}, told
    finally:
        connection.close()
