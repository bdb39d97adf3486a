"""DynamoDB: the config table and its history, as what looks through the admins' edits needs them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from cancel_core.attributes import attribute_values
from cancel_core.policy import NOT_SETTINGS, NOTHING, SETTINGS, Good, is_store
from cancel_core.tables import LAST_GOOD, ConfigTables, Raw, last_good, read_scopes
from cancel_core.telemetry import logger

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

KEYS_A_CALL = 50
CONDITIONS = 60
"""Of an item's attributes, as many as fit into one condition."""
ATTRIBUTE_NAME_BYTES = 255


def settings_of(item: Mapping[str, Any]) -> Raw:
    """What an admin edits of an item: all but the key and what the product says of it."""
    return {name: value for name, value in item.items() if name not in NOT_SETTINGS}


class StoredScope(NamedTuple):
    """One scope: its item, None when there is none, and its last good row as it was read not after the item."""

    scope: str
    item: Raw | None
    row: Raw | None

    @property
    def settings(self) -> Raw | None:
        return None if self.item is None else settings_of(self.item)

    @property
    def good(self) -> Good:
        return NOTHING if self.row is None else last_good(self.row)


class Configs:
    """The config table, and its history: a row for each change, and the last good row of each scope."""

    def __init__(self, client: DynamoDBClient, tables: ConfigTables) -> None:
        self._client = client
        self._tables = tables

    def read(self, scopes: Iterable[str]) -> list[StoredScope]:
        """These scopes, strongly consistent, in their order. Raises `ServiceUnavailable`."""
        wanted = list(dict.fromkeys(scopes))
        items, rows = read_scopes(self._client, self._tables, wanted)
        return [StoredScope(scope, items.get(scope), rows.get(scope)) for scope in wanted]

    def stores(self) -> Iterator[StoredScope]:
        """Every store that has a scope. Raises `ServiceUnavailable`."""
        keys = self._scan(ProjectionExpression="#scope", ExpressionAttributeNames={"#scope": "scope"})
        scopes = [item["scope"]["S"] for item in keys]
        rows: dict[str, Raw] = {}
        stores = [scope for scope in scopes if is_store(scope)]
        for start in range(0, len(stores), KEYS_A_CALL):
            rows |= read_scopes(self._client, self._tables, stores[start : start + KEYS_A_CALL])[1]
        # The items once more and last: a row says nothing that is newer than its item.
        for item in self._scan():
            if is_store(scope := item["scope"]["S"]):
                yield StoredScope(scope, item, rows.get(scope))

    def _scan(self, **more: Any) -> Iterator[Raw]:
        pages = self._client.get_paginator("scan").paginate(TableName=self._tables.config, ConsistentRead=True, **more)
        for page in pages:
            yield from page["Items"]

    def keep(self, scope: str, version: str, settings: Raw | None, since: str, reasons: Any = None) -> Raw:
        """Has `settings` stand as what was right last, unless a newer version has had its say. The row as it is then.

        None leaves nothing to go back to. `reasons` (an attribute value) replace the last reasons where given.
        """
        values: dict[str, Any] = {":version": {"S": version}}
        sets, gone = ["written_by = :version"], []
        for name, value in (("settings", {"M": settings} if settings is not None else None), ("reasons", reasons)):
            if value is not None:
                values[f":{name}"] = value
                sets.append(f"#{name} = :{name}")
            elif name == "settings":
                gone.append("#settings")
        if since:
            values[":since"] = {"S": since}
            sets.append("since = :since")
        else:
            gone.append("since")
        names = {"#settings": "settings"} | ({"#reasons": "reasons"} if reasons is not None else {})
        return self._write_row(
            scope,
            UpdateExpression=f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(gone)}" if gone else ""),
            ConditionExpression="attribute_not_exists(written_by) OR written_by < :version",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )

    def adopt(self, read: StoredScope, since: str) -> Raw:
        """Has the item that was read stand as what was right last, unless anything was kept since. The row then."""
        written_by = (read.row or {}).get("written_by")
        values: dict[str, Any] = {":settings": {"M": read.settings or {}}, ":since": {"S": since}}
        if written_by:
            values[":read"] = written_by
        return self._write_row(
            read.scope,
            UpdateExpression="SET #settings = :settings, since = :since",
            ConditionExpression="written_by = :read" if written_by else "attribute_not_exists(written_by)",
            ExpressionAttributeNames={"#settings": "settings"},
            ExpressionAttributeValues=values,
        )

    def _write_row(self, scope: str, **update: Any) -> Raw:
        try:
            written: Mapping[str, Any] = self._client.update_item(
                TableName=self._tables.history,
                Key={"scope": {"S": scope}, "version": {"S": LAST_GOOD}},
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **update,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            refused: Mapping[str, Any] = error.response
            return dict(refused.get("Item", {}))
        return dict(written["Attributes"])

    def record(self, row: Mapping[str, Any]) -> None:
        """Adds a row to the history, once. `row` holds attribute values, `scope` and `version` among them."""
        try:
            self._client.put_item(
                TableName=self._tables.history,
                Item=dict(row),
                ConditionExpression="attribute_not_exists(#version)",
                ExpressionAttributeNames={"#version": "version"},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise

    def tell(self, scope: str, settings: Raw, validation: str) -> bool:
        """Puts `validation` on the item, where the admin looks. False when it has been edited or deleted since."""
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
            self._client.update_item(
                TableName=self._tables.config,
                Key={"scope": {"S": scope}},
                UpdateExpression="SET validation = :validation",
                ConditionExpression=" AND ".join(conditions),
                ExpressionAttributeNames=names | {"#scope": "scope"},
                ExpressionAttributeValues=values,
            )
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
            if code == "ValidationException" and "size" in message:
                logger.error("there is no room on the item to say what is wrong with it", extra={"scope": scope})
                return False
            if code != "ConditionalCheckFailedException":
                raise
            return False
        return True


class Seed:
    """The config table, for the first item in it."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def put_first(self, document: Mapping[str, Any]) -> bool:
        """Puts an item, in plain values, where its scope has none. False when there is one, which stays as it is."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=attribute_values(document),
                ConditionExpression="attribute_not_exists(#scope)",
                ExpressionAttributeNames={"#scope": "scope"},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True
