"""docs/files.md lists each file that a function runs, exactly once."""

from __future__ import annotations

import re
from collections import Counter

from tests.support.machine import ROOT

PACKAGE = "layers/cancel_core/cancel_core/"
LINK = re.compile(r"\]\(\.\./((?:functions|layers)/[^)]+\.py)\)")


def test_the_page_lists_each_file_of_the_functions_once() -> None:
    by_flow, _, _ = (ROOT / "docs" / "files.md").read_text(encoding="utf-8").partition("## Where to make a change")
    there = {
        path.relative_to(ROOT).as_posix()
        for path in (*(ROOT / PACKAGE).rglob("*.py"), *(ROOT / "functions").glob("*/*.py"))
        if path.name != "__init__.py"
    }
    assert Counter(LINK.findall(by_flow)) == Counter(there)
