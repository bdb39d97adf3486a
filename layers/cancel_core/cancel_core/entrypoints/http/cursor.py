"""The list's cursor: the end of a page, as opaque text for the client."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping

from cancel_core.entrypoints.http.request import InvalidRequest

MAX_CURSOR = 8192
"""Characters: a request line has no more than 10,240, and two keys of the index, 1,024 bytes each, make a third."""


def _owner(customer_id: str) -> str:
    return hashlib.sha256(customer_id.encode("utf-8", "replace")).hexdigest()[:16]


def write_cursor(last: Mapping[str, str], customer_id: str) -> str:
    """Where the next page begins, and whose it is; the query takes the customer from the token all the same."""
    text = json.dumps([_owner(customer_id), last["placed_at"], last["order_id"]], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, customer_id: str | None) -> dict[str, str] | None:
    """The place that a cursor means; None where there is none. Raises `InvalidRequest` where it isn't the caller's."""
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
