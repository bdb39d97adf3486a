"""Those who arrive at a rate, whatever the stack can do: they withdraw from contracts, and find their orders as guests.

Each comes once, when it is time, whether or not those before have been answered.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.load import mix
from tests.load.connections import OneEach
from tests.load.mailbox import Mailbox
from tests.load.order_system import EndOfVisitError, Log, OrderSystem, Sample, Story, a_body, a_key, at_once, said_of
from tests.load.seen import NO_ANSWER, UNTOLD, Access, Answer, Redeemed, Taken, Withdrawal
from tests.support.client import Client
from tests.support.openapi import body_of
from tests.support.shop import CANCELLATION, Shop

LEAD_SECONDS = 3.0
"""So long before somebody comes the order is placed that it is about."""
MOST_AT_ONCE = 6000
PERSEVERANCE = 900.0
"""For so many seconds somebody who was turned away tries again, where that is no second statement."""
PAUSE_SECONDS = (5.0, 15.0)
CODE_LIFE = 900.0
ORDERS_OF_ONE = 10
PEOPLE_REQUESTS = (
    "withdraw",
    "withdraw as a customer",
    "repeat a withdrawal",
    "cancel what is withdrawn from",
    "ask for a code",
    "redeem a code",
    "get a guest's order",
    "cancel as a guest",
)
WITHDRAW, OF_ORDER = "/withdrawals", "/orders/{order_id}/withdrawal"
ASK, TOKEN, GUEST = "/guest-access", "/guest-access/token", "/guest/order"


@dataclass(frozen=True)
class Arrived:
    """The first request of somebody who came: when it was time, in Unix time, how much later it was sent, after how
    many seconds from when it was time it was answered, what, and at which try.
    """

    who: str
    due: float
    late: float
    seconds: float
    said: str
    tries: int


@dataclass
class Crowd:
    """All who have come, and how long they waited for what; by all threads."""

    arrived: list[Arrived] = field(default_factory=list)
    withdrawals: list[Withdrawal] = field(default_factory=list)
    accesses: list[Access] = field(default_factory=list)
    taken_at: dict[str, float] = field(default_factory=dict)
    """When a withdrawal was answered, Unix time."""
    waits: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


class People:
    """What they do."""

    def __init__(self, shop: Shop, order_system: OrderSystem, mailbox: Mailbox, log: Log, crowd: Crowd) -> None:
        self._shop, self._orders, self._mailbox, self._log, self.crowd = shop, order_system, mailbox, log, crowd
        self._client = Client(shop.endpoint, transport=OneEach())
        self._tokens: dict[str, str] = {}

    def close(self) -> None:
        self._client.close()

    # --- requests

    def _ask(self, kind: str, method: str, path: str, token: str | None = None, **named: Any) -> tuple[str, Any]:
        headers = named.pop("headers", {}) | ({"authorization": f"Bearer {token}"} if token else {})
        began = time.monotonic()
        try:
            response = self._client.request(method, path, headers=headers, **named)
            said, body = said_of(response), body_of(response)
        except httpx.HTTPError as error:
            said, body = NO_ANSWER, {"error": type(error).__name__}
        self._log.samples.append(Sample(kind, said, time.monotonic() - began))
        return said, body

    def _first(
        self, who: str, due: float, ask: Callable[[], tuple[str, Any]], rng: random.Random | None
    ) -> tuple[str, Any]:
        """Sent when it is time, and with `rng` again, after a while, where it had no answer."""
        time.sleep(max(0.0, due - time.time()))
        late = time.time() - due
        said, body, tries = _patiently(ask, due + PERSEVERANCE, rng)
        self.crowd.arrived.append(Arrived(who, due, late, time.time() - due, said, tries))
        return said, body

    def _must(self, said: str, who: str, what: str, *expected: str) -> None:
        if said in expected:
            return
        if said not in UNTOLD:
            self._log.unexpected.append(f"{who}: {what}: {said}, expected {' or '.join(expected)}")
        raise EndOfVisitError

    def _token(self, customer_id: str) -> str:
        if customer_id not in self._tokens:
            answer = self._client.raw("POST", "/local/tokens", json={"customer_id": customer_id})
            self._tokens[customer_id] = answer.json()["token"]
        return self._tokens[customer_id]

    # --- withdrawals

    def withdraw(self, come: mix.Arrival, due: float) -> None:
        mark = f"{self._shop.mark}-w{come.number}"
        address = f"{mark}@example.com"
        customer_id = f"consumer-{self._shop.mark}-{come.number // ORDERS_OF_ONE}"
        proven = come.kind.startswith(("by the customer", "of a part"))
        story, items, token = None, None, None
        if come.kind != "of no order":
            owner = None if "guest's" in come.kind else customer_id
            attributes = mix.order(come.order, come.random, self._orders.account)
            if come.kind == "of a part, by the customer":
                attributes, items = mix.TWO_ROWS, [{"item": "SKU-2", "qty": 1}]
            story = self._orders.put(f"w{come.number}", owner, customer_email=address, **attributes)
            story.is_listed = False
        if come.kind == "by the customer, after the shipment" and story:
            self._orders.ship(story)
        body: dict[str, Any] = {"message": mark, **({"items": items} if items else {})}
        named = story.order_id if story else f"what I bought, {mark}"
        if proven:
            token = self._token(customer_id)
        else:
            hashed = come.random.choice(["#", " ", ""]) if story else ""
            body |= {"name": "Åsa Ek", "email": address, "order": hashed + named, "store_id": self._shop.store_id}
        whole = story is not None and items is None
        withdrawal = Withdrawal(
            mark=mark,
            expected=body | ({"email": address, "order": named} if proven else {}),
            match="proven" if proven else "email" if story else "none",
            whole=whole,
            cancels=proven and whole and come.kind != "by the customer, after the shipment",
            key=None if come.sent in {"once, without a key", "twice without a key"} else a_key(come.random),
            order_id=story.order_id if story else None,
        )
        self.crowd.withdrawals.append(withdrawal)
        sender = _Sender(self, withdrawal, body, story, token)
        said, _ = self._first("withdrawals", due, sender.send, come.random if withdrawal.key else None)
        # What was turned away may have been stored.
        self._must(said, mark, "withdraw", "201", *["201 replayed"] * (withdrawal.asked > 1))
        sender.go_on(come)

    # --- guests

    def find_order(self, come: mix.Arrival, due: float) -> None:
        address = f"{self._shop.mark}-g{come.number}@example.com"
        customers = come.kind == "asks for a customer's order"
        owner = f"consumer-{self._shop.mark}" if customers else None
        attributes = mix.order(come.order, come.random, self._orders.account)
        story = self._orders.put(f"g{come.number}", owner, customer_email=address, **attributes)
        story.is_listed = False
        access = Access(story.order_id, known=not customers and come.kind != "has another address")
        self.crowd.accesses.append(access)
        asks = {
            "order_id": story.order_id,
            "email": f"other-{address}" if come.kind == "has another address" else address.upper(),
        }

        def ask() -> tuple[str, Any]:
            said, body = self._ask("ask for a code", "POST", ASK, json=asks)
            access.asked.append(said)
            return said, body

        said, _ = self._first("guests", due, ask, come.random)
        self._must(said, story.order_id, "ask for a code", "202")
        if not access.known:
            return
        if come.kind == "asks too often":
            at_once(*[ask] * mix.MORE_CODES)
            return
        code = self._code(access, address)
        if come.kind == "asks again":
            self._must(ask()[0], story.order_id, "ask for a code", "202")
            old, code = code, self._code(access, address)
            if old != code:
                self._must(self._redeem(access, old, right=False)[0], story.order_id, "an old code", WRONG)
        if come.kind == "guesses first":
            self._must(
                self._redeem(access, f"{(int(code) + 1) % 10**6:06}", right=False)[0], story.order_id, "guess", WRONG
            )
        number = 3 if come.kind == "uses the code from several clients" else 1
        answers = at_once(*[lambda: self._redeem(access, code, right=True)] * number)
        token = next((body["token"] for said, body in answers if said == "200"), None)
        if token is None:
            raise EndOfVisitError
        if come.kind == "uses the code twice":
            self._must(self._redeem(access, code, right=False)[0], story.order_id, "use it again", WRONG)
        self._look(story, token)
        self.crowd.waits["from a guest's coming to the order"].append(time.time() - due)
        if come.kind == "cancels":
            self._cancel(story, come, token)

    def _code(self, access: Access, address: str) -> str:
        began = time.monotonic()
        code = self._mailbox.code(address, CODE_LIFE)
        if code is None:
            access.expired = True
            raise EndOfVisitError
        self.crowd.waits["from 202 to the code's mail"].append(time.monotonic() - began)
        return code

    def _redeem(self, access: Access, code: str, *, right: bool) -> tuple[str, Any]:
        answer = self._ask("redeem a code", "POST", TOKEN, json={"order_id": access.order_id, "code": code})
        access.redeemed.append(Redeemed(code, right, answer[0]))
        return answer

    def _look(self, story: Story, token: str) -> None:
        said, body = self._ask("get a guest's order", "GET", GUEST, token)
        self._must(said, story.order_id, "a guest's order", "200")
        if (body["order_id"], body["status"]) != (story.order_id, story.placed["status"]):
            self._log.unexpected.append(f"{story.order_id}: a guest got {body['order_id']}, {body['status']}")

    def _cancel(self, story: Story, come: mix.Arrival, token: str) -> None:
        self.cancel("cancel as a guest", f"{GUEST}/cancellation", story, come, token, "200")

    def cancel(self, kind: str, path: str, story: Story, come: mix.Arrival, token: str, *expected: str) -> None:
        key, body = a_key(come.random), a_body(come.random)
        headers = {"idempotency-key": key}
        named = {"order_id": story.order_id} if path == CANCELLATION else {}

        def ask() -> tuple[str, Any]:
            said, answer = self._ask(kind, "POST", path, token, headers=headers, json=body, **named)
            cancellation_id = answer["cancellation"]["cancellation_id"] if "cancellation" in answer else None
            story.answers.append(Answer(said, key, json.dumps(body, sort_keys=True), cancellation_id, time.time()))
            return said, answer

        said, _, tries = _patiently(ask, time.time() + PERSEVERANCE, come.random)
        self._must(said, story.order_id, kind, *expected, *(["200 replayed"] if tries > 1 else []))


def _patiently(ask: Callable[[], tuple[str, Any]], until: float, rng: random.Random | None) -> tuple[str, Any, int]:
    """The answer, its body and after how many tries: with `rng` again, after a while, where it tells nothing."""
    said, body = ask()
    tries = 1
    while rng and said in UNTOLD and time.time() < until:
        time.sleep(rng.uniform(*PAUSE_SECONDS))
        said, body = ask()
        tries += 1
    return said, body, tries


WRONG = "401 INVALID_ACCESS_CODE"


class _Sender:
    """Sends one statement, and again."""

    def __init__(
        self, people: People, withdrawal: Withdrawal, body: dict[str, Any], story: Story | None, token: str | None
    ) -> None:
        self._people, self._withdrawal, self._body, self._story, self._token = people, withdrawal, body, story, token

    def send(self, kind: str | None = None, body: dict[str, Any] | None = None) -> tuple[str, Any]:
        one = self._withdrawal
        named: dict[str, Any] = {"headers": {}, "json": body or self._body}
        if one.key:
            named["headers"] = {"idempotency-key": one.key}
        if self._token:
            named["order_id"] = one.order_id or ""
        path = OF_ORDER if self._token else WITHDRAW
        what = kind or ("withdraw as a customer" if self._token else "withdraw")
        one.asked += body is None
        said, answer = self._people._ask(what, "POST", path, self._token, **named)
        taken = Taken(said)
        if "withdrawal_id" in answer:
            taken = Taken(said, *(answer[name] for name in ("withdrawal_id", "receipt", "received_at")))
            self._people.crowd.taken_at.setdefault(taken.withdrawal_id, time.time())
            if self._story and one.cancels:
                self._story.withdrawn = True
        if body is None:
            one.answers.append(taken)
        return said, answer

    def go_on(self, come: mix.Arrival) -> None:
        must, mark, again = self._people._must, self._withdrawal.mark, "repeat a withdrawal"
        match come.sent:
            case "again":
                must(self.send(again)[0], mark, again, "201 replayed")
            case "several times at once":
                for said, _ in at_once(*[lambda: self.send(again)] * 3):
                    must(said, mark, again, "201 replayed")
            case "with another body":
                said, _ = self.send(again, self._body | {"message": "Something else"})
                must(said, mark, "another body", "422 IDEMPOTENCY_KEY_REUSED")
            case "twice without a key":
                must(self.send(again)[0], mark, again, "201")
        if come.kind == "by the customer, who cancels at once" and self._story and self._token:
            expected = ("200", "409 INVALID_ORDER_STATUS")
            kind = "cancel what is withdrawn from"
            self._people.cancel(kind, CANCELLATION, self._story, come, self._token, *expected)


class Stream:
    """Sends somebody each `1 / rate` seconds until `until`, and until every kind has come."""

    def __init__(
        self, rate: float, arrivals: mix.Arrivals, act: Callable[[mix.Arrival, float], None], log: Log
    ) -> None:
        self._rate, self._arrivals, self._act, self._log = rate, arrivals, act, log
        self.last = 0.0
        """When the last one was to come, Unix time."""

    def run(self, seconds: float, stop: threading.Event) -> None:
        if not self._rate:
            return
        began = time.time()
        coming: list[Future[None]] = []
        with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
            while self._arrivals.number < self._rate * seconds or not self._arrivals.has_had_all:
                at = began + self._arrivals.number / self._rate
                if stop.wait(max(0.0, at - time.time())):
                    break
                self.last = at + LEAD_SECONDS
                coming.append(pool.submit(self._come, self._arrivals.draw(), self.last))

    def _come(self, come: mix.Arrival, due: float) -> None:
        try:
            self._act(come, due)
        except EndOfVisitError:
            pass
        except AssertionError as error:
            self._log.undocumented.append(str(error))
        except Exception as error:  # noqa: BLE001  # told at the end, like all that should not have been
            self._log.unexpected.append(f"{come.kind} {come.number}: {error!r}")
