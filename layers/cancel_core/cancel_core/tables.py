"""DynamoDB: the orders, config and refunds tables, as the use cases need them.

Orders are kept as the raw attribute values that were read, so that what the shop put there goes back value for value
and a write can make a condition of exactly what was read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from botocore.exceptions import ClientError, CredentialRetrievalError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from cancel_core import aws
from cancel_core.attributes import attribute_value, attribute_values, plain, plain_value
from cancel_core.changes import OrderChange, apply, cancellation_id, to_document
from cancel_core.errors import OrderTooLarge, OrderUnreadable, ServiceUnavailable
from cancel_core.events import OrderState
from cancel_core.order import ORDER_ATTRIBUTES, Cancellation, Order, read_cancellation, read_order
from cancel_core.policy import DEFAULT_SCOPE, NOTHING, Good, Policy, read_policy, store_scope

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_dynamodb.type_defs import UpdateTypeDef

Raw = dict[str, Any]
"""An item as DynamoDB's own attribute values: {"status": {"S": "pending"}}."""

MAX_ITEM_BYTES = 394 * 1024
"""Below DynamoDB's 400 KB by what the order system may still add between a cancel and its refund."""
KEY_BYTES = 2048

_TRY_AGAIN = "The service is busy. Try again shortly; with the same Idempotency-Key nothing is done twice."

_RETRYABLE = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "ThrottlingException",
        "Throttling",
        "ThrottledException",
        "TransactionInProgressException",
        "InternalFailure",
        "500",
        "502",
        "503",
        "504",
    }
)


def client() -> DynamoDBClient:
    """One per process. Its patience with a dead database (three tries, twelve seconds) ends before the function's."""
    # DynamoDB validates what it is sent; botocore's doing so before is up to a quarter of a cancel's CPU.
    made: DynamoDBClient = aws.client("dynamodb", tcp_keepalive=True, parameter_validation=False)
    return made


@contextmanager
def _database_errors() -> Iterator[None]:
    """Errors of the database that pass by themselves become `ServiceUnavailable`; the rest are defects, and stay."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in _RETRYABLE:
            raise ServiceUnavailable(_TRY_AGAIN) from error
        raise
    except (BotoConnectionError, HTTPClientError, CredentialRetrievalError) as error:
        raise ServiceUnavailable(_TRY_AGAIN) from error


def _item(error: ClientError) -> Raw | None:
    """The item that failed a condition, which the answer carries when it was asked for."""
    response: Mapping[str, Any] = error.response
    return response.get("Item")


class StoredOrder:
    """An order as it was read. Reading its parts raises `OrderUnreadable` where they are not what they should be."""

    def __init__(self, raw: Raw, order: Order | None = None) -> None:
        """`order` is what `raw` reads as, where that is known."""
        self.raw = raw
        self._order = order

    @property
    def order_id(self) -> str:
        return self._text("order_id") or ""

    @property
    def store_id(self) -> str:
        return self._text("store_id") or "default"

    @property
    def cancellation_id(self) -> str:
        """The id that a cancellation of this order has, or would have."""
        return cancellation_id(self.order_id, self._text("placed_at") or "")

    def _text(self, name: str) -> str | None:
        text: str | None = self.raw.get(name, {}).get("S")
        return text

    def belongs_to(self, customer_id: str | None) -> bool:
        """A guest's order, which has no customer, is nobody's."""
        return bool(customer_id) and self._text("customer_id") == customer_id

    @cached_property
    def document(self) -> dict[str, Any]:
        """The attributes that the product reads, as plain values."""
        return plain({name: value for name, value in self.raw.items() if name in ORDER_ATTRIBUTES})

    @property
    def order(self) -> Order:
        if self._order is None:
            self._order = read_order(self.document)
        return self._order

    @cached_property
    def cancellation(self) -> Cancellation | None:
        stored = self.raw.get("cancellation")
        if stored is None:
            return None
        document = plain_value(stored)
        return read_cancellation(document if isinstance(document, dict) else {}, self.order_id)

    @property
    def state(self) -> OrderState:
        """What events tell of it. Raises `OrderUnreadable` only where the cancellation itself can't be read."""
        cancellation = self.cancellation
        try:
            order = self.order if cancellation else None
        except OrderUnreadable:
            order = None
        return OrderState(self.order_id, self.store_id, self._text("customer_id"), cancellation, order)

    def changed(self, change: OrderChange) -> StoredOrder:
        """The order as it is once the change is written."""
        raw = dict(self.raw)
        for name in {row.attribute for row in change.rows}:
            raw[name] = _rows_apart(raw[name])
        for row in change.rows:
            target = raw[row.attribute]["M"] if row.position is None else raw[row.attribute]["L"][row.position]["M"]
            for name, value in row.numbers.items():
                target[name] = {"N": str(value)}
        for name, text in change.attributes.items():
            raw[name] = {"S": text}
        raw["cancellation"] = attribute_value(to_document(change.cancellation))
        for name in change.remove:
            raw.pop(name, None)
        if change.history:
            raw["history"] = {"L": [*raw.get("history", {"L": []})["L"], attribute_value(change.history.model_dump())]}
        return StoredOrder(raw, apply(self._order, change) if self._order else None)

    @property
    def size(self) -> int:
        """Bytes, as DynamoDB counts an item."""
        return sum(len(name.encode()) + _size(value) for name, value in self.raw.items())


