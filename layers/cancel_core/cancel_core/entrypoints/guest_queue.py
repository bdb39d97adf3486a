"""The two queues of guests' codes. Their messages are not events and never pass the bus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cancel_core.entrypoints.queue import Postpone, each_mail

LATE_AFTER = 5
"""A message that was received so often has been on its way for two minutes or so, and its code lives for fifteen."""


def comes_from(batch: Mapping[str, Any], queue_arn: str) -> bool:
    """Whether these messages lay in this queue. A batch is of one queue."""
    return any(record["eventSourceARN"] == queue_arn for record in batch["Records"])


def each_code(
    batch: Mapping[str, Any], handle: Callable[[Mapping[str, Any]], Any], postpone: Postpone
) -> dict[str, Any]:
    """Has `handle` take each message in. What fails comes again after a while. The answer Lambda expects."""
    return each_mail(batch, handle, postpone, what="a code", late_after=LATE_AFTER)
