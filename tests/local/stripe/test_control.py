"""The means to have it misbehave."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import stripe

from local.stripe.server import StripeServer
from local.stripe.state import State
from tests.support.stripe_servers import KEY
from tests.support.waiting import wait_until

ASKED: Any = {"payment_intent": "pi_1", "amount": 400}
ONCE: stripe.RequestOptions = {"idempotency_key": "key-1"}


@pytest.fixture
def control(server: StripeServer) -> Callable[..., Any]:
    """Over HTTP, as another process does it."""

    def ask(name: str, method: str = "POST", **given: Any) -> Any:
        answer = httpx.request(method, f"{server.url}/control/{name}", json=given, trust_env=False)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask


def test_a_test_in_another_process_can_do_it_all(control: Callable[..., Any], client: stripe.StripeClient) -> None:
    assert control("pay", id="py_1", captured=500, authorized=800, open=True, currency="EUR") == {"pay": "py_1"}
    assert client.v1.charges.retrieve("py_1").amount_captured == 500
    control("refunds_become", payment="py_1", status="pending")
    refund = client.v1.refunds.create({"charge": "py_1", "amount": 100})
    assert control("set_refund", refund=refund.id, status="failed", failure_reason="declined")["status"] == "failed"
    control("dispute", payment="py_1")
    control("expire", payment="py_1")
    control("balance", available=10)
    control("fault", kind="503", times=2)
    assert control("planned", "GET") == {"planned": 2}
    control("clear_faults")
    assert control("kept_back", "GET") == {"kept_back": 0}
    assert control("land") == {"land": 0}
    assert control("advance", seconds=3600)["advance"] > 0
    control("forget_keys")
    assert control("totals", "GET") == {
        "py_1": {
            "account": "local", "live": False, "charge": "py_1", "currency": "eur", "status": "succeeded",
            "authorized": 800, "captured": 500, "capturable": 0, "released": True, "refunds": 1, "given_back": 0,
            "succeeded": 0, "pending": 0, "requires_action": 0, "failed": 100, "canceled": 0,
        }
    }  # fmt: skip
    control("reset")
    assert control("totals", "GET") == {}


def test_the_flush_of_localstripe_goes_on(server: StripeServer, client: stripe.StripeClient, state: State) -> None:
    state.pay("pi_1", captured=1000)
    first = client.v1.refunds.create(ASKED, ONCE)

    assert httpx.delete(f"{server.url}/_config/data", trust_env=False).status_code == 200

    assert state.totals() == {}
    state.pay("pi_1", captured=1000)
    assert client.v1.refunds.create(ASKED, ONCE).id != first.id


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("pay", {"captured": 0}),
        ("pay", {"captured": 100, "authorized": 50}),
        ("pay", {"captured": 100, "refunds": {"status": "lost"}}),
        ("fault", {"kind": "501"}),
        ("fault", {"kind": "500", "path": "("}),
        ("set_refund", {"refund": "re_no", "status": "failed"}),
        ("dispute", {"payment": "pi_no"}),
        ("advance", {"minutes": 1}),
    ],
)
def test_what_cannot_be_meant_is_said(server: StripeServer, name: str, given: dict[str, Any]) -> None:
    answer = httpx.post(f"{server.url}/control/{name}", json=given, trust_env=False)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_a_fault_meets_what_it_is_meant_for_and_no_more(client: stripe.StripeClient, state: State) -> None:
    state.pay("pi_1", captured=1000)
    state.pay("pi_2", captured=1000)
    state.fault("503", method="POST", path="/v1/refunds", contains="pi_1", skip=1, times=2)
    state.fault("503", method="DELETE")
    state.fault("503", path="/v1/refund")

    def ask(payment: str) -> bool:
        try:
            return bool(client.v1.refunds.create({"payment_intent": payment, "amount": 1}))
        except stripe.APIError:
            return False

    assert [ask("pi_2"), ask("pi_1"), ask("pi_2"), ask("pi_1"), ask("pi_1"), ask("pi_1")] == [
        True, True, True, False, False, True,
    ]  # fmt: skip
    assert state.planned() == 2


def test_an_answer_of_ones_own_is_given_and_saved_if_wanted(client: stripe.StripeClient, state: State) -> None:
    state.pay("pi_1", captured=1000)
    error = {"error": {"type": "invalid_request_error", "code": "charge_not_refundable", "message": "no more"}}
    state.fault("json", status=400, body=error)
    state.fault("json", status=400, body=error, saved=True)

    for tries in (1, 3):
        for _ in range(tries):
            with pytest.raises(stripe.InvalidRequestError) as refused:
                client.v1.refunds.create(ASKED, {"idempotency_key": f"key-{tries}"})
            assert refused.value.code == "charge_not_refundable"

    assert client.v1.refunds.create(ASKED, {"idempotency_key": "key-1"}).amount == 400


@pytest.mark.parametrize(("kind", "done"), [("lost", True), ("dropped", False)])
def test_a_connection_that_breaks_off(client: stripe.StripeClient, state: State, kind: str, done: bool) -> None:
    state.pay("pi_1", captured=1000)
    state.fault(kind, method="POST")

    with pytest.raises(stripe.APIConnectionError):
        client.v1.refunds.create(ASKED, ONCE)

    assert state.totals()["pi_1"]["given_back"] == (400 if done else 0)
    assert client.v1.refunds.create(ASKED, ONCE).amount == 400
    assert state.totals()["pi_1"]["refunds"] == 1


@pytest.mark.parametrize("hang_up", [True, False])
def test_a_late_request_is_carried_out_when_it_is_told(
    server: StripeServer, client: stripe.StripeClient, state: State, hang_up: bool
) -> None:
    state.pay("pi_1", captured=1000)
    state.fault("late", method="POST", hang_up=hang_up)
    impatient = stripe.StripeClient(
        KEY, base_addresses={"api": server.url}, http_client=stripe.RequestsClient(timeout=0.3), max_network_retries=0
    )

    with pytest.raises(stripe.APIConnectionError):
        impatient.v1.refunds.create(ASKED, ONCE)
    wait_until(lambda: state.kept_back() == 1, what="the request is kept back", seconds=30, every=0.01)
    assert state.totals()["pi_1"]["given_back"] == 0
    # The same request is under way meanwhile, whatever is forgotten; the rest of the world goes on.
    state.forget_keys()
    with pytest.raises(stripe.APIError) as refused:
        client.v1.refunds.create(ASKED, ONCE)
    assert refused.value.http_status == 409
    assert "idempotency_key_in_use" in str(refused.value.http_body)
    assert client.v1.refunds.list({"payment_intent": "pi_1"}).data == []

    assert state.land() == 1

    (refund,) = client.v1.refunds.list({"payment_intent": "pi_1"}).data
    assert client.v1.refunds.create(ASKED, ONCE).id == refund.id


def test_a_late_request_lands_by_itself_after_its_time(client: stripe.StripeClient, state: State) -> None:
    state.pay("pi_1", captured=1000)
    state.fault("late", method="POST", hang_up=True, seconds=0.2)

    with pytest.raises(stripe.APIConnectionError):
        client.v1.refunds.create(ASKED, ONCE)

    wait_until(lambda: state.totals()["pi_1"]["given_back"] == 400, what="the late refund lands", seconds=30)


def test_what_is_kept_back_is_never_done_once_faults_are_cleared(client: stripe.StripeClient, state: State) -> None:
    state.pay("pi_1", captured=1000)
    state.fault("late", method="POST", hang_up=True)
    with pytest.raises(stripe.APIConnectionError):
        client.v1.refunds.create(ASKED, ONCE)
    waiting = list(state.faults.late)

    state.clear_faults()

    assert all(late.landed.wait(30) for late in waiting)
    assert state.totals()["pi_1"]["given_back"] == 0
    # The key is free again, for nothing was begun under it.
    assert client.v1.refunds.create(ASKED, ONCE).amount == 400


def test_a_slow_request_holds_up_nobody_else(client: stripe.StripeClient, state: State) -> None:
    state.pay("pi_1", captured=1000)
    state.fault("slow", method="POST", seconds=3600)
    told: list[str] = []
    slow = threading.Thread(target=lambda: told.append(client.v1.refunds.create(ASKED, ONCE).id))
    slow.start()
    wait_until(lambda: state.kept_back() == 1, what="the slow request has come", seconds=30, every=0.01)

    assert client.v1.refunds.list({"payment_intent": "pi_1"}).data == []
    assert state.land() == 1
    slow.join(30)

    assert [refund.id for refund in client.v1.refunds.list({"payment_intent": "pi_1"}).data] == told


def test_a_slow_request_is_answered_after_its_time(client: stripe.StripeClient, state: State) -> None:
    state.pay("pi_1", captured=1000)
    state.fault("slow", seconds=0.2)
    began = time.monotonic()

    assert client.v1.refunds.create(ASKED, ONCE).amount == 400

    assert time.monotonic() - began >= 0.2
