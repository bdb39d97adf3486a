"""Cancels and requests of some days, counted by reason, store and day, with what was paid back.

  make report FROM=2026-11-01 TO=2026-11-30
  make report FROM=2026-11-01 TO=2026-11-30 STORE=se CSV=report.csv PLOT=report.svg
  make report FROM=2026-11-01 TO=2026-11-30 EXPORT=folder

Without EXPORT it reads the orders and the requests table of the deployed stack as a whole, with your own AWS
credentials: it says first what that costs, and asks (YES=1: it does not ask). EXPORT is a folder with exports to S3
that were downloaded: the orders table's in its folder `orders`, the requests table's in `requests`. Days are those of
UTC. STACK is another stack than cancel-core; DO='--local' is the stack of `make run`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from cancel_core.errors import CancelCoreError

from ops import reading
from ops.counting import Period, Report, count
from ops.plot import svg
from ops.report_views import as_csv, as_text
from ops.stacks import deployed_ids, local_stack, parser

UNITS_PER_SECOND = 500
"""A sixth of what one partition of a table reads, and a scan is in one at a time."""


class Stack(NamedTuple):
    """The tables that are counted. `orders`, `requests`: names."""

    dynamodb: Any
    orders: str
    requests: str


def deployed(name: str) -> Stack:
    """A stack in AWS, found by its CloudFormation stack's name."""
    session = boto3.Session()
    ids = deployed_ids(session, name)
    return Stack(session.client("dynamodb"), ids["OrdersTable"], ids["RequestsTable"])


def local(url: str) -> Stack:
    """The stack of `make run`."""
    session, told = local_stack(url)
    dynamodb = session.client("dynamodb", endpoint_url=told["dynamodb_endpoint_url"])
    return Stack(dynamodb, told["tables"]["orders"], told["tables"]["requests"])


def scanned(
    stack: Stack, asked: argparse.Namespace, confirm: Callable[[str], bool], sleep: Callable[[float], None]
) -> Report | None:
    """Reads the tables; None where nobody wants to pay for it."""
    estimates = [reading.estimate(stack.dynamodb, table) for table in (stack.orders, stack.requests)]
    units = sum(one.units for one in estimates)
    tables = " and ".join(f"{one.table} ({one.items:,} items, {one.size / 1e9:.2f} GB)" for one in estimates)
    _say(
        f"This reads all of {tables}, as DynamoDB counted them within the last six hours: about {units:,.0f} read "
        f"units, {_usd(units)} at {reading.USD_PER_MILLION_UNITS} per million (on demand, US East), and at least "
        f"{_minutes(units / asked.units_per_second)} at {asked.units_per_second:,} units a second. "
        "An export (EXPORT=folder) costs the tables nothing."
    )
    if not asked.yes and not confirm("Read them? [y/N] "):
        return None
    scan = reading.Scan(stack.dynamodb, asked.units_per_second, sleep)
    report = count(scan.orders(stack.orders), scan.requests(stack.requests), _period(asked), asked.store)
    _say(f"It took {scan.units:,.0f} read units, {_usd(scan.units)}.")
    return report


def exported(folder: Path, asked: argparse.Namespace) -> Report:
    """Reads the exports in a folder, and asks nothing of AWS. Raises `NotAnExport`."""
    requests: Iterable[reading.Read] = ()
    if (folder / "requests").is_dir():
        requests = reading.exported(folder / "requests")
    else:
        _say(f"{folder} has no folder requests: cancels alone are counted.")
    return count(reading.exported(folder / "orders"), requests, _period(asked), asked.store)


def _period(asked: argparse.Namespace) -> Period:
    return Period(asked.first, asked.last)


def _usd(units: float) -> str:
    amount = reading.price(units)
    return f"{amount:.2f} USD" if amount >= 1 else f"{amount:.4f} USD"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:,.0f} minute(s)" if seconds >= 60 else f"{seconds:.0f} second(s)"


def _say(text: str) -> None:
    """Beside the report, which may go into a file."""
    print(text, file=sys.stderr)


def _confirmed(question: str) -> bool:
    print(question, end="", file=sys.stderr, flush=True)
    try:
        return input().strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    asks = parser("report", __doc__)
    asks.add_argument("--from", dest="first", type=_day, required=True, metavar="YYYY-MM-DD")
    asks.add_argument("--to", dest="last", type=_day, required=True, metavar="YYYY-MM-DD", help="that day included")
    asks.add_argument("--store", help="one store's alone")
    asks.add_argument("--csv", type=Path, metavar="FILE", help="a row for each day, store, reason and currency")
    asks.add_argument("--plot", type=Path, metavar="FILE", help="a picture by day and reason, as SVG")
    asks.add_argument("--export", type=Path, metavar="FOLDER", help="read this instead of the tables")
    asks.add_argument("--yes", action="store_true", help="read the tables without asking")
    asks.add_argument("--units-per-second", type=int, default=UNITS_PER_SECOND, help="default: %(default)s")
    asked = asks.parse_args(arguments)
    if asked.last < asked.first:
        asks.error("--to is before --from")
    if asked.units_per_second < 1:
        asks.error("--units-per-second must be 1 or more")
    for file in (asked.csv, asked.plot):
        # Before the tables are paid for.
        if file is not None and not file.absolute().parent.is_dir():
            asks.error(f"there is no folder {file.absolute().parent}")
    return asked


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 1 when it could not be done."""
    asked = _arguments(arguments)
    try:
        if asked.export is not None:
            report: Report | None = exported(asked.export, asked)
        else:
            stack = local(asked.url) if asked.local else deployed(asked.stack)
            report = scanned(stack, asked, _confirmed, time.sleep)
    except CancelCoreError as error:
        print(error, file=sys.stderr)
        return 1
    if report is None:
        print("Nothing was read.", file=sys.stderr)
        return 1
    print(as_text(report))
    if asked.csv is not None:
        asked.csv.write_text(as_csv(report), "utf-8", newline="")
    if asked.plot is not None:
        asked.plot.write_text(svg(report, _period(asked), asked.store), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
