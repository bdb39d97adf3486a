"""A shop's own rules in the component: until when, which comment is needed, and why not."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cancel_core.domain.times import iso
from playwright.sync_api import Route, expect

from tests.browser.test_cancel import CANCELLATION, problem
from tests.browser.visit import ORDERS, Visit, Visits, order_page
from tests.support import documents
from tests.support.shop import Shop

OVER = "The time for cancelling this order is over."
SIZES = pytest.mark.parametrize("phone", [True, False], ids=["phone", "desktop"])


def size_of(phone: bool) -> str:
    return "phone" if phone else "desktop"


def placed(seconds_left: float, minutes: int = 60) -> str:
    """When an order was placed whose window of so many minutes is open for so many seconds still."""
    return iso(datetime.now(UTC) - timedelta(minutes=minutes) + timedelta(seconds=seconds_left))


# ------------------------------------------------------------------ until when


@SIZES
@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en-GB", "You can cancel until 2 March 2099 at 00:30."),
        ("sv-SE", "Du kan avbeställa till och med 2 mars 2099 kl. 00:30."),
    ],
)
def test_until_when_in_the_customers_language_and_time(
    visits: Visits, shop: Shop, phone: bool, lang: str, words: str
) -> None:
    shop.configure(cancel_within_minutes=60)
    order_id = shop.put(**documents.paid(), placed_at="2099-03-01T22:30:00Z")
    visit = visits.signed_in(phone=phone, lang=lang)
    for path in (ORDERS, order_page(order_id)):
        visit.go(path)
        expect(visit.page.locator('cancel-order [part="until"]')).to_have_text(words)
        assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        visit.look(f"until-{'list' if path == ORDERS else 'order'}-{lang}-{size_of(phone)}")
    visit.button.click()
    expect(visit.dialog.locator('[part="terms"]')).to_have_text(words)
    visit.look(f"until-dialog-{lang}-{size_of(phone)}")


def test_the_button_goes_when_the_time_is_over(visit: Visit, shop: Shop) -> None:
    shop.configure(cancel_within_minutes=60)
    order_id = shop.put(placed_at=placed(12))
    visit.go(ORDERS)
    visit.button_of(order_id).focus()
    expect(visit.button).to_have_count(0)
    expect(visit.status).to_have_text(OVER)
    expect(visit.page.locator('cancel-order [part="until"]')).to_have_text("")
    # It had the keyboard, which goes on at what stands in its place.
    expect(visit.status).to_be_focused()
    visit.look("until-over")


def test_a_form_that_was_open_meanwhile_says_that_the_time_is_over(visit: Visit, shop: Shop) -> None:
    shop.configure(cancel_within_minutes=60)
    order_id = shop.put(placed_at=placed(600))
    visit.go(order_page(order_id))
    visit.open(order_id)
    visit.choose()
    shop.put(order_id=order_id, placed_at=placed(-5))
    visit.confirm.click()
    visit.refusal("CANCELLATION_WINDOW_CLOSED", OVER)
    visit.look("refused-window")
    visit.close()
    expect(visit.status).to_have_text(OVER)
    expect(visit.button).to_have_count(0)


def test_after_the_time_the_shop_decides_where_it_says_so(visit: Visit, shop: Shop) -> None:
    shop.configure(cancel_within_minutes=60, approval="after_window")
    order_id = shop.put(placed_at=placed(12))
    visit.go(order_page(order_id))
    until = visit.page.locator('cancel-order [part="until"]')
    expect(until).to_contain_text("You can cancel until")
    expect(until).to_have_text("")
    visit.open(order_id)
    expect(visit.confirm).to_have_text("Ask the shop to cancel")
    expect(visit.dialog).not_to_contain_text("until 2")


def test_a_device_whose_clock_is_fast_asks_the_shop_and_not_itself(visit: Visit, shop: Shop) -> None:
    """It asks a few times more, with longer pauses each time; the button stays."""
    shop.configure(cancel_within_minutes=60)
    order_id = shop.put(placed_at=placed(1800))
    visit.page.clock.install(time=datetime.now(UTC) + timedelta(minutes=45))
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    visit.go(ORDERS)
    expect(visit.page.locator('cancel-order [part="until"]')).to_contain_text("You can cancel until")
    for _ in range(60):
        visit.page.clock.run_for(1000)
        visit.page.wait_for_timeout(5)
    number = len([url for url in asked if url.endswith(f"/orders/{order_id}")])
    assert 1 <= number <= 3
    expect(visit.button_of(order_id)).to_be_visible()


def test_a_window_of_a_year_waits(visit: Visit, shop: Shop) -> None:
    """Longer than a timer of the browser can."""
    shop.configure(cancel_within_minutes=525600)
    order_id = shop.put(placed_at=iso(datetime.now(UTC)))
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    visit.go(ORDERS)
    expect(visit.page.locator('cancel-order [part="until"]')).to_contain_text("You can cancel until")
    visit.page.wait_for_timeout(500)
    assert not [url for url in asked if url.endswith(f"/orders/{order_id}")]


# ------------------------------------------------------------------ a comment that is needed


@SIZES
def test_the_comments_label_follows_the_reason(visits: Visits, shop: Shop, phone: bool) -> None:
    shop.configure(comment_required_for=["other"])
    order_id = shop.put()
    visit = visits.signed_in(phone=phone)
    visit.go(order_page(order_id))
    visit.open(order_id)
    comment = visit.dialog.get_by_label("Comment")
    expect(comment).to_have_accessible_name("Comment (optional)")
    visit.choose("Another reason")
    expect(comment).to_have_accessible_name("Comment (needed with this reason)")
    expect(comment).to_have_attribute("aria-required", "true")
    comment.fill("  ")
    visit.confirm.click()
    expect(visit.dialog.get_by_role("alert")).to_have_text("Please write a comment.")
    expect(comment).to_be_focused()
    expect(comment).to_have_attribute("aria-invalid", "true")
    expect(comment).to_have_accessible_description("At most 500 characters. Please write a comment.")
    assert not visit.cancels
    visit.look(f"comment-needed-{size_of(phone)}")
    visit.choose()
    expect(comment).to_have_accessible_name("Comment (optional)")
    expect(visit.dialog.get_by_role("alert")).to_have_count(0)
    visit.choose("Another reason")
    comment.fill("Two of them")
    visit.confirm.click()
    visit.done(order_id)
    assert shop.order(order_id)["cancellation"]["comment"] == "Two of them"


@pytest.mark.parametrize("before", ["known", "not known"])
def test_a_reason_that_needs_a_comment_asks_for_it(visit: Visit, shop: Shop, before: str) -> None:
    """The API's refusal: an invisible comment, or a rule that is newer than the form."""
    rule = {"comment_required_for": ["no_longer_needed"]}
    shop.configure(**(rule if before == "known" else {}))
    order_id = shop.put()
    visit.go(order_page(order_id))
    visit.open(order_id)
    visit.choose()
    comment = visit.dialog.locator("textarea")
    if before == "known":
        comment.fill("\u200b")
    shop.configure(**rule)
    visit.confirm.click()
    expect(visit.dialog.get_by_role("alert")).to_have_text("Please write a comment.")
    expect(comment).to_be_focused()
    expect(comment).to_have_attribute("aria-invalid", "true")
    expect(comment).to_have_accessible_name("Comment (needed with this reason)")
    visit.look(f"comment-required-{before.replace(' ', '-')}")
    comment.fill("Two of them")
    expect(comment).not_to_have_attribute("aria-invalid", "true")
    visit.confirm.click()
    expect(visit.dialog.get_by_role("heading")).to_contain_text("is cancelled")
    assert shop.order(order_id)["cancellation"]["comment"] == "Two of them"


