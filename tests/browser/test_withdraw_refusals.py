"""The withdrawal function on a bad day: a statement that is refused, whose answer is lost, that finds no network."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.test_cancel import problem
from tests.browser.visit import Visits
from tests.browser.withdrawal import ANYONES, CONFIRMATION, ORDER, PLAIN, Withdrawal, accept, taking

QUICK = "const real = setTimeout; window.setTimeout = (f, ms) => real(f, Math.min(ms, 20));"


@pytest.fixture
def withdrawal(visits: Visits) -> Withdrawal:
    return taking(visits.anonymous())


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
    visits: Visits, answer: dict[str, Any], code: str, words: str
) -> None:
    withdrawal = Withdrawal(visits.anonymous())
    withdrawal.page.add_init_script(QUICK)
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
    expect(withdrawal.order_field).to_have_value(ORDER)
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


def test_a_changed_statement_has_a_new_key_and_one_changed_back_its_old(visits: Visits) -> None:
    withdrawal = Withdrawal(visits.anonymous())
    withdrawal.page.add_init_script(QUICK)
    withdrawal.page.route(ANYONES, lambda route: route.fulfill(status=500, body="{}"))
    withdrawal.bare(PLAIN)
    withdrawal.review()
    for order in ("A-1002", ORDER):
        withdrawal.confirm.click()
        withdrawal.failure("INTERNAL_ERROR", "Something went wrong")
        withdrawal.part("back").click()
        withdrawal.order_field.fill(order)
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
