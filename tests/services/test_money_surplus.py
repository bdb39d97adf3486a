"""What the payments hold beyond what is invoiced, what a person settles, and what the order has no room for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cancel_core.domain.events import Event
from cancel_core.domain.rules import decide
from cancel_core.entrypoints.http.documents import cancellation_view, eligibility_view
from cancel_core.errors import ProviderUnavailable
from cancel_core.services.announce import Change, publish_changes
from cancel_core.services.cancel import cancel_order
from cancel_core.telemetry import flush

from ops.settlement import Person, Refused, settle
from tests.support.bank import Bank, canceled, run, three_payments
from tests.support.orders import ENABLED, document, item, order, paid, payment
from tests.support.schemas import assert_event
from tests.support.tables import NOW, Heard, Shop, request

ANN = Person("ann@shop.example", "seen to it")


def written(shop: Shop, order_id: str, **attributes: Any) -> Heard:
    """What the order system writes on an order, and what is told of it."""
    before = shop.stored(order_id)
    shop.set(order_id, **attributes)
    heard = Heard()
    assert publish_changes(shop.orders, shop.refunds, heard, [Change("1", before, shop.stored(order_id))], NOW) == []
    for event in heard.events:
        assert_event(as_sent(event))
    return heard


def as_sent(event: Event) -> dict[str, Any]:
    """As a rule's target gets it."""
    return {
        "version": "0",
        "id": "1b1f0000-0000-4000-8000-000000000000",
        "account": "123456789012",
        "region": "eu-north-1",
        "time": "2026-11-22T10:00:00Z",
        "resources": [],
        "source": event.source,
        "detail-type": event.detail_type,
        "detail": event.detail,
    }


# --- captured after the cancel


