"""The config table: the settings in force for a store, and the default item of a new installation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from cancel_core.adapters.dynamodb.attributes import attribute_values, plain
from cancel_core.adapters.dynamodb.database import KEY_BYTES, TRY_AGAIN, Raw, database_errors, holds
from cancel_core.domain.policy import DEFAULT_SCOPE, NOTHING, Good, Policy, Problem, read_policy, store_scope
from cancel_core.errors import ServiceUnavailable

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

LAST_GOOD = "last_good"
"""The sort key of the last valid version in the config history. Edits have stream positions as sort keys."""


def last_good(row: Mapping[str, Any]) -> Good:
    """A row of the config history under `LAST_GOOD`. Values that do not parse, for example after a manual edit, are
    ignored.
    """
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
    """The items of these scopes and their last valid rows, by scope: one strongly consistent call.

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


class _Scope(NamedTuple):
    """What was read of one scope: its document and its last valid row, in plain values. None if absent."""

    document: dict[str, Any] | None
    good: Good


class Policies:
    """Caches the settings in force for each store for `cache_seconds`.

    Anyone can request any store id, so `default`, stores with an item and stores without one are cached separately.
    Invented ids evict only each other, and each costs one read of its own scope.
    """

    CACHED_STORES = 1000
    REPORT_SECONDS = 60.0

    def __init__(
        self,
        client: DynamoDBClient,
        tables: ConfigTables,
        cache_seconds: float,
        report: Callable[[Policy], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`report` is called with a policy that was read, and those of its problems that were not reported within the
        last `REPORT_SECONDS`.
        """
        self._client = client
        self._tables = tables
        self._cache_seconds = cache_seconds
        self._report = report
        self._clock = clock
        self._default: tuple[float, _Scope] | None = None
        self._known: dict[str, tuple[float, Policy]] = {}
        self._unknown: dict[str, tuple[float, Policy]] = {}
        self._reported: dict[Problem, float] = {}

    def get(self, store_id: str) -> Policy:
        """The policy in force for a store. Raises `ServiceUnavailable`."""
        now = self._clock()
        for cache in (self._known, self._unknown):
            cached = cache.get(store_id)
            if cached and now - cached[0] < self._cache_seconds:
                return cached[1]
        (read_at, default), own = self._read(store_id, now)
        policy = read_policy(store_id, default.document, own.document, default.good, own.good)
        if country := policy.withdrawal.country:
            # Imported only if a store names a country.
            from cancel_core.adapters.calendar import public_holidays

            policy = policy._replace(is_holiday=public_holidays(country))
        self._tell(policy, now)
        is_known = own.document is not None
        if not is_known:
            self._known.pop(store_id, None)
        cache = self._known if is_known else self._unknown
        # Evicts the oldest entry. A policy is as old as the older of its two documents: else it would be cached twice
        # as long.
        cache.pop(store_id, None)
        if len(cache) >= self.CACHED_STORES:
            del cache[next(iter(cache))]
        cache[store_id] = (read_at, policy)
        return policy

    def _read(self, store_id: str, now: float) -> tuple[tuple[float, _Scope], _Scope]:
        """`default` with the time of its read, and the store's own scope."""
        own = store_scope(store_id)
        # An id that is too long for a key has no item.
        scopes = [own] if len(own.encode("utf-8", "replace")) <= KEY_BYTES else []
        default = self._default
        if default is None or now - default[0] >= self._cache_seconds:
            default = None
            scopes.append(DEFAULT_SCOPE)
        items, rows = read_scopes(self._client, self._tables, scopes) if scopes else ({}, {})

        def scope(name: str) -> _Scope:
            return _Scope(
                plain(items[name]) if name in items else None, last_good(rows[name]) if name in rows else NOTHING
            )

        if default is None:
            default = self._default = (now, scope(DEFAULT_SCOPE))
        return default, scope(own)

    def _tell(self, policy: Policy, now: float) -> None:
        new = tuple(
            problem
            for problem in policy.problems
            if now - self._reported.get(problem, -self.REPORT_SECONDS) >= self.REPORT_SECONDS
        )
        if not new:
            return
        self._report(policy._replace(problems=new))
        since = now - self.REPORT_SECONDS
        self._reported = {problem: at for problem, at in self._reported.items() if at > since}
        self._reported |= dict.fromkeys(new, now)


class Seed:
    """The config table, to create the default item."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def put_first(self, document: Mapping[str, Any]) -> bool:
        """Puts an item, in plain values, if its scope has none. False if there is one, which is left unchanged."""
        return holds(
            lambda: self._client.put_item(
                TableName=self._table,
                Item=attribute_values(document),
                ConditionExpression="attribute_not_exists(#scope)",
                ExpressionAttributeNames={"#scope": "scope"},
            )
        )
