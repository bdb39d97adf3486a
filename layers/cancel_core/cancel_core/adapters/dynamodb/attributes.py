"""Converts DynamoDB attribute values, such as {"S": "pending"}, to Python values and back.

boto3 has the same converters, but importing it would take a tenth of a cold start (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def plain(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The plain values of an item: str, Decimal, bool, None, list, dict, set. Binary values are left as they are,
    because they are the shop's: bytes from a table, base64 text from a stream.
    """
    return {name: plain_value(value) for name, value in raw.items()}


def present(raw: Mapping[str, Any]) -> dict[str, Any]:
    """As `plain`, without NULL values at any level: NULL counts as absent, because many serializers write it so."""
    return {name: _present(value) for name, value in raw.items() if "NULL" not in value}


def _present(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    match kind:
        # Most values are of these two kinds: another call for each would take half as long again.
        case "S":
            return content
        case "N":
            return Decimal(content)
        case "M":
            return present(content)
        case "L":
            return [_present(entry) for entry in content if "NULL" not in entry]
        case _:
            return plain_value(value)


def plain_value(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return content
        case "N":
            return Decimal(content)
        case "M":
            return plain(content)
        case "L":
            return [plain_value(entry) for entry in content]
        case "NULL":
            return None
        case "SS":
            return set(content)
        case "NS":
            return {Decimal(number) for number in content}
        case _:
            return content


def attribute_values(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document as an item, including what a newer version has added to it. Raises TypeError for a float."""
    return {name: attribute_value(value) for name, value in document.items()}


def attribute_value(value: object) -> dict[str, Any]:
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": str(value)}
        case None:
            return {"NULL": True}
        case dict():
            return {"M": attribute_values(value)}
        case list() | tuple():
            return {"L": [attribute_value(entry) for entry in value]}
        case bytes():
            return {"B": value}
        case set():
            texts = all(isinstance(entry, str) for entry in value)
            return {"SS": sorted(value)} if texts else {"NS": sorted(map(str, value))}
        case _:
            raise TypeError(f"no item holds a {type(value).__name__}")
