"""The dead-letter queues: lists their messages, and processes them again.

A pending refund can be found without them, because the order records it. A message that is processed again has no
second effect, because everything behind the queues is idempotent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.adapters.dynamodb.refunds import Refunds
from cancel_core.adapters.eventbridge import Bus
from cancel_core.entrypoints.order_stream import read_changes
from cancel_core.entrypoints.request_streams import read_request_records
from cancel_core.services.announce import publish_changes
from cancel_core.services.process_requests import Desk, process_requests

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams.client import DynamoDBStreamsClient
    from types_boto3_sqs.client import SQSClient

REQUESTS = "RequestDeadLetterQueue"
"""The stream of the two that has requests to the shop."""
LOOK_SECONDS = 120
"""How long a message that was read stays hidden from others, unless it is released before."""
WAIT_SECONDS = 1
"""The duration of a long poll, which asks all of a queue's servers; a short poll may miss messages."""
EMPTY_PAGES = 100
"""The most empty pages of a stream that are read before the one with the records."""


class Letter(NamedTuple):
    """One message of a dead-letter queue. `about`: an order, or the position of a stream's records."""

    queue: str
    receipt_handle: str
    body: str
    about: str


@contextmanager
def look(sqs: SQSClient, queues: Mapping[str, str]) -> Iterator[Iterator[Letter]]:
    """Every message in the queues ({name: URL}), once, in the order received. Those not deleted are released at the
    end.
    """
    held: list[tuple[str, Letter]] = []

    def letters() -> Iterator[Letter]:
        for name, url in queues.items():
            while messages := sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=LOOK_SECONDS, WaitTimeSeconds=WAIT_SECONDS
            ).get("Messages"):
                found = [Letter(name, one["ReceiptHandle"], one["Body"], _about(name, one["Body"])) for one in messages]
                held.extend((url, letter) for letter in found)
                yield from found

    try:
        yield letters()
    finally:
        for url, letter in held:
            # One that was deleted, or that someone else has received since, must not be released.
            with suppress(ClientError):
                sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=letter.receipt_handle, VisibilityTimeout=0)


def _about(queue: str, body: str) -> str:
    try:
        content = json.loads(body)
        if batch := content.get("DDBStreamBatchInfo"):
            what = "requests" if queue == REQUESTS else "orders"
            return f"{batch['batchSize']} change(s) of {what} at {batch['startSequenceNumber']} of {batch['shardId']}"
        return f"order {content['detail']['order_id']}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return "unreadable"


def send_again(sqs: SQSClient, letter: Letter, dead: str, refund_queue: str) -> str:
    """Moves a refund's message back to the refund queue (both URLs). Sent first, then deleted, so that it is never
    lost.
    """
    sqs.send_message(QueueUrl=refund_queue, MessageBody=letter.body)
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=letter.receipt_handle)
    return f"{letter.about}: sent to the refund queue again"


def publish_again(
    look_up: LookUp, orders: Orders, refunds: Refunds, bus: Bus, letter: Letter, dead: str, now: datetime
) -> str:
    """Publishes the changes in the records of a failed batch, from the stream, which keeps them for a day."""

    def publish(records: list[Any]) -> list[str]:
        ours = [record for record in records if _carries(record, "cancellation")]
        return publish_changes(orders, refunds, bus, read_changes(ours), now)

    trimmed = "Pending refunds go on all the same; orders changed at"
    return _do_again(look_up, letter, dead, publish, Told("published", trimmed))


def process_again(look_up: LookUp, desk: Desk, letter: Letter, dead: str, clock: Callable[[], datetime]) -> str:
    """Processes the requests in the records of a failed batch, from the stream, which keeps them for a day."""

    def process(records: list[Any]) -> list[str]:
        return process_requests(desk, read_request_records(filter(_is_of_a_request, records)), clock)

    trimmed = "Decisions on rows are carried out all the same; a request may lack its row, of an order changed at"
    return _do_again(look_up, letter, dead, process, Told("dealt with", trimmed))


class LookUp(NamedTuple):
    """The position of a failed batch's message, and its records."""

    sqs: SQSClient
    streams: DynamoDBStreamsClient


class Told(NamedTuple):
    """The words for records that were processed, and for those that no longer exist."""

    done: str
    trimmed: str


def _do_again(look_up: LookUp, letter: Letter, dead: str, do: Callable[[list[Any]], list[str]], told: Told) -> str:
    """`do` returns the records that failed."""
    sqs, streams = look_up
    batch = json.loads(letter.body)["DDBStreamBatchInfo"]
    try:
        records = _records(streams, batch)
    except (streams.exceptions.TrimmedDataAccessException, streams.exceptions.ResourceNotFoundException):
        when = batch["approximateArrivalOfFirstRecord"]
        return f"{letter.about}: no longer in the stream. {told.trimmed} {when}"
    if records is None:
        return f"{letter.about}: not all of them were found in the stream; left where it is, try again in a minute"
    if failed := do(records):
        return f"{letter.about}: {len(failed)} can still not be {told.done}; the lines above say why"
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=letter.receipt_handle)
    return f"{letter.about}: {told.done}"


def _records(streams: DynamoDBStreamsClient, batch: Mapping[str, Any]) -> list[Any] | None:
    """The records from a failed batch's first to its last one; None if not all were found.

    A page of a stream may be empty, and the next one not (API reference, "GetRecords").
    """
    iterator = streams.get_shard_iterator(
        StreamArn=batch["streamArn"],
        ShardId=batch["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=batch["startSequenceNumber"],
    )["ShardIterator"]
    records: list[Any] = []
    empty = 0
    while iterator and empty < EMPTY_PAGES:
        answer = streams.get_records(ShardIterator=iterator)
        empty = 0 if answer["Records"] else empty + 1
        for record in answer["Records"]:
            records.append(record)
            if record["dynamodb"]["SequenceNumber"] == batch["endSequenceNumber"]:
                return records
        iterator = answer.get("NextShardIterator", "")
    return None


def _carries(record: Mapping[str, Any], name: str) -> bool:
    """As the template's filters: orders that have, or had, a map of this name."""
    return any("M" in record["dynamodb"].get(image, {}).get(name, {}) for image in ("OldImage", "NewImage"))


def _is_of_a_request(record: Mapping[str, Any]) -> bool:
    """As the template's filters, for either stream."""
    if "request_id" not in record["dynamodb"]["Keys"]:
        return _carries(record, "cancellation_request")
    image = {"MODIFY": "NewImage", "REMOVE": "OldImage"}.get(record["eventName"])
    return image is not None and record["dynamodb"][image].get("status") == {"S": "open"}
