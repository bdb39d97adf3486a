"""Parses records of the config table's stream into edits."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from cancel_core.adapters.dynamodb.config_history import StoredSettings
from cancel_core.adapters.dynamodb.database import Raw
from cancel_core.services.config_edits import ConfigChange


def read_config_changes(records: Iterable[Mapping[str, Any]]) -> list[ConfigChange]:
    """The edits in the records of a DynamoDB stream event with new and old images.

    The product's own writes change no setting and are skipped.
    """
    changes = []
    for record in records:
        body = record["dynamodb"]
        before, after = (
            StoredSettings.of(_bytes(body[image])) if image in body else None for image in ("OldImage", "NewImage")
        )
        if before == after:
            continue
        # The stream's label, a time, comes first: a restored table has a new stream, whose sequence numbers start
        # over.
        label = record["eventSourceARN"].rsplit("/stream/", 1)[-1]
        changes.append(
            ConfigChange(
                sequence_number=body["SequenceNumber"],
                version=f"{label}#{body['SequenceNumber'].zfill(40)}",
                scope=body["Keys"]["scope"]["S"],
                at=datetime.fromtimestamp(float(body["ApproximateCreationDateTime"]), UTC),  # seconds, no amount
                before=before,
                after=after,
            )
        )
    return changes


def _bytes(image: Mapping[str, Any]) -> Raw:
    """An image whose binary values, base64 in an event, are bytes again."""
    return {name: _value(value) for name, value in image.items()}


def _value(value: Mapping[str, Any]) -> Raw:
    ((kind, content),) = value.items()
    match kind:
        case "M":
            content = _bytes(content)
        case "L":
            content = [_value(entry) for entry in content]
        case "B":
            content = base64.b64decode(content)
        case "BS":
            content = [base64.b64decode(entry) for entry in content]
    return {kind: content}
