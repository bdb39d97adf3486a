"""SQS: the refund queue, as far as the refund function itself has to do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cancel_core.telemetry import logger

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient

FIRST_DELAY_SECONDS = 5
LONGEST_DELAY_SECONDS = 900


def client() -> SQSClient:
    return boto3.client(
        "sqs", config=Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})
    )


def delay(received: int) -> int:
    """Seconds until a message that was received so many times comes again: 5, 20, 80, 320, at most 900."""
    return min(FIRST_DELAY_SECONDS << 2 * (received - 1), LONGEST_DELAY_SECONDS)


class Queue:
    """A queue whose messages Lambda receives and deletes."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def postpone(self, receipt_handle: str, seconds: int) -> None:
        """Has a message come again after so long; where that fails, after the queue's own visibility timeout."""
        try:
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
        except (ClientError, BotoCoreError):
            logger.warning("the message keeps the queue's visibility timeout", exc_info=True)
