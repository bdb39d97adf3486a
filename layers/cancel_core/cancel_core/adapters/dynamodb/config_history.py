"""The config's history: a row for each edit, the last valid version, and `validation` on the item for the admin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from cancel_core.adapters.dynamodb.attributes import plain
from cancel_core.adapters.dynamodb.config import LAST_GOOD, ConfigTables, last_good, read_scopes
from cancel_core.adapters.dynamodb.database import FAILED_CONDITION, Raw, holds
from cancel_core.domain.policy import NOT_SETTINGS, SETTINGS, Good, is_store
from cancel_core.domain.times import iso
from cancel_core.telemetry import logger

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

KEPT_FOR = timedelta(days=366)
MAX_IMAGES = 300_000
"""The longest images of a change, in characters, that fit into a row of the history."""

KEYS_A_CALL = 50
CONDITIONS = 60
"""The number of attributes of an item that fit into one condition."""
ATTRIBUTE_NAME_BYTES = 255


@dataclass(frozen=True)
class StoredSettings:
    """The attributes that an admin edits: all except the key and the product's own, as attribute values.

    Attribute values are compared, because as plain values 1 would equal True.
    """

    raw: Raw

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> StoredSettings:
        return cls({name: value for name, value in item.items() if name not in NOT_SETTINGS})

    @property
    def document(self) -> dict[str, Any]:
        return plain(self.raw)

    @property
    def has_reasons(self) -> bool:
        return bool(self.raw.get("reasons", {}).get("L"))


class GoodRow:
    """The row of a scope with its last valid version, as it was read; empty if there never was one."""

    def __init__(self, raw: Mapping[str, Any] | None = None) -> None:
        self.raw = raw or {}

    @property
    def good(self) -> Good:
        return last_good(self.raw)

    def holds(self, settings: StoredSettings | None) -> bool:
        """Whether these settings are the last valid version."""
        return settings is not None and self.raw.get("settings") == {"M": settings.raw}


class StoredScope(NamedTuple):
    """One scope: its item (None if there is none), and its last valid row, which was read before the item."""

    scope: str
    item: Raw | None
    row: GoodRow

    @property
    def settings(self) -> StoredSettings | None:
        return None if self.item is None else StoredSettings.of(self.item)

    @property
    def validation(self) -> str | None:
        """The product's own attribute `validation` of the item."""
        text: str | None = (self.item or {}).get("validation", {}).get("S")
        return text


