from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from local.event_sources.queues import QueueSource, queue_url
from tests.conftest import Aws
from tests.local.event_sources.worker import PARTIAL, Function, running, until

# Queues are the same whatever the tables stand on.
ON_MOTO = pytest.mark.parametrize("aws", ["moto"], indirect=True, scope="session")


@ON_MOTO
def test_messages_are_deleted_when_done_and_come_again_when_not(aws: Aws, make_queue: Callable[..., str]) -> None:
    queue = make_queue(VisibilityTimeout="2")  # longer than a batch takes on a busy machine
    sqs, failed_once = aws.client("sqs"), set[str]()

    def behave(names: list[str]) -> Any:
        ids = {one["body"]: one["messageId"] for one in worker.events[-1]["Records"]}
        fresh = [one for one in names if one.startswith("bad") and one not in failed_once]
        failed_once.update(fresh)
        return {"batchItemFailures": [{"itemIdentifier": ids[one]} for one in fresh]}

    def left() -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(told[name]) for name in names)

    worker = Function(behave)
    url = queue_url(sqs, queue)
    for body in ("good", "bad"):
        sqs.send_message(
            QueueUrl=url, MessageBody=body, MessageAttributes={"k": {"DataType": "String", "StringValue": "v"}}
        )
    mapping = {"EventSourceArn": queue, "BatchSize": 2, **PARTIAL}
    with running(QueueSource(mapping, "eu-north-1", sqs, worker, 1)):
        until(lambda: sum(batch.count("bad") for batch in worker.batches) == 2)
        until(lambda: left() == 0)
    names = [one for batch in worker.batches for one in batch]
    assert sorted(names) == ["bad", "bad", "good"]
    record = worker.events[-1]["Records"][0]
    assert (record["eventSource"], record["eventSourceARN"], record["awsRegion"]) == ("aws:sqs", queue, "eu-north-1")
    assert record["attributes"]["ApproximateReceiveCount"] == "2"
    assert record["messageAttributes"]["k"]["stringValue"] == "v"


@ON_MOTO
def test_a_message_that_keeps_failing_ends_in_the_dead_letter_queue(aws: Aws, make_queue: Callable[..., str]) -> None:
    sqs, dead = aws.client("sqs"), make_queue()
    redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 2})
    queue = make_queue(VisibilityTimeout="1", RedrivePolicy=redrive)
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
    two = threading.Barrier(2)

    def behave(_: list[str]) -> None:
        two.wait(8)  # they are at once, however long it takes to receive one
        time.sleep(0.2)

    worker = Function(behave)
    for n in range(8):
        sqs.send_message(QueueUrl=queue_url(sqs, queue), MessageBody=str(n))
    mapping = {"EventSourceArn": queue, "BatchSize": 1, "ScalingConfig": {"MaximumConcurrency": 2}}
    with running(QueueSource(mapping, "eu-north-1", sqs, worker, 8)):
        until(lambda: len(worker.batches) == 8)
    assert worker.most_at_once == 2
    assert {one for batch in worker.batches for one in batch} == set(map(str, range(8)))
