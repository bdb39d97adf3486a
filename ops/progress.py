"""How far a long scan is: a bar on standard error, where that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Advance = Callable[[float], None]
T = TypeVar("T")


@contextmanager
def bar(what: str, total: float | None = None) -> Iterator[Advance]:
    """Shows a bar while the block runs, and takes it away at the end. `total`: how much there is, if that is known.

    Nothing may be printed while it stands there.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    # A tenth of a second, which commands without a bar need not pay.
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
    # Standard output stays what it is: it may go into a file.
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
