"""How a source calls its function, and how it handles the response."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.runtime.function import Result

Invoke = Callable[[Any], Result]  # raises TooManyRequests


def failed_items(result: Result) -> set[str] | None:
    """The identifiers in a function's ``batchItemFailures``; empty when all went well (an empty or null answer is that
    too), None when the answer is malformed, which counts as a failure of the whole batch."""
    try:
        answer = result.json()
        items = (answer or {}).get("batchItemFailures") or []
        identifiers = [item["itemIdentifier"] for item in items]
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return set(identifiers) if all(isinstance(one, str) and one for one in identifiers) else None
