"""A payment server in this process, and the official client at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stripe

from local.stripe.server import StripeServer
from local.stripe.state import State
from tests.support.stripe_servers import KEY


def client_of(server: StripeServer, key: str = KEY) -> stripe.StripeClient:
    """One that does not try again by itself."""
    return stripe.StripeClient(key, base_addresses={"api": server.url}, max_network_retries=0)


@pytest.fixture
def server() -> Iterator[StripeServer]:
    with StripeServer() as started:
        yield started


@pytest.fixture
def state(server: StripeServer) -> State:
    return server.state


@pytest.fixture
def client(server: StripeServer) -> stripe.StripeClient:
    return client_of(server)
