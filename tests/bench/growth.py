"""What a cancel and a page of the list cost as the shop grows: by the orders in the table, and by those of a customer.

On AWS's DynamoDB Local. What that tells: the units are DynamoDB's own arithmetic, and exact, so a request that read
more as the shop grew would show; and the ratio to the floor shows what our side adds. What it does not: it is one
SQLite file in memory, without partitions and without a network, so its latencies are not those of AWS, and what they
gain with the table is that file's own. A million orders take it some minutes and 2.5 GB of memory.

There is a table for each number of orders, so that they can be measured in turn: one that grows would be measured small
on an engine that has just started, and large on one that is warm.
"""

from __future__ import annotations

import functools
import http.client
import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cancel_core.adapters.dynamodb.config import ConfigTables, Policies
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.entrypoints.http.cursor import write_cursor
from cancel_core.services.cancel import cancel_order
from cancel_core.services.queries import list_orders

from tests.bench.measure import Ratio
from tests.bench.warm import PAGE, ROUTES, Bench, event
from tests.conftest import Aws
from tests.support.aws import attribute_values
from tests.support.builds import Build
from tests.support.metering import Meter, order_of
from tests.support.tables import NOW, request

STEPS = (100, 10_000, 1_000_000)
CUSTOMERS = (10, 100, 1_000, 10_000)
ORDERS_OF_ONE = 10
"""How many orders most customers have."""
ORDERS_OF_THE_READER = 40
READER = "customer-of-steps"
"""The customer whose list is read at each step."""
WARM = 20
"""So many pairs are not counted, in each round."""
ROUNDS = 4

Measured = list[dict[str, Any]]
"""Pairs, as worker.py tells them."""


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
    """`orders`: in the table, not counting the few dozen that were put to be cancelled and then deleted.

    `filled_seconds`: how long it took to put them.
    """

    orders: int
    filled_seconds: float
    cancel: Cost
    page: Cost


@dataclass(frozen=True)
class Customer:
    """The first and the last page of a customer with so many orders, which come on top of those of the last step."""

    orders: int
    first: Cost
    last: Cost


@dataclass(frozen=True)
class Growth:
    """`steps`: from few orders to many. `customers`: in the table of the last step, from few orders to many."""

    steps: tuple[Step, ...]
    customers: tuple[Customer, ...]

    @property
    def cancels(self) -> list[Cost]:
        return [step.cancel for step in self.steps]

    @property
    def pages(self) -> list[Cost]:
        return [step.page for step in self.steps]

    @property
    def full(self) -> list[Customer]:
        """Those who fill a page: one with less reads less."""
        return [customer for customer in self.customers if customer.orders >= PAGE]


def same_units(costs: Sequence[Cost]) -> bool:
    """Whether all trips and units are the same: flat."""
    return len({(cost.trips, cost.read, cost.written) for cost in costs}) == 1


def growth(
    build: Build,
    aws: Aws,
    runtime_folder: Path,
    most_orders: int = STEPS[-1],
    pairs: int = 100,
    tell: Callable[[str], None] = lambda _: None,
) -> Growth:
    """Fills a table of its own for each of STEPS, none with more than `most_orders`, and deletes them at the end.

    `aws` is on DynamoDB Local. `pairs`: of a request and its floor, for each figure. `tell` is given a line now and
    then. Raises ValueError for fewer orders than the first step's.
    """
    if most_orders < STEPS[0]:
        raise ValueError(f"at least {STEPS[0]} orders")
    with ExitStack() as tables:
        shops = []
        for orders in sorted({min(step, most_orders) for step in STEPS}):
            shop = _Shop(build, replace(aws, **tables.enter_context(table(aws, orders))), runtime_folder)
            shop.fill({READER: ORDERS_OF_THE_READER}, orders)
            tell(f"{orders} orders put in {shop.filled_seconds:.0f} s")
            shops.append(shop)
        cancels, pages = _in_rounds(shops, pairs)
        tell("a cancel and a page measured")
        steps = tuple(
            Step(shop.orders, shop.filled_seconds, shop.cost_of_cancel(cancel), shop.cost_of_page(READER, None, page))
            for shop, cancel, page in zip(shops, cancels, pages, strict=True)
        )
        sizes = [number for number in CUSTOMERS if number <= most_orders]
        shops[-1].fill({_customer(number): number for number in sizes}, sum(sizes))
        tell("customers of " + ", ".join(map(str, sizes)) + " orders put")
        return Growth(steps, tuple(shops[-1].customers(sizes, pairs)))


