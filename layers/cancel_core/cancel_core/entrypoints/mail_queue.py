"""The mail queue: events of the stack's bus that trigger mails, and SES's events about returned mails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cancel_core.entrypoints.queue import Postpone, each_mail
from cancel_core.services.mails import Returned
from cancel_core.telemetry import logger

SES = "aws.ses"
LATE_AFTER = 5
"""A message with this receive count is about a quarter of an hour old."""
ABOUT = {name: name for name in ("order_id", "cancellation_id", "withdrawal_id")}
# In the log, `request_id` is the id of an invocation.
ABOUT |= {"request_id": "cancellation_request_id"}
RETURNED = {"Email Bounced": ("bounce", "bounced"), "Email Complaint Received": ("complaint", "complained")}


def each_message(
    batch: Mapping[str, Any],
    send: Callable[[str, Mapping[str, Any]], Any],
    note_returned: Callable[[Returned], None],
    postpone: Postpone,
) -> dict[str, Any]:
    """Has `send` process each event (its detail type and detail), and `note_returned` SES's reports.

    A failed one is retried with a delay, and finally moved to the dead-letter queue. Returns the response for Lambda.
    """

    def take(event: Mapping[str, Any]) -> None:
        if event["source"] == SES:
            if returned := read_returned(event):
                note_returned(returned)
            return
        detail = event["detail"]
        logger.append_keys(**{key: detail[name] for name, key in ABOUT.items() if name in detail})
        send(event["detail-type"], detail)

    return each_mail(batch, take, postpone, what="a mail", late_after=LATE_AFTER)


def read_returned(event: Mapping[str, Any]) -> Returned | None:
    """A bounce or a complaint about one of our mails; None for every other event of SES."""
    detail = event["detail"]
    mail_id = next(iter(detail.get("mail", {}).get("tags", {}).get("mail_id", [])), None)
    known = RETURNED.get(event.get("detail-type", ""))
    if mail_id is None or known is None:
        return None
    part, status = known
    told = detail.get(part, {})
    sorts = [told.get(name) for name in ("bounceType", "bounceSubType", "complaintFeedbackType")]
    return Returned(mail_id, status, told.get("timestamp", ""), " ".join(sort for sort in sorts if sort))
