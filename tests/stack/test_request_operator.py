"""`make requests` and what lies in its dead-letter queue, against the running stack, as an operator types it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ops.__main__ import main
from tests.stack.test_requests import asked
from tests.support import documents
from tests.support.batches import failed_batch
from tests.support.machine import ROOT
from tests.support.shop import Shop
from tests.support.stack import Running
from tests.support.waiting import wait_until


def make(*arguments: str, code: int = 0) -> str:
    """`make requests`, of the tools that this checkout has."""
    done = subprocess.run(
        [
            "make",
            "--silent",
            "requests",
            f"BIN={Path(sys.executable).parent}",
            "--old-file=.venv/run.stamp",
            *arguments,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is (code == 0), done.stdout + done.stderr
    return done.stdout + done.stderr


def here(stack: Running, command: str) -> str:
    return f"DO=--local --url {stack.endpoint} {command}"


def request_of(shop: Shop, **named: Any) -> tuple[str, str]:
    """A request whose row is there: the ids of order and request."""
    shop.configure(approval="always")
    order_id = shop.put(**documents.paid())
    request_id = str(asked(shop, order_id, **named)["cancellation_request"]["request_id"])
    wait_until(
        lambda: "Item" in shop.aws.requests.get_item(Key={"request_id": request_id}, ConsistentRead=True),
        what="the row is there",
    )
    return order_id, request_id


def test_a_request_is_listed_approved_and_said_to_be(shop: Shop, stack: Running) -> None:
    order_id, request_id = request_of(shop)
    (line,) = [line for line in make(here(stack, "list")).splitlines() if request_id in line]
    assert line.split()[1:6] == [order_id, shop.store_id, "no_longer_needed", "200.00", "SEK"]
    assert line.endswith("approve or decline")
    note = 'It\'s on its way: "200 SEK", $5 & more'
    said = make(here(stack, "approve"), f"ID={request_id}", f"NOTE={note}")
    assert f"{request_id}: Approved, decided " in said
    assert "the order is cancelled" in said
    order = shop.order(order_id)
    assert (order["cancellation_request"]["status"], order["cancellation_request"]["note"]) == ("approved", note)
    assert order["cancellation"]
    assert request_id not in make(here(stack, "list"))
    assert f"{request_id} is approved: " in make(here(stack, "decline"), f"ID={request_id}", code=1)
    assert "There is no request req_0" in make(here(stack, "approve"), "ID=req_0", code=1)


def test_a_request_is_declined(shop: Shop, stack: Running, capsys: pytest.CaptureFixture[str]) -> None:
    order_id, request_id = request_of(shop)
    typed = ["--local", "--url", stack.endpoint, "decline", request_id]
    for _ in range(2):
        assert main(["requests", *typed]) == 0
        assert f"{request_id}: Declined, decided " in capsys.readouterr().out
    order = shop.order(order_id)
    assert (order["status"], order["cancellation_request"]["status"]) == ("processing", "declined")
    assert order["cancellation_request"]["note"] is None


def test_what_a_customer_has_said_is_exported_and_erased(
    shop: Shop, stack: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    order_id, request_id = request_of(shop, comment="It is for Anna")
    typed = ["--local", "--url", stack.endpoint]
    assert main(["refunds", *typed, "export", shop.customer_id]) == 0
    (held,) = json.loads(capsys.readouterr().out)
    assert [(row["request_id"], row["comment"]) for row in held["requests"]] == [(request_id, "It is for Anna")]
    assert main(["refunds", *typed, "erase", order_id]) == 0
    said = capsys.readouterr().out
    assert f"{order_id}: erased the comment of 1 request(s) to the shop." in said
    assert f"{order_id}: erased customer_email, comment." in said
    rows = [row for row in shop.aws.rows("requests") if row["order_id"] == order_id]
    assert "Anna" not in str([shop.stored(order_id), *rows])


def test_what_lies_in_the_dead_letter_queue_of_requests_is_dealt_with(
    shop: Shop, stack: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    order_id, request_id = request_of(shop)
    key = {"request_id": request_id}
    # As if the function had never been able to add it: its row is not there, and no deletion is in the stream.
    shop.aws.requests.update_item(
        Key=key,
        UpdateExpression="SET #status = :status",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": "gone"},
    )
    shop.aws.requests.delete_item(Key=key)
    message = failed_batch(stack, order_id, "cancellation_request", most=1)
    sqs, url = shop.aws.sqs, stack.info.queues["RequestDeadLetterQueue"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(message))
    typed = ["--local", "--url", stack.endpoint]
    said: list[str] = []

    def is_said(text: str, command: str) -> bool:
        # What was looked at stays hidden for a while.
        assert main(["refunds", *typed, command]) == 0
        said.append(re.sub("  +", "  ", capsys.readouterr().out))
        return text in said[-1]

    wait_until(lambda: is_said("RequestDeadLetterQueue  1 change(s) of requests at", "list"), what="it is listed")
    wait_until(lambda: is_said("1 change(s) of requests", "requeue"), what="it is taken", seconds=30, every=1)
    assert ": dealt with" in said[-1]
    row = shop.aws.requests.get_item(Key=key, ConsistentRead=True)["Item"]
    assert (row["order_id"], row["status"], row["open"]) == (order_id, "open", "open")
    # It is once more what can be decided on.
    assert main(["requests", *typed, "approve", request_id]) == 0
    assert shop.order(order_id)["cancellation"]
