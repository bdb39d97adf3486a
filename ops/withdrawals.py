"""Statements of withdrawal: what came in, what was found out about it, and what became of it.

  make withdrawals DO='list'                      those of the last 14 days
  make withdrawals DO='list --since 2026-11-01 --until 2026-11-30'
  make withdrawals DO='show WITHDRAWAL_ID'        one, with all that was written beside it, and its mails
  make withdrawals DO='export --since 2026-11-01 --as csv --to withdrawals.csv'
  make withdrawals DO='find ADDRESS|ORDER_ID'     those of an address or about an order (reads the whole table)
  make withdrawals DO='erase WITHDRAWAL_ID ...'   takes what a person has said off statements, and keeps their hash

Days are those of UTC. It works on the deployed stack --stack (default: cancel-core) with your own AWS credentials, or
on the stack of `make run` with --local. No function of the product has the right to erase: it is yours, and the alarm
WithdrawalTamperedAlarm tells of it.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from cancel_core.adapters.dynamodb.mails import Mails
from cancel_core.adapters.dynamodb.withdrawals import Withdrawals
from cancel_core.domain.times import iso
from cancel_core.domain.withdrawal import STATEMENT
from cancel_core.domain.withdrawal_outcome import CANCEL, OUTCOME

from ops import withdrawn
from ops.spreadsheet import cell
from ops.stacks import as_json, deployed_ids, local_stack, parser

DAYS = 14
COLUMNS = (
    *("withdrawal_id", "received_at", "store_id", "name", "email", "order", "items", "message", "language"),
    *("match", "order_id", "in_time", "until", "whole", "order_canceled", "code", "receipt", "receipt_mail"),
)


class Stack(NamedTuple):
    """The parts of a stack that withdrawals lie in."""

    dynamodb: Any
    withdrawals: Withdrawals
    mails: Mails


def deployed(name: str) -> Stack:
    """A stack in AWS, found by its CloudFormation stack's name."""
    session = boto3.Session()
    ids = deployed_ids(session, name)
    return _stack(session.client("dynamodb"), ids["WithdrawalsTable"], ids["MailsTable"])


def local(url: str) -> Stack:
    """The stack of `make run`."""
    session, told = local_stack(url)
    dynamodb = session.client("dynamodb", endpoint_url=told["dynamodb_endpoint_url"])
    return _stack(dynamodb, told["tables"]["withdrawals"], told["tables"]["mails"])


def _stack(dynamodb: Any, withdrawals: str, mails: str) -> Stack:
    return Stack(dynamodb, Withdrawals(dynamodb, withdrawals), Mails(dynamodb, mails))


def of_days(stack: Stack, since: date, until: date) -> Iterator[str]:
    """The ids of the statements that came in from one day to another, both counted, the oldest first."""
    for number in range((until - since).days + 1):
        for listed in stack.withdrawals.of_day((since + timedelta(days=number)).isoformat()):
            if listed.part == STATEMENT:
                yield listed.withdrawal_id


def whole(stack: Stack, withdrawal_id: str) -> dict[str, Any] | None:
    """One withdrawal: its statement, the parts beside it, and the rows of its mails. None where there is none."""
    parts = stack.withdrawals.parts(withdrawal_id)
    if STATEMENT not in parts:
        return None
    rows = withdrawn.mails_of(stack.mails, withdrawal_id, parts.get(OUTCOME, {}).get("order_id"))
    return {**parts[STATEMENT], OUTCOME: parts.get(OUTCOME), CANCEL: parts.get(CANCEL), "mails": rows}


def show_list(stack: Stack, withdrawal_ids: Iterable[str]) -> None:
    """One line each: its id, when it came in, what it matches, whether in time, about which order, what became of it.
    Nothing of a person.
    """
    number = 0
    for withdrawal_id in withdrawal_ids:
        one = whole(stack, withdrawal_id)
        if one is None:
            continue
        number += 1
        row = _flat(one)
        state = {True: "in time", False: "late", None: "time not known"}[row["in_time"]]
        done = "order cancelled" if row["order_canceled"] else row["code"] or ""
        mail = f"receipt {row['receipt_mail'] or 'not begun'}"
        words = [withdrawal_id, row["received_at"], row["match"] or "not dealt with", state, row["order_id"] or "-"]
        print("  ".join([*words, mail, done]).rstrip())
    print(f"{number} statement(s) of withdrawal.")


