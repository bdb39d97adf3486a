"""Refunds that earlier versions of the product had begun, in every state they could leave, carried to their end."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from cancel_core.domain.cancellation import Leg
from cancel_core.domain.ids import leg_key
from cancel_core.domain.provider import PaymentRequest
from cancel_core.services.cancel import cancel_order
from cancel_core.services.refund import refund_order

from ops.settlement import Person, retry
from tests.support.bank import Bank, run, three_payments
from tests.support.orders import item, paid, payment
from tests.support.tables import NOW, Heard, Shop, request

Version = Literal["0.1.0", "before 0.2.0"]
VERSIONS: tuple[Version, ...] = ("0.1.0", "before 0.2.0")
BEGUN = "2026-11-22T10:00:01Z"
ANN = Person("ann@shop.example", "seen to it")

# What the cancellations of those versions did not have yet.
LATER = ("basis", "rows_refunded", "payments_refunded", "revision")
LATER_IN_ROWS = ("keys", "fee_ids", "has_shipping")


def begun(
    shop: Shop,
    version: Version,
    source: dict[str, Any],
    statuses: tuple[str, ...] = ("pending", "pending", "pending"),
    status: str = "pending",
    failure: dict[str, str] | None = None,
) -> str:
    """An order that such a version has cancelled, with its refund's document; its legs are so far."""
    order_id = shop.put(source)
    cancel_order(shop.orders, shop.policies(), request(order_id), lambda: NOW)
    order = shop.document(order_id)
    cancellation = {name: value for name, value in order["cancellation"].items() if name not in LATER}
    rows = {name: value for name, value in cancellation["rows"].items() if name not in LATER_IN_ROWS}
    refund = cancellation["refund"]
    legs = [leg | {"status": state} for leg, state in zip(refund["payments"], statuses, strict=True)]
    for leg in legs:
        if leg["status"] == "succeeded":
            leg["reference"] = f"re_ref-{leg['payment_id']}"
            name = "amount_refunded" if leg["action"] == "refund" else "amount_voided"
            row = next(row for row in order["payments"] if row["payment_id"] == leg["payment_id"])
            row[name] = row.get(name, 0) + leg["amount"]
    refund |= {"payments": legs, "status": status} | ({"failure": {"code": failure["code"]}} if failure else {})
    if status != "pending":
        order.pop("refund_pending_since")
    shop.write(order | {"cancellation": cancellation | {"rows": rows, "refund": refund}})
    document = {
        "refund_id": refund["refund_id"],
        "cancellation_id": cancellation["cancellation_id"],
        "order_id": order_id,
        "store_id": shop.store_id,
        "status": status,
        "currency": "SEK",
        "amount": refund["amount"],
        "shipping": 0,
        "fees": 0,
        "surplus": 0,
        "items": [{"item_id": "a", "sku": "sku-a", "qty": 1, "amount": refund["amount"]}],
        "payments": legs,
        "created_at": BEGUN,
        "updated_at": BEGUN,
    }
    if failure:
        document["failure"] = failure
    if version != "0.1.0":
        document |= {"log": [{"at": BEGUN, "entry": "begun"}]}
        document |= {"unsettled_since": BEGUN} if status != "succeeded" else {}
    shop._put("refunds", document)
    return order_id


def asked(bank: Bank, shop: Shop, order_id: str, payment_id: str, action: str = "refund") -> None:
    """The earlier version has asked for this leg, and the process ended before it could book it."""
    refund = shop.document(order_id)["cancellation"]["refund"]
    leg = next(leg for leg in refund["payments"] if (leg["payment_id"], leg["action"]) == (payment_id, action))
    bank.execute(
        PaymentRequest(
            action=leg["action"],
            idempotency_key=leg_key(refund["refund_id"], Leg.model_validate(leg)),
            refund_id=refund["refund_id"],
            payment_id=payment_id,
            payment_reference=f"ref-{payment_id}",
            amount=int(leg["amount"]),
            currency="SEK",
        )
    )


def assert_all_went_back_once(shop: Shop, order_id: str, bank: Bank) -> None:
    order, document = shop.document(order_id), shop.refund_document(order_id)
    assert bank.amounts == {"ref-p1": 4000, "ref-p2": 6000, "ref-p3": 700}
    assert [row.get("amount_refunded", 0) for row in order["payments"]] == [4000, 6000, 0]
    assert order["payments"][2]["amount_voided"] == 700
    assert (order["items"][0]["qty_refunded"], order["items"][0]["amount_refunded"]) == (1, 10000)
    assert order["status"] == "closed"
    assert order["cancellation"]["refund"]["status"] == document["status"] == "succeeded"
    assert (order["cancellation"]["refund"]["amount"], document["amount"]) == (10000, 10000)
    assert document["log"]
    assert not {"unsettled_since", "failure"} & document.keys()
    assert "refund_pending_since" not in order


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_not_asked_for_is_paid(shop: Shop, version: Version) -> None:
    bank, order_id = Bank(), begun(shop, version, three_payments())

    run(shop, order_id, bank)

    assert_all_went_back_once(shop, order_id, bank)
    assert run(shop, order_id, bank) is None


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("before", [(), (("p1", "refund"),), (("p2", "refund"), ("p3", "void"))])
def test_what_its_provider_has_paid_is_booked_and_not_paid_again(
    shop: Shop, version: Version, before: tuple[tuple[str, str], ...]
) -> None:
    bank, order_id = Bank(), begun(shop, version, three_payments())
    for payment_id, action in before:
        asked(bank, shop, order_id, payment_id, action)

    run(shop, order_id, bank)

    assert_all_went_back_once(shop, order_id, bank)
    assert len(bank.moved) == 3


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_paid_in_part_is_paid_to_its_end(shop: Shop, version: Version) -> None:
    bank = Bank()
    order_id = begun(shop, version, three_payments(), ("succeeded", "pending", "pending"))
    asked(bank, shop, order_id, "p1")

    run(shop, order_id, bank)

    assert_all_went_back_once(shop, order_id, bank)
    assert len(bank.moved) == 3


