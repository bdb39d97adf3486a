"""Orders and config as an order system and an admin write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.client import PRIVATE_EMAIL, PRIVATE_REFERENCE

REASONS = [
    {"code": "no_longer_needed", "description": "I no longer need it"},
    {"code": "other", "description": "Another reason"},
]


def timestamp(minutes_ago: float = 0) -> str:
    """ISO 8601, UTC, whole seconds."""
    return (datetime.now(UTC) - timedelta(minutes=minutes_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def offered(reasons: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Reasons of the config as customers get them, where none needs a comment."""
    return [{**reason, "comment_required": False} for reason in reasons]


def row(item_id: str = "1", **attributes: Any) -> dict[str, Any]:
    """One ordered row of 2 pieces for 200.00. `qty_*` and `amount*` that are not given stay away: they count as 0."""
    return {
        "item_id": item_id,
        "sku": f"SKU-{item_id}",
        "name": f"Item {item_id}",
        "qty_ordered": 2,
        "amount": 20000,
    } | attributes


def invoiced(item_id: str = "1", **attributes: Any) -> dict[str, Any]:
    """A row that has been invoiced as a whole."""
    ordered = row(item_id, **attributes)
    return {"qty_invoiced": ordered["qty_ordered"], "amount_invoiced": ordered["amount"]} | ordered


def payment(payment_id: str = "p1", **attributes: Any) -> dict[str, Any]:
    """An offline payment. Its reference must never be seen outside."""
    return {
        "payment_id": payment_id,
        "provider": "offline",
        "reference": f"{PRIVATE_REFERENCE}_{payment_id}",
    } | attributes


def captured(amount: int, payment_id: str = "p1", **attributes: Any) -> dict[str, Any]:
    return payment(payment_id, amount_authorized=amount, amount_captured=amount) | attributes


def authorized(amount: int, payment_id: str = "p1", **attributes: Any) -> dict[str, Any]:
    return payment(payment_id, amount_authorized=amount) | attributes


def order(order_id: str, customer_id: str, store_id: str, **attributes: Any) -> dict[str, Any]:
    """An order that is new and not paid, unless the attributes say otherwise."""
    document = {
        "order_id": order_id,
        "customer_id": customer_id,
        "customer_email": PRIVATE_EMAIL,
        "store_id": store_id,
        "status": "pending",
        "currency": "SEK",
        "placed_at": timestamp(60),
        "items": [row()],
        "payments": [],
        "history": [{"at": timestamp(60), "status": "pending", "comment": "Placed.", "visible_to_customer": True}],
    } | attributes
    charges = [*document["items"], *document.get("fees", ()), document.get("shipping") or {}]
    return {"total": sum(charge.get("amount", 0) for charge in charges if isinstance(charge, dict))} | document


def paid(**attributes: Any) -> dict[str, Any]:
    """What an order has beyond a new one once it is invoiced and captured: 200.00 for one row."""
    return {"status": "processing", "items": [invoiced()], "payments": [captured(20000)]} | attributes
