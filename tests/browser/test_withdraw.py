"""The withdrawal function, step by step: what is asked, what is sent, and what becomes of it on a bad day."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.test_cancel import problem
from tests.browser.visit import Visit, Visits
from tests.browser.withdrawal import ANYONES, CONFIRMATION, EMAIL, FUNCTION, NAME, ORDER, Withdrawal, accept

PLAIN = "<withdraw-contract></withdraw-contract>"
QUICK = "const real = setTimeout; window.setTimeout = (f, ms) => real(f, Math.min(ms, 20));"


@pytest.fixture
def visit(visits: Visits) -> Visit:
    """Nobody is signed in."""
    return visits.anonymous()


@pytest.fixture
def withdrawal(visit: Visit) -> Withdrawal:
    """The element on a bare page, whose API takes every statement."""
    made = Withdrawal(visit)
    made.page.route(ANYONES, accept)
    made.bare(PLAIN)
    return made


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
    withdrawal = Withdrawal(visit)
    withdrawal.page.route(ANYONES, accept)
    withdrawal.bare(PLAIN)
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
    expect(withdrawal.part("order")).to_have_value("")
    withdrawal.part("order").fill("A-1002")
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
    expect(withdrawal.part("order")).to_have_attribute("aria-invalid", "true")
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


# ------------------------------------------------------------------ a bad day


def test_a_double_click_sends_once(withdrawal: Withdrawal) -> None:
    withdrawal.review()
    withdrawal.confirm.dblclick()
    withdrawal.at("receipt")
    assert len(withdrawal.sent) == 1


def test_while_it_is_sent_the_words_on_the_button_stay(withdrawal: Withdrawal) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    withdrawal.page.route(ANYONES, hold)
    withdrawal.review()
    withdrawal.confirm.click()
    expect(withdrawal.part("status")).to_have_text("One moment …")
    expect(withdrawal.confirm).to_have_attribute("aria-disabled", "true")
    expect(withdrawal.confirm).to_have_accessible_name(CONFIRMATION)
    expect(withdrawal.confirm).to_be_focused()
    withdrawal.look("withdraw-sending")
    withdrawal.part("back").click(force=True)
    expect(withdrawal.confirm).to_be_visible()
    accept(held[0])
    withdrawal.at("receipt")
    assert len(withdrawal.sent) == 1


def test_a_lost_answer_is_repeated_with_the_same_key(withdrawal: Withdrawal) -> None:
    withdrawal.page.route(ANYONES, lambda route: route.abort("connectionreset"), times=1)
    withdrawal.page.route(ANYONES, lambda route: route.fulfill(status=201, body='{"withdrawal_id": '), times=1)
    withdrawal.review()
    withdrawal.confirm.click()
    withdrawal.at("receipt")
    assert len(withdrawal.sent) == 3
    assert withdrawal.sent[0] == withdrawal.sent[1] == withdrawal.sent[2]


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (problem(503, "SERVICE_UNAVAILABLE"), "SERVICE_UNAVAILABLE", "The shop is not answering right now."),
        ({"status": 429, "body": '{"message": "Too Many Requests"}'}, "SERVICE_UNAVAILABLE", "not answering"),
        ({"status": 502, "body": "<h1>Bad Gateway</h1>"}, "SERVICE_UNAVAILABLE", "not answering"),
        (problem(500, "INTERNAL_ERROR"), "INTERNAL_ERROR", "Reference for our customer service: req-4711"),
        ({"status": 404, "body": '{"message": "Not Found"}'}, "INTERNAL_ERROR", "Something went wrong"),
        (problem(409, "WITHDRAWAL_DISABLED"), "WITHDRAWAL_DISABLED", "Please write to the shop."),
        (
            problem(422, "INVALID_REQUEST", errors=[{"pointer": "#/store_id"}]),
            "INVALID_REQUEST",
            "Something went wrong",
        ),
    ],
)
def test_what_was_typed_outlives_every_refusal_and_the_next_press_repeats_it(
    visit: Visit, answer: dict[str, Any], code: str, words: str
) -> None:
    visit.page.add_init_script(QUICK)
    withdrawal = Withdrawal(visit)
    withdrawal.page.route(ANYONES, lambda route: route.fulfill(**answer))
    withdrawal.bare(PLAIN)
    withdrawal.page.evaluate("addEventListener('withdrawalrefused', (event) => { window.told = event.detail; })")
    withdrawal.review()
    withdrawal.confirm.click()
    withdrawal.failure(code, "")
    expect(withdrawal.part("message")).to_contain_text(words)
    expect(withdrawal.part("message")).to_have_attribute("role", "alert")
    expect(withdrawal.confirm).to_be_focused()
    assert withdrawal.page.evaluate("told") == {"code": code}
    withdrawal.look(f"withdraw-refused-{code.lower().replace('_', '-')}")
    withdrawal.part("back").click()
    expect(withdrawal.part("order")).to_have_value(ORDER)
    withdrawal.proceed()
    withdrawal.page.route(ANYONES, accept)
    withdrawal.confirm.click()
    withdrawal.at("receipt")
    assert len(set(map(json.dumps, withdrawal.sent))) == 1


def test_offline_and_on_again_with_the_same_key(withdrawal: Withdrawal) -> None:
    withdrawal.review()
    withdrawal.page.unroute(ANYONES)
    withdrawal.page.context.set_offline(True)
    withdrawal.confirm.click()
    withdrawal.failure("OFFLINE", "You are offline. Nothing you entered is lost.")
    withdrawal.look("withdraw-offline")
    withdrawal.page.context.set_offline(False)
    withdrawal.page.route(ANYONES, accept)
    withdrawal.confirm.click()
    withdrawal.at("receipt")
    assert len({key for _, key, _ in withdrawal.sent}) == 1


def test_a_changed_statement_has_a_new_key_and_one_changed_back_its_old(visit: Visit) -> None:
    visit.page.add_init_script(QUICK)
    withdrawal = Withdrawal(visit)
    withdrawal.page.route(ANYONES, lambda route: route.fulfill(status=500, body="{}"))
    withdrawal.bare(PLAIN)
    withdrawal.review()
    for order in ("A-1002", ORDER):
        withdrawal.confirm.click()
        withdrawal.failure("INTERNAL_ERROR", "Something went wrong")
        withdrawal.part("back").click()
        withdrawal.part("order").fill(order)
        withdrawal.proceed()
    withdrawal.page.route(ANYONES, accept)
    withdrawal.confirm.click()
    withdrawal.at("receipt")
    first, second, third = withdrawal.sent
    assert first[1] != second[1]
    assert first == third


def test_a_key_that_was_used_for_something_else_is_given_up(withdrawal: Withdrawal) -> None:
    refusal = problem(422, "IDEMPOTENCY_KEY_REUSED")
    withdrawal.page.route(ANYONES, lambda route: route.fulfill(**refusal), times=1)
    withdrawal.review()
    withdrawal.confirm.click()
    withdrawal.failure("IDEMPOTENCY_KEY_REUSED", "Something went wrong")
    withdrawal.confirm.click()
    withdrawal.at("receipt")
    (_, first, _), (_, second, _) = withdrawal.sent
    assert first != second


def test_what_was_typed_is_text_and_nothing_else(withdrawal: Withdrawal) -> None:
    evil = "<img src=x onerror=alert(1)>"
    withdrawal.page.on("dialog", lambda dialog: withdrawal.visit.complaints.append(f"a script ran: {dialog.message}"))
    withdrawal.review(name=evil, order=evil)
    expect(withdrawal.part("statement")).to_contain_text(f"on order {evil}.")
    withdrawal.confirm.click()
    withdrawal.at("receipt")
    assert withdrawal.element.locator("img").count() == 0
