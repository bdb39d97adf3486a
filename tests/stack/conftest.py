"""One local stack for all tests of this folder, started as a user starts it. Each test has a shop of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.aws import Aws, EventWatch
from tests.support.client import PRIVATE_COMMENT, PRIVATE_EMAIL, PRIVATE_REFERENCE, Client
from tests.support.fixtures import aws, shop
from tests.support.stack import Running, local_stack

__all__ = ["aws", "shop"]


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    # Config at once: what caches do is for the tests of the adapters.
    with local_stack(tmp_path_factory.mktemp("stack"), CONFIG_CACHE_SECONDS="0") as running:
        yield running
    said = running.said()
    for private in (PRIVATE_EMAIL, PRIVATE_REFERENCE, PRIVATE_COMMENT):
        assert private not in said, f"the local stack has logged {private}"


@pytest.fixture(scope="package")
def events(aws: Aws) -> Iterator[EventWatch]:
    watch = EventWatch.open(aws)
    yield watch
    watch.drain()
    watch.close()


@pytest.fixture
def anyone(stack: Running) -> Iterator[Client]:
    """A client without a token."""
    client = Client(stack.endpoint)
    yield client
    client.close()


@pytest.fixture
def default_config(aws: Aws) -> Iterator[Aws]:
    """For tests that change the config of every store: what was there is there again afterwards."""
    before = aws.config_item("default")
    assert before is not None
    yield aws
    aws.config.put_item(Item=before)
