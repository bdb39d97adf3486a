"""How a shop takes money: PaymentIntents and charges, at once, later, in part and in several parts."""

from __future__ import annotations

import httpx
import pytest
import stripe

from local.stripe.server import StripeServer
from local.stripe.state import State
from tests.local.stripe.conftest import client_of
from tests.support.stripe_servers import KEY, Account

WEEK = 7 * 24 * 3600


def authorized(client: stripe.StripeClient, amount: int = 1000) -> stripe.PaymentIntent:
    return client.v1.payment_intents.create(
        {
            "amount": amount,
            "currency": "SEK",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "capture_method": "manual",
            "metadata": {"order": "7"},
            "expand": ["latest_charge"],
        }
    )


def charge_of(intent: stripe.PaymentIntent) -> stripe.Charge:
    assert isinstance(intent.latest_charge, stripe.Charge)
    return intent.latest_charge


def test_a_payment_is_captured_at_once(client: stripe.StripeClient, server: StripeServer) -> None:
    intent = client.v1.payment_intents.retrieve(Account(server.url).paid(700), {"expand": ["latest_charge"]})

    assert (intent.status, intent.amount_received, intent.amount_capturable) == ("succeeded", 700, 0)
    charge = charge_of(intent)
    assert (charge.captured, charge.amount_captured, charge.refunded) == (True, 700, False)
    assert charge.payment_intent == intent.id
    Account(server.url).charged(700)
    assert [one.id for one in client.v1.charges.list({"payment_intent": intent.id}).data] == [charge.id]
    assert len(client.v1.charges.list().data) == 2


def test_it_is_made_confirmed_and_captured_step_by_step(client: stripe.StripeClient) -> None:
    made = client.v1.payment_intents.create({"amount": 500, "currency": "eur", "capture_method": "manual"})
    assert made.status == "requires_payment_method"
    method = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})

    confirmed = client.v1.payment_intents.confirm(made.id, {"payment_method": method.id})
    captured = client.v1.payment_intents.capture(made.id)

    assert (confirmed.status, confirmed.amount_capturable) == ("requires_capture", 500)
    assert (captured.status, captured.amount_received) == ("succeeded", 500)


def test_what_is_not_captured_is_released(client: stripe.StripeClient) -> None:
    intent = authorized(client)
    assert (intent.currency, intent.metadata.to_dict()) == ("sek", {"order": "7"})

    captured = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 600, "expand": ["latest_charge"]})

    assert (captured.status, captured.amount_received, captured.amount_capturable) == ("succeeded", 600, 0)
    charge = charge_of(captured)
    assert (charge.captured, charge.amount, charge.amount_captured, charge.amount_refunded) == (True, 1000, 600, 0)
    with pytest.raises(stripe.InvalidRequestError, match="has already been captured") as refused:
        client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 400})
    assert (refused.value.http_status, refused.value.code) == (400, "payment_intent_unexpected_state")


def test_several_captures_go_down_to_what_the_last_one_releases(client: stripe.StripeClient) -> None:
    intent = authorized(client)

    first = client.v1.payment_intents.capture(
        intent.id, {"amount_to_capture": 700, "final_capture": False, "expand": ["latest_charge"]}
    )
    assert (first.status, first.amount_received, first.amount_capturable) == ("requires_capture", 700, 300)
    # Only the final capture makes it a captured charge.
    assert (charge_of(first).captured, charge_of(first).amount_captured) == (False, 700)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 301})
    assert refused.value.code == "amount_too_large"

    last = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 200, "expand": ["latest_charge"]})
    assert (last.status, last.amount_received, last.amount_capturable) == ("succeeded", 900, 0)
    assert (charge_of(last).captured, charge_of(last).amount_captured) == (True, 900)


def test_a_capture_of_nothing_closes_what_was_captured_in_part(client: stripe.StripeClient) -> None:
    intent = authorized(client)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 0})
    client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 100, "final_capture": False})

    closed = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 0, "final_capture": True})

    assert (closed.status, closed.amount_received, closed.amount_capturable) == ("succeeded", 100, 0)


def test_an_authorization_is_cancelled_once(client: stripe.StripeClient) -> None:
    intent = authorized(client)

    canceled = client.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "requested_by_customer"})

    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "requested_by_customer")
    assert (canceled.amount_capturable, canceled.amount_received) == (0, 0)
    for again in (client.v1.payment_intents.cancel, client.v1.payment_intents.capture):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            again(intent.id)
        assert refused.value.code == "payment_intent_unexpected_state"
        assert "because it has a status of canceled" in str(refused.value)


