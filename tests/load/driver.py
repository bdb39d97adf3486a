"""Holds a number of customers on a running local stack, waits until their refunds have ended, and gathers what is to be
checked then.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.conditions import Attr

from tests.load.checks import AtProvider, Document, Load, Outcome, Told, check
from tests.load.customers import ORDERS, REQUESTS, Customer, Log, OrderSystem, Story
from tests.load.mix import Mix
from tests.support.aws import Aws, EventWatch, StackInfo
from tests.support.client import Client
from tests.support.openapi import body_of
from tests.support.shop import Shop
from tests.support.stripe_servers import Account

TELL_SECONDS = 10.0
"""How often a line tells how it goes."""


@dataclass(frozen=True)
class Settings:
    """`settle_seconds`: how long the refunds that are under way at the end may take."""

    customers: int
    seconds: float
    seed: int = 1
    settle_seconds: float = 120.0


@dataclass(frozen=True)
class Result:
    """A load that is over and checked. `seconds`: how long customers came; `settled_after`: how long refunds took
    after the last of them. `found`: each invariant with what breaks it.
    """

    settings: Settings
    engine: str
    seconds: float
    settled_after: float
    log: Log
    load: Load
    found: dict[str, list[str]]

    @property
    def holds(self) -> bool:
        return not any(self.found.values())


def run(endpoint: str, info: StackInfo, settings: Settings, tell: Callable[[str], None] = lambda _: None) -> Result:
    """Loads the stack at `endpoint`. `tell` is given a line now and then."""
    aws, account = Aws(info), Account(info.stripe_url)
    shop, log = Shop(aws, endpoint), Log()
    shop.configure()
    dead_before = _dead_letters(aws)
    try:
        with _listening(aws, log) as watch:
            clients = {name: shop.client_of(name) for name in _names(shop, settings)}
            order_system = OrderSystem(aws, shop, account, log)
            customers = [Customer(name, client, order_system, log) for name, client in clients.items()]
            began = time.monotonic()
            _hold(customers, settings, lambda: tell(_so_far(time.monotonic() - began, log)))
            seconds = time.monotonic() - began
            settled_after, unsettled = _settle(aws, log, watch, settings.settle_seconds)
            events = _events(watch)
        dead = {name: number - dead_before[name] for name, number in _dead_letters(aws).items()}
        load = Load(
            outcomes=_outcomes(aws, account, shop, log, events, clients),
            answers=Counter(sample.said for sample in log.samples if sample.kind in REQUESTS),
            unexpected=log.unexpected,
            undocumented=log.undocumented,
            unsettled=unsettled,
            dead_letters=dead,
        )
    finally:
        shop.close()
        aws.close()
    engine = "moto" if info.endpoint_url == info.dynamodb_endpoint_url else "DynamoDB Local"
    return Result(settings, engine, seconds, settled_after, log, load, check(load))


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
                event["detail"]["order_id"] for event in watch.seen[known:] if event["detail-type"] != "OrderCanceled"
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
    mix, stop = Mix(settings.seed), threading.Event()
    until = time.monotonic() + settings.seconds
    at_last = until + settings.settle_seconds

    def goes_on() -> bool:
        now = time.monotonic()
        return not stop.is_set() and (now < until or (now < at_last and not mix.has_had_all))

    def live(customer: Customer) -> None:
        while goes_on():
            if customer.may_go_on:
                customer.visit(mix.draw())
            else:
                stop.wait(0.1)

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


def _so_far(seconds: float, log: Log) -> str:
    requests = sum(sample.kind in REQUESTS for sample in log.samples[:])
    cancels = sum(story.accepted for story in log.stories[:])
    under_way = sum(story.refund_under_way(log) for story in log.stories[:])
    return f"{seconds:4.0f} s: {requests} requests, {cancels} cancels, {under_way} refunds under way"


def _settle(aws: Aws, log: Log, watch: EventWatch, seconds: float) -> tuple[float, list[str]]:
    """Waits until no refund is pending and all is told, but no longer than that. How long, and what is missing then."""
    began = time.monotonic()
    while (missing := _unsettled(aws, log, watch)) and time.monotonic() < began + seconds:
        time.sleep(0.5)
    return time.monotonic() - began, missing


def _unsettled(aws: Aws, log: Log, watch: EventWatch) -> list[str]:
    told = {event["detail"]["order_id"] for event in watch.seen[:] if event["detail-type"] == "OrderCanceled"}
    missing = [f"{one.order_id}: no OrderCanceled" for one in log.stories if one.accepted and one.order_id not in told]
    missing += [f"{one.order_id}: its refund is under way" for one in log.stories if one.refund_under_way(log)]
    if not missing and (pending := aws.orders.scan(IndexName="refund_pending", Select="COUNT")["Count"]):
        missing = [f"{pending} refunds are pending"]
    return missing


def _events(watch: EventWatch) -> dict[str, list[Told]]:
    """By order."""
    events = defaultdict(list)
    for event, sent in zip(watch.seen[:], watch.sent, strict=False):
        events[event["detail"]["order_id"]].append(Told(event["detail-type"], event["detail"], sent))
    return events


def _outcomes(
    aws: Aws, account: Account, shop: Shop, log: Log, events: dict[str, list[Told]], clients: dict[str, Client]
) -> list[Outcome]:
    prefix = f"{shop.mark}-"
    stored = {order["order_id"]: order for order in _scan(aws, aws.orders.name, Attr("order_id").begins_with(prefix))}
    documents = _scan(aws, aws.refunds.name, Attr("order_id").begins_with(prefix))
    # Besides each refund, the table has the order's ledger.
    refunds = {one["order_id"]: one for one in documents if one["refund_id"].startswith("ref_")}
    listed = defaultdict(list)
    for client in clients.values():
        for order in _list(client):
            listed[order["order_id"]].append(order)

    def outcome(story: Story) -> Outcome:
        return Outcome(
            placed=story.placed,
            stored=stored[story.order_id],
            shipped=story.shipped,
            answers=story.answers,
            refund=refunds.get(story.order_id),
            events=events.get(story.order_id, []),
            provider={
                payment["payment_id"]: AtProvider(
                    tuple(account.refunds(payment["reference"])), account.status(payment["reference"])
                )
                for payment in story.placed["payments"]
                if payment["provider"] == "stripe"
            },
            listed=listed[story.order_id],
        )

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(outcome, log.stories))


def _scan(aws: Aws, table: str, condition: Any) -> Iterator[Document]:
    paginator = aws.orders.meta.client.get_paginator("scan")
    for page in paginator.paginate(TableName=table, FilterExpression=condition, ConsistentRead=True):
        yield from page["Items"]


def _list(client: Client) -> Iterator[Document]:
    params = {"limit": "100"}
    while True:
        page = body_of(client.get(ORDERS, params=params))
        yield from page["orders"]
        if page["next_cursor"] is None:
            return
        params["cursor"] = page["next_cursor"]


def _dead_letters(aws: Aws) -> dict[str, int]:
    """How many messages are in each, hidden ones too."""
    found = {}
    for name, url in aws.info.queues.items():
        if not name.endswith("DeadLetterQueue"):
            continue
        told = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        found[name] = int(told["ApproximateNumberOfMessages"]) + int(told["ApproximateNumberOfMessagesNotVisible"])
    return found
