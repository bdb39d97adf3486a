"""The order system's, the admin's and the operator's side: plain boto3 against the local stack."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
from boto3.dynamodb.types import TypeSerializer
from botocore.config import Config

from tests.support.schemas import assert_event

if TYPE_CHECKING:
    from boto3.dynamodb.conditions import ConditionBase
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_dynamodb.service_resource import Table
    from types_boto3_events.client import EventBridgeClient
    from types_boto3_sqs.client import SQSClient


@dataclass(frozen=True)
class StackInfo:
    """What GET /local/stack tells."""

    endpoint_url: str
    dynamodb_endpoint_url: str
    stripe_url: str
    region: str
    tables: dict[str, str]
    history_tables: dict[str, str]
    event_bus: str
    queues: dict[str, str]
    functions: list[str]

    @classmethod
    def of(cls, document: dict[str, Any]) -> StackInfo:
        return cls(**{name: document[name] for name in cls.__dataclass_fields__})


class Aws:
    """Tables, bus and queues of a running local stack."""

    def __init__(self, info: StackInfo) -> None:
        self.info = info
        self._session = boto3.Session(
            aws_access_key_id="local",
            aws_secret_access_key="local",  # the local stack checks no signature
            region_name=info.region,
        )
        # As many connections as there are threads that want one, under load.
        self._config = Config(
            retries={"mode": "standard", "total_max_attempts": 3}, proxies={}, max_pool_connections=64
        )
        dynamodb = self._session.resource("dynamodb", endpoint_url=info.dynamodb_endpoint_url, config=self._config)
        self.orders: Table = dynamodb.Table(info.tables["orders"])
        self.withdrawals: Table = dynamodb.Table(info.tables["withdrawals"])
        self.requests: Table = dynamodb.Table(info.tables["requests"])
        self.mails: Table = dynamodb.Table(info.tables["mails"])
        self.config: Table = dynamodb.Table(info.tables["config"])
        self.history: Table = dynamodb.Table(info.history_tables["config"])
        self.refunds: Table = dynamodb.Table(info.tables["refunds"])
        self.events: EventBridgeClient = self._session.client(
            "events", endpoint_url=info.endpoint_url, config=self._config
        )
        self.sqs: SQSClient = self._session.client("sqs", endpoint_url=info.endpoint_url, config=self._config)
        self._dynamodb = dynamodb
        self._raw: DynamoDBClient = self._session.client(
            "dynamodb", endpoint_url=info.dynamodb_endpoint_url, config=self._config
        )

    def order(self, order_id: str) -> dict[str, Any]:
        """An order as it lies in the table."""
        return self._item(self.orders, {"order_id": order_id})

    def raw_order(self, order_id: str) -> dict[str, Any]:
        """An order as DynamoDB's own attribute values; the elements of sets, which have no order, sorted."""
        answer = self._raw.get_item(
            TableName=self.info.tables["orders"], Key={"order_id": {"S": order_id}}, ConsistentRead=True
        )
        return {name: _sorted_sets(value) for name, value in answer["Item"].items()}

    def refund(self, refund_id: str) -> dict[str, Any]:
        return self._item(self.refunds, {"refund_id": refund_id})

    def rows(self, table: str, only: ConditionBase | None = None) -> list[dict[str, Any]]:
        """All that lies in a table, by its name in GET /local/stack: one scan ends at a megabyte."""
        condition: Any = {} if only is None else {"FilterExpression": only}
        pages = self._dynamodb.meta.client.get_paginator("scan").paginate(
            TableName=self.info.tables[table], ConsistentRead=True, **condition
        )
        return [dict(item) for page in pages for item in page["Items"]]

    def config_item(self, scope: str) -> dict[str, Any] | None:
        item: dict[str, Any] | None = self.config.get_item(Key={"scope": scope}, ConsistentRead=True).get("Item")
        return item

    @staticmethod
    def _item(table: Table, key: dict[str, str]) -> dict[str, Any]:
        answer: dict[str, Any] = dict(table.get_item(Key=key, ConsistentRead=True))
        assert "Item" in answer, f"nothing under {key} in {table.name}"
        item: dict[str, Any] = answer["Item"]
        return item

    def close(self) -> None:
        for client in (self._dynamodb.meta.client, self._raw, self.events, self.sqs):
            client.close()


