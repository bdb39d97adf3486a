"""The published documents (docs/) and validators made of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from jsonschema.protocols import Validator

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

SchemaName = Literal["order", "config"]
# What we write ourselves, by schema. The rest is written by others, or says itself whether it is closed.
_OURS = {"order": ["cancellation"], "config": []}
EVENTS = DOCS / "schemas" / "events"


@cache
def openapi_document() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((DOCS / "openapi.yaml").read_text(encoding="utf-8"))
    return document


@cache
def schema_document(name: SchemaName) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((DOCS / "schemas" / f"{name}.json").read_text(encoding="utf-8"))
    return document


@cache
def published_schema(name: SchemaName) -> Validator:
    """A validator of docs/schemas/<name>.json, as others have it: open for what a later version adds."""
    Draft202012Validator.check_schema(schema_document(name))
    return Draft202012Validator(schema_document(name))


@cache
def schema(name: SchemaName) -> Validator:
    """A validator of docs/schemas/<name>.json that refuses what we write and have not documented."""
    document = schema_document(name)
    parts = {part: closed(document["$defs"][part]) for part in _OURS[name]}
    return Draft202012Validator(document | {"$defs": document["$defs"] | parts})


@cache
def event_documents() -> dict[str, dict[str, Any]]:
    """docs/schemas/events, by `detail-type`."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(EVENTS.glob("*.json"))}


@cache
def published_event_schema(detail_type: str) -> Validator:
    """A validator of docs/schemas/events/<detail_type>.json, as others have it."""
    document = event_documents()[detail_type]
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


@cache
def event_schema(detail_type: str) -> Validator:
    """A validator of an event that refuses fields of its `detail` which are not documented."""
    document = event_documents()[detail_type]
    return Draft202012Validator(document | {"$defs": closed(document["$defs"])})


def assert_event(event: Mapping[str, Any]) -> None:
    """An event of the bus, as a target gets it, follows the schema of its `detail-type`."""
    assert event.get("detail-type") in event_documents(), f"no such event is documented: {event!r}"
    found = fault(event_schema(event["detail-type"]), plain(event))
    assert found is None, f"not a valid event: {found}\n{event!r}"


def closed(node: Any) -> Any:
    """A schema that refuses fields and values which are not documented.

    The published ones are open, since fields, and values of an `x-extensible-enum`, are added within a version; what
    this version sends is documented in full. `x-constraints` beside a body's schema, or in a schema, restricts it
    further: code generators would make a type of its own of each such restriction.
    """
    if isinstance(node, list):
        return [closed(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    made = {name: closed(inner) for name, inner in node.items()}
    if "x-extensible-enum" in node:
        made["enum"] = node["x-extensible-enum"]
    if "x-constraints" in node:
        if "schema" in node:
            made["schema"] = {"allOf": [made["schema"], node["x-constraints"]]}
        else:
            made["allOf"] = [node["x-constraints"]]
    if node.get("type") == "object" and isinstance(node.get("properties"), dict):
        return {"additionalProperties": False} | made
    return made


def fault(validator: Validator, value: Any) -> str | None:
    """Where and how a value breaks the schema, or None."""
    error = best_match(validator.iter_errors(value))
    return None if error is None else f"{error.json_path}: {error.message}"


def assert_valid(name: SchemaName, value: object) -> None:
    """The value, plain JSON or as boto3 reads it from a table, follows docs/schemas/<name>.json."""
    found = fault(schema(name), plain(value))
    assert found is None, f"not a valid {name}: {found}\n{value!r}"


def plain(value: object) -> Any:
    """What boto3 reads from a table, as the plain JSON the schemas speak of: whole numbers as int, others as Decimal.

    Sets and binary values, which only the shop's own attributes hold, stay as they are.
    """
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else value
        case Mapping():
            return {key: plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case _:
            return value
