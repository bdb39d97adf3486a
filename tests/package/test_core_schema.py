"""The layer's `pydantic_core/core_schema.py`: as it was installed, but for its TypedDicts."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

from pydantic_core import core_schema

from requirements.core_schema import without_declarations
from tests.support.builds import Build
from tests.support.machine import ROOT

INSTALLED = Path(core_schema.__file__)
DESCRIBED = r"""
import json, re
from typing import is_typeddict
from cancel_core.domain.order import Order
from pydantic_core import core_schema
declared = [name for name, its in vars(core_schema).items() if is_typeddict(its)]
print(json.dumps([re.sub(r"0x[0-9a-f]+|:\d+(?=')", "", repr(Order.__pydantic_core_schema__)), declared]))
"""


def test_only_typed_dicts_are_taken_away() -> None:
    source = '''\
class Plain(TypedDict, total=False):
    """What it is."""

    name: str
    size: int


class More(Plain):
    color: str


class Kept(Protocol):
    name: str


def schema(name: str) -> Plain:
    return {"name": name}
'''
    trimmed = without_declarations(source)
    assert trimmed == "\n".join(
        [
            *("class Plain(dict): pass", *[""] * 6),
            *("class More(dict): pass", "", *source.splitlines()[9:], ""),
        ]
    )
    assert without_declarations(trimmed) == trimmed


def test_the_layer_has_the_installed_module_without_declarations(build: Build) -> None:
    built = (build.layer / "python/pydantic_core/core_schema.py").read_text()
    assert built == without_declarations(INSTALLED.read_text())
    assert len(built.splitlines()) == len(INSTALLED.read_text().splitlines())
    classes, whole = (
        {node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)}
        for source in (built, INSTALLED.read_text())
    )
    assert classes == whole


def test_pydantic_describes_an_order_as_before(build: Build) -> None:
    def described(*arguments: str, path: list[str]) -> list[object]:
        done = subprocess.run(
            [sys.executable, *arguments, "-c", DESCRIBED],
            env={"PYTHONPATH": ":".join(path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: list[object] = json.loads(done.stdout)
        return found

    layer = str(build.layer / "python")
    installed, names = described(path=[str(ROOT / "layers/cancel_core")])
    assert names
    assert described("-S", path=[layer]) == [installed, []]
