"""Holds a number of customers on a running local stack, waits until their refunds have ended, and gathers what is to be
checked then.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.load import gather, mix
from tests.load.checks import check
from tests.load.customers import REQUESTS, Customer
from tests.load.mailbox import Mailbox
from tests.load.order_system import Log, OrderSystem
from tests.load.people import PEOPLE_REQUESTS, Crowd, People, Stream
from tests.load.seen import Load
from tests.support.aws import Aws, EventWatch, StackInfo
from tests.support.shop import Shop
from tests.support.stripe_servers import Account

NO_END = frozenset({"OrderCanceled", gather.WITHDRAWN})
"""Events that do not report a refund's end."""
TELL_SECONDS = 10.0
"""How often a line tells how it goes."""


@dataclass(frozen=True)
class Settings:
    """`withdrawals` and `guests`: how many come each second. `settle_seconds`: for so long nothing may move at the end
    before everything is done.
    """

    customers: int
    seconds: float
    withdrawals: float = 0.0
    guests: float = 0.0
    seed: int = 1
    settle_seconds: float = 120.0


@dataclass(frozen=True)
class Result:
    """A load that is over and checked. `seconds`: how long customers came; `settled_after`: how long all that was
    under way took after the last of them and of those who arrive. `found`: each invariant with what breaks it.
    """

    settings: Settings
    engine: str
    seconds: float
    settled_after: float
    log: Log
    crowd: Crowd
    received: dict[str, float]
    load: Load
    found: dict[str, list[str]]

    @property
    def holds(self) -> bool:
        return not any(self.found.values())


def run(endpoint: str, info: StackInfo, settings: Settings, tell: Callable[[str], None] = lambda _: None) -> Result:
    """Loads the stack at `endpoint`. `tell` is given a line now and then."""
    aws, account = Aws(info), Account(info.stripe_url)
    shop, log, crowd = Shop(aws, endpoint), Log(), Crowd()
    shop.configure(**mix.CONFIG)
    dead_before = gather.queued(aws, dead=True)
    with ExitStack() as at_last:
        at_last.callback(aws.close)
        at_last.callback(shop.close)
        mailbox = at_last.enter_context(Mailbox(info))
        watch = at_last.enter_context(_listening(aws, log))
        clients = {name: shop.client_of(name) for name in _names(shop, settings)}
        order_system = OrderSystem(aws, shop, account, log)
        people = People(shop, order_system, mailbox, log, crowd)
        at_last.callback(people.close)
        streams = [
            Stream(settings.withdrawals, mix.Arrivals(mix.WITHDRAWALS, f"w{settings.seed}"), people.withdraw, log),
            Stream(settings.guests, mix.Arrivals(mix.ACCESSES, f"g{settings.seed}"), people.find_order, log),
        ]
        customers = [Customer(name, client, order_system, log) for name, client in clients.items()]
        began = time.monotonic()
        with _arriving(streams, settings, lambda: tell(_so_far(time.monotonic() - began, log, crowd))):
            _hold(customers, settings, lambda: tell(_so_far(time.monotonic() - began, log, crowd)))
            seconds = time.monotonic() - began
        ended = max(time.time() - (time.monotonic() - began - seconds), *(stream.last for stream in streams))
        unsettled = _settle(lambda: _unsettled(aws, log, crowd, mailbox, watch), settings.settle_seconds, tell)
        settled_after = max(0.0, time.time() - ended)
        mails = gather.mails_of(aws, shop, mailbox)
        seen = gather.people(aws, shop, crowd, watch, mails)
        dead = {name: number - dead_before[name] for name, number in gather.queued(aws, dead=True).items()}
        load = Load(
            outcomes=gather.outcomes(aws, account, shop, log, watch, clients, seen, mails),
            people=seen,
            answers=Counter(sample.said for sample in log.samples if sample.kind in REQUESTS),
            arrived=Counter(sample.said for sample in log.samples if sample.kind in PEOPLE_REQUESTS),
            unexpected=log.unexpected + mailbox.faults,
            undocumented=log.undocumented,
            unsettled=unsettled,
            dead_letters=dead,
            queued=gather.queued(aws, dead=False),
        )
    engine = "moto" if info.endpoint_url == info.dynamodb_endpoint_url else "DynamoDB Local"
    return Result(settings, engine, seconds, settled_after, log, crowd, mailbox.received, load, check(load))


