"""The three pages: what they show, in each language, on phones and desktops, in light and dark."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from local.gateway.pages import WEB
from tests.browser.visit import ACCOUNT, ORDERS, Visit, Visits, order_page, path_of
from tests.support import documents
from tests.support.shop import Shop

DEMO = {
    "My Account": ("demo-partly-invoiced", ACCOUNT, "€28.90"),
    "My Orders": ("demo-partly-refunded", ORDERS, "€20.90"),
    "its own page": ("demo-paid", order_page("demo-paid"), "€40.80"),
}
WHY = {
    "on hold": "This order is on hold. Please contact customer service.",
    "shipped": "This order has already been shipped.",
    "closed": "This order is closed.",
    "cancelled": "",
    "part-shipped": "Part of this order has already been shipped: Item 1. You can send it back when it arrives.",
    "a status of the shop's own": "This order has gone too far to be cancelled.",
    "of a store where cancelling is off": "be cancelled here at the moment.",
}
NOT_CANCELLABLE: dict[str, dict[str, Any]] = {
    "on hold": {"status": "holded"},
    "shipped": {"status": "complete"},
    "closed": {"status": "closed"},
    "cancelled": {"status": "canceled"},
    "part-shipped": {
        "status": "processing",
        "items": [documents.invoiced("1", qty_shipped=1), documents.invoiced("2")],
        "payments": [documents.captured(40000)],
    },
    "a status of the shop's own": {"status": "packing"},
    "of a store where cancelling is off": {"store_id": "outlet"},
}


def test_a_new_user_cancels_from_each_page_and_sees_the_money_come_back(visits: Visits) -> None:
    visit = visits.anonymous()
    visit.go("/")
    visit.look("sign-in")
    visit.page.get_by_role("button", name="Anna").click()
    expect(visit.page.locator("h1")).to_have_text("Hello, Anna")
    for where, (order_id, path, amount) in DEMO.items():
        visit.go(path)
        visit.cancel(order_id)
        visit.done(order_id)
        expect(visit.dialog).to_contain_text(f"Refund approved: {amount}. The shop will transfer it to you.")
        visit.close()
        assert visit.button_of(order_id).count() == 0, where
        expect(
            visit.page.get_by_text(f"Cancelled. Refund approved: {amount}. The shop will transfer it to you.")
        ).to_be_visible()
    # And so it is when the page is opened again.
    visit.go(order_page("demo-paid"))
    expect(visit.status).to_have_text("Cancelled. Refund approved: €40.80. The shop will transfer it to you.")
    expect(visit.page.locator(".badge")).to_have_text("Refunded")
    expect(visit.page.get_by_role("region", name="Cancellation")).to_contain_text("I no longer need it")
    visit.look("order-refunded")
    visit.page.get_by_role("button", name="Sign out").click()
    expect(visit.page.locator("h1")).to_have_text("Sign in")


def test_someone_else_can_sign_in_by_their_id(visits: Visits, shop: Shop) -> None:
    order_id = shop.put()
    visit = visits.anonymous()
    visit.go(order_page(order_id))
    visit.page.get_by_label("Or another customer id").fill(shop.customer_id)
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator("h1")).to_have_text(f"Order {order_id}")


def test_an_order_is_sent_again_only_when_it_has_changed(visit: Visit, shop: Shop) -> None:
    items = [documents.invoiced(str(number)) for number in range(1, 31)]
    order_id = shop.put(**documents.paid(items=items))

    def sent() -> bool:
        """Opens the page; whether the order has come over the network, and not from what the browser keeps."""
        visit.go(order_page(order_id))
        expect(visit.button).to_be_visible()
        of_order = "performance.getEntriesByType('resource').filter((one) => one.name.endsWith('/orders/' + id))"
        sizes = visit.page.evaluate(
            f"(id) => {of_order}.map((one) => [one.transferSize, one.encodedBodySize])", order_id
        )
        assert sizes
        return any(transferred > body for transferred, body in sizes)

    assert [sent(), sent(), sent()] == [True, False, False]
    shop.put(order_id=order_id, **documents.paid(items=items, total=4711))
    assert sent()
    expect(visit.page.get_by_text("47.11").first).to_be_visible()


@pytest.mark.parametrize("state", NOT_CANCELLABLE)
def test_an_order_that_cannot_be_cancelled_shows_no_button_on_any_page(visit: Visit, shop: Shop, state: str) -> None:
    order_id = f"{shop.mark}-fixed"
    attributes = {"store_id": shop.store_id} | NOT_CANCELLABLE[state]
    shop.put_exactly(documents.order(order_id, shop.customer_id, **attributes))
    another = shop.put()
    for path in (ACCOUNT, ORDERS):
        visit.go(path)
        expect(visit.button_of(another)).to_be_visible()
        expect(visit.row(order_id)).to_be_visible()
        expect(visit.button).to_have_count(1)
    visit.go(order_page(order_id))
    expect(visit.page.get_by_role("region", name="History")).to_be_visible()
    expect(visit.status).to_contain_text(WHY[state])
    visit.page.wait_for_load_state("networkidle")
    expect(visit.button).to_have_count(0)
    visit.look(f"order-{state.replace(' ', '-').replace(chr(39), '')}")


def test_orders_come_a_page_at_a_time(visit: Visit, shop: Shop) -> None:
    ids = [shop.put(placed_at=documents.timestamp(minutes_ago=age)) for age in range(23)]
    visit.go(ORDERS)
    rows, more = visit.page.locator("li.order"), visit.page.get_by_role("button", name="Show more orders")
    expect(rows).to_have_count(10)
    expect(visit.page.get_by_text("10 orders so far")).to_be_visible()
    more.click()
    expect(rows).to_have_count(20)
    # Who works by keyboard goes on where the new ones begin.
    expect(visit.row(ids[10]).get_by_role("link")).to_be_focused()
    more.click()
    expect(rows).to_have_count(23)
    expect(more).to_be_hidden()
    expect(visit.page.get_by_text("all: 23")).to_be_visible()
    assert [row.get_attribute("data-order") for row in rows.all()] == ids
    # My Account shows the latest alone, and leads to the rest.
    visit.go(ACCOUNT)
    expect(rows).to_have_count(4)
    visit.page.get_by_role("link", name="See all orders").click()
    expect(visit.page.locator("h1")).to_have_text("My Orders")


def test_an_order_that_cannot_be_read_leaves_the_others_alone(visit: Visit, shop: Shop) -> None:
    broken = documents.order(f"{shop.mark}-broken", shop.customer_id, shop.store_id, currency="Kronor", status=7)
    shop.put_exactly(broken, valid=False)
    good = shop.put()
    visit.go(ORDERS)
    expect(visit.row(good)).to_contain_text("SEK\xa0200.00")
    expect(visit.row(broken["order_id"]).locator(".price")).to_have_text("\N{EN DASH}")
    expect(visit.button).to_have_count(1)
    visit.go(order_page(broken["order_id"]))
    expect(visit.page.get_by_role("alert")).to_contain_text("The shop is not answering right now.")


def test_a_customer_without_orders_is_told_so(visit: Visit) -> None:
    for path in (ACCOUNT, ORDERS):
        visit.go(path)
        expect(visit.page.get_by_text("You have no orders yet.")).to_be_visible()
    visit.look("orders-none")


def test_the_order_page_shows_items_sums_history_cancellation_and_refund(visit: Visit, shop: Shop) -> None:
    order_id = shop.put(
        status="processing",
        items=[
            documents.invoiced("1", name="Kettle", qty_ordered=Decimal("1.5"), amount=150000),
            documents.invoiced("2", name="Cup", amount_refunded=10000, qty_refunded=1),
        ],
        shipping={"amount": 4900, "amount_invoiced": 4900, "amount_refunded": 0},
        fees=[
            {"fee_id": "wrap", "name": "Gift wrap", "amount": 2500, "amount_invoiced": 2500, "amount_refunded": 0},
        ],
        payments=[
            documents.captured(100000, "p1"),
            documents.captured(77400, "p2", amount_refunded=10000),
            documents.authorized(5000, "p3"),
        ],
    )
    visit.go(order_page(order_id))
    items = visit.page.get_by_role("region", name="Items")
    expect(items).to_contain_text("Kettle")
    expect(items).to_contain_text("Quantity 1.5")
    expect(items).to_contain_text("1 of 2 refunded")
    for name, amount in {
        "Shipping": "SEK 49.00",
        "Gift wrap": "SEK 25.00",
        "Total": "SEK 1,774.00",
        "Refunded": "SEK 100.00",
    }.items():
        row = items.locator("dl > div").filter(has=visit.page.get_by_text(name, exact=True))
        assert row.inner_text().replace("\xa0", " ").split("\n") == [name, amount]
    expect(visit.page.get_by_role("region", name="History")).to_contain_text("Placed.")
    visit.look("order")
    shop.cancel(order_id, comment="Wrong colour")
    shop.refunded(order_id)
    visit.go(order_page(order_id))
    cancellation = visit.page.get_by_role("region", name="Cancellation")
    for words in (
        "I no longer need it",
        "Wrong colour",
        "1,674.00 · refund approved",
        "1,000.00 · refund approved",
        "· released",
    ):
        expect(cancellation).to_contain_text(words)
    history = visit.page.get_by_role("region", name="History")
    expect(history).to_contain_text("You cancelled this order. Reason: I no longer need it")
    expect(history).to_contain_text("The refund was approved. The shop transfers it.")
    visit.look("order-cancelled-three-payments")


def test_what_the_shop_wrote_is_text_and_nothing_else(visit: Visit, shop: Shop) -> None:
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    shop.configure(reasons=[{"code": "other", "description": evil}])
    order_id = shop.put(
        **documents.paid(items=[documents.invoiced(name=evil, sku=evil)]),
        fees=[{"fee_id": "f", "name": evil, "amount": 0, "amount_invoiced": 0, "amount_refunded": 0}],
        history=[{"at": documents.timestamp(5), "status": evil, "comment": evil}],
    )
    visit.page.on("dialog", lambda dialog: visit.complaints.append(f"a script ran: {dialog.message}"))
    visit.go(order_page(order_id))
    visit.open(order_id)
    expect(visit.dialog).to_contain_text(evil)
    visit.choose(evil)
    visit.confirm.click()
    visit.done(order_id)
    visit.close()
    expect(visit.page.get_by_role("region", name="Cancellation")).to_contain_text(evil)
    assert visit.page.locator("img, main script").count() == 0


def test_an_order_that_is_not_there_says_so(visit: Visit, shop: Shop) -> None:
    visit.go(ACCOUNT)
    visit.page.goto(f"{shop.endpoint}{order_page('no-such-order')}")
    expect(visit.page.get_by_role("alert")).to_contain_text("find this order among yours.")
    visit.look("order-not-found")


def test_a_page_without_its_api_says_so_and_tries_again(visit: Visit, shop: Shop) -> None:
    order_id = shop.put()
    down = visit.page.context
    down.route("**/orders?*", lambda route: route.fulfill(status=503, body='{"message": "Service Unavailable"}'))
    visit.page.goto(f"{shop.endpoint}{ORDERS}")
    expect(visit.page.get_by_role("alert")).to_contain_text("The shop is not answering right now.")
    visit.look("orders-down")
    down.unroute("**/orders?*")
    visit.page.get_by_role("button", name="Try again").click()
    expect(visit.row(order_id)).to_be_visible()
    expect(visit.page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize(
    ("look", "options"),
    [("phone-light", {"phone": True}), ("phone-dark", {"phone": True, "dark": True}), ("desktop-dark", {"dark": True})],
)
def test_each_page_on_each_screen(visits: Visits, shop: Shop, look: str, options: dict[str, Any]) -> None:
    order_id = shop.put(**documents.paid(), placed_at=documents.timestamp(1))
    shop.put(status="complete")
    shop.put(status="holded")
    visit = visits.signed_in(**options)
    for name, path in {"account": ACCOUNT, "orders": ORDERS, "order": order_page(order_id)}.items():
        visit.go(path)
        expect(visit.button).to_have_count(1)
        visit.look(f"{name}-{look}")
        assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visit.open(order_id)
    visit.look(f"dialog-{look}")
    visit.choose()
    visit.confirm.click()
    visit.done(order_id)
    expect(visit.dialog).to_contain_text("Refund approved: ")
    visit.look(f"done-{look}")
    visit.close()
    visit.look(f"order-after-{look}")


def test_everything_is_in_swedish_where_the_browser_is(visits: Visits, shop: Shop) -> None:
    shop.configure(reasons=[{"code": "other", "description": "Ändrade mig"}])
    order_id = shop.put(**documents.paid(), placed_at="2026-03-01T23:30:00Z")
    visit = visits.signed_in(lang="sv-SE", phone=True)
    visit.go(ORDERS)
    expect(visit.page.locator("html")).to_have_attribute("lang", "sv-SE")
    expect(visit.row(order_id)).to_contain_text("2 mars 2026")  # in the customer's own time zone
    expect(visit.row(order_id)).to_contain_text("200,00\xa0kr")
    expect(visit.row(order_id)).to_contain_text("Behandlas")
    visit.look("orders-swedish")
    visit.page.get_by_role("button", name=f"Avbeställ order {order_id}").click()
    expect(visit.dialog).to_contain_text("Det här får du tillbaka")
    visit.confirm.click()
    expect(visit.dialog.get_by_role("alert")).to_have_text("Välj ett skäl.")
    visit.look("dialog-swedish")
    visit.choose("Ändrade mig")
    visit.confirm.click()
    expect(visit.dialog).to_contain_text("Återbetalningen är godkänd: 200,00\xa0kr.")
    visit.look("done-swedish")


def test_each_language_can_be_chosen_and_stays_and_fits(visits: Visits, shop: Shop) -> None:
    order_id = shop.put()
    visit = visits.signed_in(viewport={"width": 320, "height": 640})
    visit.go(order_page(order_id))
    choice = visit.page.locator("header select")
    for language in choice.locator("option").evaluate_all("(all) => all.map((one) => one.value)"):
        with visit.page.expect_navigation():
            choice.select_option(language)
        expect(visit.button).to_be_visible()
        assert visit.page.evaluate("document.documentElement.lang").startswith(language)
        assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), language
    expect(visit.page.get_by_role("button", name=f"Avbeställ order {order_id}")).to_be_visible()
    visit.go(ORDERS)
    expect(visit.page.locator("h1")).to_have_text("Mina ordrar")


def test_what_a_language_lacks_is_english(visits: Visits) -> None:
    """A language that a site has added, with hardly a word, and one whose file cannot be loaded."""
    shell = (WEB / "storefront" / "shell.js").read_text(encoding="utf-8")
    added = {
        "shell.js": shell.replace('  da: "', '  is: "Íslenska",\n  da: "'),
        "lang/is.js": 'export default {guest: "Pöntun"};',
    }

    def answer(route: Route) -> None:
        file = path_of(route.request).removeprefix("/")
        if file == "lang/fi.js":
            route.fulfill(status=404)
        elif file in added:
            route.fulfill(body=added[file], content_type="text/javascript")
        else:
            route.continue_()

    for language, title in (("is-IS", "Pöntun"), ("fi-FI", "Find your order")):
        visit = visits.anonymous(lang=language)
        visit.page.route("**/*.js", answer)
        visit.go("/guest.html")
        expect(visit.page.locator("h1")).to_have_text(title)
        expect(visit.page.get_by_label("E-mail address")).to_be_visible()


def test_at_400_percent_nothing_is_cut_off(visits: Visits, shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    # A screen of 1280 x 1024 at 400 %.
    visit = visits.signed_in(viewport={"width": 320, "height": 256})
    for path in (ACCOUNT, ORDERS, order_page(order_id)):
        visit.go(path)
        expect(visit.button).to_have_count(1)
        assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    visit.look("order-zoomed")
    visit.open(order_id)
    visit.look("dialog-zoomed")
    assert visit.dialog.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")
    visit.choose()
    visit.confirm.click()
    visit.done(order_id)


def test_the_whole_of_it_by_keyboard_alone(visit: Visit, shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    visit.go(ACCOUNT)
    expect(visit.button_of(order_id)).to_be_visible()
    press = visit.page.keyboard.press
    press("Tab")
    expect(visit.page.get_by_role("link", name="Skip to content")).to_be_focused()
    visit.look("account-skip-link")
    for _ in range(12):
        if visit.button_of(order_id).evaluate("button => button === button.getRootNode().activeElement"):
            break
        press("Tab")
    expect(visit.button_of(order_id)).to_be_focused()
    visit.look("account-focus")
    # Into the dialog, and out again without having done anything: the focus is where it was.
    press("Enter")
    expect(visit.dialog.get_by_role("radiogroup")).to_be_visible()
    expect(visit.dialog.get_by_role("heading", level=2)).to_be_focused()
    press("Escape")
    expect(visit.dialog).to_have_count(0)
    expect(visit.button_of(order_id)).to_be_focused()
    # Again: past the fields to the button, which complains at the reasons and goes there.
    press("Enter")
    expect(visit.dialog.get_by_role("radiogroup")).to_be_visible()
    for _ in range(4):
        press("Tab")
    expect(visit.confirm).to_be_focused()
    press("Enter")
    first, second = visit.dialog.get_by_role("radio").all()
    expect(first).to_be_focused()
    visit.look("dialog-keyboard")
    press("Space")
    expect(first).to_be_checked()
    press("ArrowDown")
    expect(second).to_be_checked()
    press("Tab")
    visit.page.keyboard.type("By keyboard")
    press("Tab")
    press("Tab")
    press("Enter")
    visit.done(order_id)
    expect(visit.dialog.get_by_role("heading", level=2)).to_be_focused()
    press("Tab")
    press("Enter")
    # The button is gone: the focus is on what stands in its place.
    expect(visit.status).to_be_focused()
    assert shop.cancellation(order_id)["comment"] == "By keyboard"


def test_nothing_moves_for_those_who_asked_for_that(visits: Visits, shop: Shop) -> None:
    order_id = shop.put()
    for wish, animation in (("reduce", "none"), ("no-preference", "rise")):
        visit = visits.signed_in(reduced_motion=wish)
        visit.go(order_page(order_id))
        visit.open(order_id)
        assert visit.dialog.evaluate("dialog => getComputedStyle(dialog).animationName") == animation
