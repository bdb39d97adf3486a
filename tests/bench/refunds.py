"""How many refunds one environment of the refund function carries out, and how many pending ones a run announces again.

The built artifacts, with the CPU share of the memory that the template gives them where this machine can limit it. The
payment server is the local stack's, behind a proxy that takes PROVIDER seconds for each request. What takes events in
for the bus takes none of the share.
"""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cancel_core.adapters.dynamodb.config import ConfigTables, Policies
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.domain.ids import pending_since
from cancel_core.domain.times import iso
from cancel_core.services.cancel import cancel_order

from local.runtime.function import Function
from local.runtime.runtime import Runtime
from local.stack import functions_of
from tests.bench.growth import put_copies, table
from tests.bench.share import can_limit, limited
from tests.bench.warm import CONFIG
from tests.conftest import Aws
from tests.package.conftest import alone, payload_of
from tests.support.aws import attribute_values
from tests.support.builds import Build
from tests.support.metering import order_of
from tests.support.proxy import FaultProxy, delay
from tests.support.stripe_servers import Account
from tests.support.tables import NOW, request

PROVIDER = 0.3
REFUND, RECONCILER = "RefundOrderFunction", "ReconcileRefundsFunction"
PENDING = (1_000, 10_000, 100_000)
LONG_AGO = NOW - timedelta(days=1)


@dataclass(frozen=True)
class Announced:
    """One run with so many refunds `pending`: how many it announced, in how many seconds; `limit`: its time-out."""

    pending: int
    announced: int
    seconds: float
    limit: float


@dataclass(frozen=True)
class Refunds:
    """`seconds`: of a warm refund, by the function's invocations one after the other. `calls`: of the provider, for
    each. `concurrency`: what `RefundConcurrency` is by default. `memory`: of the refund function, in MB. `limited`:
    whether the functions had the share of a processor that goes with their memory.
    """

    seconds: float
    calls: float
    concurrency: int
    memory: int
    limited: bool
    runs: tuple[Announced, ...]

    def minutes(self, refunds: int, concurrency: int) -> float:
        """Until so many refunds, which wait in the queue, have been carried out."""
        return refunds * self.seconds / concurrency / 60


def refunds(
    build: Build,
    aws: Aws,
    runtime_folder: Path,
    number: int = 40,
    pending: Sequence[int] = PENDING,
    tell: Callable[[str], None] = lambda _: None,
) -> Refunds:
    """`number`: of refunds that are measured. `pending`: of refunds, from few to many, each in a table of its own."""
    made = alone(build, build.layer, aws, runtime_folder)
    # `alone` gives all of them the same time-out.
    declared = functions_of(build.template, aws.environment)
    with ExitStack() as until_then:

        def function(name: str) -> Function:
            its, real = made[name], declared[name]
            before = until_then.enter_context(limited(real.memory)) if can_limit() else ()
            return replace(its, command=(*before, *its.command), timeout=real.timeout)

        tell(f"{number} refunds")
        seconds, calls = _refunds(aws, function(REFUND), number)
        return Refunds(
            seconds,
            calls,
            int(build.template.parameters["RefundConcurrency"]),
            declared[REFUND].memory,
            can_limit(),
            tuple(_announced(aws, function(RECONCILER), pending, tell)),
        )


def _refunds(aws: Aws, function: Function, number: int) -> tuple[float, float]:
    stripe_url = aws.environment["STRIPE_API_URL"]
    account = Account(stripe_url)
    shop = _Shop(aws)
    with FaultProxy(stripe_url) as proxy:
        proxy.plan(lambda _: True, delay(PROVIDER), times=10**9)
        settings = {"STRIPE_API_URL": proxy.url, "STRIPE_SECRET_ARN": aws.template.parameters["StripeSecretArn"]}
        refund = _with(function, settings)
        with Runtime([refund], log=lambda *_: None) as runtime:
            taken = []
            for n in range(number + 1):
                event = shop.canceled(f"refund-{n:05}", account)
                began = time.perf_counter()
                result = runtime.invoke(refund.name, event)
                taken.append(time.perf_counter() - began)
                answer = json.loads(result.payload)
                assert answer == {"batchItemFailures": []}, answer
                if n == 0:
                    # It was the cold start.
                    proxy.seen.clear()
            asked = len(proxy.seen)
    return statistics.median(taken[1:]), asked / number


