"""Every line that follows a request to the shop, broken off in every way, on the running stack.

The result is docs/faults-requests.md. `UPDATE_DOCS=1` rewrites it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import httpx
import pytest

from tests.faults.cells import KILLS, OF_WRITES_ALONE, assert_page, run_all
from tests.faults.conftest import World, about
from tests.faults.page import matrix
from tests.support import documents
from tests.support import proxy as faults
from tests.support.aws import EventWatch
from tests.support.machine import ROOT
from tests.support.proxy import Fault, Request
from tests.support.waiting import wait_until

PAGE = ROOT / "docs" / "faults-requests.md"
SECONDS = 90
ASK, TAKE_BACK, PROCESS = "CancelOrderFunction", "TakeBackRequestFunction", "ProcessRequestFunction"
REQUESTS, ORDERS = "RequestsTable", "OrdersTable"
ENDS = {"approved": "approved", "taken back": "withdrawn"}
"""What a story ends with, where it is not declined: that takes no refund, and half the time."""


class Point(NamedTuple):
    """One line that talks to the outside, told from others of its function by all of these words, and the story in
    which it is met. `writes`: whether anything is different once it is done.
    """

    function: str
    operation: str
    what: str
    story: str = "declined"
    words: tuple[str, ...] = ()
    writes: bool = True


POINTS = (
    Point(ASK, "UpdateItem", "creates the request", words=('":cancellation_request"',)),
    Point(TAKE_BACK, "Query", "reads the order to take the request back", "taken back", writes=False),
    Point(TAKE_BACK, "BatchGetItem", "reads the config for the answer", "taken back", writes=False),
    Point(TAKE_BACK, "UpdateItem", "takes the request back", "taken back"),
    Point(PROCESS, "PutItem", "adds the request to the requests table", words=('"attribute_not_exists(request_id)"',)),
    Point(PROCESS, "PutEvents", "publishes the request", words=("CancellationRequested",)),
    Point(PROCESS, "GetItem", "reads the admin's decision", writes=False),
    Point(PROCESS, "UpdateItem", "reports an invalid decision", "wrong", ('":text"',)),
    Point(PROCESS, "UpdateItem", "makes the decision final", "approved", ('":decided"',)),
    Point(PROCESS, "Query", "reads the order", words=(ORDERS,), writes=False),
    Point(PROCESS, "BatchGetItem", "reads the config", "approved", writes=False),
    Point(PROCESS, "UpdateItem", "cancels the order", "approved", ('":cancellation"',)),
    Point(PROCESS, "UpdateItem", "records the refusal on the order", words=("declined by the shop",)),
    Point(PROCESS, "PutEvents", "publishes the refusal", words=("CancellationDeclined",)),
    Point(PROCESS, "UpdateItem", "records the result on the row", "approved", ('":outcome"',)),
    Point(PROCESS, "UpdateItem", "restores an overwritten request", "written over", ("it has been put back",)),
    Point(PROCESS, "PutItem", "restores a deleted row", "deleted", ('"attribute_not_exists(request_id)"',)),
    Point(PROCESS, "Query", "finds open requests", words=(REQUESTS, '"open"'), writes=False),
)
FAULTS = (*KILLS, "answer lost", "throttled")
DONE = "one outcome"


class Cell:
    """One order of a customer's, who asks the shop to cancel it."""

    def __init__(self, world: World, events: EventWatch) -> None:
        self.world, self.events, self.shop = world, events, world.shop()
        self.shop.configure(approval="always")
        self.order_id = self.shop.put(**documents.paid())
        self.words = [self.order_id, self.shop.store_id]
        self.before = self.shop.aws.order(self.order_id)

    def break_off(self, point: Point, fault: str) -> Callable[[], str]:
        """Goes through the story until it is broken off. Gives what waits for the end and tells what came of it."""
        proxy, match = self.world.proxies[point.function], self.match(point)

        def plan() -> None:
            proxy.plan(match, self._fault(point, fault), times=3 if fault == "throttled" else 1)

        if point.story == "deleted":
            # Its row is put as any other: what is meant is the second time.
            self.ask()
            plan()
        else:
            plan()
            self.ask()
        self.go_on(point.story)
        wait_until(lambda: proxy.is_over(match), what=f"{point} {fault} has happened", seconds=SECONDS)
        return lambda: self.outcome(point.story)

    def match(self, point: Point) -> Callable[[Request], bool]:
        def match(request: Request) -> bool:
            # The schedule looks for whatever there is.
            is_mine = about(point.operation, *(() if REQUESTS in point.words else self.words))
            text = request.body.decode(errors="replace")
            return is_mine(request) and all(word in text for word in point.words)

        return match

    def _fault(self, point: Point, fault: str) -> Fault:
        kill = partial(self.world.kill, point.function)
        made: dict[str, Fault] = {
            "killed before": faults.before(kill),
            "killed after": faults.after(kill),
            "answer lost": faults.drop_answer,
            "throttled": faults.aws_error("ThrottlingException"),
        }
        return made[fault]

    # --- the story

    def ask(self) -> None:
        answer = _repeated(lambda: self.shop.cancel(self.order_id, key="key"))
        assert answer.status_code == 202, answer.text
        self.request_id = answer.json()["cancellation_request"]["request_id"]
        self.words.append(self.request_id)
        wait_until(self.row, what=f"{self.order_id}: the request stands in the table", seconds=SECONDS)

    def go_on(self, story: str) -> None:
        orders, requests = self.shop.aws.orders, self.shop.aws.requests
        if story == "taken back":
            path = "/orders/{order_id}/cancellation-request"
            answer = _repeated(lambda: self.shop.client.delete(path, order_id=self.order_id))
            assert answer.json()["cancellation_request"]["status"] == "withdrawn"
            return
        if story == "wrong":
            self.decide("yes")
            wait_until(lambda: "NOT CARRIED OUT" in self.row().get("outcome", ""), what="it is told", seconds=SECONDS)
        if story == "deleted":
            requests.delete_item(Key={"request_id": self.request_id})
            wait_until(self.row, what=f"{self.order_id}: the row is back", seconds=SECONDS)
        if story == "written over":
            orders.put_item(Item=self.before)
            wait_until(
                lambda: "cancellation_request" in self.shop.aws.order(self.order_id),
                what=f"{self.order_id}: the request is back",
                seconds=SECONDS,
            )
        self.decide(ENDS.get(story, "declined"))

    def decide(self, decision: str) -> None:
        self.shop.aws.requests.update_item(
            Key={"request_id": self.request_id},
            UpdateExpression="SET decision = :decision",
            ExpressionAttributeValues={":decision": decision},
        )

    def row(self) -> dict[str, Any]:
        answer = self.shop.aws.requests.get_item(Key={"request_id": self.request_id}, ConsistentRead=True)
        return dict(answer.get("Item", {}))

    # --- what there is in the end

    def outcome(self, story: str) -> str:
        """Asserted, and told in a word."""
        end = ENDS.get(story, "declined")
        wait_until(lambda: self.row()["status"] != "open", what=f"{self.order_id}: it has ended", seconds=SECONDS)
        self.events.wait_for(self.order_id, "CancellationRequested", seconds=SECONDS)
        if end == "approved":
            self.shop.refunded(self.order_id)
        if end == "declined":
            self.events.wait_for(self.order_id, "CancellationDeclined", seconds=SECONDS)
        row, order = self.row(), self.shop.stored(self.order_id)
        request = order["cancellation_request"]
        assert (row["status"], request["request_id"], request["status"]) == (end, self.request_id, end)
        assert row["outcome"].startswith({"withdrawn": "Taken back"}.get(end, end.capitalize()))
        assert "open" not in row
        comments = [entry["comment"] for entry in order["history"]]
        for comment, times in (
            ("Cancellation requested", 1),
            ("Cancelled by the customer", end == "approved"),
            ("declined by the shop", end == "declined"),
            ("taken back by the customer", end == "withdrawn"),
        ):
            written_over = comment == "Cancellation requested" and story == "written over"
            assert sum(comment in one for one in comments) == (0 if written_over else times), comments
        paid_back = sum(int(payment.get("amount_refunded", 0)) for payment in order["payments"])
        assert paid_back == (int(order["payments"][0]["amount_captured"]) if end == "approved" else 0)
        assert ("cancellation" in order) is (end == "approved")
        return DONE


