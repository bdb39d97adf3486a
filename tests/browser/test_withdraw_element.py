"""<withdraw-contract> by itself: the words of the law, languages, what it weighs, and whom it gives the token."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from local.gateway.pages import WEB
from tests.browser.visit import Visits
from tests.browser.withdrawal import ANYONES, CUSTOMERS, PLAIN, Withdrawal, accept
from tests.support.machine import ROOT
from tests.support.shop import Shop

COMPONENT = WEB / "withdraw-contract"
# As the Official Journal and the member states have them, exactly.
LABELS = json.loads((Path(__file__).parent / "withdrawal_labels.json").read_text(encoding="utf-8"))
# The languages that all of it is in.
WHOLE = ("da", "de", "en", "es", "fi", "fr", "it", "nl", "pl", "sv")


def words_of(language: str) -> dict[str, str]:
    text = (COMPONENT / "lang" / f"{language}.js").read_text(encoding="utf-8")
    return dict(re.findall(r'^  (\w+): "(.*)",$', text, re.MULTILINE))


@pytest.fixture
def withdrawal(visits: Visits) -> Withdrawal:
    return Withdrawal(visits.anonymous())


# ------------------------------------------------------------------ the words


def test_there_is_a_file_for_each_language_of_the_union() -> None:
    assert len(LABELS) == 24
    assert {file.stem for file in (COMPONENT / "lang").iterdir()} == set(LABELS)


@pytest.mark.parametrize("language", LABELS)
def test_the_two_labels_are_those_of_the_law_to_the_letter(language: str) -> None:
    words = words_of(language)
    assert words["withdraw"] == LABELS[language]["function"]
    assert words["confirm"] == LABELS[language]["confirmation"]


@pytest.mark.parametrize("language", WHOLE)
def test_ten_languages_say_the_same_things(language: str) -> None:
    text = (COMPONENT / "lang" / f"{language}.js").read_text(encoding="utf-8")
    words, english = words_of(language), words_of("en")
    assert list(words) == list(english)
    assert len(words) == len(text.splitlines()) - 3
    for key, value in words.items():
        assert set(re.findall(r"\{\w+\}", value)) == set(re.findall(r"\{\w+\}", english[key])), key
    if language != "en":
        same = {key for key, value in words.items() if value == english[key]}
        assert same <= {"of_order", "store_id", "message", "item", "copy"}, same


def test_both_labels_are_shown_in_every_language_and_alone_on_the_confirming_button(withdrawal: Withdrawal) -> None:
    """One page goes through them all: what is on the button is its name, and has nothing beside it."""
    withdrawal.bare(PLAIN)
    expect(withdrawal.part("button")).to_have_text("Withdraw from contract here")
    withdrawal.review()
    for language, words in LABELS.items():
        withdrawal.page.evaluate("(lang) => { document.querySelector('withdraw-contract').lang = lang; }", language)
        expect(withdrawal.confirm).to_have_accessible_name(words["confirmation"])
        expect(withdrawal.confirm).to_have_attribute("lang", language)
        assert withdrawal.confirm.evaluate("button => button.innerHTML") == words["confirmation"]
        assert withdrawal.confirm.evaluate("button => button.getAttributeNames().sort()") == [
            *("class", "lang", "part", "type"),
        ]
        for kind in ("before", "after"):
            content = withdrawal.confirm.evaluate(f"button => getComputedStyle(button, '::{kind}').content")
            assert content in ("none", "normal")
        # The rest is in the same language, or in English and says so.
        place = withdrawal.part("place")
        expect(place).to_have_attribute("lang", language if language in WHOLE else "en")
        expect(withdrawal.heading).to_have_text(words_of(language if language in WHOLE else "en")["review"])
    withdrawal.page.evaluate("document.querySelector('withdraw-contract').lang = 'en'")
    expect(withdrawal.heading).to_have_text("Check what will be sent")
    withdrawal.part("back").click()
    withdrawal.part("back").click()
    for language, words in LABELS.items():
        withdrawal.page.evaluate("(lang) => { document.querySelector('withdraw-contract').lang = lang; }", language)
        expect(withdrawal.part("button")).to_have_text(words["function"])
        expect(withdrawal.part("button")).to_have_accessible_name(words["function"])
        expect(withdrawal.part("button")).to_have_attribute("lang", language)


@pytest.mark.parametrize(
    ("lang", "words"),
    [("de-AT", "Vertrag widerrufen"), ("nb", "Withdraw from contract here"), ("en_US", None), ("constructor", None)],
)
def test_a_region_is_its_language_and_what_is_not_of_the_union_is_english(
    visits: Visits, lang: str, words: str | None
) -> None:
    withdrawal = Withdrawal(visits.anonymous())
    withdrawal.bare(PLAIN, lang=lang)
    expect(withdrawal.part("button")).to_have_text(words or "Withdraw from contract here")


def test_a_site_adds_a_language(withdrawal: Withdrawal) -> None:
    script = """
        import { WithdrawContract } from "/withdraw-contract/withdraw-contract.js";
        import english from "/withdraw-contract/lang/en.js";
        WithdrawContract.languages.nb = async () => ({default: {...english, withdraw: "Gå fra avtalen her"}});
        document.querySelector("main").append(document.createElement("withdraw-contract"));
    """
    withdrawal.bare("", script, lang="nb")
    expect(withdrawal.part("button")).to_have_text("Gå fra avtalen her")


@pytest.mark.parametrize("language", WHOLE)
def test_it_fits_a_narrow_phone_in_each_language(visits: Visits, language: str) -> None:
    visit = visits.anonymous(viewport={"width": 320, "height": 640}, lang=language)
    withdrawal = Withdrawal(visit)
    withdrawal.page.route(ANYONES, accept)
    withdrawal.bare('<withdraw-contract store-id="eu"></withdraw-contract>', lang=language)

    def fits(step: str) -> None:
        assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), step
        withdrawal.look(f"withdraw-{step}-{language}")

    words = words_of(language)
    withdrawal.part("button").click()
    expect(withdrawal.heading).to_have_text(words["title"])
    withdrawal.element.get_by_label(words["part"]).check()
    withdrawal.proceed_by_part()
    expect(withdrawal.part("error").nth(0)).to_have_text(words["bad_name"])
    fits("wrong")
    for field, value in {"name": "Åsa", "email": "asa@example.com", "order": "W" * 255, "item": "Ö" * 200}.items():
        withdrawal.part(field).fill(value)
    withdrawal.proceed_by_part()
    expect(withdrawal.heading).to_have_text(words["review"])
    fits("review")
    withdrawal.confirm.click()
    expect(withdrawal.heading).to_have_text(words["done"])
    fits("receipt")


# ------------------------------------------------------------------ what it weighs


def test_it_is_small_and_needs_nothing() -> None:
    script = (COMPONENT / "withdraw-contract.js").read_text(encoding="utf-8")
    assert set(re.findall(r"import\(([^)]+)\)", script)) == {"`./lang/${lang}.js`", '"./cs.js"'}
    assert not re.search(r"^\s*import\b(?!\()", script, re.MULTILINE)
    for language in LABELS:
        files = [f"{language}.js"] if language in WHOLE else [f"{language}.js", "en.js"]
        words = sum(len(gzip.compress((COMPONENT / "lang" / file).read_bytes())) for file in files)
        assert len(gzip.compress(script.encode())) + words <= 10_000, language


# ------------------------------------------------------------------ whom it gives the token

TOKEN = """
    import { WithdrawContract } from "/withdraw-contract/withdraw-contract.js";
    WithdrawContract.getToken = () => "the-token";
