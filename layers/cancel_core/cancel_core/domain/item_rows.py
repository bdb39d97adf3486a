"""The effect of a cancel on each item, from the numbers stored on the order, at the item's current position."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from cancel_core.domain.cancellation import Cancellation, Rows
from cancel_core.domain.ids import ROW_KEY, row_key
from cancel_core.domain.order import Charge, Fee, Item, Order
from cancel_core.domain.values import number


class ItemRow(NamedTuple):
    """What the cancel does to one item: the quantities of this cancel alone, `amount` in minor units."""

    item: Item
    qty_canceled: Decimal
    qty_refunded: Decimal
    amount: int


def item_rows(order: Order, rows: Rows) -> list[ItemRow]:
    """The items that were there at the cancel and still are, in their order, with what the cancel does to them.

    A cancellation of an earlier version, whose items have been put in another order since, does not tell which number
    is whose: then all items are taken for its own, without numbers.
    """
    if order.rows_digest == rows.digest:
        positions = range(len(order.items))
        return [_row(item, rows, position) for item, position in zip(order.items, positions, strict=True)]
    if rows.keys is None:
        return [ItemRow(item, Decimal(0), Decimal(0), 0) for item in order.items]
    known = {rows.keys[at : at + ROW_KEY]: at // ROW_KEY for at in range(0, len(rows.keys), ROW_KEY)}
    keys = ((item, row_key(item.item_id)) for item in order.items)
    return [_row(item, rows, known[key]) for item, key in keys if key in known]


def _row(item: Item, rows: Rows, position: int) -> ItemRow:
    return ItemRow(
        item,
        rows.qty_canceled[position] if rows.qty_canceled else Decimal(0),
        rows.qty_refunded[position] if rows.qty_refunded else Decimal(0),
        rows.amounts[position] if rows.amounts else 0,
    )


def charges(order: Order, rows: Rows) -> Iterator[Charge]:
    """Items, shipping and fees that were there at the cancel and still are: what it pays back."""
    yield from (row.item for row in item_rows(order, rows))
    if order.shipping and (rows.has_shipping or rows.keys is None):
        yield order.shipping
    yield from fees(order, rows)


def fees(order: Order, rows: Rows) -> Iterator[Fee]:
    """The fees that were there at the cancel and still are."""
    known = set(rows.fee_ids)
    yield from (fee for fee in order.fees if rows.keys is None or fee.fee_id in known)


def refund_items(order: Order, cancellation: Cancellation) -> list[dict[str, Any]]:
    """The items for which money goes back: {item_id, sku, qty, amount}."""
    return [
        {"item_id": row.item.item_id, "sku": row.item.sku, "qty": number(row.qty_refunded), "amount": row.amount}
        for row in item_rows(order, cancellation.rows)
        if row.amount
    ]
