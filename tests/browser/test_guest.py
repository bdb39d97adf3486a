"""Find your order, as a guest: from the code in the mail to the refund, and whatever may go wrong on the way."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.guest import GUEST, KEPT, SENT, Guest
from tests.browser.visit import ACCOUNT, Visits
from tests.support.shop import Shop
from tests.support.waiting import wait_until

ENDED = "Your access to the order has ended. Ask for a new code to go on."
WRONG = "This code is wrong, or no longer valid. Check what you entered, or ask for a new code."


def make(visits: Visits, shop: Shop, **options: Any) -> Guest:
    return Guest(visits.anonymous(**options), shop, f"guest-{uuid4().hex[:8]}@example.com")


@pytest.fixture
def guest(visits: Visits, shop: Shop) -> Guest:
    return make(visits, shop)


# ------------------------------------------------------------------ the whole of it


def test_a_guest_finds_the_order_cancels_it_and_sees_the_money_come_back(guest: Guest) -> None:
    order_id = guest.order()
    guest.visit.go(ACCOUNT)
    guest.page.get_by_role("main").get_by_role("link", name="Find your order").click()
    expect(guest.page.locator("h1")).to_have_text("Find your order")
    guest.visit.look("guest-find")
    guest.page.get_by_label("Order number").fill(f"  {order_id} ")
    guest.page.get_by_label("E-mail address").fill(guest.email.upper())
    guest.page.keyboard.press("Enter")
    expect(guest.page.get_by_text(SENT)).to_be_visible()
    expect(guest.page.locator("h1")).to_be_focused()
    guest.visit.look("guest-code")
    code = guest.code()
    guest.show(code)
    expect(guest.page.locator("h1")).to_have_text(f"Order {order_id}")
    expect(guest.page.locator("h1")).to_be_focused()
    guest.visit.look("guest-order")
    guest.visit.cancel(order_id)
    guest.visit.done(order_id)
    expect(guest.visit.dialog).to_contain_text("Refund approved: SEK\xa0200.00. The shop will transfer it to you.")
    guest.visit.look("guest-done")
    guest.visit.close()
    expect(guest.page.get_by_role("region", name="Cancellation")).to_contain_text("I no longer need it")
    expect(guest.visit.button).to_have_count(0)
    ((key, body),) = guest.visit.cancels
    assert key
    assert body == {"reason": "no_longer_needed"}
    # It stays when the page is loaded again.
    guest.page.reload()
    expect(guest.visit.status).to_have_text(
        "Cancelled. Refund approved: SEK\xa0200.00. The shop will transfer it to you."
    )
    # The token is in this tab, and nothing is anywhere else.
    kept = guest.kept()
    token = json.loads(kept["session"].pop(KEPT))["token"]
    left_behind = json.dumps([kept, guest.addresses(), guest.page.evaluate("document.cookie")])
    for secret in (token, code, guest.email, order_id):
        assert secret not in left_behind
    assert guest.asked == ["/guest-access", "/guest-access/token"]


def test_another_tab_and_who_comes_after_see_nothing(guest: Guest, visits: Visits) -> None:
    order_id = guest.order()
    guest.open(order_id)
    other = visits.another_tab(guest.visit)
    other.go(GUEST)
    expect(other.page.locator("h1")).to_have_text("Find your order")
    guest.page.bring_to_front()
    guest.page.get_by_role("button", name="Leave this order").click()
    expect(guest.page.locator("h1")).to_have_text("Find your order")
    expect(guest.page.locator("h1")).to_be_focused()
    expect(guest.page.get_by_text("You have left the order.")).to_be_visible()
    guest.visit.look("guest-left")
    expect(guest.page.get_by_label("Order number")).to_have_value("")
    expect(guest.page.get_by_label("E-mail address")).to_have_value("")
    assert order_id not in guest.page.content()
    assert guest.kept() == {"session": {}, "local": {}}
    guest.page.reload()
    expect(guest.page.locator("h1")).to_have_text("Find your order")
    assert order_id not in guest.page.content()


# ------------------------------------------------------------------ the link in the mail


def test_a_link_fills_in_and_does_nothing_until_the_button_is_pressed(guest: Guest, visits: Visits) -> None:
    order_id = guest.order()
    guest.ask(order_id)
    code = guest.code()
    assert guest.link(order_id, code) in guest.mail()["text"]
    # As a browser opens it from elsewhere, and as it follows it where the page is open already.
    fresh = Guest(visits.another_tab(guest.visit), guest.shop, guest.email)
    fresh.visit.go(guest.link(order_id, code))
    guest.page.goto(guest.shop.endpoint + guest.link(order_id, code))
    for one in (fresh, guest):
        expect(one.page.get_by_text("The link has filled in your code.")).to_be_visible()
        expect(one.page.get_by_label("Order number")).to_have_value(order_id)
        expect(one.field).to_have_value(code)
        one.page.wait_for_load_state("networkidle")
        assert all(address.endswith(("/guest.html", "blank")) for address in one.addresses())
        assert one.kept() == {"session": {}, "local": {}}
    assert (fresh.asked, guest.asked) == ([], ["/guest-access"])
    fresh.visit.look("guest-link")
    fresh.page.get_by_role("button", name="Show my order").click()
    expect(fresh.page.locator("h1")).to_have_text(f"Order {order_id}")
    # The code was for one use.
    guest.page.get_by_role("button", name="Show my order").click()
    expect(guest.page.get_by_role("alert").filter(has_text=WRONG)).to_be_visible()
    guest.page.get_by_role("button", name="Ask for a new code").click()
    expect(guest.page.get_by_label("Order number")).to_have_value(order_id)


def test_a_code_of_elsewhere_can_be_typed_with_its_number(guest: Guest) -> None:
    order_id = guest.order()
    guest.ask(order_id)
    code = guest.code()
    guest.page.reload()
    guest.page.get_by_role("button", name="Enter the code").click()
    guest.page.get_by_label("Order number").fill(order_id)
    guest.show(code)
    expect(guest.page.locator("h1")).to_have_text(f"Order {order_id}")


# ------------------------------------------------------------------ codes


@pytest.mark.parametrize("written", ["{0} {1}", "{0}-{1}", "\t{0}\u2009\u2013\u2009{1}\n", "{0}\xa0{1}"])
def test_a_pasted_code_may_have_blanks_and_hyphens(guest: Guest, written: str) -> None:
    order_id = guest.order()
    guest.ask(order_id)
    expect(guest.field).to_have_attribute("inputmode", "numeric")
    expect(guest.field).to_have_attribute("autocomplete", "one-time-code")
    code = guest.code()
    guest.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    guest.page.evaluate("(text) => navigator.clipboard.writeText(text)", written.format(code[:3], code[3:]))
    guest.field.focus()
    guest.page.keyboard.press("ControlOrMeta+V")
    assert guest.asked == ["/guest-access"]
    guest.page.keyboard.press("Enter")
    expect(guest.page.locator("h1")).to_have_text(f"Order {order_id}")


def test_a_wrong_code_says_what_to_do_and_a_new_one_works(guest: Guest) -> None:
    order_id = guest.order()
    guest.ask(order_id)
    first = guest.code()
    guest.show("12345")
    alert = guest.page.get_by_role("alert")
    expect(alert.filter(has_text="Enter the six digits of the code.")).to_be_visible()
    assert guest.asked == ["/guest-access"]
    guest.show(f"{(int(first) + 1) % 1_000_000:06}")
    expect(alert.filter(has_text=WRONG)).to_be_visible()
    expect(guest.field).to_have_attribute("aria-invalid", "true")
    expect(guest.field).to_have_accessible_description(f"Six digits, from the mail. {WRONG}")
    expect(guest.field).to_be_focused()
    guest.visit.look("guest-wrong-code")
    guest.page.get_by_role("button", name="Send a new code").click()
    expect(guest.page.get_by_role("status").filter(has_text="a new code is on its way")).to_be_visible()
    expect(guest.field).not_to_have_attribute("aria-invalid", "true")
    guest.visit.look("guest-sent-again")
    second = guest.code(2)
    guest.show(second)
    expect(guest.page.locator("h1")).to_have_text(f"Order {order_id}")


def test_a_fourth_wish_for_a_code_is_answered_as_the_first(guest: Guest) -> None:
    guest.ask(guest.order())
    again = guest.page.get_by_role("button", name="Send a new code")
    for number in range(2, 5):
        with guest.page.expect_response("**/guest-access") as answer:
            again.click()
        assert (answer.value.status, answer.value.json()) == (202, {"expires_in": 900})
        expect(guest.page.get_by_role("status").filter(has_text="a new code is on its way")).to_be_visible()
        assert guest.asked == ["/guest-access"] * number
    expect(guest.page.get_by_text("We send at most three codes an hour.")).to_be_visible()


def test_nothing_tells_whether_there_is_such_an_order(guest: Guest) -> None:
    order_id = guest.order()
    for number, address in ((order_id, "other@example.com"), ("no-such-order", guest.email)):
        guest.ask(number, address)
        expect(guest.page.get_by_text(SENT)).to_be_visible()
        expect(guest.page.get_by_text("Look in your spam folder")).to_be_visible()
        guest.show("123456")
        expect(guest.page.get_by_role("alert").filter(has_text=WRONG)).to_be_visible()
        guest.page.get_by_role("button", name="Change number or address").click()
        expect(guest.page.get_by_label("Order number")).to_have_value(number)
        expect(guest.page.get_by_label("E-mail address")).to_have_value(address)
    assert guest.mails() == []


# ------------------------------------------------------------------ the end of the half hour


def end(guest: Guest) -> None:
    """The token no longer counts."""
    ended = "sessionStorage[key] = JSON.stringify({...JSON.parse(sessionStorage[key]), token: 'ended'})"
    guest.page.evaluate(f"(key) => {{ {ended} }}", KEPT)


def test_a_token_that_has_ended_leads_back_to_the_form(guest: Guest) -> None:
    order_id = guest.order()
    guest.open(order_id)
    end(guest)
    guest.page.reload()
    expect(guest.page.get_by_text(ENDED)).to_be_visible()
    guest.visit.look("guest-ended")
    assert guest.kept()["session"] == {}


def test_a_cancel_after_it_has_ended_says_so_and_asks_for_a_new_code(guest: Guest) -> None:
    order_id = guest.order()
    guest.open(order_id)
    guest.visit.open(order_id)
    guest.visit.choose()
    end(guest)
    guest.visit.confirm.click()
    guest.visit.refusal("SIGNED_OUT", "Your access to this order has ended. Ask for a new code to go on.")
    guest.visit.look("guest-refused-ended")
    guest.visit.dialog.get_by_role("button", name="Ask for a new code").click()
    expect(guest.page.get_by_text(ENDED)).to_be_visible()
    expect(guest.page.locator("h1")).to_be_focused()
    # What was asked for before stands there: one press, and a code comes.
    guest.page.get_by_role("button", name="Send me a code").click()
    guest.show(guest.code(2))
    expect(guest.visit.button_of(order_id)).to_be_visible()


def test_an_order_left_open_is_taken_off_the_screen(guest: Guest) -> None:
    guest.page.clock.install()
    order_id = guest.order()
    guest.open(order_id)
    # It still counts, whatever the clock of this device says.
    guest.page.clock.fast_forward("31:00")
    expect(guest.visit.button_of(order_id)).to_be_visible()
    # A dialog is left alone: it tells by itself.
    guest.visit.open(order_id)
    end(guest)
    guest.page.clock.fast_forward("05:00")
    expect(guest.visit.dialog.get_by_role("radiogroup")).to_be_visible()
    guest.visit.dialog.get_by_role("button", name="Keep the order").click()
    guest.page.clock.fast_forward("02:00")
    expect(guest.page.get_by_text(ENDED)).to_be_visible()
    assert order_id not in guest.page.locator("h1").inner_text()


# ------------------------------------------------------------------ as the README has it


def test_a_new_user_follows_the_link_in_the_demo_guests_mail(visits: Visits, shop: Shop) -> None:
    visit = visits.anonymous()
    visit.go("/")
    visit.page.get_by_role("navigation").get_by_role("link", name="Find your order").click()
    visit.page.get_by_label("Order number").fill("demo-guest-paid")
    visit.page.get_by_label("E-mail address").fill("guest@example.com")
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_text(SENT)).to_be_visible()
    mails = visits.another_tab(visit)
    link = mails.page.frame_locator("iframe").get_by_role("link").filter(visible=True).first

    def is_there() -> bool:
        mails.page.goto(f"{shop.endpoint}/local/mails/")
        return mails.page.get_by_text("demo-guest-paid").count() > 0

    wait_until(is_there, what="the demo guest's mail comes")
    with mails.page.context.expect_page() as opened:
        link.click()
    page = opened.value
    page.get_by_role("button", name="Show my order").click()
    expect(page.locator("h1")).to_have_text("Order demo-guest-paid")
    expect(page).to_have_url(f"{shop.endpoint}/guest.html")
    page.get_by_role("button", name="Cancel order demo-guest-paid").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("I no longer need it").check()
    dialog.get_by_role("button", name="Cancel the order").click()
    expect(dialog).to_contain_text("Refund approved: €37.80. The shop will transfer it to you.")