"""
ELSEWHERE = "https://elsewhere.example"


def heard(withdrawal: Withdrawal) -> list[str | None]:
    """What somebody else's server is sent, as the `Authorization` of each request. It accepts all."""
    got: list[str | None] = []
    cors = {"access-control-allow-origin": "*", "access-control-allow-headers": "*"}

    def listen(route: object) -> None:
        got.append(route.request.headers.get("authorization"))  # type: ignore[attr-defined]  # playwright's Route
        route.fulfill(status=404, json={}, headers=cors)  # type: ignore[attr-defined]  # see above

    withdrawal.page.route(f"{ELSEWHERE}/**", listen)
    return got


@pytest.mark.parametrize(
    "markup",
    [
        f'<withdraw-contract api="{ELSEWHERE}" order-id="1"></withdraw-contract>',
        f'<base href="{ELSEWHERE}/"><withdraw-contract api="{ELSEWHERE}" order-id="1"></withdraw-contract>',
    ],
)
def test_markup_alone_sends_the_token_nowhere(visits: Visits, markup: str) -> None:
    withdrawal = Withdrawal(visits.anonymous(bypass_csp=True))
    got = heard(withdrawal)
    withdrawal.bare(markup, TOKEN)
    # It is a form for anyone, about this order.
    withdrawal.open()
    expect(withdrawal.order_field).to_have_value("1")
    withdrawal.part("name").fill("Anna")
    withdrawal.part("email").fill("anna@example.com")
    withdrawal.proceed()
    withdrawal.at("review")
    withdrawal.confirm.click()
    withdrawal.failure("INTERNAL_ERROR", "Something went wrong at our end.")
    assert got
    assert set(got) == {None}