# ------------------------------------------------------------------ why not


@pytest.mark.parametrize(
    ("excluded", "words"),
    [
        ({"skus": ["SKU-1"]}, "be cancelled here because of what is in it: Ring and Mug. Please contact"),
        ({"item_types": ["engraved"]}, "be cancelled here because of what is in it: Ring. Please contact"),
        ({"payment_providers": ["offline"]}, "Orders that were paid for in this way"),
        ({"customer_groups": ["trade"]}, "Orders of your kind of account"),
        ({"total_above": {"SEK": 1}}, "Orders of this amount"),
    ],
    ids=["sku", "item-type", "provider", "group", "total"],
)
def test_what_the_store_excludes_is_told_by_its_cause(
    visit: Visit, shop: Shop, excluded: dict[str, Any], words: str
) -> None:
    items = [
        documents.invoiced("1", name="Ring", sku="SKU-1", type="engraved"),
        documents.invoiced("2", name="Mug", sku="SKU-1"),
        documents.invoiced("3", name="Spoon", sku="SKU-3"),
    ]
    order_id = shop.put(**documents.paid(items=items), customer_group="trade")
    visit.go(order_page(order_id))
    visit.open(order_id)
    visit.choose()
    shop.configure(excluded=excluded)
    visit.confirm.click()
    visit.refusal("NOT_CANCELLABLE", words)
    visit.look(f"refused-excluded-{next(iter(excluded))}")
    visit.close()
    expect(visit.button).to_have_count(0)
    expect(visit.status).to_contain_text(words)


