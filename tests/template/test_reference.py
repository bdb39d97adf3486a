"""The API reference of docs/reference is of the document that it shows. `make reference` makes it."""

from __future__ import annotations

import json
import re

from docs.reference.render import DOCUMENT, LICENSES, PAGE, POLICY, SCRIPT, locked_version, page
from local.gateway.pages import REFERENCE_POLICY
from tests.support.schemas import openapi_document


def test_the_page_is_of_the_document() -> None:
    shown = PAGE.read_text(encoding="utf-8")
    assert shown == page(DOCUMENT.read_text(encoding="utf-8")), "the document was changed: make reference"
    found = re.search(r'<script type="application/json" id="openapi">(.*?)</script>', shown, re.DOTALL)
    assert found
    document = json.loads(found[1])
    assert document["paths"].keys() == openapi_document()["paths"].keys()
    assert document["components"]["schemas"].keys() == openapi_document()["components"]["schemas"].keys()
    assert "if" not in document["components"]["schemas"]["Problem"]


def test_the_page_needs_nothing_from_elsewhere() -> None:
    shown = PAGE.read_text(encoding="utf-8")
    assert re.findall(r'<(?:script|link|img)[^>]* (?:src|href)="([^"?]*)', shown) == ["data:,", SCRIPT.name, "show.js"]
    assert "cdn.redoc.ly" not in SCRIPT.read_text(encoding="utf-8")
    assert "https:" not in POLICY
    assert REFERENCE_POLICY == POLICY


def test_redoc_is_the_locked_one_with_its_licences() -> None:
    assert f'"{locked_version()}"' in SCRIPT.read_text(encoding="utf-8")
    assert "MIT" in LICENSES.read_text(encoding="utf-8")
