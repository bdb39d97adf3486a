from __future__ import annotations

from datetime import UTC, datetime

from local.event_sources.records import as_lambda_record


def test_a_record_without_binary_keeps_its_values() -> None:
    change = {
        "Keys": {"id": {"S": "a"}},
        "SequenceNumber": "1",
        "ApproximateCreationDateTime": datetime(2026, 11, 22, tzinfo=UTC),
    }
    record = as_lambda_record({"eventName": "REMOVE", "dynamodb": change}, "arn:s", "eu-north-1")
    assert record["dynamodb"]["ApproximateCreationDateTime"] == 1795305600.0
    assert record["dynamodb"]["Keys"] == {"id": {"S": "a"}}