def _in_rounds(shops: Sequence[_Shop], pairs: int) -> tuple[list[Measured], list[Measured]]:
    """What cancels and pages took in each shop, a part of the `pairs` in each round."""
    rounds = min(ROUNDS, pairs)
    cancels: list[Measured] = [[] for _ in shops]
    pages: list[Measured] = [[] for _ in shops]
    for _ in range(rounds):
        for shop, cancel, page in zip(shops, cancels, pages, strict=True):
            cancel.extend(shop.cancel(-(-pairs // rounds)))
            page.extend(shop.pages([(READER, None)], -(-pairs // rounds)))
    return cancels, pages


@contextmanager
def table(aws: Aws, orders: int) -> Iterator[dict[str, Any]]:
    """An orders table without its stream, all of whose records DynamoDB Local would keep. What is then to be replaced
    in `aws`.
    """
    dynamodb, declared = aws.client("dynamodb"), aws.template.resources("AWS::DynamoDB::Table")["OrdersTable"]
    keys = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    name = f"{aws.tables['orders']}-{orders}"
    dynamodb.create_table(TableName=name, **{key: declared[key] for key in keys})
    try:
        yield {
            "tables": {**aws.tables, "orders": name},
            "environment": {**aws.environment, "ORDERS_TABLE": name},
        }
    finally:
        dynamodb.delete_table(TableName=name)


class _Shop:
    """One table, what fills it, and what is measured on it."""

    def __init__(self, build: Build, aws: Aws, runtime_folder: Path) -> None:
        self.orders, self.filled_seconds = 0, 0.0
        self._bench, self._aws = Bench(build, aws, runtime_folder), aws
        self._meter = Meter(aws.client("dynamodb"))
        self._orders = Orders(self._meter.client, aws.tables["orders"])
        config = ConfigTables(aws.tables["config"], aws.tables["history"])
        self._policies = Policies(self._meter.client, config, 100_000, print)
        self._policies.get("default")

    def fill(self, named: dict[str, int], number: int) -> None:
        """Puts `number` orders: so many of each of `named`, the rest of customers with a few each."""
        others = ((f"one-{n:07}", ORDERS_OF_ONE) for n in itertools.count())
        customers = itertools.chain(named.items(), others)
        orders = ((customer, n) for customer, count in customers for n in range(count))
        began = time.monotonic()
        _put(self._aws, itertools.islice(orders, number))
        self.orders += number
        self.filled_seconds += time.monotonic() - began

    def cancel(self, pairs: int) -> Measured:
        """Cancels of orders of one row that were put a moment ago. They are deleted then."""
        function, customer, number = "CancelOrderFunction", "customer-of-fresh", 2 * (WARM + pairs)
        # A cancel's write holds what it read against the order, so that its twin must say the same.
        _put(self._aws, ((customer, n) for n in range(number)), per_minute=2)
        ids = [_order_id(customer, n) for n in range(number)]
        route, _ = ROUTES[function]
        events = [(event(route, customer, one), twin) for one, twin in zip(ids[::2], ids[1::2], strict=True)]
        measured = self._bench.run(function, events, WARM)
        for order_id in ids:
            self._meter.client.delete_item(TableName=self._orders.table, Key={"order_id": {"S": order_id}})
        return measured

    def cost_of_cancel(self, measured: Measured) -> Cost:
        customer = "customer-of-meter"
        _put(self._aws, [(customer, 0)])
        asked = request(_order_id(customer, 0), key="k", customer_id=customer)
        self._meter.units()
        cancel_order(self._orders, self._policies, asked, lambda: NOW)
        return _cost(measured, self._meter)

    def cost_of_page(self, customer: str, after: Mapping[str, str] | None, measured: Measured) -> Cost:
        self._meter.units()
        list_orders(self._orders, self._policies, customer, PAGE, after)
        return _cost(measured, self._meter)

    def customers(self, sizes: Sequence[int], pairs: int) -> Iterator[Customer]:
        """Their pages are measured in turn."""
        pages = [(_customer(number), after) for number in sizes for after in (None, self._last(number))]
        measured = self.pages(pages, pairs)
        costs = [self.cost_of_page(*page, measured[at :: len(pages)]) for at, page in enumerate(pages)]
        return map(Customer, sizes, costs[::2], costs[1::2])

    def _last(self, number: int) -> Mapping[str, str] | None:
        """Where the last page begins, of the customer with so many orders."""
        customer, after = _customer(number), None
        while number > PAGE:
            limit = min(100, number - PAGE)
            after = list_orders(self._orders, self._policies, customer, limit, after).last
            number -= limit
        return after

    def pages(self, pages: Sequence[tuple[str, Mapping[str, str] | None]], pairs: int) -> Measured:
        """Lists of a customer from a cursor each, one after the other and so on, `pairs` times."""
        function = "ListOrdersFunction"
        route, _ = ROUTES[function]
        events = []
        for customer, after in pages:
            made = event(route, customer, "")
            cursor = {"cursor": write_cursor(after, customer)} if after else {}
            made["queryStringParameters"] = {"limit": str(PAGE)} | cursor
            events.append((made, ""))
        before = -(-WARM // len(pages))
        return self._bench.run(function, events * (before + pairs), before * len(pages))


def _cost(measured: Measured, meter: Meter) -> Cost:
    """Of what was measured by the worker, and was metered once."""
    trips, read, written = meter.units()
    assert all((one["status"], one["trips"]) == (200, trips) for one in measured), measured
    latency, cpu = (Ratio.of([(one["ours"][which], one["floor"][which]) for one in measured]) for which in (0, 1))
    return Cost(latency, cpu, trips, read, written)


def _customer(orders: int) -> str:
    # All names of one length: what a page reads is counted by size.
    return f"customer-of-{orders:05}"


def _order_id(customer: str, number: int) -> str:
    return f"{customer}-{number:05}"


def _put(aws: Aws, orders: Iterable[tuple[str, int]], *, per_minute: int = 1) -> None:
    """Puts each customer's order of that number. Those of one minute are equal."""
    began = datetime(2020, 1, 1, tzinfo=UTC)
    item = attribute_values(order_of(1) | {"order_id": "@order", "customer_id": "@customer", "placed_at": "@placed"})
    put_copies(
        aws,
        item,
        (
            {
                "@order": _order_id(customer, number),
                "@customer": customer,
                "@placed": f"{began + timedelta(minutes=number // per_minute):%Y-%m-%dT%H:%M:%SZ}",
            }
            for customer, number in orders
        ),
    )


def put_copies(aws: Aws, item: Mapping[str, Any], differences: Iterable[Mapping[str, str]]) -> None:
    """Puts copies of an order's item, in each of which some texts are replaced, in requests that are made of text.

    boto3 would take longer to write them than DynamoDB Local to read them. That takes one write at a time, so a second
    connection gains nothing.
    """
    put = json.dumps({"PutRequest": {"Item": item}}, separators=(",", ":"))
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": "DynamoDB_20120810.BatchWriteItem",
        # DynamoDB Local reads nothing of it, but wants one.
        "authorization": f"AWS4-HMAC-SHA256 Credential=local/20260101/{aws.template.region}/dynamodb/aws4_request,"
        " SignedHeaders=host, Signature=none",
    }
    connection = http.client.HTTPConnection(urlsplit(aws.dynamodb_endpoint_url).netloc, timeout=60)
    differences = iter(differences)
    try:
        while batch := list(itertools.islice(differences, 25)):
            puts = (functools.reduce(lambda text, pair: text.replace(*pair), one.items(), put) for one in batch)
            body = f'{{"RequestItems":{{"{aws.tables["orders"]}":[{",".join(puts)}]}}}}'
            connection.request("POST", "/", body.encode(), headers)
            answer = connection.getresponse()
            told = json.loads(answer.read())
            assert told == {"UnprocessedItems": {}}, told
    finally:
        connection.close()
