"""Comments on cancels, which are kept for as long as the shop says."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cancel_core.domain.times import iso
from cancel_core.telemetry import logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from cancel_core.adapters.dynamodb.orders import Orders

PARTS = 24
"""Each run looks through one part of the table: one each hour, the whole of it in a day."""
TIME_TO_END = 20
"""Seconds, in which the last write ends."""


def erase_old_comments(
    orders: Orders, keep: timedelta, now: datetime, part: int, seconds_left: Callable[[], float]
) -> int:
    """Takes the comments off the orders of this part, 0 to `PARTS` - 1, that were cancelled longer ago than `keep`; no
    time keeps all. Answers how many. What does not fit into `seconds_left` is found the next day. Raises
    `ServiceUnavailable`.
    """
    if not keep:
        return 0
    before = iso(now - keep)
    erased = 0
    for order_id in orders.old_comments(before, part, PARTS):
        if seconds_left() < TIME_TO_END:
            logger.warning("there are more old comments than fit into one run")
            break
        if orders.erase_comment(order_id, before):
            logger.info("an old comment is erased", extra={"order_id": order_id})
            erased += 1
    return erased
