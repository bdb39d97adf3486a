"""Personal data of a customer: erasure and export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from cancel_core.adapters.dynamodb.attributes import plain
from cancel_core.adapters.dynamodb.mails import Mails
from cancel_core.adapters.dynamodb.orders import COMMENTED, Orders
from cancel_core.adapters.dynamodb.refunds import Refunds
from cancel_core.adapters.dynamodb.requests import Requests
from cancel_core.adapters.dynamodb.withdrawals import Withdrawals
from cancel_core.domain.ids import ledger_id, surplus_id

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient


def erase(dynamodb: DynamoDBClient, table: str, order_ids: Iterable[str]) -> Iterator[str]:
    """Removes the comments and the e-mail address from orders. Returns the result of each, in words. Idempotent.

    Everything else is needed for the refund, or belongs to the shop. The writes are not conditional on the order's
    other attributes, whose concurrent changes are kept.
    """
    for order_id in order_ids:
        key = {"order_id": {"S": order_id}}
        item = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        if item is None:
            yield f"{order_id}: there is no such order."
            continue
        paths = ["customer_email"] if "customer_email" in item else []
        asked: dict[str, Any] = {}
        if commented := [name for name in COMMENTED if "comment" in item.get(name, {}).get("M", {})]:
            paths += [f"{name}.#comment" for name in commented]
            asked = {"ExpressionAttributeNames": {"#comment": "comment"}}
        if not paths:
            yield f"{order_id}: there is nothing to erase."
            continue
        try:
            dynamodb.update_item(
                TableName=table,
                Key=key,
                UpdateExpression="REMOVE " + ", ".join(paths),
                ConditionExpression="attribute_exists(order_id)",
                **asked,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"ConditionalCheckFailedException", "ValidationException"}:
                raise
            # The order, or its cancellation, was deleted just now.
            yield f"{order_id}: was changed meanwhile; run it again."
        else:
            erased = dict.fromkeys(path.partition("#")[2] or path for path in paths)
            yield f"{order_id}: erased {', '.join(erased)}."


def erase_requests(requests: Requests, order_ids: Iterable[str]) -> Iterator[str]:
    """Removes the comment from all requests to the shop about orders. Returns the result, in words."""
    for order_id in order_ids:
        number = sum(requests.erase_comment(row["request_id"]) for row in requests.of_order(order_id))
        if number:
            yield f"{order_id}: erased the comment of {number} request(s) to the shop."


def noted(order: Mapping[str, Any]) -> list[str]:
    """The ids of the statements of withdrawal that are recorded on an order, in the table's form."""
    carried = order.get("withdrawal")
    ids = carried.get("ids") if isinstance(carried, dict) else None
    return [one for one in ids if isinstance(one, str)] if isinstance(ids, list) else []


def export(
    orders: Orders, refunds: Refunds, mails: Mails, withdrawals: Withdrawals, requests: Requests, customer_id: str
) -> list[dict[str, Any]]:
    """Each order of a customer as it is in the table, with its data in the other tables: refunds, mails, requests to
    the shop, and statements of withdrawal with their outcomes. Newest first.
    """
    found: list[dict[str, Any]] = []
    last: dict[str, str] | None = None
    while True:
        page, last = orders.page(customer_id, Orders.BATCH, last)
        for stored in page:
            asked = [ledger_id(stored.order_id), surplus_id(stored.order_id)]
            order = plain(stored.raw)
            cancellation = order.get("cancellation")
            refund = cancellation.get("refund") if isinstance(cancellation, dict) else None
            if isinstance(refund, dict):
                asked.append(str(refund.get("refund_id")))
            items = [refunds.item(one) for one in asked]
            found.append(
                {
                    "order": order,
                    "refunds": [item for item in items if item],
                    "mails": [row for mail_id in mails.about(stored.order_id) if (row := mails.get(mail_id))],
                    "withdrawals": [withdrawals.parts(one) for one in noted(order)],
                    "requests": requests.of_order(stored.order_id),
                }
            )
        if last is None:
            return found
