"""Event filter patterns: which records a mapping accepts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def matches(pattern: Mapping[str, Any], value: Any) -> bool:
    """Whether an event filter's pattern holds: every key of it, each with one of its list. Known: literals, exists,
    prefix."""
    for key, wanted in pattern.items():
        there = isinstance(value, Mapping) and key in value
        found = value[key] if there else None
        if isinstance(wanted, Mapping):
            if not matches(wanted, found):
                return False
        elif not any(_one_matches(one, found, there=there) for one in wanted):
            return False
    return True


def _one_matches(wanted: Any, found: Any, *, there: bool) -> bool:
    if not isinstance(wanted, Mapping):
        return there and bool(found == wanted)
    ((name, argument),) = wanted.items()
    if name == "exists":
        # Lambda compares only leaves.
        return (there and not isinstance(found, Mapping)) is argument
    if name == "prefix":
        return isinstance(found, str) and found.startswith(argument)
    raise ValueError(f"event filter {name} is not supported")
