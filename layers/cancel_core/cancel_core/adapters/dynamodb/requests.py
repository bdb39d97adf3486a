"""The requests table: requests to the shop, and the admin's decisions. Key `request_id`.

The index `open` lists open requests, oldest first. A row is kept after its end. See `domain.request_row`.
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
    """The table, as the functions use it."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self.table = table

    def add(self, row: Mapping[str, Any]) -> None:
        """Adds the row of a new request, in plain values, unless it exists. Raises `ServiceUnavailable`."""
        put_new(self._client, self.table, attribute_values(row), "request_id")

    def put_back(self, raw: Raw) -> None:
        """Restores a row that was deleted. Raises `ServiceUnavailable`."""
        put_new(self._client, self.table, raw, "request_id")

    def get(self, request_id: str) -> Row | None:
        """Strongly consistent. None if there is no such row, or it can't be read. Raises `ServiceUnavailable`."""
        with database_errors():
            answer = self._client.get_item(
                TableName=self.table, Key={"request_id": {"S": request_id}}, ConsistentRead=True
            )
        return _row(answer["Item"]) if "Item" in answer else None

    def open(self) -> Iterator[Row]:
        """The open requests, oldest first, from the index: eventually consistent. Raises `ServiceUnavailable`."""
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
        """Stores the decision that is carried out. False if the admin has changed the row since, or a decision is
        stored.

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
        """Sets `outcome`, for the admin, on an open request without a decision. Raises `ServiceUnavailable`."""
        condition = "#status = :open AND attribute_not_exists(decided)"
        return self._set(request_id, "SET outcome = :text", condition, {":text": {"S": text}, ":open": {"S": "open"}})

    def finish(self, request_id: str, status: RequestStatus, outcome: str, *, unless_decided: bool = False) -> bool:
        """Stores the end of an open request. False if it has ended before, or has a stored decision and
        `unless_decided`. Raises `ServiceUnavailable`.
        """
        return self._set(
            request_id,
            "SET #status = :status, outcome = :outcome REMOVE #open",
            "#status = :open" + (" AND attribute_not_exists(decided)" if unless_decided else ""),
            {":status": {"S": status}, ":outcome": {"S": outcome}, ":open": {"S": "open"}},
            {"#open": "open"},
        )

    def of_order(self, order_id: str) -> list[dict[str, Any]]:
        """All requests about one order, in plain values, for operators. Full scan. Raises `ServiceUnavailable`."""
        scan = {"FilterExpression": "order_id = :order", "ExpressionAttributeValues": {":order": {"S": order_id}}}
        return [plain(item) for item in self._scan(scan)]

    def old_comments(self, before: str) -> Iterator[str]:
        """The ids of requests from before that time (ISO 8601 UTC) that have a comment. Scans the table, eventually
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
        """Removes the comment from a request. False if there is none (any more). Raises `ServiceUnavailable`."""
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