def test_the_api_that_a_script_names_comes_before_any_markup(visits: Visits, shop: Shop) -> None:
    withdrawal = Withdrawal(visits.anonymous(bypass_csp=True))
    got = heard(withdrawal)
    markup = f'<base href="{ELSEWHERE}/"><withdraw-contract api="{ELSEWHERE}" order-id="1"></withdraw-contract>'
    withdrawal.page.route("**/orders/1", lambda route: route.fulfill(json={"order_id": "1", "items": []}))
    withdrawal.page.route(CUSTOMERS, accept)
    withdrawal.bare(markup, f'{TOKEN} WithdrawContract.api = "{shop.endpoint}";')
    withdrawal.open()
    withdrawal.proceed()
    withdrawal.at("review")
    withdrawal.confirm.click()
    withdrawal.at("receipt")
    assert withdrawal.sent[0][0] == "/orders/1/withdrawal"
    assert withdrawal.tokens == ["Bearer the-token"]
    assert got == []


# ------------------------------------------------------------------ on a shop's own site


def test_two_lines_on_a_site_of_ones_own(host: tuple[Path, str], visits: Visits, shop: Shop) -> None:
    """The lines of docs/storefront.md, under the policy that it names, against the API at another origin."""
    folder, address = host
    shop.configure(withdrawal={"enabled": True})
    shutil.copytree(COMPONENT, folder / "withdraw-contract")
    guide = (ROOT / "docs" / "storefront.md").read_text(encoding="utf-8")
    (markup,) = re.findall(r"<!-- tested: withdrawal -->\n```html\n(.*?)```", guide, re.DOTALL)
    (policy,) = re.findall(r"`(script-src 'self';[^`]*)`", guide)
    policy = f"default-src 'none'; {policy}; trusted-types 'none'; require-trusted-types-for 'script'"
    page = f'<meta http-equiv="Content-Security-Policy" content="{policy}"><title>Shop</title><h1>Shop</h1>{markup}'
    page = page.replace("https://api.example.com", shop.endpoint).replace('"default"', f'"{shop.store_id}"')
    (folder / "index.html").write_text(f'<!doctype html><html lang="de-AT">{page}', encoding="utf-8")
    withdrawal = Withdrawal(visits.anonymous())
    withdrawal.page.goto(f"{address}/index.html")
    withdrawal.part("button").click()
    for field, value in {"name": "Åsa", "email": "asa@example.com", "order": "4711"}.items():
        withdrawal.part(field).fill(value)
    withdrawal.proceed_by_part()
    expect(withdrawal.confirm).to_have_text("Widerruf bestätigen")
    withdrawal.confirm.click()
    expect(withdrawal.heading).to_have_text("Ihr Widerruf ist eingegangen")
    shown = withdrawal.pairs(withdrawal.part("view"))
    item: Any = shop.aws.withdrawals.get_item(Key={"withdrawal_id": shown["Widerrufsnummer"], "part": "statement"})
    assert item["Item"]["store_id"] == shop.store_id
    assert item["Item"]["statement"] | {"store_id": ""} == {
        "name": "Åsa",
        "email": "asa@example.com",
        "order": "4711",
        "store_id": "",
        "language": "de-AT",
    }
    with withdrawal.page.expect_download():
        withdrawal.part("save").click()


@pytest.mark.parametrize("lang", ["de-DE-u-co-phonebk", "x-klingon", "sr-Latn-RS"])
def test_a_page_in_any_language_can_send_a_statement(visits: Visits, shop: Shop, lang: str) -> None:
    shop.configure(withdrawal={"enabled": True})
    withdrawal = Withdrawal(visits.anonymous())
    withdrawal.bare(f'<withdraw-contract store-id="{shop.store_id}"></withdraw-contract>', lang=lang)
    withdrawal.part("button").click()
    for field, value in {"name": "Åsa", "email": "asa@example.com", "order": "4711"}.items():
        withdrawal.part(field).fill(value)
    withdrawal.proceed_by_part()
    withdrawal.confirm.click()
    expect(withdrawal.part("save")).to_be_visible()
