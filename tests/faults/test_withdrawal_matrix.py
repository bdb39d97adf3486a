"""Every line that follows a statement of withdrawal, broken off in every way, on the running stack.

The result is docs/faults-withdrawal.md. `UPDATE_DOCS=1` rewrites it.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pytest
from cancel_core.domain.ids import withdrawal_id
from cancel_core.services.process_withdrawals import COMMENT

from tests.faults.cells import KILLS, OF_WRITES_ALONE, assert_page, run_all
from tests.faults.conftest import World, about
from tests.faults.page import matrix
from tests.support import documents
from tests.support import proxy as faults
from tests.support.machine import ROOT
from tests.support.mails import MAIL
from tests.support.proxy import Fault, Request
from tests.support.waiting import wait_until

PAGE = ROOT / "docs" / "faults-withdrawal.md"
SECONDS = 90
FUNCTION = "ProcessWithdrawalFunction"
WITHDRAWALS, ORDERS = "WithdrawalsTable", "OrdersTable"


class Point(NamedTuple):
    """One line that talks to the outside, told from others by all of these words. `writes`: whether anything is
    different once it is done.
    """

    operation: str
    what: str
    words: tuple[str, ...] = ()
    writes: bool = True


POINTS = (
    Point("Query", "reads the parts of the withdrawal", (WITHDRAWALS,), writes=False),
    Point("Query", "reads the order", (ORDERS,), writes=False),
    Point("BatchGetItem", "reads the config", writes=False),
    Point("PutItem", "writes the outcome beside the statement", ('"decided_at"',)),
    Point("UpdateItem", "records the statement on the order", (":noted",)),
    Point("UpdateItem", "cancels the order", (":cancellation",)),
    Point("PutItem", "writes the result of the cancel beside the statement", ('"order_canceled"',)),
    Point("PutEvents", "publishes the event"),
)
FAULTS = (*KILLS, "answer lost", "throttled", "broken")
DONE = "processed once"


class Cell:
    """One order of a customer's, who withdraws from all of it."""

    def __init__(self, world: World) -> None:
        self.world, self.shop = world, world.shop()
        self.shop.configure(withdrawal={"enabled": True}, mail=MAIL | {"merchant": []})
        self.order_id = self.shop.put(**documents.paid(), customer_email="someone@example.com")
        self.withdrawal_id = withdrawal_id("customer", self.shop.customer_id, "key")
        self.proxy = world.proxies[FUNCTION]

    def break_off(self, point: Point, fault: str) -> Callable[[], str]:
        """Withdraws, and waits until it is broken off. Gives what waits for the end and tells what came of it."""
        match = self._match(point)
        self.proxy.plan(match, self._fault(fault), times=3 if fault in {"throttled", "broken"} else 1)
        self.withdraw()
        wait_until(lambda: self.proxy.is_over(match), what=f"{point} {fault} has happened", seconds=SECONDS)
        return self.outcome

    def _match(self, point: Point) -> Callable[[Request], bool]:
        is_mine = about(point.operation, self.order_id, self.withdrawal_id, self.shop.store_id)

        def match(request: Request) -> bool:
            text = request.body.decode(errors="replace")
            return is_mine(request) and all(word in text for word in point.words)

        return match

    def _fault(self, fault: str) -> Fault:
        kill = partial(self.world.kill, FUNCTION)
        made: dict[str, Fault] = {
            "killed before": faults.before(kill),
            "killed after": faults.after(kill),
            "answer lost": faults.drop_answer,
            "throttled": faults.aws_error("ThrottlingException"),
            "broken": faults.fail(503),
        }
        return made[fault]

    def withdraw(self) -> None:
        answer = self.shop.client.post(
            "/orders/{order_id}/withdrawal", order_id=self.order_id, json={}, headers={"idempotency-key": "key"}
        )
        assert answer.status_code == 201, answer.text
        assert answer.json()["withdrawal_id"] == self.withdrawal_id

    def outcome(self) -> str:
        """What there is in the end: asserted, and told in a word."""
        wait_until(self._receipts, what=f"{self.order_id}: the receipt is sent", seconds=SECONDS)
        wait_until(lambda: "cancel" in self._parts(), what=f"{self.order_id}: all parts are there", seconds=SECONDS)
        self.shop.refunded(self.order_id)
        parts = self._parts()
        assert (parts["outcome"]["match"], parts["cancel"]["code"]) == ("proven", "CANCELED")
        order = self.shop.aws.order(self.order_id)
        assert order["cancellation"]["request_id"] == self.withdrawal_id
        assert order["withdrawal"]["count"] == 1
        comments = [entry["comment"] for entry in order["history"]]
        assert comments.count(COMMENT) == 1
        assert sum("Cancelled by the customer" in comment for comment in comments) == 1
        assert len(self._receipts()) == 1
        return DONE

    def _parts(self) -> dict[str, dict[str, Any]]:
        answer = self.shop.aws.withdrawals.query(
            KeyConditionExpression="withdrawal_id = :id",
            ExpressionAttributeValues={":id": self.withdrawal_id},
            ConsistentRead=True,
        )
        return {str(item["part"]): dict(item) for item in answer["Items"]}

    def _receipts(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.world.url}/local/mails") as answer:
            mails: list[dict[str, Any]] = json.load(answer)["mails"]
        return [mail for mail in mails if mail["kind"] == "withdrawal_receipt" and self.withdrawal_id in mail["text"]]


INTRODUCTION = """\
# Fault-injection matrix: withdrawals

[test_withdrawal_matrix.py](../tests/faults/test_withdrawal_matrix.py) generates this page on the running stack and
fails when the page differs from the result. It injects faults into every external call of the function behind the
withdrawals table's stream:

- **killed before**, **killed after**: the process is killed before the call, or after the call has taken effect.
- **answer lost**: the call takes effect, but its answer is lost.
- **throttled**, **broken**: the service throttles or fails for longer than the client's own retries.

Each cell is a customer's withdrawal from a whole paid order. *Processed once* means: one outcome, one note and one
cancel on the order, one refund, and one receipt. The event may be published twice. The calls for mails are in
[faults-mail.md](faults-mail.md), those of the refund in [faults.md](faults.md).
"""


def applies(point: Point, fault: str) -> bool:
    return point.writes or fault not in OF_WRITES_ALONE


@pytest.mark.timeout(900)
def test_whatever_breaks_off_a_withdrawal_is_dealt_with_once(world: World) -> None:
    cells = [(point, fault) for point in POINTS for fault in FAULTS if applies(point, fault)]
    told = run_all(cells, lambda: Cell(world), alone=lambda _: None)
    assert_page(PAGE, render(told))


@pytest.mark.timeout(300)
def test_the_matrix_has_every_line_that_talks_to_the_outside(world: World) -> None:
    cell = Cell(world)
    cell.withdraw()
    assert cell.outcome() == DONE
    words = (cell.order_id, cell.withdrawal_id, cell.shop.store_id)
    seen = [one.request for one in list(cell.proxy.seen) if any(word in one.request.body.decode() for word in words)]
    matches = [cell._match(point) for point in POINTS]
    assert [request.operation for request in seen if not any(match(request) for match in matches)] == []
    assert all(any(match(request) for request in seen) for match in matches)
    cell.shop.close()


def render(told: dict[tuple[Point, str], str]) -> str:
    return f"{INTRODUCTION}\n{matrix(FAULTS, POINTS, told)}\n"
