"""Cancellation requests that the shop decides: list the open ones, approve or decline one.

  python -m ops requests list
  python -m ops requests approve req_1234 --note "We are sorry that it took so long."
  python -m ops requests decline req_1234 --note "It has been packed already."

The note is optional and is shown to the customer. The command writes what an admin would write in the console, and is
safe to run twice: the first decision that is processed counts. From make:
make requests DO=approve ID=req_1234 NOTE='...'
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cancel_core.adapters.dynamodb.attributes import attribute_value
from cancel_core.adapters.dynamodb.database import database_errors, holds
from cancel_core.adapters.dynamodb.requests import Requests
from cancel_core.domain.request_row import Row, Word, read_decision

from ops import stacks
from ops.command import Command, add, subcommands
from ops.faults import Exit
from ops.output import Line, Out, age, money
from ops.settlement import Refused

WORDS: dict[str, Word] = {"approve": "approved", "decline": "declined"}
WAIT_SECONDS = 15.0
LOOK_EVERY_SECONDS = 0.5
TITLES = ("REQUEST", "ORDER", "STORE", "REASON", "AMOUNT", "AGE", "NEXT")


class Stack(NamedTuple):
    """The part of a stack that requests are in."""

    dynamodb: Any
    requests: Requests


def _stack(found: stacks.Stack) -> Stack:
    return Stack(found.dynamodb, Requests(found.dynamodb, found.tables["requests"]))


def show_list(stack: Stack, out: Out, now: datetime) -> None:
    """The open requests, oldest first, with the amount that a cancel refunds and the state of a decision. No personal
    data.
    """
    lines = [_line(row, now) for row in stack.requests.open()]
    out.table("requests", TITLES, lines, numbers=("AMOUNT", "AGE"))
    out.say(f"{len(lines)} request(s) open.")


def _line(row: Row, now: datetime) -> Line:
    step = "wait: it is carried out by itself" if row.decided else "approve or decline"
    facts = row.model_dump(include={"request_id", "order_id", "store_id", "reason", "amount", "currency"})
    facts |= {"requested_at": row.requested_at, "state": _state(row), "next": step}
    amount, waiting = money(row.amount, row.currency), age(row.requested_at, now)
    return Line((row.request_id, row.order_id, row.store_id, row.reason, amount, waiting, step), facts, (_state(row),))


def _state(row: Row) -> str:
    if row.decided:
        return f"{row.decided.decision} {row.decided.at}, not carried out yet"
    return row.outcome if isinstance(row.outcome, str) else ""


def decide(stack: Stack, request_id: str, word: Word, note: str | None) -> tuple[str, Exit]:
    """Writes the decision on a request without one, and waits for its result. Returns the result, and whether it is
    known.

    Raises `Refused` if the request ends, or has ended, in another way.
    """
    row = _get(stack, request_id)
    if row.status == "open" and row.decided is None:
        fault = read_decision(row.model_copy(update={"decision": word, "note": note}), row.requested_at)
        if isinstance(fault, str):
            raise Refused(fault)
        # If the condition fails, the row below tells what came first.
        _write(stack, request_id, word, note)
    row = _wait(stack, request_id)
    if row.status == word:
        return f"{request_id}: {row.outcome}", Exit.DONE
    if row.status != "open":
        raise Refused(f"{request_id} is {row.status}: {row.outcome}")
    if row.decided and row.decided.decision != word:
        raise Refused(f"{request_id} was {_state(row)}: what was decided first counts.")
    said = (
        f"{request_id}: {word} is written, and not carried out yet. `list` has it until it is; "
        'docs/operating.md, "Requests to the shop", says what may keep it.'
    )
    return said, Exit.UNANSWERED


def _get(stack: Stack, request_id: str) -> Row:
    row = stack.requests.get(request_id)
    if row is None:
        raise Refused(f"There is no request {request_id} that can be read.")
    return row


def _write(stack: Stack, request_id: str, word: Word, note: str | None) -> bool:
    """As the console does, but only on a row that is open and has no decision yet."""
    values = {":open": {"S": "open"}, ":word": attribute_value(word)}
    if note is not None:
        values[":note"] = attribute_value(note)
    with database_errors():
        return holds(
            lambda: stack.dynamodb.update_item(
                TableName=stack.requests.table,
                Key={"request_id": {"S": request_id}},
                UpdateExpression="SET decision = :word" + (" REMOVE note" if note is None else ", note = :note"),
                ConditionExpression="#status = :open AND attribute_not_exists(decided)",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues=values,
            )
        )


def _wait(stack: Stack, request_id: str) -> Row:
    """The row when it has ended, or its state after `WAIT_SECONDS`."""
    until = time.monotonic() + WAIT_SECONDS
    while (row := _get(stack, request_id)).status == "open" and time.monotonic() < until:
        time.sleep(LOOK_EVERY_SECONDS)
    return row


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = subcommands(parser)
    add(commands, "list", "open requests, oldest first")
    for name, what in (("approve", "cancel the order"), ("decline", "leave the order as it is")):
        command = add(commands, name, what)
        command.add_argument("id", metavar="REQUEST_ID", help="the request")
        command.add_argument("--note", help="a message that the customer can read")


def run(asked: argparse.Namespace, out: Out) -> int:
    stack = _stack(stacks.opened(asked))
    if asked.command == "list":
        show_list(stack, out, datetime.now(UTC))
        return Exit.DONE
    said, code = decide(stack, asked.id, WORDS[asked.command], asked.note)
    out.say(said)
    return code


COMMAND = Command("requests", "cancellation requests that the shop decides", __doc__, add_arguments, run)
