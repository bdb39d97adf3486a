"""An admin edits while what validates the edits is unavailable, or dies at every call it makes."""

from __future__ import annotations

from functools import partial
from typing import Any

import httpx
import pytest

from tests.faults.conftest import World
from tests.support import documents
from tests.support import proxy as faults
from tests.support.shop import Shop
from tests.support.waiting import wait_until

VALIDATOR = "ValidateConfigFunction"
OTHERS = [{"code": "late", "description": "Too late"}]
WRONG: dict[str, Any] = {"reasons": [{"code": "late"}]}


def offered(world: World, shop: Shop) -> list[Any] | None:
    """The reasons that a customer gets to see; None when cancelling is off."""
    answer = httpx.get(
        f"{world.url}/cancellation-reasons", params={"store_id": shop.store_id}, timeout=60, trust_env=False
    ).json()
    reasons = [{name: reason[name] for name in ("code", "description")} for reason in answer["reasons"]]
    return reasons if answer["enabled"] else None


def validation(shop: Shop) -> str:
    item = shop.aws.config_item(shop.scope)
    return str(item.get("validation", "")) if item else ""


@pytest.mark.parametrize("killed", [False, True], ids=["cut off", "killed"])
def test_edits_that_nobody_looks_at(world: World, killed: bool) -> None:
    shop = world.shop()
    shop.accepted()
    proxy = world.proxies[VALIDATOR]
    proxy.clear()
    proxy.plan(lambda _: True, faults.before(partial(world.kill, VALIDATOR)) if killed else faults.refuse, times=10**9)
    try:
        # What is right is in force at once, and what is wrong is not: what was looked at last stands in.
        shop.configure(reasons=OTHERS)
        assert offered(world, shop) == OTHERS
        shop.configure(**WRONG)
        assert offered(world, shop) == documents.REASONS
        # Off is off.
        shop.configure(**WRONG | {"enabled": False})
        assert offered(world, shop) is None
        shop.configure(reasons=OTHERS)
        assert offered(world, shop) == OTHERS
        shop.configure(**WRONG)
        wait_until(lambda: len(proxy.seen) > 3, what="it has been tried, and tried again", seconds=60)
        assert offered(world, shop) == documents.REASONS
        assert "NOT" not in validation(shop)
    finally:
        proxy.clear()

    # Back again, it catches up: the newest right version is what stands in.
    text = f"NOT IN FORCE: scope {shop.scope}: reason 1 has no description; give it one. The version of "
    wait_until(lambda: validation(shop).startswith(text), what="the item says what is wrong", seconds=60)
    assert offered(world, shop) == OTHERS


def test_it_dies_once_at_each_call_of_an_edit(world: World) -> None:
    proxy = world.proxies[VALIDATOR]
    for skip in range(5):
        shop = world.shop()
        shop.accepted()
        proxy.clear()
        # Before the call on even turns, on odd ones once it has taken effect.
        fault = (faults.before, faults.after)[skip % 2](partial(world.kill, VALIDATOR))
        proxy.plan(lambda request: shop.scope in request.body.decode(), fault, skip=skip)  # noqa: B023 - done with before the next turn

        shop.configure(**WRONG)

        text = f"NOT IN FORCE: scope {shop.scope}: reason 1 has no description"
        wait_until(lambda: validation(shop).startswith(text), what=f"told after dying at {skip}", seconds=60)  # noqa: B023 - as above
        assert offered(world, shop) == documents.REASONS
        # Reading, keeping, recording, telling; the event names the scope as well.
        told = [one.request for one in list(proxy.seen) if shop.scope in one.request.body.decode()]
        wait_until(lambda: "PutEvents" in proxy.operations(), what="the event", seconds=60)
        assert len(told) >= 4
