"""Cancellation requests that the shop decides: those that are open, and the decision on one.

  make requests DO=list
  make requests DO=approve ID=req_1234 NOTE="We are sorry that it took so long."
  make requests DO=decline ID=req_1234 NOTE="It has been packed already."

The note is what the customer may read; without one there is none. It writes what an admin writes in the console, and is
safe to run twice: the first decision that is read counts. It works on the deployed stack --stack (default: cancel-core)
with your own AWS credentials, or on the stack of `make run` with --local (DO='--local list').
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import boto3
from cancel_core.adapters.dynamodb.attributes import attribute_value
from cancel_core.adapters.dynamodb.database import database_errors, holds
from cancel_core.adapters.dynamodb.requests import Requests
from cancel_core.domain.request_row import Row, Word, read_decision
from cancel_core.errors import CancelCoreError

from ops.settlement import Refused
from ops.stacks import deployed_ids, local_stack, parser

WORDS: dict[str, Word] = {"approve": "approved", "decline": "declined"}
WAIT_SECONDS = 15.0
LOOK_EVERY_SECONDS = 0.5


class Stack(NamedTuple):
    """The part of a stack that requests lie in."""

    dynamodb: Any
    requests: Requests


def deployed(name: str) -> Stack:
    """A stack in AWS, found by its CloudFormation stack's name."""
    session = boto3.Session()
    return _stack(session.client("dynamodb"), deployed_ids(session, name)["RequestsTable"])


def local(url: str) -> Stack:
    """The stack of `make run`."""
    session, told = local_stack(url)
    return _stack(session.client("dynamodb", endpoint_url=told["dynamodb_endpoint_url"]), told["tables"]["requests"])


def _stack(dynamodb: Any, table: str) -> Stack:
    return Stack(dynamodb, Requests(dynamodb, table))


def show_list(stack: Stack) -> None:
    """One line for each open request, the oldest first: its id, since when it waits, order, store, reason, what a
    cancel gives back in minor units, and what was said of a decision. Nothing of a person.
    """
    number = 0
    for row in stack.requests.open():
        number += 1
        amount = f"{row.amount} {row.currency}".rstrip()
        words = [row.request_id, row.requested_at, row.order_id, row.store_id, row.reason, amount, _state(row)]
        print("  ".join(words).rstrip())
    print(f"{number} request(s) open.")


def _state(row: Row) -> str:
    if row.decided:
        return f"{row.decided.decision} {row.decided.at}, not carried out yet"
    return row.outcome if isinstance(row.outcome, str) else ""


def decide(stack: Stack, request_id: str, word: Word, note: str | None) -> str:
    """Writes the decision on a request that has none that counts, and waits for what becomes of it. Answers that.

    Raises `Refused` where the request ends, or has ended, otherwise.
    """
    row = _get(stack, request_id)
    if row.status == "open" and row.decided is None:
        fault = read_decision(row.model_copy(update={"decision": word, "note": note}), row.requested_at)
        if isinstance(fault, str):
            raise Refused(fault)
        # Where it does not hold, the row says below what came first.
        _write(stack, request_id, word, note)
    row = _wait(stack, request_id)
    if row.status == word:
        return f"{request_id}: {row.outcome}"
    if row.status != "open":
        raise Refused(f"{request_id} is {row.status}: {row.outcome}")
    if row.decided and row.decided.decision != word:
        raise Refused(f"{request_id} was {_state(row)}: what was decided first counts.")
    return (
        f"{request_id}: {word} is written, and not carried out yet. `list` has it until it is; "
        'docs/operating.md, "Requests to the shop", says what may keep it.'
    )


def _get(stack: Stack, request_id: str) -> Row:
    row = stack.requests.get(request_id)
    if row is None:
        raise Refused(f"There is no request {request_id} that can be read.")
    return row


def _write(stack: Stack, request_id: str, word: Word, note: str | None) -> bool:
    """As the console does; but only on a row that is open, and of which no decision was read yet."""
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
    """The row when it has ended, or as it is after `WAIT_SECONDS`."""
    until = time.monotonic() + WAIT_SECONDS
    while (row := _get(stack, request_id)).status == "open" and time.monotonic() < until:
        time.sleep(LOOK_EVERY_SECONDS)
    return row


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    asks = parser("requests", __doc__)
    commands = asks.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="what is open, the oldest first")
    for name, what in (("approve", "cancel the order"), ("decline", "leave the order as it is")):
        command = commands.add_parser(name, help=what)
        command.add_argument("id")
        command.add_argument("--note", help="what the customer may read")
    return asks.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 1 when it could not be done."""
    asked = _arguments(arguments)
    stack = local(asked.url) if asked.local else deployed(asked.stack)
    try:
        if asked.command == "list":
            show_list(stack)
        else:
            print(decide(stack, asked.id, WORDS[asked.command], asked.note))
    except CancelCoreError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
