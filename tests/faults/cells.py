"""The cells of a matrix that has a page of its own: each is run, and the page holds what came of them."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path
from typing import Protocol, TypeVar

from tests.support.shop import Shop

KILLS = ("killed before", "killed after")
OF_WRITES_ALONE = frozenset({"killed after", "answer lost"})
"""Faults that make no difference where a line only reads."""
AT_ONCE = 6

P_contra = TypeVar("P_contra", contravariant=True)
P = TypeVar("P")


class Cell(Protocol[P_contra]):
    """One order, at one point of which a fault happens."""

    shop: Shop

    def break_off(self, point: P_contra, fault: str) -> Callable[[], str]:
        """Waits until it has happened. Gives what waits for the end and tells what came of it."""


def run_all(
    cells: Iterable[tuple[P, str]], opened: Callable[[], Cell[P]], *, alone: Callable[[tuple[P, str]], str | None]
) -> dict[tuple[P, str], str]:
    """What came of each cell.

    Cells run in rounds: first all faults of a round happen, then the end of each is waited for, which may be that no
    message is left in a queue. `alone`: None for the cells of the first round. Of those with the same name, each has a
    later round; those with different names share theirs.
    """
    told: dict[tuple[P, str], str] = {}
    first: list[tuple[P, str]] = []
    later: dict[str, list[tuple[P, str]]] = {}
    for cell in cells:
        name = alone(cell)
        (first if name is None else later.setdefault(name, [])).append(cell)
    rounds = [first, *([cell for cell in some if cell] for some in zip_longest(*later.values()))]

    def begin(cell: tuple[P, str]) -> tuple[Cell[P], Callable[[], str]]:
        one = opened()
        return one, one.break_off(*cell)

    def end(begun: tuple[Cell[P], Callable[[], str]]) -> str:
        one, outcome = begun
        try:
            return outcome()
        finally:
            one.shop.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for some in rounds:
            all_begun = list(pool.map(begin, some))
            told.update(zip(some, pool.map(end, all_begun), strict=True))
    return told


def assert_page(page: Path, text: str) -> None:
    """The page is exactly this text; with `UPDATE_DOCS=1` it is made so."""
    if os.environ.get("UPDATE_DOCS"):
        page.write_text(text)
    there = page.read_text()
    changes = difflib.unified_diff(there.splitlines(), text.splitlines(), "the page", "what happens", n=0, lineterm="")
    assert there == text, "\n".join([f"docs/{page.name} is not what happens: UPDATE_DOCS=1 rewrites it", *changes])
