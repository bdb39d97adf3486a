"""What is held about a customer, erased for good and shown as a whole, on a real engine."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from cancel_core.adapters.dynamodb.mails import Mails
from cancel_core.adapters.dynamodb.requests import Requests
from cancel_core.adapters.dynamodb.withdrawals import Withdrawals
from cancel_core.domain.caller import Customer
from cancel_core.domain.times import iso
from cancel_core.services.announce import Change, publish_changes
from cancel_core.services.cancel import cancel_order
from cancel_core.services.process_requests import Desk, OrderSeen, RowSeen, process_requests

from ops.personal import erase, erase_requests, export
from ops.restore import _without_comment, refill
from tests.support.bank import Bank, canceled, run
from tests.support.orders import paid
from tests.support.tables import NOW, Heard, Shop, request

COMMENT = "my new address is in Lund"


def commented(shop: Shop) -> str:
    order_id = shop.put(paid())
    cancel_order(shop.orders, shop.policies(), request(order_id, comment=COMMENT), lambda: NOW)
    return order_id


def requested(shop: Shop, order_id: str, customer: str = "c1") -> str:
    """The shop is asked, and the row is put before it. The request's id."""
    shop.configure(approval="always")
    asked = request(order_id, comment=COMMENT)._replace(caller=Customer(customer))
    assert cancel_order(shop.orders, shop.policies(), asked, lambda: NOW)
    desk = Desk(requests_of(shop), shop.orders, shop.policies(), Heard())
    assert process_requests(desk, [("1", OrderSeen(None, shop.stored(order_id)))], lambda: NOW) == []
    return str(shop.document(order_id)["cancellation_request"]["request_id"])


def requests_of(shop: Shop) -> Requests:
    return Requests(shop.client, shop.tables["requests"])


def erased(shop: Shop, *order_ids: str) -> list[str]:
    return list(erase(shop.client, shop.tables["orders"], order_ids))


def test_comment_and_address_go_and_nothing_else_does(shop: Shop) -> None:
    order_id = commented(shop)
    before = shop.document(order_id)

    assert erased(shop, order_id) == [f"{order_id}: erased customer_email, comment."]

    after = shop.document(order_id)
    assert COMMENT not in str(after)
    assert "customer_email" not in after
    del before["customer_email"], before["cancellation"]["comment"]
    assert after == before
    assert erased(shop, order_id, "none") == [
        f"{order_id}: there is nothing to erase.",
        "none: there is no such order.",
    ]
    # The refund still completes.
    run(shop, order_id, Bank())
    assert shop.document(order_id)["status"] == "closed"
    assert COMMENT not in str(shop.document(order_id))


def test_the_comment_of_a_request_to_the_shop_goes_from_both_tables(shop: Shop) -> None:
    order_id = shop.put(paid())
    request_id = requested(shop, order_id)
    before = shop.document(order_id)
    (row,) = requests_of(shop).of_order(order_id)
    assert row["comment"] == before["cancellation_request"]["comment"] == COMMENT

    for said in ([f"{order_id}: erased the comment of 1 request(s) to the shop."], []):
        assert list(erase_requests(requests_of(shop), [order_id, "none"])) == said
    assert erased(shop, order_id) == [f"{order_id}: erased customer_email, comment."]

    del before["customer_email"], before["cancellation_request"]["comment"], row["comment"]
    assert shop.document(order_id) == before
    assert requests_of(shop).of_order(order_id) == [row]
    # Nor does it come back with what is decided.
    shop.client.update_item(
        TableName=shop.tables["requests"],
        Key={"request_id": {"S": request_id}},
        UpdateExpression="SET decision = :approved",
        ExpressionAttributeValues={":approved": {"S": "approved"}},
    )
    desk = Desk(requests_of(shop), shop.orders, shop.policies(), Heard())
    assert process_requests(desk, [("2", RowSeen(request_id))], lambda: NOW) == []
    assert shop.document(order_id)["status"] == "canceled"
    assert COMMENT not in str(shop.document(order_id))


