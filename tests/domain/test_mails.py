"""Which mails there are, what they tell, and what of the config they hang on."""

from __future__ import annotations

from typing import Any

import pytest
from cancel_core.domain.addresses import Contact, belongs_to_identity, is_address, salutation
from cancel_core.domain.events import Event, transitions
from cancel_core.domain.mail_facts import Facts, has_something_to_tell, order_facts
from cancel_core.domain.mail_settings import NO_MAIL, MailSettings, language_of, mail_note, read_mail
from cancel_core.domain.mails import mails_of
from cancel_core.domain.money import Money
from cancel_core.domain.policy import judge, read_policy
from cancel_core.domain.setting_values import SettingFault

from tests.support.mails import MAIL
from tests.support.orders import AT, LATER, canceled, document, item, paid, payment, refunded, stored
from tests.support.schemas import fault, published_schema

ANNA = Contact("anna@example.com", "Anna", "sv")
SETTINGS = read_mail(MAIL)
IDENTITY = "arn:aws:ses:eu-north-1:123456789012:identity/example.com"


def events(source: dict[str, Any], failing: tuple[str, ...] = ()) -> list[Event]:
    before, after = stored(source), canceled(source)
    ended = refunded(after, failing) if after.order.cancellation and after.order.cancellation.refund else after
    return [*transitions(before.state, after.state, AT), *transitions(after.state, ended.state, LATER)]


def kinds(event: Event, settings: MailSettings = SETTINGS, contact: Contact = ANNA) -> list[tuple[str, str]]:
    return [(mail.kind, mail.to) for mail in mails_of(event.detail_type, event.detail, settings, contact)]


# --------------------------------------------------------------------------------------------------------- which mails


def test_a_cancel_and_its_refund_are_told_to_customer_and_shop() -> None:
    cancel, refund = events(paid())
    shop = ("order_canceled_notice", "orders@example.com")
    assert kinds(cancel) == [("order_canceled", "anna@example.com"), shop]
    assert kinds(refund) == [("order_refunded", "anna@example.com")]


def test_a_failed_refund_is_told_to_the_shop_alone() -> None:
    _, failed = events(paid(), ("p1",))
    assert failed.detail_type == "OrderRefundFailed"
    assert kinds(failed) == [("refund_failed_notice", "orders@example.com")]


def test_nobody_is_written_to_who_is_not_to_be() -> None:
    cancel, _ = events(paid())
    assert kinds(cancel, NO_MAIL) == []
    assert kinds(cancel, read_mail({**MAIL, "customer": False})) == [("order_canceled_notice", "orders@example.com")]
    assert kinds(cancel, read_mail({**MAIL, "merchant": []})) == [("order_canceled", "anna@example.com")]
    assert kinds(cancel, contact=Contact("", "Anna", "sv")) == [("order_canceled_notice", "orders@example.com")]


def test_a_mail_is_the_same_mail_when_its_event_comes_again() -> None:
    cancel, refund = events(paid())
    moved = ANNA._replace(email="moved@example.com")

    def ids(event: Event, contact: Contact = ANNA) -> list[str]:
        return [mail.mail_id for mail in mails_of(event.detail_type, event.detail, SETTINGS, contact)]

    assert ids(cancel) == ids(cancel)
    assert ids(cancel) == ids(cancel, moved), "an address that was changed meanwhile makes no second mail"
    assert len({*ids(cancel), *ids(refund)}) == 3
    booked_again = refund._replace(detail=refund.detail | {"occurred_at": "2026-11-23T10:00:00Z"})
    assert ids(booked_again) == ids(refund)


def test_each_failure_of_a_refund_is_an_occasion_of_its_own() -> None:
    _, failed = events(paid(), ("p1",))
    again = failed._replace(detail=failed.detail | {"occurred_at": "2026-11-23T10:00:00Z"})
    first, second = (mails_of(one.detail_type, one.detail, SETTINGS, ANNA) for one in (failed, again))
    assert first[0].mail_id != second[0].mail_id


def test_each_of_the_shops_addresses_gets_a_mail_of_its_own() -> None:
    cancel, _ = events(paid())
    settings = read_mail({**MAIL, "merchant": ["a@example.com", "b@example.com", "A@example.com"]})
    notices = [mail for mail in mails_of(cancel.detail_type, cancel.detail, settings, ANNA) if "notice" in mail.kind]
    assert sorted(mail.to.lower() for mail in notices) == ["a@example.com", "b@example.com"]
    assert len({mail.mail_id for mail in notices}) == 2


def test_the_language_is_the_orders_where_there_are_mails_in_it_else_the_stores() -> None:
    cancel, _ = events(paid())
    settings = read_mail({**MAIL, "language": "de"})

    def languages(tag: str) -> list[str]:
        return [m.language for m in mails_of(cancel.detail_type, cancel.detail, settings, Contact("a@b.c", "", tag))]

    assert languages("sv") == ["sv", "de"]
    assert languages("de-AT") == ["de-AT", "de"]
    assert languages("ja") == ["de", "de"]
    assert languages("") == ["de", "de"]


