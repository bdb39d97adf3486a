"""The Stripe provider against the payment server, which refuses and repeats as Stripe does, and a faulty proxy."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from cancel_core.adapters.providers.stripe import Stripe
from cancel_core.domain.provider import Outcome, PaymentRequest
from cancel_core.errors import ProviderUnavailable

from local.stripe.objects import RefundStatus
from local.stripe.server import StripeServer
from tests.support import proxy as faults
from tests.support.proxy import FaultProxy
from tests.support.stripe_servers import KEY, Account

CREATE = "POST /v1/refunds"


def provider(proxy: FaultProxy, **more: Any) -> Stripe:
    return Stripe(lambda _anew: KEY, proxy.url, **more)


def refund(reference: str, amount: int = 1000, **more: Any) -> PaymentRequest:
    asked = PaymentRequest("refund", f"key-{reference}", f"ref-{reference}", "p1", reference, amount, "SEK")
    return asked._replace(**more)


def void(reference: str, amount: int = 1000, **more: Any) -> PaymentRequest:
    return refund(reference, amount, action="void", **more)


def again(request: PaymentRequest) -> PaymentRequest:
    return request._replace(is_retry=True)


Pay = Callable[[int], str]


@pytest.mark.parametrize("amount", [1000, 1])
def test_a_payment_is_given_back_in_full_or_in_part(proxy: FaultProxy, account: Account, pay: Pay, amount: int) -> None:
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
def test_an_answer_that_was_lost_is_found_by_our_refund_id(
    proxy: FaultProxy, account: Account, pay: Pay, fault: faults.Fault
) -> None:
    asked = refund(pay(1000), 400)
    proxy.plan(CREATE, fault)

    with pytest.raises(ProviderUnavailable):
        provider(proxy).execute(asked)
    outcome = provider(proxy).execute(again(asked))

    assert outcome.status == "succeeded"
    assert account.refunds(asked.payment_reference) == [400]
    assert provider(proxy).execute(again(asked)) == outcome


def test_a_repeat_within_a_day_is_known_by_its_key(proxy: FaultProxy, account: Account, pay: Pay) -> None:
    asked = refund(pay(1000), 400)

    outcomes = {provider(proxy).execute(asked) for _ in range(3)}

    assert len(outcomes) == 1
    assert account.refunds(asked.payment_reference) == [400]


def test_a_repeat_after_the_key_is_forgotten_pays_nothing_more(
    proxy: FaultProxy, server: StripeServer, account: Account, pay: Pay
) -> None:
    asked = refund(pay(1000), 400)
    first = provider(proxy).execute(asked)
    server.state.advance(24 * 3600)

    assert provider(proxy).execute(again(asked)) == first

    assert account.refunds(asked.payment_reference) == [400]


def test_two_legs_on_one_payment_are_told_apart_by_their_keys(proxy: FaultProxy, account: Account, pay: Pay) -> None:
    one = refund(pay(1000), 600)
    other = again(one._replace(idempotency_key=f"2-{one.payment_reference}", payment_id="p2", amount=400))
    first = provider(proxy).execute(one)

    assert provider(proxy).find(other) is None
    second = provider(proxy).execute(other)

    assert (first.amount, second.amount) == (600, 400)
    assert first.reference != second.reference
    assert sorted(account.refunds(one.payment_reference)) == [400, 600]
    assert provider(proxy).find(one) == first


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_what_passes_by_itself_is_to_be_tried_again(proxy: FaultProxy, account: Account, pay: Pay, status: int) -> None:
    asked = refund(pay(1000))
    body = json.dumps({"error": {"type": "api_error", "message": "busy"}}).encode()
    proxy.plan(CREATE, faults.fail(status, body))

    with pytest.raises(ProviderUnavailable, match=str(status)):
        provider(proxy).execute(asked)

    assert account.refunds(asked.payment_reference) == []
    assert provider(proxy).execute(again(asked)).status == "succeeded"


def test_a_request_that_is_under_way_under_the_same_key_is_to_be_asked_again(
    proxy: FaultProxy, server: StripeServer, account: Account, pay: Pay
) -> None:
    asked = refund(pay(1000))
    server.state.fault("late", method="POST", path="/v1/refunds", hang_up=True)
    with pytest.raises(ProviderUnavailable):
        provider(proxy).execute(asked)

    with pytest.raises(ProviderUnavailable, match="409"):
        provider(proxy).execute(asked)

    assert server.state.land() == 1
    assert provider(proxy).execute(again(asked)).status == "succeeded"
    assert account.refunds(asked.payment_reference) == [1000]


def test_one_that_does_not_answer_is_not_waited_for(proxy: FaultProxy, pay: Pay) -> None:
    asked = refund(pay(1000))
    proxy.plan(CREATE, faults.delay(2))

    with pytest.raises(ProviderUnavailable, match="no answer"):
        provider(proxy, timeouts=(1, 0.3)).execute(asked)


def test_one_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(ProviderUnavailable, match="APIConnectionError"):
        Stripe(lambda _anew: KEY, "http://127.0.0.1:1").execute(refund("pi_1"))


def test_more_than_there_is_left_is_declined(proxy: FaultProxy, account: Account, pay: Pay) -> None:
    reference = pay(1000)
    account.refund(reference, 600)

    outcome = provider(proxy).execute(refund(reference, 1000))

    assert (outcome.status, outcome.code) == ("failed", "PROVIDER_DECLINED")
    assert "greater than unrefunded amount" in outcome.message
    assert account.refunds(reference) == [600]


@pytest.mark.parametrize("ask", [refund, void])
def test_a_payment_that_is_not_known_under_this_key_is_no_decline(
    proxy: FaultProxy, ask: Callable[[str], PaymentRequest]
) -> None:
    stripe = provider(proxy)
    for call in (stripe.check, stripe.execute, stripe.find):
        with pytest.raises(ProviderUnavailable, match="404 resource_missing"):
            call(again(ask("pi_nothing")))


def test_a_refund_whose_id_is_known_is_not_lost_under_a_wrong_key(
    proxy: FaultProxy, server: StripeServer, pay: Pay
) -> None:
    reference = pay(1000)
    server.state.refunds_become(reference, status="pending")
    made = provider(proxy).execute(refund(reference))
    later = refund(reference)._replace(reference=made.reference)

    with pytest.raises(ProviderUnavailable):
        Stripe(lambda _anew: KEY + "other", proxy.url).execute(later)
    assert provider(proxy).execute(later) == made


def test_a_key_that_was_used_for_something_else_is_answered_with_what_that_made(proxy: FaultProxy, pay: Pay) -> None:
    reference = pay(1000)
    made = provider(proxy).execute(refund(reference, 400))

    outcome = provider(proxy).execute(refund(reference, 500, refund_id="another"))

    assert (outcome, outcome.amount) == (made, 400)


def test_an_answer_of_500_that_is_kept_under_the_key_asks_for_another_key(
    proxy: FaultProxy, server: StripeServer, account: Account, pay: Pay
) -> None:
    asked = refund(pay(1000), 400)
    server.state.fault("500", method="POST", path="/v1/refunds")

    with pytest.raises(ProviderUnavailable):
        provider(proxy).execute(asked)
    assert provider(proxy).execute(again(asked)).status == "new_key"
    second = asked._replace(idempotency_key=f"2-{asked.payment_reference}")
    assert provider(proxy).execute(again(second)).status == "succeeded"
    assert account.refunds(asked.payment_reference) == [400]


def test_an_answer_of_500_after_the_work_was_done_is_found(
    proxy: FaultProxy, server: StripeServer, account: Account, pay: Pay
) -> None:
    asked = refund(pay(1000), 400)
    server.state.fault("500", method="POST", path="/v1/refunds", done=True)

    with pytest.raises(ProviderUnavailable):
        provider(proxy).execute(asked)
    assert provider(proxy).execute(asked).status == "succeeded"
    assert account.refunds(asked.payment_reference) == [400]


def test_what_a_provider_says_no_to_is_no_waiting(proxy: FaultProxy, server: StripeServer, pay: Pay) -> None:
    asked = refund(pay(1000), 400)
    server.state.fault("402", method="POST", path="/v1/refunds")

    outcome = provider(proxy).execute(asked)

    assert (outcome.status, outcome.code) == ("failed", "PROVIDER_DECLINED")
    assert "402 card_declined" in outcome.message


def test_a_balance_that_does_not_suffice_is_a_no(proxy: FaultProxy, server: StripeServer, pay: Pay) -> None:
    asked = refund(pay(1000), 400)
    server.state.balance(available=0, short="balance_insufficient")
    try:
        outcome = provider(proxy).execute(asked)
    finally:
        server.state.balance(available=None)

    assert outcome.status == "failed"
    assert "balance_insufficient" in outcome.message


def test_a_payment_in_another_currency_is_found_out_before_anything_is_paid(proxy: FaultProxy, pay: Pay) -> None:
    asked = refund(pay(1000), 400)

    assert provider(proxy).check(asked) is None
    assert "SEK" in (provider(proxy).check(asked._replace(currency="EUR")) or "")


def test_what_was_made_is_told_in_our_units(proxy: FaultProxy, account: Account) -> None:
    asked = refund(account.paid(5000_00, "isk"), 5000, currency="ISK")

    outcome = provider(proxy).execute(asked)

    assert (outcome.amount, outcome.currency) == (5000, "ISK")


def test_the_rest_of_an_authorization_that_was_captured_in_part_is_released(
    proxy: FaultProxy, server: StripeServer
) -> None:
    reference = server.state.pay(id=f"pi_{uuid4().hex}", authorized=5000, captured=2000, open=True)
    asked = void(reference, 3000, captured=2000)

    assert provider(proxy).find(asked) is None
    assert provider(proxy).execute(asked).status == "succeeded"

    total = server.state.totals()[reference]
    assert (total["captured"], total["capturable"], total["given_back"]) == (2000, 0, 0)
    assert provider(proxy).execute(again(asked)).status == "succeeded"


def test_of_an_authorization_that_has_expired_nothing_is_held(
    proxy: FaultProxy, server: StripeServer, authorize: Pay
) -> None:
    asked = void(authorize(1000))
    server.state.expire(asked.payment_reference)

    assert provider(proxy).execute(asked).status == "succeeded"


def test_an_authorization_is_released_once(proxy: FaultProxy, account: Account) -> None:
    asked = void(account.authorized(1000))

    outcome = provider(proxy).execute(asked)

    assert outcome == Outcome("succeeded")
    assert account.status(asked.payment_reference) == "canceled"
    assert provider(proxy).execute(asked) == outcome
    assert provider(proxy).execute(again(asked)) == outcome


def test_an_authorization_of_a_charge_is_released_by_its_refund(
    proxy: FaultProxy, server: StripeServer, account: Account
) -> None:
    reference = account.charged(1000, capture=False)

    assert provider(proxy).execute(void(reference)).status == "succeeded"

    assert account.refunds(reference) == [1000]
    total = server.state.totals()[reference]
    assert (total["released"], total["given_back"]) == (True, 0)


def test_a_release_whose_answer_was_lost_is_found(proxy: FaultProxy, server: StripeServer, authorize: Pay) -> None:
    asked = void(authorize(1000))
    proxy.plan(lambda request: request.method == "POST", faults.drop_answer)

    with pytest.raises(ProviderUnavailable):
        provider(proxy).execute(asked)

    assert provider(proxy).execute(again(asked)).status == "succeeded"
    assert server.state.totals()[asked.payment_reference]["released"]


def test_what_was_captured_meanwhile_is_not_released(proxy: FaultProxy, account: Account, authorize: Pay) -> None:
    asked = void(authorize(1000))
    account.capture(asked.payment_reference)

    assert provider(proxy).execute(asked).status == "failed"
    assert account.refunds(asked.payment_reference) == []


@pytest.mark.parametrize(
    ("last", "expected"), [("succeeded", "succeeded"), ("failed", "failed"), ("canceled", "failed")]
)
def test_what_is_pending_is_asked_for_by_its_id_until_its_state_is_final(
    proxy: FaultProxy, server: StripeServer, account: Account, pay: Pay, last: RefundStatus, expected: str
) -> None:
    asked = refund(pay(1000))
    server.state.refunds_become(asked.payment_reference, status="pending")
    first = provider(proxy).execute(asked)
    assert first.status == "pending"
    assert first.reference
    later = again(asked)._replace(reference=first.reference)

    states: list[RefundStatus] = ["pending", "requires_action"]
    for status in states:
        server.state.set_refund(first.reference, status)
        assert provider(proxy).execute(later) == first
    server.state.set_refund(first.reference, last, "lost_or_stolen_card")
    final = provider(proxy).execute(later)

    assert (final.status, final.reference) == (expected, first.reference)
    assert ("lost_or_stolen_card" in final.message) is (last == "failed")
    assert account.refunds(asked.payment_reference) == [1000]


def test_one_that_failed_is_not_repeated_under_its_key_and_is_under_another(
    proxy: FaultProxy, server: StripeServer, account: Account, pay: Pay
) -> None:
    asked = refund(pay(1000))
    first = provider(proxy).execute(asked)
    assert first.reference
    server.state.set_refund(first.reference, "failed")

    assert provider(proxy).execute(again(asked)).status == "failed"
    assert len(account.refunds(asked.payment_reference)) == 1

    assert (
        provider(proxy).execute(again(asked)._replace(idempotency_key=f"2-{asked.payment_reference}")).status
        == "succeeded"
    )
    assert len(account.refunds(asked.payment_reference)) == 2


def test_a_payment_that_is_disputed_is_declined(proxy: FaultProxy, server: StripeServer, pay: Pay) -> None:
    reference = pay(1000)
    server.state.dispute(reference)

    outcome = provider(proxy).execute(refund(reference))

    assert (outcome.status, outcome.code) == ("failed", "PROVIDER_DECLINED")
    assert "charge_disputed" in outcome.message


def test_a_payment_of_the_other_mode_is_not_given_back(proxy: FaultProxy, server: StripeServer) -> None:
    reference = server.state.pay(captured=1000, live=True)

    with pytest.raises(ProviderUnavailable):
        provider(proxy).execute(refund(reference))
    assert server.state.totals()[reference]["refunds"] == 0


def test_to_look_is_not_to_pay(proxy: FaultProxy, account: Account, pay: Pay) -> None:
    asked = refund(pay(1000), 400)

    assert provider(proxy).find(asked) is None
    assert account.refunds(asked.payment_reference) == []
    done = provider(proxy).execute(asked)
    assert provider(proxy).find(asked) == done


def test_to_look_at_an_authorization_is_not_to_release_it(
    proxy: FaultProxy, server: StripeServer, authorize: Pay
) -> None:
    asked = void(authorize(1000))

    assert provider(proxy).find(asked) is None
    assert not server.state.totals()[asked.payment_reference]["released"]


def test_of_a_hundred_refunds_of_one_payment_ours_is_found(proxy: FaultProxy, account: Account, pay: Pay) -> None:
    asked = refund(pay(1000), 5)
    first = provider(proxy).execute(asked)
    for _ in range(101):
        account.refund(asked.payment_reference, 1)

    assert provider(proxy).execute(again(asked)) == first


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_is_read_anew_and_is_no_decline(proxy: FaultProxy, pay: Pay, status: int) -> None:
    asked = refund(pay(1000))
    read: list[bool] = []

    def secret(anew: bool) -> str:
        read.append(anew)
        return KEY

    stripe = Stripe(secret, proxy.url)
    error = {"error": {"type": "invalid_request_error", "message": f"Invalid API Key provided: {KEY}"}}
    proxy.plan(CREATE, faults.fail(status, json.dumps(error).encode()))

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
def test_amounts_are_in_stripes_own_units(
    proxy: FaultProxy, account: Account, currency: str, ours: int, theirs: int
) -> None:
    reference = account.paid(theirs, currency.lower())

    provider(proxy).execute(refund(reference, ours, currency=currency))

    assert account.refunds(reference) == [theirs]


def test_an_amount_that_stripe_has_no_unit_for_is_not_rounded(proxy: FaultProxy) -> None:
    outcome = provider(proxy).execute(refund("pi_1", 501, currency="MGA"))

    assert (outcome.status, outcome.code) == ("failed", "INVALID_ORDER")
    assert proxy.seen == []


def test_neither_key_nor_reference_is_logged(proxy: FaultProxy, pay: Pay, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    asked = refund(pay(1000))
    caplog.clear()

    provider(proxy).execute(asked)

    assert KEY not in caplog.text
    assert asked.payment_reference not in caplog.text
