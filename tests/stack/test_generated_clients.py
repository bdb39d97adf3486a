"""Clients generated from docs/openapi.yaml: the examples are compiled and cancel an order of the running stack.

`make clients` generates them and lints the document. It is not repeated here, because it takes 25 seconds of a
processor: generated.sha256 has the hash of the document that it last passed for. Kotlin takes half a minute to compile,
so it is compiled by `make try-kotlin` only.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from examples.clients import generate
from examples.clients.kotlin.compile import compiled
from tests.support import documents
from tests.support.machine import need
from tests.support.shop import Shop, token_of

TYPES = generate.HERE / "typescript" / "api.d.ts"


def typescript() -> list[str]:
    """The command of the TypeScript example, compiled."""
    need(shutil.which("npm"), "npm is not installed: it installs the compiler of the TypeScript client.")
    folder = generate.OUTPUT / "typescript"
    compiler = generate.packages(generate.HERE / "typescript", folder) / ".bin" / "tsc"
    shutil.copytree(generate.HERE / "typescript", folder, dirs_exist_ok=True)
    generate.run(compiler, "-p", folder)
    return ["node", str(folder / "built" / "cancel.js")]


def python() -> list[str]:
    """The command of the Python example. `make check` has checked its types."""
    return [sys.executable, str(generate.HERE / "python" / "cancel.py")]


def cancels(shop: Shop, command: list[str]) -> None:
    """The example cancels an order, and prints the code of the refusal when it is started again."""
    order_id = shop.put(**documents.paid())
    assert printed(shop, command, order_id) == {"eligible": True, "status": "canceled", "amount": 20000}
    assert printed(shop, command, order_id) == {"eligible": False, "refused": "INVALID_ORDER_STATUS"}


def printed(shop: Shop, command: list[str], order_id: str) -> Any:
    environment: Mapping[str, str] = os.environ | {"TOKEN": token_of(shop.endpoint, shop.customer_id)}
    command = [*command, shop.endpoint, order_id, "other"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def kotlin() -> list[str]:
    """The command of the Kotlin example, compiled."""
    return compiled(generate.OUTPUT / "kotlin")


LANGUAGES = [typescript, python, *([kotlin] if "KOTLIN" in os.environ else [])]


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.__name__)
def test_the_example_cancels_an_order_and_reports_a_refusal(shop: Shop, language: Callable[[], list[str]]) -> None:
    cancels(shop, language())


def test_the_document_as_it_is_has_passed_the_linters_and_the_generators() -> None:
    assert generate.STATED.read_text(encoding="utf-8") == generate.statement(), "the document was changed: make clients"


def test_the_generated_types_are_as_exact_as_the_document() -> None:
    types = TYPES.read_text(encoding="utf-8")
    for line in (
        'orders: components["schemas"]["OrderSummary"][];',
        "order_id: string;",
        'available_actions: components["schemas"]["AvailableActions"];',
        'cancellation: components["schemas"]["Cancellation"] | null;',
    ):
        assert line in types
    assert not re.search(r"\bany\b", re.sub(r"/\*.*?\*/", "", types, flags=re.DOTALL))
    models = generate.HERE / "python" / "cancel_core_client" / "models"
    order = (models / "order.py").read_text(encoding="utf-8")
    assert "placed_at: datetime.datetime" in order
    assert "available_actions: list[str]" in order
    assert "refund: None | Refund" in (models / "cancellation.py").read_text(encoding="utf-8")
