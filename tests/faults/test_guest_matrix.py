"""Every line between a guest's request and the mail with the code, broken off in every way, on the running stack.

The result is docs/faults-guests.md. `UPDATE_DOCS=1` rewrites it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import httpx
import pytest

from tests.faults.cells import KILLS, OF_WRITES_ALONE, assert_page, run_all
from tests.faults.conftest import World, about, operations
from tests.faults.page import matrix
from tests.faults.test_mail_matrix import SES, refused_by_ses
from tests.support import documents
from tests.support import proxy as faults
from tests.support.client import PLAIN
from tests.support.machine import ROOT
from tests.support.mails import MAIL
from tests.support.proxy import Fault, Request
from tests.support.waiting import wait_until

PAGE = ROOT / "docs" / "faults-guests.md"
SECONDS = 90
ADDRESS = "guest-of-faults@example.com"
CODE, MAILS = "SendGuestCodeFunction", "SendMailFunction"
AGAIN = "ChangeMessageVisibility"


class Point(NamedTuple):
    """One line that talks to the outside. `writes`: whether anything is different once it is done. `named`: whether the
    request names order, store or mail, and so can be told from those of others."""

    function: str
    operation: str
    what: str
    writes: bool = True
    named: bool = True


POINTS = (
    Point(CODE, "Query", "reads the order", writes=False),
    Point(CODE, "BatchGetItem", "reads the config", writes=False),
    Point(CODE, "GetItem", "reads the previous code", writes=False),
    Point(CODE, "PutItem", "writes the code's row"),
    Point(CODE, "SendMessage", "sends the code to the mail function"),
    Point(CODE, AGAIN, "sets the redelivery delay", named=False),
    Point(MAILS, "GetItem", "reads the code's row", writes=False),
    Point(MAILS, "Query", "reads the order", writes=False),
    Point(MAILS, "BatchGetItem", "reads the config", writes=False),
    Point(MAILS, "PutItem", "records that the mail will be sent"),
    Point(MAILS, SES, "sends the mail through SES"),
    Point(MAILS, "UpdateItem", "records that the mail was sent"),
    Point(MAILS, AGAIN, "sets the redelivery delay", named=False),
)
FAULTS = (*KILLS, "answer lost", "throttled", "broken")


class Cell:
    """One order of a guest who asks for one code."""

    def __init__(self, world: World) -> None:
        self.world, self.shop = world, world.shop()
        self.shop.configure(mail={**MAIL, "customer": False, "merchant": []}, guest_access=True)
        self.order_id = f"{self.shop.mark}-guest"
        document = documents.order(self.order_id, "nobody", self.shop.store_id)
        del document["customer_id"]
        self.shop.put_exactly(document | {"customer_email": ADDRESS})

    def ask(self) -> None:
        asked = {"order_id": self.order_id, "email": ADDRESS}
        assert httpx.post(f"{self.world.url}/guest-access", json=asked, verify=PLAIN).status_code == 202

    def break_off(self, point: Point, fault: str) -> Callable[[], str]:
        """Asks, and waits until it is broken off. Gives what waits for the end and tells what came of it."""
        proxy, words = self.world.proxies[point.function], (self.order_id, self.shop.store_id)
        if point.operation == AGAIN:
            # Whose turn it is that something is unavailable.
            if point.function == MAILS:
                proxy.plan(about(SES, *words), refused_by_ses(429, "TooManyRequests"))
            else:
                proxy.plan(about("PutItem", *words), faults.fail(503), times=3)
        match = self._match(point)
        proxy.plan(match, self._fault(point, fault), times=self._times(point, fault))
        self.ask()
        wait_until(lambda: proxy.is_over(match), what=f"{point} {fault} has happened", seconds=SECONDS)
        return self.outcome

    def _match(self, point: Point) -> Callable[[Request], bool]:
        if not point.named:
            return about(point.operation)

        # The mail's id is known once its row is put, which comes before all that names it alone.
        def match(request: Request) -> bool:
            # Nothing of another operation, for the names are looked up in all that was asked.
            return about(point.operation)(request) and about(point.operation, *self._words())(request)

        return match

    def _words(self) -> list[str]:
        rows = [
            json.loads(one.request.body)["Item"]["mail_id"]["S"]
            for one in list(self.world.proxies[MAILS].seen)
            if about("PutItem", self.order_id)(one.request)
        ]
        return [self.order_id, self.shop.store_id, *rows]

    def _fault(self, point: Point, fault: str) -> Fault:
        kill = partial(self.world.kill, point.function)
        throttled = refused_by_ses(429, "TooManyRequestsException")
        made: dict[str, Fault] = {
            "killed before": faults.before(kill),
            "killed after": faults.after(kill),
            "answer lost": faults.drop_answer,
            "throttled": throttled if point.operation == SES else faults.aws_error("ThrottlingException"),
            "broken": faults.fail(503),
        }
        return made[fault]

    @staticmethod
    def _times(point: Point, fault: str) -> int:
        """As often as the client itself tries, so that the function meets it."""
        if fault not in {"throttled", "broken"}:
            return 1
        return {SES: 1, AGAIN: 2, "SendMessage": 2}.get(point.operation, 3)

    def outcome(self) -> str:
        wait_until(self._is_taken, what=f"{self.order_id}: all messages are taken", seconds=SECONDS)
        (row,) = [row for row in self.shop.aws.rows("access") if row["order_id"] == self.order_id]
        assert len(row["mailed"]) == 1, "it counts once"
        sent = self.sent()
        codes = {self._code(mail) for mail in sent}
        assert len(codes) == 1, "a code that comes twice is the same code"
        asked = {"order_id": self.order_id, "code": codes.pop()}
        assert httpx.post(f"{self.world.url}/guest-access/token", json=asked, verify=PLAIN).status_code == 200
        return {1: "mailed once", 2: "mailed twice"}[len(sent)]

    @staticmethod
    def _code(mail: dict[str, Any]) -> str:
        found = re.search(r"^ {4}([0-9]{6})$", mail["text"], re.MULTILINE)
        assert found
        return found[1]

    def _is_taken(self) -> bool:
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        for queue in ("GuestCodeQueue", "GuestMailQueue"):
            url = self.world.stack.services.queues[queue]
            told = self.world.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            if any(told[name] != "0" for name in names):
                return False
        return True

    def sent(self) -> list[dict[str, Any]]:
        mails = httpx.get(f"{self.world.url}/local/mails", verify=PLAIN).json()["mails"]
        return [mail for mail in mails if self.order_id in mail["subject"]]


INTRODUCTION = """\
# Fault-injection matrix: guests' codes

