"""Two servers that speak Stripe's protocol. `localstripe` has PaymentIntents, and forgets every key; the npm package
`stripe-stateful-mock` has charges, honours keys, and refuses to give back more than there is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import stripe

from local.alone import alone
from local.aws.ports import free_port
from tests.support.machine import ROOT, need

START_SECONDS = 30
NPM_PACKAGE = ROOT / "tests" / "adapters" / "providers" / "stripe-stateful-mock"
INSTALLED = ROOT / ".local" / "stripe-stateful-mock"
# Both take whatever looks like a key; put together here so that no scanner takes it for one.
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
    """localstripe, as the local stack has it."""
    port, module = free_port(), "local.aws.stripe_server"
    with server([sys.executable, "-m", module, str(port)], port, folder, PYTHONPATH=str(ROOT)) as url:
        yield url


@contextmanager
def stateful_mock(folder: Path) -> Iterator[str]:
    node, npm = shutil.which("node"), shutil.which("npm")
    need(node and npm, "npm is not installed: it brings a server of Stripe's charges.")
    assert node
    assert npm
    lock = NPM_PACKAGE / "package-lock.json"
    with alone(INSTALLED):
        if not (INSTALLED / "done").exists() or (INSTALLED / "done").read_text() != lock.read_text():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(NPM_PACKAGE / name, INSTALLED / name)
            done = subprocess.run(
                [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=INSTALLED,
                capture_output=True,
                text=True,
                check=False,
            )
            need(done.returncode == 0, f"npm could not install stripe-stateful-mock: {done.stderr[-300:]}")
            (INSTALLED / "done").write_text(lock.read_text())
    port = free_port()
    script = INSTALLED / "node_modules" / "stripe-stateful-mock" / "dist" / "cli.js"
    with server([node, str(script)], port, folder, PORT=str(port), LOG_LEVEL="warn") as url:
        yield url


class Account:
    """The shop's own hands at Stripe: how customers paid, and what was given back."""

    def __init__(self, url: str) -> None:
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

    def charged(self, amount: int, *, capture: bool = True) -> str:
        """A charge."""
        made = self._client.v1.charges.create(
            {"amount": amount, "currency": "sek", "source": "tok_visa", "capture": capture}
        )
        return made.id

    def refund(self, reference: str, amount: int) -> None:
        """By the shop itself."""
        self._client.v1.refunds.create({"charge": reference, "amount": amount})

    def refunds(self, reference: str) -> list[int]:
        """The amounts that were given back of a payment."""
        if reference.startswith("pi_"):
            listed = self._client.v1.refunds.list({"payment_intent": reference, "limit": 100})
        else:
            listed = self._client.v1.refunds.list({"charge": reference, "limit": 100})
        return [refund.amount for refund in listed.data]

    def status(self, intent: str) -> str:
        return self._client.v1.payment_intents.retrieve(intent).status

    def capture(self, intent: str) -> None:
        self._client.v1.payment_intents.capture(intent)
