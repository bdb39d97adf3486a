"""The mails about a withdrawal: the receipt, which is always sent, and the notice to the shop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from cancel_core.domain.addresses import lines, one_line, salutation
from cancel_core.domain.ids import mail_id
from cancel_core.domain.mail_settings import DEFAULT_LANGUAGE, MailSettings, language_of
from cancel_core.domain.mails import Kind, Mail
from cancel_core.domain.times import moment

if TYPE_CHECKING:
    from cancel_core.domain.mail_facts import Facts
    from cancel_core.domain.withdrawal import Statement

WITHDRAWAL_RECEIVED = "WithdrawalReceived"
RECEIPT: Kind = "withdrawal_receipt"
NOTICE: Kind = "withdrawal_notice"
KEPT = ("schema_version", "withdrawal_id", "order_id", "store_id", "match", "in_time", "received_at", "occurred_at")
"""The fields of the event's detail that are stored with a mail, so that it can be sent again."""
REFUND_DAYS = 14
"""Directive 2011/83/EU, Article 13(1): counted from the day on which the shop is notified."""


class LocalTime(NamedTuple):
    """A local time: date, time and the zone's name."""

    moment: datetime
    zone: str


class Told(NamedTuple):
    """The data of the mails: the statement, and its other parts in plain values; empty if there is none yet."""

    statement: Statement
    outcome: Mapping[str, Any]
    cancel: Mapping[str, Any]


def receipt_mail_id(withdrawal_id: str) -> str:
    return mail_id(RECEIPT, withdrawal_id)


def withdrawal_mails(detail: Mapping[str, Any], told: Told, settings: MailSettings) -> Iterator[Mail]:
    """The receipt, and a notice for each address of the shop: always the same ones for an event."""
    withdrawal_id = detail["withdrawal_id"]
    about = detail.get("order_id") or withdrawal_id
    store = settings.language or DEFAULT_LANGUAGE
    said = told.statement.statement
    tags = (told.outcome.get("language"), said.get("language"))
    language = next((str(tag).strip() for tag in tags if language_of(tag)), store)
    kept = {name: detail[name] for name in KEPT if name in detail}
    yield Mail(
        receipt_mail_id(withdrawal_id),
        RECEIPT,
        said["email"],
        language,
        about,
        detail["store_id"],
        WITHDRAWAL_RECEIVED,
        kept,
    )
    for address in settings.merchant:
        made = mail_id(NOTICE, withdrawal_id, address.lower())
        yield Mail(made, NOTICE, address, store, about, detail["store_id"], WITHDRAWAL_RECEIVED, kept)


def withdrawal_facts(told: Told, zone: str, guest_url: str) -> Facts:
    """The data of both mails. `zone`: the store's. `guest_url`: where the guest finds the order; may be ""."""
    statement, outcome = told.statement, told.outcome
    said = statement.statement
    received = moment(statement.received_at)
    order_id = outcome.get("order_id")
    offer = outcome.get("offer")
    return {
        "withdrawal_id": statement.withdrawal_id,
        "receipt": statement.receipt,
        "reference": order_id or statement.withdrawal_id,
        "order_id": order_id,
        "name": salutation(said.get("name")),
        "said": {
            "name": one_line(said.get("name")),
            "email": one_line(said["email"]),
            "order": one_line(said["order"]),
            "items": [
                {"name": one_line(item["item"]), "qty": Decimal(str(item["qty"])) if "qty" in item else None}
                for item in said.get("items") or ()
            ],
            "message": lines(said.get("message")),
        },
        "received": LocalTime(received, zone) if received else statement.received_at,
        "due": _day(received, zone) + timedelta(days=REFUND_DAYS) if received else None,
        "match": outcome.get("match", "none"),
        "time": _time(outcome),
        "until": date.fromisoformat(until) if (until := outcome.get("until")) else None,
        "exempt": [{"name": item["name"], "letter": item["letter"]} for item in outcome.get("exempt_items") or ()],
        "business": bool(outcome.get("business")),
        "canceled": bool(told.cancel.get("order_canceled")),
        "offer": None if offer == "code" and not guest_url else offer,
        "guest_url": guest_url,
    }


def _time(outcome: Mapping[str, Any]) -> str | None:
    """Only for a matched order: without one there is no start date."""
    if outcome.get("match", "none") == "none":
        return None
    in_time = outcome.get("in_time")
    if in_time is None or not outcome.get("until"):
        return "unknown"
    return "in_time" if in_time else "late"


def _day(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()
