"""The output of a command: lines and tables for a person, or one JSON document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from cancel_core.domain.money import Money
from cancel_core.domain.times import moment


class Line(NamedTuple):
    """One row of a table: its cells, the same as plain values for JSON, and the indented lines below it."""

    cells: Sequence[str]
    facts: Mapping[str, Any]
    notes: Sequence[str] = ()


class Out:
    """The output of a command. As JSON it is collected, and printed as one document by `close`."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._document: dict[str, Any] = {}

    def say(self, text: str) -> None:
        """A line about what was done, or counted. In JSON an entry of `messages`."""
        if self.as_json:
            self._document.setdefault("messages", []).append(text)
        else:
            print(text)

    def table(self, name: str, titles: Sequence[str], lines: Sequence[Line], *, numbers: Sequence[str] = ()) -> None:
        """A table with a heading; nothing if it has no rows. `name`: its key in JSON. `numbers`: titles of columns that
        are right-aligned.
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
        """Data that a person reads elsewhere, or not at all: only in JSON."""
        if self.as_json:
            self._document |= facts

    def document(self, name: str, value: object) -> None:
        """A complete document, as it is in a table."""
        if self.as_json:
            self._document[name] = value
        else:
            print(as_json(value))

    def close(self) -> None:
        if self.as_json and self._document:
            print(as_json(self._document))


def aligned(rows: Sequence[Sequence[str]], right: Sequence[bool]) -> Iterator[str]:
    """Columns of equal width. `right`: those that are right-aligned."""
    texts = [[printable(cell) or "-" for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for row in texts:
        cells = [
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(row, widths, right, strict=True)
        ]
        yield "  ".join(cells).rstrip()


def printable(text: str) -> str:
    """Someone else's input, without control characters that a terminal or a picture would interpret."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def money(amount: object, currency: object) -> str:
    """An amount in minor units, with the currency's decimals. If the currency is unknown it says so."""
    if not isinstance(amount, int | Decimal):
        return ""
    if not isinstance(currency, str) or not currency:
        return f"{int(amount)} minor units"
    return f"{Money(int(amount), currency).decimal:,f} {currency}"


def age(since: object, now: datetime) -> str:
    """The age of a moment (ISO 8601), in its largest unit."""
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
        # The shop's own attributes may be binary.
        return str(value)
    return int(value) if value == value.to_integral_value() else float(value)
