"""Parses records of the orders table's stream into changes of orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.services.announce import Change


def read_changes(records: Iterable[Mapping[str, Any]]) -> list[Change]:
    """The changes in the records of a DynamoDB stream event with new and old images."""
    changes = []
    for record in records:
        body = record["dynamodb"]
        before, after = body.get("OldImage"), body.get("NewImage")
        changes.append(
            Change(
                body["SequenceNumber"], StoredOrder(before) if before else None, StoredOrder(after) if after else None
            )
        )
    return changes
