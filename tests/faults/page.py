"""docs/faults.md, of which each matrix makes one section."""

from __future__ import annotations

import os

from tests.support.machine import ROOT

PAGE = ROOT / "docs" / "faults.md"
HEADING = "\n## "


def assert_section(title: str, text: str) -> None:
    """The section under this heading is exactly this text; with `UPDATE_DOCS=1` it is made so."""
    first, *sections = PAGE.read_text().split(HEADING)
    by_title = {section.partition("\n")[0]: section.partition("\n")[2] for section in sections}
    wanted = f"\n{text.strip()}\n"
    if os.environ.get("UPDATE_DOCS"):
        by_title[title] = wanted
        PAGE.write_text(HEADING.join([first, *(f"{name}\n{body}" for name, body in by_title.items())]))
    assert by_title.get(title) == wanted, (
        f"{title!r} of docs/faults.md is not what happens: UPDATE_DOCS=1 writes it anew"
    )


def table(*rows: tuple[str, ...]) -> str:
    """A table of which the first row is the head."""
    head, *others = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, "|---" * len(rows[0]) + "|", *others])
