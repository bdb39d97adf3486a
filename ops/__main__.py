"""Refunds that wait for a person: what is pending, failed or in a dead-letter queue, and what to do about it.

  make refunds DO='list'
  make refunds DO='show REFUND_ID|ORDER_ID'
  make refunds DO='retry REFUND_ID --by you@shop.example --why "the bank has lifted the block"'
  make refunds DO='settle REFUND_ID --by you@shop.example --why "paid by bank transfer, receipt 1234"'
  make refunds DO='give-up REFUND_ID --by you@shop.example --why "the account at the provider is closed"'
  make refunds DO='returned REFUND_ID PAYMENT_ID --by you@shop.example --why "Stripe: re_1234 failed, account closed"'
  make refunds DO='requeue'
  make refunds DO='refill RESTORED_TABLE TABLE'
  make refunds DO='erase ORDER_ID ...'
  make refunds DO='erase ORDER_ID ... --withdrawals'
  make refunds DO='erase --comments-older-than DAYS'
  make refunds DO='export CUSTOMER_ID'

Everything is safe to run twice. It works on the deployed stack --stack (default: cancel-core) with your own AWS
credentials, or on the stack of `make run` with --local.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import boto3
from cancel_core.adapters.dynamodb.config import ConfigTables, Policies
from cancel_core.adapters.dynamodb.mails import Mails
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.adapters.dynamodb.refunds import Refunds
from cancel_core.adapters.dynamodb.requests import Requests
from cancel_core.adapters.dynamodb.withdrawals import Withdrawals
from cancel_core.adapters.eventbridge import Bus
from cancel_core.domain.ids import SURPLUS
from cancel_core.domain.times import iso
from cancel_core.errors import CancelCoreError, OrderUnreadable
from cancel_core.services.process_requests import Desk

from ops import deadletters, personal, settlement, withdrawn
from ops.restore import refill
from ops.stacks import as_json, deployed_ids, local_stack, parser

TABLES = ("orders", "refunds", "mails", "withdrawals", "requests", "config")
DEAD_LETTERS = ("RefundDeadLetterQueue", "RuleDeadLetterQueue", "PublishDeadLetterQueue", deadletters.REQUESTS)


class Stack(NamedTuple):
    """The parts of a stack that refunds pass through. `queues`: URLs by the template's names."""

    session: boto3.Session
    endpoint: str | None
    dynamodb_endpoint: str | None
    orders: Orders
    refunds: Refunds
    mails: Mails
    withdrawals: Withdrawals
    bus: Bus
    desk: Desk
    queues: dict[str, str]

    @property
    def dead(self) -> dict[str, str]:
        return {name: self.queues[name] for name in DEAD_LETTERS}


def deployed(name: str) -> Stack:
    """A stack in AWS, found by its CloudFormation stack's name."""
    session = boto3.Session()
    ids = deployed_ids(session, name)
    queues = {name: ids[name] for name in ("RefundQueue", *DEAD_LETTERS)}
    tables = {name: ids[f"{name.capitalize()}Table"] for name in TABLES}
    return _stack(session, None, None, tables, ids["EventBus"], queues)


def local(url: str) -> Stack:
    """The stack of `make run`."""
    session, told = local_stack(url)
    endpoint, database = told["endpoint_url"], told["dynamodb_endpoint_url"]
    tables = told["tables"] | {"history": told["history_tables"]["config"]}
    return _stack(session, endpoint, database, tables, told["event_bus"], told["queues"])


def _stack(
    session: boto3.Session,
    endpoint: str | None,
    database: str | None,
    tables: dict[str, str],
    bus: str,
    queues: dict[str, str],
) -> Stack:
    dynamodb = session.client("dynamodb", endpoint_url=database)
    orders = Orders(dynamodb, tables["orders"])
    refunds = Refunds(dynamodb, tables["refunds"], orders)
    mails, withdrawals = Mails(dynamodb, tables["mails"]), Withdrawals(dynamodb, tables["withdrawals"])
    events = Bus(session.client("events", endpoint_url=endpoint), bus)
    # A config that is wrong is told of elsewhere.
    policies = Policies(dynamodb, ConfigTables(tables["config"], tables["history"]), 60, lambda _: None)
    desk = Desk(Requests(dynamodb, tables["requests"]), orders, policies, events)
    return Stack(session, endpoint, database, orders, refunds, mails, withdrawals, events, desk, queues)


