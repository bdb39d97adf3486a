"""Parses records of the withdrawals table's stream into new statements and tampered statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cancel_core.adapters.dynamodb.attributes import plain
from cancel_core.domain.withdrawal import STATEMENT
from cancel_core.services.process_withdrawals import Record, Tampered

TTL = "dynamodb.amazonaws.com"
"""The identity under which DynamoDB's TTL deletes expired items."""


def read_records(records: Iterable[Mapping[str, Any]]) -> list[Record]:
    """The records of statements in a DynamoDB stream event with new and old images. Records of other parts, and of
    statements that have expired, are left out.
    """
    read: list[Record] = []
    for record in records:
        body = record["dynamodb"]
        keys = plain(body["Keys"])
        before, after = body.get("OldImage"), body.get("NewImage")
        if keys["part"] != STATEMENT or before == after or (after is None and _has_expired(record)):
            continue
        if before is None:
            read.append((body["SequenceNumber"], plain(after)))
        else:
            what = "changed" if after else "deleted"
            read.append((body["SequenceNumber"], Tampered(keys["withdrawal_id"], what)))
    return read


def _has_expired(record: Mapping[str, Any]) -> bool:
    return bool((record.get("userIdentity") or {}).get("principalId") == TTL)
