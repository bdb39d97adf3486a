"""The mails' texts: complete in ten languages, nothing left out, and nothing of an order but as text."""

from __future__ import annotations

import re
import tomllib
from html.parser import HTMLParser
from typing import Any

import pytest
from babel import Locale
from cancel_core.adapters.mail_templates import LAYOUT, kinds, money
from cancel_core.domain.mail_settings import LANGUAGES
from cancel_core.domain.mails import CODE_MAIL, DECISION, TO_THE_CUSTOMER, TO_THE_SHOP
from cancel_core.domain.money import Money
from cancel_core.domain.withdrawal_mails import NOTICE, RECEIPT
from jinja2 import Environment, meta

from tests.support.mails import FOLDER, TEMPLATES, facts

KINDS = kinds(FOLDER)
OTHERS = [language for language in LANGUAGES if language != "en"]
SHORT = 12
"""Labels of so few letters ("Fees") may well be twice as long elsewhere ("Gebühren")."""
ATTACK = "<img src=x onerror=alert(1)>\"'&{{ 7 * 7 }}"


def strings(folder: str, language: str) -> dict[str, str]:
    return tomllib.loads((FOLDER / folder / f"{language}.toml").read_text("utf-8"))


def variables(text: str) -> set[str]:
    return meta.find_undeclared_variables(Environment(autoescape=True).parse(text))


def test_there_are_texts_for_each_kind_that_is_sent() -> None:
    assert set(KINDS) == {*TO_THE_CUSTOMER.values(), *TO_THE_SHOP.values(), CODE_MAIL, RECEIPT, NOTICE}


@pytest.mark.parametrize("folder", [LAYOUT, *KINDS])
def test_each_kind_is_there_in_each_language_and_in_no_other(folder: str) -> None:
    assert {path.stem for path in (FOLDER / folder).glob("*.toml")} == set(LANGUAGES)


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("folder", [LAYOUT, *KINDS])
def test_a_language_says_what_english_says_with_the_same_variables_and_not_at_twice_the_length(
    folder: str, language: str
) -> None:
    english, other = strings(folder, "en"), strings(folder, language)
    assert list(other) == list(english)
    for key, text in english.items():
        assert variables(other[key]) == variables(text), key
        assert other[key].strip(), key
        assert len(other[key]) < 2 * max(len(text), SHORT), key
        # A text that is the same in both was forgotten, but for a word that both have.
        assert other[key] != text or len(text) <= SHORT, key


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("folder", [LAYOUT, *KINDS])
def test_a_text_is_text_and_names_only_what_mails_tell(folder: str, language: str) -> None:
    for key, text in strings(folder, language).items():
        assert not re.search(r"[<>&\n]", text), key
        assert variables(text) <= facts().keys(), key
        # Whatever else may stand in a template, here it is a value's name and nothing more.
        assert not re.search(r"{%|{#|{{(?! [a-z_]+ }})", text), key


@pytest.mark.parametrize("kind", KINDS)
def test_each_string_is_used(kind: str) -> None:
    used = "".join(path.read_text() for path in [*(FOLDER / kind).glob("*.j2"), *(FOLDER / LAYOUT).glob("*.j2")])
    codes = {"INSUFFICIENT_CAPTURED_AMOUNT", "PROVIDER_DECLINED", "INVALID_ORDER"}
    for key in strings(kind, "en").keys() - codes - {"subject"}:
        assert f't("{key}"' in used, key


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_mail_has_a_subject_a_text_and_html_and_all_values_in_both(kind: str, language: str) -> None:
    mail = TEMPLATES.write(kind, language, facts())
    assert mail.subject
    # A receipt can be sent to any known address, so the subject contains no input.
    assert ("100000007" in mail.subject) == (kind != RECEIPT)
    assert "\n" not in mail.subject
    assert len(mail.subject) <= 78
    html = text_of(mail.html)
    for value in told(kind, language):
        assert value in flat(mail.text), value
        assert value in html, value
    assert f'lang="{language}"' in mail.html
    assert "{{" not in mail.text + mail.html
    assert "None" not in mail.text + mail.html