def _rows_apart(value: Mapping[str, Any]) -> Raw:
    """A map, or a list of maps, whose numbers can be set without changing what was read."""
    if "M" in value:
        return {"M": dict(value["M"])}
    return {"L": [{"M": dict(row["M"])} for row in value["L"]]}


def _size(value: Mapping[str, Any]) -> int:
    """The bytes of an attribute value. Source: DynamoDB developer guide, "DynamoDB item sizes and formats"."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            # Two digits a byte, leading and trailing zeros apart; counting them all keeps to the safe side.
            return len(content) // 2 + 2
        case "M":
            return 3 + sum(len(name.encode()) + _size(entry) + 1 for name, entry in content.items())
        case "L":
            return 3 + sum(_size(entry) + 1 for entry in content)
        case "B":
            return len(content)
        case "SS" | "BS":
            return sum(len(entry.encode()) if isinstance(entry, str) else len(entry) for entry in content)
        case "NS":
            return sum(len(entry) // 2 + 2 for entry in content)
        case _:
            return 1


class Conflict(NamedTuple):
    """A write whose condition no longer held. `current` is the order as it now is; None when there is none."""

    current: StoredOrder | None


class Orders:
    """The orders table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self.table = table

    def get(self, order_id: str) -> StoredOrder | None:
        """Strongly consistent. None when there is no such order. Raises `ServiceUnavailable`."""
        if not 0 < len(order_id.encode("utf-8", "replace")) <= KEY_BYTES:
            return None
        with _database_errors():
            answer = self._client.get_item(TableName=self.table, Key={"order_id": {"S": order_id}}, ConsistentRead=True)
        return StoredOrder(answer["Item"]) if "Item" in answer else None

    def write(self, read: StoredOrder, change: OrderChange) -> StoredOrder | Conflict:
        """One conditional write of the order that was read. Raises `OrderTooLarge`, `ServiceUnavailable`."""
        after = read.changed(change)
        try:
            with _database_errors():
                self._client.update_item(**self.update(read, after, change))
        except ClientError as error:
            match error.response["Error"]["Code"]:
                case "ConditionalCheckFailedException":
                    item = _item(error)
                    return Conflict(StoredOrder(item) if item else None)
                case "TransactionConflictException":
                    # A transaction has the order in hand just now; what it made of it shows in a new read.
                    return Conflict(self.get(read.order_id))
                case "ValidationException" if "size" in error.response["Error"]["Message"]:
                    raise OrderTooLarge("The order is too large to be written.") from error
            raise
        return after

    def update(self, read: StoredOrder, after: StoredOrder, change: OrderChange) -> dict[str, Any]:
        """The parameters of the `UpdateItem` that turns `read` into `after`, while what was decided on is still so."""
        names: dict[str, str] = {}
        values: dict[str, Any] = {}

        def name(attribute: str) -> str:
            names[f"#{attribute}"] = attribute
            return f"#{attribute}"

        conditions = []
        for attribute in change.conditions:
            if attribute in read.raw:
                values[f":was_{attribute}"] = read.raw[attribute]
                conditions.append(f"{name(attribute)} = :was_{attribute}")
            else:
                conditions.append(f"attribute_not_exists({name(attribute)})")
        assignments = []
        for attribute in sorted({row.attribute for row in change.rows} | change.attributes.keys() | {"cancellation"}):
            values[f":{attribute}"] = after.raw[attribute]
            assignments.append(f"{name(attribute)} = :{attribute}")
        if change.history:
            # Appended where it lies: entries that others add meanwhile stay.
            values[":none"] = {"L": []}
            values[":entry"] = {"L": [after.raw["history"]["L"][-1]]}
            assignments.append(f"{name('history')} = list_append(if_not_exists(#history, :none), :entry)")
        expression = "SET " + ", ".join(assignments)
        if change.remove:
            expression += " REMOVE " + ", ".join(name(attribute) for attribute in change.remove)
        return {
            "TableName": self.table,
            "Key": {"order_id": {"S": read.order_id}},
            "UpdateExpression": expression,
            "ConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def postpone(self, order_id: str, since: str, at: str) -> None:
        """Has the order stand in the index of pending refunds from `at`, if it still stands there under `since`.

        It keeps its shard. Raises `ServiceUnavailable`.
        """
        try:
            with _database_errors():
                self._client.update_item(
                    TableName=self.table,
                    Key={"order_id": {"S": order_id}},
                    UpdateExpression="SET refund_pending_since = :at",
                    ConditionExpression="refund_pending_since = :since",
                    ExpressionAttributeValues={":at": {"S": at + since[len(at) :]}, ":since": {"S": since}},
                )
        except ClientError as error:
            # Done, or taken up by somebody else, in the meantime.
            if error.response["Error"]["Code"] not in {
                "ConditionalCheckFailedException",
                "TransactionConflictException",
            }:
                raise

    def page(
        self, customer_id: str, limit: int, after: Mapping[str, str] | None
    ) -> tuple[list[StoredOrder], dict[str, str] | None]:
        """A customer's orders, newest first, from the index (eventually consistent), and where the next page begins.

        `after` is the `order_id` and `placed_at` of the last page's last order. Raises `ServiceUnavailable`.
        """
        query: dict[str, Any] = {
            "TableName": self.table,
            "IndexName": "by_customer",
            "KeyConditionExpression": "customer_id = :customer",
            "ExpressionAttributeValues": {":customer": {"S": customer_id}},
            "ScanIndexForward": False,
            "Limit": limit,
        }
        if after:
            query["ExclusiveStartKey"] = {name: {"S": value} for name, value in after.items()} | {
                "customer_id": {"S": customer_id}
            }
        with _database_errors():
            answer = self._client.query(**query)
        last = answer.get("LastEvaluatedKey")
        return (
            [StoredOrder(item) for item in answer["Items"]],
            {name: last[name]["S"] for name in ("order_id", "placed_at")} if last else None,
        )

    def pending_refunds(self, until: str) -> Iterator[tuple[str, str]]:
        """(order_id, key in the index) of the orders whose refund nobody has looked at since `until` (ISO 8601).

        Raises `ServiceUnavailable`.
        """
        scan: dict[str, Any] = {
            "TableName": self.table,
            "IndexName": "refund_pending",
            "FilterExpression": "refund_pending_since <= :until",
            # What stands behind the time, the shard, sorts before this.
            "ExpressionAttributeValues": {":until": {"S": f"{until}~"}},
        }
        while True:
            with _database_errors():
                answer = self._client.scan(**scan)
            for item in answer["Items"]:
                yield item["order_id"]["S"], item["refund_pending_since"]["S"]
            if "LastEvaluatedKey" not in answer:
                return
            scan["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


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
    with _database_errors():
        answer = client.batch_get_item(RequestItems=asked)
    if answer.get("UnprocessedKeys"):
        raise ServiceUnavailable(_TRY_AGAIN)
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


class Refunds:
    """The refunds table, and the transactions that book a refund on its order."""

    def __init__(self, client: DynamoDBClient, table: str, orders: Orders) -> None:
        self._client = client
        self._table = table
        self._orders = orders

    def begin(self, document: dict[str, Any]) -> dict[str, Any]:
        """Writes the intent, unless it is there already. The document in force. Raises `ServiceUnavailable`."""
        try:
            with _database_errors():
                self._client.put_item(
                    TableName=self._table,
                    Item=attribute_values(document),
                    ConditionExpression="attribute_not_exists(refund_id)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return plain(_item(error) or {})
        return document

    def book(
        self, before: dict[str, Any], after: dict[str, Any], read: StoredOrder, change: OrderChange
    ) -> StoredOrder | None:
        """Writes the refund's next state and what it makes of the order, both or neither.

        `before` and `after` are refund documents. None when either was changed by somebody else meanwhile.
        Raises `OrderTooLarge`, `ServiceUnavailable`.
        """
        stored = read.changed(change)
        update = self._orders.update(read, stored, change)
        try:
            with _database_errors():
                self._client.transact_write_items(
                    TransactItems=[{"Update": self._update(before, after)}, {"Update": cast("UpdateTypeDef", update)}]
                )
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            _raise_unless_changed(error)
            return None
        return stored

    def _update(self, before: dict[str, Any], after: dict[str, Any]) -> UpdateTypeDef:
        """Turns one document into the next, if nobody has got in between."""
        changed = {name for name, value in after.items() if before.get(name) != value} | {"updated_at"}
        removed = before.keys() - after.keys()
        was = [name for name in ("status", "payments") if name in before]
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in sorted(changed))
        if removed:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in sorted(removed))
        return {
            "TableName": self._table,
            "Key": {"refund_id": {"S": after["refund_id"]}},
            "UpdateExpression": expression,
            "ConditionExpression": " AND ".join(f"#{name} = :was_{name}" for name in was),
            "ExpressionAttributeNames": {f"#{name}": name for name in changed | removed | set(was)},
            "ExpressionAttributeValues": {
                **{f":{name}": attribute_value(after[name]) for name in changed},
                **{f":was_{name}": attribute_value(before[name]) for name in was},
            },
        }

    def get(self, refund_id: str) -> dict[str, Any] | None:
        """A refund document, strongly consistent. Raises `ServiceUnavailable`."""
        with _database_errors():
            answer = self._client.get_item(
                TableName=self._table, Key={"refund_id": {"S": refund_id}}, ConsistentRead=True
            )
        return plain(answer["Item"]) if "Item" in answer else None

    def unsettled(self) -> Iterator[str]:
        """The refund_ids of what is pending or has failed. Raises `ServiceUnavailable`."""
        for page in self._client.get_paginator("scan").paginate(TableName=self._table, IndexName="unsettled"):
            for item in page["Items"]:
                yield item["refund_id"]["S"]

    def write(self, before: dict[str, Any], after: dict[str, Any]) -> bool:
        """Writes a refund's next state where its order has no part in it. False when it was changed meanwhile."""
        try:
            with _database_errors():
                self._client.update_item(**self._update(before, after))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def note(self, refund_id: str, at: str, error: str) -> None:
        """Leaves on the refund why it can't go on just now, for the operator. It may fail: the refund does not."""
        with suppress(ClientError, BotoConnectionError, HTTPClientError):
            self._client.update_item(
                TableName=self._table,
                Key={"refund_id": {"S": refund_id}},
                UpdateExpression="SET last_error = :error",
                ConditionExpression="attribute_exists(refund_id)",
                ExpressionAttributeValues={":error": attribute_value({"at": at, "message": error})},
            )

    def close(self, refund_id: str, cancellation_id: str, order_id: str, failure: dict[str, str], at: str) -> bool:
        """Ends as failed the refund of an order that is gone, begun or not. False when it had ended before, or is
        another order's.

        Raises `ServiceUnavailable`.
        """
        attributes = {
            "cancellation_id": cancellation_id,
            "order_id": order_id,
            "order_gone": True,
            "status": "failed",
            "failure": failure,
            "updated_at": at,
            "unsettled_since": at,
        }
        try:
            with _database_errors():
                self._client.update_item(
                    TableName=self._table,
                    Key={"refund_id": {"S": refund_id}},
                    UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
                    ConditionExpression="attribute_not_exists(refund_id) "
                    "OR (#status = :pending AND #order_id = :order_id)",
                    ExpressionAttributeNames={f"#{name}": name for name in attributes},
                    ExpressionAttributeValues={
                        **{f":{name}": attribute_value(value) for name, value in attributes.items()},
                        ":pending": {"S": "pending"},
                    },
                )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True


def _raise_unless_changed(error: ClientError) -> None:
    """A transaction that was canceled: nothing, when an item had been changed; else what it is."""
    reasons = {
        reason.get("Code", "None"): reason.get("Message", "")
        for reason in error.response.get("CancellationReasons", [])
    }
    if reasons.keys() & {"ConditionalCheckFailed", "TransactionConflict"}:
        return
    if reasons.keys() & {"ThrottlingError", "ProvisionedThroughputExceeded"}:
        raise ServiceUnavailable(_TRY_AGAIN) from error
    if "size" in reasons.get("ValidationError", ""):
        raise OrderTooLarge("The order is too large for its refund to be written.") from error
    raise error