def test_a_captured_payment_is_not_cancelled(client: stripe.StripeClient, server: StripeServer) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="has a status of succeeded") as refused:
        client.v1.payment_intents.cancel(Account(server.url).paid(700))

    assert refused.value.code == "payment_intent_unexpected_state"


@pytest.mark.parametrize(("unseen", "status"), [(False, "canceled"), (True, "requires_capture")])
def test_an_authorization_that_expired_is_not_captured(
    client: stripe.StripeClient, state: State, unseen: bool, status: str
) -> None:
    intent = authorized(client)

    state.expire(intent.id, unseen=unseen)

    assert client.v1.payment_intents.retrieve(intent.id).status == status
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.capture(intent.id)
    assert refused.value.code == ("charge_expired_for_capture" if unseen else "payment_intent_unexpected_state")


def test_authorizations_expire_after_a_week_and_what_was_captured_stays(
    client: stripe.StripeClient, state: State
) -> None:
    intent, part = authorized(client), authorized(client)
    client.v1.payment_intents.capture(part.id, {"amount_to_capture": 400, "final_capture": False})
    charge = client.v1.charges.create({"amount": 500, "currency": "sek", "source": "tok_visa", "capture": False})

    state.advance(WEEK - 60)
    assert client.v1.payment_intents.retrieve(intent.id).status == "requires_capture"
    state.advance(120)

    expired = client.v1.payment_intents.retrieve(intent.id)
    assert (expired.status, expired.cancellation_reason) == ("canceled", "automatic")
    kept = client.v1.payment_intents.retrieve(part.id)
    assert (kept.status, kept.amount_received, kept.amount_capturable) == ("succeeded", 400, 0)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.charges.capture(charge.id)
    assert refused.value.code == "charge_expired_for_capture"
    assert client.v1.charges.retrieve(charge.id).refunded
    (refund,) = client.v1.refunds.list({"charge": charge.id}).data
    assert (refund.amount, refund.reason) == (500, "expired_uncaptured_charge")
    assert client.v1.refunds.retrieve(refund.id) == refund


def test_a_charge_is_captured_in_part_once(client: stripe.StripeClient) -> None:
    charge = client.v1.charges.create({"amount": 1000, "currency": "sek", "source": "tok_visa", "capture": False})
    assert (charge.captured, charge.amount_captured, charge.payment_intent) == (False, 0, None)

    captured = client.v1.charges.capture(charge.id, {"amount": 600})

    assert (captured.captured, captured.amount_captured, captured.amount_refunded) == (True, 600, 0)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.charges.capture(charge.id)
    assert refused.value.code == "charge_already_captured"


