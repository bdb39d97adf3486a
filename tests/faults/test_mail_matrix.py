"""Every line of the mail function that talks to the outside, broken off in every way, on the running stack.

The result is docs/faults-mail.md. `UPDATE_DOCS=1` rewrites it.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import pytest
from cancel_core.domain.ids import cancellation_id, mail_id

from tests.faults.cells import KILLS, OF_WRITES_ALONE, assert_page, run_all
from tests.faults.conftest import World, about, operations
from tests.faults.page import matrix
from tests.support import proxy as faults
from tests.support.machine import ROOT
from tests.support.mails import MAIL
from tests.support.proxy import Fault
from tests.support.waiting import wait_until

PAGE = ROOT / "docs" / "faults-mail.md"
SECONDS = 90
"""For one cell to come to its end: until a function that was killed would have ended, its mail is left alone."""
FUNCTION = "SendMailFunction"
SES = "POST /v2/email/outbound-emails"
AGAIN = "ChangeMessageVisibility"


class Point(NamedTuple):
    """One line that talks to the outside. `writes`: whether anything is different once it is done."""

    operation: str
    what: str
    writes: bool = True


POINTS = (
    Point("BatchGetItem", "reads the config", writes=False),
    Point("Query", "reads the order", writes=False),
    Point("PutItem", "records that the mail will be sent"),
    Point(SES, "sends the mail through SES"),
    Point("UpdateItem", "records that the mail was sent"),
    Point(AGAIN, "sets the redelivery delay"),
)
FAULTS = (*KILLS, "answer lost", "throttled", "broken", "refused")


def refused_by_ses(status: int, code: str) -> Fault:
    headers: dict[str, Any] = {"x-amzn-errortype": code}
    return faults.fail(status, **headers)


@dataclass
class Cell:
    """One order that is cancelled, and the one mail that tells its customer so."""

    world: World

    def __post_init__(self) -> None:
        self.shop = self.world.shop()
        self.shop.configure(mail={**MAIL, "merchant": []})
        self.order_id = self.shop.put(customer_email="someone@example.com")
        placed = self.shop.aws.order(self.order_id)["placed_at"]
        self.mail_id = mail_id("order_canceled", cancellation_id(self.order_id, placed))
        self.proxy = self.world.proxies[FUNCTION]

    def break_off(self, point: Point, fault: str) -> Callable[[], str]:
        """Cancels, and waits until it is broken off. Gives what waits for the end and tells what came of it."""
        if point.operation == AGAIN:
            # Whose turn it is that SES has no time for.
            self.proxy.plan(about(SES, self.mail_id), refused_by_ses(429, "TooManyRequests"))
        # A call that names neither order, store nor mail is faulted for the first caller.
        words = () if point.operation == AGAIN else (self.order_id, self.shop.store_id, self.mail_id)
        match = about(point.operation, *words)
        self.proxy.plan(match, self._fault(point, fault), times=self._times(point, fault))
        self.shop.canceled(self.order_id)
        wait_until(lambda: self.proxy.is_over(match), what=f"{point} {fault} has happened", seconds=SECONDS)
        return self.outcome

    def _fault(self, point: Point, fault: str) -> Fault:
        kill = partial(self.world.kill, FUNCTION)
        is_ses = point.operation == SES
        made: dict[str, Fault] = {
            "killed before": faults.before(kill),
            "killed after": faults.after(kill),
            "answer lost": faults.drop_answer,
            "throttled": refused_by_ses(429, "TooManyRequestsException")
            if is_ses
            else faults.aws_error("ThrottlingException"),
            "broken": faults.fail(503),
            "refused": refused_by_ses(400, "MessageRejected"),
        }
        return made[fault]

    @staticmethod
    def _times(point: Point, fault: str) -> int:
        """As often as the client itself tries, so that the function meets it. SES is asked once."""
        if fault not in {"throttled", "broken"}:
            return 1
        return {SES: 1, AGAIN: 2}.get(point.operation, 3)

    def outcome(self) -> str:
        def row() -> dict[str, Any]:
            table, key = self.world.aws.info.tables["mails"], {"mail_id": {"S": self.mail_id}}
            answer = self.world.stack.services.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)
            return {name: next(iter(value.values())) for name, value in answer.get("Item", {}).items()}

        def ended() -> bool:
            return row().get("status") in {"sent", "failed"}

        wait_until(ended, what=f"{self.order_id}: the mail has ended", seconds=SECONDS)
        wait_until(self._is_taken, what=f"{self.order_id}: its message is taken", seconds=SECONDS)
        after, sent = row(), len(self.sent())
        assert (after["status"] == "sent") == (sent > 0)
        assert ("unsent_since" in after) == (after["status"] == "failed")
        return {0: "not sent: `failed`", 1: "sent once", 2: "sent twice"}[sent]

    def _is_taken(self) -> bool:
        url = self.world.stack.services.queues["MailQueue"]
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self.world.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return all(told[name] == "0" for name in names)

    def sent(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.world.url}/local/mails") as answer:
            mails: list[dict[str, Any]] = json.load(answer)["mails"]
        return [mail for mail in mails if mail["mail_id"] == self.mail_id]

    def event(self) -> str:
        """The event of the cancel, as the bus brings it."""
        detail = {"order_id": self.order_id, "store_id": self.shop.store_id, "occurred_at": "2026-11-22T10:00:00Z"}
        detail["cancellation_id"] = self.shop.cancellation(self.order_id)["cancellation_id"]
        return json.dumps({"source": "cancel-core", "detail-type": "OrderCanceled", "detail": detail})


INTRODUCTION = """\
# Fault-injection matrix: mails

