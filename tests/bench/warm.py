"""Warm latency and CPU of each route, through its built handler, against the same calls with nothing around them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.bench.measure import Ratio
from tests.conftest import Aws
from tests.package.conftest import alone, run_by_itself
from tests.support.aws import attribute_values
from tests.support.builds import Build
from tests.support.metering import order_of

CONFIG = {"scope": "default", "enabled": True, "reasons": [{"code": "other", "description": "Other"}]}
LIST_FUNCTION = "ListOrdersFunction"
PAGE, LONGEST_PAGE = 20, 100
# By function: the route, and for orders of how many rows it is measured. A list is a page of PAGE of them.
ROUTES: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "ListReasonsFunction": ("GET /cancellation-reasons", (1,)),
    LIST_FUNCTION: ("GET /orders", (1, 10, 100)),
    "GetOrderFunction": ("GET /orders/{order_id}", (1, 10, 100, 400)),
    "CheckEligibilityFunction": ("GET /orders/{order_id}/cancellation-eligibility", (1, 10, 100, 400)),
    "CancelOrderFunction": ("POST /orders/{order_id}/cancellation", (1, 10, 100, 400)),
    "GetCancellationFunction": ("GET /orders/{order_id}/cancellation", (1, 10, 100, 400)),
}


@dataclass(frozen=True)
class Warm:
    """A route with orders of so many rows: seconds a request, and ratios to the floor."""

    route: str
    rows: int
    trips: int
    latency: Ratio
    cpu: Ratio


class Bench:
    """The built functions on an engine with orders. `before`: what stands before the command of their process."""

    def __init__(self, build: Build, aws: Aws, runtime_folder: Path, before: Sequence[str] = ()) -> None:
        self._before = before
        # Warm: the config is known.
        aws = replace(aws, environment={**aws.environment, "CONFIG_CACHE_SECONDS": "100000"})
        self._functions = alone(build, build.layer, aws, runtime_folder)
        self._dynamodb, self._tables = aws.client("dynamodb"), aws.tables
        self._numbers = iter(range(10**9))
        self._put("config", CONFIG)

    def measure(self, function: str, rows: int, pairs: int, *, warm: int = 20, page: int = PAGE) -> Warm:
        """`pairs` requests, each beside its floor, after `warm` that are not counted. `page`: orders of a list."""
        route, _ = ROUTES[function]
        measured = self.ask(function, rows, pairs, warm=warm, page=page)
        (trips,) = {one["trips"] for one in measured}

        def ratio(which: int) -> Ratio:
            return Ratio.of([(one["ours"][which], one["floor"][which]) for one in measured])

        return Warm(route if page == PAGE else f"{route}?limit={page}", rows, trips, ratio(0), ratio(1))

    def ask(
        self, function: str, rows: int, pairs: int, *, warm: int = 20, page: int = PAGE, pause: float = 0.0
    ) -> list[dict[str, Any]]:
        """The requests that `measure` makes, as worker.py reports them. `pause`: seconds of rest before each."""
        route, _ = ROUTES[function]
        customer = f"customer-{next(self._numbers)}"
        events = list(self._events(function, route, rows, customer, pairs + warm, page))
        measured = self.run(function, events, warm, pause)
        assert all(one["status"] == 200 for one in measured), measured
        return measured

    def run(self, function: str, events: list[tuple[Any, str]], warm: int, pause: float = 0.0) -> list[dict[str, Any]]:
        asked = json.dumps({"events": events, "warm": warm, "pause": pause})
        worker = str(Path(__file__).with_name("worker.py"))
        done = run_by_itself(self._functions[function], worker, given=asked, before=self._before)
        measured: list[dict[str, Any]] = json.loads(done.stdout)
        return measured

    def _events(
        self, function: str, route: str, rows: int, customer: str, number: int, page: int
    ) -> Iterator[tuple[Any, str]]:
        if function == "CancelOrderFunction":
            for _ in range(number):
                first, twin = (self._order(rows, customer) for _ in range(2))
                yield event(route, customer, first), twin
            return
        order_id = self._order(rows, customer)
        if function == LIST_FUNCTION:
            for _ in range(page - 1):
                self._order(rows, customer)
        if function == "GetCancellationFunction":
            cancel, _ = ROUTES["CancelOrderFunction"]
            self.run("CancelOrderFunction", [(event(cancel, customer, order_id), self._order(rows, customer))], 0)
        for _ in range(number):
            made = event(route, customer, order_id)
            yield made if page == PAGE else made | {"queryStringParameters": {"limit": str(page)}}, order_id

    def _order(self, rows: int, customer: str) -> str:
        order_id = f"order-{next(self._numbers):08}"
        self._put("orders", order_of(rows) | {"order_id": order_id, "customer_id": customer})
        return order_id

    def _put(self, table: str, document: dict[str, Any]) -> None:
        self._dynamodb.put_item(TableName=self._tables[table], Item=attribute_values(document))


def event(route: str, customer: str, order_id: str) -> dict[str, Any]:
    """What the gateway hands over for a request; a cancel has a key and a comment."""
    method, path = route.split()
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path.replace("{order_id}", order_id),
        "rawQueryString": "",
        "headers": {"accept": "*/*", "host": "127.0.0.1", "user-agent": "bench", "content-length": "60"},
        "requestContext": {
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
            "requestId": f"UeQ7xh94gi0E{order_id[-4:]}",
            "timeEpoch": 1795341600000,
            "routeKey": route,
            "stage": "$default",
            "authorizer": {"jwt": {"claims": {"sub": customer, "aud": "cancel-core"}, "scopes": None}},
        },
        "isBase64Encoded": False,
    }
    if "{order_id}" in path:
        made["pathParameters"] = {"order_id": order_id}
    if method == "POST":
        made["headers"] |= {"content-type": "application/json", "idempotency-key": f"key-{order_id}"}
        made["body"] = json.dumps({"reason": "other", "comment": "I meant to order one"})
    return made
