"""What docs/costs.md says of scale, as far as one machine can show it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from tests.faults.conftest import World
from tests.support import documents
from tests.support.proxy import Answer, Forward, Request
from tests.support.shop import Shop
from tests.support.waiting import wait_until

ORDERS = 24
PAUSE_SECONDS = 0.3


def test_no_more_refunds_are_at_the_provider_at_once_than_the_function_has_environments(
    world: World, shop: Shop
) -> None:
    """So many that wait lose nothing: they come one after another."""
    source = documents.paid()
    owed = source["payments"][0]["amount_captured"]
    intents = [world.account.paid(owed) for _ in range(ORDERS)]
    at_once, most, lock = 0, 0, threading.Lock()
    pause = threading.Event()

    def slow(request: Request, forward: Forward) -> Answer:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        pause.wait(PAUSE_SECONDS)
        try:
            return forward(request)
        finally:
            with lock:
                at_once -= 1

    world.stripe.plan("POST /v1/refunds", slow, times=10**9)
    order_ids = [
        shop.put(**source | {"payments": [documents.captured(owed, provider="stripe", reference=intent)]})
        for intent in intents
    ]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(shop.canceled, order_ids))

    keys = [shop.aws.order(order_id).get("refund_pending_since", "") for order_id in order_ids]
    waiting = [key for key in keys if key]
    assert len(set(waiting)) > len({key.partition("#")[0] for key in waiting})
    for order_id in order_ids:

        def ended(order_id: str = order_id) -> bool:
            return bool(shop.cancellation(order_id)["refund"]["status"] == "succeeded")

        wait_until(ended, what=f"the refund of {order_id} ends", seconds=60)
    assert world.stack.runtime
    assert 1 < most <= world.stack.runtime.functions[world.stack.template.name("RefundOrderFunction")].concurrency
    assert [world.account.refunds(intent) for intent in intents] == [[owed]] * ORDERS
