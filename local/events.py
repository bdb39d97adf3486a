"""What Lambda does by itself: event source mappings on the table's stream and on queues, and schedules.

Each runs in a thread of its own until ``stop`` is set. Sources: "Using Lambda with DynamoDB", "Using Lambda with Amazon
SQS" and "Lambda event filtering" of the Lambda developer guide. Where the guide is silent, this errs towards losing
nothing.
"""

from __future__ import annotations

import base64
import json
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.runtime import Result, TooManyRequests
from local.template import ACCOUNT

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient
    from types_boto3_sqs import SQSClient

Record = dict[str, Any]
Invoke = Callable[[Any], Result]
POLL_SECONDS = 0.1
SHARDS_SECONDS = 5.0


# ------------------------------------------------------------------ the stream


class StreamSource:
    """One AWS::Lambda::EventSourceMapping on a table's stream; ``mapping`` is its resolved properties.

    Records of a shard are delivered in order. A failure is retried, bisected and at last told to the failure
    destination as the mapping says; only then does the shard go on. A parent shard is finished before its children.
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
                # The database is away, or an iterator has expired: from where we were, a little later.
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
                # Shards that appear later are children: nothing in them may be skipped.
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
        """Deliver what one GetRecords holds; whether it held anything."""
        if shard.iterator is None:
            request: dict[str, Any] = {"StreamArn": self._arn, "ShardId": shard.id, "ShardIteratorType": shard.position}
            if shard.after:
                request |= {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": shard.after}
            shard.iterator = self._streams.get_shard_iterator(**request)["ShardIterator"]
        answer = self._streams.get_records(ShardIterator=shard.iterator, Limit=1000)
        records = [as_lambda_record(record, self._arn, self._region) for record in answer["Records"]]
        wanted = [record for record in records if _changed(record) and self._matches(record)]
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
        """Lambda's message to the failure destination says where the records are, and does not hold them."""
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


def as_lambda_record(record: Mapping[str, Any], stream_arn: str, region: str) -> Record:
    """A record of boto3's GetRecords as Lambda hands it to a function: binary as base64, the time as seconds."""
    change = dict(record["dynamodb"])
    change["ApproximateCreationDateTime"] = change["ApproximateCreationDateTime"].timestamp()
    change |= {image: _empty_maps(change[image]) for image in ("OldImage", "NewImage") if image in change}
    shaped: Record = _plain({**record, "dynamodb": change, "awsRegion": region, "eventSourceARN": stream_arn})
    return shaped


def _empty_maps(image: Mapping[str, Any]) -> dict[str, Any]:
    """An image whose empty maps say that they are maps: DynamoDB Local leaves that out."""
    return {name: _told(value) for name, value in image.items()}


def _told(value: Mapping[str, Any]) -> Mapping[str, Any]:
    if not value:
        return {"M": {}}
    if "M" in value:
        return {"M": _empty_maps(value["M"])}
    return {"L": [_told(entry) for entry in value["L"]]} if "L" in value else value


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _changed(record: Record) -> bool:
    """DynamoDB writes no record when a write changed nothing; moto does."""
    change = record["dynamodb"]
    return (
        record["eventName"] != "MODIFY"
        or "OldImage" not in change
        or "NewImage" not in change
        or change["OldImage"] != change["NewImage"]
    )


def matches(pattern: Mapping[str, Any], value: Any) -> bool:
    """Whether an event filter's pattern holds: every key of it, each with one of its list. Known: literals, exists,
    prefix."""
    for key, wanted in pattern.items():
        there = isinstance(value, Mapping) and key in value
        found = value[key] if there else None
        if isinstance(wanted, Mapping):
            if not matches(wanted, found):
                return False
        elif not any(_one_matches(one, found, there=there) for one in wanted):
            return False
    return True


def _one_matches(wanted: Any, found: Any, *, there: bool) -> bool:
    if not isinstance(wanted, Mapping):
        return there and bool(found == wanted)
    ((name, argument),) = wanted.items()
    if name == "exists":
        # Lambda looks at leaves only.
        return (there and not isinstance(found, Mapping)) is argument
    if name == "prefix":
        return isinstance(found, str) and found.startswith(argument)
    raise ValueError(f"event filter {name} is not known here")


