from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from local.events import QueueSource, StreamSource, Timer, as_lambda_record, failed_items, matches, queue_url
from local.runtime import Result
from tests.conftest import Aws

Event = dict[str, Any]

# Queues are the same whatever the tables stand on.
ON_MOTO = pytest.mark.parametrize("aws", ["moto"], indirect=True, scope="session")


class Function:
    """A function that answers what `behave` says, and remembers the keys (or bodies) of each batch it was given."""

    def __init__(self, behave: Callable[[list[str]], Any] = lambda _: None) -> None:
        self.behave = behave
        self.batches: list[list[str]] = []
        self.events: list[Event] = []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> Result:
        names = [one["body"] if "body" in one else one["dynamodb"]["Keys"]["id"]["S"] for one in event["Records"]]
        with self._lock:
            self.batches.append(names)
            self.events.append(event)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return Result(json.dumps(self.behave(names)).encode(), None, "r")
        except ValueError as error:
            return Result(json.dumps({"errorMessage": str(error)}).encode(), "Unhandled", "r")
        finally:
            with self._lock:
                self.at_once -= 1


def until(holds: Callable[[], Any], seconds: float = 8) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@contextmanager
def running(source: StreamSource | QueueSource | Timer) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=source.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def queue(aws: Aws) -> str:
    """The ARN of a queue of this test's own."""
    return make_queue(aws)


def make_queue(aws: Aws, **attributes: str) -> str:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex}", Attributes=attributes)["QueueUrl"]
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


class Table:
    """A table with a stream, of one test's own."""

    def __init__(self, aws: Aws) -> None:
        self._dynamodb = aws.client("dynamodb")
        self.name = f"t-{uuid.uuid4().hex}"
        created = self._dynamodb.create_table(
            TableName=self.name,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        self.stream = str(created["TableDescription"]["LatestStreamArn"])

    def put(self, *ids: str, **attributes: Any) -> None:
        for one in ids:
            self._dynamodb.put_item(TableName=self.name, Item={"id": {"S": one}, **attributes})


@pytest.fixture
def table(aws: Aws) -> Table:
    return Table(aws)


def stream_source(aws: Aws, table: Table, worker: Function, **mapping: Any) -> StreamSource:
    mapping = {"EventSourceArn": table.stream, "BatchSize": 10, "MaximumRetryAttempts": 1, **mapping}
    clients = aws.client("dynamodbstreams"), aws.client("sqs")
    return StreamSource(mapping, aws.template.region, *clients, worker, "arn:function")


PARTIAL = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}


