"""Idempotency keys, as in the API reference, "Idempotent requests".

The response of a request that had begun is saved, 500s included, and repeated for a day. A key with other parameters is
refused, and so is one whose first request is still in progress.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.stripe.errors import Answer, Refusal, invalid, key_in_use

REMEMBERED_SECONDS = 24 * 3600
LONGEST = 255


@dataclass
class Slot:
    """The slot of one key. `answer` is None while its first request is in progress."""

    path: str
    params: str
    at: float
    answer: Answer | None = None


class Keys:
    """By account and key. Not thread-safe: the caller holds the server's lock."""

    def __init__(self) -> None:
        self._slots: dict[tuple[str, bool, str], Slot] = {}

    def begin(self, owner: tuple[str, bool], key: str, path: str, given: Mapping[str, Any], now: float) -> Slot:
        """A new slot, or the one that has a response already. Raises Refusal."""
        if len(key) > LONGEST:
            raise invalid(f"Idempotency keys can be at most {LONGEST} characters long.")
        known = self._slots.get((*owner, key))
        params = json.dumps(given, sort_keys=True)
        if known is None or known.at + REMEMBERED_SECONDS <= now:
            slot = self._slots[*owner, key] = Slot(path, params, now)
            return slot
        other = f"Try using a key other than '{key}' if you meant to execute a different request."
        if known.path != path:
            raise Refusal(
                400,
                "Keys for idempotent requests can only be used for the same endpoint they were first used for "
                f"('{path}' vs '{known.path}'). {other}",
                type="idempotency_error", begun=False,
            )  # fmt: skip
        if known.params != params:
            raise Refusal(
                400,
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"{other}",
                type="idempotency_error", begun=False,
            )  # fmt: skip
        if known.answer is None:
            raise key_in_use(key)
        return known

    def end(self, owner: tuple[str, bool], key: str, slot: Slot, answer: Answer | None) -> None:
        """None: the endpoint had not begun, and the key counts as unused."""
        slot.answer = answer
        if answer is None and self._slots.get((*owner, key)) is slot:
            del self._slots[*owner, key]

    def forget(self) -> None:
        """As after a day. Requests in progress are kept."""
        self._slots = {name: slot for name, slot in self._slots.items() if slot.answer is None}

    def clear(self) -> None:
        self._slots = {}