@pytest.mark.parametrize("basis", ["invoiced", "paid"])
@pytest.mark.parametrize("refunded", [True, False])
def test_what_is_captured_after_the_cancel_is_told_at_once_and_listed(
    shop: Shop, basis: str, *, refunded: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.configure(refund_basis=basis)
    order_id = canceled(shop, paid())
    if refunded:
        run(shop, order_id, Bank())
    flush()
    capsys.readouterr()
    payments = shop.document(order_id)["payments"]

    heard = written(shop, order_id, payments=[*payments, payment("late", captured=2500)])

    # On the basis `paid` a refund that is still pending pays it back.
    expected = 2500 if refunded or basis == "invoiced" else 0
    assert [(event.detail_type, event.detail["surplus"]) for event in heard.events] == (
        [("OrderPaymentSurplus", 2500)] if expected else []
    )
    flush()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len([line for line in lines if "PaymentSurplus" in line]) == (1 if expected else 0)
    listed = shop.refunds.item(f"surplus:{order_id}")
    assert (listed or {}).get("surplus", 0) == expected
    assert (f"surplus:{order_id}" in set(shop.refunds.unsettled())) is bool(expected)


def test_a_late_capture_of_an_order_without_refund_is_told_too(shop: Shop) -> None:
    order_id = canceled(shop, document())
    assert shop.document(order_id)["cancellation"].get("refund") is None

    heard = written(shop, order_id, payments=[payment("late", captured=10000)])

    assert [(event.detail_type, event.detail["surplus"]) for event in heard.events] == [("OrderPaymentSurplus", 10000)]
    assert f"surplus:{order_id}" in set(shop.refunds.unsettled())


def test_other_writes_and_refunds_of_the_shop_tell_no_surplus(shop: Shop) -> None:
    order_id = canceled(shop, paid(payments=[payment(captured=12000)]))

    assert written(shop, order_id, shelf="B4").events == []
    assert written(shop, order_id, payments=[payment(captured=12000, amount_refunded=2000)]).events == []


def test_a_surplus_is_settled_under_its_own_id_and_listed_again_when_it_grows(shop: Shop) -> None:
    order_id = canceled(shop, document())
    written(shop, order_id, payments=[payment("late", captured=4000)])
    surplus = f"surplus:{order_id}"

    assert "settled" in settle(shop.orders, shop.refunds, surplus, ANN, NOW)

    assert surplus not in set(shop.refunds.unsettled())
    kept = shop.refunds.item(surplus)
    assert kept
    assert kept["settled"] == {"at": "2026-11-22T10:00:00Z", "by": ANN.by, "why": ANN.why}
    # The same surplus again brings nothing back, nor does less; more money does.
    written(shop, order_id, payments=[payment("late")])
    written(shop, order_id, payments=[payment("late", captured=4000)])
    assert surplus not in set(shop.refunds.unsettled())
    written(shop, order_id, payments=[payment("late", captured=6000)])
    assert surplus in set(shop.refunds.unsettled())
    with pytest.raises(Refused):
        settle(shop.orders, shop.refunds, "surplus:nothing", ANN, NOW)


def test_a_surplus_that_the_cancel_finds_is_told_with_it_and_listed(shop: Shop) -> None:
    order_id = shop.put(paid(payments=[payment(captured=12500)]))
    before = shop.stored(order_id)
    cancel_order(shop.orders, shop.policies(), request(order_id), lambda: NOW)
    heard = Heard()

    publish_changes(shop.orders, shop.refunds, heard, [Change("1", before, shop.stored(order_id))], NOW)

    assert [(event.detail_type, event.detail["surplus"]) for event in heard.events] == [("OrderCanceled", 2500)]
    assert f"surplus:{order_id}" in set(shop.refunds.unsettled())


# --- on which basis


@pytest.mark.parametrize(("basis", "amount", "surplus"), [("invoiced", 10000, 2500), ("paid", 12500, 0)])
def test_what_is_not_invoiced_goes_back_on_the_basis_paid_alone(
    shop: Shop, basis: str, amount: int, surplus: int
) -> None:
    shop.configure(refund_basis=basis)
    source = paid(payments=[payment("p1", captured=8000), payment("p2", captured=4500)])
    order_id, bank = shop.put(source), Bank()
    before = shop.order(order_id)
    shown = eligibility_view(before, decide(before, shop.policies().get(shop.store_id), NOW))["refund"]
    cancel_order(shop.orders, shop.policies(), request(order_id), lambda: NOW)

    run(shop, order_id, bank)

    after, known = shop.order(order_id), shop.refund_document(order_id)
    assert after.cancellation
    told = cancellation_view(after, after.cancellation)["refund"]
    assert (shown["amount"], shown["not_invoiced"]) == (amount, 2500)
    assert (told["status"], told["amount"], told["not_invoiced"]) == ("succeeded", amount, 2500)
    assert (known["amount"], known["surplus"], known.get("basis", "invoiced")) == (
        amount,
        surplus,
        basis,
    )
    assert after.cancellation.surplus == surplus
    assert bank.amounts == {"ref-p1": 8000, "ref-p2": amount - 8000}
    # Rows are booked up to what was invoiced, never above.
    assert after.items[0].amount_refunded == 10000


def test_on_the_basis_paid_nothing_invoiced_still_goes_back(shop: Shop) -> None:
    shop.configure(refund_basis="paid")
    bank, order_id = Bank(), canceled(shop, document(payments=[payment(captured=10000)]))

    run(shop, order_id, bank)

    order_now = shop.document(order_id)
    assert bank.amounts == {"ref-p1": 10000}
    assert order_now["payments"][0]["amount_refunded"] == 10000
    assert order_now["items"][0].get("amount_refunded", 0) == 0
    assert order_now["status"] == "canceled"
    assert shop.refund_document(order_id)["not_invoiced"] == 10000


def test_on_the_basis_paid_what_the_shop_gives_back_itself_is_not_given_back_again(shop: Shop) -> None:
    shop.configure(refund_basis="paid")
    bank, order_id = Bank(), canceled(shop, document(payments=[payment("p1", captured=10000), payment("p2")]))
    shop.set(order_id, payments=[payment("p1", captured=10000, amount_refunded=3000), payment("p2")])

    run(shop, order_id, bank)

    known = shop.refund_document(order_id)
    assert bank.amounts == {"ref-p1": 7000}
    assert (known["status"], known["amount"], known["credited_by_shop"]) == ("succeeded", 7000, 3000)


@pytest.mark.parametrize(
    ("payments", "amount"),
    [
        ([], None),
        ([payment()], None),
        ([payment(captured=500, amount_refunded=500)], None),
        ([payment(authorized=500)], 0),
        ([payment(authorized=500, amount_voided=500)], None),
        ([payment(captured=500)], 0),
    ],
)
def test_eligibility_has_no_refund_only_where_nothing_is_held_and_nothing_would_be_released(
    payments: list[dict[str, Any]], amount: int | None
) -> None:
    pending = order(payments=payments)

    refund = eligibility_view(pending, decide(pending, ENABLED, NOW))["refund"]

    assert (refund["amount"] if refund else None) == amount


# --- settled by hand


@pytest.mark.parametrize("left", [{"status": "complete"}, {"items": [item("a", invoiced=1, qty_shipped=1)]}])
@pytest.mark.parametrize("begun", [False, True])
def test_a_settlement_of_what_has_left_the_house_books_no_rows(
    shop: Shop, left: dict[str, Any], *, begun: bool
) -> None:
    bank, order_id = Bank(), canceled(shop, three_payments())
    if begun:
        bank.after = lambda: shop.set(order_id, **left)
    else:
        shop.set(order_id, **left)
    run(shop, order_id, bank)
    assert shop.refund_document(order_id)["status"] == "failed"

    settle(shop.orders, shop.refunds, order_id, ANN, NOW)

    order_now, known = shop.document(order_id), shop.refund_document(order_id)
    paid_by_us = 4000 if begun else 0
    assert bank.amounts == ({"ref-p1": 4000} if begun else {})
    assert known["status"] == order_now["cancellation"]["refund"]["status"] == "succeeded"
    assert (known["amount"], known["settled_by_hand"]) == (paid_by_us, 10000 - paid_by_us)
    refund = order_now["cancellation"]["refund"]
    assert (refund["amount"], refund["settled_by_hand"]) == (paid_by_us, 10000 - paid_by_us)
    assert order_now["items"][0].get("amount_refunded", 0) == 0
    assert order_now["items"][0].get("qty_refunded", 0) == 0
    assert [row.get("amount_refunded", 0) for row in order_now["payments"]] == [paid_by_us, 0, 0]
    assert order_now["status"] == left.get("status", "canceled")


def test_a_settlement_tells_what_we_paid_and_what_was_by_hand(shop: Shop) -> None:
    bank = Bank()
    bank.declines["ref-p2"] = "blocked"
    order_id = canceled(shop, three_payments())
    run(shop, order_id, bank)
    before = shop.stored(order_id)
    settle(shop.orders, shop.refunds, order_id, ANN, NOW)
    heard = Heard()

    publish_changes(shop.orders, shop.refunds, heard, [Change("1", before, shop.stored(order_id))], NOW)

    known = shop.refund_document(order_id)
    assert (known["amount"], known["settled_by_hand"]) == (4000, 6000)
    assert [(event.detail_type, event.detail["refund"]["amount"]) for event in heard.events] == [
        ("OrderRefunded", 4000)
    ]


# --- no room on the order


def test_what_is_paid_of_an_order_that_was_filled_up_is_kept_told_and_booked_once_there_is_room(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    bank, order_id = Bank(), canceled(shop, paid())
    room = 400 * 1024 - shop.stored(order_id).size - 40
    flush()
    capsys.readouterr()
    bank.after = lambda: shop.set(order_id, blob="x" * room)

    for _ in range(3):
        with pytest.raises(ProviderUnavailable, match="too large"):
            run(shop, order_id, bank)
        known = shop.refund_document(order_id)
        assert (known["status"], known["payments"][0]["status"]) == ("pending", "succeeded")
        assert "make room" in known["last_error"]["message"]
        assert known["refund_id"] in set(shop.refunds.unsettled())
    flush()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sum(sum(line["RefundUnbookable"]) for line in lines if "RefundUnbookable" in line) == 3
    assert bank.amounts == {"ref-p1": 10000}
    shop.set(order_id, blob="")

    run(shop, order_id, bank)

    order_now, known = shop.document(order_id), shop.refund_document(order_id)
    assert bank.asked == 1
    assert order_now["payments"][0]["amount_refunded"] == order_now["items"][0]["amount_refunded"] == 10000
    assert order_now["cancellation"]["refund"]["status"] == known["status"] == "succeeded"
    assert "last_error" not in known
