"""The shop's customers under load: they look at their orders and cancel them over HTTP."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx

from tests.load import mix
from tests.load.order_system import EndOfVisitError, Log, OrderSystem, Sample, Story, a_body, a_key, at_once, said_of
from tests.load.seen import GATEWAY_503, NO_ANSWER, Answer, amount_owed
from tests.support.client import Client
from tests.support.openapi import body_of
from tests.support.shop import CANCELLATION, ELIGIBILITY, ORDER

ORDERS = "/orders"
SHIPPED = CANCELLED = "409 INVALID_ORDER_STATUS"

RACE = "cancel in a race with a shipment"
# What is asked of the API. Each is told with its latencies.
REQUESTS = (
    "list orders",
    "check eligibility",
    "get order",
    "cancel",
    "cancel while the shop writes",
    "cancel from several clients",
    "cancel with one key, at once",
    RACE,
    "cancel what has shipped",
    "cancel again without a key",
    "repeat a cancel",
    "repeat with another body",
    "get cancellation",
)


class Customer:
    """One customer with a token, whose requests are timed and logged."""

    def __init__(self, customer_id: str, client: Client, order_system: OrderSystem, log: Log) -> None:
        self.customer_id = customer_id
        self.order_system = order_system
        self._client = client
        self._log = log
        self._last_cancel = 0.0
        self._stories: list[Story] = []

    # --- requests

    def _ask(
        self, kind: str, method: str, path: str, story: Story | None = None, **named: Any
    ) -> tuple[str, dict[str, Any]]:
        """What was said, and the body."""
        if story:
            named["order_id"] = story.order_id
        try:
            response = self._client.request(method, path, **named)
        except httpx.HTTPError as error:
            self._log.samples.append(Sample(kind, NO_ANSWER, 0.0))
            return NO_ANSWER, {"error": type(error).__name__}
        seconds = response.elapsed.total_seconds()
        if method == "POST":
            self._last_cancel = seconds
        said, body = said_of(response), body_of(response)
        self._log.samples.append(Sample(kind, said, seconds))
        return said, body

    def _must(self, said: str, story: Story | None, what: str, *expected: str) -> None:
        """Raises `EndOfVisitError` for an answer that is none of these, and reports it where there was one."""
        if said in expected:
            return
        if said not in {GATEWAY_503, NO_ANSWER}:
            self._wrong(story, f"{what}: {said}, expected {' or '.join(expected)}")
        raise EndOfVisitError

    def _wrong(self, story: Story | None, what: str) -> None:
        self._log.unexpected.append(f"{story.order_id if story else self.customer_id}: {what}")

    def list_orders(self, rng: random.Random) -> None:
        limit = rng.choice(mix.PAGE_LIMITS)
        params = {"limit": str(limit)}
        seen: set[str] = set()
        for _ in range(mix.PAGES):
            said, page = self._ask("list orders", "GET", ORDERS, params=params)
            self._must(said, None, "list", "200")
            ids = [order["order_id"] for order in page["orders"]]
            if len(ids) > limit or len(set(ids)) < len(ids) or seen & set(ids):
                self._wrong(
                    None, f"a page of {limit} has {len(ids)} orders, {len(seen & set(ids))} of them seen before"
                )
            seen |= set(ids)
            if page["next_cursor"] is None:
                return
            params["cursor"] = page["next_cursor"]

    def check_eligibility(self, story: Story, *, eligible: bool) -> None:
        said, body = self._ask("check eligibility", "GET", ELIGIBILITY, story)
        self._must(said, story, "eligibility", "200")
        amount = body["refund"]["amount"] if body["refund"] else 0
        if (body["eligible"], amount) != (eligible, amount_owed(story.placed) if eligible else 0):
            self._wrong(story, f"eligible is {body['eligible']} with a refund of {amount}")

    def get_order(self, story: Story, *expected: str) -> None:
        said, body = self._ask("get order", "GET", ORDER, story)
        self._must(said, story, "order", "200")
        if body["status"] not in expected:
            self._wrong(story, f"its status is {body['status']!r}, expected {' or '.join(expected)}")

    def get_cancellation(self, story: Story) -> None:
        said, body = self._ask("get cancellation", "GET", CANCELLATION, story)
        self._must(said, story, "cancellation", "200")
        if body["cancellation_id"] not in {answer.cancellation_id for answer in story.answers}:
            self._wrong(story, f"its cancellation is {body['cancellation_id']}, which no cancel was answered with")

    def cancel(self, kind: str, story: Story, body: dict[str, Any], key: str | None = None) -> str:
        """What was said. The answer is part of the story."""
        headers = {"idempotency-key": key} if key is not None else None
        said, answer = self._ask(kind, "POST", CANCELLATION, story, headers=headers, json=body)
        cancellation_id = answer["cancellation"]["cancellation_id"] if "cancellation" in answer else None
        told = Answer(said, key, json.dumps(body, sort_keys=True), cancellation_id, time.time())
        story.answers.append(told)
        return said

    def _cancel_must(self, kind: str, story: Story, body: dict[str, Any], key: str | None, *expected: str) -> None:
        self._must(self.cancel(kind, story, body, key), story, kind, *expected)

    # --- visits

    @property
    def may_go_on(self) -> bool:
        """Whether few enough of the refunds it waits for are under way."""
        self._stories = [story for story in self._stories if story.refund_under_way(self._log)]
        return len(self._stories) < mix.UNDER_WAY

    def visit(self, turn: mix.Turn) -> None:
        """Does what the turn says, with a new order."""
        story = self.order_system.place(turn, self.customer_id)
        self._stories.append(story)
        try:
            if turn.random.random() < mix.LISTS_FIRST:
                self.list_orders(turn.random)
            _VISITS[turn.visit](self, story, turn.random)
        except EndOfVisitError:
            pass
        except AssertionError as error:
            # Of the client, which holds each answer against the OpenAPI document.
            self._log.undocumented.append(str(error))

    def _looks(self, story: Story, rng: random.Random) -> None:
        self.list_orders(rng)
        self.check_eligibility(story, eligible=True)
        self.get_order(story, story.placed["status"])

    def _cancels(self, story: Story, rng: random.Random) -> None:
        self.check_eligibility(story, eligible=True)
        self._cancel_must("cancel", story, a_body(rng), a_key(rng), "200")
        self.get_cancellation(story)

    def _cancels_while_the_shop_writes(self, story: Story, rng: random.Random) -> None:
        body, key = a_body(rng), a_key(rng)
        wait = self._around_a_cancel(rng)

        def write() -> None:
            time.sleep(wait)
            self.order_system.write_a_note(story, "Shelf 4")

        said, _ = at_once(lambda: self.cancel("cancel while the shop writes", story, body, key), write)
        self._must(str(said), story, "cancel while the shop writes", "200")

    def _repeats(self, story: Story, rng: random.Random) -> None:
        body, key = a_body(rng), a_key(rng)
        self._cancel_must("cancel", story, body, key, "200")
        for _ in range(rng.randint(*mix.REPEATS)):
            self._cancel_must("repeat a cancel", story, body, key, "200 replayed")
        self.get_order(story, "canceled", "closed")

    def _repeats_at_once(self, story: Story, rng: random.Random) -> None:
        body, key = a_body(rng), a_key(rng)
        kind, number = "cancel with one key, at once", rng.randint(*mix.AT_ONCE)
        said = at_once(*[lambda: self.cancel(kind, story, body, key)] * number)
        self._one_of(said, story, kind, "200 replayed")
        self.get_cancellation(story)

    def _repeats_with_another_body(self, story: Story, rng: random.Random) -> None:
        body, key = a_body(rng), a_key(rng)
        self._cancel_must("cancel", story, body, key, "200")
        other = body | {"comment": "Something else"}
        self._cancel_must("repeat with another body", story, other, key, "422 IDEMPOTENCY_KEY_REUSED")
        self._cancel_must("repeat a cancel", story, body, key, "200 replayed")

    def _cancels_without_a_key_twice(self, story: Story, rng: random.Random) -> None:
        self._cancel_must("cancel", story, a_body(rng), None, "200")
        self._cancel_must("cancel again without a key", story, a_body(rng), None, CANCELLED)
        self.check_eligibility(story, eligible=False)

    def _cancels_from_several_clients(self, story: Story, rng: random.Random) -> None:
        kind, calls = "cancel from several clients", []
        for _ in range(rng.randint(*mix.AT_ONCE)):
            body, key = a_body(rng), rng.choice([a_key(rng), None])
            calls.append(lambda body=body, key=key: self.cancel(kind, story, body, key))
        self._one_of(at_once(*calls), story, kind, CANCELLED)
        self.get_cancellation(story)

    def _races_a_shipment(self, story: Story, rng: random.Random) -> None:
        body, key, wait = a_body(rng), a_key(rng), self._around_a_cancel(rng)

        def ship() -> bool:
            time.sleep(wait)
            return self.order_system.ship(story)

        said, shipped = at_once(lambda: self.cancel(RACE, story, body, key), ship)
        self._must(str(said), story, f"{RACE}, shipped: {shipped}", SHIPPED if shipped else "200")

    def _comes_after_the_shipment(self, story: Story, rng: random.Random) -> None:
        self._ship_first(story, None)
        self._cancel_must("cancel what has shipped", story, a_body(rng), a_key(rng), SHIPPED)
        self.get_order(story, "complete")

    def _comes_after_a_part_was_shipped(self, story: Story, rng: random.Random) -> None:
        self._ship_first(story, 1)
        self.check_eligibility(story, eligible=False)
        self._cancel_must("cancel what has shipped", story, a_body(rng), a_key(rng), "409 PARTIAL_ORDER_ITEM_SHIPPED")

    def _ship_first(self, story: Story, quantity: int | None) -> None:
        if not self.order_system.ship(story, quantity=quantity):
            self._wrong(story, "it could not be shipped, and nobody had touched it")

    def _one_of(self, said: list[str], story: Story, kind: str, others: str) -> None:
        """Of requests that were sent at once one must be the first; the others are answered so."""
        if {GATEWAY_503, NO_ANSWER} & set(said):
            raise EndOfVisitError
        if Counter(said) != Counter(["200", *[others] * (len(said) - 1)]):
            self._wrong(story, f"{kind}: {said}")

    def _around_a_cancel(self, rng: random.Random) -> float:
        """Seconds after which something happens in the middle of a cancel, as long as they take just now."""
        return rng.uniform(0, 1.2) * self._last_cancel


_VISITS: dict[mix.Visit, Callable[[Customer, Story, random.Random], None]] = {
    "looks": Customer._looks,
    "cancels": Customer._cancels,
    "cancels while the shop writes": Customer._cancels_while_the_shop_writes,
    "repeats": Customer._repeats,
    "repeats at once": Customer._repeats_at_once,
    "repeats with another body": Customer._repeats_with_another_body,
    "cancels without a key, twice": Customer._cancels_without_a_key_twice,
    "cancels from several clients": Customer._cancels_from_several_clients,
    "races a shipment": Customer._races_a_shipment,
    "comes after the shipment": Customer._comes_after_the_shipment,
    "comes after a part was shipped": Customer._comes_after_a_part_was_shipped,
}
