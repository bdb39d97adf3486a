"""The shop's decisions on cancellation requests, as the operator writes them, on a real engine."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from cancel_core.adapters.dynamodb.requests import Requests
from cancel_core.domain.cancellation import Reason
from cancel_core.domain.cancellation_request import CancellationRequest
from cancel_core.domain.request_row import AskedAbout, Decided, new_row
from cancel_core.domain.times import iso

from ops import requests as program
from ops import stacks
from ops.__main__ import main as shell
from ops.faults import Exit
from ops.requests import Stack
from tests.support.tables import Calls, Shop

Said = pytest.CaptureFixture[str]
AT = "2026-11-22T10:00:00Z"


@pytest.fixture
def stack(found: stacks.Stack, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Nothing is at its stream: what a function would do the tests do."""
    made = Stack(found.dynamodb, Requests(shop.client, shop.tables["requests"]))
    monkeypatch.setattr(program, "WAIT_SECONDS", 0.3)
    monkeypatch.setattr(program, "LOOK_EVERY_SECONDS", 0.1)
    return made


def main(arguments: list[str]) -> int:
    return shell(["requests", *arguments])


def ask(stack: Stack, *, at: str = AT, **more: Any) -> str:
    """An open request's row. Answers its id."""
    request_id = f"req_{uuid4().hex}"
    request = CancellationRequest(
        request_id=request_id,
        status="open",
        reason=Reason(code="other", description="Another reason"),
        comment="It is for Anna",
        amount=20000,
        requested_at=at,
        made_by="gateway-1",
    )
    row = new_row(AskedAbout(f"o-{request_id}", AT, "se", "customer-1", "SEK"), request)
    stack.requests.add(row | more)
    return request_id


def row(stack: Stack, request_id: str) -> tuple[Any, Any, str]:
    found = stack.requests.get(request_id)
    assert found
    return found.decision, found.note, found.status


def claimed(stack: Stack, request_id: str, decided: Decided) -> None:
    """As the function does it first of all."""
    found = stack.requests.get(request_id)
    assert found
    assert stack.requests.claim(found, decided)


def test_the_open_ones_are_listed_the_oldest_first_with_nothing_of_a_person(stack: Stack, capsys: Said) -> None:
    def at(day: int) -> datetime:
        return datetime(1999, 1, day, tzinfo=UTC)

    later, oldest, wrong = (ask(stack, at=iso(at(day))) for day in (3, 1, 2))
    stack.requests.say(wrong, "NOT CARRIED OUT: decision is 'yes'.")
    claimed(stack, later, Decided(decision="approved", at=AT))
    ended = ask(stack)
    stack.requests.finish(ended, "withdrawn", "Taken back by the customer.")
    assert main(["list"]) == 0
    said = capsys.readouterr().out
    lines = [line for line in said.splitlines() if any(one in line for one in (later, oldest, wrong))]
    assert [line.split()[:7] for line in lines] == [
        [one, f"o-{one}", "se", "other", "200.00", "SEK", str((datetime.now(UTC) - at(day)).days)]
        for one, day in ((oldest, 1), (wrong, 2), (later, 3))
    ]
    below = dict(pairwise(said.splitlines()))
    assert lines[0].endswith(" d  approve or decline")
    assert below[lines[1]] == "    NOT CARRIED OUT: decision is 'yes'."
    assert lines[2].endswith(" d  wait: it is carried out by itself")
    assert below[lines[2]] == f"    approved {AT}, not carried out yet"
    assert said.splitlines()[-1].endswith("request(s) open.")
    assert ended not in said
    assert "Anna" not in said
    assert "customer-1" not in said
    assert main(["list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["requests"]
    (row,) = [row for row in rows if row["request_id"] == wrong]
    assert (row["amount"], row["currency"], row["requested_at"]) == (20000, "SEK", "1999-01-02T00:00:00Z")
    assert "Anna" not in str(rows)
    for one in (later, oldest, wrong):
        stack.requests.finish(one, "declined", "Declined.")


@pytest.mark.parametrize(("command", "word"), [("approve", "approved"), ("decline", "declined")])
def test_a_decision_is_written_as_in_the_console(stack: Stack, capsys: Said, command: str, word: str) -> None:
    # What stood there before, and was not right, is not said to the customer.
    request_id = ask(stack, decision="yes", note="A draft")
    assert main([command, request_id]) == Exit.UNANSWERED
    assert row(stack, request_id) == (word, None, "open")
    assert f"{request_id}: {word} is written, and not carried out yet" in capsys.readouterr().out
    assert main([command, request_id, "--note", " It's packed, 5 $ "]) == Exit.UNANSWERED
    assert row(stack, request_id) == (word, " It's packed, 5 $ ", "open")


def test_it_waits_for_the_outcome_and_says_it_again(stack: Stack, capsys: Said) -> None:
    request_id = ask(stack)
    calls = Calls(stack.dynamodb)
    calls.before("UpdateItem", lambda: calls.before("GetItem", lambda: finish("Declined, decided then.")))

    def finish(outcome: str) -> None:
        stack.requests.finish(request_id, "declined", outcome)

    for _ in range(2):
        assert main(["decline", request_id, "--note", "No."]) == 0
        assert capsys.readouterr().out == f"{request_id}: Declined, decided then.\n"
    assert calls.made.count("UpdateItem") == 2, "the second time nothing is written"
    assert main(["approve", request_id]) == 1
    assert capsys.readouterr().err == f"{request_id} is declined: Declined, decided then.\n"


@pytest.mark.parametrize("status", ["withdrawn", "lapsed", "approved"])
def test_what_has_ended_is_said_and_stays(stack: Stack, capsys: Said, status: Any) -> None:
    request_id = ask(stack)
    stack.requests.finish(request_id, status, "What became of it.")
    assert main(["decline", request_id, "--note", "No."]) == 1
    assert capsys.readouterr().err == f"{request_id} is {status}: What became of it.\n"
    assert row(stack, request_id) == (None, None, status)


def test_what_was_decided_first_counts_also_just_before_the_write(stack: Stack, capsys: Said) -> None:
    request_id = ask(stack)
    decided = Decided(decision="approved", at=AT)
    calls = Calls(stack.dynamodb)
    # `claim` is a write of its own, and comes before ours.
    calls.before("UpdateItem", lambda: claimed(stack, request_id, decided))
    assert main(["decline", request_id]) == 1
    assert f"{request_id} was approved {AT}, not carried out yet: what was decided first" in capsys.readouterr().err
    assert row(stack, request_id) == (None, None, "open")
    assert main(["approve", request_id]) == Exit.UNANSWERED
    assert row(stack, request_id) == (None, None, "open"), "that it counts is known: nothing is written"


def test_what_the_function_would_not_take_is_not_written(stack: Stack, capsys: Said) -> None:
    request_id = ask(stack)
    assert main(["approve", request_id, "--note", "x" * 501]) == 1
    assert "note has more than 500 characters" in capsys.readouterr().err
    assert row(stack, request_id) == (None, None, "open")
    assert main(["approve", "req_nothing"]) == 1
    assert "There is no request req_nothing" in capsys.readouterr().err
    assert stack.requests.get("req_nothing") is None