def test_records_come_in_order_in_lambdas_shape(aws: Aws, table: Table) -> None:
    worker = Function()
    table.put("a", data={"B": b"\x00\xff"}, nested={"L": [{"M": {"n": {"N": "1.50"}}}]})
    with running(stream_source(aws, table, worker, BatchSize=3)):
        until(lambda: worker.batches == [["a"]])
        table.put("b", "c", "d", "e")
        table.put("a", data={"B": b"x"})
        until(lambda: sum(map(len, worker.batches)) == 6)
    assert [one for batch in worker.batches for one in batch] == ["a", "b", "c", "d", "e", "a"]
    assert max(map(len, worker.batches)) <= 3
    record = worker.events[0]["Records"][0]
    assert (record["eventName"], record["eventSource"], record["awsRegion"]) == ("INSERT", "aws:dynamodb", "eu-north-1")
    assert record["eventSourceARN"] == table.stream
    change = record["dynamodb"]
    assert change["NewImage"]["data"] == {"B": "AP8="}
    assert set(change["NewImage"]["nested"]["L"][0]["M"]) == {"n"}
    assert abs(change["ApproximateCreationDateTime"] - time.time()) < 60
    assert change["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert json.loads(json.dumps(record)) == record
    last = worker.events[-1]["Records"][-1]
    assert (last["eventName"], last["dynamodb"]["OldImage"]["data"]) == ("MODIFY", {"B": "AP8="})


def test_the_filter_keeps_what_does_not_match_away(aws: Aws, table: Table) -> None:
    worker = Function()
    patterns = {"Filters": [{"Pattern": json.dumps({"dynamodb": {"NewImage": {"mark": {"S": [{"exists": True}]}}}})}]}
    table.put("plain")
    with running(stream_source(aws, table, worker, FilterCriteria=patterns)):
        table.put("marked", mark={"S": "x"})
        # A write that changes nothing is no record in DynamoDB.
        table.put("marked", mark={"S": "x"})
        table.put("last", mark={"S": "x"})
        until(lambda: worker.batches and "last" in worker.batches[-1])
    assert [one for batch in worker.batches for one in batch] == ["marked", "last"]


def test_a_reported_failure_is_tried_again_from_that_record_on(aws: Aws, table: Table) -> None:
    failing = ["b"]

    def behave(names: list[str]) -> Any:
        bad = [one for one in names if one in failing]
        numbers = {
            one["dynamodb"]["Keys"]["id"]["S"]: one["dynamodb"]["SequenceNumber"]
            for one in worker.events[-1]["Records"]
        }
        if len(worker.batches) == 3:
            failing.clear()
        return {"batchItemFailures": [{"itemIdentifier": numbers[one]} for one in bad]}

    worker = Function(behave)
    table.put("a", "b", "c")
    with running(stream_source(aws, table, worker, MaximumRetryAttempts=5, **PARTIAL)):
        until(lambda: len(worker.batches) >= 4)
    assert worker.batches == [["a", "b", "c"], ["b", "c"], ["b", "c"], ["b", "c"]]


def test_a_poisoned_record_is_isolated_told_to_the_destination_and_passed(aws: Aws, table: Table, queue: str) -> None:
    worker = Function(lambda names: int("poison" in names and "x"))
    table.put("a", "poison", "b", "c")
    told = {"BisectBatchOnFunctionError": True, "DestinationConfig": {"OnFailure": {"Destination": queue}}}
    with running(stream_source(aws, table, worker, **told)):
        until(lambda: worker.batches and worker.batches[-1][-1] == "c" and "poison" not in worker.batches[-1])
        table.put("later")
        until(lambda: ["later"] in worker.batches)
    assert worker.batches.count(["poison"]) == 2  # the first try and one retry
    sqs = aws.client("sqs")
    (message,) = sqs.receive_message(QueueUrl=queue_url(sqs, queue), MaxNumberOfMessages=10)["Messages"]
    body = json.loads(message["Body"])
    assert body["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert body["requestContext"]["approximateInvokeCount"] == 2
    where = body["DDBStreamBatchInfo"]
    assert (where["batchSize"], where["streamArn"]) == (1, table.stream)
    assert where["startSequenceNumber"] == where["endSequenceNumber"]
    streams = aws.client("dynamodbstreams")
    iterator = streams.get_shard_iterator(
        StreamArn=table.stream,
        ShardId=where["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=where["startSequenceNumber"],
    )["ShardIterator"]
    assert streams.get_records(ShardIterator=iterator)["Records"][0]["dynamodb"]["Keys"] == {"id": {"S": "poison"}}


def test_without_bisect_the_whole_batch_is_given_up(aws: Aws, table: Table, queue: str) -> None:
    worker = Function(lambda names: int("poison" in names and "x"))
    table.put("a", "poison")
    with running(stream_source(aws, table, worker, DestinationConfig={"OnFailure": {"Destination": queue}})):
        until(lambda: len(worker.batches) == 2)
        table.put("later")
        until(lambda: ["later"] in worker.batches)
    assert worker.batches == [["a", "poison"], ["a", "poison"], ["later"]]


def test_an_answer_that_names_no_record_of_the_batch_fails_all_of_it(aws: Aws, table: Table) -> None:
    worker = Function(lambda _: {"batchItemFailures": [{"itemIdentifier": "nonsense"}]})
    table.put("a", "b")
    with running(stream_source(aws, table, worker, **PARTIAL)):
        until(lambda: len(worker.batches) == 2)
    assert worker.batches == [["a", "b"], ["a", "b"]]


@ON_MOTO
def test_messages_are_deleted_when_done_and_come_again_when_not(aws: Aws) -> None:
    queue = make_queue(aws, VisibilityTimeout="1")
    sqs, failed_once = aws.client("sqs"), set[str]()

    def behave(names: list[str]) -> Any:
        ids = {one["body"]: one["messageId"] for one in worker.events[-1]["Records"]}
        fresh = [one for one in names if one.startswith("bad") and one not in failed_once]
        failed_once.update(fresh)
        return {"batchItemFailures": [{"itemIdentifier": ids[one]} for one in fresh]}

    worker = Function(behave)
    url = queue_url(sqs, queue)
    for body in ("good", "bad"):
        sqs.send_message(
            QueueUrl=url, MessageBody=body, MessageAttributes={"k": {"DataType": "String", "StringValue": "v"}}
        )
    mapping = {"EventSourceArn": queue, "BatchSize": 2, **PARTIAL}
    with running(QueueSource(mapping, "eu-north-1", sqs, worker, 1)):
        until(lambda: sum(batch.count("bad") for batch in worker.batches) == 2)
        time.sleep(1.2)
    names = [one for batch in worker.batches for one in batch]
    assert sorted(names) == ["bad", "bad", "good"]
    record = worker.events[-1]["Records"][0]
    assert (record["eventSource"], record["eventSourceARN"], record["awsRegion"]) == ("aws:sqs", queue, "eu-north-1")
    assert record["attributes"]["ApproximateReceiveCount"] == "2"
    assert record["messageAttributes"]["k"]["stringValue"] == "v"


@ON_MOTO
def test_a_message_that_keeps_failing_ends_in_the_dead_letter_queue(aws: Aws) -> None:
    sqs, dead = aws.client("sqs"), make_queue(aws)
    redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 2})
    queue = make_queue(aws, VisibilityTimeout="1", RedrivePolicy=redrive)
    worker = Function(lambda _: int("x"))
    sqs.send_message(QueueUrl=queue_url(sqs, queue), MessageBody="bad")

    def dead_letters() -> list[Any]:
        found: list[Any] = sqs.receive_message(QueueUrl=queue_url(sqs, dead)).get("Messages", [])
        return found

    with running(QueueSource({"EventSourceArn": queue, "BatchSize": 1}, "eu-north-1", sqs, worker, 1)):
        until(lambda: [one["Body"] for one in dead_letters()] == ["bad"])
    assert worker.batches == [["bad"], ["bad"]]


@ON_MOTO
def test_a_queue_is_worked_on_by_no_more_at_once_than_allowed(aws: Aws, queue: str) -> None:
    sqs = aws.client("sqs")
    worker = Function(lambda _: time.sleep(0.2))
    for n in range(8):
        sqs.send_message(QueueUrl=queue_url(sqs, queue), MessageBody=str(n))
    mapping = {"EventSourceArn": queue, "BatchSize": 1, "ScalingConfig": {"MaximumConcurrency": 2}}
    with running(QueueSource(mapping, "eu-north-1", sqs, worker, 8)):
        until(lambda: len(worker.batches) == 8)
    assert worker.most_at_once == 2
    assert {one for batch in worker.batches for one in batch} == set(map(str, range(8)))


def test_a_schedule_sends_eventbridges_event() -> None:
    events: list[Any] = []

    def invoke(event: Any) -> Result:
        events.append(event)
        return Result(b"null", None, "r")

    with running(Timer("Rule", 0.1, "eu-north-1", invoke)):
        until(lambda: len(events) == 2)
    assert (events[0]["source"], events[0]["detail-type"], events[0]["detail"]) == ("aws.events", "Scheduled Event", {})
    assert datetime.fromisoformat(events[0]["time"]).tzinfo == UTC
    assert events[0]["resources"] == ["arn:aws:events:eu-north-1:123456789012:rule/Rule"]


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ({"a": ["x", 1]}, {"a": 1}, True),
        ({"a": ["x"]}, {"a": "y"}, False),
        ({"a": ["x"]}, {}, False),
        ({"a": [None]}, {"a": None}, True),
        ({"a": [None]}, {}, False),
        ({"a": [{"exists": True}]}, {"a": "y"}, True),
        ({"a": [{"exists": True}]}, {"a": {"b": 1}}, False),
        ({"a": [{"exists": False}]}, {}, True),
        ({"a": {"b": [{"exists": False}]}}, {}, True),
        ({"a": {"b": [{"prefix": "ab"}]}}, {"a": {"b": "abc"}}, True),
        ({"a": ["x"], "b": ["y"]}, {"a": "x", "b": "z"}, False),
    ],
)
def test_event_filters(pattern: Any, value: Any, expected: bool) -> None:
    assert matches(pattern, value) is expected


