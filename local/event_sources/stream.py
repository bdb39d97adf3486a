"""The event source mapping on a table's stream."""

from __future__ import annotations

import json
import threading
import time
import traceback
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.event_sources.answers import Invoke, failed_items
from local.event_sources.filters import matches
from local.event_sources.queues import queue_url
from local.event_sources.records import Record, as_lambda_record, changed
from local.runtime.function import Result, TooManyRequests
from local.server import MAY_WAIT_HEADER

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient
    from types_boto3_sqs import SQSClient

POLL_SECONDS = 0.1
SHARDS_SECONDS = 5.0


def _may_wait(request: AWSPreparedRequest, **_: object) -> None:
    request.headers[MAY_WAIT_HEADER] = "yes"


class StreamSource:
    """One AWS::Lambda::EventSourceMapping on a table's stream; ``mapping`` is its resolved properties.

    Records of a shard are delivered in order. A failed batch is retried, bisected and finally reported to the failure
    destination according to the mapping; only then does the shard continue. A parent shard is finished before its
    children.
    """

    def __init__(
        self,
        mapping: Mapping[str, Any],
        region: str,
        streams: DynamoDBStreamsClient,
        sqs: SQSClient,
        invoke: Invoke,
        function_arn: str,
    ) -> None:
        self._arn = mapping["EventSourceArn"]
        self._batch = int(mapping.get("BatchSize", 100))
        self._bisect = bool(mapping.get("BisectBatchOnFunctionError", False))
        self._retries = int(mapping.get("MaximumRetryAttempts", -1))
        self._partial = "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", [])
        self._destination = mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        self._start = mapping.get("StartingPosition", "TRIM_HORIZON")
        self._patterns = [json.loads(one["Pattern"]) for one in mapping.get("FilterCriteria", {}).get("Filters", [])]
        self._region, self._streams, self._sqs, self._invoke, self._function_arn = (
            region,
            streams,
            sqs,
            invoke,
            function_arn,
        )
        self._shards: dict[str, _Shard] = {}
        # With AWS's DynamoDB Local that is not known, and the stream is polled.
        streams.meta.events.register("before-send.dynamodb-streams.GetRecords", _may_wait)

    def run(self, stop: threading.Event) -> None:
        self._stop = stop
        looked = -SHARDS_SECONDS
        while not stop.is_set():
            try:
                if time.monotonic() - looked > SHARDS_SECONDS:
                    self._look_for_shards()
                    looked = time.monotonic()
                got = [
                    self._read(shard)
                    for shard in list(self._shards.values())
                    if not shard.done and self._parent_done(shard)
                ]
                if any(shard.done for shard in self._shards.values()) and not any(got):
                    looked = min(looked, time.monotonic() - SHARDS_SECONDS + 1)
                if not any(got):
                    stop.wait(POLL_SECONDS)
            except (ClientError, BotoCoreError, KeyError):
                # The database is unavailable, or an iterator has expired: continue from the same position, a little
                # later.
                for shard in self._shards.values():
                    shard.iterator = None
                stop.wait(1)
            except Exception:  # noqa: BLE001  # a fault of ours is shown, and must not end the stream for good
                traceback.print_exc()
                stop.wait(1)

    def _look_for_shards(self) -> None:
        first = not self._shards
        request: dict[str, Any] = {"StreamArn": self._arn}
        while True:
            description = self._streams.describe_stream(**request)["StreamDescription"]
            for shard in description.get("Shards", []):
                # Shards that appear later are children: none of their records may be skipped.
                position = self._start if first else "TRIM_HORIZON"
                self._shards.setdefault(
                    shard["ShardId"], _Shard(shard["ShardId"], shard.get("ParentShardId"), position)
                )
            if "LastEvaluatedShardId" not in description:
                return
            request["ExclusiveStartShardId"] = description["LastEvaluatedShardId"]

    def _parent_done(self, shard: _Shard) -> bool:
        parent = self._shards.get(shard.parent or "")
        return parent is None or parent.done

    def _read(self, shard: _Shard) -> bool:
        """Deliver the records of one GetRecords; whether there were any."""
        if shard.iterator is None:
            request: dict[str, Any] = {"StreamArn": self._arn, "ShardId": shard.id, "ShardIteratorType": shard.position}
            if shard.after:
                request |= {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": shard.after}
            shard.iterator = self._streams.get_shard_iterator(**request)["ShardIterator"]
        answer = self._streams.get_records(ShardIterator=shard.iterator, Limit=1000)
        records = [as_lambda_record(record, self._arn, self._region) for record in answer["Records"]]
        wanted = [record for record in records if changed(record) and self._matches(record)]
        for start in range(0, len(wanted), self._batch):
            self._deliver(shard, wanted[start : start + self._batch])
        if records:
            shard.after = records[-1]["dynamodb"]["SequenceNumber"]
        shard.iterator = answer.get("NextShardIterator")
        shard.done = shard.iterator is None
        return bool(records)

    def _matches(self, record: Record) -> bool:
        return not self._patterns or any(matches(pattern, record) for pattern in self._patterns)

    def _deliver(self, shard: _Shard, batch: list[Record], tries: int = 0) -> None:
        """Bring a batch to its end: done, or told to the failure destination. Splitting a batch does not count as a
        try."""
        while batch and not self._stop.is_set():
            result = self._try(batch)
            failed = self._first_failure(result, batch)
            if failed is None:
                return
            if failed > 0:
                batch, tries = batch[failed:], 0
            elif self._bisect and len(batch) > 1:
                middle = len(batch) // 2
                self._deliver(shard, batch[:middle], tries)
                batch = batch[middle:]
            else:
                tries += 1
                if 0 <= self._retries < tries:
                    self._give_up(shard, batch, tries, result)
                    return
                self._stop.wait(min(0.1 * 2**tries, 10))

    def _try(self, batch: list[Record]) -> Result:
        try:
            return self._invoke({"Records": batch})
        except TooManyRequests:
            return Result(b"", "Throttled", str(uuid.uuid4()))

    def _first_failure(self, result: Result, batch: list[Record]) -> int | None:
        """Where in the batch the first failed record is; None when all went well, 0 when the whole batch failed."""
        if result.error:
            return 0
        if not self._partial:
            return None
        failures = failed_items(result)
        if failures is None:
            return 0
        numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
        if not failures <= set(numbers):
            return 0
        return min(map(numbers.index, failures), default=None)

    def _give_up(self, shard: _Shard, batch: list[Record], tries: int, result: Result) -> None:
        """Lambda's message to the failure destination has the position of the records, not their content."""
        if not self._destination:
            return
        first, last = batch[0]["dynamodb"], batch[-1]["dynamodb"]
        message = {
            "requestContext": {
                "requestId": result.request_id,
                "functionArn": self._function_arn,
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": tries,
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": result.error},
            "version": "1.0",
            "timestamp": _iso(time.time()),
            "DDBStreamBatchInfo": {
                "shardId": shard.id,
                "startSequenceNumber": first["SequenceNumber"],
                "endSequenceNumber": last["SequenceNumber"],
                "approximateArrivalOfFirstRecord": _iso(first["ApproximateCreationDateTime"]),
                "approximateArrivalOfLastRecord": _iso(last["ApproximateCreationDateTime"]),
                "batchSize": len(batch),
                "streamArn": self._arn,
            },
        }
        self._sqs.send_message(QueueUrl=queue_url(self._sqs, self._destination), MessageBody=json.dumps(message))


@dataclass
class _Shard:
    id: str
    parent: str | None
    position: str
    iterator: str | None = None
    after: str | None = None  # the last sequence number that is dealt with
    done: bool = False


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
