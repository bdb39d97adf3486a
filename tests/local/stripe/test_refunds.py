"""What is given back: never more than there is, in every state that a refund may take."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from local.stripe.server import StripeServer
from local.stripe.state import State
from tests.local.stripe.conftest import client_of

BOTH = pytest.mark.parametrize("reference", ["pi_1", "ch_1"])


def of(reference: str, **more: Any) -> Any:
    """The parameters that name a payment."""
    return {"payment_intent" if reference.startswith("pi_") else "charge": reference, **more}


def refused(client: stripe.StripeClient, reference: str, **more: Any) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.refunds.create(of(reference, **more))
    assert caught.value.http_status == 400
    return caught.value


@BOTH
def test_a_payment_is_given_back_in_parts_and_no_further(
    client: stripe.StripeClient, state: State, reference: str
) -> None:
    state.pay(reference, captured=1000)

    refund = client.v1.refunds.create(
        of(reference, amount=400, reason="requested_by_customer", metadata={"refund_id": "ref-1"})
    )

    assert (refund.amount, refund.status, refund.currency, refund.reason) == (
        400, "succeeded", "sek", "requested_by_customer",
    )  # fmt: skip
    assert refund.metadata
    assert refund.metadata.to_dict() == {"refund_id": "ref-1"}
    assert refund.payment_intent == (reference if reference == "pi_1" else None)
    charge = client.v1.charges.retrieve(str(refund.charge), {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded) == (400, False)
    assert charge.refunds
    assert [one.id for one in charge.refunds.data] == [refund.id]

    more = refused(client, reference, amount=601)
    assert (more.code, more.param) == (None, "amount")
    assert "Refund amount (6.01 SEK) is greater than unrefunded amount on charge (6.00 SEK)" in str(more)

    assert client.v1.refunds.create(of(reference)).amount == 600
    assert client.v1.charges.retrieve(charge.id).refunded
    assert refused(client, reference, amount=1).code == "charge_already_refunded"
    assert state.totals()[reference]["given_back"] == 1000


def test_of_several_captures_what_was_captured_is_given_back(client: stripe.StripeClient, state: State) -> None:
    state.pay("pi_1", authorized=1000, captured=700, open=True)

    assert "(7.00 SEK)" in str(refused(client, "pi_1", amount=701))
    refund = client.v1.refunds.create({"payment_intent": "pi_1"})

    assert refund.amount == 700
    # It is wholly refunded only when nothing more can be captured.
    assert not client.v1.charges.retrieve(str(refund.charge)).refunded
    client.v1.payment_intents.capture("pi_1", {"amount_to_capture": 0})
    assert client.v1.charges.retrieve(str(refund.charge)).refunded


def test_an_uncaptured_charge_is_released_as_a_whole(client: stripe.StripeClient, state: State) -> None:
    state.pay("ch_1", authorized=1000)
    assert "cannot partially refund an uncaptured charge" in str(refused(client, "ch_1", amount=400))

    refund = client.v1.refunds.create({"charge": "ch_1"})

    assert (refund.amount, refund.status, refund.balance_transaction) == (1000, "succeeded", None)
    charge = client.v1.charges.retrieve("ch_1")
    assert (charge.captured, charge.refunded) == (False, True)
    assert refused(client, "ch_1").code == "charge_already_refunded"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.charges.capture("ch_1")
    total = state.totals()["ch_1"]
    assert (total["released"], total["given_back"], total["refunds"]) == (True, 0, 0)


def test_the_uncaptured_charge_of_an_intent_is_released_by_its_cancel_alone(
    client: stripe.StripeClient, state: State
) -> None:
    state.pay("pi_1", authorized=1000, charge="ch_1")

    for reference in ("pi_1", "ch_1"):
        assert "You must cancel the PaymentIntent" in str(refused(client, reference))
    client.v1.payment_intents.cancel("pi_1")
    assert "does not have a successful charge" in str(refused(client, "pi_1"))
    assert client.v1.refunds.list({"payment_intent": "pi_1"}).data == []
    assert state.totals()["pi_1"]["released"]


def test_a_pending_refund_succeeds_later_and_holds_its_part_until_then(
    client: stripe.StripeClient, state: State
) -> None:
    state.pay("pi_1", captured=1000, refunds={"status": "pending", "then": "succeeded", "after": 3600})

    refund = client.v1.refunds.create({"payment_intent": "pi_1", "amount": 800})

    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    assert "(2.00 SEK)" in str(refused(client, "pi_1", amount=201))
    state.advance(3599)
    assert client.v1.refunds.retrieve(refund.id).status == "pending"
    state.advance(2)
    assert client.v1.refunds.retrieve(refund.id).status == "succeeded"


def test_a_refund_that_succeeded_may_fail_and_be_made_again(client: stripe.StripeClient, state: State) -> None:
    state.pay("pi_1", captured=1000)
    refund = client.v1.refunds.create({"payment_intent": "pi_1"})

    state.set_refund(refund.id, "failed", "expired_or_canceled_card")

    failed = client.v1.refunds.retrieve(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    charge = client.v1.charges.retrieve(str(refund.charge))
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    assert client.v1.refunds.create({"payment_intent": "pi_1"}).amount == 1000
    total = state.totals()["pi_1"]
    assert (total["given_back"], total["failed"], total["refunds"]) == (1000, 1000, 2)


@pytest.mark.parametrize(
    ("card", "first", "last"), [("pendingRefund", "pending", "succeeded"), ("refundFail", "succeeded", "failed")]
)
def test_stripes_own_test_cards_do_so_by_themselves(
    client: stripe.StripeClient, state: State, card: str, first: str, last: str
) -> None:
    charge = client.v1.charges.create({"amount": 500, "currency": "sek", "source": f"tok_{card}"})

    refund = client.v1.refunds.create({"charge": charge.id})

    assert refund.status == first
    state.advance(61)
    assert client.v1.refunds.retrieve(refund.id).status == last


def test_a_refund_that_waits_for_the_customer_alone_is_cancelled(client: stripe.StripeClient, state: State) -> None:
    state.pay("pi_1", captured=1000)
    done = client.v1.refunds.create({"payment_intent": "pi_1", "amount": 100})
    state.refunds_become("pi_1", status="requires_action")
    waits = client.v1.refunds.create({"payment_intent": "pi_1", "amount": 900})

    with pytest.raises(stripe.InvalidRequestError, match="unsupported"):
        client.v1.refunds.cancel(done.id)
    canceled = client.v1.refunds.cancel(waits.id)

    assert (canceled.status, canceled.failure_reason) == ("canceled", "merchant_request")
    assert client.v1.refunds.create({"payment_intent": "pi_1"}).amount == 900


@BOTH
def test_a_disputed_payment_is_not_given_back_until_the_dispute_is_won(
    client: stripe.StripeClient, state: State, reference: str
) -> None:
    state.pay(reference, captured=1000)
    state.dispute(reference)

    assert refused(client, reference).code == "charge_disputed"
    assert client.v1.charges.retrieve(state.totals()[reference]["charge"]).disputed
    state.dispute(reference, "won")
    assert client.v1.refunds.create(of(reference)).amount == 1000


def test_a_card_that_disputes_does_so_once_it_was_charged(client: stripe.StripeClient) -> None:
    charge = client.v1.charges.create(
        {"amount": 500, "currency": "sek", "source": "tok_createDispute", "capture": False}
    )
    assert not charge.disputed

    assert client.v1.charges.capture(charge.id).disputed


def test_a_balance_that_does_not_cover_it_refuses_or_lets_it_wait(client: stripe.StripeClient, state: State) -> None:
    state.pay("pi_1", captured=1000)
    state.balance(500)

    assert client.v1.refunds.create({"payment_intent": "pi_1", "amount": 300}).status == "succeeded"
    assert refused(client, "pi_1", amount=300).code == "balance_insufficient"
    state.balance(200, short="insufficient_funds")
    assert refused(client, "pi_1", amount=300).code == "insufficient_funds"
    state.balance(200, short="pending")
    waits = client.v1.refunds.create({"payment_intent": "pi_1", "amount": 300})
    assert (waits.status, waits.pending_reason) == ("pending", "insufficient_funds")


def test_more_than_a_page_is_listed_newest_first(client: stripe.StripeClient, state: State) -> None:
    state.pay("pi_1", captured=1000, charge="ch_1")
    state.pay("pi_2", captured=1000)
    client.v1.refunds.create({"payment_intent": "pi_2", "amount": 999})
    made = [client.v1.refunds.create({"payment_intent": "pi_1", "amount": 1}).id for _ in range(120)]
    newest = list(reversed(made))

    first = client.v1.refunds.list({"payment_intent": "pi_1", "limit": 100})
    assert ([one.id for one in first.data], first.has_more) == (newest[:100], True)
    rest = client.v1.refunds.list({"charge": "ch_1", "limit": 100, "starting_after": newest[99]})
    assert ([one.id for one in rest.data], rest.has_more) == (newest[100:], False)
    back = client.v1.refunds.list({"payment_intent": "pi_1", "limit": 5, "ending_before": newest[99]})
    assert [one.id for one in back.data] == newest[94:99]
    usual = client.v1.refunds.list({"payment_intent": "pi_1"})
    assert ([one.id for one in usual.data], usual.has_more) == (newest[:10], True)
    listed = client.v1.refunds.list({"payment_intent": "pi_1", "limit": 7}).auto_paging_iter()
    assert [one.id for one in listed] == newest
    assert len(list(client.v1.refunds.list({"limit": 100}).auto_paging_iter())) == 121
    assert client.v1.refunds.list({"payment_intent": "pi_2", "charge": "ch_1"}).data == []


@pytest.mark.parametrize("params", [{"limit": 101}, {"limit": 0}, {"starting_after": "re_no"}, {"charge": "ch_no"}])
def test_a_list_that_cannot_be_meant_is_refused(client: stripe.StripeClient, params: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.list(params)


def test_objects_are_shown_instead_of_their_ids(client: stripe.StripeClient, state: State) -> None:
    state.pay("pi_1", captured=1000)
    refund = client.v1.refunds.create({"payment_intent": "pi_1", "expand": ["charge.refunds", "payment_intent"]})

    assert isinstance(refund.charge, stripe.Charge)
    assert refund.charge.refunds
    assert refund.charge.refunds.data[0].id == refund.id
    assert isinstance(refund.payment_intent, stripe.PaymentIntent)
    (listed,) = client.v1.refunds.list({"payment_intent": "pi_1", "expand": ["data.charge"]}).data
    assert isinstance(listed.charge, stripe.Charge)
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        client.v1.refunds.retrieve(refund.id, {"expand": ["amount"]})


@BOTH
def test_twenty_refunds_at_once_give_back_exactly_what_is_there(
    server: StripeServer, state: State, reference: str
) -> None:
    state.pay(reference, captured=1000)
    clients = [client_of(server) for _ in range(20)]

    def ask(client: stripe.StripeClient) -> int:
        try:
            return client.v1.refunds.create(of(reference, amount=70)).amount
        except stripe.InvalidRequestError:
            return 0

    with ThreadPoolExecutor(20) as pool:
        given = list(pool.map(ask, clients))

    assert sorted(given) == [0] * 6 + [70] * 14
    assert state.totals()[reference]["given_back"] == 980


def test_twenty_times_the_same_key_at_once_is_one_refund(server: StripeServer, state: State) -> None:
    state.pay("pi_1", captured=1000)
    state.fault("slow", method="POST", seconds=0.1)
    clients = [client_of(server) for _ in range(20)]

    def ask(client: stripe.StripeClient) -> Callable[[], None] | str:
        try:
            return client.v1.refunds.create({"payment_intent": "pi_1", "amount": 70}, {"idempotency_key": "k"}).id
        except stripe.APIError as error:
            return str(error.http_status)

    with ThreadPoolExecutor(20) as pool:
        told = set(pool.map(ask, clients))

    (refund,) = told - {"409"}
    assert str(refund).startswith("re_")
    assert state.totals()["pi_1"]["given_back"] == 70
