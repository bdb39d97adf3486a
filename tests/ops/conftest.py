"""The operator's moves on a real engine."""

import pytest

from ops import stacks
from tests.support.tables import Aws, Shop, shop

__all__ = ["shop"]


@pytest.fixture
def found(aws: Aws, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> stacks.Stack:
    """What each command finds as the deployed stack: the engine's tables, by the shop's own client."""

    def client(service: str) -> object:
        return shop.client if service == "dynamodb" else aws.client(service)

    made = stacks.Stack(client, shop.tables, {}, "")
    monkeypatch.setattr(stacks, "deployed", lambda *_: made)
    return made
