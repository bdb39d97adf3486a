"""What docs/costs.md says of scale, as far as one machine can show it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from tests.faults.conftest import World
from tests.support import documents
from tests.support.proxy import Answer, Forward, Request, fail
from tests.support.shop import Shop
from tests.support.waiting import wait_until

ORDERS = 24
# Less than what a function waits for AWS and for a provider, so that no request is given up while it is held.
PAUSE_SECONDS = 0.3
HELD_SECONDS = 2


def test_no_more_refunds_are_at_the_provider_at_once_than_the_function_has_environments(
    world: World, shop: Shop
) -> None:
    """So many that wait lose nothing: they come one after another."""
    source = documents.paid()
    owed = source["payments"][0]["amount_captured"]
    intents = [world.account.paid(owed) for _ in range(ORDERS)]
    at_once, most, change = 0, 0, threading.Condition()
    all_canceled, pause = threading.Event(), threading.Event()
    refused = fail(500)

    def held(request: Request, forward: Forward) -> Answer | None:
        """No cancel is announced before the last one is done, however long the cancels take."""
        return forward(request) if all_canceled.wait(HELD_SECONDS) else refused(request, forward)

    def slow(request: Request, forward: Forward) -> Answer:
        """The first refunds wait for a second one: on a busy machine an environment takes long to start."""
        nonlocal at_once, most
        with change:
            at_once += 1
            most = max(most, at_once)
            change.notify_all()
            change.wait_for(lambda: most > 1, HELD_SECONDS)
        pause.wait(PAUSE_SECONDS)
        try:
            return forward(request)
        finally:
            with change:
                at_once -= 1

    for publisher in ("PublishEventsFunction", "ReconcileRefundsFunction"):
        world.proxies[publisher].plan("PutEvents", held, times=10**9)
    world.stripe.plan("POST /v1/refunds", slow, times=10**9)
    order_ids = [
        shop.put(**source | {"payments": [documents.captured(owed, provider="stripe", reference=intent)]})
        for intent in intents
    ]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(shop.canceled, order_ids))

    keys = [shop.aws.order(order_id)["refund_pending_since"] for order_id in order_ids]
    all_canceled.set()
    # Those of one second are on several partitions of their index.
    assert len({key.partition("#")[2] for key in keys}) > 1
    for order_id in order_ids:

        def ended(order_id: str = order_id) -> bool:
            return bool(shop.cancellation(order_id)["refund"]["status"] == "succeeded")

        wait_until(ended, what=f"the refund of {order_id} ends", seconds=60)
    assert world.stack.runtime
    assert 1 < most <= world.stack.runtime.functions[world.stack.template.name("RefundOrderFunction")].concurrency
    assert [world.account.refunds(intent) for intent in intents] == [[owed]] * ORDERS