def told(kind: str, language: str) -> list[str]:
    locale = Locale(language)
    paid_back, released, owed = (flat(money(Money(amount, "EUR"), locale)) for amount in (408000, 5900, 407000))
    match kind:
        case "order_canceled":
            return ["Anna Andersson", paid_back, released, "Blue mug", "100000007", "Corner Shop"]
        case "order_refunded":
            return ["Anna Andersson", paid_back, released, "Gift wrap", "100000007", "Corner Shop"]
        case "order_canceled_notice":
            return ["100000007", paid_back, released, "better price (better_price)", "ordered twice", "Blue mug"]
        case "request_received_notice":
            said = ["100000007", "better price (better_price)", "I ordered twice.", "other one is enough.", owed]
            return [*said, "approved", "note", "req_3d0e2f6b8a714c5d9e0f1a2b3c4d5e6f"]
        case "request_decided":
            return ["Anna Andersson", "100000007", "packed already.", "send it back to us.", "Corner Shop"]
        case "withdrawal_receipt" | "withdrawal_notice":
            said = [
                "Anna Andersson",
                "anna@example.com",
                "#100000007",
                "The mug",
                "BEANS-1",
                "another one.",
                "5f2b" * 16,
            ]
            return [*said, "wdr_0a5bc6ff9a1f0e7d3b6f1f4f2c8e4d21", "(Europe/Stockholm, "]
        case "guest_code":
            return ["Anna Andersson", "012345", "15", "100000007", "guest.html#order_id=100000007&code=012345"]
        case _:
            return ["100000007", paid_back, "ref_78ef9ddedbbefaf5a632d31c2f3206cb"]


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.tags: list[tuple[str, dict[str, Any]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def parsed(html: str) -> _Text:
    parser = _Text()
    parser.feed(html)
    return parser


def text_of(html: str) -> str:
    return flat(" ".join(parsed(html).parts))


# ------------------------------------------------------------------------------------------- what an order may not do


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_an_order_is_html_or_a_template(kind: str) -> None:
    names = (
        *("order_id", "store_id", "name", "reason", "reason_code", "comment", "refund_id", "shop", "reference"),
        "record",
    )
    attacked = facts(**dict.fromkeys(names, ATTACK), items=[{"name": ATTACK, "qty": 1}])
    attacked |= {"request_id": ATTACK, "request_comment": [ATTACK], "note": [ATTACK]}
    attacked["charges"] = [one | {"name": ATTACK} for one in attacked["charges"]]
    attacked["said"] = dict.fromkeys(("name", "email", "order"), ATTACK) | {"message": [ATTACK]}
    attacked["said"]["items"] = [{"name": ATTACK, "qty": None}]
    attacked["exempt"] = [{"name": ATTACK, "letter": "c"}]
    mail = TEMPLATES.write(kind, "en", attacked)
    assert "<img" not in mail.html
    assert "49" not in mail.html
    assert ATTACK in text_of(mail.html) or kind == "refund_failed_notice"
    assert ATTACK in mail.text


@pytest.mark.parametrize("kind", KINDS)
def test_a_mail_loads_nothing_runs_nothing_and_links_to_the_shops_page_alone(kind: str) -> None:
    html = TEMPLATES.write(kind, "en", facts()).html
    tags = parsed(html).tags
    assert not {tag for tag, _ in tags} & {"img", "script", "link", "iframe", "object", "form", "svg", "video"}
    for _, attributes in tags:
        assert attributes.keys().isdisjoint({"src", "background", "srcset", "onclick", "onload", "style"})
        links = {None, "https://shop.example.com/help", facts()["code_link"], facts()["guest_url"]}
        assert attributes.get("href") in links
    assert "url(" not in html
    assert "@import" not in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_codes_mail_has_the_code_in_its_text_and_not_in_its_subject(language: str) -> None:
    """SES tells the subject of a mail that came back on the account's bus, and phones show it on a locked screen."""
    mail = TEMPLATES.write(CODE_MAIL, language, facts())
    assert "012345" not in mail.subject
    assert "\n    012345\n" in mail.text
    without = TEMPLATES.write(CODE_MAIL, language, facts(code_link=""))
    assert "http" not in without.text.replace("https://shop.example.com/help", "")
    assert without.html.count("href=") == 1


def test_a_subject_is_one_line_whatever_it_holds() -> None:
    subject = TEMPLATES.write("order_canceled", "en", facts(order_id="1\r\nBcc: all@example.com")).subject
    assert subject == "Your order 1 Bcc: all@example.com has been cancelled"


def test_what_there_is_none_of_is_not_told() -> None:
    bare = facts(name="", comment=None, reason=None, reason_code=None, items=[], charges=[], support_url="")
    bare |= dict.fromkeys(("paid_back", "released", "by_hand", "surplus", "refund_id", "failure", "time", "offer"))
    bare |= dict.fromkeys(("owed", "request_status")) | {"request_comment": [], "note": []}
    bare |= {"exempt": [], "said": bare["said"] | {"name": "", "items": [], "message": []}}
    for kind in KINDS:
        mail = TEMPLATES.write(kind, "en", bare)
        assert "€" not in mail.text + mail.html
        assert "None" not in mail.text + mail.html
    assert TEMPLATES.write("order_canceled", "en", bare).text.startswith(
        "Hello,\n\nYour order 100000007 was cancelled on"
    )


# --------------------------------------------------------------------------------------------------- money and dates


@pytest.mark.parametrize(
    ("amount", "currency", "tag", "written"),
    [
        (408000, "EUR", "en", "€4,080.00"),
        (408000, "EUR", "de", "4.080,00 €"),
        (408000, "EUR", "fr", "4 080,00 €"),
        (408000, "EUR", "nl", "€ 4.080,00"),
        (408000, "SEK", "sv", "4 080,00 kr"),
        (408000, "PLN", "pl", "4 080,00 zł"),
        (408000, "DKK", "da", "4.080,00 kr."),
        (408000, "EUR", "fi", "4 080,00 €"),
        (4080, "JPY", "en", "¥4,080"),
        (4080, "KWD", "en", "KWD 4.080"),
        # Babel's own digits for it are none; its minor unit is a hundredth.
        (4080, "RSD", "en", "RSD 40.80"),
        (4080, "HUF", "en", "HUF 40.80"),
        (-5, "EUR", "en", "-€0.05"),
        (10**17 + 1, "EUR", "en", "€1,000,000,000,000,000.01"),
    ],
)
def test_money_is_written_as_the_language_writes_it_and_never_rounded(
    amount: int, currency: str, tag: str, written: str
) -> None:
    assert flat(money(Money(amount, currency), Locale(tag))) == written


@pytest.mark.parametrize(
    ("tag", "date"),
    [
        ("en", "November 22, 2026"),
        ("en-GB", "22 November 2026"),
        ("sv-SE", "22 november 2026"),
        ("de_AT", "22. November 2026"),
        ("fi", "22. marraskuuta 2026"),
        ("pl", "22 listopada 2026"),
        ("xx-nonsense", "November 22, 2026"),
        ("sv-XQ", "22 november 2026"),
    ],
)
def test_dates_are_written_as_the_language_and_its_country_write_them(tag: str, date: str) -> None:
    assert date in TEMPLATES.write("order_canceled", tag, facts()).text


# ------------------------------------------------------------------------------------------------- requests to the shop


@pytest.mark.parametrize(
    ("status", "heading", "told"),
    [
        ("approved", "We have agreed to cancel your order", "the order is cancelled"),
        ("declined", "Your order is not being cancelled", "Your order stays as it is"),
        ("lapsed", "Your order can no longer be cancelled", "because it was shipped"),
    ],
)
def test_each_decision_is_told_in_its_own_words(status: str, heading: str, told: str) -> None:
    mail = TEMPLATES.write(DECISION, "en", facts(request_status=status))
    assert f"<h1>{heading}</h1>" in re.sub(r"\s*(</?h1>)\s*", r"\1", mail.html)
    others = {"the order is cancelled", "Your order stays as it is", "because it was shipped"} - {told}
    for form in (mail.text, text_of(mail.html)):
        assert told in form
        assert not [other for other in others if other in form]


def test_each_line_of_a_comment_and_of_a_note_is_marked_as_its_writers() -> None:
    decided = TEMPLATES.write(DECISION, "en", facts())
    assert "Our message to you:\n> It is packed already.\n> You can send it back to us.\n" in decided.text
    assert "It is packed already.\n<br>You can send" in decided.html
    notice = TEMPLATES.write("request_received_notice", "en", facts())
    assert "Comment:\n> I ordered twice.\n>\n> The other one is enough.\nRefund if approved: " in notice.text
    assert "message to you" not in TEMPLATES.write(DECISION, "en", facts(note=[])).text


# ------------------------------------------------------------------------------------------------------- withdrawals


def test_a_receipt_names_the_moment_in_the_stores_zone_and_says_what_it_is_not() -> None:
    text = TEMPLATES.write(RECEIPT, "en", facts()).text
    assert "on November 22, 2026, 11:30:05 PM (Europe/Stockholm, GMT+01:00)." in flat(text)
    assert "It does not decide whether the withdrawal is effective." in text
    german = TEMPLATES.write(RECEIPT, "de-AT", facts()).text
    assert "am 22. November 2026, 23:30:05 (Europe/Stockholm, GMT+01:00) bei uns eingegangen" in german


def test_each_line_of_a_message_is_marked_as_its_writers() -> None:
    text = TEMPLATES.write(RECEIPT, "en", facts()).text
    assert "Message:\n> The colour is another one.\n>\n> Regards, Anna\nReceived: " in text


@pytest.mark.parametrize(
    ("offer", "told", "not_told"),
    [
        ("code", "With a code that we send to this address", "If you sign in"),
        ("sign_in", "If you sign in", "With a code"),
        (None, "Please keep this e-mail", "has not been shipped yet"),
    ],
)
def test_a_receipt_offers_to_cancel_only_what_can_be(offer: str | None, told: str, not_told: str) -> None:
    mail = TEMPLATES.write(RECEIPT, "en", facts(offer=offer))
    for form in (mail.text, text_of(mail.html)):
        assert told in form
        assert not_told not in form


@pytest.mark.parametrize(
    ("more", "told", "not_told"),
    [
        ({"match": "proven"}, "was signed in", "not proven"),
        ({"match": "email"}, "not proven", "was signed in"),
        ({"match": "none", "time": None}, "No order has this number", "withdrawal period"),
        ({"time": "in_time"}, "within the withdrawal period", "came in late"),
        ({"time": "late"}, "came in late", "within the"),
        ({"time": "unknown"}, "not known when", "came in late"),
        ({"canceled": True}, "cancelled automatically", "by December 6, 2026 (14 days)"),
        ({"canceled": False}, "by December 6, 2026 (14 days)", "cancelled automatically"),
        ({"business": False}, "Engraved spoon", "one of a business"),
        ({"exempt": []}, "one of a business", "Marked as excluded"),
    ],
)
def test_a_notice_tells_the_shop_what_was_found_and_what_it_has_to_do(
    more: dict[str, Any], told: str, not_told: str
) -> None:
    mail = TEMPLATES.write(NOTICE, "en", facts(**more))
    for form in (mail.text, text_of(mail.html)):
        assert told in form
        assert not_told not in form
