"""The sums of an order as the contract has them, computed again from plain documents. NULL counts as absent.

Nothing of the product is used here: what it works out is judged by this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]


def number(row: Row, name: str) -> Any:
    return row.get(name) or 0


def rows(order: Row) -> dict[str, Row]:
    """All that is charged for, by what it is: items and fees by their ids, and shipping."""
    found = {f"item {row['item_id']}": row for row in order.get("items") or []}
    found |= {f"fee {row['fee_id']}": row for row in order.get("fees") or []}
    if order.get("shipping"):
        found["shipping"] = order["shipping"]
    return found


def payments(order: Row) -> list[Row]:
    return list(order.get("payments") or [])


def has_left(order: Row) -> bool:
    return order["status"] == "complete" or any(number(row, "qty_shipped") > 0 for row in order.get("items") or [])


def held(order: Row) -> int:
    """What the order's payments hold, as the order says."""
    return sum(max(0, number(one, "amount_captured") - number(one, "amount_refunded")) for one in payments(order))


def taken_from(order: Row, missing: int) -> Iterator[Row]:
    """The payments from which so much would be given back: in their order, as far as they hold it."""
    for one in payments(order):
        there = min(missing, number(one, "amount_captured") - number(one, "amount_refunded"))
        if there > 0:
            missing -= there
            yield one


def over_bounds(order: Row) -> Iterator[str]:
    """What was booked beyond what can be: above invoiced, captured or authorized."""
    for name, row in rows(order).items():
        refunded, invoiced = number(row, "amount_refunded"), number(row, "amount_invoiced")
        # A discount line may stay at 0, or be booked as it was invoiced.
        if refunded > max(0, invoiced) or refunded < min(0, invoiced):
            yield f"{name}: {refunded} refunded of {invoiced}"
        if number(row, "qty_refunded") > number(row, "qty_invoiced"):
            yield f"{name}: quantity {row['qty_refunded']} refunded of {number(row, 'qty_invoiced')}"
    for one in payments(order):
        if number(one, "amount_refunded") > number(one, "amount_captured"):
            yield f"{one['payment_id']}: {one['amount_refunded']} refunded of {number(one, 'amount_captured')}"
        if number(one, "amount_voided") > number(one, "amount_authorized"):
            yield f"{one['payment_id']}: {one['amount_voided']} voided of {number(one, 'amount_authorized')}"


@dataclass(frozen=True)
class Base:
    """An order as its first cancel read it: the rows that were there, and what had been refunded by then."""

    rows: Mapping[str, int]
    payments: Mapping[str, int]

    @classmethod
    def of(cls, order: Row) -> Base:
        return cls(
            {name: number(row, "amount_refunded") for name, row in rows(order).items()},
            {one["payment_id"]: number(one, "amount_refunded") for one in payments(order)},
        )

    def invoiced(self, order: Row) -> int:
        """What is to be given back in all, by whomever: the invoiced of the rows that were there, as far as it had not
        been refunded before. A row with a negative sum counts with its sign.
        """
        total = 0
        for name, row in rows(order).items():
            if name in self.rows:
                invoiced = number(row, "amount_invoiced")
                owed = invoiced - self.rows[name]
                total += owed if invoiced < 0 else max(0, owed)
        return max(0, int(total))

    def raised_on_rows(self, order: Row) -> int:
        """What has been booked on the rows since, by the shop or by the product."""
        there = {name: number(row, "amount_refunded") for name, row in rows(order).items()}
        # A discount is booked below 0.
        raised = (
            min(now, 0) - min(before, 0) + max(0, now - max(before, 0))
            for name, before in self.rows.items()
            for now in [there.get(name, 0)]
        )
        return int(sum(raised))

    def raised_on_payments(self, order: Row) -> int:
        there = {one["payment_id"]: number(one, "amount_refunded") for one in payments(order)}
        return int(sum(max(0, there.get(name, 0) - before) for name, before in self.payments.items()))

    def given_by_shop(self, order: Row, ours: int) -> int:
        """What the order says that the shop has given back itself since, while the product has given `ours`.

        That is what rows or payments say beyond `ours`. Up to `ours` they say nothing of the shop: it may be our own
        refund, booked by the shop from the provider's webhook.
        """
        return max(0, self.raised_on_rows(order) - ours, self.raised_on_payments(order) - ours)
