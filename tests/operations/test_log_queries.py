"""The runbook looks for texts in the log that the functions really write."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support.machine import ROOT

# Lambda's own words are not ours to check.
QUERIES = sorted(set(re.findall(r"""said '"(?!Runtime\.)([^"]+)"'""", (ROOT / "docs" / "operating.md").read_text())))


def texts(path: Path) -> set[str]:
    """All texts in a source file, put together where they stand on several lines."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


WRITTEN = {text for folder in ("functions", "layers") for path in (ROOT / folder).rglob("*.py") for text in texts(path)}


def test_there_are_queries() -> None:
    assert "could not be published" in QUERIES


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_finds_what_is_logged(query: str) -> None:
    templates = (re.escape(text).replace("%s", ".+") for text in WRITTEN if text.startswith("%s "))
    assert any(query in text for text in WRITTEN) or any(re.fullmatch(one, query) for one in templates)