@pytest.mark.parametrize("version", VERSIONS)
def test_what_the_shop_had_given_back_before_the_cancel_stays_told_apart(shop: Shop, version: Version) -> None:
    source = three_payments()
    source["payments"][0] |= {"amount_captured": 9000, "amount_refunded": 5000}
    bank, order_id = Bank(), begun(shop, version, source, ("succeeded", "pending", "pending"))
    asked(bank, shop, order_id, "p1")

    run(shop, order_id, bank)

    assert bank.amounts == {"ref-p1": 4000, "ref-p2": 6000, "ref-p3": 700}
    assert [row.get("amount_refunded", 0) for row in shop.document(order_id)["payments"]] == [9000, 6000, 0]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_had_failed_is_tried_again_under_a_new_key(shop: Shop, version: Version) -> None:
    failure = {"code": "PROVIDER_DECLINED", "message": "p2: blocked"}
    statuses = ("succeeded", "failed", "succeeded")
    bank, order_id = Bank(), begun(shop, version, three_payments(), statuses, "failed", failure)
    asked(bank, shop, order_id, "p1")
    asked(bank, shop, order_id, "p3", "void")

    retry(shop.orders, shop.refunds, Heard(), order_id, ANN, NOW)
    run(shop, order_id, bank)

    assert_all_went_back_once(shop, order_id, bank)
    document = shop.refund_document(order_id)
    assert [(leg["payment_id"], leg["status"]) for leg in document["earlier_tries"]] == [("p2", "failed")]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_shortfall_that_had_failed_is_paid_once_the_payments_are_corrected(shop: Shop, version: Version) -> None:
    failure = {"code": "INSUFFICIENT_CAPTURED_AMOUNT", "message": "short"}
    bank, order_id = Bank(), begun(shop, version, paid(payments=[payment(captured=9000)]), (), "failed", failure)
    shop.set(order_id, payments=[payment(captured=10000)])

    retry(shop.orders, shop.refunds, Heard(), order_id, ANN, NOW)
    run(shop, order_id, bank)

    assert bank.amounts == {"ref-p1": 10000}
    assert shop.refund_document(order_id)["status"] == "succeeded"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("earlier", [0, 6000])
@pytest.mark.parametrize("more", [0, 5000])
def test_what_had_succeeded_and_was_erased_is_not_paid_again(
    shop: Shop, version: Version, earlier: int, more: int
) -> None:
    held = [payment(captured=earlier + 10000 + more, amount_refunded=earlier)]
    source = paid(payments=held)
    bank, order_id = Bank(), begun(shop, version, source, ("succeeded",), "succeeded")
    asked(bank, shop, order_id, "p1")
    second = source | {
        "order_id": order_id,
        "store_id": shop.store_id,
        "items": [item(invoiced=1, amount=10000 + more)],
    }
    shop.write(second)
    cancel_order(shop.orders, shop.policies(), request(order_id, request_id="request-2"), lambda: NOW.replace(hour=11))

    run(shop, order_id, bank)

    order = shop.document(order_id)
    assert bank.amounts == {"ref-p1": 10000 + more}
    assert order["payments"][0]["amount_refunded"] == earlier + 10000 + more
    assert order["items"][0]["amount_refunded"] == 10000 + more
    assert order["cancellation"]["refund"]["status"] == shop.refund_document(order_id)["status"] == "succeeded"
    assert run(shop, order_id, bank) is None


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_shipped_since_is_not_paid_and_a_person_is_told(shop: Shop, version: Version) -> None:
    bank, order_id = Bank(), begun(shop, version, three_payments())
    asked(bank, shop, order_id, "p1")
    shop.set(order_id, status="complete")

    run(shop, order_id, bank)

    document = shop.refund_document(order_id)
    assert bank.amounts == {"ref-p1": 4000}
    assert document["status"] == "failed"
    assert document["unsettled_since"]
    assert shop.document(order_id)["payments"][0]["amount_refunded"] == 4000


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_given_up_because_its_order_was_gone_goes_on_when_it_is_back(shop: Shop, version: Version) -> None:
    bank, order_id = Bank(), begun(shop, version, three_payments())
    asked(bank, shop, order_id, "p1")
    stored = shop.stored(order_id)
    shop.client.delete_item(TableName=shop.tables["orders"], Key={"order_id": {"S": order_id}})
    refund_order(shop.refunds, {"offline": bank}, order_id, stored.cancellation_id, lambda: NOW)
    shop.client.put_item(TableName=shop.tables["orders"], Item=stored.raw)

    run(shop, order_id, bank)

    assert_all_went_back_once(shop, order_id, bank)
    assert len(bank.moved) == 3


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_carried_to_its_end_counts_for_a_later_cancellation_of_the_order(shop: Shop, version: Version) -> None:
    source = paid(payments=[payment(captured=20000)])
    bank, order_id = Bank(), begun(shop, version, source, ("pending",))
    asked(bank, shop, order_id, "p1")
    run(shop, order_id, bank)
    second = source | {"order_id": order_id, "store_id": shop.store_id, "placed_at": "2026-11-20T10:00:00.000Z"}
    shop.write(second)
    cancel_order(shop.orders, shop.policies(), request(order_id, request_id="request-2"), lambda: NOW)

    run(shop, order_id, bank)

    assert bank.amounts == {"ref-p1": 10000}
    assert shop.document(order_id)["payments"][0]["amount_refunded"] == 10000
