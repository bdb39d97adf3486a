"""Where the shop decides: the component asks, shows what has become of it, and takes it back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Request, Route, expect

from examples.shipping import ship
from tests.browser.desk import decide, request_of
from tests.browser.guest import Guest
from tests.browser.test_cancel import CANCELLATION, hold, problem
from tests.browser.visit import ACCOUNT, ORDERS, Visit, Visits, order_page, path_of
from tests.support import documents
from tests.support.shop import Shop

REQUEST = re.compile(r"/cancellation-request$")
OPEN = "You have asked the shop to cancel this order. The shop will decide."
HEARD = """
window.heard = [];
for (const name of ["cancellationrequested", "cancellationwithdrawn", "ordercancelled"])
  addEventListener(name, (event) => heard.push([name, event.detail]));
"""


@pytest.fixture
def asking(shop: Shop) -> Shop:
    """The shop, which decides each cancel."""
    shop.configure(approval="always")
    return shop


def heard(visit: Visit, name: str) -> list[dict[str, Any]]:
    """The details of the events of this name."""
    events: list[Any] = visit.page.evaluate("heard")
    return [detail for event, detail in events if event == name]


def asked(visit: Visit, order_id: str) -> None:
    """Asks by the dialog, and closes it."""
    visit.open(order_id)
    visit.choose()
    visit.confirm.click()
    heading = visit.dialog.get_by_role("heading", level=2)
    expect(heading).to_have_text(f"You have asked the shop to cancel order {order_id}")
    visit.close()


def take_back(visit: Visit) -> Any:
    return visit.page.locator('cancel-order [part="take-back"]')


def fits(visit: Visit) -> bool:
    """Whether nothing is cut off at the sides."""
    fitting: bool = visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return fitting


@pytest.mark.parametrize("phone", [True, False], ids=["phone", "desktop"])
def test_the_dialog_asks_and_promises_nothing(visits: Visits, asking: Shop, phone: bool) -> None:
    order_id = asking.put(**documents.paid())
    visit, size = visits.signed_in(phone=phone), "phone" if phone else "desktop"
    visit.page.add_init_script(HEARD)
    visit.go(order_page(order_id))
    visit.open(order_id)
    expect(visit.dialog.get_by_role("heading", level=2)).to_have_text(f"Ask the shop to cancel order {order_id}?")
    expect(visit.dialog.locator('[part="terms"]')).to_have_text(
        "The shop will decide. Until then the order stays as it is, and you can take your request back."
    )
    refund = visit.dialog.locator('[part="refund"]')
    expect(refund).to_contain_text("If the shop agrees, you get back")
    expect(refund).to_contain_text("You would be refunded the way you paid.")
    expect(refund).not_to_contain_text("What you get back")
    expect(visit.confirm).to_have_text("Ask the shop to cancel")
    visit.look(f"request-dialog-{size}")
    visit.choose()
    visit.confirm.click()
    expect(visit.dialog.get_by_role("heading", level=2)).to_have_text(
        f"You have asked the shop to cancel order {order_id}"
    )
    expect(visit.dialog.get_by_role("status")).to_contain_text("The shop will decide.")
    visit.look(f"request-asked-{size}")
    visit.close()
    # The button is gone: the keyboard goes on at what stands in its place.
    expect(visit.status).to_have_text(OPEN)
    expect(visit.status).to_be_focused()
    expect(visit.button).to_have_count(0)
    expect(take_back(visit)).to_have_accessible_name(f"Take it back: the request to cancel order {order_id}")
    card = visit.page.get_by_role("region", name="Request to cancel")
    expect(card).to_contain_text("The shop will decide")
    expect(card).to_contain_text("I no longer need it")
    assert fits(visit)
    visit.look(f"request-open-{size}")
    (detail,) = heard(visit, "cancellationrequested")
    assert detail["cancellation_request"] == request_of(asking, order_id)
    assert detail["order"]["available_actions"] == ["WITHDRAW_REQUEST"]
    assert not heard(visit, "ordercancelled")


def test_every_page_shows_an_open_request(visit: Visit, asking: Shop) -> None:
    order_id = asking.put(**documents.paid())
    assert asking.cancel(order_id).status_code == 202
    for path in (ACCOUNT, ORDERS):
        visit.go(path)
        expect(visit.row(order_id).locator('[part="status"]')).to_have_text(OPEN)
        expect(take_back(visit)).to_be_visible()
        expect(visit.button).to_have_count(0)
        visit.look(f"request-list-{'account' if path == ACCOUNT else 'orders'}")
    take_back(visit).click()
    expect(visit.status).to_have_text("You have taken your request back. The order stays as it is.")
    expect(visit.button_of(order_id)).to_be_visible()
    assert request_of(asking, order_id)["status"] == "withdrawn"


@pytest.mark.parametrize("phone", [True, False], ids=["phone", "desktop"])
def test_it_is_taken_back_by_keyboard_and_can_be_asked_again(visits: Visits, asking: Shop, phone: bool) -> None:
    order_id = asking.put(**documents.paid())
    asking.cancel(order_id)
    visit = visits.signed_in(phone=phone)
    visit.page.add_init_script(HEARD)
    held = hold(visit, REQUEST)
    visit.go(order_page(order_id))
    take_back(visit).focus()
    visit.page.keyboard.press("Enter")
    expect(take_back(visit)).to_have_text("Taking it back …")
    expect(take_back(visit)).to_have_attribute("aria-disabled", "true")
    visit.page.keyboard.press("Enter")
    take_back(visit).click(force=True)
    visit.look(f"request-taking-back-{'phone' if phone else 'desktop'}")
    (call,) = held
    call.continue_()
    expect(visit.status).to_have_text("You have taken your request back. The order stays as it is.")
    expect(visit.status).to_be_focused()
    expect(take_back(visit)).to_have_count(0)
    expect(visit.page.get_by_role("region", name="Request to cancel")).to_contain_text("Taken back")
    visit.look(f"request-taken-back-{'phone' if phone else 'desktop'}")
    (detail,) = heard(visit, "cancellationwithdrawn")
    assert detail["cancellation_request"]["status"] == "withdrawn"
    asked(visit, order_id)
    expect(visit.status).to_have_text(OPEN)


@pytest.mark.parametrize("phone", [True, False], ids=["phone", "desktop"])
def test_a_decline_is_shown_with_the_shops_words_as_text(visits: Visits, asking: Shop, phone: bool) -> None:
    order_id = asking.put(**documents.paid())
    asking.cancel(order_id, comment="Please")
    note = "It is <b>being packed</b>.<img src=x onerror=alert(1)>"
    decide(asking, order_id, "declined", note)
    visit = visits.signed_in(phone=phone)
    visit.page.on("dialog", lambda dialog: visit.complaints.append(f"a script ran: {dialog.message}"))
    visit.go(order_page(order_id))
    expect(visit.status).to_have_text(f"The shop has decided not to cancel this order.\nThe shop writes: {note}")
    card = visit.page.get_by_role("region", name="Request to cancel")
    expect(card).to_contain_text("Declined")
    expect(card).to_contain_text(note)
    assert visit.page.locator("main b, main img, cancel-order b, cancel-order img").count() == 0
    expect(visit.button_of(order_id)).to_be_visible()
    assert fits(visit)
    visit.look(f"request-declined-{'phone' if phone else 'desktop'}")
    asked(visit, order_id)
    expect(visit.status).to_have_text(OPEN)


@pytest.mark.parametrize("phone", [True, False], ids=["phone", "desktop"])
def test_an_approval_is_a_cancel_with_its_refund(visits: Visits, asking: Shop, phone: bool) -> None:
    order_id = asking.put(**documents.paid())
    asking.cancel(order_id)
    decide(asking, order_id, "approved", "Gladly.")
    asking.refunded(order_id)
    visit = visits.signed_in(phone=phone)
    visit.go(order_page(order_id))
    expect(visit.status).to_have_text(
        "The shop has agreed to cancel this order.\nThe shop writes: Gladly.\n"
        "Cancelled. Refund approved: SEK\xa0200.00. The shop will transfer it to you."
    )
    expect(visit.page.get_by_role("region", name="Cancellation")).to_contain_text("Gladly.")
    expect(visit.button).to_have_count(0)
    visit.look(f"request-approved-{'phone' if phone else 'desktop'}")


@pytest.mark.parametrize("phone", [True, False], ids=["phone", "desktop"])
def test_an_approval_that_came_too_late(visits: Visits, asking: Shop, phone: bool) -> None:
    order_id = asking.put(**documents.paid())
    asking.cancel(order_id)
    assert ship(asking.aws.orders, order_id, {"1": 2})
    decide(asking, order_id, "approved")
    visit = visits.signed_in(phone=phone)
    visit.go(order_page(order_id))
    expect(visit.status).to_have_text("The shop agreed, but by then this order could no longer be cancelled.")
    expect(visit.button).to_have_count(0)
    visit.look(f"request-lapsed-{'phone' if phone else 'desktop'}")


def test_a_decision_is_seen_when_the_page_is_looked_at_again(visit: Visit, asking: Shop) -> None:
    order_id = asking.put(**documents.paid())
    asking.cancel(order_id)
    visit.go(order_page(order_id))
    expect(visit.status).to_have_text(OPEN)
    decide(asking, order_id, "approved")
    asking.refunded(order_id)
    visit.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(visit.status).to_contain_text("The shop has agreed to cancel this order.")
    expect(visit.page.locator(".badge")).to_have_text(re.compile("Cancelled|Refunded"))


def test_what_is_decided_meanwhile_is_not_taken_back(visit: Visit, asking: Shop) -> None:
    order_id = asking.put(**documents.paid())
    asking.cancel(order_id)
    visit.go(ORDERS)
    expect(take_back(visit)).to_be_visible()
    decide(asking, order_id, "declined", "Too late.")
    take_back(visit).click()
    expect(visit.status).to_have_text("The shop has decided not to cancel this order.\nThe shop writes: Too late.")
    expect(take_back(visit)).to_have_count(0)
    expect(visit.button_of(order_id)).to_be_visible()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (problem(503, "SERVICE_UNAVAILABLE"), "The shop is not answering right now."),
        (problem(500, "INTERNAL_ERROR"), "Something went wrong at our end. Try again."),
        (
            None,
            "We got no answer, so we don\N{RIGHT SINGLE QUOTATION MARK}t know yet whether your request was taken back.",
        ),
    ],
)
def test_taking_back_that_fails_says_so_and_can_be_tried_again(
    visit: Visit, asking: Shop, answer: dict[str, Any] | None, words: str
) -> None:
    order_id = asking.put(**documents.paid())
    asking.cancel(order_id)
    visit.page.add_init_script("const real = setTimeout; window.setTimeout = (f, ms) => real(f, Math.min(ms, 20));")
    visit.page.route(REQUEST, lambda route: route.fulfill(**answer) if answer else route.abort("connectionreset"))
    visit.go(order_page(order_id))
    take_back(visit).click()
    expect(visit.page.get_by_role("alert")).to_contain_text(words)
    expect(take_back(visit)).to_have_text("Take it back")
    visit.look("request-take-back-failed")
    visit.page.unroute(REQUEST)
    take_back(visit).click()
    expect(visit.button_of(order_id)).to_be_visible()
    expect(visit.page.get_by_role("alert")).to_have_count(0)


def test_a_lost_answer_asks_once(visit: Visit, asking: Shop) -> None:
    order_id = asking.put(**documents.paid())

    def lose(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    visit.page.route(CANCELLATION, lose, times=1)
    visit.go(order_page(order_id))
    asked(visit, order_id)
    first, second = visit.cancels
    assert first == second
    expect(visit.status).to_have_text(OPEN)


def test_another_tab_has_asked_already(visit: Visit, asking: Shop) -> None:
    order_id = asking.put(**documents.paid())
    visit.go(order_page(order_id))
    visit.open(order_id)
    visit.choose()
    asking.cancel(order_id)
    visit.confirm.click()
    visit.refusal("CANCELLATION_REQUESTED", "You have asked the shop to cancel this order already.")
    visit.look("refused-requested")
    visit.close()
    expect(visit.status).to_have_text(OPEN)
    expect(take_back(visit)).to_be_visible()


def test_a_shop_that_begins_to_decide_while_the_form_is_open(visit: Visit, shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    visit.go(order_page(order_id))
    visit.open(order_id)
    expect(visit.confirm).to_have_text("Cancel the order")
    visit.choose()
    shop.configure(approval="always")
    visit.confirm.click()
    expect(visit.dialog.get_by_role("heading", level=2)).to_have_text(
        f"You have asked the shop to cancel order {order_id}"
    )
    visit.close()
    expect(visit.status).to_have_text(OPEN)


def test_a_guest_asks_and_takes_it_back(visits: Visits, shop: Shop) -> None:
    visit = visits.anonymous(phone=True)
    guest = Guest(visit, shop, f"{shop.mark}@example.com")
    order_id = guest.order()
    guest.open(order_id)
    shop.configure(guest_access=True, approval="always")
    asked(visit, order_id)
    expect(visit.status).to_have_text(OPEN)
    visit.look("request-guest")
    take_back(visit).click()
    expect(visit.status).to_have_text("You have taken your request back. The order stays as it is.")
    expect(visit.button_of(order_id)).to_be_visible()


def test_all_of_it_in_swedish_and_nothing_is_cut_off_at_320_pixels(visits: Visits, asking: Shop) -> None:
    order_id = asking.put(**documents.paid())
    visit = visits.signed_in(lang="sv-SE", viewport={"width": 320, "height": 568})
    visit.go(order_page(order_id))
    visit.page.get_by_role("button", name=f"Avbeställ order {order_id}").click()
    expect(visit.dialog.get_by_role("heading", level=2)).to_have_text(f"Be butiken avbeställa order {order_id}?")
    expect(visit.dialog).to_contain_text("Om butiken går med på det får du tillbaka")
    assert visit.dialog.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")
    visit.look("request-swedish-dialog")
    visit.choose()
    visit.confirm.click()
    expect(visit.dialog.get_by_role("heading", level=2)).to_have_text(
        f"Du har bett butiken avbeställa order {order_id}"
    )
    visit.dialog.get_by_role("button", name="Stäng").click()
    expect(visit.status).to_have_text("Du har bett butiken avbeställa ordern. Butiken bestämmer.")
    expect(take_back(visit)).to_have_text("Ta tillbaka")
    assert fits(visit)
    visit.look("request-swedish-open")
    # The words follow the page's language.
    visit.page.evaluate("document.querySelector('cancel-order').lang = 'en'")
    expect(visit.status).to_have_text(OPEN)
    expect(take_back(visit)).to_have_text("Take it back")


def test_what_few_orders_need_is_loaded_by_those_alone(visit: Visit, asking: Shop) -> None:
    order_id = asking.put(**documents.paid())
    loaded: list[str] = []

    def note(request: Request) -> None:
        if "/cancel-order/" in path_of(request) and "more" in path_of(request):
            loaded.append(path_of(request))

    visit.page.on("request", note)
    visit.go(order_page(order_id))
    expect(visit.button_of(order_id)).to_be_visible()
    assert not loaded
    visit.open(order_id)
    assert sorted(loaded) == ["/cancel-order/lang/en.more.js", "/cancel-order/more.js"]
