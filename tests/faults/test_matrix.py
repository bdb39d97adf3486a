"""Every line of a function that talks to the outside, broken off in every way, on the running stack.

The result is a section of docs/faults.md. `UPDATE_DOCS=1` rewrites it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from typing import Any

import pytest
from cancel_core.domain.ids import cancellation_id, refund_id

from tests.faults.cells import KILLS, OF_WRITES_ALONE
from tests.faults.conftest import World, about, operations
from tests.faults.page import READS, assert_section, table
from tests.faults.points import CANCEL, FAULTS, NAMELESS, POINTS, PUBLISH, RECONCILE, REFUND, Point
from tests.support import documents
from tests.support import proxy as faults
from tests.support.aws import EventWatch
from tests.support.proxy import Fault, FaultProxy
from tests.support.shop import CANCELLATION, Shop
from tests.support.waiting import wait_until

SECONDS = 90
"""For one cell to come to its end: processes start again, messages are delivered again."""


def lose_cancel_of(order_id: str) -> Fault:
    """The bus says that it has taken everything, and loses the `OrderCanceled` of this order.

    Nothing else: on a busy machine the refund, which the reconciler has had carried out meanwhile, may be announced by
    the same call.
    """

    def fault(request: faults.Request, forward: faults.Forward) -> faults.Answer:
        entries = json.loads(request.body)["Entries"]
        lost = [entry for entry in entries if entry["DetailType"] == "OrderCanceled" and order_id in entry["Detail"]]
        if kept := [entry for entry in entries if entry not in lost]:
            forward(replace(request, body=json.dumps({"Entries": kept}).encode()))
        answer = {"FailedEntryCount": 0, "Entries": [{"EventId": "lost"}] * len(entries)}
        return faults.Answer(200, {"content-type": "application/x-amz-json-1.1"}, json.dumps(answer).encode())

    return fault


@dataclass
class Cell:
    """One order, its story, and what becomes of it."""

    world: World
    shop: Shop
    watch: EventWatch
    point: Point
    answers: list[int] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    """The provider's id of what it has paid back."""

    def __post_init__(self) -> None:
        source = documents.paid()
        self.owed = int(source["payments"][0]["amount_captured"])
        voids = self.point.story in {"authorized", "released"}
        account = self.world.account
        self.intent = account.authorized(self.owed) if voids else account.paid(self.owed)
        payment = documents.authorized if voids else documents.captured
        payments = [payment(self.owed, "p1", provider="stripe", reference=self.intent)]
        if voids:
            source = {key: value for key, value in source.items() if key in {"status", "total"}}
        self.voids = voids
        self.order_id = self.shop.put(**source | {"payments": payments, "shops_own": {"kept", "whole"}})
        self.before = self.shop.aws.order(self.order_id)

    @property
    def proxy(self) -> FaultProxy:
        return self.world.stripe if self.point.of_provider else self.world.proxies[self.point.function]

    @property
    def words(self) -> list[str]:
        words = [self.order_id, self.intent, self.shop.store_id, *self.references]
        if self.point.story == "away":
            words.append(self.refund_id)
        return words

    @property
    def refund_id(self) -> str:
        return refund_id(cancellation_id(self.order_id, self.before["placed_at"]))

    def _fault(self, name: str) -> Fault:
        provider = self.point.of_provider
        kill = partial(self.world.kill, self.point.function)

        def forget(_request: faults.Request) -> None:
            self.world.account.forget_keys()

        def kill_and_forget(request: faults.Request) -> None:
            kill(request)
            forget(request)

        made: dict[str, Fault] = {
            "killed before": faults.before(kill),
            # The next attempt comes as if a day later, when the provider has forgotten the key.
            "killed after": faults.after(kill_and_forget if provider else kill),
            "answer lost": faults.after(forget) if provider else faults.drop_answer,
            "throttled": faults.fail(429, b'{"error": {"type": "rate_limit_error"}}')
            if provider
            else faults.aws_error("ThrottlingException"),
            "broken": faults.fail(503),
        }
        return made[name]

    def times(self, fault: str) -> int:
        """As often as the client itself tries, so that the function meets it."""
        if fault not in {"throttled", "broken"} or self.point.of_provider:
            return 1
        return 2 if self.point.operation in {"ChangeMessageVisibility", "GetSecretValue"} else 3

    # --- the story

    def tell(self, fault: str | None) -> str:
        """Cancels, breaks off, and waits for the end. What came of it."""
        story = self.point.story
        world, target = self.world, self.proxy
        if story == "fresh":
            # A function that has just started has yet to read the key.
            world.kill(REFUND)
        if story == "lost":
            world.proxies[PUBLISH].plan(about("PutEvents", self.order_id), lose_cancel_of(self.order_id))
        if story in {"again", "released"}:
            # Paid, and the answer lost: the second pass asks first.
            asks = "POST /v1/refunds" if story == "again" else "POST /v1/payment_intents/{id}/cancel"
            world.stripe.plan(about(asks, self.intent), faults.drop_answer)
        if story == "away":
            world.stripe.plan(about("POST /v1/refunds", self.intent), faults.fail(503))
        if fault and story not in {"erased", "twice"}:
            target.plan(self._match(), self._fault(fault), times=self.times(fault))
        self._cancel()
        if story == "erased":
            self._ended()
            if fault:
                target.plan(self._match(), self._fault(fault), times=self.times(fault))
            self.shop.aws.orders.put_item(Item=self.before)
            wait_until(self._is_back, what=f"{self}: the cancellation is back", seconds=SECONDS)
        self._ended()
        self.references = [leg["reference"] for leg in self._refund()["payments"] if leg["reference"]]
        if story == "twice":
            if fault:
                target.plan(self._match(), self._fault(fault), times=self.times(fault))
            self._announce_again()
        if fault:
            wait_until(self._happened, what=f"{self}: the fault has happened", seconds=SECONDS)
        return self._outcome()

    def _announce_again(self) -> None:
        """As the reconciler does, which knows no better. Waits until the provider was asked."""
        detail = self.watch.wait_for(self.order_id, "OrderCanceled", seconds=SECONDS)
        self.shop.aws.events.put_events(
            Entries=[
                {
                    "EventBusName": self.shop.aws.info.event_bus,
                    "Source": "cancel-core",
                    "DetailType": "OrderCanceled",
                    "Detail": json.dumps(detail, default=int),
                }
            ]
        )
        wait_until(
            lambda: operations(self.proxy, *self.references),
            what=f"{self}: the provider is asked about its refund",
            seconds=SECONDS,
        )

    def _match(self) -> Callable[[faults.Request], bool]:
        operation = self.point.operation
        # A call that names neither order nor payment is faulted for the first caller.
        named = about(operation) if operation in NAMELESS else about(operation, *self.words)
        has = self.point.has.encode()
        self.match = lambda request: named(request) and has in request.body
        return self.match

    def _happened(self) -> bool:
        return self.proxy.is_over(self.match)

    def _cancel(self) -> None:
        end = time.monotonic() + SECONDS
        while not self.answers or self.answers[-1] != 200:
            assert time.monotonic() < end, f"{self}: {self.answers}"
            # The gateway's own answer to a function that died is not in the document.
            answer = self.shop.client.raw(
                "POST",
                CANCELLATION.format(order_id=self.order_id),
                headers={"idempotency-key": self.order_id},
                json={"reason": "no_longer_needed"},
            )
            self.answers.append(answer.status_code)

    def _ended(self) -> None:
        def ended() -> bool:
            return bool(self._refund()["status"] != "pending")

        wait_until(ended, what=f"{self}: the refund ends", seconds=SECONDS)

    def _refund(self) -> dict[str, Any]:
        return dict(self.shop.cancellation(self.order_id)["refund"])

    def _is_back(self) -> bool:
        return "cancellation" in self.shop.aws.order(self.order_id)

    # --- what must be so, whatever was broken

    def _outcome(self) -> str:
        after = self.shop.stored(self.order_id)
        (payment,) = after["payments"]
        refund = after["cancellation"]["refund"]
        assert refund["status"] == "succeeded", self
        assert refund["refund_id"] == self.refund_id
        if self.voids:
            assert self.world.account.status(self.intent) == "canceled"
            assert (payment["amount_voided"], payment.get("amount_refunded", 0)) == (self.owed, 0)
            paid = "released"
        else:
            given = self.world.account.refunds(self.intent)
            assert given == [self.owed], f"{self}: {given}"
            assert payment["amount_refunded"] == self.owed
            assert sum(row["amount_refunded"] for row in (*after["items"], *self._others(after))) == self.owed
            paid = "refunded once"
        assert after["shops_own"] == {"kept", "whole"}
        assert "refund_pending_since" not in after
        document = self.world.aws.refund(self.refund_id)
        assert document["status"] == "succeeded"
        for kind in ("OrderCanceled", "OrderRefunded"):
            if self.point.story == "lost" and kind == "OrderCanceled":
                continue
            # It may stand in the stream behind other cells' records whose function is killed or throttled.
            self.watch.wait_for(self.order_id, kind, seconds=SECONDS)
        ids = {event["detail"]["cancellation_id"] for event in self.watch.of(self.order_id)}
        assert ids == {after["cancellation"]["cancellation_id"]}
        answers = ", then ".join(str(status) for status, _ in groupby(self.answers))
        return f"{answers}; {paid}" if self.point.function == CANCEL else paid

    @staticmethod
    def _others(after: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if "shipping" in after:
            yield after["shipping"]
        yield from after.get("fees", [])

    def __str__(self) -> str:
        return f"{self.point.function} {self.point.operation} ({self.order_id})"


TITLE = "Crashes, lost answers, throttling and outages"
INTRODUCTION = """\
The test injects faults into every external call of the functions:

- **killed before**, **killed after**: the process is killed before the call, or after the call has taken effect.
- **answer lost**: the call takes effect, but its answer is lost. If the call went to a provider, the provider has
  forgotten the idempotency key before the next call, as it does after a day.
- **throttled**, **broken**: the service throttles or fails for longer than the client's own retries.

A cell shows the result for the money. For the cancel it also shows the answers that the customer gets, repeating the
request with the same `Idempotency-Key` until the answer is 200. The test also checks in each cell:

- The amounts on the order are those that the provider has refunded.
- There is one `cancellation_id`.
- The shop's own attributes are unchanged.
- The refund document and the order agree.
- `OrderCanceled` and `OrderRefunded` were published.

Generated by [test_matrix.py](../tests/faults/test_matrix.py).
"""


def applies(point: Point, fault: str) -> bool:
    return point.writes or fault not in OF_WRITES_ALONE or point.of_provider


def lane(point: Point, fault: str) -> str:
    """The name of the lane that a cell runs in. The cells of one lane run after each other, the lanes side by side."""
    if point.function != REFUND:
        return point.function
    # A kill at the provider takes all processes of the function, and what names nobody is met by anybody.
    if point.operation in NAMELESS or (point.of_provider and fault in KILLS):
        return "refund, one at a time"
    return "refund, provider" if point.of_provider else "refund, AWS"


@pytest.mark.timeout(900)
def test_whatever_breaks_off_the_order_is_cancelled_once_and_paid_back_once(world: World) -> None:
    watch = EventWatch.open(world.aws)
    told: dict[tuple[Point, str], str] = {}

    lanes: dict[str, list[tuple[Point, str]]] = {}
    for point in POINTS:
        for fault in FAULTS:
            if applies(point, fault):
                lanes.setdefault(lane(point, fault), []).append((point, fault))

    def run(cells: list[tuple[Point, str]]) -> None:
        for point, fault in cells:
            shop = world.shop()
            try:
                told[point, fault] = Cell(world, shop, watch, point).tell(fault)
            finally:
                shop.close()

    with ThreadPoolExecutor(len(lanes)) as pool:
        for done in [pool.submit(run, cells) for cells in lanes.values()]:
            done.result()
    watch.close()
    assert_section(TITLE, render(told))


@pytest.mark.timeout(300)
def test_the_matrix_has_every_line_that_talks_to_the_outside(world: World) -> None:
    """What each story asks of AWS and of the provider is in the table, so that a new line can't be forgotten."""
    watch = EventWatch.open(world.aws)
    # The config's validator is broken off at each of its calls in test_config_away.py: it has no order and no money.
    functions = {point.function for point in POINTS}
    met: dict[str, set[str]] = {}
    for story in {point.story for point in POINTS}:
        (point, *_) = (point for point in POINTS if point.story == story)
        shop = world.shop()
        cell = Cell(world, shop, watch, point)
        cell.tell(None)
        words = [*cell.words, cell.refund_id]
        for function in functions:
            met.setdefault(function, set()).update(operations(world.proxies[function], *words))
        met[REFUND].update(operations(world.stripe, *words))
        shop.close()
    # These name no order.
    met[RECONCILE].add("Scan")
    met[REFUND] |= {"GetSecretValue", "ChangeMessageVisibility"}
    everything = {operation for function in functions for operation in world.proxies[function].operations()}
    assert {"Scan", "GetSecretValue", "ChangeMessageVisibility"} <= everything
    watch.close()

    assert met == {
        function: {point.operation for point in POINTS if point.function == function} for function in functions
    }


def render(told: dict[tuple[Point, str], str]) -> str:
    rows = [
        (
            point.function.removesuffix("Function"),
            f"{point.what} (`{point.operation}`)",
            *(told.get((point, fault), READS) for fault in FAULTS),
        )
        for point in POINTS
    ]
    return f"{INTRODUCTION}\n{table(('function', 'call', *FAULTS), *rows)}"
