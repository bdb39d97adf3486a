"""The refund queue: refunds a cancelled order."""

from collections.abc import Mapping
from typing import Any

from cancel_core import wiring
from cancel_core.entrypoints.background import background
from cancel_core.entrypoints.queue import each_event

refund_order = wiring.refund_order()


@background
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return each_event(event, _refund, wiring.postpone_refund, "RefundRetried")


def _refund(detail: Mapping[str, Any]) -> None:
    refund_order(detail["order_id"], detail["cancellation_id"], wiring.now)