def show_list(stack: Stack) -> None:
    """What waits to begin, what is pending or failed, and what lies in the dead-letter queues."""
    documents = [item for refund_id in stack.refunds.unsettled() if (item := stack.refunds.item(refund_id))]
    begun = {document["order_id"] for document in documents if document["status"] == "pending"}
    rows = [
        (order_id, since.partition("#")[0], "pending", "waits for its refund to begin")
        for batch in stack.orders.pending_refunds(until="9999")
        for order_id, since in batch
        if order_id not in begun
    ]
    for document in documents:
        failure = document.get("failure") or document.get("last_error") or {}
        said = f"{failure.get('code', '')} {failure.get('message', '')}".strip()
        if document["status"] == "surplus":
            said = f"the payments of order {document['order_id']} hold {document['surplus']} too much"
        rows.append((document["refund_id"], document["updated_at"], document["status"], said))
    for row in sorted(rows, key=lambda row: row[1]):
        print("  ".join(row))
    with deadletters.look(stack.session.client("sqs", endpoint_url=stack.endpoint), stack.dead) as letters:
        lying = [f"{letter.queue}  {letter.about}" for letter in letters]
    for line in lying:
        print(line)
    print(f"{len(rows)} refund(s) or surplus(es) to look at, {len(lying)} message(s) in dead-letter queues.")


def show_one(stack: Stack, some_id: str) -> None:
    """One refund's whole story: its document with its log, and what the order says."""
    if some_id.startswith(SURPLUS):
        print(as_json(stack.refunds.item(some_id) or {}))
        return
    case = settlement.find(stack.orders, stack.refunds, some_id)
    print(as_json(stack.refunds.item(case.document.refund_id) or {}))
    if case.stored is None:
        print("\nThe order is no longer in the table.")
        return
    if case.refund is None:
        print("\nThe order does not carry this refund.")
    try:
        order = case.stored.order
    except OrderUnreadable as error:
        print(f"\n{error}")
        return
    print(f"\nThe order is {order.status!r}; its refund {case.refund.status if case.refund else 'missing'}. History:")
    for entry in order.history:
        print(f"  {entry.at}  {entry.status}  {entry.comment}")
    for payment in order.payments:
        print(
            f"  payment {payment.payment_id} at {payment.provider} ({payment.reference}): captured "
            f"{payment.amount_captured}, refunded {payment.amount_refunded}, voided {payment.amount_voided}"
        )


def requeue(stack: Stack) -> None:
    """Puts everything in the dead-letter queues back on its way."""
    sqs = stack.session.client("sqs", endpoint_url=stack.endpoint)
    streams = stack.session.client("dynamodbstreams", endpoint_url=stack.dynamodb_endpoint)
    with deadletters.look(sqs, stack.dead) as letters:
        for letter in letters:
            _requeue(stack, deadletters.LookUp(sqs, streams), letter)


def _requeue(stack: Stack, look_up: deadletters.LookUp, letter: deadletters.Letter) -> None:
    dead = stack.dead[letter.queue]
    if letter.about == "unreadable":
        print(f"{letter.queue}: unreadable, left where it is: {letter.body[:200]}")
    elif letter.queue == "PublishDeadLetterQueue":
        now = datetime.now(UTC)
        print(deadletters.publish_again(look_up, stack.orders, stack.refunds, stack.bus, letter, dead, now))
    elif letter.queue == deadletters.REQUESTS:
        print(deadletters.process_again(look_up, stack.desk, letter, dead, lambda: datetime.now(UTC)))
    else:
        print(deadletters.send_again(look_up.sqs, letter, dead, stack.queues["RefundQueue"]))