@contextmanager
def _arriving(streams: list[Stream], settings: Settings, tell: Callable[[], None]) -> Iterator[None]:
    """Until all who were to come have come and gone."""
    stop = threading.Event()
    threads = [threading.Thread(target=stream.run, args=(settings.seconds, stop)) for stream in streams]
    for thread in threads:
        thread.start()
    try:
        yield
        for thread in threads:
            while thread.is_alive():
                tell()
                thread.join(TELL_SECONDS)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _names(shop: Shop, settings: Settings) -> list[str]:
    return [f"customer-{shop.mark}-{number}" for number in range(1, settings.customers + 1)]


@contextmanager
def _listening(aws: Aws, log: Log) -> Iterator[EventWatch]:
    """A consumer of the bus, whose queue is emptied all the time."""
    watch, stop = EventWatch.open(aws), threading.Event()

    def listen() -> None:
        while not stop.wait(0.2):
            known = len(watch.seen)
            try:
                watch.drain()
            except AssertionError as error:
                log.undocumented.append(str(error))
            log.refunded.update(
                event["detail"]["order_id"] for event in watch.seen[known:] if event["detail-type"] not in NO_END
            )

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        yield watch
    finally:
        stop.set()
        listener.join()
        watch.close()


def _hold(customers: list[Customer], settings: Settings, tell: Callable[[], None]) -> None:
    """Until the time is up and every kind of visit has been made; not for ever where refunds do not end."""
    turns, stop = mix.Mix(settings.seed), threading.Event()
    until = time.monotonic() + settings.seconds
    at_last = until + settings.settle_seconds

    def goes_on() -> bool:
        now = time.monotonic()
        return not stop.is_set() and (now < until or (now < at_last and not turns.has_had_all))

    def live(customer: Customer) -> None:
        while goes_on():
            if customer.may_go_on:
                customer.visit(turns.draw())
            else:
                stop.wait(0.1)

    if not customers:
        time.sleep(settings.seconds)
        return
    with ThreadPoolExecutor(len(customers)) as pool:
        living = {pool.submit(live, customer) for customer in customers}
        try:
            while living:
                done, living = wait(living, timeout=TELL_SECONDS)
                for customer in done:
                    customer.result()
                if living:
                    tell()
        finally:
            # A fault of the driver, or Ctrl-C.
            stop.set()


def _so_far(seconds: float, log: Log, crowd: Crowd) -> str:
    requests = sum(sample.kind in REQUESTS for sample in log.samples[:])
    cancels = sum(story.accepted for story in log.stories[:])
    under_way = sum(story.refund_under_way(log) for story in log.stories[:])
    arrived = f"{len(crowd.arrived)} have come, {len(crowd.taken_at)} withdrawals taken"
    return f"{seconds:4.0f} s: {requests} requests, {cancels} cancels, {under_way} refunds under way; {arrived}"


def _settle(unsettled: Callable[[], list[str]], seconds: float, tell: Callable[[str], None]) -> list[str]:
    """Waits until everything is done, but not longer than `seconds` while nothing moves. What is missing then."""
    moved, before, told = time.monotonic(), -1, time.monotonic()
    while (missing := unsettled()) and time.monotonic() < moved + seconds:
        if len(missing) != before:
            moved, before = time.monotonic(), len(missing)
        if time.monotonic() > told + TELL_SECONDS:
            told = time.monotonic()
            tell(f"still to be dealt with: {len(missing)}, for example {missing[0]}")
        time.sleep(0.5)
    return missing


def _unsettled(aws: Aws, log: Log, crowd: Crowd, mailbox: Mailbox, watch: EventWatch) -> list[str]:
    seen = watch.seen[:]
    told = {event["detail"]["order_id"] for event in seen if event["detail-type"] == "OrderCanceled"}
    received = {event["detail"]["withdrawal_id"] for event in seen if event["detail-type"] == gather.WITHDRAWN}
    missing = [f"{one.order_id}: no OrderCanceled" for one in log.stories if one.accepted and one.order_id not in told]
    missing += [f"{one.order_id}: its refund is under way" for one in log.stories if one.refund_under_way(log)]
    missing += [f"{one}: no {gather.WITHDRAWN}" for one in crowd.taken_at if one not in received]
    missing += [f"{one}: no receipt" for one in crowd.taken_at if one not in mailbox.received]
    if not missing and (pending := aws.orders.scan(IndexName="refund_pending", Select="COUNT")["Count"]):
        missing = [f"{pending} refunds are pending"]
    if not missing:
        missing = [
            f"{name}: message {number}"
            for name, messages in gather.queued(aws, dead=False).items()
            for number in range(messages)
        ]
    return missing
