"""Mails that were not sent, or came back, and what to do about them.

  make mails DO='list'                 what is not sent, and why
  make mails DO='list --returned'      what bounced or was complained of (reads the whole table)
  make mails DO='show MAIL_ID|ORDER_ID'
  make mails DO='resend MAIL_ID'

`resend` has a mail be sent once more, also one that was sent, but for a guest's code, which is not kept. It works on
the deployed stack --stack (default: cancel-core) with your own AWS credentials, or on the stack of `make run` with
--local.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import boto3
from cancel_core.adapters.dynamodb.mails import Mails
from cancel_core.domain.events import SOURCE
from cancel_core.domain.mails import CODE_MAIL
from cancel_core.domain.times import iso

from ops.stacks import as_json, deployed_ids, local_stack, parser

MAIL = "mail_"


class Stack(NamedTuple):
    """The parts of a stack that mails pass through. `queue` and `dead`: URLs."""

    mails: Mails
    sqs: Any
    queue: str
    dead: str


def deployed(name: str) -> Stack:
    """A stack in AWS, found by its CloudFormation stack's name."""
    session = boto3.Session()
    ids = deployed_ids(session, name)
    mails = Mails(session.client("dynamodb"), ids["MailsTable"])
    return Stack(mails, session.client("sqs"), ids["MailQueue"], ids["MailDeadLetterQueue"])


def local(url: str) -> Stack:
    """The stack of `make run`."""
    session, told = local_stack(url)
    mails = Mails(session.client("dynamodb", endpoint_url=told["dynamodb_endpoint_url"]), told["tables"]["mails"])
    sqs = session.client("sqs", endpoint_url=told["endpoint_url"])
    return Stack(mails, sqs, told["queues"]["MailQueue"], told["queues"]["MailDeadLetterQueue"])


def show_list(stack: Stack, *, returned: bool) -> None:
    """One line for each mail: its id, since when, what of it, which, about what, and why."""
    rows = _rows(stack, stack.mails.returned() if returned else stack.mails.unsent())
    for row in rows:
        print(
            "  ".join([row["mail_id"], row["updated_at"], _state(row), row["kind"], row["about"], _why(row)]).rstrip()
        )
    if returned:
        print(f"{len(rows)} mail(s) came back.")
        return
    told = stack.sqs.get_queue_attributes(QueueUrl=stack.dead, AttributeNames=["ApproximateNumberOfMessages"])
    lying = told["Attributes"]["ApproximateNumberOfMessages"]
    print(f"{len(rows)} mail(s) not sent, {lying} message(s) in the dead-letter queue.")


def show(stack: Stack, some_id: str) -> bool:
    """The rows of one mail, or of all about one order. False where there are none."""
    rows = _rows(stack, [some_id] if some_id.startswith(MAIL) else stack.mails.about(some_id))
    for row in rows:
        print(as_json(row))
    return bool(rows)


def resend(stack: Stack, mail_id: str, now: datetime) -> bool:
    """Has a mail be sent again, by its event. False where there is no such mail, or a function is at it."""
    row = stack.mails.get(mail_id)
    if row is None or not stack.mails.again(mail_id, iso(now)):
        return False
    event = {"source": SOURCE, "detail-type": row["event"]["detail_type"], "detail": row["event"]["detail"]}
    stack.sqs.send_message(QueueUrl=stack.queue, MessageBody=json.dumps(event, default=int))
    return True


def _is_code(stack: Stack, mail_id: str) -> bool:
    row = stack.mails.get(mail_id)
    return row is not None and row["kind"] == CODE_MAIL


def _rows(stack: Stack, mail_ids: Iterable[str]) -> list[dict[str, Any]]:
    rows = [row for mail_id in mail_ids if (row := stack.mails.get(mail_id))]
    return sorted(rows, key=lambda row: row["updated_at"])


def _state(row: dict[str, Any]) -> str:
    return str(row["delivery"]["status"] if "delivery" in row else row["status"])


def _why(row: dict[str, Any]) -> str:
    return str(row["delivery"]["reason"] if "delivery" in row else row.get("error", ""))


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    asks = parser("mails", __doc__)
    commands = asks.add_subparsers(dest="command", required=True)
    command = commands.add_parser("list", help="what is not sent, and why")
    command.add_argument("--returned", action="store_true", help="what bounced or was complained of instead")
    commands.add_parser("show", help="what became of a mail, or of all mails about an order").add_argument("id")
    commands.add_parser("resend", help="have a mail sent once more").add_argument("id")
    return asks.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 1 when it could not be done."""
    asked = _arguments(arguments)
    stack = local(asked.url) if asked.local else deployed(asked.stack)
    match asked.command:
        case "list":
            show_list(stack, returned=asked.returned)
        case "show":
            if not show(stack, asked.id):
                print(f"There is no mail of or about {asked.id}.", file=sys.stderr)
                return 1
        case "resend" if _is_code(stack, asked.id):
            print(
                f"{asked.id} carried a guest's code, which is kept nowhere. The guest has to ask for a new one.",
                file=sys.stderr,
            )
            return 1
        case "resend":
            if not resend(stack, asked.id, datetime.now(UTC)):
                print(f"{asked.id}: there is no such mail, or it is being sent just now.", file=sys.stderr)
                return 1
            print(f"{asked.id} is on its way again.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
