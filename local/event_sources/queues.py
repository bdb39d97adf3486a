"""The event source mapping on a queue."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.event_sources.answers import Invoke, failed_items
from local.event_sources.records import Record, plain
from local.output import say
from local.runtime.function import TooManyRequests

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient


class QueueSource:
    """One AWS::Lambda::EventSourceMapping on a queue. Messages are deleted when the function is done with them; what
    fails becomes visible again after the queue's visibility timeout, and its redrive policy counts."""

    def __init__(
        self, mapping: Mapping[str, Any], region: str, sqs: SQSClient, invoke: Invoke, concurrency: int
    ) -> None:
        self._arn = mapping["EventSourceArn"]
        self._batch = int(mapping.get("BatchSize", 10))
        self._partial = "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", [])
        # As many concurrent batches as the mapping allows, and no more than there are environments.
        self._workers = min(int(mapping.get("ScalingConfig", {}).get("MaximumConcurrency", concurrency)), concurrency)
        self._region, self._sqs, self._invoke = region, sqs, invoke

    def run(self, stop: threading.Event) -> None:
        url, free = queue_url(self._sqs, self._arn), threading.Semaphore(self._workers)
        with ThreadPoolExecutor(self._workers) as pool:
            while not stop.is_set():
                # A message is only received when an environment is free, because its visibility timeout starts then.
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
            say(f"{self._arn}: {error}")

    def _record(self, message: Mapping[str, Any]) -> Record:
        attributes = {
            name: {key[0].lower() + key[1:]: plain(part) for key, part in value.items()}
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
