"""The progress of a long scan: a bar on standard error, if that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Advance = Callable[[float], None]
T = TypeVar("T")


@contextmanager
def bar(what: str, total: float | None = None) -> Iterator[Advance]:
    """Shows a bar while the block runs, and removes it at the end. `total`: the number of items, if that is known.

    Nothing may be printed meanwhile.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    # The import takes a tenth of a second, which commands without a bar save.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(show_speed=True))
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    # Standard output is not touched: it may be redirected to a file.
    with Progress(
        *columns, *times, console=console, transient=True, redirect_stdout=False, redirect_stderr=False
    ) as shown:
        task = shown.add_task(what, total=total)
        yield lambda amount: shown.advance(task, amount)


def tracked(items: Iterable[T], what: str, total: float | None = None) -> Iterator[T]:
    """The same items, with a bar that counts them."""
    with bar(what, total) as advance:
        for item in items:
            yield item
            advance(1)
