"""Refunds that wait for a person: what is pending, failed or in a dead-letter queue, and what to do about it.

  python -m ops refunds list
  python -m ops refunds show REFUND_ID|ORDER_ID
  python -m ops refunds retry REFUND_ID --by you@shop.example --why "the bank has lifted the block"
  python -m ops refunds settle REFUND_ID --by you@shop.example --why "paid by bank transfer, receipt 1234"
  python -m ops refunds give-up REFUND_ID --by you@shop.example --why "the account at the provider is closed"
  python -m ops refunds returned REFUND_ID PAYMENT_ID --by you@shop.example --why "Stripe: re_1234 failed"
  python -m ops refunds requeue
  python -m ops refunds refill RESTORED_TABLE TABLE
  python -m ops refunds erase ORDER_ID ... [--withdrawals]
  python -m ops refunds erase --comments-older-than DAYS
  python -m ops refunds export CUSTOMER_ID

Everything is safe to run twice. From make: make refunds DO='list'
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from cancel_core.adapters.dynamodb.config import ConfigTables, Policies
from cancel_core.adapters.dynamodb.mails import Mails
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.adapters.dynamodb.refunds import Refunds
from cancel_core.adapters.dynamodb.requests import Requests
from cancel_core.adapters.dynamodb.withdrawals import Withdrawals
from cancel_core.adapters.eventbridge import Bus
from cancel_core.domain.times import iso
from cancel_core.errors import OrderUnreadable
from cancel_core.services.process_requests import Desk

from ops import deadletters, personal, refund_list, settlement, stacks, withdrawn
from ops.command import Command, add, subcommands
from ops.faults import Exit
from ops.output import Out, as_json
from ops.progress import tracked
from ops.restore import refill

DEAD_LETTERS = ("RefundDeadLetterQueue", "RuleDeadLetterQueue", "PublishDeadLetterQueue", deadletters.REQUESTS)
PARTS = 24
"""The number of parts in which a whole table is read, so that there is progress to show."""


class Stack(NamedTuple):
    """The parts of a stack that refunds pass through."""

    found: stacks.Stack
    orders: Orders
    refunds: Refunds
    mails: Mails
    withdrawals: Withdrawals
    bus: Bus
    desk: Desk

    @property
    def dead(self) -> dict[str, str]:
        return {name: self.found.queues[name] for name in DEAD_LETTERS}


def _stack(found: stacks.Stack) -> Stack:
    dynamodb, tables = found.dynamodb, found.tables
    orders = Orders(dynamodb, tables["orders"])
    bus = Bus(found.client("events"), found.bus)
    # An invalid config is reported elsewhere.
    policies = Policies(dynamodb, ConfigTables(tables["config"], tables[stacks.HISTORY]), 60, lambda _: None)
    return Stack(
        found,
        orders,
        Refunds(dynamodb, tables["refunds"], orders),
        Mails(dynamodb, tables["mails"]),
        Withdrawals(dynamodb, tables["withdrawals"]),
        bus,
        Desk(Requests(dynamodb, tables["requests"]), orders, policies, bus),
    )


def show_list(stack: Stack, out: Out, now: datetime) -> None:
    """What waits to begin, what is pending or failed, and what is in the dead-letter queues."""
    rows = refund_list.waiting(stack.orders, stack.refunds)
    out.table("refunds", refund_list.TITLES, [refund_list.as_line(row, now) for row in rows], numbers=("AMOUNT", "AGE"))
    with deadletters.look(stack.found.client("sqs"), stack.dead) as letters:
        lines = [refund_list.letter_line(letter) for letter in letters]
    out.table("dead_letters", refund_list.LETTER_TITLES, lines)
    out.say(f"{len(rows)} refund(s) or surplus(es) to look at, {len(lines)} message(s) in dead-letter queues.")


def show_one(stack: Stack, out: Out, some_id: str) -> None:
    """One refund's full details: its document with its log, and the order's data."""
    if refund_list.is_surplus(some_id):
        surplus = stack.refunds.item(some_id)
        if surplus is None:
            raise settlement.Refused(f"There is no {some_id}.")
        out.document("refund", surplus)
        return
    case = settlement.find(stack.orders, stack.refunds, some_id)
    out.document("refund", stack.refunds.item(case.document.refund_id) or {})
    if case.stored is None:
        out.say("The order is no longer in the table.")
        return
    if case.refund is None:
        out.say("The order does not carry this refund.")
    try:
        order = case.stored.order
    except OrderUnreadable as error:
        out.say(str(error))
        return
    out.say(f"The order is {order.status!r}; its refund {case.refund.status if case.refund else 'missing'}. History:")
    for entry in order.history:
        out.say(f"  {entry.at}  {entry.status}  {entry.comment}")
    for payment in order.payments:
        out.say(
            f"  payment {payment.payment_id} at {payment.provider} ({payment.reference}): captured "
            f"{payment.amount_captured}, refunded {payment.amount_refunded}, voided {payment.amount_voided}"
        )


def requeue(stack: Stack) -> Iterator[str]:
    """Processes all messages of the dead-letter queues again. Returns the result of each, in words."""
    sqs, streams = stack.found.client("sqs"), stack.found.client("dynamodbstreams")
    with deadletters.look(sqs, stack.dead) as letters:
        for letter in letters:
            yield _requeue(stack, deadletters.LookUp(sqs, streams), letter)


def _requeue(stack: Stack, look_up: deadletters.LookUp, letter: deadletters.Letter) -> str:
    dead = stack.dead[letter.queue]
    if letter.about == "unreadable":
        return f"{letter.queue}: unreadable, left where it is: {letter.body[:200]}"
    if letter.queue == "PublishDeadLetterQueue":
        now = datetime.now(UTC)
        return deadletters.publish_again(look_up, stack.orders, stack.refunds, stack.bus, letter, dead, now)
    if letter.queue == deadletters.REQUESTS:
        return deadletters.process_again(look_up, stack.desk, letter, dead, lambda: datetime.now(UTC))
    return deadletters.send_again(look_up.sqs, letter, dead, stack.found.queues["RefundQueue"])


def _erase(stack: Stack, asked: argparse.Namespace, now: datetime) -> Iterator[str]:
    database = stack.found.dynamodb
    if asked.comments_older_than is not None:
        before = iso(now - timedelta(days=asked.comments_older_than))
        ids = list(_commented(stack.orders, before))
        for one in list(tracked(stack.desk.requests.old_comments(before), "reading requests")):
            if stack.desk.requests.erase_comment(one):
                yield f"{one}: erased comment."
        yield from personal.erase(database, stack.orders.table, ids)
        return
    # First: a request that is approved at this moment takes its comment from there.
    yield from personal.erase_requests(stack.desk.requests, asked.ids)
    yield from personal.erase(database, stack.orders.table, asked.ids)
    yield from withdrawn.erase_mails(database, stack.mails, asked.ids)
    # Evidence that the shop may need: erased only if that is requested.
    for one in withdrawn.find(database, stack.withdrawals.table, *asked.ids):
        if asked.withdrawals:
            yield withdrawn.erase(database, stack.withdrawals, stack.mails, one, iso(now))
        else:
            yield f"{one}: a statement of withdrawal, kept; with --withdrawals it is erased too."


def _commented(orders: Orders, before: str) -> Iterable[str]:
    for part in tracked(range(PARTS), "reading orders", PARTS):
        yield from orders.old_comments(before, part, PARTS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = subcommands(parser)
    add(commands, "list", "what is pending, failed, or in a dead-letter queue")
    add(commands, "show", "one refund in full: amounts, attempts, errors, history").add_argument(
        "id", metavar="REFUND_ID|ORDER_ID", help="the refund, or its order"
    )
    for name, what in (
        ("retry", "try a failed refund again"),
        ("settle", "mark a failed refund, or a surplus, as settled by hand"),
        ("give-up", "end a pending refund as failed"),
        ("returned", "mark a refund as failed because the money came back to the provider"),
    ):
        command = add(commands, name, what)
        command.add_argument("id", metavar="REFUND_ID|ORDER_ID", help="the refund, or its order")
        if name == "returned":
            command.add_argument("payment", metavar="PAYMENT_ID", help="the payment whose refund came back")
        command.add_argument("--by", required=True, help="your name or e-mail address, for the record")
        command.add_argument("--why", required=True, help="the reason, for the record")
    add(commands, "requeue", "send the messages of the dead-letter queues again")
    command = add(commands, "refill", "copy items that are missing in a table from its restored copy")
    command.add_argument("restored", help="the restored table's name")
    command.add_argument("table", help="the name of the table that the stack works on")
    command = add(commands, "erase", "erase a customer's comment and e-mail address from orders")
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("ids", nargs="*", default=[], metavar="ORDER_ID", help="the orders")
    which.add_argument(
        "--comments-older-than", type=int, metavar="DAYS", help="on all orders cancelled longer ago than this"
    )
    command.add_argument(
        "--withdrawals", action="store_true", help="erase the statements of withdrawal about them, too"
    )
    add(commands, "export", "all data that is stored about a customer, as JSON").add_argument(
        "customer_id", help="the customer's id, `sub` in their token"
    )


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


def run(asked: argparse.Namespace, out: Out) -> int:
    stack = _stack(stacks.opened(asked))
    now = datetime.now(UTC)
    match asked.command:
        case "list":
            show_list(stack, out, now)
        case "show":
            show_one(stack, out, asked.id)
        case "requeue":
            said(out, requeue(stack))
        case "refill":
            done = refill(stack.found.dynamodb, asked.restored, asked.table)
            out.say(f"{asked.table}: {done.put} item(s) put, {done.kept} left as they are.")
        case "erase":
            said(out, _erase(stack, asked, now))
        case "export":
            print(as_json(_export(stack, asked.customer_id)))
        case _:
            out.say(_move(stack, asked, settlement.Person(asked.by, asked.why), now))
    return Exit.DONE


def _export(stack: Stack, customer_id: str) -> list[dict[str, Any]]:
    tables = (stack.orders, stack.refunds, stack.mails, stack.withdrawals, stack.desk.requests)
    return personal.export(*tables, customer_id)


def said(out: Out, lines: Iterable[str]) -> None:
    for line in lines:
        out.say(line)


COMMAND = Command("refunds", "refunds that wait for a person", __doc__, add_arguments, run)
