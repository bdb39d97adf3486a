"""Recovers requests: decisions not carried out, and rows behind their order. Measures the waiting time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cancel_core.domain.times import moment
from cancel_core.services.attempts import dealt_with
from cancel_core.services.process_requests import Desk, carry_out, settle
from cancel_core.telemetry import flush, logger, measure_seconds

if TYPE_CHECKING:
    from cancel_core.domain.request_row import Row

ENOUGH_SECONDS = 10.0
"""The most time that one request needs. With less left a run ends, and the next one starts with the oldest again."""


def reconcile_requests(
    desk: Desk, clock: Callable[[], datetime], after: timedelta, seconds_left: Callable[[], float]
) -> int:
    """Carries out decisions of `after` ago or longer whose requests are still open. Returns how many were processed.

    Measures `RequestWaitingSeconds`: how long the oldest request without a decision has been waiting, 0 if there is
    none.
    """
    now = clock()
    looked_at = 0
    waiting: timedelta | None = None
    for row in desk.requests.open():
        # An invalid time must not block the others.
        asked = moment(row.requested_at) or now - after
        if row.decided is None and waiting is None:
            waiting = now - asked
        if now - asked < after:
            # The rest is newer.
            break
        if seconds_left() < ENOUGH_SECONDS:
            logger.warning("one run cannot process all open requests", extra={"looked_at": looked_at})
            break
        _look_at(desk, row, clock)
        looked_at += 1
    measure_seconds("RequestWaitingSeconds", (waiting or timedelta()).total_seconds())
    flush()
    return looked_at


def _look_at(desk: Desk, row: Row, clock: Callable[[], datetime]) -> None:
    keys = {"cancellation_request_id": row.request_id, "order_id": row.order_id}

    def look() -> None:
        if not settle(desk, row) and (row.decided or row.decision is not None):
            carry_out(desk, row.request_id, clock)

    dealt_with("a request", keys, look)
