from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest

from local.event_sources.queues import queue_url
from local.event_sources.stream import StreamSource
from tests.conftest import Aws
from tests.local.event_sources.worker import PARTIAL, Function, running, until


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


def test_records_come_in_order_in_lambdas_shape(aws: Aws, table: Table) -> None:
    worker, began = Function(), time.time()
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
    # DynamoDB Local tells the minute in which it was written.
    assert began - began % 60 <= change["ApproximateCreationDateTime"] <= time.time()
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
