"""Erases comments on cancels and requests after the shop's retention period."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING

from cancel_core.domain.times import iso
from cancel_core.telemetry import logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from cancel_core.adapters.dynamodb.orders import Orders
    from cancel_core.adapters.dynamodb.requests import Requests

PARTS = 24
"""The number of segments of the orders table. Each hourly run scans one, so that a day covers the whole table."""
TIME_TO_END = 20
"""Seconds; enough for the last write."""


def erase_old_comments(
    orders: Orders, requests: Requests, keep: timedelta, now: datetime, part: int, seconds_left: Callable[[], float]
) -> int:
    """Removes the comments from the orders of segment `part`, 0 to `PARTS` - 1, that were cancelled, or requested to
    be, longer ago than `keep`; a `keep` of 0 removes none. The run for the first segment also processes the requests
    table, which is small. Returns the number of items. What is not reached within `seconds_left` is found the next day.
    Raises `ServiceUnavailable`.
    """
    if not keep:
        return 0
    before = iso(now - keep)
    of_orders = (("order_id", one) for one in orders.old_comments(before, part, PARTS))
    of_requests = (("cancellation_request_id", one) for one in requests.old_comments(before)) if part == 0 else ()
    erased = 0
    for kind, one in chain(of_orders, of_requests):
        if seconds_left() < TIME_TO_END:
            logger.warning("one run cannot erase all old comments")
            break
        if orders.erase_comment(one, before) if kind == "order_id" else requests.erase_comment(one):
            logger.info("an old comment is erased", extra={kind: one})
            erased += 1
    return erased
