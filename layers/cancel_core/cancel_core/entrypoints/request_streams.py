"""Parses records of the orders and requests tables' streams into changes of requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.services.process_requests import OrderSeen, Record, RowSeen


def read_request_records(records: Iterable[Mapping[str, Any]]) -> list[Record]:
    """The records of a DynamoDB stream event, of either table, with new and old images."""
    read: list[Record] = []
    for record in records:
        body = record["dynamodb"]
        before, after = body.get("OldImage"), body.get("NewImage")
        seen: OrderSeen | RowSeen
        if "request_id" in body["Keys"]:
            seen = RowSeen(body["Keys"]["request_id"]["S"], before if after is None else None)
        else:
            seen = OrderSeen(StoredOrder(before) if before else None, StoredOrder(after) if after else None)
        read.append((body["SequenceNumber"], seen))
    return read
