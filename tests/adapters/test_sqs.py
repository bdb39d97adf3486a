"""Queues: a message that could not be processed is delivered again after a while."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from cancel_core.adapters.sqs import Outbox, Queue, delay
from cancel_core.errors import ServiceUnavailable

from tests.support.tables import Aws, impatient


def test_the_delay_grows() -> None:
    assert [delay(5, received) for received in range(1, 7)] == [5, 20, 80, 320, 900, 900]


def received(sqs: Any, url: str, wait: int) -> list[Any]:
    messages: list[Any] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=wait).get("Messages", [])
    return messages


def test_a_message_comes_again_sooner_than_the_queue_would_have_it(aws: Aws) -> None:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=str(uuid4()), Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="refund")
    (message,) = received(sqs, url, 1)

    Queue(sqs, url, 1).postpone(message["ReceiptHandle"], 1)

    assert received(sqs, url, 0) == []
    assert [one["Body"] for one in received(sqs, url, 10)] == ["refund"]


def test_a_queue_that_does_not_answer_keeps_its_own_time(caplog: pytest.LogCaptureFixture) -> None:
    Queue(impatient("sqs", 1), "http://127.0.0.1:1/queue", 1).postpone("handle", 1)

    assert "keeps the queue's visibility timeout" in caplog.text


def test_what_is_put_into_a_queue_lies_there(aws: Aws) -> None:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=str(uuid4()))["QueueUrl"]

    Outbox(sqs, url).send({"order_id": "o1", "code": "000001"})

    assert [json.loads(one["Body"]) for one in received(sqs, url, 1)] == [{"order_id": "o1", "code": "000001"}]


def test_a_queue_that_is_away_is_unavailable_and_one_that_is_none_a_defect(aws: Aws) -> None:
    with pytest.raises(ServiceUnavailable):
        Outbox(impatient("sqs", 1), "http://127.0.0.1:1/queue").send({})
    with pytest.raises(ClientError):
        Outbox(aws.client("sqs"), f"{aws.client('sqs').meta.endpoint_url}/123456789012/none").send({})
