"""Which mails an event triggers, their recipients, and the ids that make a repeated event send no second mail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cancel_core.domain.addresses import Contact, is_address
from cancel_core.domain.ids import mail_id
from cancel_core.domain.mail_settings import DEFAULT_LANGUAGE, MailSettings, language_of

Kind = Literal[
    "order_canceled",
    "order_refunded",
    "order_canceled_notice",
    "refund_failed_notice",
    "request_received_notice",
    "request_decided",
    "withdrawal_receipt",
    "withdrawal_notice",
    "guest_code",
]
CODE_MAIL: Kind = "guest_code"
"""The kind of mail that has no event and is never sent again, because its row does not contain the code."""
Status = Literal["sending", "waiting", "sent", "failed"]
"""`sending`: a function is sending it, or crashed while sending. `waiting`: will be retried. `failed`: will not."""

DECISION: Kind = "request_decided"
"""Notifies the customer of the result of a request to the shop."""
TO_THE_CUSTOMER: Mapping[str, Kind] = {
    "OrderCanceled": "order_canceled",
    "OrderRefunded": "order_refunded",
    "CancellationDeclined": DECISION,
}
TO_THE_SHOP: Mapping[str, Kind] = {
    "OrderCanceled": "order_canceled_notice",
    "OrderRefundFailed": "refund_failed_notice",
    "CancellationRequested": "request_received_notice",
}
KEPT = (
    "schema_version",
    "order_id",
    "store_id",
    "cancellation_id",
    "request_id",
    "status",
    "reason",
    "refund",
    "surplus",
    "occurred_at",
)
"""The fields of an event's detail that are stored with a mail, so that it can be sent again. No personal data."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one recipient, before its row is written. `about` is the order's id; `language` a BCP 47 tag."""

    mail_id: str
    kind: Kind
    to: str
    language: str
    about: str
    store_id: str
    detail_type: str
    detail: Mapping[str, Any]

    @property
    def has_address(self) -> bool:
        return is_address(self.to)


def mails_of(
    detail_type: str, detail: Mapping[str, Any], settings: MailSettings, contact: Contact, approved: str | None = None
) -> list[Mail]:
    """The mails about an event, under a store's settings. `contact` is the order's; without an address there is no mail
    to the customer. `approved`: the approved request to the shop that led to the cancel, if there was one.

    A cancellation is mailed once, and so are its refund, a request to the shop and its decision, however often the
    event is delivered. A refund may fail each time it is retried: each failure is mailed.
    """
    return list(_mails_of(detail_type, detail, settings, contact, approved))


def _mails_of(
    detail_type: str, detail: Mapping[str, Any], settings: MailSettings, contact: Contact, approved: str | None
) -> Iterator[Mail]:
    told = detail["request_id"] if is_of_request(detail) else detail["cancellation_id"]

    def mail(kind: Kind, to: str, language: str, *occasion: str) -> Mail:
        kept = {name: detail[name] for name in KEPT if name in detail}
        made = mail_id(kind, *occasion)
        return Mail(made, kind, to, language, detail["order_id"], detail["store_id"], detail_type, kept)

    if settings.customer and contact.email and (kind := TO_THE_CUSTOMER.get(detail_type)):
        # Without the address: a customer who changes it while a mail is being sent gets no second one.
        if approved and detail_type == "OrderCanceled":
            yield mail(DECISION, contact.email.strip(), language(contact, settings), approved)
        yield mail(kind, contact.email.strip(), language(contact, settings), told)
    if kind := TO_THE_SHOP.get(detail_type):
        occasion = (detail["occurred_at"],) if detail_type == "OrderRefundFailed" else ()
        for address in settings.merchant:
            yield mail(kind, address, settings.language, told, *occasion, address.lower())


def is_of_request(detail: Mapping[str, Any]) -> bool:
    """Whether an event is about a request to the shop, not a cancellation."""
    return "request_id" in detail


def language(contact: Contact, settings: MailSettings) -> str:
    """The order's language if mails exist in it, else the store's."""
    return contact.language.strip() if language_of(contact.language) else settings.language or DEFAULT_LANGUAGE
