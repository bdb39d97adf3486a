"""Sends the mail with a guest's code. It has a row in the mails table like any mail, without the code."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cancel_core.domain.access import CODE_LIFE, Code, stretched
from cancel_core.domain.addresses import salutation
from cancel_core.domain.caller import Guest
from cancel_core.domain.ids import mail_id
from cancel_core.domain.mail_facts import Facts
from cancel_core.domain.mails import CODE_MAIL, Mail, language
from cancel_core.domain.times import iso
from cancel_core.services.mails import Post, deliver
from cancel_core.telemetry import logger

if TYPE_CHECKING:
    from cancel_core.adapters.dynamodb.access import Access
    from cancel_core.adapters.dynamodb.stored_order import StoredOrder

DEAD = "CodeExpired"
"""The error of a mail whose code was no longer valid before SES accepted it."""


def send_code_mail(
    post: Post,
    access: Access,
    page_url: str,
    message: Mapping[str, Any],
    deadline: datetime,
    clock: Callable[[], datetime],
) -> int:
    """Mails a code to the order's address, if the code is still the order's, for the address that was verified.

    `page_url`: the page where the guest enters the code, or "". `message`: `order_id`, `code_id`, `code`. Returns and
    raises as `send_mails`.
    """
    order_id, code = message["order_id"], message["code"]
    this_mail = mail_id(CODE_MAIL, message["code_id"])
    kept = access.code(order_id)
    stored = _order(post, kept, message, clock()) if kept else None
    if kept and kept.code_id == message["code_id"] and kept.used_by:
        # A code that was used has arrived, even if the function that sent it crashed.
        post.mails.sent(this_mail, "", iso(clock()))
        return 0
    if stored is None:
        logger.info("a code is no longer valid and is not mailed", extra={"mail_id": this_mail})
        post.mails.give_up(this_mail, DEAD, iso(clock()))
        return 0
    settings = post.policies.get(stored.store_id).mail
    contact = stored.contact
    mail = Mail(
        mail_id=this_mail,
        kind=CODE_MAIL,
        to=contact.email.strip(),
        language=language(contact, settings),
        about=order_id,
        store_id=stored.store_id,
        detail_type="GuestCode",
        detail={"order_id": order_id, "store_id": stored.store_id},
    )
    link = f"{page_url}#order_id={quote(order_id, safe='')}&code={code}" if page_url else ""
    minutes = int(CODE_LIFE.total_seconds()) // 60
    name = salutation(contact.name)
    facts: Facts = {"order_id": order_id, "name": name, "code": code, "code_link": link, "minutes": minutes}
    return deliver(post, mail, settings, facts, deadline, clock)


def _order(post: Post, kept: Code, message: Mapping[str, Any], now: datetime) -> StoredOrder | None:
    """The order that this code is for; None if the code or the order has been replaced."""
    if kept.code_id != message["code_id"] or not kept.is_open(now):
        return None
    proof, key = stretched(message["code"], kept.salt)
    if not hmac.compare_digest(proof, kept.proof):
        return None
    return post.orders.of_caller(kept.order_id, Guest(kept.order_id, kept.placed_at, kept.address, key))
