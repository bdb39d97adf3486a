"""SQS: sending messages, and setting the delay of a redelivery."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from cancel_core.adapters import aws
from cancel_core.errors import ServiceUnavailable
from cancel_core.telemetry import logger

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient

LONGEST_DELAY_SECONDS = 900
TRY_AGAIN = "The service is busy. Try again shortly."


def client() -> SQSClient:
    made: SQSClient = aws.client("sqs", tries=2)
    return made


def delay(first: int, received: int) -> int:
    """Seconds until a message with this receive count is redelivered: each delay is four times the one before."""
    return min(first << 2 * (received - 1), LONGEST_DELAY_SECONDS)


class Queue:
    """A queue whose messages Lambda receives and deletes."""

    def __init__(
        self, client: SQSClient, url: str, retry_seconds: int, longest_seconds: int = LONGEST_DELAY_SECONDS
    ) -> None:
        self._client = client
        self._url = url
        self._retry_seconds = retry_seconds
        self._longest_seconds = longest_seconds

    def postpone(self, receipt_handle: str, received: int) -> None:
        """Sets the delay of a message's redelivery. If that fails, the queue's visibility timeout applies."""
        seconds = min(delay(self._retry_seconds, received), self._longest_seconds)
        try:
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
        except (ClientError, BotoCoreError):
            logger.warning("the message keeps the queue's visibility timeout", exc_info=True)


class Outbox:
    """A queue to send messages to."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, message: Mapping[str, Any]) -> None:
        """Raises `ServiceUnavailable`; the message may have been sent nevertheless."""
        try:
            self._client.send_message(QueueUrl=self._url, MessageBody=json.dumps(message, separators=(",", ":")))
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
            if status < 500 and "Throttl" not in error.response["Error"]["Code"]:
                raise
            raise ServiceUnavailable(TRY_AGAIN) from error
        except BotoCoreError as error:
            raise ServiceUnavailable(TRY_AGAIN) from error
