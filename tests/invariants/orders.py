"""Orders as an order system may have them: paid, half paid, released, refunded before, and with marks of its own."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.invariants.bank import SHOP, Account, Kind
from tests.invariants.money import number
from tests.invariants.product import PRODUCTS_OWN
from tests.support.orders import document

CANCELLABLE = ("pending", "processing")
NUMBERS = {"qty_canceled", "qty_refunded", "amount_refunded", "amount_voided"}
"""What the product may change in a row."""

SHARES = st.sampled_from([0, 1, 2])
PECULIAR = ["", "", "", "a discount", "a gift", "NULL", "NULL", "a currency", "a provider"]
SHARED_REFERENCE = [False, False, True]
QUANTITIES = [Decimal(text) for text in ("1", "2", "1.5", "0.25", "1.123456789012345678901234567890123456")]


@dataclass
class Placed:
    """An order to be placed, without its id. A payment's `reference` names one of `accounts`, to be made unique."""

    source: dict[str, Any]
    accounts: dict[str, Account]


@st.composite
def _charges(draw: st.DrawFn, share: st.SearchStrategy[int] = SHARES) -> dict[str, Any]:
    """The amounts of a row of which nothing, half or all was invoiced, and some of that refunded before."""
    amount = draw(st.integers(1, 5000))
    invoiced = amount * draw(share) // 2
    refunded = draw(st.integers(0, invoiced)) if draw(st.integers(0, 3)) == 0 else 0
    return {"amount": amount, "amount_invoiced": invoiced, "amount_refunded": refunded}


@st.composite
def _items(draw: st.DrawFn, place: int) -> dict[str, Any]:
    ordered = draw(st.sampled_from(QUANTITIES))
    half = draw(st.sampled_from([2, 2, 1, 0]))
    return {
        "item_id": f"i{place}",
        "sku": f"sku-{place}",
        "name": f"Thing {place}",
        "qty_ordered": ordered,
        "qty_invoiced": ordered if half == 2 else Decimal(0) if half == 0 else round(ordered / 2, 12),
        "colour": {"name": "red", "code": Decimal("1.50")},
        **draw(_charges(st.just(half))),
    }


@st.composite
def orders(draw: st.DrawFn) -> Placed:
    items = [draw(_items(place)) for place in range(draw(st.integers(1, 2)))]
    shipping = draw(st.none() | _charges())
    fees = [{"fee_id": "wrap", "name": "Gift wrap", **draw(_charges())}] if draw(st.booleans()) else []
    peculiar = draw(st.sampled_from(PECULIAR))
    if peculiar == "a discount":
        off = -draw(st.integers(1, 800))
        fees.append({"fee_id": "off", "name": "Discount", "amount": off, "amount_invoiced": off, "amount_refunded": 0})
    if peculiar == "a gift":
        items[0] |= {"amount": 0, "amount_invoiced": 0, "amount_refunded": 0, "qty_invoiced": items[0]["qty_ordered"]}
    rows = [*items, *fees, *([shipping] if shipping else [])]
    owed = max(0, sum(_owed(row) for row in rows))
    # Where there is much more than is owed, nothing but the product itself keeps from paying twice.
    held = max(0, owed + draw(st.sampled_from([0, 0, -1, 1, 700, 2 * owed, 2 * owed])))
    payments, accounts = draw(_payments(held))
    if peculiar == "a currency" and accounts:
        accounts[payments[-1]["reference"]].currency = "EUR"
    if peculiar == "a provider" and payments:
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
    if shipping:
        made["shipping"] = shipping
    if peculiar == "NULL":
        _say_null(made)
    return Placed(made, accounts)


def _owed(row: dict[str, Any]) -> int:
    owed = int(row["amount_invoiced"] - row["amount_refunded"])
    return owed if row["amount_invoiced"] < 0 else max(0, owed)


@st.composite
def _payments(draw: st.DrawFn, held: int) -> tuple[list[dict[str, Any]], dict[str, Account]]:
    payments: list[dict[str, Any]] = []
    accounts: dict[str, Account] = {}
    kinds: list[Kind] = ["intent", "intent", "charge", "offline"]
    kind = draw(st.sampled_from(kinds))
    shares = draw(st.sampled_from(SHARED_REFERENCE))
    for place in range(parts := draw(st.integers(1, 3)) if held else 0):
        captured = held // parts + (held % parts if place == 0 else 0)
        before = draw(st.sampled_from([0, 0, 0, 300]))
        # Of an intent more may have been authorized, and be captured later.
        more = draw(st.sampled_from([0, 0, 2000])) if kind == "intent" and not shares else 0
        reference = "r0" if shares else f"r{place}"
        payments.append(_payment(place, reference, kind, captured + before, before, captured + before + more))
        account = accounts.setdefault(reference, Account(0, 0, kind))
        account.captured += captured + before
        account.authorized += captured + before + more
        if before:
            account.move(SHOP, "", "refund", before, "succeeded", "succeeded")
    if draw(st.integers(0, 2)) == 0:
        authorized = draw(st.integers(1, 900))
        payments.insert(draw(st.integers(0, len(payments))), _payment(9, "r9", kind, 0, 0, authorized))
        accounts["r9"] = Account(0, authorized, kind)
    return payments, accounts


def _payment(place: int, reference: str, kind: str, captured: int, refunded: int, authorized: int) -> dict[str, Any]:
    return {
        "payment_id": f"p{place}",
        "provider": "offline" if kind == "offline" else "stripe",
        "reference": reference,
        "amount_authorized": authorized,
        "amount_captured": captured,
        "amount_refunded": refunded,
        "terminal": "T-7",
    }


def _say_null(order: dict[str, Any]) -> None:
    """Says with NULL what is not there."""
    for name in ("fees", "payments", "history", "shipping"):
        if not order.get(name) or name == "history":
            order[name] = None
    for row in (*order["items"], *(order["payments"] or []), *(order["fees"] or [])):
        for name in ("qty_shipped", "qty_refunded", "amount_refunded", "amount_voided"):
            if not row.get(name):
                row[name] = None


def shops_part(order: dict[str, Any]) -> Any:
    """All of an order that the product must never touch."""

    def row(one: Any) -> Any:
        return {name: value for name, value in one.items() if name not in NUMBERS} if isinstance(one, dict) else one

    rows = {name: [row(one) for one in order.get(name) or []] for name in ("items", "fees", "payments")}
    others = {name: value for name, value in order.items() if name not in PRODUCTS_OWN}
    return rows, row(order.get("shipping")), others


def sums(order: dict[str, Any]) -> list[Any]:
    """The numbers that only ever grow."""
    rows = [*order["items"], *(order.get("fees") or []), *(order.get("payments") or []), order.get("shipping") or {}]
    return [number(row, name) for row in rows for name in sorted(NUMBERS) if number(row, "amount_invoiced") >= 0]
