"""For tests that see to it that each figure is there; never how fast a machine is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import Aws, serve
from tests.package.conftest import runtime_folder

__all__ = ["aws", "runtime_folder"]


@pytest.fixture(scope="session")
def aws() -> Iterator[Aws]:
    """The one the figures are of."""
    yield from serve("dynamodb-local")
