"""What a cancel does to each item, read from the numbers that the order keeps of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

from cancel_core.domain.cancellation import Cancellation, Rows
from cancel_core.domain.order import Order
from cancel_core.domain.values import number


class ItemRow(NamedTuple):
    """What the cancel does to one item: the quantities of this cancel alone, `amount` in minor units."""

    item_id: str
    sku: str
    qty_canceled: Decimal
    qty_refunded: Decimal
    amount: int


def item_rows(order: Order, rows: Rows) -> list[ItemRow]:
    """The cancellation's rows with their items' names, in the items' order.

    Empty when the order system has since made `items` another list: then it isn't known which row is whose.
    """
    if order.rows_digest != rows.digest:
        return []
    zeros = (Decimal(0),) * len(order.items)
    return [
        ItemRow(item.item_id, item.sku, canceled, refunded, amount)
        for item, canceled, refunded, amount in zip(
            order.items,
            rows.qty_canceled or zeros,
            rows.qty_refunded or zeros,
            rows.amounts or (0,) * len(order.items),
            strict=True,
        )
    ]


def refund_items(order: Order, cancellation: Cancellation) -> list[dict[str, Any]]:
    """The items for which money goes back: {item_id, sku, qty, amount}."""
    return [
        {"item_id": row.item_id, "sku": row.sku, "qty": number(row.qty_refunded), "amount": row.amount}
        for row in item_rows(order, cancellation.rows)
        if row.amount
    ]
