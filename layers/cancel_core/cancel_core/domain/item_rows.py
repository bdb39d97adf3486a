"""The effect of a cancel on each item, from the numbers stored on the order, at the item's current position."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from cancel_core.domain.cancellation import Cancellation, Rows
from cancel_core.domain.ids import ROW_KEY, row_key
from cancel_core.domain.order import Charge, Fee, Item, Order
from cancel_core.domain.values import number


class ItemRow(NamedTuple):
    """The effect of the cancel on one item: the quantities of this cancel alone, `amount` in minor units."""

    item: Item
    qty_canceled: Decimal
    qty_refunded: Decimal
    amount: int


def item_rows(order: Order, rows: Rows) -> list[ItemRow]:
    """The items of the cancel that still exist, in their order, with the cancel's effect on them.

    In a cancellation of an earlier version, whose items have been reordered since, the numbers can't be assigned: then
    all items count as cancelled, without numbers.
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
    """The items, shipping and fees of the cancel that still exist: what it refunds."""
    yield from (row.item for row in item_rows(order, rows))
    if order.shipping and (rows.has_shipping or rows.keys is None):
        yield order.shipping
    yield from fees(order, rows)


def fees(order: Order, rows: Rows) -> Iterator[Fee]:
    """The fees of the cancel that still exist."""
    known = set(rows.fee_ids)
    yield from (fee for fee in order.fees if rows.keys is None or fee.fee_id in known)


def refund_items(order: Order, cancellation: Cancellation) -> list[dict[str, Any]]:
    """The items that are refunded: {item_id, sku, qty, amount}."""
    return [
        {"item_id": row.item.item_id, "sku": row.item.sku, "qty": number(row.qty_refunded), "amount": row.amount}
        for row in item_rows(order, cancellation.rows)
        if row.amount
    ]
