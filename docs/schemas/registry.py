"""`make schemas`: the events' schemas as EventBridge's schema registry takes them, into template.yaml.

docs/schemas/events has one JSON Schema for each `detail-type`. The registry takes OpenAPI 3.0 (of JSON Schema it knows
draft 4 alone), of which EventBridge makes code bindings. `tests/template/test_event_schemas.py` fails when a schema was
changed and the template was not.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).resolve().parent / "events"
TEMPLATE = SCHEMAS.parents[2] / "template.yaml"
Json = dict[str, Any]

# What EventBridge adds around `detail`, as its own schemas have it.
_ENVELOPE = ["detail-type", "resources", "detail", "id", "source", "time", "region", "version", "account"]
_CONTENT = re.compile(r"^( +SchemaName: [a-z.-]+@(\w+)\n(?: +(?!Content)\w+: .*\n)* +Content: ).*$", re.MULTILINE)


def documents() -> dict[str, Json]:
    """The JSON Schemas of the events, by `detail-type`."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(SCHEMAS.glob("*.json"))}


def registered(schema: Json) -> Json:
    """An event's JSON Schema as the OpenAPI 3.0 document that EventBridge keeps of it."""
    name, properties = schema["title"], schema["properties"]
    event = {
        "type": "object",
        "description": schema["description"],
        "required": _ENVELOPE,
        "x-amazon-events-detail-type": name,
        "x-amazon-events-source": properties["source"]["const"],
        "properties": _older(properties),
    }
    return {
        "openapi": "3.0.0",
        "info": {"version": "1", "title": name},
        "paths": {},
        "components": {"schemas": {"AWSEvent": event} | _older(schema["$defs"])},
    }


def _older(node: Any) -> Any:
    """JSON Schema 2020-12, as far as the events use it, in the words of OpenAPI 3.0."""
    if isinstance(node, list):
        return [_older(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    made = {name: _older(inner) for name, inner in node.items()}
    if isinstance(reference := made.get("$ref"), str):
        made["$ref"] = reference.replace("#/$defs/", "#/components/schemas/")
    if "const" in made and "type" in made:
        made["enum"] = [made.pop("const")]
    if isinstance(kinds := made.get("type"), list):
        (made["type"],) = (kind for kind in kinds if kind != "null")
        made["nullable"] = True
    if isinstance(choices := made.get("oneOf"), list) and {"type": "null"} in choices:
        del made["oneOf"]
        made |= {"nullable": True, "allOf": [choice for choice in choices if choice != {"type": "null"}]}
    if isinstance(bound := made.get("exclusiveMinimum"), int):
        made |= {"minimum": bound, "exclusiveMinimum": True}
    return made


def content(schema: Json) -> str:
    """The text that the template has for an event's schema."""
    return json.dumps(registered(schema), separators=(",", ":"), ensure_ascii=True)


def rewritten(template: str) -> str:
    """The text of template.yaml with the `Content` of each schema as docs/schemas/events has it."""
    known = documents()
    return _CONTENT.sub(lambda one: one[1] + "'" + content(known[one[2]]).replace("'", "''") + "'", template)


def main() -> int:
    TEMPLATE.write_text(rewritten(TEMPLATE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
