"""Orders as an order system may have them: paid, half paid, released, refunded before, and with marks of its own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.support.orders import document

# What the product may change in an order; all else is the shop's.
PRODUCTS_OWN = {"status", "items", "shipping", "fees", "payments", "history", "cancellation", "refund_pending_since"}
NUMBERS = {"qty_canceled", "qty_refunded", "amount_refunded", "amount_voided"}


SHARES = st.sampled_from([0, 1, 2])


@st.composite
def _charges(draw: st.DrawFn, share: st.SearchStrategy[int] = SHARES) -> dict[str, Any]:
    """The amounts of a row of which nothing, half or all was invoiced, and some of that refunded before."""
    amount = draw(st.integers(1, 5000))
    invoiced = amount * draw(share) // 2
    refunded = draw(st.integers(0, invoiced)) if draw(st.integers(0, 3)) == 0 else 0
    return {"amount": amount, "amount_invoiced": invoiced, "amount_refunded": refunded}


@st.composite
def _items(draw: st.DrawFn, number: int) -> dict[str, Any]:
    ordered = draw(st.sampled_from([Decimal(1), Decimal(2), Decimal("1.5"), Decimal("0.25")]))
    half = draw(st.sampled_from([2, 2, 1, 0]))
    return {
        "item_id": f"i{number}",
        "sku": f"sku-{number}",
        "name": f"Thing {number}",
        "qty_ordered": ordered,
        "qty_invoiced": ordered * half / 2,
        "colour": {"name": "red", "code": Decimal("1.50")},
        **draw(_charges(st.just(half))),
    }


@st.composite
def orders(draw: st.DrawFn) -> dict[str, Any]:
    """A new order, without its id and its store. Each payment's `reference` is its `payment_id`, to be made unique."""
    items = [draw(_items(number)) for number in range(draw(st.integers(1, 2)))]
    shipping = draw(st.none() | _charges())
    fees = [{"fee_id": "wrap", "name": "Gift wrap", **draw(_charges())}] if draw(st.booleans()) else []
    rows = [*items, *fees, *([shipping] if shipping else [])]
    owed = sum(max(0, row["amount_invoiced"] - row["amount_refunded"]) for row in rows)
    # Where there is much more than is owed, nothing but the product itself keeps from paying twice.
    held = max(0, owed + draw(st.sampled_from([0, 0, -1, 700, 2 * owed, 2 * owed])))
    payments = []
    for number in range(parts := draw(st.integers(1, 3)) if held else 0):
        part = held // parts + (held % parts if number == 0 else 0)
        before = draw(st.sampled_from([0, 0, 300]))
        payments.append(_payment(number, captured=part + before, refunded=before))
    if draw(st.integers(0, 2)) == 0:
        payments.insert(draw(st.integers(0, len(payments))), _payment(9, authorized=draw(st.integers(1, 900))))
    if payments and draw(st.integers(0, 15)) == 0:
        payments[-1]["provider"] = "unknown"
    made = document(
        status=draw(st.sampled_from(["processing"] * 4 + ["pending", "pending", "hold"])),
        items=items,
        fees=fees,
        payments=payments,
        total=sum(row["amount"] for row in rows),
        warehouse={"shelf": Decimal("4.50"), "labels": {"cold", "glass"}},
        own_writes=0,
    )
    return made | ({"shipping": shipping} if shipping else {})


def _payment(number: int, *, captured: int = 0, refunded: int = 0, authorized: int = 0) -> dict[str, Any]:
    return {
        "payment_id": f"p{number}",
        "provider": "stripe",
        "amount_authorized": authorized or captured,
        "amount_captured": captured,
        "amount_refunded": refunded,
        "terminal": "T-7",
    }


def has_left(order: dict[str, Any]) -> bool:
    return order["status"] == "complete" or any(row.get("qty_shipped", 0) > 0 for row in order["items"])


def shops_part(order: dict[str, Any]) -> Any:
    """All of an order that the product must never touch."""

    def row(one: Any) -> Any:
        return {name: value for name, value in one.items() if name not in NUMBERS} if isinstance(one, dict) else one

    rows = {name: [row(one) for one in order.get(name, [])] for name in ("items", "fees", "payments")}
    others = {name: value for name, value in order.items() if name not in PRODUCTS_OWN}
    return rows, row(order.get("shipping")), others


def sums(order: dict[str, Any]) -> list[Any]:
    """The numbers that only ever grow."""
    rows = [*order["items"], *order.get("fees", []), *order["payments"], order.get("shipping", {})]
    return [row.get(name, 0) for row in rows for name in sorted(NUMBERS)]
