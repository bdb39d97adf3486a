"""The refund queue: gives back what was paid for a cancelled order."""

import json
from typing import Any

from cancel_core import clock, wiring
from cancel_core.refund import refund_order
from cancel_core.telemetry import background, count, logger

wiring.refunds()
wiring.payment_providers()


@background
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    failed = [record["messageId"] for record in event["Records"] if not _refund(record)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _refund(record: dict[str, Any]) -> bool:
    """Whether the message is done with. One that isn't comes again, and in the end lies in the dead-letter queue."""
    try:
        detail = json.loads(record["body"])["detail"]
        order_id, cancellation_id = detail["order_id"], detail["cancellation_id"]
        logger.append_keys(order_id=order_id, cancellation_id=cancellation_id)
        refund = refund_order(
            wiring.orders(), wiring.refunds(), wiring.payment_providers(), order_id, cancellation_id, clock.now
        )
    except Exception:  # noqa: BLE001 - whatever it is, this message alone is given back
        logger.exception("the refund is to be tried again")
        count("RefundRetried")
        received = int(record["attributes"]["ApproximateReceiveCount"])
        wiring.refund_queue().postpone(record["receiptHandle"], received)
        return False
    logger.info("refund carried out", extra={"status": refund.status if refund else "nothing to do"})
    return True
