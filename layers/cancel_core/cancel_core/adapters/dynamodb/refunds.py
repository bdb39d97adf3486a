"""The refunds table, and the transactions that book a refund on its order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from cancel_core.adapters.dynamodb.attributes import attribute_value, attribute_values, plain
from cancel_core.adapters.dynamodb.database import TRY_AGAIN, database_errors, item_that_failed
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.domain.order_change import OrderChange
from cancel_core.errors import OrderTooLarge, ServiceUnavailable

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_dynamodb.type_defs import UpdateTypeDef


class Refunds:
    """The refunds table, and the transactions that book a refund on its order."""

    def __init__(self, client: DynamoDBClient, table: str, orders: Orders) -> None:
        self._client = client
        self._table = table
        self._orders = orders

    def begin(self, document: dict[str, Any]) -> dict[str, Any]:
        """Writes the intent, unless it is there already. The document in force. Raises `ServiceUnavailable`."""
        try:
            with database_errors():
                self._client.put_item(
                    TableName=self._table,
                    Item=attribute_values(document),
                    ConditionExpression="attribute_not_exists(refund_id)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return plain(item_that_failed(error) or {})
        return document

    def book(
        self, before: dict[str, Any], after: dict[str, Any], read: StoredOrder, change: OrderChange
    ) -> StoredOrder | None:
        """Writes the refund's next state and what it makes of the order, both or neither.

        `before` and `after` are refund documents. None when either was changed by somebody else meanwhile.
        Raises `OrderTooLarge`, `ServiceUnavailable`.
        """
        stored = read.changed(change)
        update = self._orders.update(read, stored, change)
        try:
            with database_errors():
                self._client.transact_write_items(
                    TransactItems=[{"Update": self._update(before, after)}, {"Update": cast("UpdateTypeDef", update)}]
                )
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            _raise_unless_changed(error)
            return None
        return stored

    def _update(self, before: dict[str, Any], after: dict[str, Any]) -> UpdateTypeDef:
        """Turns one document into the next, if nobody has got in between."""
        changed = {name for name, value in after.items() if before.get(name) != value} | {"updated_at"}
        removed = before.keys() - after.keys()
        was = [name for name in ("status", "payments") if name in before]
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in sorted(changed))
        if removed:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in sorted(removed))
        return {
            "TableName": self._table,
            "Key": {"refund_id": {"S": after["refund_id"]}},
            "UpdateExpression": expression,
            "ConditionExpression": " AND ".join(f"#{name} = :was_{name}" for name in was),
            "ExpressionAttributeNames": {f"#{name}": name for name in changed | removed | set(was)},
            "ExpressionAttributeValues": {
                **{f":{name}": attribute_value(after[name]) for name in changed},
                **{f":was_{name}": attribute_value(before[name]) for name in was},
            },
        }

    def get(self, refund_id: str) -> dict[str, Any] | None:
        """A refund document, strongly consistent. Raises `ServiceUnavailable`."""
        with database_errors():
            answer = self._client.get_item(
                TableName=self._table, Key={"refund_id": {"S": refund_id}}, ConsistentRead=True
            )
        return plain(answer["Item"]) if "Item" in answer else None

    def unsettled(self) -> Iterator[str]:
        """The refund_ids of what is pending or has failed. Raises `ServiceUnavailable`."""
        for page in self._client.get_paginator("scan").paginate(TableName=self._table, IndexName="unsettled"):
            for item in page["Items"]:
                yield item["refund_id"]["S"]

    def write(self, before: dict[str, Any], after: dict[str, Any]) -> bool:
        """Writes a refund's next state where its order has no part in it. False when it was changed meanwhile."""
        try:
            with database_errors():
                self._client.update_item(**self._update(before, after))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def note(self, refund_id: str, at: str, error: str) -> None:
        """Leaves on the refund why it can't go on just now, for the operator. It may fail: the refund does not."""
        with suppress(ClientError, BotoConnectionError, HTTPClientError):
            self._client.update_item(
                TableName=self._table,
                Key={"refund_id": {"S": refund_id}},
                UpdateExpression="SET last_error = :error",
                ConditionExpression="attribute_exists(refund_id)",
                ExpressionAttributeValues={":error": attribute_value({"at": at, "message": error})},
            )

    def close(self, refund_id: str, cancellation_id: str, order_id: str, failure: dict[str, str], at: str) -> bool:
        """Ends as failed the refund of an order that is gone, begun or not. False when it had ended before, or is
        another order's.

        Raises `ServiceUnavailable`.
        """
        attributes = {
            "cancellation_id": cancellation_id,
            "order_id": order_id,
            "order_gone": True,
            "status": "failed",
            "failure": failure,
            "updated_at": at,
            "unsettled_since": at,
        }
        try:
            with database_errors():
                self._client.update_item(
                    TableName=self._table,
                    Key={"refund_id": {"S": refund_id}},
                    UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
                    ConditionExpression="attribute_not_exists(refund_id) "
                    "OR (#status = :pending AND #order_id = :order_id)",
                    ExpressionAttributeNames={f"#{name}": name for name in attributes},
                    ExpressionAttributeValues={
                        **{f":{name}": attribute_value(value) for name, value in attributes.items()},
                        ":pending": {"S": "pending"},
                    },
                )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True


def _raise_unless_changed(error: ClientError) -> None:
    """A transaction that was canceled: nothing, when an item had been changed; else what it is."""
    reasons = {
        reason.get("Code", "None"): reason.get("Message", "")
        for reason in error.response.get("CancellationReasons", [])
    }
    if reasons.keys() & {"ConditionalCheckFailed", "TransactionConflict"}:
        return
    if reasons.keys() & {"ThrottlingError", "ProvisionedThroughputExceeded"}:
        raise ServiceUnavailable(TRY_AGAIN) from error
    if "size" in reasons.get("ValidationError", ""):
        raise OrderTooLarge("The order is too large for its refund to be written.") from error
    raise error
