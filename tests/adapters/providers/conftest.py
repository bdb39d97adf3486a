"""The providers' servers, behind a faulty proxy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.proxy import FaultProxy
from tests.support.stripe_servers import local_stripe, stateful_mock


@pytest.fixture(scope="session")
def intents_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with local_stripe(tmp_path_factory.mktemp("localstripe")) as url:
        yield url


@pytest.fixture(scope="session")
def charges_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with stateful_mock(tmp_path_factory.mktemp("stateful-mock")) as url:
        yield url


@pytest.fixture
def intents(intents_server: str) -> Iterator[FaultProxy]:
    with FaultProxy(intents_server) as proxy:
        yield proxy


@pytest.fixture
def charges(charges_server: str) -> Iterator[FaultProxy]:
    with FaultProxy(charges_server) as proxy:
        yield proxy