def _sorted_sets(value: Any) -> Any:
    ((kind, content),) = value.items()
    match kind:
        case "M":
            return {kind: {name: _sorted_sets(inner) for name, inner in content.items()}}
        case "L":
            return {kind: [_sorted_sets(inner) for inner in content]}
        case "SS" | "NS" | "BS":
            return {kind: sorted(content)}
        case _:
            return {kind: content}


@dataclass
class EventWatch:
    """A queue that a rule of its own subscribes to the bus, and all that has come in so far.

    `sent` is the Unix time at which each event of `seen` reached the queue. Several threads may ask at the same time.
    """

    aws: Aws
    queue_url: str
    rule: str
    seen: list[dict[str, Any]] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    @classmethod
    def open(cls, aws: Aws, source: str = "cancel-core") -> EventWatch:
        """Subscribes as any consumer would: by the product's `source`."""
        name = f"watch-{uuid4().hex[:8]}"
        queue_url = aws.sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = aws.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
        aws.events.put_rule(Name=name, EventBusName=aws.info.event_bus, EventPattern=json.dumps({"source": [source]}))
        aws.events.put_targets(
            Rule=name, EventBusName=aws.info.event_bus, Targets=[{"Id": name, "Arn": attributes["QueueArn"]}]
        )
        return cls(aws, queue_url, name)

    def close(self) -> None:
        bus = self.aws.info.event_bus
        with suppress(self.aws.events.exceptions.ResourceNotFoundException):
            self.aws.events.remove_targets(Rule=self.rule, EventBusName=bus, Ids=[self.rule])
            self.aws.events.delete_rule(Name=self.rule, EventBusName=bus)
        self.aws.sqs.delete_queue(QueueUrl=self.queue_url)

    def drain(self) -> None:
        """Takes what is in the queue, and holds each event against docs/schemas/events.

        An event that does not fit is kept like the others: it fails the test that drained it, and is not hidden for the
        queue's visibility timeout from another one that waits for what came with it.
        """
        sqs, url = self.aws.sqs, self.queue_url
        with self._lock:
            new = len(self.seen)
            while messages := sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["SentTimestamp"]
            ).get("Messages"):
                for message in messages:
                    self.sent.append(int(message["Attributes"]["SentTimestamp"]) / 1000)
                    self.seen.append(json.loads(message["Body"], parse_float=Decimal))
                sqs.delete_message_batch(
                    QueueUrl=url,
                    Entries=[{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(messages)],
                )
            drained = self.seen[new:]
        for event in drained:
            assert_event(event)

    def of(self, order_id: str, *detail_types: str) -> list[dict[str, Any]]:
        """The events of one order so far, in the order they came."""
        self.drain()
        return [
            event
            for event in self.seen
            if event["detail"]["order_id"] == order_id and (not detail_types or event["detail-type"] in detail_types)
        ]

    def wait_for(self, order_id: str, detail_type: str, *, seconds: float = 60.0) -> dict[str, Any]:
        """The detail of the first such event."""
        end = time.monotonic() + seconds
        while not (found := self.of(order_id, detail_type)):
            assert time.monotonic() < end, f"no {detail_type} of {order_id} within {seconds} s"
            time.sleep(0.1)
        detail: dict[str, Any] = found[0]["detail"]
        return detail


def attribute_values(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document of plain values as DynamoDB's own attribute values."""
    serialize = TypeSerializer().serialize
    return {name: serialize(value) for name, value in document.items()}
