"""How a command answers: lines and tables for a person, or one JSON document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from cancel_core.domain.money import Money
from cancel_core.domain.times import moment


class Line(NamedTuple):
    """One line of a table: its cells, the same as plain values for JSON, and what stands below it, indented."""

    cells: Sequence[str]
    facts: Mapping[str, Any]
    notes: Sequence[str] = ()


class Out:
    """Where a command puts its answer. As JSON it is collected, and printed as one document by `close`."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._document: dict[str, Any] = {}

    def say(self, text: str) -> None:
        """What was done, or counted. In JSON a line of `messages`."""
        if self.as_json:
            self._document.setdefault("messages", []).append(text)
        else:
            print(text)

    def table(self, name: str, titles: Sequence[str], lines: Sequence[Line], *, numbers: Sequence[str] = ()) -> None:
        """A table with a heading, nothing where it has no lines. `name`: in JSON. `numbers`: titles of columns that
        are aligned at their right.
        """
        if self.as_json:
            self._document[name] = [line.facts for line in lines]
        elif lines:
            right = [title in numbers for title in titles]
            rows = aligned([titles, *(line.cells for line in lines)], right)
            print(next(rows))
            for row, line in zip(rows, lines, strict=True):
                print("\n".join([row, *(f"    {printable(note)}" for note in line.notes if note)]))

    def facts(self, **facts: Any) -> None:
        """What a person reads otherwise, or not at all: in JSON alone."""
        if self.as_json:
            self._document |= facts

    def document(self, name: str, value: object) -> None:
        """A document as it lies in a table, whole."""
        if self.as_json:
            self._document[name] = value
        else:
            print(as_json(value))

    def close(self) -> None:
        if self.as_json and self._document:
            print(as_json(self._document))


def aligned(rows: Sequence[Sequence[str]], right: Sequence[bool]) -> Iterator[str]:
    """Columns of equal width. `right`: which of them are aligned at their right."""
    texts = [[printable(cell) or "-" for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for row in texts:
        cells = [
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(row, widths, right, strict=True)
        ]
        yield "  ".join(cells).rstrip()


def printable(text: str) -> str:
    """What somebody else has put there, without what a terminal or a picture would take for a command."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def money(amount: object, currency: object) -> str:
    """An amount in minor units, in the currency's own digits. Where nobody knows the currency it says so."""
    if not isinstance(amount, int | Decimal):
        return ""
    if not isinstance(currency, str) or not currency:
        return f"{int(amount)} minor units"
    return f"{Money(int(amount), currency).decimal:,f} {currency}"


def age(since: object, now: datetime) -> str:
    """How long ago a moment (ISO 8601) was, in its largest unit."""
    at = moment(since) if isinstance(since, str) else None
    if at is None:
        return ""
    seconds = max(0, int((now - at).total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def as_json(document: object) -> str:
    """A document of plain values, for a person to read."""
    return json.dumps(document, default=_plain, indent=2, ensure_ascii=False)


def _plain(value: object) -> int | float | str | list[Any]:
    if isinstance(value, set):
        return sorted(value, key=str)
    if not isinstance(value, Decimal):
        # Of the shop's own attributes: binaries.
        return str(value)
    return int(value) if value == value.to_integral_value() else float(value)
