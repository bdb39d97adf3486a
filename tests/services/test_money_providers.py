"""What becomes of a refund whose provider is slow, away, of another mind, or not there at all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cancel_core.domain.provider import Outcome
from cancel_core.errors import OrderUnreadable, ProviderUnavailable
from cancel_core.services.cancel import cancel_order

from ops.settlement import Person, Refused, give_up, retry, settle
from tests.support.bank import Acquirer, Bank, Crash, Held, canceled, crash, run
from tests.support.orders import item, paid, payment
from tests.support.tables import NOW, Heard, Shop, request

ANN = Person("ann@shop.example", "seen to it")
LATER = NOW + timedelta(hours=2)


def waits(shop: Shop, order_id: str, bank: Any, match: str | None = None, **more: Any) -> None:
    """A go at the refund that ends with somebody who could not say."""
    with pytest.raises(ProviderUnavailable, match=match):
        run(shop, order_id, bank, **more)
    assert shop.refund_document(order_id)["status"] == "pending"


def legs(shop: Shop, order_id: str) -> list[tuple[str, int, str]]:
    document = shop.refund_document(order_id)
    return [(leg["payment_id"], int(leg["amount"]), leg["status"]) for leg in document.get("payments", ())]


# --- slow


@pytest.mark.parametrize("held", [10000, 20000])
@pytest.mark.parametrize("arrives", ["before the retry is carried out", "after it", "never"])
def test_given_up_and_tried_again_while_the_first_request_is_under_way_it_is_paid_once(
    shop: Shop, held: int, arrives: str
) -> None:
    bank = Acquirer(**{"ref-p1": Held(held)})
    bank.faults = [Acquirer.LATE]
    order_id = canceled(shop, paid(payments=[payment(captured=held)]))
    waits(shop, order_id, bank)

    give_up(shop.orders, shop.refunds, order_id, ANN, NOW)
    retry(shop.orders, shop.refunds, Heard(), order_id, ANN, NOW)
    if arrives == "before the retry is carried out":
        bank.land()
    run(shop, order_id, bank)
    if arrives == "after it":
        bank.land()

    assert bank.given("ref-p1") == 10000
    assert legs(shop, order_id) == [("p1", 10000, "succeeded")]
    assert shop.document(order_id)["payments"][0]["amount_refunded"] == 10000
    assert len({request.idempotency_key for request in bank.asked}) == 1


def test_given_up_and_settled_what_lands_late_is_known_and_counts_as_asked(shop: Shop) -> None:
    bank = Acquirer(**{"ref-p1": Held(20000)})
    bank.faults = [Acquirer.LATE]
    source = paid(payments=[payment(captured=20000)])
    order_id = canceled(shop, source)
    waits(shop, order_id, bank)
    give_up(shop.orders, shop.refunds, order_id, ANN, NOW)
    bank.land()

    settle(shop.orders, shop.refunds, order_id, ANN, NOW)
    shop.write(source | {"order_id": order_id, "store_id": shop.store_id, "placed_at": "2026-11-20T10:00:00.000Z"})
    cancel_order(shop.orders, shop.policies(), request(order_id, request_id="request-2"), lambda: NOW)
    run(shop, order_id, bank)

    assert bank.given("ref-p1") == 10000


def test_less_is_owed_when_a_request_nobody_had_an_answer_to_is_made_again(shop: Shop) -> None:
    bank = Acquirer(**{"ref-p1": Held(20000)})
    bank.faults = [Acquirer.LATE]
    order_id = canceled(shop, paid(payments=[payment(captured=20000)]))
    waits(shop, order_id, bank)
    shop.set(order_id, payments=[payment(captured=20000, amount_refunded=4000)])

    run(shop, order_id, bank)
    with pytest.raises(ProviderUnavailable, match="other parameters"):
        bank.land()

    # The first request came under a key that was used for less since.
    assert bank.given("ref-p1") == 6000
    assert shop.document(order_id)["payments"][0]["amount_refunded"] == 10000
    assert shop.refund_document(order_id)["credited_by_shop"] == 4000


def test_of_a_payment_that_is_asked_twice_what_was_given_alone_is_booked(shop: Shop) -> None:
    """The second request is written together with the booking of the first, after the shop has invoiced more."""
    bank = Acquirer(**{"ref-p1": Held(20000)})
    order_id = canceled(shop, paid(items=[item(invoiced=1, amount=10000)], payments=[payment(captured=10000)]))

    def invoices_more() -> None:
        bank.after = lambda: None
        row = shop.document(order_id)["items"][0] | {"amount": 15000, "amount_invoiced": 15000}
        shop.set(order_id, items=[row], payments=[payment(captured=20000)])

    bank.after = invoices_more

    run(shop, order_id, bank)

    assert legs(shop, order_id) == [("p1", 10000, "succeeded"), ("p1", 5000, "succeeded")]
    assert bank.given("ref-p1") == 15000
    assert shop.document(order_id)["payments"][0]["amount_refunded"] == 15000


def test_less_is_owed_and_again_there_is_no_answer_it_is_asked_for_by_one_leg(shop: Shop) -> None:
    """What the shop has booked before the second request is none of it."""
    bank = Acquirer(**{"ref-p1": Held(20000)})
    bank.faults = [Acquirer.LATE, Acquirer.LATE]
    order_id = canceled(shop, paid(payments=[payment(captured=20000)]))
    waits(shop, order_id, bank)
    shop.set(order_id, payments=[payment(captured=20000, amount_refunded=9900)])

    waits(shop, order_id, bank)

    assert legs(shop, order_id) == [("p1", 100, "pending")]
    assert bank.given("ref-p1") == 0


def test_less_is_owed_but_the_first_request_was_carried_out(shop: Shop) -> None:
    bank = Acquirer(**{"ref-p1": Held(20000)})
    bank.faults = [Acquirer.LATE]
    order_id = canceled(shop, paid(payments=[payment(captured=20000)]))
    waits(shop, order_id, bank)
    shop.set(order_id, payments=[payment(captured=20000, amount_refunded=4000)])
    bank.land()

    run(shop, order_id, bank)

    # Paid is paid: nothing more goes back, and the order says what has.
    assert bank.given("ref-p1") == 10000
    assert legs(shop, order_id) == [("p1", 10000, "succeeded")]
    assert shop.refund_document(order_id)["status"] == "succeeded"


def test_owed_no_more_a_request_that_may_still_arrive_is_waited_for(shop: Shop) -> None:
    bank = Acquirer(**{"ref-p1": Held(20000)})
    bank.faults = [Acquirer.LATE]
    order_id = canceled(shop, paid(payments=[payment(captured=20000)]))
    waits(shop, order_id, bank)
    shop.set(order_id, payments=[payment(captured=20000, amount_refunded=10000)])

    waits(shop, order_id, bank, "may still arrive")
    run(shop, order_id, bank, at=LATER)

    assert bank.given("ref-p1") == 0
    document = shop.refund_document(order_id)
    assert (document["status"], document["amount"], document["credited_by_shop"]) == ("succeeded", 0, 10000)


# --- not what was asked for


@pytest.mark.parametrize(("amount", "currency"), [(1000000, "SEK"), (1, "SEK"), (10000, "EUR")])
@pytest.mark.parametrize("found", [False, True])
def test_an_answer_of_another_amount_or_currency_is_not_booked(
    shop: Shop, amount: int, currency: str, *, found: bool
) -> None:
    bank, order_id = Acquirer(**{"ref-p1": Held(10000)}), canceled(shop, paid())
    wrong = Outcome("succeeded", "re_1", amount=amount, currency=currency)
    if found:
        bank.after = crash
        with pytest.raises(Crash):
            run(shop, order_id, bank)
        bank.says = wrong
    else:
        bank.faults = [wrong]

    run(shop, order_id, bank)

    order, document = shop.document(order_id), shop.refund_document(order_id)
    assert order["payments"][0].get("amount_refunded", 0) == 0
    assert order["items"][0].get("amount_refunded", 0) == 0
    assert (document["status"], document["failure"]["code"]) == ("failed", "INVALID_ORDER")
    assert "something else than it was asked" in document["failure"]["message"]
    assert document["payments"][0]["reference"] == "re_1"
    assert document["refund_id"] in set(shop.refunds.unsettled())
    # Money has moved all the same: nothing more is asked for, however often a person tries.
    retry(shop.orders, shop.refunds, Heard(), order_id, ANN, NOW)
    run(shop, order_id, bank)
    assert len(bank.asked) == 1
    assert shop.refund_document(order_id)["status"] == "failed"
    assert shop.document(order_id)["items"][0].get("amount_refunded", 0) == 0
    settle(shop.orders, shop.refunds, order_id, ANN, NOW)
    assert shop.refund_document(order_id)["status"] == "succeeded"


@pytest.mark.parametrize("currency", ["sek", "SE", "KRON", "SEK ", "", 7])
def test_a_currency_that_is_not_three_capitals_is_refused_before_anything_is_written(shop: Shop, currency: Any) -> None:
    order_id = shop.put(paid(currency=currency))

    with pytest.raises(OrderUnreadable):
        cancel_order(shop.orders, shop.policies(), request(order_id), lambda: NOW)

    assert "cancellation" not in shop.document(order_id)


def test_a_payment_in_another_currency_there_stops_all_before_anything_is_paid(shop: Shop) -> None:
    bank = Acquirer(**{"ref-p1": Held(4000), "ref-p2": Held(6000, currency="EUR"), "ref-p3": Held(authorized=700)})
    payments = [payment("p1", captured=4000), payment("p2", captured=6000), payment("p3", authorized=700)]
    order_id = canceled(shop, paid(payments=payments))

    run(shop, order_id, bank)

    document = shop.refund_document(order_id)
    assert bank.asked == []
    assert (document["status"], document["failure"]["code"]) == ("failed", "INVALID_ORDER")
    assert document["failure"]["message"] == "p2: the payment is in EUR here"
    assert document["refund_id"] in set(shop.refunds.unsettled())
    assert "refund_pending_since" not in shop.document(order_id)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_provider_that_is_not_configured_stops_all_before_anything_is_paid(shop: Shop, position: int) -> None:
    payments = [payment("p1", captured=4000), payment("p2", captured=6000), payment("p3", authorized=700)]
    payments[position] |= {"provider": "klarna"}
    bank, order_id = Bank(), canceled(shop, paid(payments=payments))

    run(shop, order_id, bank)

    document = shop.refund_document(order_id)
    assert bank.asked == 0
    assert (document["status"], document["failure"]["code"]) == ("failed", "INVALID_ORDER")
    assert "klarna" in document["failure"]["message"]
    # Once it is configured, a person has it tried again.
    retry(shop.orders, shop.refunds, Heard(), order_id, ANN, NOW)
    run(shop, order_id, bank, klarna=bank)
    assert bank.amounts == {"ref-p1": 4000, "ref-p2": 6000, "ref-p3": 700}
    assert shop.refund_document(order_id)["status"] == "succeeded"


# --- captured late, or away


def test_what_was_captured_before_the_cancel_and_booked_after_it_is_paid_by_a_retry(shop: Shop) -> None:
    bank = Acquirer(**{"ref-p1": Held(10000, 10000)})
    order_id = canceled(shop, paid(payments=[payment(authorized=10000)]))
    run(shop, order_id, bank)
    document = shop.refund_document(order_id)
    assert document["status"] == "failed"
    assert bank.given("ref-p1") == 0
    with pytest.raises(Refused, match="hold less"):
        retry(shop.orders, shop.refunds, Heard(), order_id, ANN, NOW)
    shop.set(order_id, payments=[payment(captured=10000)])

    retry(shop.orders, shop.refunds, Heard(), order_id, ANN, NOW)
    run(shop, order_id, bank)

    order = shop.document(order_id)
    assert bank.given("ref-p1") == 10000
    assert shop.refund_document(order_id)["status"] == order["cancellation"]["refund"]["status"] == "succeeded"
    assert order["payments"][0]["amount_refunded"] == 10000
    assert order["payments"][0].get("amount_voided", 0) == 0


def test_a_provider_that_cannot_say_is_waited_for_and_its_id_is_kept(shop: Shop) -> None:
    bank, order_id = Acquirer(**{"ref-p1": Held(10000)}), canceled(shop, paid())
    bank.thinking = True
    run(shop, order_id, bank)
    known = shop.refund_document(order_id)["payments"][0]["reference"]
    payments, bank.payments = bank.payments, {}

    for _ in range(3):
        # As with a key of another account: it knows of nothing.
        waits(shop, order_id, bank, "no such payment")

    assert shop.refund_document(order_id)["payments"][0]["reference"] == known == "re_1"
    assert shop.document(order_id)["cancellation"]["refund"]["payments"][0]["reference"] == known
    assert "no such payment" in shop.refund_document(order_id)["last_error"]["message"]
    bank.payments, bank.thinking = payments, False
    run(shop, order_id, bank)
    assert legs(shop, order_id) == [("p1", 10000, "succeeded")]
    assert shop.refund_document(order_id)["payments"][0]["reference"] == known
    assert bank.given("ref-p1") == 10000


def test_a_refund_that_fails_at_its_provider_later_keeps_its_id(shop: Shop) -> None:
    bank, order_id = Acquirer(**{"ref-p1": Held(10000)}), canceled(shop, paid())
    bank.thinking = True
    run(shop, order_id, bank)
    bank.says = Outcome("failed", message="the account is closed")

    run(shop, order_id, bank)

    (leg,) = shop.refund_document(order_id)["payments"]
    assert (leg["status"], leg["reference"]) == ("failed", "re_1")
    assert shop.document(order_id)["cancellation"]["refund"]["payments"][0]["reference"] == "re_1"


@pytest.mark.parametrize("away", ["p1", "p2", "p3"])
@pytest.mark.parametrize("known", [True, False])
def test_a_provider_that_cannot_be_reached_holds_up_its_own_leg_alone(shop: Shop, away: str, *, known: bool) -> None:
    payments = [payment("p1", captured=4000), payment("p2", captured=6000), payment("p3", authorized=700)]
    next(row for row in payments if row["payment_id"] == away)["provider"] = "card"
    bank, order_id = Bank(), canceled(shop, paid(payments=payments))
    # It may be unavailable already when the payment is looked at, or only when it is to pay.
    reached = Acquirer(**{"ref-p1": Held(4000), "ref-p2": Held(6000), "ref-p3": Held(authorized=700)})
    unreached = Acquirer(**(reached.payments if known else {}))
    unreached.faults = [ProviderUnavailable("no such payment: connection refused")] * 9

    for _ in range(2):
        waits(shop, order_id, bank, "no such payment", card=unreached)
    assert bank.amounts == {
        f"ref-{payment_id}": amount
        for payment_id, amount in (("p1", 4000), ("p2", 6000), ("p3", 700))
        if payment_id != away
    }
    assert shop.document(order_id)["cancellation"]["refund"]["amount"] == 10000
    run(shop, order_id, bank, card=reached)

    order = shop.document(order_id)
    assert [row.get("amount_refunded", 0) for row in order["payments"]] == [4000, 6000, 0]
    assert order["payments"][2]["amount_voided"] == 700
    assert shop.refund_document(order_id)["status"] == "succeeded"
    assert sum(bank.amounts.values()) + sum(request.amount for request in reached.made.values()) == 10700


@pytest.mark.parametrize("declined", [False, True])
def test_an_error_that_the_provider_has_saved_does_not_block_the_refund(shop: Shop, *, declined: bool) -> None:
    bank, order_id = Acquirer(**{"ref-p1": Held(10000)}), canceled(shop, paid())
    # The answer is lost to us as an error of theirs, and saved under the key.
    saved = Outcome("new_key", message="an error that was saved")
    bank.faults = [saved, Outcome("failed", message="no") if declined else None]

    run(shop, order_id, bank)

    document = shop.refund_document(order_id)
    assert len({request.idempotency_key for request in bank.asked}) == 2
    assert bank.given("ref-p1") == (0 if declined else 10000)
    assert document["status"] == ("failed" if declined else "succeeded")
    assert [leg["attempt"] for leg in document["payments"]] == [2]


def test_errors_that_go_on_and_on_are_not_asked_for_without_end(shop: Shop) -> None:
    bank, order_id = Acquirer(**{"ref-p1": Held(10000)}), canceled(shop, paid())
    bank.faults = [Outcome("new_key", message="a 500")] * 4

    waits(shop, order_id, bank, "a 500")
    assert len(bank.asked) == 2
    waits(shop, order_id, bank, "a 500")
    run(shop, order_id, bank)

    assert bank.given("ref-p1") == 10000
    assert len({request.idempotency_key for request in bank.asked}) == 5
    assert shop.document(order_id)["items"] == [item(invoiced=1) | {"amount_refunded": 10000, "qty_refunded": 1}]
