"""The requests table: requests to the shop, and the admin's decisions. Key `request_id`.

Open requests stand in the index `open`, the oldest first. A row stays after its end. See `domain.request_row`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from cancel_core.adapters.dynamodb.attributes import attribute_value, attribute_values, plain, present
from cancel_core.adapters.dynamodb.database import Raw, database_errors, holds, put_new
from cancel_core.domain.request_row import OPEN, Decided, Row
from cancel_core.telemetry import logger

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

    from cancel_core.domain.cancellation_request import RequestStatus


class Requests:
    """The table, as far as functions use it."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self.table = table

    def add(self, row: Mapping[str, Any]) -> None:
        """Adds the row of a new request, in plain values; one that is there stays. Raises `ServiceUnavailable`."""
        put_new(self._client, self.table, attribute_values(row), "request_id")

    def put_back(self, raw: Raw) -> None:
        """Adds a row again that was deleted. Raises `ServiceUnavailable`."""
        put_new(self._client, self.table, raw, "request_id")

    def get(self, request_id: str) -> Row | None:
        """Strongly consistent. None where there is none that can be read. Raises `ServiceUnavailable`."""
        with database_errors():
            answer = self._client.get_item(
                TableName=self.table, Key={"request_id": {"S": request_id}}, ConsistentRead=True
            )
        return _row(answer["Item"]) if "Item" in answer else None

    def open(self) -> Iterator[Row]:
        """The open ones, the oldest first, from the index: eventually consistent. Raises `ServiceUnavailable`."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self.table,
            IndexName="open",
            KeyConditionExpression="#open = :open",
            ExpressionAttributeNames={"#open": "open"},
            ExpressionAttributeValues={":open": {"S": OPEN}},
        )
        with database_errors():
            for page in pages:
                yield from (row for item in page["Items"] if (row := _row(item)))

    def claim(self, row: Row, decided: Decided) -> bool:
        """Makes this the decision that counts. False where the admin has changed the row since, or another counts.

        Raises `ServiceUnavailable`.
        """
        conditions = ["#status = :open", "attribute_not_exists(decided)"]
        values = {":open": {"S": "open"}, ":decided": attribute_value(decided.model_dump(exclude_none=True))}
        for name in ("decision", "note"):
            if (value := getattr(row, name)) is None:
                conditions.append(f"(attribute_not_exists({name}) OR attribute_type({name}, :null))")
                values[":null"] = {"S": "NULL"}
            else:
                conditions.append(f"{name} = :{name}")
                values[f":{name}"] = attribute_value(value)
        return self._set(row.request_id, "SET decided = :decided", " AND ".join(conditions), values)

    def say(self, request_id: str, text: str) -> bool:
        """Tells the admin of an open request that is not decided. Raises `ServiceUnavailable`."""
        condition = "#status = :open AND attribute_not_exists(decided)"
        return self._set(request_id, "SET outcome = :text", condition, {":text": {"S": text}, ":open": {"S": "open"}})

    def finish(self, request_id: str, status: RequestStatus, outcome: str) -> bool:
        """Writes down what became of an open request. False where it is known. Raises `ServiceUnavailable`."""
        return self._set(
            request_id,
            "SET #status = :status, outcome = :outcome REMOVE #open",
            "#status = :open",
            {":status": {"S": status}, ":outcome": {"S": outcome}, ":open": {"S": "open"}},
            {"#open": "open"},
        )

    def of_order(self, order_id: str) -> list[dict[str, Any]]:
        """All about one order, in plain values, for operators: reads the whole table. Raises `ServiceUnavailable`."""
        scan = {"FilterExpression": "order_id = :order", "ExpressionAttributeValues": {":order": {"S": order_id}}}
        return [plain(item) for item in self._scan(scan)]

    def old_comments(self, before: str) -> Iterator[str]:
        """The ids of requests from before then (ISO 8601 UTC) that have a comment. Reads the whole table, eventually
        consistent. Raises `ServiceUnavailable`.
        """
        scan = {
            "ProjectionExpression": "request_id",
            "FilterExpression": "attribute_exists(#comment) AND requested_at < :before",
            "ExpressionAttributeNames": {"#comment": "comment"},
            "ExpressionAttributeValues": {":before": {"S": before}},
        }
        return (item["request_id"]["S"] for item in self._scan(scan))

    def erase_comment(self, request_id: str) -> bool:
        """Takes the comment off a request. False where there is none (any more). Raises `ServiceUnavailable`."""
        with database_errors():
            return holds(
                lambda: self._client.update_item(
                    TableName=self.table,
                    Key={"request_id": {"S": request_id}},
                    UpdateExpression="REMOVE #comment",
                    ConditionExpression="attribute_exists(#comment)",
                    ExpressionAttributeNames={"#comment": "comment"},
                )
            )

    def _scan(self, parameters: dict[str, Any]) -> Iterator[Raw]:
        pages = self._client.get_paginator("scan").paginate(TableName=self.table, **parameters)
        with database_errors():
            for page in pages:
                yield from page["Items"]

    def _set(
        self, request_id: str, update: str, condition: str, values: dict[str, Any], names: dict[str, str] | None = None
    ) -> bool:
        with database_errors():
            return holds(
                lambda: self._client.update_item(
                    TableName=self.table,
                    Key={"request_id": {"S": request_id}},
                    UpdateExpression=update,
                    ConditionExpression=condition,
                    ExpressionAttributeNames={"#status": "status"} | (names or {}),
                    ExpressionAttributeValues=values,
                )
            )


def _row(item: Raw) -> Row | None:
    try:
        return Row.model_validate(present(item))
    except ValidationError as error:
        faults = [".".join(map(str, fault["loc"])) for fault in error.errors(include_input=False)]
        logger.error(
            "a row of the requests table can't be read",
            extra={"cancellation_request_id": item.get("request_id", {}).get("S"), "faults": faults},
        )
        return None
