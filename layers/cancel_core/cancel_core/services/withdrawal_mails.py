"""The mails about a withdrawal. The receipt is always sent: if the settings prevent it, it waits, an alarm goes off,
and the schedule retries it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import rfc8785

from cancel_core.domain.mail_settings import cannot_leave
from cancel_core.domain.times import iso
from cancel_core.domain.withdrawal import STATEMENT, Statement, read_statement
from cancel_core.domain.withdrawal_mails import (
    WITHDRAWAL_RECEIVED,
    Told,
    withdrawal_facts,
    withdrawal_mails,
)
from cancel_core.domain.withdrawal_outcome import CANCEL, OUTCOME
from cancel_core.errors import MailPostponed
from cancel_core.services import mails
from cancel_core.services.mails import ROUNDED, Post, deliver, send_each
from cancel_core.telemetry import count, logger

if TYPE_CHECKING:
    from cancel_core.adapters.dynamodb.withdrawals import Withdrawals
    from cancel_core.domain.mails import Mail


class Counter(NamedTuple):
    """The dependencies of mails about withdrawals, in addition to those of all mails. `identity`: the SES identity's
    ARN; may be "". `guest_page`: the page where guests find their order; may be "".
    """

    withdrawals: Withdrawals
    identity: str
    guest_page: str


def send_mails(
    post: Post,
    counter: Counter,
    detail_type: str,
    detail: Mapping[str, Any],
    deadline: datetime,
    clock: Callable[[], datetime],
) -> int:
    """The mails about an event, of a withdrawal or of anything else: see `mails.send_mails`."""
    if detail_type == WITHDRAWAL_RECEIVED:
        return send_withdrawal_mails(post, counter, detail, deadline, clock)
    return mails.send_mails(post, detail_type, detail, deadline, clock)


def send_withdrawal_mails(
    post: Post, counter: Counter, detail: Mapping[str, Any], deadline: datetime, clock: Callable[[], datetime]
) -> int:
    """Sends the receipt and the notices that have not been sent. Returns how many were due.

    Raises `MailPostponed` or `ServiceUnavailable` if the event should be retried, after everything that could be sent
    was sent.
    """
    parts = counter.withdrawals.parts(detail["withdrawal_id"])
    item = parts.get(STATEMENT)
    if item is None or "erased_at" in item:
        # Expired, or erased on request.
        return 0
    told = Told(read_statement(item), parts.get(OUTCOME, {}), parts.get(CANCEL, {}))
    policy = post.policies.get(detail["store_id"])
    page, order_id = counter.guest_page, told.outcome.get("order_id")
    guest_url = f"{page}#order_id={quote(order_id, safe='')}" if page and order_id else ""
    facts = withdrawal_facts(told, policy.withdrawal.time_zone, guest_url)
    facts |= {"record": record(told.statement), "shop": policy.mail.shop, "support_url": policy.mail.support_url}
    why = cannot_leave(policy.mail, counter.identity)

    def send(mail: Mail) -> int:
        if not why:
            return deliver(post, mail, policy.mail, facts, deadline, clock)
        _wait(post, mail, why, deadline, clock)
        return 0

    return send_each(withdrawal_mails(detail, told, policy.mail), send)


def record(statement: Statement) -> str:
    """The text whose SHA-256 is the receipt, so that the reader of the mail can compute it (RFC 8785)."""
    names = ("withdrawal_id", "received_at", "statement")
    document: dict[str, Any] = {name: getattr(statement, name) for name in names}
    return rfc8785.dumps(document).decode()


def _wait(post: Post, mail: Mail, why: str, deadline: datetime, clock: Callable[[], datetime]) -> None:
    """Stores that a mail is due, and why it can't be sent. A retry within minutes would not help."""
    now = clock()
    claim, attempt = post.mails.claim(mail, iso(now), iso(deadline + ROUNDED), int((now + post.keep).timestamp()))
    if claim == "busy":
        raise MailPostponed("somebody else is at it")
    if claim == "done":
        return
    post.mails.not_sent(mail.mail_id, attempt, "waiting", why, iso(clock()))
    logger.error(
        "a mail about a withdrawal waits for its settings",
        extra={"mail_id": mail.mail_id, "kind": mail.kind, "error": why},
    )
    count("WithdrawalMailWaiting")
