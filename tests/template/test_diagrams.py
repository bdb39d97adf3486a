"""The pictures of docs/architecture.md show what its Mermaid blocks say. `make diagrams` draws them."""

from __future__ import annotations

import json
import re

import pytest

from docs.diagrams.render import DIAGRAMS, PAGE, PICTURES, Block, DiagramError, blocks, drawn_from
from tests.support.machine import ROOT

BLOCKS = list(blocks(PAGE.read_text(encoding="utf-8")))


def test_each_diagram_has_a_name_of_its_own() -> None:
    names = [block.name for block in BLOCKS]
    assert names
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_a_picture_is_of_its_block(block: Block) -> None:
    assert block.picture.exists(), f"{block.picture.name} is missing: make diagrams"
    assert drawn_from(block.picture.read_text(encoding="utf-8")) == block.digest, (
        f"the block of {block.picture.name} was changed: make diagrams"
    )


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_a_picture_needs_nothing_from_elsewhere(block: Block) -> None:
    """In an <img> there is no HTML, no script, no font or style of others."""
    svg = block.picture.read_text(encoding="utf-8")
    assert not re.findall(r"<foreignObject|<script|<image|@import|@font-face|url\((?!#)|href=\"(?!#)", svg)
    # A ground of its own, so that dark pages do not show through.
    assert re.search(r"<svg[^>]*><rect [^>]*fill=\"#ffffff\"", svg)


def test_no_picture_is_left_of_a_diagram_that_is_gone() -> None:
    drawn = {path.stem for path in PICTURES.glob("*.svg") if drawn_from(path.read_text(encoding="utf-8"))}
    assert drawn == {block.name for block in BLOCKS}


def test_a_block_without_a_link_to_its_picture_is_told() -> None:
    page = "# Page\n\n```mermaid\nflowchart LR\n```\n\nText.\n"
    with pytest.raises(DiagramError, match="line 3"):
        list(blocks(page))


def test_mermaid_is_locked_by_version_and_integrity_from_any_registry() -> None:
    wanted = json.loads((DIAGRAMS / "package.json").read_text())["dependencies"]
    locked = json.loads((DIAGRAMS / "package-lock.json").read_text())["packages"]
    assert locked.pop("")["dependencies"] == wanted
    assert locked["node_modules/mermaid"]["version"] == wanted["mermaid"]
    assert all(package["integrity"].startswith("sha512-") for package in locked.values())
    assert not [name for name, package in locked.items() if "resolved" in package]


def test_the_readme_shows_the_first_diagram() -> None:
    assert f"docs/pictures/{BLOCKS[0].name}.svg" in (ROOT / "README.md").read_text(encoding="utf-8")
