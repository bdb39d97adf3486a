"""Parameters: form-encoded, with nested names (`metadata[order]=7`, `expand[]=latest_charge`), and read by type."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import parse_qsl

from local.stripe.errors import Refusal, invalid

MOST_AMOUNT = 99_999_999
_PART = re.compile(r"\[([^\]]*)\]")
_LIMITS = (50, 40, 500)
"""The limits of metadata: number, length of names, length of values."""


def decode(text: str) -> dict[str, Any]:
    """Parses a body or a query. Lists may be written `a[]=1` or `a[0]=1`."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        head = name.partition("[")[0]
        _put(found, [head, *_PART.findall(name[len(head) :])], value)
    return {name: _lists(value) for name, value in found.items()}


def _put(into: dict[str, Any], path: list[str], value: str) -> None:
    *parents, last = path
    for part in parents:
        below = into.setdefault(part or str(len(into)), {})
        if not isinstance(below, dict):
            raise invalid("Invalid request: a parameter is both a value and a hash.", part)
        into = below
    into[last or str(len(into))] = value


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdecimal() for name in value):
        return [_lists(one) for one in value.values()]
    return {name: _lists(one) for name, one in value.items()}


class Params:
    """A request's parameters, by name. A value of the wrong type is refused as in the reference."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given

    def allow(self, names: Collection[str]) -> None:
        """A name that the endpoint does not know is an error."""
        for name in self.given:
            if name not in names and name != "expand":
                raise invalid(f"Received unknown parameter: {name}", name, "parameter_unknown")

    def text(self, name: str) -> str | None:
        value = self.given.get(name)
        if value is not None and not isinstance(value, str):
            raise invalid("Invalid string: a hash or an array was given.", name)
        return value or None

    def needed(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise invalid(f"Missing required param: {name}.", name, "parameter_missing")
        return value

    def integer(self, name: str) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        if not re.fullmatch(r"-?[0-9]+", value):
            raise invalid(f"Invalid integer: {value}", name, "parameter_invalid_integer")
        return int(value)

    def amount(self, name: str, least: int = 1) -> int | None:
        value = self.integer(name)
        if value is not None and value < least:
            raise invalid(f"This value must be greater than or equal to {least}.", name, "parameter_invalid_integer")
        if value is not None and value > MOST_AMOUNT:
            raise invalid("Amount must be no more than 999,999.99", name, "amount_too_large")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.text(name)
        if value not in (None, "true", "false"):
            raise invalid(f"Invalid boolean: {value}", name)
        return default if value is None else value == "true"

    def choice(self, name: str, choices: Iterable[str]) -> str | None:
        value, allowed = self.text(name), list(choices)
        if value is not None and value not in allowed:
            raise invalid(f"Invalid {name}: must be one of {', '.join(allowed[:-1])}, or {allowed[-1]}", name)
        return value

    def currency(self) -> str:
        value = self.needed("currency").lower()
        if not re.fullmatch("[a-z]{3}", value):
            raise invalid(f"Invalid currency: {value}.", "currency")
        return value

    def expand(self) -> list[str]:
        value = self.given.get("expand", [])
        return [str(one) for one in value] if isinstance(value, list) else [str(value)]

    def metadata(self, old: dict[str, str] | None = None) -> dict[str, str]:
        """`old` with the given values: an empty value removes a name, an empty hash all names."""
        given = self.given.get("metadata", {})
        if given == "":
            return {}
        if not isinstance(given, dict):
            raise invalid("Invalid hash", "metadata")
        most, longest_name, longest_value = _LIMITS
        changed = dict(old or {})
        for name, value in given.items():
            if len(name) > longest_name or len(str(value)) > longest_value:
                raise invalid(
                    f"Metadata names have up to {longest_name} characters, values up to {longest_value}: {name}",
                    f"metadata[{name}]",
                )
            if value == "":
                changed.pop(name, None)
            else:
                changed[name] = str(value)
        if len(changed) > most:
            raise Refusal(400, f"Metadata can have up to {most} names.", param="metadata", begun=False)
        return changed
