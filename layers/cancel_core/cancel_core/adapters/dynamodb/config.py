"""The config table: what is in force for a store, and the first item of a new installation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from botocore.exceptions import ClientError

from cancel_core.adapters.dynamodb.attributes import attribute_values, plain
from cancel_core.adapters.dynamodb.database import KEY_BYTES, TRY_AGAIN, Raw, database_errors
from cancel_core.domain.policy import DEFAULT_SCOPE, NOTHING, Good, Policy, read_policy, store_scope
from cancel_core.errors import ServiceUnavailable

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

LAST_GOOD = "last_good"
"""The sort key, in the config's history, of what was right last. The versions themselves have stream positions."""


def last_good(row: Mapping[str, Any]) -> Good:
    """What a row of the config's history under `LAST_GOOD` says; whatever was made of it by hand counts for nothing."""
    kept = plain({name: row[name] for name in ("settings", "reasons", "since") if name in row})
    settings, since = kept.get("settings"), kept.get("since")
    return Good(
        settings if isinstance(settings, dict) else None, kept.get("reasons"), since if isinstance(since, str) else ""
    )


class ConfigTables(NamedTuple):
    """The names of the config table, and of the table with its history."""

    config: str
    history: str


def read_scopes(
    client: DynamoDBClient, tables: ConfigTables, scopes: Iterable[str]
) -> tuple[dict[str, Raw], dict[str, Raw]]:
    """The items of these scopes and their last good rows, by scope: one call, strongly consistent.

    Raises `ServiceUnavailable`.
    """
    asked: Any = {
        tables.config: {"Keys": [{"scope": {"S": scope}} for scope in scopes], "ConsistentRead": True},
        tables.history: {
            "Keys": [{"scope": {"S": scope}, "version": {"S": LAST_GOOD}} for scope in scopes],
            "ConsistentRead": True,
        },
    }
    with database_errors():
        answer = client.batch_get_item(RequestItems=asked)
    if answer.get("UnprocessedKeys"):
        raise ServiceUnavailable(TRY_AGAIN)
    items, rows = (
        {item["scope"]["S"]: cast("Raw", item) for item in answer["Responses"].get(table, [])} for table in tables
    )
    return items, rows


class Policies:
    """What is in force, read at most once in `cache_seconds` for each store."""

    CACHED_STORES = 1000

    def __init__(
        self,
        client: DynamoDBClient,
        tables: ConfigTables,
        cache_seconds: float,
        report: Callable[[Policy], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`report` is called with each policy that was read and has problems."""
        self._client = client
        self._tables = tables
        self._cache_seconds = cache_seconds
        self._report = report
        self._clock = clock
        self._cache: dict[str, tuple[float, Policy]] = {}

    def get(self, store_id: str) -> Policy:
        """The policy in force for a store. Raises `ServiceUnavailable`."""
        now = self._clock()
        cached = self._cache.get(store_id)
        if cached and now - cached[0] < self._cache_seconds:
            return cached[1]
        policy = self._read(store_id)
        if policy.problems:
            self._report(policy)
        # Anyone may ask for any store: a bound on what is remembered, no matter what is asked for.
        if len(self._cache) >= self.CACHED_STORES:
            self._cache.clear()
        self._cache[store_id] = (now, policy)
        return policy

    def _read(self, store_id: str) -> Policy:
        scopes = [DEFAULT_SCOPE]
        if len(store_scope(store_id).encode("utf-8", "replace")) <= KEY_BYTES:
            scopes.append(store_scope(store_id))
        items, rows = read_scopes(self._client, self._tables, scopes)
        documents = {scope: plain(item) for scope, item in items.items()}
        good = {scope: last_good(row) for scope, row in rows.items()}
        own = store_scope(store_id)
        return read_policy(
            store_id,
            documents.get(DEFAULT_SCOPE),
            documents.get(own),
            good.get(DEFAULT_SCOPE, NOTHING),
            good.get(own, NOTHING),
        )


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
