"""The withdrawal function in the storefront: a page of its own, each page's footer, and orders that offer it."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import rfc8785
from playwright.sync_api import Route, expect

from tests.browser.visit import ACCOUNT, ORDERS, Visit, Visits, order_page
from tests.browser.withdrawal import EMAIL, FUNCTION, NAME, ORDER, Withdrawal
from tests.support import documents
from tests.support.client import PRIVATE_EMAIL
from tests.support.shop import Shop

PAGE = "/withdraw.html"


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """Takes withdrawals, for 14 days."""
    shop.configure(withdrawal={"enabled": True, "time_zone": "Europe/Stockholm", "country": "SE"})
    return shop


def stored(shop: Shop, withdrawal_id: str) -> dict[str, Any]:
    """The statement as it was received."""
    key = {"withdrawal_id": withdrawal_id, "part": "statement"}
    item: dict[str, Any] = shop.aws.withdrawals.get_item(Key=key)["Item"]
    return item


# ------------------------------------------------------------------ a page of its own, and the footer


def test_anyone_withdraws_without_signing_in(visits: Visits, shop: Shop) -> None:
    withdrawal = Withdrawal(visits.anonymous())
    withdrawal.visit.go(PAGE)
    expect(withdrawal.page.locator("h1")).to_have_text("Right of withdrawal")
    withdrawal.look("withdraw-page")
    withdrawal.review()
    withdrawal.look("withdraw-page-review")
    withdrawal.confirm.click()
    withdrawal.at("receipt")
    withdrawal.look("withdraw-page-receipt")
    body = {"name": NAME, "email": EMAIL, "order": ORDER, "language": "en-GB"}
    assert withdrawal.sent[0][2] == body
    receipt = withdrawal.pairs(withdrawal.part("view"))
    item = stored(shop, receipt["Withdrawal number"])
    assert (item["statement"], item["receipt"]) == (body, receipt["Receipt (SHA-256)"])
    document = {name: item[name] for name in ("withdrawal_id", "received_at", "statement")}
    assert hashlib.sha256(rfc8785.dumps(document)).hexdigest() == receipt["Receipt (SHA-256)"]
    assert receipt["Acknowledgement sent to"] == "a•••@example.com"
    local = datetime.fromisoformat(item["received_at"]).astimezone(ZoneInfo("Europe/Stockholm"))
    assert f"{local:%H:%M:%S}" in receipt["Received"]


@pytest.mark.parametrize("signed_in", [False, True])
@pytest.mark.parametrize("page", ["/", "/orders.html", "/order.html?id=none", "/guest.html", PAGE])
def test_the_footer_of_every_page_shows_it_on_a_narrow_phone_without_opening_anything(
    visits: Visits, page: str, signed_in: bool
) -> None:
    options: dict[str, Any] = {"viewport": {"width": 320, "height": 640}, "has_touch": True}
    visit = visits.signed_in(**options) if signed_in else visits.anonymous(**options)
    visit.page.goto(visit.endpoint + page)
    link = visit.page.get_by_role("contentinfo").get_by_role("link", name=FUNCTION)
    expect(link).to_be_visible()
    box = link.bounding_box()
    assert box
    assert box["height"] >= 44
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 320
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    link.click()
    withdrawal = Withdrawal(visit)
    withdrawal.at("form")
    # Nobody is asked to sign in.
    expect(withdrawal.part("name")).to_be_visible()
    # Where it is pressed again, or after going back to the button, it leads to the form again.
    withdrawal.part("back").click()
    link.click()
    withdrawal.at("form")


def test_the_footer_speaks_the_language_of_the_page(visits: Visits) -> None:
    visit = visits.anonymous(lang="sv-SE", phone=True)
    visit.go(PAGE)
    expect(visit.page.get_by_role("contentinfo").get_by_role("link")).to_have_text("Ångra avtalet här")
    expect(visit.page.locator("h1")).to_have_text("Ångerrätt")
    withdrawal = Withdrawal(visit)
    expect(withdrawal.part("button")).to_have_text("Ångra avtalet här")
    withdrawal.part("button").click()
    expect(withdrawal.heading).to_have_text("Ångra ett avtal")
    withdrawal.look("withdraw-page-swedish")


# ------------------------------------------------------------------ on an order


def test_an_order_that_offers_it_has_it_on_its_page(visit: Visit, shop: Shop) -> None:
    items = [documents.invoiced("1", name="Kettle", qty_ordered=2), documents.invoiced("2", name="Cup", qty_ordered=1)]
    order_id = shop.put(**documents.paid(items=items), delivered_at="2026-11-26T10:00:00Z")
    withdrawal = Withdrawal(visit)
    visit.go(order_page(order_id))
    expect(withdrawal.part("button")).to_have_accessible_name(f"{FUNCTION}: {order_id}")
    expect(visit.page.get_by_text("You can withdraw until 10 December 2026.")).to_be_visible()
    withdrawal.look("withdraw-order")
    withdrawal.open()
    # What the order knows is not asked for.
    expect(withdrawal.part("name")).to_have_count(0)
    expect(withdrawal.part("view")).to_contain_text(f"Order {order_id}")
    withdrawal.element.get_by_label("Only a part of it").check()
    kettle = withdrawal.element.get_by_label("Kettle")
    withdrawal.proceed()
    expect(kettle).to_be_focused()
    withdrawal.look("withdraw-order-no-item")
    expect(kettle).not_to_be_checked()
    kettle.check()
    withdrawal.element.get_by_label("Quantity").fill("1")
    withdrawal.look("withdraw-order-part")
    withdrawal.proceed()
    withdrawal.at("review")
    assert withdrawal.pairs(withdrawal.part("statement")) == {
        "Your e-mail address": "the address of your order",
        "Order or contract number": order_id,
        "What you withdraw from": "1 \N{MULTIPLICATION SIGN} Kettle",
    }
    withdrawal.look("withdraw-order-review")
    withdrawal.confirm.click()
    withdrawal.at("receipt")
    withdrawal.look("withdraw-order-receipt")
    ((path, _, body),) = withdrawal.sent
    assert path == f"/orders/{order_id}/withdrawal"
    assert body == {"items": [{"item": "Kettle", "qty": 1}]}
    assert withdrawal.tokens[0]
    receipt = withdrawal.pairs(withdrawal.part("view"))
    assert receipt["Acknowledgement sent to"] == receipt["Your e-mail address"] == f"{PRIVATE_EMAIL[0]}•••@example.com"
    item = stored(shop, receipt["Withdrawal number"])
    assert (item["customer_id"], item["order_id"]) == (shop.customer_id, order_id)
    assert item["receipt"] == receipt["Receipt (SHA-256)"]


def test_a_list_leads_from_each_order_that_offers_it_to_its_form(visit: Visit, shop: Shop) -> None:
    order_id = shop.put(**documents.paid(items=[documents.invoiced("1", name="Kettle")]))
    withdrawal = Withdrawal(visit)
    for path in (ACCOUNT, ORDERS):
        visit.go(path)
        link = visit.row(order_id).get_by_role("link", name=f"{FUNCTION}: {order_id}")
        expect(link).to_have_text(FUNCTION)
        visit.look(f"withdraw-list-{path.strip('/').removesuffix('.html') or 'account'}")
        link.click()
        withdrawal.at("form")
        expect(withdrawal.part("view")).to_contain_text(f"Order {order_id}")
        withdrawal.element.get_by_label("Only a part of it").check()
        expect(withdrawal.element.get_by_label("Kettle")).to_be_visible()
    # From there the footer's link is for any other contract.
    visit.page.get_by_role("contentinfo").get_by_role("link", name=FUNCTION).click()
    expect(withdrawal.order_field).to_have_value("")


def test_an_order_that_does_not_offer_it_shows_none(visit: Visit, shop: Shop) -> None:
    order_id = shop.put(**documents.paid(), business=True)
    for path in (ACCOUNT, ORDERS, order_page(order_id)):
        visit.go(path)
        expect(visit.button).to_have_count(1)
        expect(visit.page.get_by_role("main").get_by_text(FUNCTION).locator("visible=true")).to_have_count(0)
        assert visit.page.locator("withdraw-contract [part=button]").locator("visible=true").count() == 0


def test_who_was_signed_out_meanwhile_goes_on_without_and_loses_nothing(visit: Visit, shop: Shop) -> None:
    items = [documents.invoiced("1", name="Kettle", qty_ordered=2), documents.invoiced("2", name="Cup")]
    order_id = shop.put(**documents.paid(items=items))
    withdrawal = Withdrawal(visit)
    visit.go(order_page(order_id))
    withdrawal.open()
    withdrawal.part("message").fill("Thank you")
    withdrawal.element.get_by_label("Only a part of it").check()
    withdrawal.element.get_by_label("Cup").check()
    withdrawal.proceed()
    withdrawal.at("review")
    visit.page.evaluate(
        """() => {
            const session = JSON.parse(localStorage["cancel-core.session"]);
            session.token = session.token.slice(0, -4) + "AAAA";
            localStorage["cancel-core.session"] = JSON.stringify(session);
        }"""
    )
    withdrawal.confirm.click()
    withdrawal.at("form")
    expect(withdrawal.part("note")).to_contain_text("give your name and e-mail address instead")
    withdrawal.look("withdraw-signed-out")
    expect(withdrawal.order_field).to_have_value(order_id)
    expect(withdrawal.part("message")).to_have_value("Thank you")
    expect(withdrawal.part("item")).to_have_value("Cup")
    withdrawal.part("name").fill(NAME)
    withdrawal.part("email").fill(EMAIL)
    withdrawal.proceed()
    withdrawal.at("review")
    withdrawal.confirm.click()
    withdrawal.at("receipt")
    assert withdrawal.sent[-1][0] == "/withdrawals"
    assert withdrawal.sent[-1][2]["order"] == order_id
    assert withdrawal.tokens[-1] is None


def test_an_order_without_an_address_has_it_asked_for(visit: Visit, shop: Shop) -> None:
    order_id = f"{shop.mark}-unknown"
    order = documents.order(order_id, shop.customer_id, shop.store_id)
    del order["customer_email"]
    shop.put_exactly(order)
    withdrawal = Withdrawal(visit)
    visit.go(order_page(order_id))
    withdrawal.open()
    withdrawal.proceed()
    withdrawal.confirm.click()
    expect(withdrawal.part("email")).to_be_focused()
    expect(withdrawal.part("email")).to_have_attribute("required", "")
    withdrawal.proceed()
    expect(withdrawal.part("email")).to_be_focused()
    withdrawal.part("email").fill(EMAIL)
    withdrawal.proceed()
    withdrawal.at("review")
    withdrawal.confirm.click()
    withdrawal.at("receipt")
    assert withdrawal.sent[-1][2] == {"email": EMAIL}


NOTED = re.compile(r"We have received your withdrawal: wdr_[0-9a-f]{32}")


def test_what_becomes_of_the_order_is_shown_beside_the_receipt(visit: Visit, shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    withdrawal = Withdrawal(visit)
    visit.go(order_page(order_id))
    withdrawal.open()
    withdrawal.proceed()
    withdrawal.at("review")
    withdrawal.confirm.click()
    withdrawal.at("receipt")
    # Behind the table's stream the order is cancelled and paid back, and names the statement.
    expect(visit.status).to_contain_text("Cancelled. Refund approved: SEK 200.00. The shop will transfer it to you.")
    expect(visit.page.get_by_text(NOTED)).to_be_visible()
    withdrawal.look("withdraw-order-cancelled")
    expect(withdrawal.part("save")).to_be_visible()
    # Opened again there is the order, and no button.
    visit.go(order_page(order_id))
    expect(visit.page.get_by_text(NOTED)).to_be_visible()
    expect(withdrawal.part("button")).to_be_hidden()


def test_a_store_where_it_is_off_says_so_and_keeps_what_was_typed(visits: Visits, shop: Shop) -> None:
    shop.configure()
    withdrawal = Withdrawal(visits.anonymous())
    withdrawal.bare(f'<withdraw-contract store-id="{shop.store_id}"></withdraw-contract>')
    withdrawal.review()
    withdrawal.confirm.click()
    withdrawal.failure("WITHDRAWAL_DISABLED", "Please write to the shop. What you entered is still there.")
    withdrawal.part("back").click()
    expect(withdrawal.order_field).to_have_value(ORDER)


def test_a_lost_answer_leaves_one_statement(visits: Visits, shop: Shop) -> None:
    withdrawal = Withdrawal(visits.anonymous())
    answers: list[dict[str, Any]] = []

    def lose(route: Route) -> None:
        answers.append(route.fetch().json())
        route.abort("connectionreset")

    withdrawal.page.route("**/withdrawals", lose, times=2)
    withdrawal.bare(f'<withdraw-contract store-id="{shop.store_id}"></withdraw-contract>')
    withdrawal.review()
    withdrawal.confirm.click()
    withdrawal.at("receipt")
    assert answers[0] == answers[1]
    assert withdrawal.pairs(withdrawal.part("view"))["Withdrawal number"] == answers[0]["withdrawal_id"]
    assert len({key for _, key, _ in withdrawal.sent}) == 1


# ------------------------------------------------------------------ on each screen


@pytest.mark.parametrize(
    ("look", "options"),
    [
        ("phone-light", {"phone": True}),
        ("phone-dark", {"phone": True, "dark": True}),
        ("desktop-dark", {"dark": True}),
        # 1280 x 1024 at 400 %.
        ("zoomed", {"viewport": {"width": 320, "height": 256}}),
        ("contrast", {"forced_colors": "active"}),
    ],
)
def test_each_step_on_each_screen(visits: Visits, look: str, options: dict[str, Any]) -> None:
    visit = visits.anonymous(**options)
    withdrawal = Withdrawal(visit)

    def fits(step: str) -> None:
        assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), step
        withdrawal.look(f"withdraw-{step}-{look}")

    visit.go(PAGE)
    fits("page")
    withdrawal.open()
    withdrawal.element.get_by_label("Only a part of it").check()
    withdrawal.proceed()
    fits("wrong")
    withdrawal.fill()
    withdrawal.element.get_by_label("Item").fill("Kettle")
    withdrawal.proceed()
    withdrawal.at("review")
    fits("review")
    withdrawal.confirm.click()
    withdrawal.at("receipt")
    fits("receipt")


def test_nothing_moves_for_those_who_asked_for_that(visits: Visits) -> None:
    for wish, animation in (("reduce", "none"), ("no-preference", "rise")):
        withdrawal = Withdrawal(visits.anonymous(reduced_motion=wish))
        withdrawal.visit.go(PAGE)
        withdrawal.open()
        assert withdrawal.part("view").evaluate("view => getComputedStyle(view).animationName") == animation