def test_an_order_that_was_not_cancelled_loses_its_address_alone(shop: Shop) -> None:
    order_id = shop.put(paid())

    assert erased(shop, order_id) == [f"{order_id}: erased customer_email."]


@pytest.mark.parametrize("how", ["written over", "made anonymous", "an older copy"])
def test_what_is_put_back_has_no_comment(shop: Shop, how: str) -> None:
    """Whatever way the order system takes to be rid of it."""
    order_id = shop.put(paid())
    placed = shop.document(order_id)
    cancel_order(shop.orders, shop.policies(), request(order_id, comment=COMMENT), lambda: NOW)
    before = shop.stored(order_id)
    shop.write(placed | {"written over": {}, "made anonymous": {"customer_id": "nobody"}, "an older copy": {}}[how])

    change = Change("1", before, shop.stored(order_id))
    publish_changes(shop.orders, shop.refunds, Heard(), [change], NOW)

    after = shop.document(order_id)
    assert after["cancellation"]["cancellation_id"] == before.cancellation_id
    assert COMMENT not in str(after)


@pytest.mark.parametrize("attribute", ["cancellation", "cancellation_request"])
def test_what_is_refilled_from_a_backup_has_no_comment(shop: Shop, attribute: str) -> None:
    order_id = commented(shop) if attribute == "cancellation" else shop.put(paid())
    if attribute != "cancellation":
        requested(shop, order_id)
    restored = f"restored-{uuid4()}"
    shop.client.create_table(
        TableName=restored,
        KeySchema=[{"AttributeName": "order_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "order_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    shop.client.put_item(TableName=restored, Item=shop.stored(order_id).raw)
    shop.client.delete_item(TableName=shop.tables["orders"], Key={"order_id": {"S": order_id}})

    assert refill(shop.client, restored, shop.tables["orders"]).put == 1

    assert COMMENT not in str(shop.document(order_id))
    assert shop.document(order_id)[attribute]["requested_at"]


def test_a_request_that_is_refilled_has_no_comment() -> None:
    row = {"request_id": {"S": "req_1"}, "comment": {"S": COMMENT}, "status": {"S": "open"}}
    _without_comment(row)
    assert row == {"request_id": {"S": "req_1"}, "status": {"S": "open"}}


def test_comments_are_erased_once_they_are_old(shop: Shop) -> None:
    order_id, plain = commented(shop), canceled(shop, paid())

    def found(days: int) -> set[str]:
        before = iso(NOW + timedelta(days=30) - timedelta(days=days))
        return {order_id, plain} & set(shop.orders.old_comments(before))

    assert found(30) == found(31) == set()
    assert found(29) == {order_id, plain} if "comment" in shop.document(plain)["cancellation"] else {order_id}
    erased(shop, order_id, plain)
    assert found(0) == set()


def test_all_that_is_held_about_a_customer(shop: Shop) -> None:
    customer = f"customer-{uuid4()}"
    sources: list[dict[str, Any]] = [paid(customer_id=customer, placed_at=f"2026-11-20T10:00:0{n}Z") for n in (1, 2)]
    first, second = (shop.put(source) for source in sources)
    shop.put(paid(customer_id="somebody-else"))
    asked = request(first, comment=COMMENT)._replace(caller=Customer(customer))
    cancel_order(shop.orders, shop.policies(), asked, lambda: NOW)
    run(shop, first, Bank())

    mails = Mails(shop.client, shop.tables["mails"])
    withdrawals = Withdrawals(shop.client, shop.tables["withdrawals"])
    request_id = requested(shop, second, customer)
    held = export(shop.orders, shop.refunds, mails, withdrawals, requests_of(shop), customer)

    assert [one["order"]["order_id"] for one in held] == [second, first]
    assert [[row["request_id"] for row in one["requests"]] for one in held] == [[request_id], []]
    assert held[0]["refunds"] == []
    assert held[1]["order"] == shop.document(first)
    assert shop.refund_document(first) in held[1]["refunds"]
    assert COMMENT in json.dumps(held, default=str)
