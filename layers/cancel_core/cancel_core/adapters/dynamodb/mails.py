"""The mails table: a row for each mail, written before it is sent, so that it is sent once.

Rows, in plain values: `mail_id, kind, about, store_id, to, language, status, attempts, created_at, updated_at, event
{detail_type, detail}, expires_at (epoch seconds)`; while a function is at it `claimed_until`; once sent `sent_at` and
`message_id`; where it was not `error`; `delivery {status, at, reason}` when it came back. `unsent_since` is there while
it is not sent, for the index of the same name. Times are ISO 8601.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from cancel_core.adapters.dynamodb.attributes import attribute_values, plain
from cancel_core.adapters.dynamodb.database import TRY_AGAIN, database_errors, holds, put_new
from cancel_core.errors import ServiceUnavailable

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

    from cancel_core.domain.mails import Mail

Claim = Literal["mine", "done", "busy"]
Row = dict[str, Any]
BATCH = 100
"""The most that one call reads."""


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
        before = put_new(self._client, self.table, attribute_values(row), "mail_id")
        return ("mine", 1) if before is None else self._claim_again(mail, plain(before), at, until)

    def _claim_again(self, mail: Mail, row: Mapping[str, Any], at: str, until: str) -> tuple[Claim, int]:
        match row.get("status"):
            case "sent" | "failed":
                return "done", 0
            case "sending" if row.get("claimed_until", "") > at:
                return "busy", 0
        attempt = int(row["attempts"]) + 1
        changes = {"status": "sending", "attempts": attempt, "claimed_until": until, "updated_at": at}
        changes |= {"to": mail.to, "language": mail.language}
        # A concurrent function that takes it increments the number of attempts.
        taken = self._update(mail.mail_id, changes, "attempts = :read", {":read": row["attempts"]})
        return ("mine", attempt) if taken else ("busy", 0)

    def sent(self, mail_id: str, message_id: str, at: str) -> None:
        """Marks the mail as sent, also if another function has taken it since. Raises `ServiceUnavailable`."""
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

    def try_again(self, row: Row, at: str) -> bool:
        """Has a mail that was not sent be tried again when its event comes again, and keeps why it was not. False where
        somebody has been at it since the row was read.
        """
        changes = {"status": "waiting", "updated_at": at}
        condition = "updated_at = :read AND #status <> :sent AND (#status <> :sending OR claimed_until <= :now)"
        values = {":read": row["updated_at"], ":sent": "sent", ":sending": "sending", ":now": at}
        return self._update(row["mail_id"], changes, condition, values)

    def unsent_rows(self) -> Iterator[Row]:
        """The rows of what is not sent; strongly consistent, but for which they are. Raises `ServiceUnavailable`."""
        mail_ids = list(self.unsent())
        for start in range(0, len(mail_ids), BATCH):
            yield from self._rows(mail_ids[start : start + BATCH])

    def existing(self, mail_ids: Sequence[str]) -> set[str]:
        """Those of these mails that there are rows of. Raises `ServiceUnavailable`."""
        batches = (mail_ids[start : start + BATCH] for start in range(0, len(mail_ids), BATCH))
        return {row["mail_id"] for batch in batches for row in self._rows(batch, "mail_id")}

    def _rows(self, mail_ids: Sequence[str], attributes: str | None = None) -> list[Row]:
        keys: list[Any] = [{"mail_id": {"S": mail_id}} for mail_id in mail_ids]
        asked = {"ProjectionExpression": attributes} if attributes else {}
        rows: list[Row] = []
        while keys:
            request: Any = {self.table: {"Keys": keys, "ConsistentRead": True, **asked}}
            with database_errors():
                answer = self._client.batch_get_item(RequestItems=request)
            found = answer["Responses"].get(self.table, [])
            rows += [plain(item) for item in found]
            left: Mapping[str, Any] = answer.get("UnprocessedKeys") or {}
            keys = left[self.table]["Keys"] if self.table in left else []
            if keys and not found:
                raise ServiceUnavailable(TRY_AGAIN)
        return rows

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
