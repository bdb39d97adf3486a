"""What calls consume in the database, and orders of any size to measure with."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.support.orders import item, payment


class Meter:
    """The units that a client's calls consume, and the calls."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.calls = 0
        self.read, self.written = Decimal(0), Decimal(0)
        client.meta.events.register("provide-client-params.dynamodb.*", self._ask)
        client.meta.events.register("after-call.dynamodb.*", self._count)

    def _ask(self, params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def _count(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        self.calls += 1
        told = parsed.get("ConsumedCapacity", [])
        units = sum(Decimal(str(one["CapacityUnits"])) for one in (told if isinstance(told, list) else [told]))
        if model.name in {"GetItem", "BatchGetItem", "Query", "Scan"}:
            self.read += units
        else:
            self.written += units

    def units(self) -> tuple[int, Decimal, Decimal]:
        """(round trips, units read, units written) since the last time."""
        told = (self.calls, self.read, self.written)
        self.calls, self.read, self.written = 0, Decimal(0), Decimal(0)
        return told


def order_of(items: int) -> dict[str, Any]:
    """An invoiced order of so many rows, with shipping and a gift wrap, paid by one payment."""
    rows = [item(f"item-{number}", ordered=2, invoiced=2, amount=19900) for number in range(items)]
    charge = {"amount": 4900, "amount_invoiced": 4900, "amount_refunded": 0}
    held = sum(row["amount"] for row in rows) + 2 * 4900
    return {
        "customer_id": "c1",
        "customer_email": "someone@example.com",
        "status": "processing",
        "currency": "SEK",
        "placed_at": "2026-11-20T10:00:00Z",
        "total": held,
        "items": rows,
        "shipping": charge,
        "fees": [{"fee_id": "gift-wrap", "name": "Gift wrap", **charge}],
        "payments": [payment(captured=held)],
        "history": [
            {"at": "2026-11-20T10:00:00Z", "status": "pending", "comment": "Placed", "visible_to_customer": True}
        ],
    }
