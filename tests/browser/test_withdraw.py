"""The withdrawal function, step by step: what is asked, what is shown, and what is sent."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.test_cancel import problem
from tests.browser.visit import Visits
from tests.browser.withdrawal import ANYONES, EMAIL, FUNCTION, NAME, ORDER, Withdrawal, taking


@pytest.fixture
def withdrawal(visits: Visits) -> Withdrawal:
    return taking(visits.anonymous())


# ------------------------------------------------------------------ the steps


def test_the_whole_of_it(withdrawal: Withdrawal) -> None:
    expect(withdrawal.part("button")).to_have_text(FUNCTION)
    withdrawal.look("withdraw-button")
    withdrawal.open()
    withdrawal.look("withdraw-form")
    withdrawal.fill()
    withdrawal.proceed()
    withdrawal.at("review")
    shown = {
        "Your name": NAME,
        "Your e-mail address": EMAIL,
        "Order or contract number": ORDER,
        "What you withdraw from": "The whole order",
        "Language": "English",
    }
    assert withdrawal.pairs(withdrawal.part("statement")) == shown
    expect(withdrawal.part("statement")).to_contain_text(f"I withdraw from the contract on order {ORDER}.")
    withdrawal.look("withdraw-review")
    # Nothing has left so far.
    assert withdrawal.sent == []
    withdrawal.page.evaluate("addEventListener('withdrawalreceived', (event) => { window.told = event.detail; })")
    withdrawal.confirm.click()
    withdrawal.at("receipt")
    withdrawal.look("withdraw-receipt")
    ((path, key, body),) = withdrawal.sent
    assert path == "/withdrawals"
    assert re.fullmatch(r"[0-9a-f-]{36}", key)
    assert body == {"name": NAME, "email": EMAIL, "order": ORDER, "language": "en"}
    assert withdrawal.tokens == [None]
    told = withdrawal.page.evaluate("told")
    assert told["statement"] == body
    receipt = withdrawal.pairs(withdrawal.part("view"))
    assert receipt["Withdrawal number"] == told["withdrawal_id"]
    assert receipt["Receipt (SHA-256)"] == told["receipt"]
    assert receipt["Acknowledgement sent to"] == "a•••@example.com"
    assert receipt["Received"] == "November 26, 2026 at 9:15:30 PM GMT+1"
    assert shown.items() <= receipt.items()


def test_only_name_address_and_order_are_asked_for_and_the_rest_says_that_it_is_optional(
    withdrawal: Withdrawal,
) -> None:
    withdrawal.open()
    required = withdrawal.element.locator(":is(input, textarea)[required]")
    assert [one.get_attribute("part") for one in required.all()] == ["name", "email", "order"]
    for words in ("What you withdraw from", "Message to the shop"):
        expect(withdrawal.element.get_by_text(f"{words} (optional)")).to_be_visible()
    expect(withdrawal.element.get_by_label("The whole order")).to_be_checked()
    expect(withdrawal.part("view")).to_contain_text("You need not give a reason.")
    # No list of reasons, and nothing to agree to.
    assert withdrawal.element.locator("select, input[type=checkbox]").count() == 0


def test_a_part_is_named_in_the_consumers_own_words(withdrawal: Withdrawal) -> None:
    withdrawal.open()
    withdrawal.fill()
    withdrawal.element.get_by_label("Only a part of it").check()
    withdrawal.proceed()
    items = withdrawal.element.get_by_label("Item")
    expect(items).to_be_focused()
    expect(items).to_have_accessible_description("Name at least one item. A quantity is a number above 0.")
    withdrawal.look("withdraw-form-no-item")
    items.fill("Kettle")
    expect(items).not_to_have_attribute("aria-invalid", "true")
    withdrawal.element.get_by_label("Quantity").fill("1,5")
    withdrawal.element.get_by_role("button", name="Add an item").click()
    expect(items.nth(1)).to_be_focused()
    items.nth(1).fill("Cup")
    withdrawal.element.get_by_role("button", name="Add an item").click()
    items.nth(2).fill("Spoon")
    withdrawal.look("withdraw-form-part")
    withdrawal.element.get_by_role("button", name="Remove: 3").click()
    expect(items.nth(1)).to_be_focused()
    withdrawal.element.get_by_label("Message to the shop").fill("  Where do I send it?\nThank you ")
    withdrawal.proceed()
    withdrawal.at("review")
    shown = withdrawal.pairs(withdrawal.part("statement"))
    assert shown["What you withdraw from"] == "1.5 \N{MULTIPLICATION SIGN} Kettle\nCup"
    assert shown["Message to the shop"] == "Where do I send it?\nThank you"
    withdrawal.look("withdraw-review-part")
    withdrawal.confirm.click()
    withdrawal.at("receipt")
    withdrawal.look("withdraw-receipt-part")
    body = withdrawal.sent[0][2]
    assert body["items"] == [{"item": "Kettle", "qty": 1.5}, {"item": "Cup"}]
    assert body["message"] == "Where do I send it?\nThank you"


def test_the_receipt_is_kept_as_a_text_file_or_by_copying(visits: Visits, tmp_path: Path) -> None:
    visit = visits.anonymous(permissions=["clipboard-read", "clipboard-write"], accept_downloads=True)
    withdrawal = taking(visit)
    withdrawal.review()
    withdrawal.confirm.click()
    withdrawal.at("receipt")
    with withdrawal.page.expect_download() as saving:
        withdrawal.element.get_by_role("button", name="Save as a text file").click()
    saving.value.save_as(tmp_path / "receipt.txt")
    written = (tmp_path / "receipt.txt").read_text(encoding="utf-8")
    id_ = withdrawal.pairs(withdrawal.part("view"))["Withdrawal number"]
    assert saving.value.suggested_filename == f"{id_}.txt"
    for words in (
        f"Withdrawal number: {id_}",
        "UTC: 2026-11-26T20:15:30.123Z",
        f"Your name: {NAME}",
        f"Order or contract number: {ORDER}",
        "Receipt (SHA-256): 9f86d081",
    ):
        assert words in written
    withdrawal.element.get_by_role("button", name="Copy").click()
    expect(withdrawal.part("status")).to_have_text("Copied.")
    assert withdrawal.page.evaluate("navigator.clipboard.readText()") == written


def test_another_contract_begins_with_an_empty_order_and_has_a_key_of_its_own(withdrawal: Withdrawal) -> None:
    withdrawal.review()
    withdrawal.confirm.click()
    withdrawal.at("receipt")
    withdrawal.element.get_by_role("button", name="Withdraw from another contract").click()
    withdrawal.at("form")
    expect(withdrawal.part("name")).to_have_value(NAME)
    expect(withdrawal.order_field).to_have_value("")
    withdrawal.order_field.fill("A-1002")
    withdrawal.proceed()
    withdrawal.confirm.click()
    withdrawal.at("receipt")
    (_, first, _), (_, second, _) = withdrawal.sent
    assert first != second


def test_by_keyboard_alone(withdrawal: Withdrawal) -> None:
    press, write = withdrawal.page.keyboard.press, withdrawal.page.keyboard.type
    expect(withdrawal.part("button")).to_be_visible()
    press("Tab")
    expect(withdrawal.part("button")).to_be_focused()
    press("Enter")
    withdrawal.at("form")
    for words in (NAME, EMAIL, ORDER):
        press("Tab")
        write(words)
    press("Tab")
    expect(withdrawal.element.get_by_label("The whole order")).to_be_focused()
    press("ArrowDown")
    press("Tab")
    write("Kettle")
    withdrawal.look("withdraw-keyboard")
    press("Enter")
    withdrawal.at("review")
    press("Tab")
    expect(withdrawal.part("back")).to_be_focused()
    press("Tab")
    expect(withdrawal.confirm).to_be_focused()
    press("Enter")
    withdrawal.at("receipt")
    assert withdrawal.sent[0][2]["items"] == [{"item": "Kettle"}]


def test_back_leads_to_what_was_typed_and_to_the_button(withdrawal: Withdrawal) -> None:
    withdrawal.review()
    withdrawal.part("back").click()
    withdrawal.at("form")
    expect(withdrawal.part("email")).to_have_value(EMAIL)
    withdrawal.part("back").click()
    expect(withdrawal.part("button")).to_be_focused()
    withdrawal.open()
    expect(withdrawal.part("email")).to_have_value(EMAIL)
    assert withdrawal.sent == []


# ------------------------------------------------------------------ what is wrong in the form

BAD_EMAIL = "Enter one e-mail address, such as anna@example.com."


def test_empty_fields_are_told_each_and_the_first_has_the_focus(withdrawal: Withdrawal) -> None:
    withdrawal.open()
    withdrawal.proceed()
    expect(withdrawal.part("name")).to_be_focused()
    for key, words in {
        "name": "Enter your name, at most 200 characters.",
        "email": f"The acknowledgement of receipt is sent here. {BAD_EMAIL}",
    }.items():
        expect(withdrawal.part(key)).to_have_attribute("aria-invalid", "true")
        expect(withdrawal.part(key)).to_have_accessible_description(words)
    expect(withdrawal.order_field).to_have_attribute("aria-invalid", "true")
    withdrawal.look("withdraw-form-empty")
    withdrawal.part("name").fill(NAME)
    expect(withdrawal.part("name")).not_to_have_attribute("aria-invalid", "true")
    withdrawal.proceed()
    expect(withdrawal.part("email")).to_be_focused()
    expect(withdrawal.part("name")).to_have_value(NAME)


@pytest.mark.parametrize(
    "email",
    [
        "anna",
        "@example.com",
        "anna@",
        "a@b@c",
        "an na@example.com",
        "a@b.c, d@e.f",
        "Anna <a@b.c>",
        "a(b)@c.d",
        "a{b@c.d",
    ],
)
def test_an_address_that_is_none_is_told_at_once(withdrawal: Withdrawal, email: str) -> None:
    withdrawal.open()
    withdrawal.fill(email=email)
    withdrawal.proceed()
    expect(withdrawal.part("email")).to_be_focused()
    expect(withdrawal.part("email")).to_have_value(email)


@pytest.mark.parametrize("email", ["a@b", "  anna@example.com ", "ånna@exämple.com", "'o.b+x@example.co.uk"])
def test_any_address_that_the_api_takes_is_taken(withdrawal: Withdrawal, email: str) -> None:
    withdrawal.review(email=email)
    withdrawal.confirm.click()
    withdrawal.at("receipt")
    assert withdrawal.sent[0][2]["email"] == email.strip()


@pytest.mark.parametrize("pointer", ["#/email", "/email"])
def test_what_the_api_refuses_is_shown_at_its_field(withdrawal: Withdrawal, pointer: str) -> None:
    refusal = problem(422, "INVALID_REQUEST", errors=[{"pointer": pointer, "message": "is no address"}])
    withdrawal.page.route(ANYONES, lambda route: route.fulfill(**refusal), times=1)
    withdrawal.review()
    withdrawal.confirm.click()
    expect(withdrawal.part("email")).to_be_focused()
    expect(withdrawal.part("email")).to_have_value(EMAIL)
    expect(withdrawal.part("email")).to_have_accessible_description(re.compile(BAD_EMAIL))
    expect(withdrawal.part("name")).to_have_value(NAME)
    withdrawal.part("email").fill("anna@example.org")
    withdrawal.proceed()
    withdrawal.at("review")
    withdrawal.confirm.click()
    withdrawal.at("receipt")
    (_, first, _), (_, second, _) = withdrawal.sent
    assert first != second


def test_items_that_the_api_refuses_are_shown_there(withdrawal: Withdrawal) -> None:
    refusal = problem(422, "INVALID_REQUEST", errors=[{"pointer": "#/items/0/qty", "message": "too many"}])
    withdrawal.page.route(ANYONES, lambda route: route.fulfill(**refusal), times=1)
    withdrawal.open()
    withdrawal.fill()
    withdrawal.element.get_by_label("Only a part of it").check()
    withdrawal.part("item").fill("Kettle")
    withdrawal.proceed()
    withdrawal.confirm.click()
    expect(withdrawal.part("item")).to_be_focused()
    expect(withdrawal.part("item")).to_have_value("Kettle")
