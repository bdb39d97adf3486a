"""Records of a table's stream, in Lambda's format."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

Record = dict[str, Any]


def as_lambda_record(record: Mapping[str, Any], stream_arn: str, region: str) -> Record:
    """A record of boto3's GetRecords in the format that Lambda passes to a function: binary as base64, the time in
    seconds.
    """
    change = dict(record["dynamodb"])
    change["ApproximateCreationDateTime"] = change["ApproximateCreationDateTime"].timestamp()
    change |= {image: _empty_maps(change[image]) for image in ("OldImage", "NewImage") if image in change}
    shaped: Record = plain({**record, "dynamodb": change, "awsRegion": region, "eventSourceARN": stream_arn})
    return shaped


def _empty_maps(image: Mapping[str, Any]) -> dict[str, Any]:
    """An image whose empty maps are marked as maps, which DynamoDB Local omits."""
    return {name: _told(value) for name, value in image.items()}


def _told(value: Mapping[str, Any]) -> Mapping[str, Any]:
    if not value:
        return {"M": {}}
    if "M" in value:
        return {"M": _empty_maps(value["M"])}
    return {"L": [_told(entry) for entry in value["L"]]} if "L" in value else value


def plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def changed(record: Record) -> bool:
    """DynamoDB writes no record if a write changed nothing; moto does."""
    change = record["dynamodb"]
    return (
        record["eventName"] != "MODIFY"
        or "OldImage" not in change
        or "NewImage" not in change
        or change["OldImage"] != change["NewImage"]
    )
