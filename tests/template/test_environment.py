"""What the functions read from their environment is what the template gives them, no more and no less."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from tests.support.machine import ROOT

Json = dict[str, Any]

CORE = ROOT / "layers/cancel_core/cancel_core"
FUNCTIONS = sorted(path.parent.name for path in ROOT.glob("functions/*/app.py"))
# Where the local stack's Stripe is.
NOT_DEPLOYED = {"STRIPE_API_URL"}
# Nobody reads it: its change makes a new version of each function.
RELEASE = {"RELEASE"}
# Powertools reads these by itself.
LIBRARIES = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}


def _variables(tree: ast.AST) -> set[str]:
    """Names looked up in os.environ. A name that isn't written out can't be checked, so there must be none."""
    names = set()
    for node in ast.walk(tree):
        match node:
            case (
                ast.Subscript(value=ast.Attribute(attr="environ"), slice=key)
                | ast.Call(func=ast.Attribute(value=ast.Attribute(attr="environ"), attr="get"), args=[key, *_])
                | ast.Call(func=ast.Attribute(attr="getenv"), args=[key, *_])
            ):
                assert isinstance(key, ast.Constant), ast.unparse(node)
                assert isinstance(key.value, str), ast.unparse(node)
                names.add(key.value)
    return names


def _made_in(module: str) -> dict[str, ast.FunctionDef]:
    tree = ast.parse((CORE / module).read_text())
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def _wiring() -> dict[str, set[str]]:
    """The variables that each function of `wiring` reads, those of the parts it asks for among them."""
    parts, use_cases = _made_in("parts.py"), _made_in("wiring.py")

    def read(name: str, module: dict[str, ast.FunctionDef]) -> set[str]:
        body = module[name]
        called = {node.id for node in ast.walk(body) if isinstance(node, ast.Name)} & set(module)
        return _variables(body).union(
            *(read(other, module) for other in called - {name}),
            *(read(part, parts) for part in _attributes_of("parts", body)),
        )

    return {name: read(name, use_cases) for name in use_cases}


def _attributes_of(module: str, tree: ast.AST) -> set[str]:
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == module
    }


def _read_by(function: str) -> set[str]:
    tree = ast.parse((ROOT / "functions" / function / "app.py").read_text())
    wiring = _wiring()
    return _variables(tree).union(*(wiring[name] for name in _attributes_of("wiring", tree)))


def test_the_template_has_each_function_that_there_is(functions: dict[str, Json]) -> None:
    assert sorted(functions) == FUNCTIONS


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_given_what_it_reads(function: str, functions: dict[str, Json]) -> None:
    assert set(functions[function]["Environment"]["Variables"]) == _read_by(function) - NOT_DEPLOYED


def test_all_functions_are_given_what_the_libraries_read(template: Json) -> None:
    assert set(template["Globals"]["Function"]["Environment"]["Variables"]) == LIBRARIES | RELEASE


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=lambda path: str(path.relative_to(CORE)))
def test_the_layer_reads_the_environment_where_parts_are_put_together_alone(path: Path) -> None:
    if path.name not in {"parts.py", "wiring.py"}:
        assert not _variables(ast.parse(path.read_text()))
