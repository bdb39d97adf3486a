"""What a cancel and its refund leave in the orders table."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import Binary

from tests.support import documents
from tests.support.documents import captured, invoiced, row
from tests.support.shop import Shop

# One of each kind of value DynamoDB knows. They are the shop's: nobody here may change, drop or reorder them.
FOREIGN: dict[str, Any] = {
    "a_text": "åäö ☃ 🎁",
    "an_empty_text": "",
    "a_big_number": Decimal(10**38 - 1),
    "a_long_fraction": Decimal("-0.12345678901234567890123456789012345678"),
    "a_tiny_number": Decimal("1E-130"),
    "a_huge_number": Decimal("9.9999999999999999999999999999999999999E+125"),
    "a_truth": True,
    "a_null": None,
    "bytes": Binary(bytes(range(256))),
    "texts": {"a", "b", "å"},
    "numbers": {Decimal(1), Decimal("2.5"), Decimal(10**38 - 1)},
    "binaries": {Binary(b"\x00\x01"), Binary(b"\xff")},
    "a_list": [1, "two", [Decimal("3.30"), {"four": {"x", "y"}}], None, [], {}],
    "a_map": {"deep": {"deeper": {"numbers": {Decimal(7)}, "bytes": Binary(b"\x07")}}},
    "cancellation_note": "close to a name of the product's",
    "status_of_shop": "X",
}


def test_what_the_product_does_not_know_survives_value_for_value(shop: Shop) -> None:
    inner = {
        name: FOREIGN[name]
        for name in ("a_big_number", "a_huge_number", "bytes", "texts", "numbers", "a_map", "a_null")
    }
    order_id = f"{shop.mark}-foreign"
    document = documents.order(
        order_id,
        shop.customer_id,
        shop.store_id,
        status="processing",
        items=[invoiced("1", **inner), row("2", **inner)],
        shipping={"amount": 4900, "amount_invoiced": 4900, **inner},
        fees=[{"fee_id": "wrap", "name": "Gift wrap", "amount": 1500, "amount_invoiced": 1500, **inner}],
        payments=[captured(26400, **inner)],
        history=[{"at": documents.timestamp(60), "status": "pending", "comment": "Placed.", **inner}],
        **FOREIGN,
    )
    shop.aws.orders.put_item(Item=document)
    before = shop.aws.raw_order(order_id)
    shop.canceled(order_id, comment="Just so")
    shop.refunded(order_id)
    after = shop.aws.raw_order(order_id)

    first, second = (row_["M"] for row_ in before["items"]["L"])
    fee, payment = before["fees"]["L"][0]["M"], before["payments"]["L"][0]["M"]
    expected = before | {
        "status": {"S": "canceled"},
        "items": _list(first | _numbers(qty_refunded=2, amount_refunded=20000), second | _numbers(qty_canceled=2)),
        "shipping": {"M": before["shipping"]["M"] | _numbers(amount_refunded=4900)},
        "fees": _list(fee | _numbers(amount_refunded=1500)),
        "payments": _list(payment | _numbers(amount_refunded=26400)),
        "history": {"L": before["history"]["L"] + after["history"]["L"][1:]},
        "cancellation": after["cancellation"],
    }
    assert len(after["history"]["L"]) == 3
    # Attribute by attribute, so that a difference is told by its name.
    assert after.keys() == expected.keys()
    for name, value in expected.items():
        assert after[name] == value, name


def _list(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"L": [{"M": row_} for row_ in rows]}


def _numbers(**values: int) -> dict[str, Any]:
    return {name: {"N": str(value)} for name, value in values.items()}


def test_the_cancel_by_itself_writes_status_quantities_cancellation_and_history(shop: Shop) -> None:
    order_id = shop.put(items=[row("1", qty_ordered=5, qty_canceled=2), row("2", qty_ordered=1)])
    before = shop.stored(order_id)
    answer = shop.cancel(order_id, "other", comment="Words", key="k")
    body = shop._ok(answer)
    after = shop.stored(order_id)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"status", "items", "history", "cancellation"}
    assert [item["qty_canceled"] for item in after["items"]] == [5, 1]
    entry = after["history"][-1]
    assert (entry["status"], entry["at"]) == ("canceled", body["cancellation"]["requested_at"])
    assert "Another reason" in entry["comment"]
    cancellation = after["cancellation"]
    assert cancellation["cancellation_id"] == body["cancellation"]["cancellation_id"]
    assert cancellation["request_id"] == answer.headers["x-request-id"]
    assert (cancellation["reason"]["code"], cancellation["comment"]) == ("other", "Words")
    # Of the key a hash is kept.
    assert re.fullmatch("[0-9a-f]{64}", cancellation["idempotency"]["key"])


def test_a_pending_refund_is_marked_and_a_finished_one_is_not(shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    body = shop.canceled(order_id)
    shop.refunded(order_id)
    stored = shop.stored(order_id)
    assert "refund_pending_since" not in stored
    assert stored["cancellation"]["refund"]["status"] == "succeeded"
    assert stored["cancellation"]["refund"]["refund_id"] == body["cancellation"]["refund"]["refund_id"]


def test_what_is_null_counts_as_absent_and_stays_where_it_is(shop: Shop) -> None:
    """Many serializers write NULL for what they have not."""
    document = documents.order(f"{shop.mark}-null", shop.customer_id, shop.store_id, **documents.paid())
    document |= {"shipping": None, "fees": None, "cancellation": None, "refund_note": None}
    document["items"] = [document["items"][0] | {"qty_shipped": None, "amount_refunded": None}, None]
    document["payments"][0] |= {"amount_voided": None}
    shop.put_exactly(document, valid=False)
    assert shop.actions(document["order_id"]) == ["CANCEL"]
    shop.canceled(document["order_id"])
    assert shop.refunded(document["order_id"])["refund"]["amount"] == 20000
    stored = shop.aws.order(document["order_id"])
    assert [stored[name] for name in ("shipping", "fees", "refund_note")] == [None] * 3
    assert stored["items"][1] is None
    assert stored["items"][0]["amount_refunded"] == 20000
    assert stored["payments"][0]["amount_voided"] is None


def test_a_refund_is_told_apart_from_what_the_shop_gave_back_itself(shop: Shop) -> None:
    """What the product adds to an order, as the schema has it: held against it as the order is read."""
    order_id = shop.put(
        status="processing",
        items=[invoiced("1"), invoiced("2", amount=7000)],
        fees=[{"fee_id": "wrap", "name": "Gift wrap", "amount": 1500, "amount_invoiced": 1500, "amount_refunded": 500}],
        shipping={"amount": 4900},
        payments=[captured(28500, amount_refunded=500)],
    )
    shop.canceled(order_id)
    shop.refunded(order_id)
    cancellation = shop.stored(order_id)["cancellation"]
    assert (cancellation["rows_refunded"], cancellation["payments_refunded"]) == (500, 500)
    assert cancellation["revision"] >= 2
    rows = cancellation["rows"]
    assert (len(rows["keys"]), rows["fee_ids"], rows["has_shipping"]) == (16, ["wrap"], True)
    assert cancellation["refund"]["amount"] == 28000


def test_attributes_that_are_away_count_as_0(shop: Shop) -> None:
    document: dict[str, Any] = {
        "order_id": f"{shop.mark}-bare",
        "customer_id": shop.customer_id,
        "store_id": shop.store_id,
        "status": "processing",
        "currency": "SEK",
        "placed_at": documents.timestamp(5),
        "total": 100,
        "items": [
            {"item_id": "1", "sku": "S", "name": "N", "qty_ordered": 1, "qty_invoiced": 1, "amount_invoiced": 100}
        ],
        "payments": [{"payment_id": "p1", "provider": "offline", "amount_captured": 100}],
    }
    shop.put_exactly(document)
    shop.canceled(document["order_id"])
    assert shop.refunded(document["order_id"])["refund"]["amount"] == 100
    stored = shop.stored(document["order_id"])
    assert [entry["status"] for entry in stored["history"]] == ["canceled", "closed"]