class Configs:
    """The config table and its history: a row for each change, and the last valid row of each scope."""

    def __init__(self, client: DynamoDBClient, tables: ConfigTables) -> None:
        self._client = client
        self._tables = tables

    def read(self, scopes: Iterable[str]) -> list[StoredScope]:
        """These scopes, in order; strongly consistent. Raises `ServiceUnavailable`."""
        wanted = list(dict.fromkeys(scopes))
        items, rows = read_scopes(self._client, self._tables, wanted)
        return [StoredScope(scope, items.get(scope), GoodRow(rows.get(scope))) for scope in wanted]

    def stores(self) -> Iterator[StoredScope]:
        """Every store that has a scope. Raises `ServiceUnavailable`."""
        keys = self._scan(ProjectionExpression="#scope", ExpressionAttributeNames={"#scope": "scope"})
        scopes = [item["scope"]["S"] for item in keys]
        rows: dict[str, Raw] = {}
        stores = [scope for scope in scopes if is_store(scope)]
        for start in range(0, len(stores), KEYS_A_CALL):
            rows |= read_scopes(self._client, self._tables, stores[start : start + KEYS_A_CALL])[1]
        # The items are read again, after the rows: a row is then never newer than its item.
        for item in self._scan():
            if is_store(scope := item["scope"]["S"]):
                yield StoredScope(scope, item, GoodRow(rows.get(scope)))

    def twin(self, scope: str) -> str | None:
        """A store with a valid version whose scope differs from this one only in upper and lower case. Raises
        `ServiceUnavailable`.
        """
        for store in self.stores():
            if (
                store.scope != scope
                and store.scope.casefold() == scope.casefold()
                and store.row.good.document is not None
            ):
                return store.scope
        return None

    def _scan(self, **more: Any) -> Iterator[Raw]:
        pages = self._client.get_paginator("scan").paginate(TableName=self._tables.config, ConsistentRead=True, **more)
        for page in pages:
            yield from page["Items"]

    def keep(
        self,
        scope: str,
        version: str,
        settings: StoredSettings | None,
        since: str,
        with_reasons: StoredSettings | None = None,
    ) -> GoodRow:
        """Stores `settings` as the last valid version, unless a newer version was processed before. The row after that.

        With None there is no version to fall back to. `with_reasons`, if given, replaces the last reasons.
        """
        values: dict[str, Any] = {":version": {"S": version}}
        sets, gone, names = ["written_by = :version"], [], {"#settings": "settings"}
        if settings is None:
            gone.append("#settings")
        else:
            values[":settings"] = {"M": settings.raw}
            sets.append("#settings = :settings")
        if with_reasons is not None:
            values[":reasons"] = with_reasons.raw["reasons"]
            names["#reasons"] = "reasons"
            sets.append("#reasons = :reasons")
        if since:
            values[":since"] = {"S": since}
            sets.append("since = :since")
        else:
            gone.append("since")
        return self._write_row(
            scope,
            UpdateExpression=f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(gone)}" if gone else ""),
            ConditionExpression="attribute_not_exists(written_by) OR written_by < :version",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )

    def adopt(self, read: StoredScope, since: str) -> GoodRow:
        """Stores the item that was read as the last valid version, unless the row has changed since. The row after
        that.
        """
        written_by = read.row.raw.get("written_by")
        values: dict[str, Any] = {
            ":settings": {"M": read.settings.raw if read.settings else {}},
            ":since": {"S": since},
        }
        if written_by:
            values[":read"] = written_by
        return self._write_row(
            read.scope,
            UpdateExpression="SET #settings = :settings, since = :since",
            ConditionExpression="written_by = :read" if written_by else "attribute_not_exists(written_by)",
            ExpressionAttributeNames={"#settings": "settings"},
            ExpressionAttributeValues=values,
        )

    def _write_row(self, scope: str, **update: Any) -> GoodRow:
        try:
            written: Mapping[str, Any] = self._client.update_item(
                TableName=self._tables.history,
                Key={"scope": {"S": scope}, "version": {"S": LAST_GOOD}},
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **update,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != FAILED_CONDITION:
                raise
            refused: Mapping[str, Any] = error.response
            return GoodRow(refused.get("Item"))
        return GoodRow(written["Attributes"])

    def record(
        self,
        scope: str,
        version: str,
        at: datetime,
        change: str,
        validation: str,
        images: Mapping[str, StoredSettings | None],
    ) -> None:
        """Adds a row to the history, once. `images`: the settings `before` and `after`; `change`: its id."""
        row: Raw = {
            "scope": {"S": scope},
            "version": {"S": version},
            "at": {"S": iso(at)},
            "change": {"S": change},
            "validation": {"S": validation},
            "expires_at": {"N": str(int((at + KEPT_FOR).timestamp()))},
        }
        known = {name: {"M": image.raw} for name, image in images.items() if image and image.raw}
        if len(repr(known)) <= MAX_IMAGES:
            row |= known
        holds(
            lambda: self._client.put_item(
                TableName=self._tables.history,
                Item=row,
                ConditionExpression="attribute_not_exists(#version)",
                ExpressionAttributeNames={"#version": "version"},
            )
        )

    def tell(self, scope: str, read: StoredSettings, validation: str) -> bool:
        """Sets `validation` on the item, for the admin. False if the item has been edited or deleted since."""
        settings = read.raw
        others = sorted(name for name in settings.keys() - set(SETTINGS) if len(name.encode()) <= ATTRIBUTE_NAME_BYTES)
        checked = [*SETTINGS, *others[:CONDITIONS]]
        names = {f"#{number}": name for number, name in enumerate(checked)}
        conditions = ["attribute_exists(#scope)"]
        values: dict[str, Any] = {":validation": {"S": validation}}
        for placeholder, name in names.items():
            if name in settings:
                values[f":{placeholder[1:]}"] = settings[name]
                conditions.append(f"{placeholder} = :{placeholder[1:]}")
            else:
                conditions.append(f"attribute_not_exists({placeholder})")
        try:
            return holds(
                lambda: self._client.update_item(
                    TableName=self._tables.config,
                    Key={"scope": {"S": scope}},
                    UpdateExpression="SET validation = :validation",
                    ConditionExpression=" AND ".join(conditions),
                    ExpressionAttributeNames=names | {"#scope": "scope"},
                    ExpressionAttributeValues=values,
                )
            )
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
            if code != "ValidationException" or "size" not in message:
                raise
            logger.error("the item is too large to store its validation", extra={"scope": scope})
            return False
