"""A refund that its provider had paid, and whose money came back days later, on a real engine."""

from __future__ import annotations

from typing import Any

import pytest
from cancel_core.domain.provider import Outcome
from cancel_core.services.announce import Change, publish_changes

from ops.settlement import Person, Refused, money_returned, retry, settle
from tests.support.bank import Acquirer, Held, canceled, run
from tests.support.orders import item, paid, payment
from tests.support.tables import NOW, Heard, Shop

ANN = Person("ann@shop.example", "the account is closed")
BOUNCED = Outcome("failed", reference="re_1", message="account closed")


def refunded(shop: Shop) -> tuple[str, Acquirer]:
    """An order whose two payments have been paid back."""
    bank = Acquirer(**{"ref-p1": Held(6000), "ref-p2": Held(4000)})
    payments = [payment("p1", captured=6000), payment("p2", captured=4000)]
    order_id = canceled(shop, paid(items=[item(invoiced=1)], payments=payments))
    refund = run(shop, order_id, bank)
    assert refund
    assert refund.status == "succeeded"
    return order_id, bank


def assert_failed(shop: Shop, order_id: str, why: str) -> None:
    document, order = shop.refund_document(order_id), shop.document(order_id)
    refund = order["cancellation"]["refund"]
    assert (document["status"], refund["status"]) == ("failed", "failed")
    assert document["failure"]["code"] == refund["failure"]["code"] == "PROVIDER_DECLINED"
    assert why in document["failure"]["message"]
    assert [leg["status"] for leg in refund["payments"]] == ["failed", "succeeded"]
    assert refund["payments"][0]["reference"] == "re_1"
    assert document["refund_id"] in set(shop.refunds.unsettled())
    assert "refund_pending_since" not in order


def test_what_the_provider_says_has_failed_after_all_is_noticed_when_it_is_looked_at_again(shop: Shop) -> None:
    order_id, bank = refunded(shop)
    before = shop.stored(order_id)
    assert run(shop, order_id, bank) is None
    # Of the two the first has come back.
    bank.says_of["ref-p1"] = BOUNCED

    run(shop, order_id, bank)

    assert_failed(shop, order_id, "account closed")
    heard = Heard()
    assert publish_changes(shop.orders, shop.refunds, heard, [Change("1", before, shop.stored(order_id))], NOW) == []
    assert [event.detail_type for event in heard.events] == ["OrderRefundFailed"]
    assert run(shop, order_id, bank) is None
    assert bank.given("ref-p1") == 6000


def test_an_operator_can_tell_it(shop: Shop) -> None:
    order_id, _ = refunded(shop)

    said = [money_returned(shop.orders, shop.refunds, order_id, "p1", ANN, NOW) for _ in range(2)]

    assert "has come back" in said[0]
    assert "nothing to do" in said[1]
    assert_failed(shop, order_id, "the account is closed")


def test_it_is_settled_by_hand(shop: Shop) -> None:
    order_id, _ = refunded(shop)
    money_returned(shop.orders, shop.refunds, order_id, "p1", ANN, NOW)

    settle(shop.orders, shop.refunds, order_id, ANN, NOW)

    document = shop.refund_document(order_id)
    assert (document["status"], document["amount"], document["settled_by_hand"]) == ("succeeded", 4000, 6000)
    assert shop.document(order_id)["items"][0]["amount_refunded"] == 10000


def test_it_is_paid_again_once_the_order_says_that_it_is_owed(shop: Shop) -> None:
    order_id, bank = refunded(shop)
    money_returned(shop.orders, shop.refunds, order_id, "p1", ANN, NOW)
    heard = Heard()
    with pytest.raises(Refused, match="Lower `amount_refunded`"):
        retry(shop.orders, shop.refunds, heard, order_id, ANN, NOW)
    bank.forget("ref-p1")
    order = shop.document(order_id)
    payments: list[dict[str, Any]] = order["payments"]
    shop.set(
        order_id,
        items=[order["items"][0] | {"amount_refunded": 4000}],
        payments=[payments[0] | {"amount_refunded": 0}, payments[1]],
    )

    retry(shop.orders, shop.refunds, heard, order_id, ANN, NOW)
    run(shop, order_id, bank)

    after = shop.document(order_id)
    assert (bank.given("ref-p1"), bank.given("ref-p2")) == (6000, 4000)
    assert after["cancellation"]["refund"]["status"] == "succeeded"
    assert [one["amount_refunded"] for one in after["payments"]] == [6000, 4000]
    assert after["items"][0]["amount_refunded"] == 10000
    assert len({asked.idempotency_key for asked in bank.asked}) == 3


def test_what_was_not_paid_can_not_come_back(shop: Shop) -> None:
    order_id, _ = refunded(shop)
    with pytest.raises(Refused, match="Nothing was paid back of p9"):
        money_returned(shop.orders, shop.refunds, order_id, "p9", ANN, NOW)
    pending = canceled(shop, paid())
    run(shop, pending, Acquirer(**{"ref-p1": Held(10000)}))
    other = canceled(shop, paid())
    with pytest.raises(Refused):
        money_returned(shop.orders, shop.refunds, other, "p1", ANN, NOW)
