"""The adapters on a real engine: moto's server, and AWS's own DynamoDB Local where the machine has it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, Literal, Protocol
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from cancel_core.adapters.dynamodb import database
from cancel_core.adapters.dynamodb.attributes import plain
from cancel_core.adapters.dynamodb.config import ConfigTables, Policies
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.adapters.dynamodb.refunds import Refunds
from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.adapters.eventbridge import Bus
from cancel_core.domain.caller import Customer
from cancel_core.domain.cancel import CancelRequest
from cancel_core.domain.cancellation import Fingerprint
from cancel_core.domain.events import Event
from cancel_core.domain.order import Order
from cancel_core.domain.policy import Policy

from tests.support.aws import attribute_values

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


class Aws(Protocol):
    """What the fixture `aws` gives: an engine, and the template's tables on it."""

    @property
    def tables(self) -> Mapping[str, str]: ...

    def client(self, service: str, **config: Any) -> Any: ...


@dataclass
class Shop:
    """The order system's and the admin's hands on the tables, and the product's own adapters."""

    client: DynamoDBClient
    orders: Orders
    refunds: Refunds
    tables: Mapping[str, str]
    store_id: str

    def put(self, source: dict[str, Any]) -> str:
        """Puts the order under an id and in a store of this test's own. Answers its id."""
        order_id = f"o-{uuid4()}"
        self.write(source | {"order_id": order_id, "store_id": self.store_id})
        return order_id

    def write(self, source: dict[str, Any]) -> None:
        self._put("orders", source)

    def configure(self, **attributes: Any) -> None:
        reasons = [{"code": "other", "description": "Other"}, {"code": "mistake", "description": "By mistake"}]
        self._put("config", {"scope": f"store:{self.store_id}", "enabled": True, "reasons": reasons} | attributes)

    def _put(self, table: str, source: dict[str, Any]) -> None:
        self.client.put_item(TableName=self.tables[table], Item=attribute_values(source))

    def set(self, order_id: str, **attributes: Any) -> None:
        """As the order system changes orders: UpdateItem, no version, no condition."""
        self.client.update_item(
            TableName=self.tables["orders"],
            Key={"order_id": {"S": order_id}},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
            ExpressionAttributeNames={f"#{name}": name for name in attributes},
            ExpressionAttributeValues=attribute_values({f":{name}": value for name, value in attributes.items()}),
        )

    def document(self, order_id: str) -> dict[str, Any]:
        answer = self.client.get_item(
            TableName=self.tables["orders"], Key={"order_id": {"S": order_id}}, ConsistentRead=True
        )
        return plain(answer["Item"])

    def refund_document(self, order_id: str) -> dict[str, Any]:
        refund = self.order(order_id).cancellation
        assert refund
        assert refund.refund
        answer = self.client.get_item(
            TableName=self.tables["refunds"], Key={"refund_id": {"S": refund.refund.refund_id}}, ConsistentRead=True
        )
        return plain(answer["Item"])

    def stored(self, order_id: str) -> StoredOrder:
        stored = self.orders.get(order_id)
        assert stored
        return stored

    def order(self, order_id: str) -> Order:
        return self.stored(order_id).order

    @property
    def config_tables(self) -> ConfigTables:
        return ConfigTables(self.tables["config"], self.tables["history"])

    def policies(self, cache_seconds: float = 0, report: Callable[[Policy], None] = print) -> Policies:
        return Policies(self.client, self.config_tables, cache_seconds, report)


@pytest.fixture
def shop(aws: Aws) -> Shop:
    return open_shop(aws)


def open_shop(aws: Aws) -> Shop:
    """A store of its own, in which cancelling is on."""
    client = aws.client("dynamodb")
    orders = Orders(client, aws.tables["orders"])
    made = Shop(client, orders, Refunds(client, aws.tables["refunds"], orders), aws.tables, f"store-{uuid4()}")
    made.configure()
    return made


@contextmanager
def product_client(aws: Aws, url: str | None = None) -> Iterator[DynamoDBClient]:
    """The client that the functions use, whose configuration differs from a plain boto3 client's. `url`: of a proxy."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in (
            ("AWS_ENDPOINT_URL", url or aws.client("dynamodb").meta.endpoint_url),
            ("AWS_DEFAULT_REGION", "eu-north-1"),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
        ):
            environment.setenv(name, value)
        client = database.client()
    with closing(client):
        yield client


def request(
    order_id: str, *, key: str | None = None, request_id: str = "request-1", customer_id: str | None = "c1", **more: Any
) -> CancelRequest:
    fingerprint = Fingerprint(key=key, body=more.get("reason", "other")) if key else None
    asked = {"reason": "other", "comment": None, "caller": Customer(customer_id)} | more
    return CancelRequest(order_id=order_id, request_id=request_id, fingerprint=fingerprint, **asked)


class Calls:
    """The calls of a client, in order; and what is to happen just before one of them is sent."""

    def __init__(self, client: Any) -> None:
        self.made: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self._before: list[tuple[str, Callable[[], Any]]] = []
        client.meta.events.register("before-send.*.*", self._sent)

    def _sent(self, request: Any, **_: Any) -> Any:
        operation = request.headers["X-Amz-Target"].decode().split(".")[-1]
        self.made.append(operation)
        self.bodies.append(json.loads(request.body))
        for position, (awaited, action) in enumerate(self._before):
            if awaited in {operation, "*"}:
                del self._before[position]
                return action()
        return None

    def before(self, operation: str, action: Callable[[], Any]) -> None:
        """Runs `action` once, before the next call of `operation` ("*" for any) goes out."""

        def run() -> None:
            action()

        self._before.append((operation, run))

    def before_number(self, number: int, action: Callable[[], Any]) -> None:
        """Runs `action` once, before the call that has `number` others from now on before it goes out."""
        self.before("*", action if number == 0 else lambda: self.before_number(number - 1, action))


class Heard(Bus):
    """A bus that remembers what was said on it."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def publish(self, events: Sequence[Event]) -> None:
        self.events += events

    def of(self, order_id: str) -> list[str]:
        return [event.detail_type for event in self.events if event.detail["order_id"] == order_id]


class Watched:
    """A bus, and a queue that everything on it comes to."""

    def __init__(self, aws: Aws, source: str = "cancel-core") -> None:
        self.name = f"bus-{uuid4()}"
        events, self.sqs = aws.client("events"), aws.client("sqs")
        events.create_event_bus(Name=self.name)
        self.url = self.sqs.create_queue(QueueName=self.name)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name="all", EventBusName=self.name, EventPattern=json.dumps({"source": [source]}))
        events.put_targets(Rule="all", EventBusName=self.name, Targets=[{"Id": "queue", "Arn": arn}])
        self.bus = Bus(events, self.name)

    def seen(self) -> list[dict[str, Any]]:
        events = []
        while messages := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                events.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return events


Reply = tuple[int, dict[str, Any]]


@contextmanager
def fake_service(reply: Callable[[dict[str, Any]], Reply]) -> Iterator[int]:
    """An AWS service that answers each request with what `reply` makes of it. Gives its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, body = reply(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def impatient(service: Literal["dynamodb", "events", "secretsmanager", "sqs"], port: int) -> Any:
    """A client of a service at this port that tries once."""
    return boto3.client(
        service,
        region_name="eu-north-1",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=1, read_timeout=1),
    )
