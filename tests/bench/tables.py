"""Rows of the page's tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def table(head: str, rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> Iterator[str]:
    columns = head.split(" | ")
    yield "| " + head + " |"
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}" if seconds >= 0.1 else f"{seconds * 1000:.2g}"
