"""The mails table: a row for each mail, written before it is sent, by which it is sent once.

Rows, in plain values: `mail_id, kind, about, store_id, to, language, status, attempts, created_at, updated_at, event
{detail_type, detail}, expires_at (epoch seconds)`; while a function is at it `claimed_until`; once sent `sent_at` and
`message_id`; where it was not `error`; `delivery {status, at, reason}` when it came back. `unsent_since` is there while
it is not sent, for the index of the same name. Times are ISO 8601.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from cancel_core.adapters.dynamodb.attributes import attribute_values, plain
from cancel_core.adapters.dynamodb.database import FAILED_CONDITION, database_errors, holds, item_that_failed

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

    from cancel_core.domain.mails import Mail

Claim = Literal["mine", "done", "busy"]


class Mails:
    """The table, as far as mails are sent by it, and for the operator."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self.table = table

    def claim(self, mail: Mail, at: str, until: str, expires_at: int) -> tuple[Claim, int]:
        """Takes a mail for this function alone until `until`. `mine` and which attempt it is; `done` where it is sent
        or has failed for good; `busy` while somebody else is at it.

        One round trip for a new mail, two for one that was tried before. Raises `ServiceUnavailable`.
        """
        row = {
            "mail_id": mail.mail_id,
            "kind": mail.kind,
            "about": mail.about,
            "store_id": mail.store_id,
            "to": mail.to,
            "language": mail.language,
            "status": "sending",
            "attempts": 1,
            "created_at": at,
            "updated_at": at,
            "claimed_until": until,
            "unsent_since": at,
            "expires_at": expires_at,
            "event": {"detail_type": mail.detail_type, "detail": dict(mail.detail)},
        }
        try:
            with database_errors():
                self._client.put_item(
                    TableName=self.table,
                    Item=attribute_values(row),
                    ConditionExpression="attribute_not_exists(mail_id)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ClientError as error:
            if error.response["Error"]["Code"] != FAILED_CONDITION:
                raise
            return self._claim_again(mail, plain(item_that_failed(error) or {}), at, until)
        return "mine", 1

    def _claim_again(self, mail: Mail, row: Mapping[str, Any], at: str, until: str) -> tuple[Claim, int]:
        match row.get("status"):
            case "sent" | "failed":
                return "done", 0
            case "sending" if row.get("claimed_until", "") > at:
                return "busy", 0
        attempt = int(row["attempts"]) + 1
        changes = {"status": "sending", "attempts": attempt, "claimed_until": until, "updated_at": at}
        changes |= {"to": mail.to, "language": mail.language}
        # Whoever else takes it raises the number of attempts.
        taken = self._update(mail.mail_id, changes, "attempts = :read", {":read": row["attempts"]})
        return ("mine", attempt) if taken else ("busy", 0)

    def sent(self, mail_id: str, message_id: str, at: str) -> None:
        """Whoever sent it, and whoever else has tried since: it is sent. Raises `ServiceUnavailable`."""
        changes = {"status": "sent", "sent_at": at, "updated_at": at, "message_id": message_id}
        self._update(
            mail_id, changes, "attribute_exists(mail_id)", {}, remove=("unsent_since", "claimed_until", "error")
        )

    def not_sent(self, mail_id: str, attempt: int, status: Literal["waiting", "failed"], error: str, at: str) -> None:
        """Says why it was not, if nobody else has taken it since. Raises `ServiceUnavailable`."""
        changes = {"status": status, "error": error, "updated_at": at}
        condition = "attempts = :attempt AND #status = :sending"
        self._update(
            mail_id, changes, condition, {":attempt": attempt, ":sending": "sending"}, remove=("claimed_until",)
        )

    def give_up(self, mail_id: str, error: str, at: str) -> None:
        """Has a mail that is waiting, or that somebody has let go of, be no longer to be sent. It may not be there."""
        condition = "#status = :waiting OR (#status = :sending AND claimed_until <= :now)"
        changes = {"status": "failed", "error": error, "updated_at": at}
        values = {":waiting": "waiting", ":sending": "sending", ":now": at}
        self._update(mail_id, changes, condition, values, remove=("unsent_since", "claimed_until"))

    def came_back(self, mail_id: str, delivery: Mapping[str, str], at: str) -> bool:
        """Notes a bounce or a complaint; a mail that came back was sent. False where there is no such row (any more).

        Raises `ServiceUnavailable`.
        """
        changes = {"status": "sent", "delivery": dict(delivery), "updated_at": at}
        remove = ("unsent_since", "claimed_until", "error")
        return self._update(mail_id, changes, "attribute_exists(mail_id)", {}, remove=remove)

    def again(self, mail_id: str, at: str) -> bool:
        """Has a mail be sent again when its event comes again. False where there is none, or somebody is at it."""
        condition = "attribute_exists(mail_id) AND (#status <> :sending OR claimed_until <= :now)"
        changes = {"status": "waiting", "unsent_since": at, "updated_at": at}
        return self._update(
            mail_id, changes, condition, {":sending": "sending", ":now": at}, remove=("delivery", "error")
        )

    def get(self, mail_id: str) -> dict[str, Any] | None:
        """A row, strongly consistent."""
        with database_errors():
            answer = self._client.get_item(TableName=self.table, Key={"mail_id": {"S": mail_id}}, ConsistentRead=True)
        return plain(answer["Item"]) if "Item" in answer else None

    def unsent(self) -> Iterator[str]:
        """The ids of what is not sent, from the index: eventually consistent."""
        for page in self._client.get_paginator("scan").paginate(TableName=self.table, IndexName="unsent"):
            yield from (item["mail_id"]["S"] for item in page["Items"])

    def returned(self) -> Iterator[str]:
        """The ids of what bounced or was complained of. Reads the whole table."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self.table, FilterExpression="attribute_exists(delivery)"
        )
        for page in pages:
            yield from (item["mail_id"]["S"] for item in page["Items"])

    def about(self, about: str) -> list[str]:
        """The ids of the mails about an order, the oldest first."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self.table,
            IndexName="by_subject",
            KeyConditionExpression="about = :about",
            ExpressionAttributeValues={":about": {"S": about}},
        )
        return [item["mail_id"]["S"] for page in pages for item in page["Items"]]

    def _update(
        self,
        mail_id: str,
        changes: Mapping[str, Any],
        condition: str,
        values: Mapping[str, Any],
        remove: tuple[str, ...] = (),
    ) -> bool:
        """Writes these attributes. False where the condition does not hold."""
        expression = "SET " + ", ".join(f"#{name} = :new_{name}" for name in changes)
        if remove:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in remove)
        names = {f"#{name}": name for name in {*changes, *remove}}
        given = attribute_values({f":new_{name}": value for name, value in changes.items()} | dict(values))
        with database_errors():
            return holds(
                lambda: self._client.update_item(
                    TableName=self.table,
                    Key={"mail_id": {"S": mail_id}},
                    UpdateExpression=expression,
                    ConditionExpression=condition,
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=given,
                )
            )
