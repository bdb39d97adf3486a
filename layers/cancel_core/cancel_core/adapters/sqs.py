"""SQS: the refund queue, as far as the refund function itself has to do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from cancel_core.adapters import aws
from cancel_core.telemetry import logger

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient

LONGEST_DELAY_SECONDS = 900


def client() -> SQSClient:
    made: SQSClient = aws.client("sqs", tries=2)
    return made


def delay(first: int, received: int) -> int:
    """Seconds until a message that was received so many times comes again: each wait is four times the one before."""
    return min(first << 2 * (received - 1), LONGEST_DELAY_SECONDS)


class Queue:
    """A queue whose messages Lambda receives and deletes."""

    def __init__(self, client: SQSClient, url: str, retry_seconds: int) -> None:
        self._client = client
        self._url = url
        self._retry_seconds = retry_seconds

    def postpone(self, receipt_handle: str, received: int) -> None:
        """Has a message come again after a while; where that fails, after the queue's own visibility timeout."""
        seconds = delay(self._retry_seconds, received)
        try:
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
        except (ClientError, BotoCoreError):
            logger.warning("the message keeps the queue's visibility timeout", exc_info=True)
