"""Sends the mails for an event: writes the row, calls SES, updates the row.

The function may crash at any external call. The event is then retried, and the row has the progress of its mail. A mail
can only be sent twice if the function crashes right after the call to SES.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from cancel_core.domain.addresses import Contact
from cancel_core.domain.mail_facts import Facts, has_something_to_tell, order_facts, request_facts
from cancel_core.domain.mails import Mail, is_of_request, mails_of
from cancel_core.domain.times import iso
from cancel_core.errors import MailPostponed, MailRefused, MailUnavailable, OrderUnreadable, ServiceUnavailable
from cancel_core.telemetry import count, logger

if TYPE_CHECKING:
    from cancel_core.adapters.dynamodb.config import Policies
    from cancel_core.adapters.dynamodb.mails import Mails
    from cancel_core.adapters.dynamodb.orders import Orders
    from cancel_core.adapters.dynamodb.stored_order import StoredOrder
    from cancel_core.adapters.mail_templates import Templates
    from cancel_core.adapters.ses import Sender
    from cancel_core.domain.mail_settings import MailSettings

NO_ADDRESS = "NotAnAddress"
"""The error of a mail whose recipient is not an e-mail address."""
NOTHING = Contact("", "", "")
TRIES_TO_NOTE = 3
ROUNDED = timedelta(seconds=1)
"""Rows have whole seconds."""


class Post(NamedTuple):
    """The dependencies for sending mails. `keep`: how long a row is kept."""

    orders: Orders
    policies: Policies
    mails: Mails
    templates: Templates
    sender: Sender
    keep: timedelta


def send_mails(
    post: Post, detail_type: str, detail: Mapping[str, Any], deadline: datetime, clock: Callable[[], datetime]
) -> int:
    """Sends each mail about an event that has not been sent. Returns how many were due.

    `deadline`: the latest end of this function's invocation; until then its mails are claimed. Two round trips to the
    database for each mail, and one for the order. Raises `MailPostponed` or `ServiceUnavailable` if the event should be
    retried, after everything that could be sent was sent.
    """
    settings = post.policies.get(detail["store_id"]).mail
    if not settings.is_on:
        return 0
    stored = post.orders.get(detail["order_id"])
    if stored is not None and not _carries(stored, detail):
        # A new order with the same number, perhaps someone else's; or the customer has made another request to the
        # shop.
        stored = None
    contact = stored.contact if stored else NOTHING
    request = stored.request if stored else None
    approved = request.request_id if request and request.status == "approved" else None
    planned = mails_of(detail_type, detail, settings, contact, approved)
    facts = _facts(detail, stored, contact) if planned else {}
    told = [mail for mail in planned if has_something_to_tell(mail.kind, facts)]
    return send_each(told, lambda mail: deliver(post, mail, settings, facts, deadline, clock))


def send_each(mails: Iterable[Mail], send: Callable[[Mail], int]) -> int:
    """Has `send` send each mail of an event, even if another one fails. Returns how many were sent.

    Raises `MailPostponed` after all were tried, if one should be retried.
    """
    reasons: list[str] = []
    sent = 0
    for mail in mails:
        try:
            sent += send(mail)
        except (MailPostponed, ServiceUnavailable) as error:
            reasons.append(str(error))
    if reasons:
        raise MailPostponed("; ".join(sorted(set(reasons))))
    return sent


def _carries(stored: StoredOrder, detail: Mapping[str, Any]) -> bool:
    """Whether it is the order of the event: it has the same cancellation, or the same request."""
    if is_of_request(detail):
        return bool(stored.request and stored.request.request_id == detail["request_id"])
    told: str = detail["cancellation_id"]
    try:
        return stored.cancellation_id == told
    except OrderUnreadable:
        return False


def _facts(detail: Mapping[str, Any], stored: StoredOrder | None, contact: Contact) -> Facts:
    request = stored.request if stored else None
    if is_of_request(detail):
        return request_facts(detail, request, contact)
    state = stored.state if stored else None
    asked = request_facts(detail, request, contact) if request else {}
    return asked | order_facts(detail, state.order if state else None, state.cancellation if state else None, contact)


def deliver(
    post: Post, mail: Mail, settings: MailSettings, facts: Facts, deadline: datetime, clock: Callable[[], datetime]
) -> int:
    """Sends one mail, if it has not been sent: 1 if it was sent now. Raises `MailPostponed` or `ServiceUnavailable`."""
    now = clock()
    claim, attempt = post.mails.claim(mail, iso(now), iso(deadline + ROUNDED), int((now + post.keep).timestamp()))
    keys = {"mail_id": mail.mail_id, "kind": mail.kind}
    if claim == "done":
        return 0
    if claim == "busy":
        raise MailPostponed("somebody else is at it")
    try:
        if not mail.has_address:
            raise MailRefused(NO_ADDRESS)
        more = {"shop": settings.shop, "support_url": settings.support_url}
        message_id = post.sender.send(mail, post.templates.write(mail.kind, mail.language, facts | more), settings)
    except MailRefused as error:
        post.mails.not_sent(mail.mail_id, attempt, "failed", str(error), iso(clock()))
        logger.error("a mail cannot be sent; see the mails table", extra=keys | {"error": str(error)})
        count("MailFailed")
        return 0
    except MailUnavailable as error:
        post.mails.not_sent(mail.mail_id, attempt, "waiting", str(error), iso(clock()))
        raise MailPostponed(str(error)) from error
    _note_sent(post.mails, mail.mail_id, message_id, clock)
    logger.info("a mail is sent", extra=keys)
    count("MailSent")
    return 1


def _note_sent(mails: Mails, mail_id: str, message_id: str, clock: Callable[[], datetime]) -> None:
    """Marks it as sent, with more retries than elsewhere: until the row says so, the mail may be sent again."""
    for attempt in range(1, TRIES_TO_NOTE + 1):
        try:
            mails.sent(mail_id, message_id, iso(clock()))
        except ServiceUnavailable:
            if attempt == TRIES_TO_NOTE:
                raise
        else:
            return


class Returned(NamedTuple):
    """SES's report on a returned mail: `bounced` or `complained`, when, and of which kind."""

    mail_id: str
    status: str
    at: str
    reason: str


def note_returned(mails: Mails, returned: Returned, now: datetime) -> None:
    """Stores a bounce or a complaint in the mail's row. Raises `ServiceUnavailable`."""
    delivery = {"status": returned.status, "at": returned.at, "reason": returned.reason}
    if mails.came_back(returned.mail_id, delivery, iso(now)):
        logger.warning("a mail was returned", extra={"mail_id": returned.mail_id, "reason": returned.reason})
        count("MailReturned")
