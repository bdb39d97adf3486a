"""Recovers withdrawals without a receipt, and retries their mails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from cancel_core.domain.events import SOURCE
from cancel_core.domain.mail_settings import SETTINGS_FAULTS
from cancel_core.domain.times import iso, moment
from cancel_core.domain.values import number
from cancel_core.domain.withdrawal import STATEMENT
from cancel_core.domain.withdrawal_mails import NOTICE, RECEIPT, receipt_mail_id
from cancel_core.domain.withdrawal_outcome import OUTCOME
from cancel_core.services.process_withdrawals import Desk, process_one
from cancel_core.telemetry import flush, logger

if TYPE_CHECKING:
    from cancel_core.adapters.dynamodb.mails import Mails, Row
    from cancel_core.adapters.sqs import Outbox

OUTCOMES_BACK = timedelta(days=7)
"""For this long a statement is checked for having been processed at all."""
MAILS_BACK = timedelta(days=2)
"""For this long a statement is checked for its event having reached the mail function."""
REFUSED_AGAIN = timedelta(days=1)
REFUSED_FOR = timedelta(days=7)
"""Mails that SES refused are retried daily for a week, because the causes are fixable: the SES sandbox, a suspended
account.
"""
OF_ITS_OWN = 4
ENOUGH_SECONDS = 10.0


class Second(NamedTuple):
    """The dependencies that retrying needs in addition to processing."""

    mails: Mails
    queue: Outbox


def reconcile_withdrawals(
    desk: Desk, second: Second, now: datetime, after: timedelta, seconds_left: Callable[[], float]
) -> int:
    """Processes statements again that were open for `after` or longer, within its time limit. Returns how many."""
    again = 0
    for withdrawal_id in _left(desk, second.mails, now, after):
        if seconds_left() < ENOUGH_SECONDS:
            logger.warning("one run cannot process all remaining withdrawals", extra={"again": again})
            return again
        item = desk.withdrawals.parts(withdrawal_id).get(STATEMENT)
        if item is None or "erased_at" in item:
            continue
        logger.warning("processing a withdrawal again", extra={"withdrawal_id": withdrawal_id})
        again += process_one(desk, item, now)
        flush()
    for row in second.mails.unsent_rows():
        if seconds_left() < ENOUGH_SECONDS:
            break
        if is_due(row, now, after) and second.mails.try_again(row, iso(now)):
            detail = {name: _json(value) for name, value in row["event"]["detail"].items()}
            second.queue.send({"source": SOURCE, "detail-type": row["event"]["detail_type"], "detail": detail})
            logger.warning("a mail is to be tried again", extra={"mail_id": row["mail_id"], "kind": row["kind"]})
            again += 1
    logger.info("reconciled the withdrawals", extra={"again": again})
    return again


def _left(desk: Desk, mails: Mails, now: datetime, after: timedelta) -> Iterator[str]:
    """The ids of statements without an outcome, and of younger ones without a row for their receipt."""
    until = now - after
    for back in range((OUTCOMES_BACK.days) + 1):
        day = (now - timedelta(days=back)).date().isoformat()
        statements: dict[str, datetime] = {}
        dealt_with: set[str] = set()
        for listed in desk.withdrawals.of_day(day):
            at = moment(listed.received_at)
            if listed.part == STATEMENT and at and at <= until:
                statements[listed.withdrawal_id] = at
            elif listed.part == OUTCOME:
                dealt_with.add(listed.withdrawal_id)
        yield from (one for one in statements if one not in dealt_with)
        young = [one for one, at in statements.items() if one in dealt_with and at > now - MAILS_BACK]
        rows = mails.existing([receipt_mail_id(one) for one in young])
        yield from (one for one in young if receipt_mail_id(one) not in rows)


def is_due(row: Row, now: datetime, after: timedelta) -> bool:
    """Whether an unsent mail about a withdrawal should be retried."""
    tried, made = moment(row.get("updated_at", "")), moment(row.get("created_at", ""))
    if row.get("kind") not in {RECEIPT, NOTICE} or tried is None or made is None:
        return False
    if row.get("status") == "failed":
        return tried <= now - REFUSED_AGAIN and made > now - REFUSED_FOR
    # The others are retried every quarter of an hour by their own message: only if that is lost.
    waits = after if row.get("error") in SETTINGS_FAULTS else after * OF_ITS_OWN
    return tried <= now - waits


def _json(value: object) -> object:
    """A value of an event's detail, as the bus delivers it: the table has numbers as Decimal."""
    return number(value) if isinstance(value, Decimal) else value
