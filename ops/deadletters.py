"""The dead-letter queues: what lies there, and how it gets back on its way.

Nothing in them is needed to find a pending refund, which the order itself remembers. What is put back is done once all
the same, because everything behind the queues is safe to do twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.adapters.eventbridge import Bus
from cancel_core.entrypoints.order_stream import read_changes
from cancel_core.services.announce import publish_changes

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams.client import DynamoDBStreamsClient
    from types_boto3_sqs.client import SQSClient

LOOK_SECONDS = 2
"""How long a message that was looked at stays hidden: who lists them wants to put them back right after."""


class Letter(NamedTuple):
    """One message of a dead-letter queue. `about`: an order, or where a stream's records lie."""

    queue: str
    receipt_handle: str
    body: str
    about: str


def look(sqs: SQSClient, queues: Mapping[str, str]) -> Iterator[Letter]:
    """Every message in the queues ({name: URL}), once."""
    for name, url in queues.items():
        seen: set[str] = set()
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=LOOK_SECONDS).get(
            "Messages"
        ):
            fresh = [message for message in messages if message["MessageId"] not in seen]
            if not fresh:
                break
            for message in fresh:
                seen.add(message["MessageId"])
                yield Letter(name, message["ReceiptHandle"], message["Body"], _about(message["Body"]))


def _about(body: str) -> str:
    try:
        content = json.loads(body)
        if batch := content.get("DDBStreamBatchInfo"):
            return f"{batch['batchSize']} change(s) of orders at {batch['startSequenceNumber']} of {batch['shardId']}"
        return f"order {content['detail']['order_id']}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return "unreadable"


def send_again(sqs: SQSClient, letter: Letter, dead: str, refund_queue: str) -> str:
    """Puts a refund's message back into the refund queue (URLs both). Sent first, then deleted: never lost."""
    sqs.send_message(QueueUrl=refund_queue, MessageBody=letter.body)
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=letter.receipt_handle)
    return f"{letter.about}: sent to the refund queue again"


def publish_again(
    streams: DynamoDBStreamsClient, sqs: SQSClient, orders: Orders, bus: Bus, letter: Letter, dead: str, now: datetime
) -> str:
    """Publishes the changes that a failed batch's message tells of, from the stream, which keeps them for a day."""
    batch = json.loads(letter.body)["DDBStreamBatchInfo"]
    try:
        records = _records(streams, batch)
    except (streams.exceptions.TrimmedDataAccessException, streams.exceptions.ResourceNotFoundException):
        when = batch["approximateArrivalOfFirstRecord"]
        return f"{letter.about}: no longer in the stream. Pending refunds go on all the same; orders changed at {when}"
    if failed := publish_changes(orders, bus, read_changes(records), now):
        return f"{letter.about}: {len(failed)} can still not be published; the lines above say why"
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=letter.receipt_handle)
    return f"{letter.about}: published"


def _records(streams: DynamoDBStreamsClient, batch: Mapping[str, Any]) -> list[Any]:
    iterator = streams.get_shard_iterator(
        StreamArn=batch["streamArn"],
        ShardId=batch["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=batch["startSequenceNumber"],
    )["ShardIterator"]
    records: list[Any] = []
    while iterator:
        answer = streams.get_records(ShardIterator=iterator)
        for record in answer["Records"]:
            records.append(record)
            if record["dynamodb"]["SequenceNumber"] == batch["endSequenceNumber"]:
                return [record for record in records if _is_ours(record)]
        if not answer["Records"]:
            break
        iterator = answer.get("NextShardIterator", "")
    return [record for record in records if _is_ours(record)]


def _is_ours(record: Mapping[str, Any]) -> bool:
    """As the template's filter has it: orders that have, or had, a cancellation."""
    return any("cancellation" in record["dynamodb"].get(image, {}) for image in ("OldImage", "NewImage"))
