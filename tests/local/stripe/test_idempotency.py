"""Keys: what is saved, what is not, and for how long."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import stripe

from local.stripe.server import StripeServer
from local.stripe.state import State
from tests.local.stripe.conftest import client_of
from tests.support.stripe_servers import KEY

DAY = 24 * 3600
ASKED: Any = {"payment_intent": "pi_1", "amount": 400}


def once(key: str = "key-1") -> stripe.RequestOptions:
    return {"idempotency_key": key}


@pytest.fixture(autouse=True)
def _paid(state: State) -> None:
    state.pay("pi_1", captured=1000)


def post(server: StripeServer, body: str, key: str = "key-1", api_key: str = KEY) -> httpx.Response:
    headers = {"idempotency-key": key, "authorization": f"Bearer {api_key}"}
    return httpx.post(f"{server.url}/v1/refunds", content=body, headers=headers, trust_env=False)


def test_a_repeat_gets_the_same_answer_to_the_letter(server: StripeServer, state: State) -> None:
    body = "payment_intent=pi_1&amount=400&metadata[a]=1"
    first = post(server, body)
    state.set_refund(first.json()["id"], "failed")

    again = post(server, "metadata[a]=1&amount=400&payment_intent=pi_1")

    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert first.headers["idempotency-key"] == "key-1"
    assert first.headers["request-id"] != again.headers["request-id"]
    assert state.totals()["pi_1"]["refunds"] == 1


def test_a_key_is_remembered_for_a_day(client: stripe.StripeClient, state: State) -> None:
    first = client.v1.refunds.create(ASKED, once())

    state.advance(DAY - 60)
    assert client.v1.refunds.create(ASKED, once()).id == first.id
    state.advance(120)
    assert client.v1.refunds.create(ASKED, once()).id != first.id


def test_keys_are_forgotten_when_told(client: stripe.StripeClient, state: State) -> None:
    first = client.v1.refunds.create(ASKED, once())
    state.forget_keys()

    assert client.v1.refunds.create(ASKED, once()).id != first.id


@pytest.mark.parametrize("done", [False, True])
def test_a_500_is_saved_whether_the_work_was_done_or_not(client: stripe.StripeClient, state: State, done: bool) -> None:
    state.fault("500", method="POST", path="/v1/refunds", done=done)

    for _ in range(2):
        with pytest.raises(stripe.APIError) as failed:
            client.v1.refunds.create(ASKED, once())
        assert failed.value.http_status == 500
        assert failed.value.headers
        assert failed.value.headers["stripe-should-retry"] == "false"

    assert state.totals()["pi_1"]["given_back"] == (400 if done else 0)
    client.v1.refunds.create(ASKED, once("key-2"))


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("payment_intent=pi_1&amount=1001", 400, None),
        ("payment_intent=pi_no", 404, "resource_missing"),
    ],
)
def test_a_refusal_of_what_had_begun_is_saved(
    server: StripeServer, state: State, body: str, status: int, code: str | None
) -> None:
    first = post(server, body)
    assert (first.status_code, first.json()["error"].get("code")) == (status, code)
    state.pay("pi_no", captured=100)

    again = post(server, body)

    assert (again.status_code, again.content) == (status, first.content)
    assert again.headers["idempotent-replayed"] == "true"


def test_a_declined_card_is_saved(client: stripe.StripeClient, state: State) -> None:
    asked: Any = {"amount": 500, "currency": "sek", "source": "tok_visa"}
    state.fault("402", path="/v1/charges")

    for _ in range(2):
        with pytest.raises(stripe.CardError):
            client.v1.charges.create(asked, once())
    assert client.v1.charges.create(asked, once("key-2")).paid


@pytest.mark.parametrize(("kind", "status"), [("429", 429), ("503", 503), ("409", 409)])
def test_what_was_not_begun_is_not_saved(client: stripe.StripeClient, state: State, kind: str, status: int) -> None:
    state.fault(kind)

    with pytest.raises(stripe.StripeError) as refused:
        client.v1.refunds.create(ASKED, once())
    assert refused.value.http_status == status
    assert refused.value.headers
    assert refused.value.headers["stripe-should-retry"] == "true"

    assert client.v1.refunds.create(ASKED, once()).amount == 400


def test_parameters_that_are_wrong_in_themselves_are_not_saved(server: StripeServer) -> None:
    assert post(server, "payment_intent=pi_1&amount=ten").status_code == 400

    assert post(server, "payment_intent=pi_1&amount=10").status_code == 200


def test_the_same_key_with_other_parameters_is_refused(client: stripe.StripeClient, state: State) -> None:
    client.v1.refunds.create(ASKED, once())

    with pytest.raises(stripe.IdempotencyError, match="the same parameters they were first used with") as refused:
        client.v1.refunds.create({"payment_intent": "pi_1", "amount": 401}, once())
    assert refused.value.http_status == 400
    with pytest.raises(stripe.IdempotencyError, match="for the same endpoint they were first used for"):
        client.v1.customers.create({}, once())
    # The first one is still known.
    assert client.v1.refunds.create(ASKED, once()).amount == 400
    assert state.totals()["pi_1"]["refunds"] == 1


def test_keys_are_an_accounts_own(server: StripeServer, state: State) -> None:
    state.pay("pi_1", captured=1000, account="other")
    state.pay("pi_1", captured=1000, live=True)

    made = {
        client_of(server, key).v1.refunds.create(ASKED, once()).id
        for key in (KEY, KEY.replace("local", "other"), KEY.replace("test", "live"))
    }

    assert len(made) == 3


def test_without_a_key_and_for_a_get_nothing_is_repeated(client: stripe.StripeClient, state: State) -> None:
    assert client.v1.payment_intents.retrieve("pi_1", None, once()).amount == 1000
    state.pay("pi_1", captured=700)
    assert client.v1.payment_intents.retrieve("pi_1", None, once()).amount == 700


def test_a_key_that_is_too_long_is_refused(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="255"):
        client.v1.refunds.create(ASKED, once("k" * 256))
