"""A consumer of the events: a Lambda function behind a queue that returns stock, once for each cancelled order.

Copy it with `order_events`, the types that `make schemas` generates from docs/schemas/events. It needs only boto3.
A rule of the bus sends `OrderCanceled` to the queue (docs/events.md, Subscribe to events). The event source mapping has
`ReportBatchItemFailures`.
"""

from __future__ import annotations

import json
import logging
import os
from collections import defaultdict
from decimal import Decimal
from typing import Any, cast

import boto3
from botocore.exceptions import ClientError

from examples.order_events.OrderCanceled import OrderCanceled, OrderCanceledDetail

_log = logging.getLogger(__name__)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Handles messages of the queue. A failed message stays in the queue and is delivered again; the others succeed.

    Environment: `STOCK_TABLE` (key `sku`, attribute `available`) and `HANDLED_TABLE` (key `cancellation_id`).
    """
    dynamodb = boto3.client("dynamodb")
    failures = []
    for record in event["Records"]:
        try:
            told = cast("OrderCanceled", json.loads(record["body"], parse_float=Decimal))
            give_back(dynamodb, os.environ["STOCK_TABLE"], os.environ["HANDLED_TABLE"], told["detail"])
        except Exception:  # noqa: BLE001 - the other messages are handled after any error
            _log.exception("message %s stays in the queue", record["messageId"])
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def give_back(dynamodb: Any, stock: str, handled: str, detail: OrderCanceledDetail) -> bool:
    """Raises `available` of each SKU by the quantity that was cancelled or refunded. False if that was done before.

    Events are delivered at least once, so one transaction changes the stock and writes a row that records it.
    """
    back: dict[str, Decimal] = defaultdict(Decimal)
    for item in detail["items"]:
        # Quantities may be fractional (1.5 kg). Several rows may have one SKU, and a transaction takes each item once.
        back[item["sku"]] += Decimal(str(item["qty_canceled"])) + Decimal(str(item["qty_refunded"]))
    once = {
        "TableName": handled,
        "Item": {"cancellation_id": {"S": detail["cancellation_id"]}, "order_id": {"S": detail["order_id"]}},
        "ConditionExpression": "attribute_not_exists(cancellation_id)",
    }
    # A transaction has at most 100 writes: more than 99 SKUs need several, each with a row of its own.
    raised = [
        {
            "TableName": stock,
            "Key": {"sku": {"S": sku}},
            "UpdateExpression": "ADD available :qty",
            "ExpressionAttributeValues": {":qty": {"N": str(qty)}},
        }
        for sku, qty in back.items()
        if qty
    ]
    try:
        dynamodb.transact_write_items(TransactItems=[{"Put": once}, *({"Update": one} for one in raised)])
    except ClientError as error:
        reasons = error.response.get("CancellationReasons", [])
        if reasons and reasons[0].get("Code") == "ConditionalCheckFailed":
            return False
        raise
    return True