def _repeated(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """As a client does that got no answer, or one that says to try again."""
    for _ in range(10):
        answer = ask()
        if answer.status_code < 500:
            break
        time.sleep(0.3)
    return answer


INTRODUCTION = """\
# Fault-injection matrix: requests to the shop

[test_request_matrix.py](../tests/faults/test_request_matrix.py) generates this page on the running stack and fails when
the page differs from the result. It injects faults into every external call that creates a request, takes it back, or
carries out the admin's decision:

- **killed before**, **killed after**: the process is killed before the call, or after the call has taken effect.
- **answer lost**: the call takes effect, but its answer is lost.
- **throttled**: the service throttles for longer than the client's own retries.

A client without an answer repeats its request with the same key. Each cell is one request for a paid order. It is
approved, declined or taken back, or something else happens first: an invalid decision, a deleted row, or an overwritten
order.

*One outcome* means: the order and the row have the same result, and the row says so. An approved request has one cancel
and one refund. Other requests have none. The customer is notified by the event, which may be published twice. The calls
of the refund are in [faults.md](faults.md).
"""


def applies(point: Point, fault: str) -> bool:
    return point.writes or fault not in OF_WRITES_ALONE


@pytest.fixture
def events(world: World) -> Iterator[EventWatch]:
    watch = EventWatch.open(world.aws)
    yield watch
    watch.close()


@pytest.mark.timeout(900)
def test_whatever_breaks_off_a_request_has_one_outcome(world: World, events: EventWatch) -> None:
    cells = [(point, fault) for point in POINTS for fault in FAULTS if applies(point, fault)]
    # What names nobody is met by anybody, and a process that looks for whatever there is has others' requests in hand.
    told = run_all(
        cells,
        lambda: Cell(world, events),
        alone=lambda cell: PROCESS if cell[1] in KILLS and REQUESTS in cell[0].words else None,
    )
    assert_page(PAGE, render(told))


@pytest.mark.timeout(300)
def test_the_matrix_has_every_line_that_talks_to_the_outside(world: World, events: EventWatch) -> None:
    met: set[Point] = set()
    for story in dict.fromkeys(point.story for point in POINTS):
        cell = Cell(world, events)
        cell.ask()
        cell.go_on(story)
        assert cell.outcome(story) == DONE
        for function in (PROCESS, TAKE_BACK):
            points = [point for point in POINTS if point.function == function]
            matches = {point: cell.match(point) for point in points}
            for one in list(world.proxies[function].seen):
                found = {point for point in points if matches[point](one.request)}
                is_mine = any(word in one.request.body.decode(errors="replace") for word in cell.words)
                assert found or not is_mine, (story, one.request.operation, one.request.body)
                met |= found
        cell.shop.close()
    assert {point for point in POINTS if point.function != ASK} == met


def render(told: dict[tuple[Point, str], str]) -> str:
    return f"{INTRODUCTION}\n{matrix(FAULTS, POINTS, told)}\n"