def _erase(stack: Stack, asked: argparse.Namespace, now: datetime) -> None:
    database = stack.session.client("dynamodb", endpoint_url=stack.dynamodb_endpoint)
    table, ids = stack.orders.table, asked.ids
    if asked.comments_older_than is not None:
        before = iso(now - timedelta(days=asked.comments_older_than))
        ids = stack.orders.old_comments(before)
        for one in stack.desk.requests.old_comments(before):
            if stack.desk.requests.erase_comment(one):
                print(f"{one}: erased comment.")
    ids = list(ids)
    # First of all: what is approved just now takes its comment from there.
    for line in personal.erase_requests(stack.desk.requests, ids if asked.comments_older_than is None else ()):
        print(line)
    for line in personal.erase(database, table, ids):
        print(line)
    if asked.comments_older_than is not None:
        return
    for line in withdrawn.erase_mails(database, stack.mails, ids):
        print(line)
    # Evidence that the shop may need: erased only where that is asked for.
    for one in withdrawn.find(database, stack.withdrawals.table, *ids):
        if asked.withdrawals:
            print(withdrawn.erase(database, stack.withdrawals, stack.mails, one, iso(now)))
        else:
            print(f"{one}: a statement of withdrawal, kept; with --withdrawals it is erased too.")


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    asks = parser("refunds", __doc__)
    commands = asks.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="what is pending, failed, or in a dead-letter queue")
    commands.add_parser("show", help="one refund's whole story").add_argument("id")
    for name, what in (
        ("retry", "try a failed refund again"),
        ("settle", "mark a failed refund as settled by hand"),
        ("give-up", "end a pending refund as failed"),
        ("returned", "end a refund as failed whose money has come back to the provider"),
    ):
        command = commands.add_parser(name, help=what)
        command.add_argument("id")
        if name == "returned":
            command.add_argument("payment", help="the payment_id")
        command.add_argument("--by", required=True, help="who you are")
        command.add_argument("--why", required=True, help="what you know, and did")
    commands.add_parser("requeue", help="put what lies in the dead-letter queues back on its way")
    command = commands.add_parser("refill", help="put what a restored table has, and a table lacks, back into that")
    command.add_argument("restored", help="the restored table's name")
    command.add_argument("table", help="the name of the table that the stack works on")
    command = commands.add_parser("erase", help="take a customer's comment and e-mail address off orders")
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("ids", nargs="*", default=[], metavar="ORDER_ID")
    which.add_argument("--comments-older-than", type=int, metavar="DAYS", help="of all orders cancelled before that")
    command.add_argument("--withdrawals", action="store_true", help="and the statements of withdrawal about them")
    commands.add_parser("export", help="all that is held about a customer, as JSON").add_argument("customer_id")
    return asks.parse_args(arguments)


def _move(stack: Stack, asked: argparse.Namespace, person: settlement.Person, now: datetime) -> str:
    orders, refunds = stack.orders, stack.refunds
    match asked.command:
        case "retry":
            return settlement.retry(orders, refunds, stack.bus, asked.id, person, now)
        case "settle":
            return settlement.settle(orders, refunds, asked.id, person, now)
        case "returned":
            return settlement.money_returned(orders, refunds, asked.id, asked.payment, person, now)
        case _:
            return settlement.give_up(orders, refunds, asked.id, person, now)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 1 when it could not be done."""
    asked = _arguments(arguments)
    stack = local(asked.url) if asked.local else deployed(asked.stack)
    now = datetime.now(UTC)
    try:
        match asked.command:
            case "list":
                show_list(stack)
            case "show":
                show_one(stack, asked.id)
            case "requeue":
                requeue(stack)
            case "refill":
                database = stack.session.client("dynamodb", endpoint_url=stack.dynamodb_endpoint)
                done = refill(database, asked.restored, asked.table)
                print(f"{asked.table}: {done.put} item(s) put, {done.kept} left as they are.")
            case "erase":
                _erase(stack, asked, now)
            case "export":
                tables = (stack.orders, stack.refunds, stack.mails, stack.withdrawals, stack.desk.requests)
                print(as_json(personal.export(*tables, asked.customer_id)))
            case _:
                print(_move(stack, asked, settlement.Person(asked.by, asked.why), now))
    except CancelCoreError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
