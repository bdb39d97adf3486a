"""The component: the form, what is sent, and every refusal in the customer's words."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from examples.shipping import ship
from tests.browser.visit import ACCOUNT, ORDERS, Visit, Visits, order_page
from tests.support import documents
from tests.support.shop import Shop

CANCELLATION = re.compile(r"/cancellation$")


def problem(status: int, code: str, **more: Any) -> dict[str, Any]:
    """What `Route.fulfill` needs for an answer of the API."""
    body = {"type": f"urn:cancel-core:problem:{code}", "title": code, "status": status, "detail": code, "code": code}
    return {
        "status": status,
        "content_type": "application/problem+json",
        "body": json.dumps(body | {"instance": "/", "request_id": "req-4711"} | more),
    }


def hold(visit: Visit, path: re.Pattern[str] = CANCELLATION) -> list[Route]:
    """Requests of the path wait on their way to the API, in this list, until the test lets them go on."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    visit.page.route(path, keep)
    return held


# ------------------------------------------------------------------ the form


def test_no_reason_is_preselected_and_none_is_refused_at_the_field(visit: Visit, shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    visit.go(ORDERS)
    visit.open(order_id)
    group = visit.dialog.get_by_role("radiogroup", name="Why are you cancelling?")
    expect(group.get_by_role("radio", checked=True)).to_have_count(0)
    visit.confirm.click()
    expect(group.get_by_role("alert")).to_have_text("Choose a reason.")
    expect(group).to_have_attribute("aria-invalid", "true")
    expect(group).to_have_accessible_description("Choose a reason.")
    expect(group.get_by_role("radio").first).to_be_focused()
    visit.look("dialog-no-reason")
    visit.choose()
    expect(group.locator('[part="error"]')).to_have_text("")
    expect(group).not_to_have_attribute("aria-invalid", "true")
    visit.dialog.get_by_role("button", name="Keep the order").click()
    expect(visit.dialog).to_have_count(0)
    expect(visit.button_of(order_id)).to_be_focused()
    assert not visit.cancels
    assert shop.actions(order_id) == ["CANCEL"]


@pytest.mark.parametrize(
    ("name", "attributes", "before", "after"),
    [
        (
            "paid",
            documents.paid(shipping={"amount": 4900, "amount_invoiced": 4900, "amount_refunded": 0})
            | {"payments": [documents.captured(24900)]},
            ["Item 1", "SEK 200.00", "Shipping", "SEK 49.00", "Total", "SEK 249.00", "the way you paid"],
            "Refund approved: SEK 249.00. The shop will transfer it to you.",
        ),
        ("unpaid", {}, ["Nothing has been charged for this order"], "There is nothing to refund automatically."),
        (
            "authorized",
            {"payments": [documents.authorized(20000)]},
            ["The amount reserved for this order is released."],
            "The reserved amount has been released.",
        ),
        (
            "short",
            documents.paid() | {"payments": [documents.captured(5000)]},
            ["SEK 200.00"],
            "SEK 200.00 could not be refunded automatically. We know, and are looking into it.",
        ),
    ],
)
def test_the_customer_sees_what_comes_back_and_then_that_it_came(
    visit: Visit, shop: Shop, name: str, attributes: dict[str, Any], before: list[str], after: str
) -> None:
    order_id = shop.put(**attributes)
    visit.go(order_page(order_id))
    visit.open(order_id)
    shown = visit.dialog.locator('[part="refund"]').inner_text().replace("\xa0", " ")
    for words in before:
        assert words in shown
    visit.look(f"dialog-{name}")
    visit.choose()
    visit.dialog.get_by_label("Comment (optional)").fill("  Found it in the attic.  ")
    visit.confirm.click()
    visit.done(order_id)
    expect(visit.dialog.get_by_role("status")).to_have_text(re.compile(after.replace(" ", r"\s")))
    visit.look(f"done-{name}")
    visit.close()
    expect(visit.page.get_by_role("region", name="Cancellation")).to_contain_text("Found it in the attic.")
    expect(visit.button).to_have_count(0)
    ((key, body),) = visit.cancels
    assert re.fullmatch(r"[0-9a-f-]{36}", key)
    assert body == {"reason": "no_longer_needed", "comment": "Found it in the attic."}
    assert shop.order(order_id)["status"] in ("canceled", "closed")


def test_a_dialog_opened_again_at_once_is_not_emptied_by_its_closing(visit: Visit, shop: Shop) -> None:
    """The browser reports a closing a moment later."""
    order_id = shop.put()
    visit.go(ORDERS)
    visit.open(order_id)
    visit.page.evaluate(
        """() => {
            const {shadowRoot} = document.querySelector("cancel-order");
            shadowRoot.querySelector("dialog").close();
            shadowRoot.querySelector("button").click();
        }"""
    )
    expect(visit.dialog.get_by_role("radiogroup")).to_be_visible()
    visit.choose()
    visit.confirm.click()
    visit.done(order_id)


# ------------------------------------------------------------------ once


def test_a_double_click_cancels_once(visit: Visit, shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    visit.go(ACCOUNT)
    visit.open(order_id)
    visit.choose()
    visit.confirm.dblclick()
    visit.done(order_id)
    assert len(visit.cancels) == 1
    assert visit.cancels[0][1] == {"reason": "no_longer_needed"}


def test_while_the_call_runs_nothing_can_be_pressed_and_the_dialog_stays(visit: Visit, shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    held = hold(visit)
    visit.go(ACCOUNT)
    visit.cancel(order_id)
    expect(visit.confirm).to_have_text("Cancelling …")
    expect(visit.confirm).to_have_attribute("aria-disabled", "true")
    visit.confirm.click(force=True)
    visit.page.keyboard.press("Enter")
    for _ in range(3):
        visit.page.keyboard.press("Escape")
    visit.dialog.get_by_role("button", name="Keep the order").click(force=True)
    expect(visit.dialog).to_be_visible()
    visit.look("dialog-cancelling")
    (call,) = held
    call.continue_()
    visit.done(order_id)
    assert len(visit.cancels) == 1


def test_a_lost_answer_is_repeated_with_the_same_key(visit: Visit, shop: Shop) -> None:
    order_id = shop.put(**documents.paid())

    def lose(route: Route) -> None:
        route.fetch()  # it arrives, and the order is cancelled
        route.abort("connectionreset")

    visit.page.route(CANCELLATION, lose, times=1)
    visit.go(ACCOUNT)
    visit.cancel(order_id)
    expect(visit.dialog.get_by_role("status")).to_contain_text("We are still trying")
    visit.done(order_id)
    first, second = visit.cancels
    assert first == second
    assert shop.cancellation(order_id)["reason"]["code"] == "no_longer_needed"


def test_an_answer_cut_off_in_the_middle_is_a_lost_one(visit: Visit, shop: Shop) -> None:
    order_id = shop.put(**documents.paid())

    def cut(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(status=200, content_type="application/json", body=answer.text()[:-20])

    visit.page.route(CANCELLATION, cut, times=1)
    visit.go(ACCOUNT)
    visit.cancel(order_id)
    visit.done(order_id)
    assert len(visit.cancels) == 2
    assert visit.cancels[0] == visit.cancels[1]


def test_a_server_that_stays_down_leaves_the_key_for_the_next_try(visit: Visit, shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    gone = {"status": 503, "content_type": "application/json", "body": '{"message": "Service Unavailable"}'}
    visit.page.route(CANCELLATION, lambda route: route.fulfill(**gone))
    visit.go(ACCOUNT)
    visit.open(order_id)
    visit.choose("Another reason")
    visit.confirm.click()
    visit.refusal("SERVICE_UNAVAILABLE", "The shop is not answering right now.")
    visit.look("refused-down")
    assert len(visit.cancels) == 4
    visit.page.unroute(CANCELLATION)
    visit.dialog.get_by_role("button", name="Try again").click()
    visit.done(order_id)
    assert len({key for key, _ in visit.cancels}) == 1
    assert {body["reason"] for _, body in visit.cancels} == {"other"}


def test_another_wish_has_another_key_and_the_order_tells_what_became_of_the_first(visit: Visit, shop: Shop) -> None:
    """Every answer is lost; the customer tries with another reason. The first had been carried out."""
    order_id = shop.put(**documents.paid())

    def fail(route: Route) -> None:
        route.fulfill(**problem(500, "INTERNAL_ERROR"))

    visit.page.route(CANCELLATION, fail)
    visit.go(ACCOUNT)
    visit.cancel(order_id)
    visit.refusal("INTERNAL_ERROR", "Something went wrong at our end.")
    expect(visit.dialog).to_contain_text("req-4711")
    visit.look("refused-internal-error")
    visit.close()
    visit.open(order_id)
    visit.choose("Another reason")
    visit.confirm.click()
    visit.refusal("INTERNAL_ERROR", "Something went wrong at our end.")
    (first, _), (second, _) = visit.cancels
    assert first != second
    # Cancelled after all: closing the dialog asks for the order, which says so.
    shop.canceled(order_id)
    visit.close()
    expect(visit.status).to_contain_text("Cancelled.")
    expect(visit.button).to_have_count(0)


def test_offline_says_so_and_goes_on_with_the_same_key(visit: Visit, shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    visit.go(order_page(order_id))
    visit.open(order_id)
    visit.choose()
    visit.page.context.set_offline(True)
    visit.confirm.click()
    visit.refusal("OFFLINE", "You are offline.")
    visit.look("refused-offline")
    visit.page.context.set_offline(False)
    visit.dialog.get_by_role("button", name="Try again").click()
    visit.done(order_id)
    assert len({key for key, _ in visit.cancels}) == 1


def test_offline_before_the_dialog_can_show_anything(visit: Visit, shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    visit.go(order_page(order_id))
    expect(visit.button_of(order_id)).to_be_visible()
    visit.page.context.set_offline(True)
    visit.button_of(order_id).click()
    visit.refusal("OFFLINE", "You are offline.")
    visit.page.context.set_offline(False)
    visit.dialog.get_by_role("button", name="Try again").click()
    expect(visit.dialog.get_by_role("radiogroup")).to_be_visible()


# ------------------------------------------------------------------ refused


def test_two_tabs_on_one_order(visits: Visits, visit: Visit, shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    other = visits.another_tab(visit)
    visit.go(order_page(order_id))
    other.go(ORDERS)
    for tab in (visit, other):
        tab.page.bring_to_front()
        tab.open(order_id)
        tab.choose()
    visit.page.bring_to_front()
    visit.confirm.click()
    visit.done(order_id)
    other.page.bring_to_front()
    other.confirm.click()
    other.refusal("INVALID_ORDER_STATUS", "This order has already been cancelled.")
    other.look("refused-already-cancelled")
    other.close()
    # The page shows the order as it now is, with the refund of the other tab.
    expect(other.status).to_contain_text("Refund approved: ")
    expect(other.row(order_id).locator(".badge")).to_have_text(re.compile("Cancelled|Refunded"))
    expect(other.button).to_have_count(0)
    expect(other.status).to_be_focused()


def test_shipped_while_the_dialog_was_open(visit: Visit, shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    visit.go(order_page(order_id))
    visit.open(order_id)
    visit.choose()
    assert ship(shop.aws.orders, order_id, {"1": 2})
    visit.confirm.click()
    visit.refusal("INVALID_ORDER_STATUS", "This order has already been shipped.")
    visit.look("refused-shipped")
    visit.close()
    expect(visit.page.locator(".badge")).to_have_text("Shipped")
    expect(visit.status).to_have_text("This order has already been shipped.")
    expect(visit.button).to_have_count(0)


def test_the_race_with_a_shipment_is_told_by_what_has_left(visit: Visit, shop: Shop) -> None:
    """The cancel is under way when a part of the order is shipped."""
    order_id = shop.put(
        status="processing",
        items=[documents.invoiced("1", name="Kettle"), documents.invoiced("2", name="Cup")],
        payments=[documents.captured(40000)],
    )
    held = hold(visit)
    visit.go(ORDERS)
    visit.cancel(order_id)
    expect(visit.confirm).to_have_text("Cancelling …")
    assert ship(shop.aws.orders, order_id, {"2": 1}, status="processing")
    held[0].continue_()
    visit.refusal("PARTIAL_ORDER_ITEM_SHIPPED", "Part of this order has already been shipped: Cup.")
    visit.look("refused-part-shipped")
    visit.close()
    expect(visit.button).to_have_count(0)
    assert shop.order(order_id)["cancellation"] is None


def test_a_page_that_is_behind_explains_itself_before_the_form(visit: Visit, shop: Shop) -> None:
    order_id = shop.put(status="processing")
    visit.go(ORDERS)
    expect(visit.button_of(order_id)).to_be_visible()
    ship(shop.aws.orders, order_id, {"1": 1}, status="processing")
    visit.button_of(order_id).click()
    visit.refusal("PARTIAL_ORDER_ITEM_SHIPPED", "already been shipped: Item 1.")
    visit.close()
    expect(visit.button).to_have_count(0)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("holded", "This order is on hold."),
        ("closed", "This order is closed."),
        ("packing", "This order has gone too far to be cancelled."),
    ],
)
def test_a_status_that_does_not_allow_it(visit: Visit, shop: Shop, status: str, words: str) -> None:
    order_id = shop.put()
    visit.go(ORDERS)
    visit.open(order_id)
    visit.choose()
    shop.aws.orders.update_item(
        Key={"order_id": order_id},
        UpdateExpression="SET #s = :s",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":s": status},
    )
    visit.confirm.click()
    visit.refusal("INVALID_ORDER_STATUS", words)
    visit.close()
    expect(visit.status).to_contain_text(words)
    expect(visit.button).to_have_count(0)


def test_switched_off_meanwhile(visit: Visit, shop: Shop) -> None:
    order_id = shop.put()
    visit.go(order_page(order_id))
    visit.open(order_id)
    visit.choose()
    shop.configure(enabled=False)
    visit.confirm.click()
    visit.refusal("ORDER_CANCELLATION_DISABLED", "be cancelled here at the moment.")
    visit.look("refused-switched-off")
    visit.close()
    expect(visit.button).to_have_count(0)


def test_a_reason_that_is_gone_is_told_at_the_field_with_the_new_ones(visit: Visit, shop: Shop) -> None:
    order_id = shop.put()
    visit.go(ORDERS)
    visit.open(order_id)
    visit.choose("Another reason")
    shop.configure(reasons=[{"code": "new", "description": "A new one"}])
    visit.confirm.click()
    alert = visit.dialog.get_by_role("radiogroup").get_by_role("alert")
    expect(alert).to_have_text("That reason is no longer offered. Choose another.")
    expect(visit.dialog.get_by_role("radio")).to_have_count(1)
    visit.look("refused-reason")
    visit.choose("A new one")
    visit.confirm.click()
    visit.done(order_id)


def test_an_order_that_is_gone(visit: Visit, shop: Shop) -> None:
    order_id = shop.put()
    visit.go(ORDERS)
    visit.open(order_id)
    visit.choose()
    shop.aws.orders.delete_item(Key={"order_id": order_id})
    visit.confirm.click()
    visit.refusal("ORDER_NOT_FOUND", "find this order among yours.")
    visit.close()
    expect(visit.button).to_have_count(0)


def test_an_expired_session_leads_to_the_sign_in_and_back(visit: Visit, shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    visit.go(order_page(order_id))
    visit.open(order_id)
    visit.choose()
    visit.page.evaluate(
        """() => {
            const session = JSON.parse(localStorage["cancel-core.session"]);
            session.token = session.token.slice(0, -4) + "AAAA";
            localStorage["cancel-core.session"] = JSON.stringify(session);
        }"""
    )
    visit.confirm.click()
    visit.refusal("SIGNED_OUT", "You have been signed out.")
    visit.look("refused-signed-out")
    visit.dialog.get_by_role("button", name="Sign in again").click()
    expect(visit.page.locator("h1")).to_have_text("Sign in")
    expect(visit.page.get_by_role("alert")).to_have_text("You have been signed out. Sign in again to go on.")
    visit.look("sign-in-again")
    visit.page.get_by_label("Or another customer id").fill(shop.customer_id)
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator("h1")).to_have_text(f"Order {order_id}")
    visit.cancel(order_id)
    visit.done(order_id)


@pytest.mark.parametrize(
    ("code", "answer", "words", "again"),
    [
        ("CONCURRENT_UPDATE", problem(409, "CONCURRENT_UPDATE"), "being worked on right now", True),
        ("SERVICE_UNAVAILABLE", problem(503, "SERVICE_UNAVAILABLE"), "not answering right now", True),
        ("SERVICE_UNAVAILABLE", {"status": 429, "body": '{"message": "Too Many Requests"}'}, "not answering", True),
        ("SERVICE_UNAVAILABLE", {"status": 502, "body": "<h1>Bad Gateway</h1>"}, "not answering", True),
        ("INTERNAL_ERROR", {"status": 500, "body": '{"message": "Internal Server Error"}'}, "at our end", True),
        ("FORBIDDEN", {"status": 403, "body": '{"message": "Forbidden"}'}, "with this account", False),
        ("ORDER_TOO_LARGE", problem(409, "ORDER_TOO_LARGE"), "be cancelled here. Please contact", False),
        ("IDEMPOTENCY_KEY_REUSED", problem(422, "IDEMPOTENCY_KEY_REUSED"), "Something went wrong", False),
    ],
)
def test_what_only_a_bad_day_answers(
    visit: Visit, shop: Shop, code: str, answer: dict[str, Any], words: str, again: bool
) -> None:
    order_id = shop.put()
    # No waiting between the tries: how long they are is for another test.
    visit.page.add_init_script("const real = setTimeout; window.setTimeout = (f, ms) => real(f, Math.min(ms, 20));")
    visit.page.route(CANCELLATION, lambda route: route.fulfill(**answer))
    visit.go(ORDERS)
    visit.cancel(order_id)
    visit.refusal(code, words)
    buttons = visit.dialog.get_by_role("button")
    expect(buttons).to_have_text(["Close", "Try again"] if again else ["Close"])
    visit.close()


def test_what_is_too_much_for_today_is_refused_at_once_and_keeps_its_button(visit: Visit, shop: Shop) -> None:
    shop.configure(max_cancels_per_day=1)
    shop.canceled(shop.put())
    order_id = shop.put()
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.method) if "/cancellation" in request.url else None)
    visit.go(order_page(order_id))
    visit.cancel(order_id)
    visit.refusal("TOO_MANY_CANCELLATIONS", "as many orders as the shop allows in a day. You can try again after")
    assert asked.count("POST") == 1
    expect(visit.dialog.get_by_role("button")).to_have_text(["Close"])
    visit.close()
    expect(visit.button).to_have_count(1)


# ------------------------------------------------------------------ the refund's progress


def test_a_pending_refund_is_looked_at_with_growing_pauses_while_it_can_be_seen(visit: Visit, shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    canceled = shop.canceled(order_id)["order"]
    asked: list[str] = []

    def pending(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=200, content_type="application/json", body=json.dumps(canceled))

    visit.page.route(f"**/orders/{order_id}", pending)
    visit.page.clock.install()
    visit.go(order_page(order_id))
    expect(visit.status).to_contain_text("We are refunding SEK")
    asked.clear()

    def after(seconds: int) -> int:
        """How often it was asked for within the seconds."""
        before = len(asked)
        for _ in range(seconds):
            visit.page.clock.run_for(1000)
            visit.page.wait_for_timeout(5)
        return len(asked) - before

    first, then = after(15), after(60)
    assert 3 <= first <= 6
    assert 1 <= then < 2 * first
    # Nobody looks: nobody asks.
    visit.page.evaluate("""() => {
        Object.defineProperty(document, "hidden", {value: true, configurable: true});
        document.dispatchEvent(new Event("visibilitychange"));
    }""")
    assert after(120) == 0
    # Somebody looks again: at once, and what they see is what is.
    visit.page.unroute(f"**/orders/{order_id}")
    visit.page.evaluate("""() => {
        Object.defineProperty(document, "hidden", {value: false, configurable: true});
        document.dispatchEvent(new Event("visibilitychange"));
    }""")
    visit.page.clock.run_for(1500)
    expect(visit.status).to_contain_text("Refund approved: ")
    visit.page.evaluate("document.querySelector('cancel-order').remove()")
    assert after(30) == 0