[test_mail_matrix.py](../tests/faults/test_mail_matrix.py) generates this page on the running stack and fails when the
page differs from the result. It injects faults into every external call of the mail function:

- **killed before**, **killed after**: the process is killed before the call, or after the call has taken effect.
- **answer lost**: the call takes effect, but its answer is lost.
- **throttled**, **broken**: the service throttles or fails for longer than the client's own retries.
- **refused**: SES rejects the mail.

The calls for orders and refunds are in [faults.md](faults.md).

A mail is sent twice in three cells. In each of them the function fails after SES has accepted the mail and before the
row records it. SES has no idempotency key. In every cell the row agrees with what SES accepted, and no message is left
in the queue.
"""


def applies(point: Point, fault: str) -> bool:
    if fault == "refused":
        return point.operation == SES
    return point.writes or fault not in OF_WRITES_ALONE


@pytest.mark.timeout(900)
def test_whatever_breaks_off_a_mail_is_sent(world: World) -> None:
    cells = [(point, fault) for point in POINTS for fault in FAULTS if applies(point, fault)]
    # What names nobody is met by anybody: these by themselves.
    told = run_all(cells, lambda: Cell(world), alone=lambda cell: AGAIN if cell[0].operation == AGAIN else None)
    assert_page(PAGE, render(told))


@pytest.mark.timeout(300)
def test_the_matrix_has_every_line_that_talks_to_the_outside(world: World) -> None:
    cell = Cell(world)
    cell.proxy.plan(about(SES, cell.mail_id), refused_by_ses(429, "TooManyRequests"))
    cell.shop.canceled(cell.order_id)
    assert cell.outcome() == "sent once"
    met = set(operations(cell.proxy, cell.order_id, cell.shop.store_id, cell.mail_id))
    assert AGAIN in cell.proxy.operations()
    assert {*met, AGAIN} == {point.operation for point in POINTS}
    cell.shop.close()


@pytest.mark.timeout(300)
def test_an_event_that_comes_again_and_many_at_once_send_it_once(world: World) -> None:
    cell = Cell(world)
    # The first is late, so that the others find it at work.
    cell.proxy.plan(about(SES, cell.mail_id), faults.delay(2))
    cell.shop.canceled(cell.order_id)
    body, url = cell.event(), world.stack.services.queues["MailQueue"]
    for _ in range(8):
        world.aws.sqs.send_message(QueueUrl=url, MessageBody=body)
    assert cell.outcome() == "sent once"
    for _ in range(3):
        world.aws.sqs.send_message(QueueUrl=url, MessageBody=body)
    assert cell.outcome() == "sent once"
    cell.shop.close()


def render(told: dict[tuple[Point, str], str]) -> str:
    # Only SES refuses a mail.
    told = {(point, "refused"): "" for point in POINTS} | told
    return f"{INTRODUCTION}\n{matrix(FAULTS, POINTS, told, {SES: 'SendEmail'})}\n"
