"""The orders table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from cancel_core.adapters.dynamodb.attributes import attribute_value
from cancel_core.adapters.dynamodb.database import KEY_BYTES, TRY_AGAIN, database_errors, holds, item_that_failed
from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.domain.caller import Caller, Customer, Shop
from cancel_core.domain.order_change import OrderChange
from cancel_core.errors import OrderChanged, OrderTooLarge, ServiceUnavailable

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

    from cancel_core.domain.order import HistoryEntry
    from cancel_core.domain.withdrawal_note import Noted

COMMENTED = ("cancellation", "cancellation_request")
"""The attributes of an order that may contain a customer's comment."""


def _has_old_comment(attribute: str) -> str:
    return f"attribute_exists({attribute}.#comment) AND {attribute}.requested_at < :before"


class Orders:
    """The orders table."""

    BATCH = 100
    """The largest batch of one call."""
    PARTS = 16
    MAX_ITEM_BYTES = 394 * 1024
    """Leaves room below DynamoDB's 400 KB for what the order system may add between a cancel and its refund."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self.table = table

    def get(self, order_id: str) -> StoredOrder | None:
        """Strongly consistent. None if there is no such order. Raises `ServiceUnavailable`."""
        return self._read(order_id, {})

    def of_caller(self, order_id: str, caller: Caller | Shop) -> StoredOrder | None:
        """The order, if it is the caller's; strongly consistent. Raises `ServiceUnavailable`.

        The database filters out other callers' orders, so that the response time does not reveal whether one exists. A
        `Query` costs as much as a `GetItem`, and can have a filter.
        """
        if isinstance(caller, Shop):
            stored = self.get(order_id)
            return stored if stored and stored.belongs_to(caller) else None
        if isinstance(caller, Customer):
            if not caller.customer_id:
                return None
            condition, values = "customer_id = :customer", {":customer": {"S": caller.customer_id}}
        else:
            condition = (
                "(attribute_not_exists(customer_id) OR attribute_type(customer_id, :null)) AND placed_at = :placed"
            )
            values = {":null": {"S": "NULL"}, ":placed": {"S": caller.placed_at}}
        stored = self._read(order_id, {"FilterExpression": condition, "ExpressionAttributeValues": values})
        return stored if stored and stored.belongs_to(caller) else None

    def _read(self, order_id: str, condition: dict[str, Any]) -> StoredOrder | None:
        if not self.fits(order_id):
            return None
        values = condition.get("ExpressionAttributeValues", {}) | {":order": {"S": order_id}}
        with database_errors():
            answer = self._client.query(
                TableName=self.table,
                ConsistentRead=True,
                KeyConditionExpression="order_id = :order",
                **condition | {"ExpressionAttributeValues": values},
            )
        return StoredOrder(answer["Items"][0]) if answer["Items"] else None

    @staticmethod
    def fits(order_id: str) -> bool:
        """Whether a key of this length is possible."""
        return 0 < len(order_id.encode("utf-8", "replace")) <= KEY_BYTES

    def write(self, read: StoredOrder, change: OrderChange) -> StoredOrder:
        """Makes one conditional write on the order that was read. Returns the order after the write.

        Raises `OrderChanged`, `OrderTooLarge`, `ServiceUnavailable`.
        """
        after = read.changed(change)
        self._update(read.order_id, self.update(read, after, change))
        return after

    def _update(self, order_id: str, parameters: dict[str, Any]) -> None:
        try:
            with database_errors():
                self._client.update_item(**parameters)
        except ClientError as error:
            match error.response["Error"]["Code"]:
                case "ConditionalCheckFailedException":
                    item = item_that_failed(error)
                    raise OrderChanged(StoredOrder(item) if item else None) from error
                case "TransactionConflictException":
                    # Another transaction is writing the order. The next read shows its result.
                    raise OrderChanged(self.get(order_id)) from error
                case "ValidationException" if "size" in error.response["Error"]["Message"]:
                    raise OrderTooLarge("The order is too large to be written.") from error
            raise

    def note_withdrawal(self, read: StoredOrder, noted: Noted, entry: HistoryEntry) -> None:
        """Records a statement of withdrawal on the order, if it is still the same order with the same statements.

        Concurrent changes of other attributes are kept. Raises `OrderChanged`, `OrderTooLarge`,
        `ServiceUnavailable`.
        """
        values: dict[str, Any] = {
            ":noted": attribute_value(noted.to_document()),
            ":entry": {"L": [attribute_value(entry.model_dump())]},
            ":none": {"L": []},
        }
        conditions = []
        for name in ("placed_at", "customer_id", "withdrawal"):
            if name in read.raw:
                values[f":was_{name}"] = read.raw[name]
                conditions.append(f"{name} = :was_{name}")
            else:
                conditions.append(f"attribute_not_exists({name})")
        if "L" not in read.raw.get("history", {"L": []}):
            values[":was_history"] = read.raw["history"]
            del values[":none"]
            conditions.append("history = :was_history")
        history = "list_append(if_not_exists(history, :none), :entry)" if ":none" in values else ":entry"
        self._update(
            read.order_id,
            {
                "TableName": self.table,
                "Key": {"order_id": {"S": read.order_id}},
                "UpdateExpression": f"SET withdrawal = :noted, history = {history}",
                "ConditionExpression": " AND ".join(conditions),
                "ExpressionAttributeValues": values,
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
        )

    def update(self, read: StoredOrder, after: StoredOrder, change: OrderChange) -> dict[str, Any]:
        """The parameters of the `UpdateItem` that turns `read` into `after`, conditional on the data that was decided
        on.
        """
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
        ours = {"cancellation": change.cancellation, "cancellation_request": change.request}
        written = {name for name, document in ours.items() if document} | {row.attribute for row in change.rows}
        for attribute in sorted(written | change.attributes.keys()):
            values[f":{attribute}"] = after.raw[attribute]
            assignments.append(f"{name(attribute)} = :{attribute}")
        if change.history:
            # `list_append`, so that entries that others add concurrently are kept.
            values[":entry"] = {"L": [after.raw["history"]["L"][-1]]}
            if "L" in (known := read.raw.get("history", {"L": []})):
                values[":none"] = {"L": []}
                assignments.append(f"{name('history')} = list_append(if_not_exists(#history, :none), :entry)")
            else:
                # NULL, which `list_append` does not accept.
                values[":was_history"] = known
                assignments.append(f"{name('history')} = :entry")
                conditions.append("#history = :was_history")
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
        """Moves the order to `at` in the index of pending refunds, if it is still listed under `since`.

        Keeps its shard. Raises `ServiceUnavailable`.
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
            # The refund has ended, or another function has moved the order, in the meantime.
            if error.response["Error"]["Code"] not in {
                "ConditionalCheckFailedException",
                "TransactionConflictException",
            }:
                raise

    def page(
        self, customer_id: str, limit: int, after: Mapping[str, str] | None
    ) -> tuple[list[StoredOrder], dict[str, str] | None]:
        """A customer's orders, newest first, from the index (eventually consistent), and the start of the next page.

        `after` is the `order_id` and `placed_at` of the previous page's last order. Raises `ServiceUnavailable`.
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

    def pending_refunds(self, until: str, first: int = 0) -> Iterator[list[tuple[str, str]]]:
        """(order_id, key in the index) of the orders whose refund was not processed since `until` (ISO 8601), in
        batches of at most `BATCH`.

        The index is read in parts, starting with `first`, so that runs that end early do not always skip the same
        orders. Raises `ServiceUnavailable`.
        """
        for part in range(self.PARTS):
            scan: dict[str, Any] = {
                "TableName": self.table,
                "IndexName": "refund_pending",
                "FilterExpression": "refund_pending_since <= :until",
                # The key continues with the shard, which sorts after this.
                "ExpressionAttributeValues": {":until": {"S": f"{until}~"}},
                "TotalSegments": self.PARTS,
                "Segment": (first + part) % self.PARTS,
            }
            while True:
                with database_errors():
                    answer = self._client.scan(**scan)
                found = [(item["order_id"]["S"], item["refund_pending_since"]["S"]) for item in answer["Items"]]
                for start in range(0, len(found), self.BATCH):
                    yield found[start : start + self.BATCH]
                if "LastEvaluatedKey" not in answer:
                    break
                scan["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def old_comments(self, before: str, part: int = 0, parts: int = 1) -> Iterator[str]:
        """The ids of orders with a comment on a cancel, or on a request for one, from before that time (ISO 8601 UTC).
        Scans one segment of the table, eventually consistent. Raises `ServiceUnavailable`.
        """
        pages = self._client.get_paginator("scan").paginate(
            TableName=self.table,
            ProjectionExpression="order_id",
            FilterExpression=" OR ".join(f"({_has_old_comment(name)})" for name in COMMENTED),
            ExpressionAttributeNames={"#comment": "comment"},
            ExpressionAttributeValues={":before": {"S": before}},
            TotalSegments=parts,
            Segment=part,
        )
        with database_errors():
            for page in pages:
                yield from (item["order_id"]["S"] for item in page["Items"])

    def erase_comment(self, order_id: str, before: str) -> bool:
        """Removes the comments from an order whose cancel, or request for one, is from before that time. False if there
        is none (any more).

        Concurrent changes of other attributes are kept. Raises `ServiceUnavailable`.
        """
        with database_errors():
            # Both are tried, whatever the first one's result.
            erased = [holds(partial(self._erase_comment, order_id, before, name)) for name in COMMENTED]
        return any(erased)

    def _erase_comment(self, order_id: str, before: str, attribute: str) -> None:
        self._client.update_item(
            TableName=self.table,
            Key={"order_id": {"S": order_id}},
            UpdateExpression=f"REMOVE {attribute}.#comment",
            ConditionExpression=_has_old_comment(attribute),
            ExpressionAttributeNames={"#comment": "comment"},
            ExpressionAttributeValues={":before": {"S": before}},
        )

    def get_many(self, order_ids: Iterable[str]) -> dict[str, StoredOrder]:
        """The orders with these ids, at most `BATCH`, as far as they exist. Strongly consistent. Raises
        `ServiceUnavailable`.
        """
        keys: list[Any] = [{"order_id": {"S": order_id}} for order_id in order_ids if self.fits(order_id)]
        found: dict[str, StoredOrder] = {}
        while keys:
            with database_errors():
                answer = self._client.batch_get_item(RequestItems={self.table: {"Keys": keys, "ConsistentRead": True}})
            items = answer["Responses"].get(self.table, [])
            found |= {item["order_id"]["S"]: StoredOrder(item) for item in items}
            # Large orders need several responses. A response without any order comes from a throttled table.
            left: Mapping[str, Any] = answer.get("UnprocessedKeys") or {}
            keys = left[self.table]["Keys"] if self.table in left else []
            if keys and not items:
                raise ServiceUnavailable(TRY_AGAIN)
        return found
