"""The payment server, behind a faulty proxy, and each kind of payment at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from local.stripe.server import StripeServer
from tests.support.proxy import FaultProxy
from tests.support.stripe_servers import Account

KINDS = ("intent", "charge")


@pytest.fixture(scope="session")
def server() -> Iterator[StripeServer]:
    with StripeServer() as started:
        yield started


@pytest.fixture
def proxy(server: StripeServer) -> Iterator[FaultProxy]:
    with FaultProxy(server.url) as before:
        yield before
    server.state.clear_faults()


@pytest.fixture
def account(server: StripeServer) -> Account:
    return Account(server.url)


@pytest.fixture(params=KINDS)
def pay(request: pytest.FixtureRequest, account: Account) -> Callable[[int], str]:
    """Makes a payment that was captured, and gives its reference."""
    return account.paid if request.param == "intent" else account.charged


@pytest.fixture(params=KINDS)
def authorize(request: pytest.FixtureRequest, account: Account) -> Callable[[int], str]:
    """The same of one that waits for its capture."""
    return account.authorized if request.param == "intent" else lambda amount: account.charged(amount, capture=False)
