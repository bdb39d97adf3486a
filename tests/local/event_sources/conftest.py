"""Queues of a test's own."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from tests.conftest import Aws


@pytest.fixture
def make_queue(aws: Aws) -> Callable[..., str]:
    """Makes a queue with the attributes given, and tells its ARN."""

    def make(**attributes: str) -> str:
        sqs = aws.client("sqs")
        url = sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex}", Attributes=attributes)["QueueUrl"]
        return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])

    return make


@pytest.fixture
def queue(make_queue: Callable[..., str]) -> str:
    """The ARN of a queue of this test's own."""
    return make_queue()
