"""docs/faults.md, of which each matrix makes one section."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol, TypeVar

from tests.support.machine import ROOT

PAGE = ROOT / "docs" / "faults.md"
HEADING = "\n## "
READS = "same as *killed before* (read only)"


class Call(Protocol):
    """A call of a function to the outside: what for, and by which operation."""

    @property
    def what(self) -> str: ...

    @property
    def operation(self) -> str: ...


P = TypeVar("P", bound=Call)


def assert_section(title: str, text: str) -> None:
    """The section under this heading is exactly this text; with `UPDATE_DOCS=1` it is made so."""
    first, *sections = PAGE.read_text().split(HEADING)
    by_title = {section.partition("\n")[0]: section.partition("\n")[2] for section in sections}
    wanted = f"\n{text.strip()}\n"
    if os.environ.get("UPDATE_DOCS"):
        by_title[title] = wanted
        PAGE.write_text(HEADING.join([first, *(f"{name}\n{body}" for name, body in by_title.items())]))
    assert by_title.get(title) == wanted, f"{title!r} of docs/faults.md is not what happens: UPDATE_DOCS=1 rewrites it"


def table(*rows: tuple[str, ...]) -> str:
    """A table of which the first row is the head."""
    head, *others = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, "|---" * len(rows[0]) + "|", *others])


def matrix(
    faults: Sequence[str],
    points: Iterable[P],
    told: Mapping[tuple[P, str], str],
    names: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """A row for each call, with what is told of each fault. `names`: of operations that are called otherwise there."""
    rows = (
        (
            f"{point.what} (`{names.get(point.operation, point.operation)}`)",
            *(told.get((point, fault), READS) for fault in faults),
        )
        for point in points
    )
    return table(("call", *faults), *rows)
