"""The access table: guests' tokens, and for each order the one code that a guest can exchange for a token.

A code's row, under `code:<order_id>`: `order_id, code_id, placed_at, requested_at, salt, proof, address, until, mailed,
tries, expires_at`, and `used_by` once it is used. A token's row, under `token:<hash>`: `order_id, placed_at, address,
expires_at`. Times are numbers in epoch seconds, except `requested_at` (milliseconds). `expires_at` is the table's TTL
attribute. DynamoDB deletes expired rows late, so reads check it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from cancel_core.adapters.dynamodb.attributes import attribute_values, plain
from cancel_core.adapters.dynamodb.database import FAILED_CONDITION, database_errors, holds
from cancel_core.domain.access import MOST_TRIES, Code, token_hash, token_key
from cancel_core.domain.caller import Guest

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient


class Access:
    """The table. Every read is strongly consistent. Every method raises `ServiceUnavailable`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self.table = table

    def code(self, order_id: str) -> Code | None:
        row = self._get(_code(order_id))
        return _read_code(row) if row else None

    def put_code(self, code: Code, read: Code | None) -> bool:
        """Replaces the code that was read by a new one: code, attempts and the count of mails in one write.

        False if the code has been replaced since the read.
        """
        row = {
            "access_id": _code(code.order_id),
            "order_id": code.order_id,
            "code_id": code.code_id,
            "placed_at": code.placed_at,
            "requested_at": code.requested_at,
            "salt": code.salt.hex(),
            "proof": code.proof,
            "address": code.address,
            "until": code.until,
            "mailed": list(code.mailed),
            "tries": 0,
            "expires_at": code.expires_at,
        }
        # A concurrent writer would write another code_id.
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(access_id)"}
        if read:
            condition = {
                "ConditionExpression": "code_id = :read",
                "ExpressionAttributeValues": {":read": {"S": read.code_id}},
            }
        with database_errors():
            return holds(lambda: self._client.put_item(TableName=self.table, Item=attribute_values(row), **condition))

    def take_try(self, order_id: str, now: datetime) -> Code | None:
        """Uses one of the attempts that an open code has. None if there is no such code or no attempt is left.

        Counted and checked in one write, so that concurrent guesses never exceed `MOST_TRIES` comparisons.
        """
        values = {":now": int(now.timestamp()), ":most": MOST_TRIES, ":one": 1}
        try:
            with database_errors():
                answer = self._client.update_item(
                    TableName=self.table,
                    Key={"access_id": {"S": _code(order_id)}},
                    UpdateExpression="SET tries = tries + :one",
                    ConditionExpression="#until > :now AND tries < :most AND attribute_not_exists(used_by)",
                    ExpressionAttributeNames={"#until": "until"},
                    ExpressionAttributeValues=attribute_values(values),
                    ReturnValues="ALL_NEW",
                )
        except ClientError as error:
            if error.response["Error"]["Code"] != FAILED_CONDITION:
                raise
            return None
        return _read_code(plain(answer["Attributes"]))

    def put_token(self, guest: Guest, token: str, expires_at: int) -> None:
        row = {
            "access_id": _token(token),
            "order_id": guest.order_id,
            "placed_at": guest.placed_at,
            "address": guest.address,
            "expires_at": expires_at,
        }
        with database_errors():
            self._client.put_item(TableName=self.table, Item=attribute_values(row))

    def use_code(self, code: Code, token: str, now: datetime) -> bool:
        """Marks a code as used by this token. False if it was used before, was replaced, or has expired."""
        values = {":id": code.code_id, ":now": int(now.timestamp()), ":mine": token_hash(token)}
        # A retry of this very request, whose answer was lost, is not a second use.
        condition = "code_id = :id AND #until > :now AND (attribute_not_exists(used_by) OR used_by = :mine)"
        with database_errors():
            return holds(
                lambda: self._client.update_item(
                    TableName=self.table,
                    Key={"access_id": {"S": _code(code.order_id)}},
                    UpdateExpression="SET used_by = :mine",
                    ConditionExpression=condition,
                    ExpressionAttributeNames={"#until": "until"},
                    ExpressionAttributeValues=attribute_values(values),
                )
            )

    def guest(self, token: str, now: datetime) -> Guest | None:
        """The guest that a token stands for; None if it is unknown or has expired."""
        row = self._get(_token(token))
        if row is None or row["expires_at"] <= now.timestamp():
            return None
        return Guest(row["order_id"], row["placed_at"], row["address"], token_key(token))

    def _get(self, access_id: str) -> dict[str, Any] | None:
        with database_errors():
            answer = self._client.get_item(
                TableName=self.table, Key={"access_id": {"S": access_id}}, ConsistentRead=True
            )
        return plain(answer["Item"]) if "Item" in answer else None


def _code(order_id: str) -> str:
    return f"code:{order_id}"


def _token(token: str) -> str:
    return f"token:{token_hash(token)}"


def _read_code(row: Mapping[str, Any]) -> Code:
    return Code(
        order_id=row["order_id"],
        code_id=row["code_id"],
        placed_at=row["placed_at"],
        requested_at=int(row["requested_at"]),
        salt=bytes.fromhex(row["salt"]),
        proof=row["proof"],
        address=row["address"],
        until=int(row["until"]),
        mailed=tuple(int(at) for at in row["mailed"]),
        tries=int(row["tries"]),
        used_by=row.get("used_by"),
    )
