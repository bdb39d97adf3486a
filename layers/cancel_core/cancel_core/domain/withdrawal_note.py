"""The data on an order about its statements of withdrawal."""

from __future__ import annotations

from typing import Any, NamedTuple


class Noted(NamedTuple):
    """What an order carries of the statements about it: `ids` of all that are noted, the first of them first."""

    received_at: str
    whole: bool
    ids: tuple[str, ...]

    def to_document(self) -> dict[str, Any]:
        return {
            "withdrawal_id": self.ids[0],
            "received_at": self.received_at,
            "whole": self.whole,
            "count": len(self.ids),
            "ids": list(self.ids),
        }


MOST_NOTED = 10
"""Statements on one order, so that nobody can make it grow. Further ones stand in their own table alone."""


def note(known: object, withdrawal_id: str, received_at: str, *, whole: bool) -> Noted | None:
    """What an order is to carry, with this statement. None where it has it already, or has ten.

    `known`: the attribute as it is, in plain values; whatever is not ours counts as absent.
    """
    before = known if isinstance(known, dict) else {}
    listed = before.get("ids")
    ids = tuple(one for one in listed if isinstance(one, str)) if isinstance(listed, list) else ()
    if withdrawal_id in ids or len(ids) >= MOST_NOTED:
        return None
    if not ids:
        return Noted(received_at, whole, (withdrawal_id,))
    first = before.get("received_at")
    is_whole = whole or before.get("whole") is True
    return Noted(first if isinstance(first, str) else received_at, is_whole, (*ids, withdrawal_id))