def _flat(one: dict[str, Any]) -> dict[str, Any]:
    """A withdrawal as a row of a table."""
    said, outcome, cancel = one["statement"], one[OUTCOME] or {}, one[CANCEL] or {}
    items = [f"{item.get('qty', '')} {item['item']}".strip() for item in said.get("items") or ()]
    receipt = next((row["status"] for row in one["mails"] if row["kind"] == "withdrawal_receipt"), None)
    row = dict.fromkeys(COLUMNS) | {name: one.get(name) for name in ("withdrawal_id", "received_at", "receipt")}
    row |= {name: said.get(name) for name in ("name", "email", "order", "message", "language")}
    row |= {name: outcome.get(name) for name in ("match", "order_id", "in_time", "until", "whole")}
    row |= {name: cancel.get(name) for name in ("order_canceled", "code")}
    return row | {
        "store_id": outcome.get("store_id") or one["store_id"],
        "items": "; ".join(items),
        "receipt_mail": receipt,
    }


def as_csv(withdrawals: Iterable[dict[str, Any]]) -> str:
    """A row for each, for a spreadsheet: what somebody has typed in is no formula there."""
    out = io.StringIO()
    rows = csv.DictWriter(out, COLUMNS)
    rows.writeheader()
    for one in withdrawals:
        rows.writerow({name: cell(value) for name, value in _flat(one).items()})
    return out.getvalue()


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    asks = parser("withdrawals", __doc__)
    commands = asks.add_subparsers(dest="command", required=True)
    for name, what in (("list", "what came in"), ("export", "all of it, for the shop")):
        command = commands.add_parser(name, help=what)
        command.add_argument("--since", type=_day, metavar="YYYY-MM-DD", help=f"default: {DAYS} days ago")
        command.add_argument("--until", type=_day, metavar="YYYY-MM-DD", help="default: today")
        if name == "export":
            command.add_argument("--as", dest="form", choices=("json", "csv"), default="json")
            command.add_argument("--to", type=Path, metavar="FILE", help="default: the terminal")
    commands.add_parser("show", help="one, with what became of it and its mails").add_argument("id")
    commands.add_parser("find", help="those of an address or about an order").add_argument("what")
    commands.add_parser("erase", help="take what a person has said off statements").add_argument("ids", nargs="+")
    return asks.parse_args(arguments)


def _export(stack: Stack, asked: argparse.Namespace, withdrawal_ids: Iterable[str]) -> None:
    found = [one for withdrawal_id in withdrawal_ids if (one := whole(stack, withdrawal_id))]
    text = as_csv(found) if asked.form == "csv" else as_json(found) + "\n"
    if asked.to is None:
        sys.stdout.write(text)
        return
    asked.to.write_text(text, "utf-8", newline="")
    asked.to.chmod(0o600)
    print(f"{len(found)} statement(s) of withdrawal in {asked.to}.")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 1 when it could not be done."""
    asked = _arguments(arguments)
    stack = local(asked.url) if asked.local else deployed(asked.stack)
    now = datetime.now(UTC)
    table = stack.withdrawals.table
    match asked.command:
        case "list" | "export":
            until = asked.until or now.date()
            ids = of_days(stack, asked.since or until - timedelta(days=DAYS), until)
            show_list(stack, ids) if asked.command == "list" else _export(stack, asked, ids)
        case "find":
            show_list(stack, withdrawn.find(stack.dynamodb, table, asked.what))
        case "erase":
            lines = [
                withdrawn.erase(stack.dynamodb, stack.withdrawals, stack.mails, one, iso(now)) for one in asked.ids
            ]
            print("\n".join(lines))
        case "show":
            one = whole(stack, asked.id)
            if one is None:
                print(f"There is no statement {asked.id}.", file=sys.stderr)
                return 1
            print(as_json(one))
    return 0


if __name__ == "__main__":
    sys.exit(main())