def test_what_is_kept_of_an_event_tells_of_nobody() -> None:
    cancel, _ = events(paid())
    (mail, _) = mails_of(cancel.detail_type, cancel.detail, SETTINGS, ANNA)
    assert "customer_id" not in mail.detail
    assert "items" not in mail.detail
    again = mails_of(mail.detail_type, mail.detail, SETTINGS, ANNA)
    assert again[0].mail_id == mail.mail_id, "what is kept is enough to send it again"


# ------------------------------------------------------------------------------------------------------ what they tell


def told(source: dict[str, Any], failing: tuple[str, ...] = ()) -> Facts:
    after = canceled(source)
    cancellation = after.order.cancellation
    ended = refunded(after, failing) if cancellation and cancellation.refund else after
    *_, event = events(source, failing)
    return order_facts(event.detail, ended.order, ended.order.cancellation, ANNA)


def test_a_refund_tells_what_it_is_made_up_of() -> None:
    source = paid(
        items=[item("a", invoiced=1, amount=10000)],
        shipping={"amount": 500, "amount_invoiced": 500},
        fees=[{"fee_id": "f", "name": "Gift wrap", "amount": 300, "amount_invoiced": 300}],
        payments=[payment(captured=10800)],
    )
    facts = told(source)
    assert facts["paid_back"] == Money(10800, "SEK")
    assert [(line["name"] or line["label"], line["amount"].amount) for line in facts["charges"]] == [
        ("Thing a", 10000),
        ("shipping", 500),
        ("Gift wrap", 300),
    ]


def test_an_authorization_that_is_released_is_told_as_that() -> None:
    facts = told(document(payments=[payment(authorized=10000)]))
    assert (facts["paid_back"], facts["released"]) == (None, Money(10000, "SEK"))
    assert has_something_to_tell("order_refunded", facts)


def test_a_refund_that_the_shop_had_made_itself_is_no_news() -> None:
    nothing = told(document()) | {"paid_back": None, "released": None}
    assert not has_something_to_tell("order_refunded", nothing)
    assert has_something_to_tell("order_canceled", nothing)


def test_the_shop_is_told_what_it_has_to_pay_back_itself_and_what_is_too_much() -> None:
    facts = told(paid(payments=[payment(captured=12000)]))
    assert (facts["by_hand"], facts["surplus"]) == (Money(10000, "SEK"), Money(2000, "SEK"))
    assert (facts["reason"], facts["reason_code"]) == ("Other", "other")
    assert facts["comment"] == "Bought two by mistake"


def test_an_order_that_is_gone_is_told_by_its_event() -> None:
    _, failed = events(paid(), ("p1",))
    facts = order_facts(failed.detail, None, None, Contact("", "", ""))
    assert (facts["order_id"], facts["paid_back"], facts["items"]) == ("o1", Money(10000, "SEK"), [])


# ------------------------------------------------------------------------------------------------------------ addresses


@pytest.mark.parametrize(
    "text", ["a@b", "anna.andersson+shop@mail.example.com", "é@exämple.se", "a" * 242 + "@example.com"]
)
def test_these_are_addresses(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "@b", "a@", "a@b@c", "a b@c", "a@b,c@d", "<a@b>", "a@b\n", "a@b\x00", "a[1]@b", "a(b)@c", "a{b}@c"),
        *("a" * 243 + "@example.com", None, 7),
    ],
)
def test_these_are_none(text: object) -> None:
    assert not is_address(text)


def test_a_domains_identity_sends_from_all_below_it_and_an_addresss_from_itself() -> None:
    assert belongs_to_identity("shop@example.com", IDENTITY)
    assert belongs_to_identity("shop@Mail.Example.com", IDENTITY)
    assert not belongs_to_identity("shop@notexample.com", IDENTITY)
    address = "arn:aws:ses:eu-north-1:123456789012:identity/shop@example.com"
    assert belongs_to_identity("Shop@example.com", address)
    assert not belongs_to_identity("other@example.com", address)


@pytest.mark.parametrize("name", ["https://evil.example", "www.evil.example", "a@b.c", "<b>Anna</b>", "x" * 101, 7, ""])
def test_what_a_mail_program_would_make_a_link_of_is_no_name(name: object) -> None:
    assert salutation(name) == ""


def test_a_name_is_one_line() -> None:
    assert salutation(" Anna\r\n Maria  Ödegård-Søren ") == "Anna Maria Ödegård-Søren"


@pytest.mark.parametrize(("tag", "language"), [("sv", "sv"), ("SV-se", "sv"), ("pt_BR", None), ("", None), (7, None)])
def test_a_tag_means_a_language_that_there_are_mails_in_or_none(tag: object, language: str | None) -> None:
    assert language_of(tag) == language


# -------------------------------------------------------------------------------------------------------- the config

