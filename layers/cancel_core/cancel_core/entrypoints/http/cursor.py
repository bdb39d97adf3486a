"""The list's cursor: the end of a page, as opaque text for the client."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping

from cancel_core.entrypoints.http.request import InvalidRequest

MAX_CURSOR = 8192
"""Characters. A request line has at most 10,240; two keys of the index, 1,024 bytes each, need a third of that."""


def _owner(customer_id: str) -> str:
    return hashlib.sha256(customer_id.encode("utf-8", "replace")).hexdigest()[:16]


def write_cursor(last: Mapping[str, str], customer_id: str) -> str:
    """Where the next page begins, and for whom. The query takes the customer from the token in any case."""
    text = json.dumps([_owner(customer_id), last["placed_at"], last["order_id"]], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, customer_id: str | None) -> dict[str, str] | None:
    """The position in a cursor; None without a cursor. Raises `InvalidRequest` if it belongs to another caller."""
    if cursor is None or not customer_id:
        return None
    try:
        if len(cursor) > MAX_CURSOR:
            raise ValueError
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        owner, placed_at, order_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if owner == _owner(customer_id) and all(
            isinstance(text, str) and 0 < len(text.encode()) <= 1024 for text in (placed_at, order_id)
        ):
            return {"order_id": order_id, "placed_at": placed_at}
    except (ValueError, TypeError, RecursionError):
        pass
    raise InvalidRequest(
        "The cursor is not one that a list of these orders gave.", errors=[("#/cursor", "is not a valid cursor")]
    )
