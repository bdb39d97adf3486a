"""What is known of a load once it is over: from the tables, the queues, the payment provider, the bus and the mails."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from boto3.dynamodb.conditions import Attr

from tests.load.customers import ORDERS
from tests.load.mailbox import Mailbox
from tests.load.order_system import Log, Story
from tests.load.people import Crowd
from tests.load.seen import AtProvider, Document, Mail, Outcome, People, Told
from tests.support.aws import Aws, EventWatch
from tests.support.client import Client
from tests.support.openapi import body_of
from tests.support.shop import Shop
from tests.support.stripe_servers import Account

WITHDRAWN = "WithdrawalReceived"
OF_ORDERS = frozenset({"order_canceled", "order_canceled_notice", "order_refunded", "refund_failed_notice"})
CODE = "guest_code"
HIDDEN = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")


def people(aws: Aws, shop: Shop, crowd: Crowd, watch: EventWatch, mails: list[Mail]) -> People:
    """Puts together what is known of each who came."""
    events, told_by_mail, codes = defaultdict(list), defaultdict(list), defaultdict(list)
    for event in watch.seen[:]:
        if event["detail-type"] == WITHDRAWN:
            events[event["detail"]["withdrawal_id"]].append(event["detail"])
    for mail in mails:
        if mail.withdrawal_id:
            told_by_mail[mail.withdrawal_id].append(mail)
        elif mail.kind == CODE:
            codes[mail.about].append(mail)
    strangers, by_mark = [], {one.mark: one for one in crowd.withdrawals}
    for withdrawal_id, parts in _withdrawals(aws, shop.store_id).items():
        sender = by_mark.get(parts["statement"]["statement"].get("message", ""))
        if sender is None:
            strangers.append(f"{withdrawal_id}: {parts['statement']['statement']!r}")
            continue
        sender.stored[withdrawal_id] = parts
        sender.events[withdrawal_id] = events[withdrawal_id]
        sender.mails[withdrawal_id] = told_by_mail[withdrawal_id]
    for access in crowd.accesses:
        access.mails = codes[access.order_id]
    return People(crowd.withdrawals, crowd.accesses, strangers)


def _withdrawals(aws: Aws, store_id: str) -> dict[str, dict[str, Document]]:
    found: dict[str, dict[str, Document]] = defaultdict(dict)
    for item in aws.rows("withdrawals"):
        found[item["withdrawal_id"]][item["part"]] = _with_numbers(item)
    return {
        withdrawal_id: parts
        for withdrawal_id, parts in found.items()
        if parts.get("statement", {}).get("store_id") == store_id
    }


def _with_numbers(item: Document) -> Document:
    """Quantities as JSON has them; those that are sent here are whole."""
    for row in item.get("statement", {}).get("items", []):
        row["qty"] = int(row["qty"])
    return item


def mails_of(aws: Aws, shop: Shop, mailbox: Mailbox) -> list[Mail]:
    return [
        Mail(
            row["kind"],
            row["about"],
            row["to"],
            row["status"],
            mailbox.times[row["mail_id"]],
            row["event"]["detail"].get("withdrawal_id"),
            mailbox.receipts.get(row["mail_id"], ""),
        )
        for row in aws.rows("mails", Attr("store_id").eq(shop.store_id))
    ]


def outcomes(
    aws: Aws,
    account: Account,
    shop: Shop,
    log: Log,
    watch: EventWatch,
    clients: dict[str, Client],
    seen: People,
    mails: list[Mail],
) -> list[Outcome]:
    prefix = f"{shop.mark}-"
    events = _events(watch)
    stored = {order["order_id"]: order for order in aws.rows("orders", Attr("order_id").begins_with(prefix))}
    documents = aws.rows("refunds", Attr("order_id").begins_with(prefix))
    # Besides each refund, the table has the order's ledger.
    refunds = {one["order_id"]: one for one in documents if one["refund_id"].startswith("ref_")}
    listed, told = defaultdict(list), defaultdict(list)
    statements = Counter[str]()
    withdrawn = set()
    for client in clients.values():
        for order in _list(client):
            listed[order["order_id"]].append(order)
    for mail in mails:
        if mail.kind in OF_ORDERS:
            told[mail.about].append(mail)
    for one in seen.withdrawals:
        if one.order_id:
            statements[one.order_id] += len(one.stored)
        if one.order_id and one.cancels and one.stored:
            withdrawn.add(one.order_id)

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
            listed=listed[story.order_id] if story.is_listed else None,
            statements=statements[story.order_id],
            withdrawn=story.order_id in withdrawn,
            mails=told[story.order_id],
        )

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(outcome, log.stories))


def _events(watch: EventWatch) -> dict[str, list[Told]]:
    """By order."""
    events = defaultdict(list)
    for event, sent in zip(watch.seen[:], watch.sent, strict=False):
        if event["detail-type"] != WITHDRAWN:
            events[event["detail"]["order_id"]].append(Told(event["detail-type"], event["detail"], sent))
    return events


def _list(client: Client) -> Iterator[Document]:
    params = {"limit": "100"}
    while True:
        page = body_of(client.get(ORDERS, params=params))
        yield from page["orders"]
        if page["next_cursor"] is None:
            return
        params["cursor"] = page["next_cursor"]


def queued(aws: Aws, *, dead: bool) -> dict[str, int]:
    """How many messages are in each of the queues, hidden ones too: in the dead-letter queues, or in the others."""
    names: Any = HIDDEN
    found: Mapping[str, str] = aws.info.queues
    return {
        name: sum(
            int(number)
            for number in aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()
        )
        for name, url in found.items()
        if name.endswith("DeadLetterQueue") == dead
    }
