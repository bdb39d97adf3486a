"""The mails table: a row for each mail, written before the mail is sent, so that it is sent once.

Rows, in plain values: `mail_id, kind, about, store_id, to, language, status, attempts, created_at, updated_at, event
{detail_type, detail}, expires_at (epoch seconds)`; `claimed_until` while a function sends it; `sent_at` and
`message_id` once it is sent; `error` if it was not; `delivery {status, at, reason}` if it bounced or was complained
about. `unsent_since` is present until it is sent, for the index of the same name. Times are ISO 8601.
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
"""The largest batch of one call."""


class Mails:
    """The table, as the mail functions and the operator's commands use it."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self.table = table

    def claim(self, mail: Mail, at: str, until: str, expires_at: int) -> tuple[Claim, int]:
        """Claims a mail for this function until `until`. `mine` with the number of the attempt; `done` if it was sent
        or has finally failed; `busy` while another function has claimed it.

        One round trip for a new mail, two for a retry. Raises `ServiceUnavailable`.
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
        # A concurrent function that claims it increments the number of attempts.
        taken = self._update(mail.mail_id, changes, "attempts = :read", {":read": row["attempts"]})
        return ("mine", attempt) if taken else ("busy", 0)

    def sent(self, mail_id: str, message_id: str, at: str) -> None:
        """Marks the mail as sent, also if another function has claimed it since. Raises `ServiceUnavailable`."""
        changes = {"status": "sent", "sent_at": at, "updated_at": at, "message_id": message_id}
        self._update(
            mail_id, changes, "attribute_exists(mail_id)", {}, remove=("unsent_since", "claimed_until", "error")
        )

    def not_sent(self, mail_id: str, attempt: int, status: Literal["waiting", "failed"], error: str, at: str) -> None:
        """Stores why it was not sent, unless another function has claimed it since. Raises `ServiceUnavailable`."""
        changes = {"status": status, "error": error, "updated_at": at}
        condition = "attempts = :attempt AND #status = :sending"
        self._update(
            mail_id, changes, condition, {":attempt": attempt, ":sending": "sending"}, remove=("claimed_until",)
        )

    def give_up(self, mail_id: str, error: str, at: str) -> None:
        """Cancels a mail that is waiting and not claimed, if there is one."""
        condition = "#status = :waiting OR (#status = :sending AND claimed_until <= :now)"
        changes = {"status": "failed", "error": error, "updated_at": at}
        values = {":waiting": "waiting", ":sending": "sending", ":now": at}
        self._update(mail_id, changes, condition, values, remove=("unsent_since", "claimed_until"))

    def came_back(self, mail_id: str, delivery: Mapping[str, str], at: str) -> bool:
        """Stores a bounce or a complaint, which also proves that the mail was sent. False if the row does not exist
        (any more).

        Raises `ServiceUnavailable`.
        """
        changes = {"status": "sent", "delivery": dict(delivery), "updated_at": at}
        remove = ("unsent_since", "claimed_until", "error")
        return self._update(mail_id, changes, "attribute_exists(mail_id)", {}, remove=remove)

    def again(self, mail_id: str, at: str) -> bool:
        """Lets a mail be sent again when its event is delivered again. False if there is no row, or the mail is
        claimed.
        """
        condition = "attribute_exists(mail_id) AND (#status <> :sending OR claimed_until <= :now)"
        changes = {"status": "waiting", "unsent_since": at, "updated_at": at}
        return self._update(
            mail_id, changes, condition, {":sending": "sending", ":now": at}, remove=("delivery", "error")
        )

    def try_again(self, row: Row, at: str) -> bool:
        """Lets an unsent mail be retried when its event is delivered again, and keeps the error. False if the row has
        changed since it was read.
        """
        changes = {"status": "waiting", "updated_at": at}
        condition = "updated_at = :read AND #status <> :sent AND (#status <> :sending OR claimed_until <= :now)"
        values = {":read": row["updated_at"], ":sent": "sent", ":sending": "sending", ":now": at}
        return self._update(row["mail_id"], changes, condition, values)

    def unsent_rows(self) -> Iterator[Row]:
        """The rows of unsent mails. The rows are strongly consistent; which ones are listed is not. Raises
        `ServiceUnavailable`.
        """
        mail_ids = list(self.unsent())
        for start in range(0, len(mail_ids), BATCH):
            yield from self._rows(mail_ids[start : start + BATCH])

    def existing(self, mail_ids: Sequence[str]) -> set[str]:
        """The rows of these mails, as far as they exist. Raises `ServiceUnavailable`."""
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
        """The ids of unsent mails, from the index: eventually consistent."""
        for page in self._client.get_paginator("scan").paginate(TableName=self.table, IndexName="unsent"):
            yield from (item["mail_id"]["S"] for item in page["Items"])

    def returned(self) -> Iterator[str]:
        """The ids of mails with a bounce or a complaint. Reads the whole table."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self.table, FilterExpression="attribute_exists(delivery)"
        )
        for page in pages:
            yield from (item["mail_id"]["S"] for item in page["Items"])

    def about(self, about: str) -> list[str]:
        """The ids of the mails about an order, oldest first."""
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
        """Writes these attributes. False if the condition does not hold."""
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
