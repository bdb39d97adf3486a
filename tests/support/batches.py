"""What Lambda says of a batch of the orders table's stream that failed for good."""

from __future__ import annotations

from typing import Any

import boto3

from tests.support.stack import Running


def failed_batch(stack: Running, order_id: str, carries: str, most: int | None = None) -> dict[str, Any]:
    """The message in the dead-letter queue: the first `most` changes after which the order carries this attribute, or
    all of them.
    """
    session = boto3.Session("local", "local", region_name=stack.info.region)
    streams = session.client("dynamodbstreams", endpoint_url=stack.info.dynamodb_endpoint_url)
    (stream,) = streams.list_streams(TableName=stack.info.tables["orders"])["Streams"]
    (shard,) = streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(
        StreamArn=stream["StreamArn"], ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    found: list[str] = []
    while iterator:
        answer = streams.get_records(ShardIterator=iterator)
        found += [
            record["dynamodb"]["SequenceNumber"]
            for record in answer["Records"]
            if record["dynamodb"]["Keys"]["order_id"]["S"] == order_id and carries in record["dynamodb"]["NewImage"]
        ]
        iterator = answer["NextShardIterator"] if answer["Records"] else ""
    numbers = found[:most]
    return {
        "DDBStreamBatchInfo": {
            "shardId": shard["ShardId"],
            "startSequenceNumber": numbers[0],
            "endSequenceNumber": numbers[-1],
            "approximateArrivalOfFirstRecord": "2026-11-22T10:00:00Z",
            "batchSize": len(numbers),
            "streamArn": stream["StreamArn"],
        }
    }
