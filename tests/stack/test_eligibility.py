"""One decision: the list's actions, one order's, eligibility and the cancel itself agree, in every state."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.support import documents
from tests.support.openapi import body_of
from tests.support.shop import Shop, refused

STATUSES = ("pending", "processing", "payment_review", "hold", "holded", "complete", "closed", "canceled", "fraud")
BY_DEFAULT = {"pending", "processing"}

# What stands in the store's own scope -> which statuses can be cancelled; None: cancelling is off.
STORES: dict[str, tuple[dict[str, Any], set[str] | None]] = {
    "enabled": ({"enabled": True, "reasons": documents.REASONS}, BY_DEFAULT),
    "disabled": ({"enabled": False, "reasons": documents.REASONS}, None),
    # What was right before, enabled and no statuses of its own, stays in force.
    "wrong": ({"enabled": True, "reasons": [], "cancellable_statuses": ["fraud"]}, BY_DEFAULT),
    "statuses of its own": (
        {"enabled": True, "reasons": documents.REASONS, "cancellable_statuses": ["payment_review", "pending"]},
        {"payment_review", "pending"},
    ),
    "no status at all": ({"enabled": True, "reasons": documents.REASONS, "cancellable_statuses": []}, set()),
}


def expected_blockers(status: str, cancellable: set[str] | None, shipped: bool) -> list[str]:
    holds = {
        "ORDER_CANCELLATION_DISABLED": cancellable is None,
        "INVALID_ORDER_STATUS": status not in (BY_DEFAULT if cancellable is None else cancellable),
        "PARTIAL_ORDER_ITEM_SHIPPED": shipped,
    }
    return [code for code, so in holds.items() if so]


@pytest.mark.parametrize("store", STORES)
def test_every_status_in_every_state_of_a_store(shop: Shop, store: str) -> None:
    config, cancellable = STORES[store]
    shop.accepted()
    shop.configure_exactly(**config)
    expected: dict[str, list[str]] = {}
    for status in STATUSES:
        for shipped in (False, True):
            items = [documents.row("1"), documents.row("2", qty_shipped=1 if shipped else 0)]
            expected[shop.put(status=status, items=items)] = expected_blockers(status, cancellable, shipped)

    listed = {
        order["order_id"]: order["available_actions"]
        for order in body_of(shop.client.get("/orders", params={"limit": "100"}))["orders"]
    }
    assert listed == {order_id: [] if codes else ["CANCEL"] for order_id, codes in expected.items()}
    for order_id, codes in expected.items():
        eligibility = shop.eligibility(order_id)
        assert [blocker["code"] for blocker in eligibility["blockers"]] == codes
        assert eligibility["eligible"] == (not codes)
        assert eligibility["order_id"] == order_id
        if codes:
            problem = refused(shop.cancel(order_id), 409, codes[0])
            assert problem["order"]["available_actions"] == []
            assert problem["detail"] == eligibility["blockers"][0]["message"]
        else:
            assert shop.canceled(order_id)["order"]["status"] == "canceled"


def test_every_blocker_is_listed_and_names_the_shipped_items(shop: Shop) -> None:
    shop.configure(enabled=False)
    items = [documents.row("1", qty_shipped=1), documents.row("2"), documents.invoiced("3", qty_shipped=2)]
    answer = shop.eligibility(shop.put(status="complete", items=items, payments=[documents.captured(20000)]))
    assert [(blocker["code"], blocker.get("item_ids")) for blocker in answer["blockers"]] == [
        ("ORDER_CANCELLATION_DISABLED", None),
        ("INVALID_ORDER_STATUS", None),
        ("PARTIAL_ORDER_ITEM_SHIPPED", ["1", "3"]),
    ]
    assert answer["refund"] is None


def test_a_fraction_of_an_item_is_shipped_too(shop: Shop) -> None:
    order_id = shop.put(items=[documents.row(qty_shipped=Decimal("0.1"))])
    assert [blocker["code"] for blocker in shop.eligibility(order_id)["blockers"]] == ["PARTIAL_ORDER_ITEM_SHIPPED"]


def test_a_cancelled_order_cannot_be_cancelled_again(shop: Shop) -> None:
    order_id = shop.put()
    shop.canceled(order_id)
    assert [blocker["code"] for blocker in shop.eligibility(order_id)["blockers"]] == ["INVALID_ORDER_STATUS"]


def test_what_is_owed_is_told_beforehand(shop: Shop) -> None:
    order_id = shop.put(
        status="processing",
        items=[
            documents.invoiced("1"),
            documents.row("2", qty_ordered=3, qty_invoiced=1, amount=30000, amount_invoiced=10000),
            documents.row("3"),
        ],
        shipping={"amount": 4900, "amount_invoiced": 4900, "amount_refunded": 900},
        fees=[
            {"fee_id": "wrap", "name": "Gift wrap", "amount": 1500, "amount_invoiced": 1500},
            {"fee_id": "invoice", "name": "Invoice fee", "amount": 2900, "amount_invoiced": 2900},
        ],
        payments=[documents.captured(39300, amount_refunded=900)],
    )
    assert shop.eligibility(order_id) == {
        "order_id": order_id,
        "eligible": True,
        "approval_required": False,
        "cancellable_until": None,
        "blockers": [],
        "refund": {
            "currency": "SEK",
            "amount": 20000 + 10000 + 4000 + 4400,
            "shipping": 4000,
            "fees": 4400,
            "items": [
                {"item_id": "1", "sku": "SKU-1", "qty": 2, "amount": 20000},
                {"item_id": "2", "sku": "SKU-2", "qty": 1, "amount": 10000},
            ],
            "not_invoiced": 0,
        },
    }


NOTHING_OWED = {"currency": "SEK", "amount": 0, "shipping": 0, "fees": 0, "items": [], "not_invoiced": 0}


def test_an_authorization_alone_is_an_amount_of_0(shop: Shop) -> None:
    order_id = shop.put(payments=[documents.authorized(20000)])
    assert shop.eligibility(order_id)["refund"] == NOTHING_OWED


def test_what_was_paid_and_not_invoiced_is_told_beforehand(shop: Shop) -> None:
    """Null would say that nothing was charged."""
    order_id = shop.put(status="processing", payments=[documents.captured(20000)])
    assert shop.eligibility(order_id)["refund"] == NOTHING_OWED | {"not_invoiced": 20000}


@pytest.mark.parametrize(("basis", "amount"), [("invoiced", 20000), ("paid", 25000)])
def test_what_was_paid_beyond_the_invoice_goes_back_on_the_basis_paid(shop: Shop, basis: str, amount: int) -> None:
    shop.configure(refund_basis=basis)
    order_id = shop.put(**documents.paid(payments=[documents.captured(25000)]))
    told = shop.eligibility(order_id)["refund"]
    assert (told["amount"], told["not_invoiced"]) == (amount, 5000)
    owed = shop.canceled(order_id)["cancellation"]["refund"]
    assert (owed["amount"], owed["not_invoiced"]) == (amount, 5000)
    refund = shop.refunded(order_id)["refund"]
    assert (refund["amount"], refund["not_invoiced"]) == (amount, 5000)
    assert [leg["amount"] for leg in refund["payments"]] == [amount]


def test_a_discount_line_counts_with_its_sign(shop: Shop) -> None:
    discount = documents.invoiced("2", qty_ordered=1, amount=-5000)
    order_id = shop.put(
        status="processing", items=[documents.invoiced("1"), discount], payments=[documents.captured(15000)]
    )
    told = shop.eligibility(order_id)["refund"]
    assert (told["amount"], [item["amount"] for item in told["items"]]) == (15000, [20000, -5000])
    shop.canceled(order_id)
    refund = shop.refunded(order_id)["refund"]
    assert (refund["amount"], [item["amount"] for item in refund["items"]]) == (15000, [20000, -5000])
    assert [row["amount_refunded"] for row in shop.stored(order_id)["items"]] == [20000, -5000]


def test_nothing_paid_and_nothing_authorized_is_no_refund(shop: Shop) -> None:
    voided = documents.authorized(20000, amount_voided=20000)
    for payments in ([], [voided]):
        eligibility = shop.eligibility(shop.put(payments=payments))
        assert (eligibility["eligible"], eligibility["refund"]) == (True, None)


def test_a_shortfall_does_not_show_beforehand(shop: Shop) -> None:
    eligibility = shop.eligibility(shop.put(**documents.paid(payments=[documents.captured(100)])))
    assert (eligibility["eligible"], eligibility["refund"]["amount"]) == (True, 20000)