def _with(function: Function, environment: Mapping[str, str]) -> Function:
    return replace(function, environment={**function.environment, **environment})


class _Shop:
    """Orders that are cancelled and whose refund is pending."""

    def __init__(self, aws: Aws) -> None:
        self._client, self._tables = aws.client("dynamodb"), aws.tables
        self._orders = Orders(self._client, aws.tables["orders"])
        self._client.put_item(TableName=aws.tables["config"], Item=attribute_values(CONFIG))
        config = ConfigTables(aws.tables["config"], aws.tables["history"])
        self._policies = Policies(self._client, config, 100_000, print)

    def canceled(self, order_id: str, account: Account | None = None) -> dict[str, Any]:
        """The message that the refund queue has for it."""
        document = order_of(1) | {"order_id": order_id, "customer_id": "customer-of-refunds"}
        if account:
            (payment,) = document["payments"]
            reference = account.paid(payment["amount_captured"], document["currency"])
            document |= {"payments": [payment | {"provider": "stripe", "reference": reference}]}
        self._client.put_item(TableName=self._tables["orders"], Item=attribute_values(document))
        asked = request(order_id, key="k", customer_id="customer-of-refunds")
        cancellation = cancel_order(self._orders, self._policies, asked, lambda: LONG_AGO).stored.cancellation
        assert cancellation
        event: dict[str, Any] = payload_of(REFUND)
        (record,) = event["Records"]
        body = json.loads(record["body"])
        body["detail"] |= {"order_id": order_id, "cancellation_id": cancellation.cancellation_id}
        record["body"] = json.dumps(body)
        return event

    def pending(self, order_id: str) -> Mapping[str, Any]:
        """The item of an order whose refund is pending, with `@since` as its key in the index."""
        self.canceled(order_id)
        item = self._client.get_item(TableName=self._tables["orders"], Key={"order_id": {"S": order_id}})["Item"]
        return {**item, "refund_pending_since": {"S": "@since"}}


def _announced(
    aws: Aws, function: Function, pending: Sequence[int], tell: Callable[[str], None]
) -> Iterator[Announced]:
    item = _Shop(aws).pending("pending-@number")
    for number in pending:
        tell(f"{number} pending refunds")
        with ExitStack() as until_then:
            bus_url, events = until_then.enter_context(_bus())
            own = replace(aws, **until_then.enter_context(table(aws, number)))
            put_copies(own, item, _differences(number))
            settings = {"ORDERS_TABLE": own.tables["orders"], "AWS_ENDPOINT_URL_EVENTBRIDGE": bus_url}
            reconciler = _with(function, settings)
            runtime = until_then.enter_context(Runtime([reconciler], log=lambda *_: None))
            runtime.warm(reconciler.name)
            began = time.perf_counter()
            result = runtime.invoke(reconciler.name, payload_of(RECONCILER))
            seconds = time.perf_counter() - began
            assert result.error is None, result.payload
            yield Announced(number, sum(events), seconds, reconciler.timeout)


def _differences(number: int) -> Iterator[dict[str, str]]:
    """The id of each order, and its key in the index of pending refunds."""
    for n in range(number):
        since = pending_since(f"can_{n:032x}", iso(LONG_AGO))
        yield {"pending-@number": f"pending-{n:07}", "@since": since}


@contextmanager
def _bus() -> Iterator[tuple[str, list[int]]]:
    """Takes events, and says so. Gives its address, and how many events each call had."""
    taken: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            entries = json.loads(self.rfile.read(int(self.headers["content-length"])))["Entries"]
            taken.append(len(entries))
            answer = json.dumps({"FailedEntryCount": 0, "Entries": [{"EventId": "e"}] * len(entries)}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/x-amz-json-1.1")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", taken
        server.shutdown()
        thread.join()