@pytest.mark.parametrize(
    ("card", "code", "decline"),
    [
        ("chargeDeclined", "card_declined", "generic_decline"),
        ("chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("chargeDeclinedExpiredCard", "expired_card", None),
    ],
)
def test_a_card_is_declined(client: stripe.StripeClient, card: str, code: str, decline: str | None) -> None:
    for pay in (
        lambda: client.v1.payment_intents.create(
            {"amount": 500, "currency": "sek", "payment_method": f"pm_card_{card}", "confirm": True}
        ),
        lambda: client.v1.charges.create({"amount": 500, "currency": "sek", "source": f"tok_{card}"}),
    ):
        with pytest.raises(stripe.CardError) as declined:
            pay()
        assert (declined.value.http_status, declined.value.code) == (402, code)
        assert declined.value.error
        assert declined.value.error.decline_code == decline
    (intent,) = client.v1.payment_intents.list().data
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        client.v1.refunds.create({"payment_intent": intent.id})
    # Another card, and it is paid.
    assert client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"}).status == "succeeded"


def test_a_customer_pays_with_the_card_it_has(client: stripe.StripeClient) -> None:
    token = client.v1.tokens.create({"card": {"number": "4242 4242 4242 4242", "exp_month": "12", "exp_year": "2040"}})
    customer = client.v1.customers.create({"email": "anna@shop.example", "source": token.id})

    charge = client.v1.charges.create({"amount": 500, "currency": "sek", "customer": customer.id})
    client.v1.charges.create({"amount": 500, "currency": "sek", "source": "tok_visa"})

    assert (charge.paid, charge.customer) == (True, customer.id)
    assert [one.id for one in client.v1.charges.list({"customer": customer.id}).data] == [charge.id]


@pytest.mark.parametrize("prefix", ["sk", "rk"])
def test_both_kinds_of_key_see_the_same_account(server: StripeServer, prefix: str) -> None:
    intent = Account(server.url).paid(700)

    assert client_of(server, prefix + KEY[2:]).v1.payment_intents.retrieve(intent).amount == 700


def test_what_is_of_another_mode_or_account_is_missing(server: StripeServer, state: State) -> None:
    state.pay("pi_live", captured=700, live=True)
    state.pay("ch_test", captured=700)
    test, live = client_of(server), client_of(server, KEY.replace("test", "live"))
    hint = "; a similar object exists in {} mode, but a {} mode key was used to make this request."

    for ask, there, used in (
        (lambda: test.v1.payment_intents.retrieve("pi_live"), "live", "test"),
        (lambda: test.v1.refunds.create({"payment_intent": "pi_live"}), "live", "test"),
        (lambda: live.v1.refunds.create({"charge": "ch_test"}), "test", "live"),
    ):
        with pytest.raises(stripe.InvalidRequestError) as missing:
            ask()
        assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
        assert str(missing.value).endswith(hint.format(there, used))
    with pytest.raises(stripe.InvalidRequestError) as missing:
        client_of(server, KEY + "2").v1.charges.retrieve("ch_test")
    assert (missing.value.code, "mode" in str(missing.value)) == ("resource_missing", False)
    assert live.v1.payment_intents.retrieve("pi_live").livemode


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("", None),
        ("Bearer", None),
        ("Bearer nothing", None),
        (f"Bearer pk_{KEY[3:]}", "secret_key_required"),
        ("Basic !!", None),
        (f"Token {KEY}", None),
    ],
)
def test_a_key_that_is_none_is_401(server: StripeServer, key: str, code: str | None) -> None:
    headers = {"authorization": key} if key else {}

    answer = httpx.get(f"{server.url}/v1/refunds", headers=headers, trust_env=False)

    assert answer.status_code == 401
    error = answer.json()["error"]
    assert (error["type"], error.get("code")) == ("invalid_request_error", code)
    assert KEY not in answer.text


def test_a_key_may_come_as_the_user_of_basic_authorization(server: StripeServer) -> None:
    assert httpx.get(f"{server.url}/v1/refunds", auth=(KEY, ""), trust_env=False).json()["data"] == []


def test_what_is_wrong_in_itself_is_said_by_its_name(server: StripeServer) -> None:
    def error(path: str, body: str) -> tuple[int, str | None, str | None]:
        answer = httpx.post(f"{server.url}/v1/{path}", content=body, auth=(KEY, ""), trust_env=False)
        told = answer.json()["error"]
        return answer.status_code, told.get("code"), told.get("param")

    assert error("payment_intents", "currency=sek") == (400, "parameter_missing", "amount")
    assert error("payment_intents", "amount=ten&currency=sek") == (400, "parameter_invalid_integer", "amount")
    assert error("payment_intents", "amount=0&currency=sek") == (400, "parameter_invalid_integer", "amount")
    assert error("payment_intents", "amount=100000000&currency=sek") == (400, "amount_too_large", "amount")
    assert error("payment_intents", "amount=100&currency=kronor") == (400, None, "currency")
    assert error("payment_intents", "amount=150&currency=isk") == (400, None, "amount")
    assert error("payment_intents", "amount=100&currency=sek&customer=cus_no") == (400, "resource_missing", "customer")
    assert error("refunds", "amount=100") == (400, "parameter_missing", None)
    assert error("refunds", "charge=ch_1&metadate[a]=b") == (400, "parameter_unknown", "metadate")
    assert error("refunds", "charge=ch_1&reason=because") == (400, None, "reason")
    assert error("refunds", "charge=ch_1&metadata[a]=" + "x" * 501) == (400, None, "metadata[a]")
    assert error("nothing", "") == (404, None, None)


def test_metadata_is_changed_by_name(client: stripe.StripeClient, state: State) -> None:
    state.pay("ch_1", captured=100, metadata={"a": "1", "b": "2"})

    changed = client.v1.charges.update("ch_1", {"metadata": {"b": "", "c": "3"}})
    assert changed.metadata.to_dict() == {"a": "1", "c": "3"}
    assert client.v1.charges.update("ch_1", {"metadata": ""}).metadata.to_dict() == {}
