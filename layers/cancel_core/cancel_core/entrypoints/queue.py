"""SQS batches: each message is processed separately, so that only failed messages are redelivered."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from cancel_core.entrypoints.background import batch_failures
from cancel_core.errors import GuestCodePostponed, MailPostponed, ServiceUnavailable
from cancel_core.telemetry import count, logger

Postpone = Callable[[str, int], None]
"""Takes a message's receipt handle and its receive count."""


def each_event(
    batch: Mapping[str, Any], handle: Callable[[Mapping[str, Any]], None], postpone: Postpone, retried: str
) -> dict[str, Any]:
    """Has `handle` process the detail of each event that a rule sent to the queue. Returns the response for Lambda.

    If `handle` raises, the message is retried, and finally moved to the dead-letter queue. Each failure is counted in
    the metric `retried`.
    """
    return batch_failures(
        record["messageId"] for record in batch["Records"] if not _is_done(record, handle, postpone, retried)
    )


def _is_done(
    record: Mapping[str, Any], handle: Callable[[Mapping[str, Any]], None], postpone: Postpone, retried: str
) -> bool:
    try:
        detail = json.loads(record["body"])["detail"]
        logger.append_keys(order_id=detail["order_id"], cancellation_id=detail["cancellation_id"])
        handle(detail)
    except Exception:  # noqa: BLE001 - whatever it is, this message alone is given back
        logger.exception("the message is to be tried again")
        count(retried)
        postpone(record["receiptHandle"], int(record["attributes"]["ApproximateReceiveCount"]))
        return False
    return True


def each_mail(
    batch: Mapping[str, Any], handle: Callable[[Any], object], postpone: Postpone, *, what: str, late_after: int
) -> dict[str, Any]:
    """Has `handle` process each message on its way to a mail. A failed one is retried with a delay, and finally moved
    to the dead-letter queue. Returns the response for Lambda.

    The log names `what` is retried. From the receive count `late_after` on, a failure is counted as late.
    """
    return batch_failures(
        record["messageId"]
        for record in batch["Records"]
        if not _is_on_its_way(record, handle, postpone, what, late_after)
    )


def _is_on_its_way(
    record: Mapping[str, Any], handle: Callable[[Any], object], postpone: Postpone, what: str, late_after: int
) -> bool:
    received = int(record["attributes"]["ApproximateReceiveCount"])
    try:
        handle(json.loads(record["body"]))
    except (GuestCodePostponed, MailPostponed, ServiceUnavailable) as error:
        logger.warning(f"{what} is to be tried again", extra={"error": str(error), "received": received})
    except Exception:  # noqa: BLE001 - whatever it is, this message alone is given back
        logger.exception("the message is to be tried again")
        count("InternalError")
    else:
        return True
    if received >= late_after:
        count("MailDelayed")
    postpone(record["receiptHandle"], received)
    return False
