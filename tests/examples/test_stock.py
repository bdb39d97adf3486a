"""examples/stock.py on real engines: each cancel gives stock back once, however often it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

import boto3
import pytest

from examples.stock import handler
from tests.conftest import Aws
from tests.support.schemas import assert_event


@dataclass(frozen=True)
class Shop:
    """The two tables of a shop's stock system."""

    stock: Any
    handled: Any

    def available(self, sku: str) -> Decimal:
        available: Decimal = self.stock.get_item(Key={"sku": sku}, ConsistentRead=True)["Item"]["available"]
        return available


@pytest.fixture
def shop(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    for name, value in {
        "AWS_ENDPOINT_URL_DYNAMODB": aws.dynamodb_endpoint_url, "AWS_DEFAULT_REGION": aws.template.region,
        "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    dynamodb = boto3.resource("dynamodb")
    made = []
    for variable, key in {"STOCK_TABLE": "sku", "HANDLED_TABLE": "cancellation_id"}.items():
        name = f"{key}-{uuid4().hex}"
        monkeypatch.setenv(variable, name)
        made.append(
            dynamodb.create_table(
                TableName=name,
                KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        )
    yield Shop(*made)
    for table in made:
        table.delete()
    dynamodb.meta.client.close()


def told(*items: tuple[str, float, float]) -> dict[str, Any]:
    """A message of the queue, with an `OrderCanceled` of these rows: SKU, cancelled, refunded."""
    rows = [
        {"item_id": str(number), "sku": sku, "qty_canceled": canceled, "qty_refunded": refunded}
        for number, (sku, canceled, refunded) in enumerate(items)
    ]
    detail = {
        "schema_version": 1, "order_id": "1", "store_id": "default", "customer_id": "c",
        "cancellation_id": f"can_{uuid4().hex}", "reason": "other", "items": rows,
        "refund": {"amount": 1, "currency": "SEK"}, "surplus": 0, "occurred_at": "2026-11-22T22:09:49Z",
    }  # fmt: skip
    event = {"source": "cancel-core", "detail-type": "OrderCanceled", "detail": detail}
    assert_event(event)
    # A field that a later version adds is no matter.
    return {"messageId": uuid4().hex, "body": json.dumps(event | {"detail": detail | {"added_later": True}})}


def test_stock_is_given_back_once_for_each_cancel(shop: Shop) -> None:
    shop.stock.put_item(Item={"sku": "mug", "available": 5})
    first = told(("mug", 0, 2), ("mug", 1, 0), ("cheese", 1.5, 0), ("gone", 0, 0))
    broken = {"messageId": "broken", "body": "{}"}
    answer = handler({"Records": [first, broken, first, told(("mug", 4, 0))]}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "broken"}]}
    assert (shop.available("mug"), shop.available("cheese")) == (Decimal(12), Decimal("1.5"))
    assert handler({"Records": [first]}, None) == {"batchItemFailures": []}
    assert shop.available("mug") == 12
    assert shop.handled.scan(ConsistentRead=True)["Count"] == 2