# ------------------------------------------------------------------- queues


class QueueSource:
    """One AWS::Lambda::EventSourceMapping on a queue. Messages are deleted when the function is done with them; what
    fails becomes visible again after the queue's visibility timeout, and its redrive policy counts."""

    def __init__(
        self, mapping: Mapping[str, Any], region: str, sqs: SQSClient, invoke: Invoke, concurrency: int
    ) -> None:
        self._arn = mapping["EventSourceArn"]
        self._batch = int(mapping.get("BatchSize", 10))
        self._partial = "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", [])
        # As many at once as the mapping allows, and no more than there are environments to take them.
        self._workers = min(int(mapping.get("ScalingConfig", {}).get("MaximumConcurrency", concurrency)), concurrency)
        self._region, self._sqs, self._invoke = region, sqs, invoke

    def run(self, stop: threading.Event) -> None:
        url, free = queue_url(self._sqs, self._arn), threading.Semaphore(self._workers)
        with ThreadPoolExecutor(self._workers) as pool:
            while not stop.is_set():
                # A message is only received when somebody is there to work on it: its visibility timeout runs.
                if not free.acquire(timeout=0.5):
                    continue
                messages: list[Any] = []
                try:
                    messages = self._sqs.receive_message(
                        QueueUrl=url, MaxNumberOfMessages=min(self._batch, 10), WaitTimeSeconds=1,
                        AttributeNames=["All"], MessageAttributeNames=["All"],
                    ).get("Messages", [])  # fmt: skip
                except (ClientError, BotoCoreError):
                    stop.wait(1)
                if messages:
                    pool.submit(self._work, url, messages).add_done_callback(lambda _: free.release())
                else:
                    free.release()

    def _work(self, url: str, messages: list[Any]) -> None:
        try:
            result = self._invoke({"Records": [self._record(message) for message in messages]})
            if result.error:
                return
            failures = failed_items(result) if self._partial else set()
            ids = {message["MessageId"] for message in messages}
            if failures is None or not failures <= ids:
                return
            for message in messages:
                if message["MessageId"] not in failures:
                    self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        except TooManyRequests:
            return
        except (ClientError, BotoCoreError) as error:
            print(f"{self._arn}: {error}", flush=True)

    def _record(self, message: Mapping[str, Any]) -> Record:
        attributes = {
            name: {key[0].lower() + key[1:]: _plain(part) for key, part in value.items()}
            | {"stringListValues": [], "binaryListValues": []}
            for name, value in message.get("MessageAttributes", {}).items()
        }
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": attributes,
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._arn,
            "awsRegion": self._region,
        }


def queue_url(sqs: SQSClient, arn: str) -> str:
    """Made of the ARN, as Lambda does it: a function's role allows no question for it."""
    account, name = arn.rsplit(":", 2)[1:]
    return f"{sqs.meta.endpoint_url}/{account}/{name}"


def failed_items(result: Result) -> set[str] | None:
    """The identifiers in a function's ``batchItemFailures``; empty when all went well (an empty or null answer is that
    too), None when the answer is malformed, which counts as a failure of the whole batch."""
    try:
        answer = result.json()
        items = (answer or {}).get("batchItemFailures") or []
        identifiers = [item["itemIdentifier"] for item in items]
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return set(identifiers) if all(isinstance(one, str) and one for one in identifiers) else None


# ------------------------------------------------------------------ schedules


class Timer:
    """A schedule's rule: the function gets EventBridge's scheduled event every ``seconds``, once the first have gone
    by."""

    def __init__(self, name: str, seconds: float, region: str, invoke: Invoke) -> None:
        self._rule = f"arn:aws:events:{region}:{ACCOUNT}:rule/{name}"
        self._seconds, self._region, self._invoke = seconds, region, invoke

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(self._seconds):
            event = {
                "version": "0",
                "id": str(uuid.uuid4()),
                "detail-type": "Scheduled Event",
                "source": "aws.events",
                "account": ACCOUNT,
                "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "region": self._region,
                "resources": [self._rule],
                "detail": {},
            }
            try:
                self._invoke(event)
            except TooManyRequests:
                continue


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
