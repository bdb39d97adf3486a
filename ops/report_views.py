"""A report as tables for a terminal, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from cancel_core.domain.money import Money

from ops.counting import MEASURES, MONEY, Key, Report
from ops.output import aligned, printable
from ops.spreadsheet import cell

TABLES = (("reason",), ("store_id",), ("day",))
MOST_IDS = 10


def as_text(report: Report) -> str:
    """A table by reason, by store and by day, each with a line for each currency, and what was read."""
    parts = [_table(report, names) for names in TABLES if report.rows]
    return "\n".join([*parts, _said(report)])


def _table(report: Report, names: Sequence[str]) -> str:
    groups = report.by(*names)
    shown = [name for name in MEASURES if any(measures[name] for measures in groups.values())]
    head = [name.removesuffix("_id").replace("_", " ") for name in (*names, "currency", *shown)]
    rows = [[*key] + [_value(measures[name], name, key[-1]) for name in shown] for key, measures in groups.items()]
    totals = [
        ["total", *[""] * (len(names) - 1), currency or "-", *(_value(sums[name], name, currency) for name in shown)]
        for (currency,), sums in report.by().items()
    ]
    texts = len(names) + 1
    right = [False] * texts + [True] * len(shown)
    return "".join(f"{line}\n" for line in aligned([head, *rows, *totals], right))


def _value(number: int, name: str, currency: str) -> str:
    return f"{Money(number, currency).decimal:,f}" if name in MONEY else f"{number:,}"


def _said(report: Report) -> str:
    total = report.by()
    cancels, requests = (sum(sums[name] for sums in total.values()) for name in ("cancels", "requests"))
    lines = [
        f"{cancels:,} cancel(s) and {requests:,} request(s); {report.outside:,} of other days or stores.",
    ]
    if report.unreadable:
        ids = ", ".join(printable(one) for one in report.unreadable[:MOST_IDS])
        more = ", ..." if len(report.unreadable) > MOST_IDS else ""
        lines.append(f"{len(report.unreadable):,} can't be read and are not counted: {ids}{more}")
    return "\n".join(lines)


def as_facts(report: Report) -> dict[str, Any]:
    """As plain values: `rows` with a measure for each that has something, money in minor units, and what was read."""
    rows = [key._asdict() | {name: value for name, value in sums.items() if value} for key, sums in _sorted(report)]
    return {"rows": rows, "outside": report.outside, "unreadable": report.unreadable}


def _sorted(report: Report) -> list[tuple[Key, Any]]:
    return sorted(report.rows.items())


def as_csv(report: Report) -> str:
    """RFC 4180: a row for each day, store, reason and currency that has something; money in minor units."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow([*Key._fields, *MEASURES])
    for key, measures in _sorted(report):
        rows.writerow([*map(cell, key), *(measures[name] for name in MEASURES)])
    return out.getvalue()
