"""The Stripe provider against servers that speak Stripe's protocol, with a proxy in front that spoils it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cancel_core.adapters.providers.stripe import Stripe
from cancel_core.domain.provider import Outcome, PaymentRequest
from cancel_core.errors import ProviderUnavailable

from tests.support import proxy as faults
from tests.support.proxy import Answer, FaultProxy
from tests.support.stripe_servers import KEY, Account

CREATE = "POST /v1/refunds"


def provider(proxy: FaultProxy, **more: Any) -> Stripe:
    return Stripe(lambda _anew: KEY, proxy.url, **more)


def refund(reference: str, amount: int = 1000, **more: Any) -> PaymentRequest:
    asked = PaymentRequest("refund", f"key-{reference}", f"ref-{reference}", reference, amount, "SEK")
    return asked._replace(**more)


def void(reference: str, amount: int = 1000, **more: Any) -> PaymentRequest:
    return refund(reference, amount, action="void", **more)


def again(request: PaymentRequest) -> PaymentRequest:
    return request._replace(is_retry=True)


@pytest.fixture(params=["intent", "charge"])
def paid(request: pytest.FixtureRequest) -> tuple[FaultProxy, Account, Callable[[int], str]]:
    """Each kind of payment, on the server that knows it."""
    if request.param == "intent":
        proxy = request.getfixturevalue("intents")
        account = Account(proxy.target)
        return proxy, account, account.paid
    proxy = request.getfixturevalue("charges")
    account = Account(proxy.target)
    return proxy, account, account.charged


Paid = tuple[FaultProxy, Account, Callable[[int], str]]


@pytest.mark.parametrize("amount", [1000, 1])
def test_a_payment_is_given_back_in_full_or_in_part(paid: Paid, amount: int) -> None:
    proxy, account, pay = paid
    reference = pay(1000)

    outcome = provider(proxy).execute(refund(reference, amount))

    assert outcome.status == "succeeded"
    assert outcome.reference
    assert outcome.reference.startswith("re_")
    assert account.refunds(reference) == [amount]
    (seen,) = [one.request for one in proxy.seen if one.request.operation == CREATE]
    assert seen.headers["idempotency-key"] == f"key-{reference}"
    assert f"ref-{reference}" in seen.body.decode()


@pytest.mark.parametrize("fault", [faults.drop_answer, faults.refuse])
def test_an_answer_that_was_lost_is_found_by_our_refund_id(paid: Paid, fault: faults.Fault) -> None:
    proxy, account, pay = paid
    asked = refund(pay(1000), 400)
    proxy.plan(CREATE, fault)

    with pytest.raises(ProviderUnavailable):
        provider(proxy).execute(asked)
    outcome = provider(proxy).execute(again(asked))

    assert outcome.status == "succeeded"
    assert account.refunds(asked.payment_reference) == [400]
    assert provider(proxy).execute(again(asked)) == outcome


def test_a_repeat_within_a_day_is_known_by_its_key(charges: FaultProxy) -> None:
    account = Account(charges.target)
    asked = refund(account.charged(1000), 400)

    outcomes = {provider(charges).execute(asked) for _ in range(3)}

    assert len(outcomes) == 1
    assert account.refunds(asked.payment_reference) == [400]


def test_a_repeat_after_the_key_is_forgotten_pays_nothing_more(charges: FaultProxy) -> None:
    account = Account(charges.target)
    asked = refund(account.charged(1000), 400)
    first = provider(charges).execute(asked)
    charges.plan(lambda request: request.method == "POST", faults.forget_key, times=9)

    assert provider(charges).execute(again(asked)) == first

    assert account.refunds(asked.payment_reference) == [400]


def test_what_was_refunded_under_another_key_is_the_same_refund(paid: Paid) -> None:
    proxy, account, pay = paid
    asked = refund(pay(1000), 400)
    first = provider(proxy).execute(asked)

    assert provider(proxy).execute(again(asked._replace(idempotency_key="attempt-2"))) == first

    assert account.refunds(asked.payment_reference) == [400]


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_what_passes_by_itself_is_to_be_tried_again(intents: FaultProxy, status: int) -> None:
    account = Account(intents.target)
    asked = refund(account.paid(1000))
    body = json.dumps({"error": {"type": "api_error", "message": "busy"}}).encode()
    intents.plan(CREATE, faults.fail(status, body))

    with pytest.raises(ProviderUnavailable, match=str(status)):
        provider(intents).execute(asked)

    assert account.refunds(asked.payment_reference) == []
    assert provider(intents).execute(again(asked)).status == "succeeded"


def test_a_request_that_is_under_way_under_the_same_key_is_to_be_asked_again(intents: FaultProxy) -> None:
    asked = refund(Account(intents.target).paid(1000))
    body = {"error": {"type": "idempotency_error", "code": "idempotency_key_in_use", "message": "another request"}}
    intents.plan(CREATE, faults.fail(409, json.dumps(body).encode()))

    with pytest.raises(ProviderUnavailable, match="409"):
        provider(intents).execute(asked)


def test_one_that_does_not_answer_is_not_waited_for(intents: FaultProxy) -> None:
    account = Account(intents.target)
    asked = refund(account.paid(1000))
    intents.plan(CREATE, faults.delay(2))

    with pytest.raises(ProviderUnavailable, match="no answer"):
        provider(intents, timeouts=(1, 0.3)).execute(asked)


def test_one_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(ProviderUnavailable, match="APIConnectionError"):
        Stripe(lambda _anew: KEY, "http://127.0.0.1:1").execute(refund("pi_1"))


def test_more_than_there_is_left_is_declined(charges: FaultProxy) -> None:
    account = Account(charges.target)
    reference = account.charged(1000)
    account.refund(reference, 600)

    outcome = provider(charges).execute(refund(reference, 1000))

    assert (outcome.status, outcome.code) == ("failed", "PROVIDER_DECLINED")
    assert "greater than unrefunded amount" in outcome.message
    assert account.refunds(reference) == [600]


def test_a_payment_that_stripe_does_not_know_is_declined(intents: FaultProxy) -> None:
    outcome = provider(intents).execute(again(refund("pi_nothing")))

    assert (outcome.status, outcome.code) == ("failed", "PROVIDER_DECLINED")


def test_a_key_that_was_used_for_something_else_is_declined_and_said(charges: FaultProxy) -> None:
    account = Account(charges.target)
    reference = account.charged(1000)
    provider(charges).execute(refund(reference, 400))

    outcome = provider(charges).execute(refund(reference, 500, refund_id="another"))

    assert outcome.status == "failed"
    assert "IdempotencyError" in outcome.message


def test_an_authorization_is_released_once(intents: FaultProxy) -> None:
    account = Account(intents.target)
    asked = void(account.authorized(1000))

    outcome = provider(intents).execute(asked)

    assert outcome == Outcome("succeeded")
    assert account.status(asked.payment_reference) == "canceled"
    assert provider(intents).execute(asked) == outcome
    assert provider(intents).execute(again(asked)) == outcome


def test_an_authorization_of_a_charge_is_released_by_its_refund(charges: FaultProxy) -> None:
    account = Account(charges.target)
    reference = account.charged(1000, capture=False)

    assert provider(charges).execute(void(reference)).status == "succeeded"

    assert account.refunds(reference) == [1000]


def test_a_release_whose_answer_was_lost_is_found(intents: FaultProxy) -> None:
    asked = void(Account(intents.target).authorized(1000))
    intents.plan(lambda request: request.path.endswith("/cancel"), faults.drop_answer)

    with pytest.raises(ProviderUnavailable):
        provider(intents).execute(asked)

    assert provider(intents).execute(again(asked)).status == "succeeded"


def test_what_was_captured_meanwhile_is_not_released(intents: FaultProxy) -> None:
    account = Account(intents.target)
    asked = void(account.authorized(1000))
    account.capture(asked.payment_reference)

    assert provider(intents).execute(asked).status == "failed"
    assert account.refunds(asked.payment_reference) == []


def with_status(status: str) -> faults.Fault:
    """As a bank that takes days."""

    def change(answer: Answer) -> Answer:
        content = json.loads(answer.body)
        for row in content.get("data", [content]):
            row["status"] = status
        return replace(answer, body=json.dumps(content).encode())

    return faults.change_answer(change)


@pytest.mark.parametrize(
    ("last", "expected"), [("succeeded", "succeeded"), ("failed", "failed"), ("canceled", "failed")]
)
def test_what_is_pending_is_asked_for_by_its_id_until_its_state_is_final(
    intents: FaultProxy, last: str, expected: str
) -> None:
    account = Account(intents.target)
    asked = refund(account.paid(1000))
    intents.plan(CREATE, with_status("pending"))
    first = provider(intents).execute(asked)
    assert first.status == "pending"
    assert first.reference
    later = again(asked)._replace(reference=first.reference)

    for status in ("pending", "requires_action"):
        intents.plan(f"GET /v1/refunds/{first.reference}", with_status(status))
        assert provider(intents).execute(later) == first
    intents.plan(f"GET /v1/refunds/{first.reference}", with_status(last))
    final = provider(intents).execute(later)

    assert (final.status, final.reference) == (expected, first.reference)
    assert account.refunds(asked.payment_reference) == [1000]


def test_one_that_failed_is_not_repeated_under_its_key_and_is_under_another(intents: FaultProxy) -> None:
    account = Account(intents.target)
    asked = refund(account.paid(1000))
    provider(intents).execute(asked)
    listed = "GET /v1/refunds"

    intents.plan(listed, with_status("failed"))
    assert provider(intents).execute(again(asked)).status == "failed"
    assert len(account.refunds(asked.payment_reference)) == 1

    intents.plan(listed, with_status("failed"))
    assert provider(intents).execute(again(asked)._replace(idempotency_key="attempt-2")).status == "succeeded"
    assert len(account.refunds(asked.payment_reference)) == 2


def test_to_look_is_not_to_pay(paid: Paid) -> None:
    proxy, account, pay = paid
    asked = refund(pay(1000), 400)

    assert provider(proxy).find(asked) is None
    assert account.refunds(asked.payment_reference) == []
    done = provider(proxy).execute(asked)
    assert provider(proxy).find(asked) == done


def test_to_look_at_an_authorization_is_not_to_release_it(intents: FaultProxy) -> None:
    account = Account(intents.target)
    asked = void(account.authorized(1000))

    assert provider(intents).find(asked) is None
    assert account.status(asked.payment_reference) == "requires_capture"


def test_of_a_hundred_refunds_of_one_payment_ours_is_found(charges: FaultProxy) -> None:
    account = Account(charges.target)
    asked = refund(account.charged(1000), 5)
    first = provider(charges).execute(asked)
    for _ in range(101):
        account.refund(asked.payment_reference, 1)

    assert provider(charges).execute(again(asked)) == first


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_is_read_anew_and_is_no_decline(intents: FaultProxy, status: int) -> None:
    account = Account(intents.target)
    asked = refund(account.paid(1000))
    read: list[bool] = []

    def secret(anew: bool) -> str:
        read.append(anew)
        return KEY

    stripe = Stripe(secret, intents.url)
    error = {"error": {"type": "invalid_request_error", "message": f"Invalid API Key provided: {KEY}"}}
    intents.plan(CREATE, faults.fail(status, json.dumps(error).encode()))

    with pytest.raises(ProviderUnavailable) as raised:
        stripe.execute(asked)

    assert KEY not in str(raised.value)
    assert stripe.execute(asked).status == "succeeded"
    assert stripe.execute(again(asked)).status == "succeeded"
    assert read == [False, True, False]


@pytest.mark.parametrize("reference", ["", "INV-1", "re_1"])
def test_a_reference_that_is_none_of_stripes_is_the_orders_fault(reference: str) -> None:
    outcome = Stripe(lambda _anew: KEY, "http://127.0.0.1:1").execute(refund(reference))

    assert (outcome.status, outcome.code) == ("failed", "INVALID_ORDER")


@pytest.mark.parametrize(
    ("currency", "ours", "theirs"),
    [("SEK", 1050, 1050), ("JPY", 500, 500), ("KWD", 5120, 5120), ("ISK", 5, 500), ("UGX", 5, 500), ("MGA", 500, 5)],
)
def test_amounts_are_in_stripes_own_units(intents: FaultProxy, currency: str, ours: int, theirs: int) -> None:
    account = Account(intents.target)
    reference = account.paid(theirs, currency.lower())

    provider(intents).execute(refund(reference, ours, currency=currency))

    assert account.refunds(reference) == [theirs]


def test_an_amount_that_stripe_has_no_unit_for_is_not_rounded(intents: FaultProxy) -> None:
    outcome = provider(intents).execute(refund("pi_1", 501, currency="MGA"))

    assert (outcome.status, outcome.code) == ("failed", "INVALID_ORDER")
    assert intents.seen == []


def test_neither_key_nor_reference_is_logged(intents: FaultProxy, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    asked = refund(Account(intents.target).paid(1000))
    caplog.clear()

    provider(intents).execute(asked)

    assert KEY not in caplog.text
    assert asked.payment_reference not in caplog.text
