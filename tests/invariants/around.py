"""What lies between the product's functions: the table's stream, the bus with its rule, and the refund queue."""

from __future__ import annotations

import json
from typing import Any

from local.event_sources.filters import matches
from local.event_sources.records import as_lambda_record
from tests.conftest import Aws
from tests.invariants.product import bus, plain
from tests.invariants.wire import Crash, Wire

Record = dict[str, Any]


class Stream:
    """The orders table's stream, as Lambda reads it. `records` are those that the template's filter lets through."""

    def __init__(self, aws: Aws) -> None:
        self._client = aws.client("dynamodbstreams")
        mapping = aws.template.resources("AWS::Lambda::EventSourceMapping")["PublishEventsSource"]
        self._arn = mapping["EventSourceArn"]
        self._region = aws.template.region
        self._patterns = [json.loads(one["Pattern"]) for one in mapping["FilterCriteria"]["Filters"]]
        self._iterators: dict[str, str] = {}

    def read(self) -> list[Record]:
        """What was written since the last time, in order."""
        if not self._iterators:
            self._find_shards()
        fresh: list[Record] = []
        for shard, iterator in list(self._iterators.items()):
            answer = self._client.get_records(ShardIterator=iterator)
            fresh += answer["Records"]
            self._iterators[shard] = answer["NextShardIterator"]
        return [as_lambda_record(record, self._arn, self._region) for record in fresh]

    def _find_shards(self) -> None:
        """Those that are open; a run is over long before one is closed."""
        for shard in self._client.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]:
            if "EndingSequenceNumber" not in shard["SequenceNumberRange"]:
                self._iterators[shard["ShardId"]] = self._client.get_shard_iterator(
                    StreamArn=self._arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
                )["ShardIterator"]

    def wanted(self, record: Record) -> bool:
        return any(matches(pattern, record) for pattern in self._patterns)


def images(record: Record) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The order before and after, as plain values."""
    old, new = (record["dynamodb"].get(name) for name in ("OldImage", "NewImage"))
    return plain(old) if old else None, plain(new) if new else None


class Events:
    """EventBridge, as the product's client of it: `told` is all that came, `queue` what the rule passed on."""

    def __init__(self, aws: Aws, wire: Wire) -> None:
        self._pattern = aws.template.resources("AWS::Events::Rule")["RefundRule"]["EventPattern"]
        self._wire = wire
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.queue: list[Message] = []
        self.bus = bus(self)

    def put_events(self, Entries: list[Any]) -> dict[str, Any]:  # noqa: N803  # boto3's own spelling
        kind = self._wire.call()
        if kind == "unreachable":
            raise ConnectionError
        refused = kind == "throttled"
        answer = []
        for position, entry in enumerate(Entries):
            # One that is busy takes every other entry.
            if refused and position % 2 == 0:
                answer.append({"ErrorCode": "ThrottlingException"})
                continue
            answer.append({"EventId": "id"})
            for _ in range(2 if kind == "sent twice" else 1):
                self._take(entry)
        if kind == "crash after":
            raise Crash
        if kind == "answer lost":
            raise TimeoutError
        return {"Entries": answer}

    def _take(self, entry: dict[str, Any]) -> None:
        envelope = {
            "source": entry["Source"],
            "detail-type": entry["DetailType"],
            "detail": json.loads(entry["Detail"]),
        }
        self.told.append((entry["DetailType"], envelope["detail"]))
        if matches(self._pattern, envelope):
            self.queue.append(Message(json.dumps(envelope)))


class Message:
    """One message of the refund queue."""

    MOST_RECEIVED = 5

    def __init__(self, body: str) -> None:
        detail = json.loads(body)["detail"]
        self.order_id: str = detail["order_id"]
        self.cancellation_id: str = detail["cancellation_id"]
        self.received = 0
