"""The data on an order about its statements of withdrawal."""

from typing import Any, NamedTuple


class Noted(NamedTuple):
    """The record on an order of the statements about it: `ids` of all, the first one first."""

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
"""The most statements on one order, so that nobody can make it grow. Further ones are only in their own table."""


def note(known: object, withdrawal_id: str, received_at: str, *, whole: bool) -> Noted | None:
    """The record after adding this statement. None if the order has it already, or has ten.

    `known`: the current attribute, in plain values; values that are not ours count as absent.
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