[test_guest_matrix.py](../tests/faults/test_guest_matrix.py) generates this page on the running stack and fails when the
page differs from the result. It injects faults into every external call between the request and the mail:

- **killed before**, **killed after**: the process is killed before the call, or after the call has taken effect.
- **answer lost**: the call takes effect, but its answer is lost.
- **throttled**, **broken**: the service throttles or fails for longer than the client's own retries.

In each cell the code counts once towards the limit of three an hour, the code works, and no message is left in a queue.
A mail is sent twice in the same cases as any other mail: if the function fails after SES has accepted the mail and
before the row records it ([faults-mail.md](faults-mail.md)). Both mails then contain the same code, because the code is
generated with the request and travels in the message.

A client redeems a code with one request. If a fault interrupts it, the answer is 503 or missing. Afterwards either the
code still works or its token has been issued ([test_guest_faults.py](../tests/services/test_guest_faults.py)).
"""


def applies(point: Point, fault: str) -> bool:
    return point.writes or fault not in OF_WRITES_ALONE


@pytest.mark.timeout(1200)
def test_whatever_breaks_off_a_code_is_mailed(world: World) -> None:
    cells = [(point, fault) for point in POINTS for fault in FAULTS if applies(point, fault)]
    # What names nobody is met by anybody of the same function: these one at a time.
    told = run_all(cells, lambda: Cell(world), alone=lambda cell: None if cell[0].named else cell[0].function)
    assert_page(PAGE, render(told))


@pytest.mark.timeout(300)
def test_the_matrix_has_every_line_that_talks_to_the_outside(world: World) -> None:
    cell = Cell(world)
    words = [cell.order_id, cell.shop.store_id]
    world.proxies[CODE].plan(about("PutItem", *words), faults.fail(503), times=3)
    world.proxies[MAILS].plan(about(SES, *words), refused_by_ses(429, "TooManyRequests"))
    cell.ask()
    assert cell.outcome() == "mailed once"
    words = cell._words()
    for function in (CODE, MAILS):
        named = {point.operation for point in POINTS if point.function == function and point.named}
        assert set(operations(world.proxies[function], *words)) == named
        others = {point.operation for point in POINTS if point.function == function and not point.named}
        assert others <= set(world.proxies[function].operations())
    cell.shop.close()


def render(told: dict[tuple[Point, str], str]) -> str:
    lines = [INTRODUCTION]
    for function, title in ((CODE, "From the request to the code"), (MAILS, "From the code to the mail")):
        points = (point for point in POINTS if point.function == function)
        lines += [f"## {title}", "", matrix(FAULTS, points, told, {SES: "SendEmail"}), ""]
    return "\n".join(lines)


@pytest.mark.timeout(300)
def test_at_debug_neither_address_nor_code_nor_token_is_told_whatever_breaks(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.stack.template.parameters["LogLevel"] == "DEBUG"
    cell = Cell(world)
    words = (cell.order_id, cell.shop.store_id)
    world.proxies[CODE].plan(about("Query", *words), faults.refuse, times=3)
    world.proxies[CODE].plan(about("PutItem", *words), faults.aws_error("ValidationException"))
    world.proxies[MAILS].plan(about("GetItem", *words), faults.fail(500), times=3)
    world.proxies[MAILS].plan(about(SES, *words), faults.drop_answer)
    for queue in ("GuestCodeQueue", "GuestMailQueue"):
        url = world.stack.services.queues[queue]
        body = json.dumps({"order_id": cell.order_id, "email": ADDRESS})
        world.aws.sqs.send_message(QueueUrl=url, MessageBody=body)
    cell.ask()
    wait_until(cell.sent, what="the code is mailed", seconds=SECONDS)
    code = cell._code(cell.sent()[0])
    asked = {"order_id": cell.order_id, "code": code}
    answer = httpx.post(f"{world.url}/guest-access/token", json=asked, verify=PLAIN)
    httpx.post(f"{world.url}/guest-access/token", json=asked | {"email": ADDRESS}, verify=PLAIN)
    token = answer.json()["token"]
    httpx.get(f"{world.url}/guest/order", headers={"authorization": f"Bearer {token}"}, verify=PLAIN)
    said = ""

    def is_told() -> bool:
        nonlocal said
        said += capsys.readouterr().out
        return all(text in said for text in (cell.order_id, "the message is to be tried again", "GET /guest/order"))

    # Each process's lines come by themselves: the last request's may be there before earlier ones of another process.
    wait_until(is_told, what="the lines of the messages and of the last request are there")
    assert ADDRESS not in said
    assert token not in said
    assert not re.search(rf"\b{code}\b", said)
    for queue in ("GuestCodeQueue", "GuestMailQueue"):
        world.aws.sqs.purge_queue(QueueUrl=world.stack.services.queues[queue])
    cell.shop.close()