def test_an_unknown_event_filter_is_an_error() -> None:
    with pytest.raises(ValueError, match="numeric"):
        matches({"a": [{"numeric": [">", 1]}]}, {"a": 2})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"null", set()),
        (b"{}", set()),
        (b'{"batchItemFailures": []}', set()),
        (b'{"batchItemFailures": null}', set()),
        (b'{"batchItemFailures": [{"itemIdentifier": "1"}]}', {"1"}),
        (b'{"batchItemFailures": [{"itemIdentifier": ""}]}', None),
        (b'{"batchItemFailures": [{"itemIdentifier": null}]}', None),
        (b'{"batchItemFailures": [{"other": "1"}]}', None),
        (b'"text"', None),
        (b"broken", None),
    ],
)
def test_partial_failures_are_read_as_lambda_reads_them(answer: bytes, expected: set[str] | None) -> None:
    assert failed_items(Result(answer, None, "r")) == expected


def test_a_record_without_binary_keeps_its_values() -> None:
    change = {
        "Keys": {"id": {"S": "a"}},
        "SequenceNumber": "1",
        "ApproximateCreationDateTime": datetime(2026, 11, 22, tzinfo=UTC),
    }
    record = as_lambda_record({"eventName": "REMOVE", "dynamodb": change}, "arn:s", "eu-north-1")
    assert record["dynamodb"]["ApproximateCreationDateTime"] == 1795305600.0
    assert record["dynamodb"]["Keys"] == {"id": {"S": "a"}}
