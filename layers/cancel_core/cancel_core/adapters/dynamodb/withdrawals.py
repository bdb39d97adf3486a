"""The withdrawals table: consumers' statements, and their results in separate items. Statements never change.

Key `withdrawal_id` and `part`. Items are write-once: no function may update or delete one. For `statement` see
`Statement.to_item`. The functions that process a new statement write the other parts. Each part has `expires_at` (epoch
seconds); those with `day` (YYYY-MM-DD) and `received_at` are in the index `by_day`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from cancel_core.adapters.dynamodb.attributes import attribute_values, plain
from cancel_core.adapters.dynamodb.database import database_errors, put_new
from cancel_core.domain.withdrawal import STATEMENT, Statement, read_statement

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient


class Listed(NamedTuple):
    """A statement or its outcome, as in the index by day. Only an outcome has `match` and `in_time`."""

    withdrawal_id: str
    part: str
    received_at: str
    order_id: str | None
    match: str | None
    in_time: bool | None


class Withdrawals:
    """The table, as the functions use it."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self.table = table

    def put(self, statement: Statement) -> Statement:
        """Stores a statement, unless its id exists. Returns the stored one: this one, or the one that was there before.

        Raises `ServiceUnavailable`.
        """
        before = self.put_part(statement.to_item())
        return statement if before is None else read_statement(before)

    def put_part(self, item: Mapping[str, Any]) -> dict[str, Any] | None:
        """Stores another part, in plain values, with its `withdrawal_id`, `part` and `expires_at`. Returns the part
        that existed before, which is left unchanged; None if there was none.

        Raises `ServiceUnavailable`.
        """
        before = put_new(self._client, self.table, attribute_values(item), "withdrawal_id")
        return None if before is None else plain(before)

    def get(self, withdrawal_id: str) -> Statement | None:
        """A statement, strongly consistent. Raises `ServiceUnavailable`."""
        with database_errors():
            answer = self._client.get_item(
                TableName=self.table,
                Key={"withdrawal_id": {"S": withdrawal_id}, "part": {"S": STATEMENT}},
                ConsistentRead=True,
            )
        return read_statement(plain(answer["Item"])) if "Item" in answer else None

    def parts(self, withdrawal_id: str) -> dict[str, dict[str, Any]]:
        """All parts of one withdrawal, by name, in plain values; strongly consistent.

        Raises `ServiceUnavailable`.
        """
        query: dict[str, Any] = {
            "TableName": self.table,
            "ConsistentRead": True,
            "KeyConditionExpression": "withdrawal_id = :id",
            "ExpressionAttributeValues": {":id": {"S": withdrawal_id}},
        }
        found: dict[str, dict[str, Any]] = {}
        while True:
            with database_errors():
                answer = self._client.query(**query)
            found |= {item["part"]["S"]: plain(item) for item in answer["Items"]}
            if "LastEvaluatedKey" not in answer:
                return found
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def of_day(self, day: str) -> Iterator[Listed]:
        """Statements and outcomes of one day (YYYY-MM-DD, UTC), in the order received, from the index: eventually
        consistent. Raises `ServiceUnavailable`.
        """
        query: dict[str, Any] = {
            "TableName": self.table,
            "IndexName": "by_day",
            "KeyConditionExpression": "#day = :day",
            "ExpressionAttributeNames": {"#day": "day"},
            "ExpressionAttributeValues": {":day": {"S": day}},
        }
        while True:
            with database_errors():
                answer = self._client.query(**query)
            for item in answer["Items"]:
                row = plain(item)
                match, in_time = row.get("match"), row.get("in_time")
                yield Listed(row["withdrawal_id"], row["part"], row["received_at"], row.get("order_id"), match, in_time)
            if "LastEvaluatedKey" not in answer:
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
