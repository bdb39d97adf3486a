"""Cancels and requests of a period, counted by reason, store and day, with the amounts refunded.

  python -m ops report --from 2026-11-01 --to 2026-11-30
  python -m ops report --from 2026-11-01 --to 2026-11-30 --store se --csv report.csv --plot report.svg
  python -m ops report --from 2026-11-01 --to 2026-11-30 --export folder

Without --export it scans the orders and the requests table. It shows what that costs and asks first (--yes: without
asking). --export names a folder with downloaded S3 exports: of the orders table in its folder `orders`, of the
requests table in `requests`. Days are in UTC. From make: make report FROM=2026-11-01
TO=2026-11-30, and STORE, CSV, PLOT, EXPORT, YES=1
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from ops import reading, stacks
from ops.command import Command
from ops.counting import Period, Report, count
from ops.faults import Exit
from ops.output import Out
from ops.plot import svg
from ops.progress import bar
from ops.report_views import as_csv, as_facts, as_text

UNITS_PER_SECOND = 500
"""A sixth of what one partition of a table can read, and a scan reads one partition at a time."""


class Stack(NamedTuple):
    """The tables that are counted. `orders`, `requests`: names."""

    dynamodb: Any
    orders: str
    requests: str


def _stack(found: stacks.Stack) -> Stack:
    return Stack(found.dynamodb, found.tables["orders"], found.tables["requests"])


def scanned(
    stack: Stack, asked: argparse.Namespace, confirm: Callable[[str], bool], sleep: Callable[[float], None]
) -> Report | None:
    """Reads the tables; None if the user declines the cost."""
    estimates = [reading.estimate(stack.dynamodb, table) for table in (stack.orders, stack.requests)]
    units = sum(one.units for one in estimates)
    tables = " and ".join(f"{one.table} ({one.items:,} items, {one.size / 1e9:.2f} GB)" for one in estimates)
    _say(
        f"This reads all of {tables}, as DynamoDB counted them within the last six hours: about {units:,.0f} read "
        f"units, {_usd(units)} at {reading.USD_PER_MILLION_UNITS} per million (on demand, US East), and at least "
        f"{_minutes(units / asked.units_per_second)} at {asked.units_per_second:,} units a second. "
        "An export (--export FOLDER) costs the tables nothing."
    )
    if not asked.yes and not confirm("Read them? [y/N] "):
        return None
    with bar("reading tables", units or None) as advance:
        scan = reading.Scan(stack.dynamodb, asked.units_per_second, sleep, advance)
        report = count(scan.orders(stack.orders), scan.requests(stack.requests), _period(asked), asked.store)
    _say(f"It took {scan.units:,.0f} read units, {_usd(scan.units)}.")
    return report


def exported(folder: Path, asked: argparse.Namespace) -> Report:
    """Reads the exports in a folder, without any call to AWS. Raises `NotAnExport`."""
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
    """To standard error, because the report may be redirected to a file."""
    print(text, file=sys.stderr)


def _confirmed(question: str) -> bool:
    print(question, end="", file=sys.stderr, flush=True)
    try:
        return input().strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def _day(text: str) -> date:
    return date.fromisoformat(text)


def add_arguments(asks: argparse.ArgumentParser) -> None:
    asks.add_argument("--from", dest="first", type=_day, required=True, metavar="YYYY-MM-DD", help="first day")
    asks.add_argument("--to", dest="last", type=_day, required=True, metavar="YYYY-MM-DD", help="last day, inclusive")
    asks.add_argument("--store", help="only this store")
    asks.add_argument("--csv", type=Path, metavar="FILE", help="write a row for each day, store, reason and currency")
    asks.add_argument("--plot", type=Path, metavar="FILE", help="draw a chart by day and reason, as SVG")
    asks.add_argument(
        "--export", type=Path, metavar="FOLDER", help="read the exports in this folder instead of the tables"
    )
    asks.add_argument("--yes", action="store_true", help="scan the tables without asking")
    asks.add_argument(
        "--units-per-second",
        type=int,
        default=UNITS_PER_SECOND,
        help="read units a second of the scan (default: %(default)s)",
    )
    asks.set_defaults(fault=asks.error)


def _check(asked: argparse.Namespace) -> None:
    """Checked before the tables are read, which costs money."""
    if asked.last < asked.first:
        asked.fault("--to is before --from")
    if asked.units_per_second < 1:
        asked.fault("--units-per-second must be 1 or more")
    for file in (asked.csv, asked.plot):
        if file is not None and not file.absolute().parent.is_dir():
            asked.fault(f"there is no folder {file.absolute().parent}")


def run(asked: argparse.Namespace, out: Out) -> int:
    _check(asked)
    if asked.export is not None:
        report: Report | None = exported(asked.export, asked)
    else:
        report = scanned(_stack(stacks.opened(asked)), asked, _confirmed, time.sleep)
    if report is None:
        _say("Nothing was read.")
        return Exit.REFUSED
    if out.as_json:
        out.facts(**as_facts(report))
    else:
        out.say(as_text(report))
    if asked.csv is not None:
        asked.csv.write_text(as_csv(report), "utf-8", newline="")
    if asked.plot is not None:
        asked.plot.write_text(svg(report, _period(asked), asked.store), "utf-8")
    return Exit.DONE


COMMAND = Command("report", "cancels and requests of a period, counted", __doc__, add_arguments, run)