def test_a_page_that_is_behind_names_what_is_excluded_before_the_form(visit: Visit, shop: Shop) -> None:
    order_id = shop.put(items=[documents.row("1", name="Ring <b>", sku="ENGRAVED")])
    visit.go(ORDERS)
    expect(visit.button_of(order_id)).to_be_visible()
    shop.configure(excluded={"skus": ["ENGRAVED"]})
    visit.button_of(order_id).click()
    visit.refusal("NOT_CANCELLABLE", "because of what is in it: Ring <b>.")


@pytest.mark.parametrize(
    ("headers", "words"), [({}, "Try again tomorrow."), ({"retry-after": "3600"}, "try again after")]
)
def test_too_many_in_a_day(visit: Visit, shop: Shop, headers: dict[str, str], words: str) -> None:
    order_id = shop.put()
    answer = problem(429, "TOO_MANY_CANCELLATIONS")
    kind = {"content-type": answer.pop("content_type")}
    visit.page.route(CANCELLATION, lambda route: route.fulfill(**answer, headers=kind | headers))
    visit.go(ORDERS)
    visit.cancel(order_id)
    visit.refusal("TOO_MANY_CANCELLATIONS", "You have cancelled as many orders as the shop allows in a day.")
    visit.refusal("TOO_MANY_CANCELLATIONS", words)
    assert len(visit.cancels) == 1
    visit.look(f"refused-too-many{'-until' if headers else ''}")
    visit.close()
    expect(visit.button_of(order_id)).to_be_visible()


def test_a_cancel_in_time_does_without_what_cannot_be_loaded(visit: Visit, shop: Shop) -> None:
    shop.configure(cancel_within_minutes=60, comment_required_for=["other"])
    order_id = shop.put(placed_at=placed(600))
    visit.page.route("**/more.js", lambda route: route.fulfill(status=404, body="gone"))
    visit.go(ORDERS)
    visit.cancel(order_id)
    visit.done(order_id)


def test_what_cannot_be_loaded_asks_for_nothing(visit: Visit, shop: Shop) -> None:
    """Nobody is told that they cancel where the shop decides."""
    shop.configure(approval="always")
    order_id = shop.put(**documents.paid())
    visit.page.add_init_script("const real = setTimeout; window.setTimeout = (f, ms) => real(f, Math.min(ms, 20));")
    visit.page.route("**/more.js", lambda route: route.fulfill(status=404, body="gone"))
    visit.go(order_page(order_id))
    visit.button_of(order_id).click()
    visit.refusal("NO_ANSWER", "The order could not be loaded.")
    visit.page.unroute("**/more.js")
    visit.dialog.get_by_role("button", name="Try again").click()
    expect(visit.confirm).to_have_text("Ask the shop to cancel")


def test_words_that_cannot_be_loaded_leave_a_plain_refusal(visit: Visit, shop: Shop) -> None:
    order_id = shop.put()

    def refuse(route: Route) -> None:
        route.fulfill(**problem(409, "NOT_CANCELLABLE", order=shop.order(order_id)))

    visit.page.route("**/more.js", lambda route: route.fulfill(status=404, body="gone"))
    visit.page.route(CANCELLATION, refuse)
    visit.go(ORDERS)
    visit.cancel(order_id)
    visit.refusal("NOT_CANCELLABLE", "be cancelled here. Please contact customer service.")


def test_a_sites_own_language_without_the_words_that_few_orders_need_has_them_in_english(
    visit: Visit, shop: Shop
) -> None:
    """A file of an older copy, or one that was not translated as a whole."""
    shop.configure(approval="always")
    order_id = shop.put()
    visit.go(order_page(order_id))
    expect(visit.button_of(order_id)).to_be_visible()
    words = {"cancel_order": "Stornieren", "cancel_order_named": "Stornieren: {order}"}
    visit.page.evaluate(
        """async (words) => {
            const {CancelOrder} = await import("/cancel-order/cancel-order.js");
            const {default: english} = await import("/cancel-order/lang/en.js");
            CancelOrder.languages.de = async () => ({default: {...english, ...words}});
            document.querySelector("cancel-order").lang = "de";
        }""",
        words,
    )
    visit.page.get_by_role("button", name=f"Stornieren: {order_id}").click()
    expect(visit.dialog.get_by_role("heading", level=2)).to_have_text(re.compile("^Ask the shop to cancel"))
