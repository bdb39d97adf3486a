"""Which mails report a request to the shop and its decision, and what they say."""

from __future__ import annotations

from typing import Any

from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.domain.addresses import Contact
from cancel_core.domain.events import Event, canceled
from cancel_core.domain.mail_facts import request_facts
from cancel_core.domain.mail_settings import MailSettings, read_mail
from cancel_core.domain.mails import Mail, mails_of
from cancel_core.domain.money import Money
from cancel_core.domain.request_events import declined, requested
from cancel_core.domain.request_row import AskedAbout

from tests.support.mails import MAIL
from tests.support.orders import asked, decided, document, paid

ANNA = Contact("anna@example.com", "Anna", "sv")
SETTINGS = read_mail(MAIL)
ASKED = asked(paid())
ABOUT = AskedAbout("o1", "2026-11-20T10:00:00Z", "default", "c1", "SEK")
NOTICE = ("request_received_notice", "orders@example.com")


def event_of(order: StoredOrder) -> Event:
    assert order.request
    if order.cancellation:
        return canceled(order.state, order.cancellation)
    return (requested if order.request.is_open else declined)(ABOUT, order.request)


def mails(order: StoredOrder, settings: MailSettings = SETTINGS, contact: Contact = ANNA, **more: Any) -> list[Mail]:
    event = event_of(order)
    assert order.request
    approved = order.request.request_id if order.request.status == "approved" else None
    return mails_of(event.detail_type, event.detail | more, settings, contact, approved)


def kinds(order: StoredOrder, settings: MailSettings = SETTINGS, contact: Contact = ANNA) -> list[tuple[str, str]]:
    return [(mail.kind, mail.to) for mail in mails(order, settings, contact)]


def facts(order: StoredOrder) -> dict[str, Any]:
    return request_facts(event_of(order).detail, order.request, ANNA)


def test_a_request_is_told_to_the_shop_and_its_decision_to_the_customer() -> None:
    assert kinds(ASKED) == [NOTICE]
    assert kinds(decided(ASKED, "declined", None)) == [("request_decided", "anna@example.com")]
    assert kinds(decided(ASKED, "lapsed", None)) == [("request_decided", "anna@example.com")]
    assert kinds(decided(ASKED, "approved", None)) == [
        ("request_decided", "anna@example.com"),
        ("order_canceled", "anna@example.com"),
        ("order_canceled_notice", "orders@example.com"),
    ]


def test_nobody_is_told_who_is_not_to_be() -> None:
    nobody = Contact("", "", "")
    shop_alone = read_mail({**MAIL, "customer": False})
    assert kinds(ASKED, read_mail({**MAIL, "merchant": []})) == []
    for settings, contact in ((shop_alone, ANNA), (SETTINGS, nobody)):
        assert kinds(ASKED, settings, contact) == [NOTICE]
        assert kinds(decided(ASKED, "declined", None), settings, contact) == []
        assert [kind for kind, _ in kinds(decided(ASKED, "approved", None), settings, contact)] == [
            "order_canceled_notice"
        ]


def test_it_is_the_same_mail_when_its_event_comes_again() -> None:
    refusal = decided(ASKED, "declined", "No.")
    assert [mail.mail_id for mail in mails(refusal)] == [mail.mail_id for mail in mails(refusal)]
    moved = ANNA._replace(email="moved@example.com")
    later = mails(refusal, contact=moved, occurred_at="2027-01-01T00:00:00Z")
    assert later[0].mail_id == mails(refusal)[0].mail_id
    two = read_mail({**MAIL, "merchant": ["a@example.com", "b@example.com"]})
    louder = read_mail({**MAIL, "merchant": ["A@example.com", "B@example.com"]})
    assert [mail.mail_id for mail in mails(ASKED, two)] == [mail.mail_id for mail in mails(ASKED, louder)]
    assert len({mail.mail_id for mail in mails(ASKED, two)}) == 2


def test_another_request_about_the_same_order_is_told_as_well() -> None:
    (first,), (second,) = mails(ASKED), mails(ASKED, request_id="req_another")
    assert first.mail_id != second.mail_id


def test_what_is_kept_is_enough_to_send_it_again_and_tells_of_nobody() -> None:
    for order in (ASKED, decided(ASKED, "lapsed", "Gladly."), decided(ASKED, "approved", "Gladly.")):
        for mail in mails(order):
            assert not {"customer_id", "note", "comment"} & mail.detail.keys()
            assert order.request
            approved = order.request.request_id
            again = mails_of(mail.detail_type, mail.detail, SETTINGS, ANNA, approved)
            assert mail.mail_id in {one.mail_id for one in again}
    (mail,) = mails(decided(ASKED, "lapsed", None))
    assert mail.detail["status"] == "lapsed"


def test_the_shop_is_told_what_is_asked_and_what_a_cancel_would_owe() -> None:
    told = facts(ASKED)
    assert ASKED.request
    assert told["request_id"] == ASKED.request.request_id
    assert (told["reason"], told["reason_code"]) == ("Other", "other")
    assert told["request_comment"] == ["Bought two by mistake"]
    assert told["owed"] == Money(10000, "SEK")
    assert facts(asked(document()))["owed"] is None


def test_the_decision_is_told_as_the_order_has_it() -> None:
    told = facts(decided(ASKED, "declined", "It is packed.\nSorry."))
    assert (told["request_status"], told["note"]) == ("declined", ["It is packed.", "Sorry."])
    assert facts(decided(ASKED, "lapsed", None))["note"] == []


def test_a_request_that_is_gone_from_its_order_is_told_by_its_event() -> None:
    told = request_facts(event_of(ASKED).detail, None, Contact("", "", ""))
    assert ASKED.request
    assert (told["request_id"], told["reason"], told["request_comment"]) == (ASKED.request.request_id, "other", [])
    assert told["requested_on"] == facts(ASKED)["requested_on"]
    refusal = decided(ASKED, "lapsed", "Gladly.")
    told = request_facts(event_of(refusal).detail, None, Contact("", "", ""))
    assert (told["request_status"], told["note"]) == ("lapsed", [])
