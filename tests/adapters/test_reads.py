"""Responses to reads: the product's client takes them from their JSON; a plain boto3 client parses each value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import uuid4
from zlib import crc32

import pytest
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.domain.order import ORDER_ATTRIBUTES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.orders import item, paid
from tests.support.proxy import Answer, FaultProxy, change_answer
from tests.support.tables import Aws, Shop, product_client


@pytest.fixture(scope="module")
def clients(aws: Aws) -> Iterator[tuple[Any, Any]]:
    """The product's client, and a plain one."""
    with product_client(aws) as product:
        yield product, aws.client("dynamodb")


# Also the names of the types, which the product's client looks for.
names = st.sampled_from(["B", "BS", "S", "NULL", '"B"']) | st.text(min_size=1, max_size=3)
numbers = st.integers(-(10**38) + 1, 10**38 - 1) | st.sampled_from(
    [Decimal("1.5"), Decimal("1E+100"), Decimal("1E-100")]
)
sets = st.sets(st.text(min_size=1), min_size=1, max_size=2) | st.just({b"\x00", b"\xff"}) | st.just({Decimal("0.5")})
values = st.recursive(
    st.none() | st.booleans() | st.text() | numbers | st.binary(max_size=3) | sets,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
KEYS = {"order_id", "customer_id", "placed_at"}
"""DynamoDB itself refuses other values than text for these."""


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(sorted(ORDER_ATTRIBUTES - KEYS)) | names, values, max_size=4), values)
def test_any_order_is_read_as_boto3_reads_it(
    shop: Shop, clients: tuple[Any, Any], attributes: dict[str, Any], in_a_row: Any
) -> None:
    customer = f"customer-{uuid4()}"
    order_id = shop.put(paid(items=[item(more=in_a_row)]) | attributes | {"customer_id": customer})
    table, key = shop.tables["orders"], {"order_id": {"S": order_id}}

    ours, boto3s = (
        [
            {name: value for name, value in response.items() if name != "ResponseMetadata"}
            for response in (
                client.get_item(TableName=table, Key=key),
                client.batch_get_item(RequestItems={table: {"Keys": [key]}}),
                client.query(
                    TableName=table,
                    IndexName="by_customer",
                    KeyConditionExpression="customer_id = :customer",
                    ExpressionAttributeValues={":customer": {"S": customer}},
                ),
            )
        ]
        for client in clients
    )

    assert ours == boto3s
    assert ours[0]["Item"]["order_id"] == {"S": order_id}


def _cut(answer: Answer) -> Answer:
    return _with_checksum(answer, answer.body[:-1])


def _changed(answer: Answer) -> Answer:
    return _with_checksum(answer, answer.body.replace(b"processing", b"prosessing"))


def _with_checksum(answer: Answer, body: bytes) -> Answer:
    """The answer as it is damaged on its way. DynamoDB sends the checksum of what it has written; moto sends none."""
    return replace(answer, headers={**answer.headers, "x-amz-crc32": f"{crc32(answer.body)}"}, body=body)


@pytest.mark.parametrize("aws", ["moto"], indirect=True)
@pytest.mark.parametrize("damage", [_cut, _changed])
def test_a_damaged_response_is_read_again(shop: Shop, aws: Aws, damage: Callable[[Answer], Answer]) -> None:
    order_id = shop.put(paid())
    proxy = FaultProxy(aws.client("dynamodb").meta.endpoint_url)
    proxy.plan("Query", change_answer(damage))

    with proxy, product_client(aws, proxy.url) as client:
        stored = Orders(client, shop.tables["orders"]).get(order_id)

    assert proxy.operations() == ["Query", "Query"]
    assert stored
    assert stored.raw == shop.stored(order_id).raw
