"""Fixtures of every suite that works on a running local stack, which its own conftest starts as `stack`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.aws import Aws
from tests.support.shop import Shop
from tests.support.stack import Running


@pytest.fixture(scope="package")
def aws(stack: Running) -> Iterator[Aws]:
    """The order system's, the admin's and the operator's clients."""
    clients = Aws(stack.info)
    yield clients
    clients.close()


@pytest.fixture
def shop(stack: Running, aws: Aws) -> Iterator[Shop]:
    """A store that allows cancelling, with a customer."""
    opened = Shop(aws, stack.endpoint)
    opened.configure()
    yield opened
    opened.close()
