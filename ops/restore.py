"""Copies a table that was restored under another name into the stack's table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from botocore.exceptions import ClientError
from cancel_core.adapters.dynamodb.orders import COMMENTED

from ops.progress import bar

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient


class Refilled(NamedTuple):
    """The number of items that were written, and of those that were skipped because their key exists."""

    put: int
    kept: int


def refill(dynamodb: DynamoDBClient, restored: str, table: str) -> Refilled:
    """Copies each item of the table `restored` into `table`, unless its key exists. Idempotent.

    Items written since the restore point are newer, so nothing is overwritten. A customer's comment on a cancel, or on
    a request for one, is not copied: it may have been erased since.
    """
    keys = dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]
    names = {f"#key{position}": key["AttributeName"] for position, key in enumerate(keys)}
    condition = " AND ".join(f"attribute_not_exists({name})" for name in names)
    put = kept = 0
    total = dynamodb.describe_table(TableName=restored)["Table"].get("ItemCount")
    with bar("putting items back", total or None) as advance:
        for item in _items(dynamodb, restored):
            advance(1)
            _without_comment(item)
            try:
                dynamodb.put_item(
                    TableName=table, Item=item, ConditionExpression=condition, ExpressionAttributeNames=names
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise
                kept += 1
            else:
                put += 1
    return Refilled(put, kept)


def _items(dynamodb: DynamoDBClient, table: str) -> Iterator[dict[str, Any]]:
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from cast("list[dict[str, Any]]", page["Items"])


def _without_comment(item: dict[str, Any]) -> None:
    for name in COMMENTED:
        item.get(name, {}).get("M", {}).pop("comment", None)
    if "request_id" in item:
        # A row of the requests table.
        item.pop("comment", None)
