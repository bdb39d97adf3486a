"""The refunds table, and the transactions that book a refund on its order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from cancel_core.adapters.dynamodb.attributes import attribute_value, attribute_values, present
from cancel_core.adapters.dynamodb.database import TRY_AGAIN, Raw, database_errors, holds
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.domain.ids import REFUND, ledger_id, surplus_id
from cancel_core.domain.order_change import OrderChange
from cancel_core.domain.refund_document import Ledger, RefundDocument, read_document, read_ledger, to_item
from cancel_core.errors import OrderTooLarge, RefundChanged, ServiceUnavailable

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef, UpdateTypeDef


class Opened(NamedTuple):
    """A refund as it was read: its order (None if there is none), its document (None before it begins), the order's
    ledger (None before the first call to a provider), and the documents of the order's earlier refunds.
    """

    stored: StoredOrder | None
    document: RefundDocument | None
    ledger: Ledger | None
    others: list[RefundDocument]


class Refunds:
    """The refunds table, and the transactions that book a refund on its order."""

    BATCH = 25
    """The number of documents in one read; the limit leaves room for large ones."""

    def __init__(self, client: DynamoDBClient, table: str, orders: Orders) -> None:
        self._client = client
        self._table = table
        self._orders = orders

    def open(self, order_id: str, refund_id: str) -> Opened:
        """Reads an order, one refund's document, and the order's ledger and earlier refunds: one call, or two if the
        order had refunds before. Strongly consistent. Raises `ServiceUnavailable`.
        """
        ledger_key = ledger_id(order_id)
        orders = [order_id] if self._orders.fits(order_id) else []
        found = self._read(orders, [refund_id, ledger_key])
        stored = next((StoredOrder(item) for item in found[self._orders.table]), None)
        items = {item["refund_id"]["S"]: present(item) for item in found[self._table]}
        ledger = read_ledger(items[ledger_key]) if ledger_key in items else None
        others = [other for other in ledger.refunds if other != refund_id] if ledger else []
        if others:
            items |= {item["refund_id"]["S"]: present(item) for item in self._read([], others)[self._table]}
        return Opened(
            stored,
            read_document(items[refund_id]) if refund_id in items else None,
            ledger,
            [read_document(items[other]) for other in others if other in items],
        )

    def _read(self, orders: list[str], refunds: list[str]) -> dict[str, list[Raw]]:
        asked: dict[str, Any] = {
            self._table: {"Keys": [{"refund_id": {"S": one}} for one in refunds], "ConsistentRead": True}
        }
        if orders:
            asked[self._orders.table] = {"Keys": [{"order_id": {"S": one}} for one in orders], "ConsistentRead": True}
        with database_errors():
            answer = self._client.batch_get_item(RequestItems=asked)
        if answer.get("UnprocessedKeys"):
            raise ServiceUnavailable(TRY_AGAIN)
        return {
            table: cast("list[Raw]", answer["Responses"].get(table, [])) for table in (self._table, self._orders.table)
        }

    def write(
        self,
        before: RefundDocument | None,
        after: RefundDocument,
        ledger: tuple[Ledger | None, Ledger] | None = None,
        order: tuple[StoredOrder, OrderChange] | None = None,
    ) -> StoredOrder | None:
        """Writes a refund's next state, and the order's ledger and the order if they change, in one transaction.
        Returns the order after the write, if it was written.

        Raises `RefundChanged` if one of them was changed concurrently; `OrderTooLarge`, `ServiceUnavailable`.
        """
        writes: list[TransactWriteItemTypeDef] = [self._document(before, after)]
        if ledger:
            writes.append(self._ledger(*ledger))
        stored = None
        if order:
            read, change = order
            stored = read.changed(change)
            writes.append({"Update": cast("UpdateTypeDef", self._orders.update(read, stored, change))})
        try:
            with database_errors():
                self._client.transact_write_items(TransactItems=writes)
        except ClientError as error:
            known = error.response["Error"]
            if known["Code"] == "ValidationException" and "size" in known["Message"]:
                raise OrderTooLarge("The order is too large for its refund to be written.") from error
            if known["Code"] != "TransactionCanceledException":
                raise
            _raise_unless_changed(error)
            raise RefundChanged(after.refund_id) from error
        return stored

    def _document(self, before: RefundDocument | None, after: RefundDocument) -> TransactWriteItemTypeDef:
        """The write that replaces one document by the next, if it is unchanged since the read."""
        item = to_item(after)
        if before is None:
            return {
                "Put": {
                    "TableName": self._table,
                    "Item": attribute_values(item),
                    "ConditionExpression": "attribute_not_exists(refund_id)",
                }
            }
        was = to_item(before)
        changed = {name for name, value in item.items() if was.get(name) != value} | {"updated_at", "revision"}
        removed = was.keys() - item.keys()
        checked = {"status": "status", "revision": "revision"}
        conditions = ["#status = :was_status"]
        values = {f":{name}": attribute_value(item[name]) for name in changed}
        values[":was_status"] = attribute_value(before.status)
        if before.revision or before.format > 1:
            conditions.append("#revision = :was_revision")
            values[":was_revision"] = attribute_value(before.revision)
        else:
            # From a version that stored none.
            conditions.append("attribute_not_exists(#revision)")
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in sorted(changed))
        if removed:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in sorted(removed))
        return {
            "Update": {
                "TableName": self._table,
                "Key": {"refund_id": {"S": after.refund_id}},
                "UpdateExpression": expression,
                "ConditionExpression": " AND ".join(conditions),
                "ExpressionAttributeNames": {f"#{name}": name for name in changed | removed | checked.keys()},
                "ExpressionAttributeValues": values,
            }
        }

    def _ledger(self, before: Ledger | None, after: Ledger) -> TransactWriteItemTypeDef:
        put: Any = {"TableName": self._table, "Item": attribute_values(to_item(after))}
        if before is None:
            return {"Put": put | {"ConditionExpression": "attribute_not_exists(refund_id)"}}
        return {
            "Put": put
            | {
                "ConditionExpression": "#version = :version",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": {":version": attribute_value(before.version)},
            }
        }

    def get(self, refund_id: str) -> RefundDocument | None:
        """A refund document, strongly consistent. Raises `ServiceUnavailable`."""
        item = self.item(refund_id)
        return read_document(item) if item else None

    def item(self, refund_id: str) -> dict[str, Any] | None:
        """An item of the table in plain values: a refund's document, a surplus or a ledger."""
        with database_errors():
            answer = self._client.get_item(
                TableName=self._table, Key={"refund_id": {"S": refund_id}}, ConsistentRead=True
            )
        return present(answer["Item"]) if "Item" in answer else None

    def unsettled(self) -> Iterator[str]:
        """The refund_ids of pending and failed refunds, and of surpluses. Raises `ServiceUnavailable`."""
        for page in self._client.get_paginator("scan").paginate(TableName=self._table, IndexName="unsettled"):
            for item in page["Items"]:
                yield item["refund_id"]["S"]

    def pending(self, until: str) -> Iterator[list[RefundDocument]]:
        """The refunds that were begun and not processed since `until` (ISO 8601), in batches. Raises
        `ServiceUnavailable`.
        """
        scan: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": "unsettled",
            "FilterExpression": "unsettled_since <= :until AND begins_with(refund_id, :refund)",
            "ExpressionAttributeValues": {":until": {"S": until}, ":refund": {"S": REFUND}},
        }
        while True:
            with database_errors():
                answer = self._client.scan(**scan)
            ids = [item["refund_id"]["S"] for item in answer["Items"]]
            for start in range(0, len(ids), self.BATCH):
                items = self._read([], ids[start : start + self.BATCH])[self._table]
                documents = [read_document(present(item)) for item in items]
                yield [one for one in documents if one.status == "pending" and one.updated_at <= until]
            if "LastEvaluatedKey" not in answer:
                return
            scan["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def note(self, refund_id: str, at: str, error: str) -> None:
        """Stores on the refund why it is blocked, for the operator. Best effort: an error here does not fail the
        refund.
        """
        with suppress(ClientError, BotoConnectionError, HTTPClientError):
            self._client.update_item(
                TableName=self._table,
                Key={"refund_id": {"S": refund_id}},
                UpdateExpression="SET last_error = :error",
                ConditionExpression="attribute_exists(refund_id)",
                ExpressionAttributeValues={":error": attribute_value({"at": at, "message": error})},
            )

    def list_surplus(self, order_id: str, cancellation_id: str, surplus: int, at: str) -> None:
        """Adds a surplus of an order's payments to the operator's list. Raises `ServiceUnavailable`."""
        values = {
            ":order_id": order_id,
            ":cancellation_id": cancellation_id,
            ":surplus": surplus,
            ":at": at,
            ":status": "surplus",
        }
        # It was listed before, or an operator has resolved it already.
        self._update_if(
            surplus_id(order_id),
            "attribute_not_exists(refund_id) OR surplus <> :surplus",
            UpdateExpression="SET order_id = :order_id, cancellation_id = :cancellation_id, "
            "surplus = :surplus, unsettled_since = :at, updated_at = :at, #status = :status",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues=attribute_values(values),
        )

    def settle_surplus(self, surplus: str, settled: dict[str, str]) -> bool:
        """Removes a surplus that a person has resolved from the operator's list. False if there is none."""
        return self._update_if(
            surplus,
            "attribute_exists(refund_id)",
            UpdateExpression="SET settled = :settled, #status = :status REMOVE unsettled_since",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues=attribute_values({":settled": settled, ":status": "settled"}),
        )

    def close(self, refund_id: str, cancellation_id: str, order_id: str, failure: dict[str, str], at: str) -> bool:
        """Ends as failed the refund of an order that was deleted, begun or not. False if it had ended before, or
        belongs to another order.

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
        return self._update_if(
            refund_id,
            "attribute_not_exists(refund_id) OR (#status = :pending AND #order_id = :order_id)",
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes) + " ADD revision :one",
            ExpressionAttributeNames={f"#{name}": name for name in attributes},
            ExpressionAttributeValues={
                **{f":{name}": attribute_value(value) for name, value in attributes.items()},
                ":pending": {"S": "pending"},
                ":one": {"N": "1"},
            },
        )

    def _update_if(self, refund_id: str, condition: str, **update: Any) -> bool:
        """False if the condition does not hold. Raises `ServiceUnavailable`."""
        key = {"refund_id": {"S": refund_id}}
        with database_errors():
            return holds(
                lambda: self._client.update_item(
                    TableName=self._table, Key=key, ConditionExpression=condition, **update
                )
            )


def _raise_unless_changed(error: ClientError) -> None:
    """Handles a cancelled transaction: returns if an item had changed, else raises the error."""
    reasons = {
        reason.get("Code", "None"): reason.get("Message", "")
        for reason in error.response.get("CancellationReasons", [])
    }
    if reasons.keys() & {"ConditionalCheckFailed", "TransactionConflict"}:
        return
    if reasons.keys() & {"ThrottlingError", "ProvisionedThroughputExceeded"}:
        raise ServiceUnavailable(TRY_AGAIN) from error
    if "size" in reasons.get("ValidationError", ""):
        raise OrderTooLarge("The order is too large for its refund to be written.") from error
    raise error
