"""Statements of withdrawal: what was received, which order it matches, and the outcome.

  python -m ops withdrawals list                      statements of the last 14 days
  python -m ops withdrawals list --since 2026-11-01 --until 2026-11-30
  python -m ops withdrawals show WITHDRAWAL_ID        one statement with its outcome and its mails
  python -m ops withdrawals export --since 2026-11-01 --as csv --to withdrawals.csv
  python -m ops withdrawals find ADDRESS|ORDER_ID     by e-mail address or order (reads the whole table)
  python -m ops withdrawals erase WITHDRAWAL_ID ...   erases the personal data of statements, keeps their hash

Days are in UTC. No function of the product has permission to erase. You do it with your own credentials, and
WithdrawalTamperedAlarm reports it. From make: make withdrawals DO='show WITHDRAWAL_ID'
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from cancel_core.adapters.dynamodb.mails import Mails
from cancel_core.adapters.dynamodb.withdrawals import Withdrawals
from cancel_core.domain.times import iso
from cancel_core.domain.withdrawal import STATEMENT
from cancel_core.domain.withdrawal_outcome import CANCEL, OUTCOME

from ops import stacks, withdrawn
from ops.command import Command, add, subcommands
from ops.faults import Exit
from ops.output import Line, Out, age, as_json
from ops.progress import tracked
from ops.settlement import Refused
from ops.spreadsheet import cell

DAYS = 14
COLUMNS = (
    *("withdrawal_id", "received_at", "store_id", "name", "email", "order", "items", "message", "language"),
    *("match", "order_id", "in_time", "until", "whole", "order_canceled", "code", "receipt", "receipt_mail"),
)
PERSONAL = frozenset({"name", "email", "order", "items", "message"})
TITLES = ("WITHDRAWAL", "ORDER", "MATCH", "IN TIME", "RECEIPT", "OUTCOME", "AGE", "NEXT")


class Stack(NamedTuple):
    """The parts of a stack that withdrawals are in."""

    dynamodb: Any
    withdrawals: Withdrawals
    mails: Mails


def _stack(found: stacks.Stack) -> Stack:
    dynamodb, tables = found.dynamodb, found.tables
    return Stack(dynamodb, Withdrawals(dynamodb, tables["withdrawals"]), Mails(dynamodb, tables["mails"]))


def of_days(stack: Stack, since: date, until: date) -> Iterator[str]:
    """The ids of the statements that were received from one day to another, both included, oldest first."""
    days = (until - since).days + 1
    for number in tracked(range(days), "reading days", days):
        for listed in stack.withdrawals.of_day((since + timedelta(days=number)).isoformat()):
            if listed.part == STATEMENT:
                yield listed.withdrawal_id


def whole(stack: Stack, withdrawal_id: str) -> dict[str, Any] | None:
    """One withdrawal: its statement, its other parts, and the rows of its mails. None if there is none."""
    parts = stack.withdrawals.parts(withdrawal_id)
    if STATEMENT not in parts:
        return None
    rows = withdrawn.mails_of(stack.mails, withdrawal_id, parts.get(OUTCOME, {}).get("order_id"))
    return {**parts[STATEMENT], OUTCOME: parts.get(OUTCOME), CANCEL: parts.get(CANCEL), "mails": rows}


def show_list(stack: Stack, out: Out, withdrawal_ids: Iterable[str], now: datetime) -> None:
    """When each was received, what it matches, whether it is in time, its order, and its result. No personal data."""
    ids = list(withdrawal_ids)
    found = [one for each in tracked(ids, "reading statements", len(ids)) if (one := whole(stack, each))]
    out.table("withdrawals", TITLES, [_line(_flat(one), now) for one in found], numbers=("AGE",))
    out.say(f"{len(found)} statement(s) of withdrawal.")


def _line(row: dict[str, Any], now: datetime) -> Line:
    state = {True: "in time", False: "late", None: "time not known"}[row["in_time"]]
    done = "order cancelled" if row["order_canceled"] else row["code"] or ""
    facts = {name: row[name] for name in COLUMNS if name not in PERSONAL} | {"next": _next(row)}
    cells = (
        *(row["withdrawal_id"], row["order_id"] or "", row["match"] or "not dealt with", state),
        *(f"receipt {row['receipt_mail'] or 'not begun'}", done, age(row["received_at"], now), _next(row)),
    )
    return Line(cells, facts)


def _next(row: dict[str, Any]) -> str:
    if not row["match"]:
        return "wait: it is dealt with by itself"
    if row["receipt_mail"] != "sent":
        return "see mails list"
    return "none" if row["order_canceled"] else "show it, and decide what goes back"


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
    """A row for each, for a spreadsheet, escaped so that no input is interpreted as a formula."""
    out = io.StringIO()
    rows = csv.DictWriter(out, COLUMNS)
    rows.writeheader()
    for one in withdrawals:
        rows.writerow({name: cell(value) for name, value in _flat(one).items()})
    return out.getvalue()


def _day(text: str) -> date:
    return date.fromisoformat(text)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = subcommands(parser)
    for name, what in (("list", "statements received"), ("export", "statements received, in full, as JSON or CSV")):
        command = add(commands, name, what)
        command.add_argument("--since", type=_day, metavar="YYYY-MM-DD", help=f"first day (default: {DAYS} days ago)")
        command.add_argument("--until", type=_day, metavar="YYYY-MM-DD", help="last day, inclusive (default: today)")
        if name == "export":
            command.add_argument(
                "--as", dest="form", choices=("json", "csv"), default="json", help="the format (default: json)"
            )
            command.add_argument("--to", type=Path, metavar="FILE", help="write to this file (default: the terminal)")
    add(commands, "show", "one statement with its outcome and its mails").add_argument(
        "id", metavar="WITHDRAWAL_ID", help="the statement"
    )
    find = add(commands, "find", "statements by e-mail address, order or customer")
    find.add_argument("what", metavar="ADDRESS|ORDER_ID|CUSTOMER_ID", help="what to look for")
    erase = add(commands, "erase", "erase the personal data of statements")
    erase.add_argument("ids", nargs="+", metavar="WITHDRAWAL_ID", help="the statements")


def _export(stack: Stack, out: Out, asked: argparse.Namespace, withdrawal_ids: Iterable[str]) -> None:
    found = [one for withdrawal_id in withdrawal_ids if (one := whole(stack, withdrawal_id))]
    text = as_csv(found) if asked.form == "csv" else as_json(found) + "\n"
    if asked.to is None:
        sys.stdout.write(text)
        return
    asked.to.write_text(text, "utf-8", newline="")
    asked.to.chmod(0o600)
    out.say(f"{len(found)} statement(s) of withdrawal in {asked.to}.")


def run(asked: argparse.Namespace, out: Out) -> int:
    stack = _stack(stacks.opened(asked))
    now = datetime.now(UTC)
    match asked.command:
        case "list" | "export":
            until = asked.until or now.date()
            ids = of_days(stack, asked.since or until - timedelta(days=DAYS), until)
            if asked.command == "list":
                show_list(stack, out, list(ids), now)
            else:
                _export(stack, out, asked, ids)
        case "find":
            show_list(stack, out, withdrawn.find(stack.dynamodb, stack.withdrawals.table, asked.what), now)
        case "erase":
            for one in asked.ids:
                out.say(withdrawn.erase(stack.dynamodb, stack.withdrawals, stack.mails, one, iso(now)))
        case "show":
            found = whole(stack, asked.id)
            if found is None:
                raise Refused(f"There is no statement {asked.id}.")
            out.document("withdrawal", found)
    return Exit.DONE


COMMAND = Command("withdrawals", "statements of withdrawal", __doc__, add_arguments, run)
