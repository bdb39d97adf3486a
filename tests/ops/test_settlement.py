"""What an operator does with refunds that the product can't settle by itself, on a real engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cancel_core.adapters.dynamodb.refunds import Refunds
from cancel_core.services.cancel import cancel_order
from cancel_core.services.refund import refund_order

from ops.settlement import Person, Refused, find, give_up, retry, settle
from tests.support.bank import Bank, Crash, canceled, crash, run, three_payments
from tests.support.orders import item, paid, payment
from tests.support.tables import NOW, Calls, Heard, Shop, request

ANN = Person("ann@shop.example", "seen to it")


def failed(shop: Shop, source: dict[str, Any], bank: Bank) -> str:
    order_id = canceled(shop, source)
    refund = run(shop, order_id, bank)
    assert refund
    assert refund.status == "failed"
    return order_id


def log(shop: Shop, order_id: str) -> list[str]:
    return [line["entry"] for line in shop.refund_document(order_id)["log"]]


@pytest.fixture
def heard() -> Heard:
    return Heard()


def test_a_declined_refund_is_tried_again_under_a_new_key(shop: Shop, heard: Heard) -> None:
    bank = Bank()
    bank.declines["ref-p2"] = "blocked"
    order_id = failed(shop, three_payments(), bank)
    bank.declines.clear()

    said = [retry(shop.orders, shop.refunds, heard, order_id, ANN, NOW) for _ in range(2)]

    assert "tried again" in said[0]
    assert "is pending" in said[1]
    assert heard.events[0].detail["order_id"] == order_id
    assert "refund_pending_since" in shop.document(order_id)
    run(shop, order_id, bank)
    assert bank.amounts == {"ref-p1": 4000, "ref-p2": 6000, "ref-p3": 700}
    document, after = shop.refund_document(order_id), shop.document(order_id)
    assert (document["status"], after["status"]) == ("succeeded", "closed")
    assert "failure" not in document
    assert "unsettled_since" not in document
    assert [row.get("amount_refunded", 0) for row in after["payments"]] == [4000, 6000, 0]
    assert "tried again by ann@shop.example: seen to it" in log(shop, order_id)
    assert "p2: refund of 6000 SEK failed: blocked" in log(shop, order_id)
    assert "is succeeded" in retry(shop.orders, shop.refunds, heard, order_id, ANN, NOW)


def test_what_is_declined_again_has_failed_again(shop: Shop, heard: Heard) -> None:
    bank = Bank()
    bank.declines["ref-p1"] = "blocked"
    order_id = failed(shop, paid(), bank)

    retry(shop.orders, shop.refunds, heard, order_id, ANN, NOW)
    run(shop, order_id, bank)

    document = shop.refund_document(order_id)
    assert document["status"] == "failed"
    assert document["failure"]["message"] == "p1: blocked"
    assert "unsettled_since" in document


def test_a_shortfall_is_tried_again_once_the_payments_are_corrected(shop: Shop, heard: Heard) -> None:
    bank, order_id = Bank(), canceled(shop, paid(payments=[payment("p1", captured=9998)]))
    run(shop, order_id, bank)
    with pytest.raises(Refused, match="hold less"):
        retry(shop.orders, shop.refunds, heard, order_id, ANN, NOW)
    shop.set(order_id, payments=[payment("p1", captured=9998), payment("p2", captured=2)])

    retry(shop.orders, shop.refunds, heard, order_id, ANN, NOW)
    run(shop, order_id, bank)

    assert bank.amounts == {"ref-p1": 9998, "ref-p2": 2}
    assert shop.document(order_id)["items"][0]["amount_refunded"] == 10000
    assert shop.refund_document(order_id)["status"] == "succeeded"


def test_a_refund_settled_by_hand_is_booked_but_for_its_payments(shop: Shop) -> None:
    bank = Bank()
    bank.declines["ref-p2"] = "blocked"
    order_id = failed(shop, three_payments(), bank)

    said = [settle(shop.orders, shop.refunds, order_id, ANN, NOW) for _ in range(2)]

    assert "settled by hand" in said[0]
    assert "nothing to do" in said[1]
    after, document = shop.document(order_id), shop.refund_document(order_id)
    assert after["status"] == "closed"
    assert after["items"][0]["amount_refunded"] == 10000
    assert [row.get("amount_refunded", 0) for row in after["payments"]] == [4000, 0, 0]
    assert after["cancellation"]["refund"]["status"] == document["status"] == "succeeded"
    assert "failure" not in after["cancellation"]["refund"]
    assert document["settled"] == {"at": "2026-11-22T10:00:00Z", "by": "ann@shop.example", "why": "seen to it"}
    assert "unsettled_since" not in document
    assert after["history"][-1]["comment"] == "The shop has settled the refund."
    assert log(shop, order_id)[-1] == "settled by hand by ann@shop.example: seen to it"


def test_a_pending_refund_is_given_up_before_it_is_settled(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, paid())
    asked_in_vain(shop, order_id, bank)
    with pytest.raises(Refused, match="give-up"):
        settle(shop.orders, shop.refunds, order_id, ANN, NOW)

    for _ in range(2):
        give_up(shop.orders, shop.refunds, order_id, ANN, NOW)

    document = shop.refund_document(order_id)
    assert document["status"] == shop.document(order_id)["cancellation"]["refund"]["status"] == "failed"
    assert document["failure"]["message"] == "given up: seen to it"
    assert run(shop, order_id, bank) is None
    settle(shop.orders, shop.refunds, order_id, ANN, NOW)
    assert shop.refund_document(order_id)["status"] == "succeeded"


def asked_in_vain(shop: Shop, order_id: str, bank: Bank) -> None:
    """The process ends as the provider is to be asked: it is unknown whether it was."""
    bank.before = crash
    with pytest.raises(Crash):
        run(shop, order_id, bank)
    bank.before = lambda: None


def test_the_refund_of_an_order_that_is_gone_can_be_settled_and_not_retried(shop: Shop, heard: Heard) -> None:
    bank, order_id = Bank(), canceled(shop, paid())
    stored = shop.stored(order_id)
    assert stored.cancellation
    assert stored.cancellation.refund
    refund_id = stored.cancellation.refund.refund_id
    shop.client.delete_item(TableName=shop.tables["orders"], Key={"order_id": {"S": order_id}})
    arguments = (order_id, stored.cancellation_id, lambda: NOW)
    refund_order(shop.refunds, {"offline": bank}, *arguments)

    with pytest.raises(Refused, match="gone"):
        retry(shop.orders, shop.refunds, heard, refund_id, ANN, NOW)
    assert refund_id in set(shop.refunds.unsettled())
    settle(shop.orders, shop.refunds, refund_id, ANN, NOW)

    assert refund_id not in set(shop.refunds.unsettled())
    document = shop.refunds.get(refund_id)
    assert document
    assert document.status == "succeeded"


@pytest.mark.parametrize("begun", [False, True])
def test_what_was_settled_while_its_order_was_gone_is_not_paid_when_it_is_back(shop: Shop, *, begun: bool) -> None:
    bank, order_id = Bank(), canceled(shop, paid())
    stored = shop.stored(order_id)
    if begun:
        asked_in_vain(shop, order_id, bank)
    shop.client.delete_item(TableName=shop.tables["orders"], Key={"order_id": {"S": order_id}})
    refund_order(shop.refunds, {"offline": bank}, order_id, stored.cancellation_id, lambda: NOW)
    cancellation = stored.cancellation
    assert cancellation
    assert cancellation.refund
    settle(shop.orders, shop.refunds, cancellation.refund.refund_id, ANN, NOW)
    shop.client.put_item(TableName=shop.tables["orders"], Item=stored.raw)

    run(shop, order_id, bank)

    assert bank.moved == {}
    after = shop.document(order_id)
    assert after["cancellation"]["refund"]["status"] == shop.refund_document(order_id)["status"] == "succeeded"
    assert "refund_pending_since" not in after
    assert after["payments"][0].get("amount_refunded", 0) == 0


def test_what_was_paid_before_a_person_settled_the_rest_is_booked_again_when_it_was_written_over(shop: Shop) -> None:
    bank, source = Bank(), three_payments()
    bank.declines = {"ref-p2": "no"}
    order_id = failed(shop, source, bank)
    settle(shop.orders, shop.refunds, order_id, ANN, NOW)
    moved = dict(bank.moved)
    shop.write(source | {"order_id": order_id, "store_id": shop.store_id})
    cancel_order(shop.orders, shop.policies(), request(order_id), lambda: NOW)

    run(shop, order_id, bank)

    after = shop.document(order_id)
    assert after["cancellation"]["refund"]["status"] == shop.refund_document(order_id)["status"] == "succeeded"
    assert [row.get("amount_refunded", 0) for row in after["payments"]] == [4000, 0, 0]
    assert after["payments"][2]["amount_voided"] == 700
    assert bank.moved == moved


def test_an_order_that_cannot_be_read_keeps_all_it_has(shop: Shop) -> None:
    order_id = canceled(shop, paid())
    shop.set(order_id, items="gone")
    run(shop, order_id)

    settle(shop.orders, shop.refunds, order_id, ANN, NOW)

    assert shop.document(order_id)["items"] == "gone"
    assert shop.document(order_id)["cancellation"]["refund"]["status"] == "succeeded"


@pytest.mark.parametrize("act", [settle, give_up])
def test_the_order_may_change_meanwhile(shop: Shop, act: Callable[..., str]) -> None:
    bank = Bank()
    bank.declines["ref-p1"] = "blocked"
    order_id = failed(shop, paid(), bank) if act is settle else canceled(shop, paid())
    if act is give_up:
        asked_in_vain(shop, order_id, Bank())
    rows = [item(invoiced=1, note="new")]
    Calls(shop.client).before("TransactWriteItems", lambda: shop.set(order_id, items=rows))

    act(shop.orders, shop.refunds, order_id, ANN, NOW)

    assert shop.document(order_id)["items"][0]["note"] == "new"
    assert len([entry for entry in log(shop, order_id) if "ann@shop.example" in entry]) == 1


def test_what_is_unknown_is_said(shop: Shop) -> None:
    with pytest.raises(Refused, match="No refund was begun under nothing"):
        find(shop.orders, shop.refunds, "nothing")


def test_only_what_is_unsettled_stands_in_its_index(shop: Shop, aws: Any) -> None:
    bank = Bank()
    bank.declines["ref-bad"] = "blocked"
    good = canceled(shop, paid())
    run(shop, good, bank)
    bad = failed(shop, paid(payments=[payment("p1", captured=10000, reference="ref-bad")]), bank)

    unsettled = set(Refunds(aws.client("dynamodb"), shop.tables["refunds"], shop.orders).unsettled())

    assert shop.refund_document(bad)["refund_id"] in unsettled
    assert shop.refund_document(good)["refund_id"] not in unsettled