GOOD: list[Any] = [
    {},
    MAIL,
    {
        "from": "shop@example.com",
        "customer": "yes",
        "language": "de-CH",
        "support_url": "https://shop.example.com/?a=1",
    },
]
BAD: list[tuple[Any, str]] = [
    ("shop@example.com", "mail is not a Map"),
    ({"form": "shop@example.com"}, "mail has 'form'"),
    ({"from": "shop"}, "mail.from is no e-mail address"),
    ({"reply_to": "a@b, c@d"}, "mail.reply_to is no e-mail address"),
    ({"customer": True}, "mail has no from"),
    ({"customer": 1}, "mail.customer is neither Yes nor No"),
    ({"from": "a@b.c", "merchant": "a@b.c"}, "mail.merchant is not a List"),
    ({"from": "a@b.c", "merchant": ["a@b.c", "nobody"]}, "mail.merchant: entry 2 is no e-mail address"),
    ({"from": "a@b.c", "merchant": [f"{n}@b.c" for n in range(11)]}, "mail.merchant has more than 10 addresses"),
    ({"shop_name": " "}, "mail.shop_name is no name"),
    ({"shop_name": "A\nBcc: b@c.d"}, "mail.shop_name is no name"),
    ({"support_url": "javascript:alert(1)"}, "mail.support_url is no address of a page"),
    ({"language": "ja"}, "mail.language is none that there are mails in"),
    ({"language": 7}, "mail.language is none that there are mails in"),
]


@pytest.mark.parametrize("value", GOOD)
def test_mail_settings_that_are_right(value: Any) -> None:
    document = {"scope": "default", "enabled": False, "mail": value}
    assert judge("default", document).problems == ()
    assert fault(published_schema("config"), document) is None


@pytest.mark.parametrize(("value", "said"), BAD)
def test_what_is_wrong_with_mail_settings_is_said_without_their_values(value: Any, said: str) -> None:
    document = {"scope": "default", "enabled": False, "mail": value}
    (problem,) = judge("default", document).problems
    assert (problem.attribute, problem.fault) == ("mail", said)
    assert "@" not in problem.fault
    assert fault(published_schema("config"), document) is not None
    with pytest.raises(SettingFault):
        read_mail(value)


def test_a_store_inherits_mail_whole() -> None:
    shared = {"scope": "default", "enabled": False, "mail": MAIL}
    assert read_policy("se", shared, {"scope": "store:se"}).mail == SETTINGS
    own = {"scope": "store:se", "mail": {"from": "butik@example.com", "customer": True}}
    assert read_policy("se", shared, own).mail == MailSettings(sender="butik@example.com", customer=True)


def test_without_any_setting_nobody_is_written_to() -> None:
    assert not read_policy("se", None, None).mail.is_on
    assert NO_MAIL.shop == ""


def test_mail_is_written_from_the_domain_where_the_shop_has_no_name() -> None:
    assert read_mail({"from": "shop@example.com"}).shop == "example.com"


def test_an_admin_is_told_where_no_mail_can_leave() -> None:
    assert mail_note({"mail": SETTINGS}, IDENTITY) == ""
    assert "MailIdentityArn is empty" in mail_note({"mail": SETTINGS}, "")
    assert "mail.from is not an address" in mail_note({"mail": SETTINGS}, IDENTITY.replace("example.com", "other.org"))
    assert mail_note({"mail": NO_MAIL}, "") == ""
    assert mail_note({}, "") == ""


def test_an_admin_is_told_where_no_code_can_leave() -> None:
    guests = {"guest_access": True}
    assert mail_note(guests | {"mail": MailSettings(sender="shop@example.com")}, IDENTITY) == ""
    assert mail_note(guests, IDENTITY) == "But guests get no codes: mail has no from."
    assert mail_note(guests, "") == "But guests get no codes: the stack's parameter MailIdentityArn is empty."
    both = mail_note(guests | {"mail": SETTINGS}, "")
    assert both.startswith("But no mail leaves and guests get no codes: ")
    assert mail_note({"guest_access": False}, "") == ""


@pytest.mark.parametrize(
    ("value", "is_on"), [(True, True), ("Yes", True), (" TRUE ", True), (False, False), ("no", False)]
)
def test_guest_access_is_a_word_or_a_truth(value: object, is_on: bool) -> None:
    document = {"scope": "default", "guest_access": value}
    assert read_policy("se", document, None).guest_access is is_on


def test_guest_access_is_inherited_and_off_where_nobody_says() -> None:
    shared = {"scope": "default", "guest_access": True}
    assert read_policy("se", shared, {"scope": "store:se"}).guest_access
    assert not read_policy("se", shared, {"scope": "store:se", "guest_access": False}).guest_access
    assert not read_policy("se", None, None).guest_access


@pytest.mark.parametrize("value", ["on", "", 1, None, [True]])
def test_what_guest_access_is_not(value: object) -> None:
    (problem,) = judge("default", {"scope": "default", "guest_access": value}).problems
    assert (problem.attribute, problem.fault) == ("guest_access", "guest_access is neither Yes nor No")
