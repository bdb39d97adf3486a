"""A demo order that its customer has asked the shop to cancel."""

from __future__ import annotations

from typing import Any

STORE_ID = "made-to-order"
"""Where the shop decides each cancel."""
REQUEST_ID = "req_a89f4a221d44f7cad4442f6f9bfb5cd0"
REASON = {"code": "no_longer_needed", "description": "I no longer need it"}


def requested(order: dict[str, Any]) -> dict[str, Any]:
    """The order in that store, with an open request, as its cancel leaves it."""
    at = order["placed_at"].replace("T09:30", "T10:15")
    said = f"Cancellation requested: {REASON['description']}"
    entry = {"at": at, "status": order["status"], "comment": said, "visible_to_customer": True}
    return order | {
        "store_id": STORE_ID,
        "history": [*order["history"], entry],
        "cancellation_request": {
            "request_id": REQUEST_ID,
            "status": "open",
            "reason": REASON,
            "comment": "I have found one at home",
            "amount": order["total"],
            "requested_at": at,
            "made_by": "UeQ7xh95gi0EMzw=",
        },
    }
