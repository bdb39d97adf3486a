"""Mails that were not sent, or came back, and how to send them again.

  python -m ops mails list                 mails that were not sent, with the reason
  python -m ops mails list --returned      mails that bounced or were marked as spam (reads the whole table)
  python -m ops mails show MAIL_ID|ORDER_ID
  python -m ops mails resend MAIL_ID

`resend` sends a mail again, even if it has been sent. A mail with a guest's code cannot be sent again. From make:
make mails DO='resend MAIL_ID'
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cancel_core.adapters.dynamodb.mails import Mails
from cancel_core.domain.events import SOURCE
from cancel_core.domain.mails import CODE_MAIL
from cancel_core.domain.times import iso

from ops import stacks
from ops.command import Command, add, subcommands
from ops.faults import Exit
from ops.output import Line, Out, age
from ops.progress import tracked
from ops.settlement import Refused

MAIL = "mail_"
TITLES = ("MAIL", "ABOUT", "KIND", "STATE", "AGE", "NEXT")
NEXT: Mapping[str, str] = {
    "NotAnAddress": "have the order's customer_email corrected, then resend",
    "MessageRejected": "mend mail.from, or leave the sandbox of SES, then resend",
    "MailFromDomainNotVerifiedException": "mend the DNS records of the MAIL FROM domain, then resend",
    "AccountSuspendedException": "see why in the console of SES, then resend",
    "SendingPausedException": "see why in the console of SES, then resend",
    "AccessDeniedException": "mend MailIdentityArn or mail.from, then resend",
    "MailIdentityArnEmpty": "set MailIdentityArn: it then goes out by itself",
    "MailFromMissing": "set mail.from in the config: it then goes out by itself",
    "MailFromNotOfIdentity": "mend mail.from in the config: it then goes out by itself",
}
"""By the error, as docs/operating.md has it."""


class Stack(NamedTuple):
    """The parts of a stack that mails pass through. `queue` and `dead`: URLs."""

    mails: Mails
    sqs: Any
    queue: str
    dead: str


def _stack(found: stacks.Stack) -> Stack:
    mails = Mails(found.dynamodb, found.tables["mails"])
    return Stack(mails, found.client("sqs"), found.queues["MailQueue"], found.queues["MailDeadLetterQueue"])


def show_list(stack: Stack, out: Out, now: datetime, *, returned: bool) -> None:
    """Mails that were not sent, or were returned, oldest first, with the reason and the next step."""
    rows = _rows(stack, tracked(stack.mails.returned(), "reading mails") if returned else stack.mails.unsent())
    out.table("mails", TITLES, [_line(row, now) for row in rows], numbers=("AGE",))
    if returned:
        out.say(f"{len(rows)} mail(s) came back.")
        return
    told = stack.sqs.get_queue_attributes(QueueUrl=stack.dead, AttributeNames=["ApproximateNumberOfMessages"])
    lying = told["Attributes"]["ApproximateNumberOfMessages"]
    out.facts(dead_letters=int(lying))
    out.say(f"{len(rows)} mail(s) not sent, {lying} message(s) in the dead-letter queue.")


def _line(row: dict[str, Any], now: datetime) -> Line:
    why = _why(row)
    facts = {name: row.get(name) for name in ("mail_id", "about", "kind", "store_id", "created_at", "updated_at")}
    facts |= {"state": _state(row), "why": why, "next": _next(row, why)}
    cells = (row["mail_id"], row["about"], row["kind"], _state(row), age(row["created_at"], now), _next(row, why))
    return Line(cells, facts, (why,))


def _next(row: dict[str, Any], why: str) -> str:
    if "delivery" in row:
        return "reach the customer otherwise"
    waits = "wait: it is tried again by itself"
    return NEXT.get(why.partition(":")[0], "mend the cause, then resend" if row["status"] == "failed" else waits)


def show(stack: Stack, out: Out, some_id: str) -> None:
    """The rows of one mail, or of all about one order. Raises `Refused` if there are none."""
    rows = _rows(stack, [some_id] if some_id.startswith(MAIL) else stack.mails.about(some_id))
    if not rows:
        raise Refused(f"There is no mail of or about {some_id}.")
    if out.as_json:
        out.document("mails", rows)
        return
    for row in rows:
        out.document("mail", row)


def resend(stack: Stack, mail_id: str, now: datetime) -> str:
    """Sends a mail again, by its event. Raises `Refused` if there is none, or a function is sending it."""
    row = stack.mails.get(mail_id)
    if row is not None and row["kind"] == CODE_MAIL:
        raise Refused(f"{mail_id} carried a guest's code, which is kept nowhere. The guest has to ask for a new one.")
    if row is None or not stack.mails.again(mail_id, iso(now)):
        raise Refused(f"{mail_id}: there is no such mail, or it is being sent just now.")
    event = {"source": SOURCE, "detail-type": row["event"]["detail_type"], "detail": row["event"]["detail"]}
    stack.sqs.send_message(QueueUrl=stack.queue, MessageBody=json.dumps(event, default=int))
    return f"{mail_id} is on its way again."


def _rows(stack: Stack, mail_ids: Iterable[str]) -> list[dict[str, Any]]:
    rows = [row for mail_id in mail_ids if (row := stack.mails.get(mail_id))]
    return sorted(rows, key=lambda row: row["updated_at"])


def _state(row: dict[str, Any]) -> str:
    return str(row["delivery"]["status"] if "delivery" in row else row["status"])


def _why(row: dict[str, Any]) -> str:
    return str(row["delivery"]["reason"] if "delivery" in row else row.get("error", ""))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = subcommands(parser)
    command = add(commands, "list", "mails that were not sent, with the reason")
    command.add_argument("--returned", action="store_true", help="mails that bounced or were marked as spam instead")
    show_one = add(commands, "show", "one mail, or all mails about an order, with their state")
    show_one.add_argument("id", metavar="MAIL_ID|ORDER_ID", help="the mail, or the order")
    add(commands, "resend", "send a mail again").add_argument("id", metavar="MAIL_ID", help="the mail")


def run(asked: argparse.Namespace, out: Out) -> int:
    stack = _stack(stacks.opened(asked))
    now = datetime.now(UTC)
    match asked.command:
        case "list":
            show_list(stack, out, now, returned=asked.returned)
        case "show":
            show(stack, out, asked.id)
        case _:
            out.say(resend(stack, asked.id, now))
    return Exit.DONE


COMMAND = Command("mails", "mails that were not sent, or came back", __doc__, add_arguments, run)
