"""The orders table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from cancel_core.adapters.dynamodb.database import KEY_BYTES, database_errors, item_that_failed
from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.domain.order_change import OrderChange
from cancel_core.errors import OrderChanged, OrderTooLarge

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient


class Orders:
    """The orders table."""

    MAX_ITEM_BYTES = 394 * 1024
    """Below DynamoDB's 400 KB by what the order system may still add between a cancel and its refund."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self.table = table

    def get(self, order_id: str) -> StoredOrder | None:
        """Strongly consistent. None when there is no such order. Raises `ServiceUnavailable`."""
        if not 0 < len(order_id.encode("utf-8", "replace")) <= KEY_BYTES:
            return None
        with database_errors():
            answer = self._client.get_item(TableName=self.table, Key={"order_id": {"S": order_id}}, ConsistentRead=True)
        return StoredOrder(answer["Item"]) if "Item" in answer else None

    def write(self, read: StoredOrder, change: OrderChange) -> StoredOrder:
        """One conditional write of the order that was read. The order as it then is.

        Raises `OrderChanged`, `OrderTooLarge`, `ServiceUnavailable`.
        """
        after = read.changed(change)
        try:
            with database_errors():
                self._client.update_item(**self.update(read, after, change))
        except ClientError as error:
            match error.response["Error"]["Code"]:
                case "ConditionalCheckFailedException":
                    item = item_that_failed(error)
                    raise OrderChanged(StoredOrder(item) if item else None) from error
                case "TransactionConflictException":
                    # A transaction has the order in hand just now; what it made of it shows in a new read.
                    raise OrderChanged(self.get(read.order_id)) from error
                case "ValidationException" if "size" in error.response["Error"]["Message"]:
                    raise OrderTooLarge("The order is too large to be written.") from error
            raise
        return after

    def update(self, read: StoredOrder, after: StoredOrder, change: OrderChange) -> dict[str, Any]:
        """The parameters of the `UpdateItem` that turns `read` into `after`, while what was decided on is still so."""
        names: dict[str, str] = {}
        values: dict[str, Any] = {}

        def name(attribute: str) -> str:
            names[f"#{attribute}"] = attribute
            return f"#{attribute}"

        conditions = []
        for attribute in change.conditions:
            if attribute in read.raw:
                values[f":was_{attribute}"] = read.raw[attribute]
                conditions.append(f"{name(attribute)} = :was_{attribute}")
            else:
                conditions.append(f"attribute_not_exists({name(attribute)})")
        assignments = []
        for attribute in sorted({row.attribute for row in change.rows} | change.attributes.keys() | {"cancellation"}):
            values[f":{attribute}"] = after.raw[attribute]
            assignments.append(f"{name(attribute)} = :{attribute}")
        if change.history:
            # Appended where it lies: entries that others add meanwhile stay.
            values[":none"] = {"L": []}
            values[":entry"] = {"L": [after.raw["history"]["L"][-1]]}
            assignments.append(f"{name('history')} = list_append(if_not_exists(#history, :none), :entry)")
        expression = "SET " + ", ".join(assignments)
        if change.remove:
            expression += " REMOVE " + ", ".join(name(attribute) for attribute in change.remove)
        return {
            "TableName": self.table,
            "Key": {"order_id": {"S": read.order_id}},
            "UpdateExpression": expression,
            "ConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def postpone(self, order_id: str, since: str, at: str) -> None:
        """Has the order stand in the index of pending refunds from `at`, if it still stands there under `since`.

        It keeps its shard. Raises `ServiceUnavailable`.
        """
        try:
            with database_errors():
                self._client.update_item(
                    TableName=self.table,
                    Key={"order_id": {"S": order_id}},
                    UpdateExpression="SET refund_pending_since = :at",
                    ConditionExpression="refund_pending_since = :since",
                    ExpressionAttributeValues={":at": {"S": at + since[len(at) :]}, ":since": {"S": since}},
                )
        except ClientError as error:
            # Done, or taken up by somebody else, in the meantime.
            if error.response["Error"]["Code"] not in {
                "ConditionalCheckFailedException",
                "TransactionConflictException",
            }:
                raise

    def page(
        self, customer_id: str, limit: int, after: Mapping[str, str] | None
    ) -> tuple[list[StoredOrder], dict[str, str] | None]:
        """A customer's orders, newest first, from the index (eventually consistent), and where the next page begins.

        `after` is the `order_id` and `placed_at` of the last page's last order. Raises `ServiceUnavailable`.
        """
        query: dict[str, Any] = {
            "TableName": self.table,
            "IndexName": "by_customer",
            "KeyConditionExpression": "customer_id = :customer",
            "ExpressionAttributeValues": {":customer": {"S": customer_id}},
            "ScanIndexForward": False,
            "Limit": limit,
        }
        if after:
            query["ExclusiveStartKey"] = {name: {"S": value} for name, value in after.items()} | {
                "customer_id": {"S": customer_id}
            }
        with database_errors():
            answer = self._client.query(**query)
        last = answer.get("LastEvaluatedKey")
        return (
            [StoredOrder(item) for item in answer["Items"]],
            {name: last[name]["S"] for name in ("order_id", "placed_at")} if last else None,
        )

    def pending_refunds(self, until: str) -> Iterator[tuple[str, str]]:
        """(order_id, key in the index) of the orders whose refund nobody has looked at since `until` (ISO 8601).

        Raises `ServiceUnavailable`.
        """
        scan: dict[str, Any] = {
            "TableName": self.table,
            "IndexName": "refund_pending",
            "FilterExpression": "refund_pending_since <= :until",
            # What stands behind the time, the shard, sorts before this.
            "ExpressionAttributeValues": {":until": {"S": f"{until}~"}},
        }
        while True:
            with database_errors():
                answer = self._client.scan(**scan)
            for item in answer["Items"]:
                yield item["order_id"]["S"], item["refund_pending_since"]["S"]
            if "LastEvaluatedKey" not in answer:
                return
            scan["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
