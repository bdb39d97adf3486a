"""The list of what is taken out for the emulator's sake is whole, true, and covered elsewhere."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import Any

import pytest

from local.template import read
from tests.rehearsal.left_out import LEFT_OUT, LeftOut, rehearsed
from tests.support.machine import ROOT

TEMPLATE = read(ROOT / "template.yaml")
PARAMETERS = {name: str(one.get("Default", "")) for name, one in TEMPLATE["Parameters"].items()}


def differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """The paths where two templates differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in {**one, **other}:
            yield from differences(one.get(name), other.get(name), f"{path}.{name}".lstrip("."))
    elif one != other:
        yield path


def test_nothing_else_is_another() -> None:
    found = set(differences(TEMPLATE, rehearsed(TEMPLATE, PARAMETERS)))
    listed = {path for one in LEFT_OUT for path in one.where}
    assert {path for path in found if not any(path == one or path.startswith(f"{one}.") for one in listed)} == set()


@pytest.mark.parametrize("entry", LEFT_OUT, ids=lambda one: one.what)
def test_an_entry_changes_what_it_says_for_a_reason_and_is_checked_elsewhere(entry: LeftOut) -> None:
    before = copy.deepcopy(TEMPLATE)
    entry.change(before, PARAMETERS)
    changed = set(differences(TEMPLATE, before))
    assert changed
    for path in entry.where:
        assert any(one == path or one.startswith(f"{path}.") for one in changed), path
    assert len(entry.reason) > 20
    file, test = entry.covered_by.split("::")
    tree = ast.parse((ROOT / file).read_text())
    assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
