"""The cells of a matrix that has a page of its own: each is run, and the page holds what came of them."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar

from tests.support.shop import Shop

KILLS = ("killed before", "killed after")
OF_WRITES_ALONE = frozenset({"killed after", "answer lost"})
"""Faults that make no difference where a line only reads."""
AT_ONCE = 4

P_contra = TypeVar("P_contra", contravariant=True)
P = TypeVar("P")


class Cell(Protocol[P_contra]):
    """One order, at one point of which a fault happens."""

    shop: Shop

    def tell(self, point: P_contra, fault: str) -> str:
        """Has it happen and waits for the end. What came of it."""


def run_all(
    cells: Iterable[tuple[P, str]], opened: Callable[[], Cell[P]], *, together: Callable[[tuple[P, str]], bool]
) -> dict[tuple[P, str], str]:
    """What came of each cell. `together`: those that may run at once; the others run by themselves afterwards."""
    told: dict[tuple[P, str], str] = {}

    def run(cell: tuple[P, str]) -> None:
        one = opened()
        try:
            told[cell] = one.tell(*cell)
        finally:
            one.shop.close()

    all_cells = list(cells)
    at_once = [cell for cell in all_cells if together(cell)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(run, at_once))
    for cell in all_cells:
        if cell not in at_once:
            run(cell)
    return told


def assert_page(page: Path, text: str) -> None:
    """The page is exactly this text; with `UPDATE_DOCS=1` it is made so."""
    if os.environ.get("UPDATE_DOCS"):
        page.write_text(text)
    there = page.read_text()
    changes = difflib.unified_diff(there.splitlines(), text.splitlines(), "the page", "what happens", n=0, lineterm="")
    assert there == text, "\n".join([f"docs/{page.name} is not what happens: UPDATE_DOCS=1 rewrites it", *changes])
