"""The module that pydantic describes validation with, without what type checkers alone need in it:
``python requirements/core_schema.py FILE...`` rewrites each FILE.

`make build` runs it on the layer's `pydantic_core/core_schema.py`. That module declares some ninety TypedDicts, and
importing it compiles the type of each field. These are a thousand texts, and take a tenth of a cold start. pydantic
uses the module's functions, which return plain dicts, and of the TypedDicts only the names.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path


def without_declarations(source: str) -> str:
    """The source with an empty class in the place of each TypedDict. All other lines keep their numbers."""
    lines = source.splitlines(keepends=True)
    typed_dicts = {"TypedDict"}
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and typed_dicts & {ast.unparse(base) for base in node.bases}:
            typed_dicts.add(node.name)
            first, last = node.lineno, node.end_lineno or 0
            lines[first - 1 : last] = [f"class {node.name}(dict): pass\n", *["\n"] * (last - first)]
    return "".join(lines)


if __name__ == "__main__":
    for file in map(Path, sys.argv[1:]):
        file.write_text(without_declarations(file.read_text()))
