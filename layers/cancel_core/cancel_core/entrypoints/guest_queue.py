"""The two queues for guests' codes. Their messages are not events and are never published on the bus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cancel_core.entrypoints.queue import Postpone, each_mail

LATE_AFTER = 5
"""A message with this receive count is about two minutes old. Its code is valid for fifteen."""


def comes_from(batch: Mapping[str, Any], queue_arn: str) -> bool:
    """Whether these messages are from this queue. A batch is from one queue."""
    return any(record["eventSourceARN"] == queue_arn for record in batch["Records"])


def each_code(
    batch: Mapping[str, Any], handle: Callable[[Mapping[str, Any]], Any], postpone: Postpone
) -> dict[str, Any]:
    """Has `handle` process each message. A failed one is retried with a delay. Returns the response for Lambda."""
    return each_mail(batch, handle, postpone, what="a code", late_after=LATE_AFTER)
