"""Personal data in withdrawals: finding, showing and erasing it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from cancel_core.adapters.dynamodb.attributes import plain
from cancel_core.domain.caller import normalised
from cancel_core.domain.withdrawal import STATEMENT
from cancel_core.domain.withdrawal_outcome import OUTCOME

from ops.progress import tracked

if TYPE_CHECKING:
    from cancel_core.adapters.dynamodb.mails import Mails
    from cancel_core.adapters.dynamodb.withdrawals import Withdrawals
    from types_boto3_dynamodb.client import DynamoDBClient

ERASED = "erased"
"""Replaces a person's words. It is not an address, so that nothing is ever sent to it."""
TO_THE_SHOP = "_notice"
"""The suffix of the kinds of mails to the shop's own addresses."""
_FAILED = "ConditionalCheckFailedException"


def find(dynamodb: DynamoDBClient, table: str, *what: str) -> list[str]:
    """The ids of the withdrawals of an address, about an order, or of a customer. Reads the whole table."""
    wanted, addresses = set(what), {normalised(one) for one in what}
    found: dict[str, str] = {}
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table,
        ProjectionExpression="withdrawal_id, received_at, order_id, customer_id, statement.email",
    )
    for page in tracked(pages, "reading pages of withdrawals"):
        for item in page["Items"]:
            row = plain(item)
            email = (row.get("statement") or {}).get("email", "")
            if wanted & {row.get("order_id"), row.get("customer_id")} or normalised(email) in addresses:
                found[row["withdrawal_id"]] = row.get("received_at") or found.get(row["withdrawal_id"], "")
    return sorted(found, key=lambda one: found[one])


def mails_of(mails: Mails, withdrawal_id: str, order_id: str | None) -> list[dict[str, Any]]:
    """The rows of the mails about a withdrawal, the oldest first."""
    ids = [mail_id for about in (withdrawal_id, order_id) if about for mail_id in mails.about(about)]
    rows = [row for mail_id in ids if (row := mails.get(mail_id))]
    return [row for row in rows if row["event"]["detail"].get("withdrawal_id") == withdrawal_id]


def erase(dynamodb: DynamoDBClient, withdrawals: Withdrawals, mails: Mails, withdrawal_id: str, at: str) -> str:
    """Removes a person's words from a statement, and the address from its mails; the hash stays. Idempotent.

    Returns the result, in words.
    """
    parts = withdrawals.parts(withdrawal_id)
    if STATEMENT not in parts:
        return f"{withdrawal_id}: there is no such statement."
    for row in mails_of(mails, withdrawal_id, parts.get(OUTCOME, {}).get("order_id")):
        _erase_recipient(dynamodb, mails.table, row)
    if "erased_at" in parts[STATEMENT]:
        return f"{withdrawal_id}: was erased at {parts[STATEMENT]['erased_at']}."
    said = {"M": {name: {"S": ERASED} for name in ("name", "email", "order")}}
    dynamodb.update_item(
        TableName=withdrawals.table,
        Key={"withdrawal_id": {"S": withdrawal_id}, "part": {"S": STATEMENT}},
        UpdateExpression="SET statement = :said, erased_at = :at REMOVE body",
        ConditionExpression="attribute_exists(withdrawal_id)",
        ExpressionAttributeValues={":said": said, ":at": {"S": at}},
    )
    return f"{withdrawal_id}: erased, but for its hash and its times. WithdrawalTamperedAlarm will tell of it."


def _erase_recipient(dynamodb: DynamoDBClient, table: str, row: dict[str, Any]) -> bool:
    """Removes a customer's address from a mail's row. The row stays, so that its event is not mailed again. False if
    there is none (any more).
    """
    if row["kind"].endswith(TO_THE_SHOP) or row["to"] == ERASED:
        return False
    try:
        dynamodb.update_item(
            TableName=table,
            Key={"mail_id": {"S": row["mail_id"]}},
            UpdateExpression="SET #to = :erased",
            ConditionExpression="attribute_exists(mail_id)",
            ExpressionAttributeNames={"#to": "to"},
            ExpressionAttributeValues={":erased": {"S": ERASED}},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != _FAILED:
            raise
        return False
    return True


def erase_mails(dynamodb: DynamoDBClient, mails: Mails, order_ids: Iterable[str]) -> Iterator[str]:
    """Removes the address from all mails about orders. Returns the result, in words."""
    for order_id in order_ids:
        rows = (mails.get(mail_id) for mail_id in mails.about(order_id))
        number = sum(_erase_recipient(dynamodb, mails.table, row) for row in rows if row)
        if number:
            yield f"{order_id}: erased the address of {number} mail(s)."
