"""What the documents point at is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.machine import ROOT

LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]+)")
ANCHOR = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]*)#([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
# A heading that was renamed keeps its old anchor, for links from elsewhere.
EXPLICIT = re.compile(r"^<a id=\"([^\"]+)\"></a>$", re.MULTILINE)
FOLDERS = ("docs", "events", "examples", "functions", "layers", "local", "requirements", "tests")
PAGES = [*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_heading_finds_it(page: Path) -> None:
    links = ((page.parent / link if link else page, anchor) for link, anchor in ANCHOR.findall(page.read_text()))
    missing = [f"{to.name}#{anchor}" for to, anchor in links if to.suffix == ".md" and anchor not in _anchors(to)]
    assert not missing


def _anchors(page: Path) -> set[str]:
    """The headings as GitHub makes anchors of them, and the anchors that are written out."""
    markdown = CODE.sub("", page.read_text())
    headings = HEADING.findall(markdown)
    texts = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    anchors = {re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-") for text in texts}
    return anchors | set(EXPLICIT.findall(markdown))
