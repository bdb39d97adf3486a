"""The events' schemas: in the template as docs/schemas/events has them, and as types in examples/order_events."""

from __future__ import annotations

import importlib
import json
from typing import Any, get_type_hints

import pytest
from jsonschema import Draft4Validator
from openapi_spec_validator import OpenAPIV30SpecValidator, validate

from docs.schemas.registry import content, rewritten
from tests.support.machine import ROOT
from tests.support.schemas import event_documents

NAMES = sorted(event_documents())


def test_the_template_registers_each_event_as_it_is_published(deployed: dict[str, Any]) -> None:
    schemas = {name: one for name, one in deployed["Resources"].items() if one["Type"] == "AWS::EventSchemas::Schema"}
    assert sorted(schemas) == [f"{name}Schema" for name in NAMES]
    for name, document in event_documents().items():
        properties = schemas[f"{name}Schema"]["Properties"]
        assert properties["Content"] == content(document), f"{name}: make schemas"
        assert properties["SchemaName"] == f"{document['properties']['source']['const']}@{name}"
        assert properties["Type"] == "OpenApi3"
        assert len(properties["Content"]) < 100_000
        assert len(properties["Description"]) <= 256
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    assert rewritten(text) == text


@pytest.mark.parametrize("name", NAMES)
def test_what_is_registered_is_openapi_3_0_and_takes_what_the_json_schema_takes(name: str) -> None:
    document = json.loads(content(event_documents()[name]))
    validate(document, cls=OpenAPIV30SpecValidator)
    text = json.dumps(document)
    assert '"const"' not in text
    assert '"null"' not in text
    assert "$defs" not in text
    schemas = document["components"]["schemas"]
    assert schemas["AWSEvent"]["x-amazon-events-detail-type"] == name
    # OpenAPI 3.0 is draft 4 with `nullable` of its own.
    Draft4Validator.check_schema(schemas)


@pytest.mark.parametrize("name", NAMES)
def test_the_types_of_the_example_are_those_of_the_schemas(name: str) -> None:
    document = event_documents()[name]
    module = importlib.import_module(f"examples.order_events.{name}")
    for part, schema in {name: document, **document["$defs"]}.items():
        hints = get_type_hints(getattr(module, part))
        assert set(hints) == set(schema["properties"]), f"{part}: make schemas"
        assert getattr(module, part).__required_keys__ == set(schema["required"])
