"""A page of a customer's orders, as a document for clients."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cancel_core.entrypoints.http.cursor import write_cursor
from cancel_core.entrypoints.http.documents import SUMMARY, summary_view

if TYPE_CHECKING:
    from cancel_core.services.queries import OrderPage


def page_view(page: OrderPage, customer_id: str | None, now: datetime) -> dict[str, Any]:
    """A page of the customer's orders."""
    return {
        "orders": [
            summary_view(*listed.order, now) if listed.order else unreadable_view(listed.document)
            for listed in page.orders
        ],
        "next_cursor": write_cursor(page.last, customer_id) if page.last and customer_id else None,
    }


def unreadable_view(document: Mapping[str, Any]) -> dict[str, Any]:
    """An order in a list that can't be read as a whole: what can be read, null for the rest, and no actions."""
    row: dict[str, Any] = {}
    for name, kind in SUMMARY.items():
        value = document.get(name, "default" if name == "store_id" else None)
        if kind is int and isinstance(value, Decimal) and value == value.to_integral_value():
            value = int(value)
        row[name] = value if isinstance(value, kind) else None
    return row | {"available_actions": [], "cancellable_until": None}
