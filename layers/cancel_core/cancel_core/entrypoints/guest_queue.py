"""The two queues that a guest's code passes through. Their messages are no events: they never saw the bus."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from cancel_core.entrypoints.background import batch_failures
from cancel_core.entrypoints.queue import Postpone
from cancel_core.errors import GuestCodePostponed, MailPostponed, ServiceUnavailable
from cancel_core.telemetry import count, logger

LATE_AFTER = 5
"""A message that was received so often has been on its way for two minutes or so, and its code lives for fifteen."""


def comes_from(batch: Mapping[str, Any], queue_arn: str) -> bool:
    """Whether these messages lay in this queue. A batch is of one queue."""
    return any(record["eventSourceARN"] == queue_arn for record in batch["Records"])


def each_code(
    batch: Mapping[str, Any], handle: Callable[[Mapping[str, Any]], Any], postpone: Postpone
) -> dict[str, Any]:
    """Has `handle` take each message in. What fails comes again after a while. The answer Lambda expects."""
    return batch_failures(record["messageId"] for record in batch["Records"] if not _is_done(record, handle, postpone))


def _is_done(record: Mapping[str, Any], handle: Callable[[Mapping[str, Any]], Any], postpone: Postpone) -> bool:
    received = int(record["attributes"]["ApproximateReceiveCount"])
    try:
        handle(json.loads(record["body"]))
    except (GuestCodePostponed, MailPostponed, ServiceUnavailable) as error:
        logger.warning("a code is to be tried again", extra={"error": str(error), "received": received})
    except Exception:  # noqa: BLE001 - whatever it is, this message alone is given back
        logger.exception("the message is to be tried again")
        count("InternalError")
    else:
        return True
    if received >= LATE_AFTER:
        count("MailDelayed")
    postpone(record["receiptHandle"], received)
    return False
