"""How an order system books a shipment while its customers may cancel. Copy it; it needs boto3 alone."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError


def ship(orders: Any, order_id: str, shipped: Mapping[str, Decimal | int], status: str = "complete") -> bool:
    """Records a shipment ({item_id: quantity shipped in total}), and returns whether it may be sent.

    `orders` is the table of a boto3 resource; `status` is what the order becomes. False: a customer has cancelled it,
    whatever its status is now, or another of your processes has changed it. Then nothing was written, and nothing may
    be sent.
    """
    order = orders.get_item(Key={"order_id": order_id}, ConsistentRead=True)["Item"]
    if order["status"] not in ("pending", "processing") or order.get("cancellation") is not None:
        return _is_shipped(order, shipped, status)
    places = [(place, shipped[row["item_id"]]) for place, row in enumerate(order["items"]) if row["item_id"] in shipped]
    try:
        orders.update_item(
            Key={"order_id": order_id},
            UpdateExpression="SET #status = :status, "
            + ", ".join(f"#items[{place}].qty_shipped = :shipped{place}" for place, _ in places),
            # A cancel sets the status: of two concurrent writes the second fails. Its cancellation counts even if the
            # status has been set back. An attribute that is NULL counts as absent.
            ConditionExpression=Attr("status").eq(order["status"])
            & (Attr("cancellation").not_exists() | Attr("cancellation").attribute_type("NULL")),
            ExpressionAttributeNames={"#status": "status", "#items": "items"},
            ExpressionAttributeValues={":status": status} | {f":shipped{place}": number for place, number in places},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        # Or this write has succeeded before, and its answer was lost.
        return _is_shipped(orders.get_item(Key={"order_id": order_id}, ConsistentRead=True)["Item"], shipped, status)
    return True


def _is_shipped(order: Mapping[str, Any], shipped: Mapping[str, Decimal | int], status: str) -> bool:
    if order.get("cancellation") is not None:
        return False
    booked = {row["item_id"]: row.get("qty_shipped", 0) for row in order["items"]}
    return bool(order["status"] == status) and all(booked.get(item_id) == number for item_id, number in shipped.items())
