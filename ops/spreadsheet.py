"""Values for the cells of a spreadsheet, escaped so that no input is interpreted as a formula."""

from __future__ import annotations


def cell(value: object) -> object:
    """The value; a text that would be a formula gets an apostrophe before it."""
    if isinstance(value, str) and value.lstrip()[:1] in {"=", "+", "-", "@"}:
        return f"'{value}"
    return value
