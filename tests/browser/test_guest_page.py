"""Find your order: its words, its faults and its looks, on each screen."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.guest import GUEST, SENT, Guest
from tests.browser.test_guest import make
from tests.browser.visit import ORDERS, Visits
from tests.support.machine import need
from tests.support.shop import Shop
from web.publish import publish

LOOKS: dict[str, dict[str, Any]] = {
    "phone-light": {"phone": True},
    "phone-dark": {"phone": True, "dark": True},
    "desktop-dark": {"dark": True},
    # A screen of 1280 x 1024 at 400 %.
    "zoomed": {"viewport": {"width": 320, "height": 256}},
}


@pytest.fixture
def guest(visits: Visits, shop: Shop) -> Guest:
    return make(visits, shop)


@pytest.mark.parametrize("look", LOOKS)
def test_each_step_on_each_screen(visits: Visits, shop: Shop, look: str) -> None:
    guest = make(visits, shop, **LOOKS[look])

    def seen(step: str) -> None:
        guest.visit.look(f"guest-{step}-{look}")
        assert guest.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), step

    order_id = guest.order()
    guest.visit.go(GUEST)
    seen("find")
    guest.page.get_by_role("button", name="Send me a code").click()
    seen("find-nothing")
    guest.ask(order_id)
    seen("code")
    guest.show("000")
    seen("code-short")
    guest.show(guest.code())
    expect(guest.visit.button).to_have_count(1)
    seen("order")
    guest.visit.cancel(order_id)
    guest.visit.done(order_id)
    expect(guest.visit.dialog).to_contain_text("Refund approved: ")
    guest.visit.close()
    seen("order-after")


def test_all_of_it_in_swedish(visits: Visits, shop: Shop) -> None:
    guest = make(visits, shop, lang="sv-SE", phone=True)
    order_id = guest.order(language="sv")
    guest.visit.go(GUEST)
    expect(guest.page.locator("h1")).to_have_text("Hitta din order")
    guest.page.get_by_label("Ordernummer").fill(order_id)
    guest.page.get_by_label("E-postadress").fill(guest.email)
    guest.visit.look("guest-find-swedish")
    guest.page.keyboard.press("Enter")
    expect(guest.page.get_by_text("Om ordern finns är en kod på väg till dess adress")).to_be_visible()
    guest.page.get_by_label("Kod", exact=True).fill(guest.code())
    guest.visit.look("guest-code-swedish")
    guest.page.keyboard.press("Enter")
    expect(guest.page.get_by_role("button", name=f"Avbeställ order {order_id}")).to_be_visible()
    guest.visit.look("guest-order-swedish")


def test_by_keyboard_alone(guest: Guest) -> None:
    order_id = guest.order()
    guest.visit.go(GUEST)
    press, type_ = guest.page.keyboard.press, guest.page.keyboard.type
    focused = guest.page.locator(":focus")

    def tab_to(name: str) -> None:
        press("Tab")
        expect(focused).to_have_accessible_name(name)

    for name in ("Skip to content", "Example Shop", "Find your order", "Language"):
        tab_to(name)
    tab_to("Order number")
    press("Enter")  # nothing is filled in
    expect(focused).to_have_accessible_description("Enter the order number.")
    type_(order_id)
    expect(focused).to_have_accessible_description("")
    press("Enter")
    expect(focused).to_have_accessible_name("E-mail address")
    expect(focused).to_have_accessible_description("Enter an e-mail address, such as name@example.com.")
    type_(guest.email)
    tab_to("Send me a code")
    press("Space")
    expect(focused).to_have_text("Enter the code")
    tab_to("Code")
    tab_to("Show my order")
    tab_to("Send a new code")
    tab_to("Change number or address")
    for _ in range(3):
        press("Shift+Tab")
    type_(guest.code())
    press("Enter")
    expect(focused).to_have_text(f"Order {order_id}")
    # It comes a moment after the order.
    expect(guest.visit.button_of(order_id)).to_be_visible()
    press("Tab")
    expect(guest.visit.button_of(order_id)).to_be_focused()
    press("Enter")
    expect(guest.visit.dialog.get_by_role("radiogroup")).to_be_visible()
    press("Escape")
    press("Shift+Tab")
    expect(focused).to_have_accessible_name("Leave this order")
    press("Enter")
    expect(focused).to_have_text("Find your order")


@pytest.mark.parametrize("email", ["guest", "guest@", "@example.com", "a b@example.com", "a,b@example.com"])
def test_an_address_that_is_none_is_told_at_its_field(guest: Guest, email: str) -> None:
    guest.visit.go(GUEST)
    guest.page.get_by_label("Order number").fill("1")
    field = guest.page.get_by_label("E-mail address")
    field.fill(email)
    field.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(guest.page.locator("h1")).to_have_text("Find your order")


def test_a_shop_that_does_not_answer_says_so_and_keeps_what_was_typed(guest: Guest) -> None:
    order_id = guest.order()
    down: dict[str, Any] = {"status": 503, "body": '{"message": "Service Unavailable"}'}
    words = "The shop is not answering right now."

    def fail(route: Route) -> None:
        route.fulfill(**down)

    guest.page.route("**/guest-access*", fail)
    guest.visit.go(GUEST)
    guest.page.get_by_label("Order number").fill(order_id)
    guest.page.get_by_label("E-mail address").fill(guest.email)
    guest.page.get_by_role("button", name="Send me a code").click()
    expect(guest.page.get_by_role("alert").filter(has_text=words)).to_be_visible()
    guest.visit.look("guest-down")
    expect(guest.page.get_by_label("Order number")).to_have_value(order_id)
    guest.page.unroute("**/guest-access*")
    guest.page.get_by_role("button", name="Send me a code").click()
    expect(guest.page.get_by_text(SENT)).to_be_visible()
    guest.page.context.set_offline(True)
    guest.page.get_by_role("button", name="Send a new code").click()
    expect(guest.page.get_by_role("status").filter(has_text="You are offline.")).to_be_visible()
    guest.page.context.set_offline(False)
    # The order itself: the token is kept, and tried again.
    guest.page.route("**/guest/order", fail)
    guest.show(guest.code())
    expect(guest.page.get_by_role("alert").filter(has_text=words)).to_be_visible()
    guest.page.unroute("**/guest/order")
    guest.page.get_by_role("button", name="Try again").click()
    expect(guest.visit.button_of(order_id)).to_be_visible()


def test_a_double_click_asks_once(guest: Guest) -> None:
    order_id = guest.order()
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    guest.page.route("**/guest-access", keep)
    guest.visit.go(GUEST)
    guest.page.get_by_label("Order number").fill(order_id)
    guest.page.get_by_label("E-mail address").fill(guest.email)
    send = guest.page.get_by_role("button", name="Send me a code")
    send.dblclick()
    expect(send).to_have_attribute("aria-disabled", "true")
    expect(guest.page.get_by_role("status").filter(has_text="One moment")).to_be_visible()
    send.click(force=True)
    (only,) = held
    only.continue_()
    expect(guest.page.get_by_text(SENT)).to_be_visible()
    assert guest.asked == ["/guest-access"]


def test_who_is_not_signed_in_is_led_there_and_who_is_can_use_it(guest: Guest, visits: Visits) -> None:
    for visit in (guest.visit, visits.anonymous(phone=True)):
        visit.go(ORDERS)
        expect(visit.page.get_by_role("main").get_by_role("link", name="Find your order")).to_be_visible()
        visit.page.get_by_role("navigation").get_by_role("link", name="Find your order").click()
        expect(visit.page.get_by_role("navigation").get_by_role("link")).to_have_attribute("aria-current", "page")
    # A customer's sign-in is neither asked for nor ended by what a guest's code does.
    both = Guest(visits.signed_in(), guest.shop, guest.email)
    order_id = both.order()
    both.open(order_id)
    both.page.get_by_role("button", name="Leave this order").click()
    both.page.get_by_role("link", name="My Orders").click()
    expect(both.page.locator("h1")).to_have_text("My Orders")


@pytest.mark.parametrize("actions", [["CANCEL"], ["CANCEL", "WITHDRAW"]])
def test_the_way_to_withdraw_stands_where_it_is_offered(guest: Guest, actions: list[str]) -> None:
    def answer(route: Route) -> None:
        route.fulfill(json=route.fetch().json() | {"available_actions": actions})

    guest.page.route("**/guest/order", answer)
    order_id = guest.order()
    guest.open(order_id)
    expect(guest.visit.button).to_have_count(1)
    way = guest.page.get_by_role("main").get_by_role("button", name="Withdraw from contract here")
    expect(way).to_have_count(actions.count("WITHDRAW"))
    if "WITHDRAW" in actions:
        guest.visit.look("guest-order-withdraw")
        # A guest's code is no sign-in: the form asks, and knows the order's number.
        way.click()
        expect(guest.page.get_by_label("Order or contract number")).to_have_value(order_id)
        expect(guest.page.get_by_label("Your name")).to_be_visible()


def test_the_button_alone_asks_for_the_order_of_the_token(guest: Guest) -> None:
    order_id = guest.order()
    guest.open(order_id)
    asked: list[str] = []
    guest.page.on("request", lambda request: asked.append(request.url))
    guest.page.evaluate(
        """() => {
            const made = document.createElement("cancel-order");
            made.setAttribute("guest", "");
            document.querySelector("main").replaceChildren(made);
        }"""
    )
    guest.visit.cancel(order_id)
    guest.visit.done(order_id)
    assert not [url for url in asked if re.search(r"/orders\b", url)]


def test_the_page_on_a_static_host_asks_an_api_elsewhere(host: tuple[Path, str], visits: Visits, shop: Shop) -> None:
    need(shutil.which("npm"), "npm is not installed: it brings the sign-in library of a deployed storefront.")
    folder, address = host
    guest = make(visits, shop)
    order_id = guest.order()
    publish(folder, api=shop.endpoint, issuer="https://issuer.example", client_id="storefront")
    guest.visit.endpoint = address
    guest.open(order_id)
    guest.visit.cancel(order_id)
    guest.visit.done(order_id)
