"""What goes into a cell of a spreadsheet, so that nothing that somebody has typed in is a formula there."""

from __future__ import annotations


def cell(value: object) -> object:
    """The value; a text that would be a formula gets an apostrophe before it."""
    if isinstance(value, str) and value.lstrip()[:1] in {"=", "+", "-", "@"}:
        return f"'{value}"
    return value
