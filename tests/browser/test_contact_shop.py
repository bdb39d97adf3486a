"""What a customer is told where the component can do no more: the shop's own words, and how to reach the shop."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.test_cancel import problem
from tests.browser.test_host_site import BUTTON, Site, order, refund, site

__all__ = ["site"]


@pytest.mark.parametrize(
    ("fails", "markup", "code"),
    [
        ({"status": 403, "body": "{}"}, BUTTON, "FORBIDDEN"),
        (problem(404, "ORDER_NOT_FOUND"), BUTTON, "ORDER_NOT_FOUND"),
        ({"status": 503, "body": "{}"}, BUTTON, "SERVICE_UNAVAILABLE"),
        (None, "<cancel-order orderid='7'></cancel-order>", "NO_ORDER"),
    ],
)
def test_an_order_that_cannot_be_had_is_told_to_page_developer_and_customer(
    site: Site, fails: dict[str, Any] | None, markup: str, code: str
) -> None:
    site.page.evaluate("const real = setTimeout; window.setTimeout = (f, ms) => real(f, Math.min(ms, 30));")
    site.fails = fails
    inner = '<a slot="unavailable" href="/help">Call us to cancel</a>'
    site.start(markup.replace("></cancel-order>", f">{inner}</cancel-order>"))
    expect(site.page.get_by_role("link", name="Call us to cancel")).to_be_visible()
    site.page.wait_for_function("heard.length")
    heard: list[Any] = site.page.evaluate("heard")
    assert [(name, detail["code"]) for name, detail in heard] == [("cancelordererror", code)]
    (warning,) = site.visit.complaints
    assert "<cancel-order>" in warning
    assert code in warning
    site.visit.complaints.clear()
    # Later it is there: the shop's words go.
    site.fails = None
    site.page.evaluate("element.setAttribute('order-id', '7'), element.refresh()")
    expect(site.page.locator('cancel-order [part="button"]')).to_be_visible()
    expect(site.page.get_by_role("link", name="Call us to cancel")).to_be_hidden()


def test_a_site_without_a_source_of_tokens_is_told(site: Site) -> None:
    site.start("", "CancelOrder.getToken = null;")
    inner = '<p slot="unavailable">Call us to cancel</p>'
    markup = BUTTON.replace("></", f">{inner}</")
    site.page.evaluate("(markup) => { document.querySelector('main').innerHTML = markup; }", markup)
    expect(site.page.get_by_text("Call us to cancel")).to_be_visible()
    site.page.wait_for_function("heard.length === 2")
    heard: list[Any] = site.page.evaluate("heard")
    assert dict(heard) == {"sessionexpired": {}, "cancelordererror": {"code": "no getToken", "order_id": "7"}}
    (warning,) = site.visit.complaints
    site.visit.complaints.clear()
    assert warning.startswith("<cancel-order>: the order can't be shown (no getToken).")
    assert "docs/storefront.md" in warning
    # Nothing was asked for in nobody's name.
    assert site.asked == []


def failed(known: dict[str, Any]) -> dict[str, Any]:
    """The order, cancelled, with a refund that failed."""
    told = refund(known)
    leg = {"payment_id": "p", "provider": "stripe", "action": "refund", "amount": told["amount"], "status": "failed"}
    sums = {"credited_by_shop": 0, "settled_by_hand": 0, "status": "failed", "payments": [leg], "failure": {}}
    cancellation = {"order_id": "7", "reason": {"code": "x", "description": "X"}, "refund": told | sums}
    return known | {"status": "canceled", "available_actions": [], "cancellation": cancellation}


def test_whatever_says_to_contact_the_shop_links_to_it(site: Site) -> None:
    linked = BUTTON.replace(" order-id", ' support-url="/help" order-id')
    site.start(linked)
    page, dialog = site.page, site.visit.dialog
    button = page.locator('cancel-order [part="button"]')
    beside, within = page.locator('[part="more"] [part="support"]'), dialog.locator('[part="support"]')
    # There is nothing to ask the shop.
    expect(button).to_be_visible()
    expect(beside).to_have_count(0)

    # In the dialog: refused, on the way in and by the cancel itself, and a failure with a reference.
    refusals = [
        ("cancellation-eligibility", problem(409, "ORDER_TOO_LARGE")),
        ("cancellation", problem(409, "ORDER_TOO_LARGE")),
        ("cancellation", problem(409, "ORDER_CANCELLATION_DISABLED")),
        ("cancellation", problem(409, "NOT_CANCELLABLE", because="total")),
        ("cancellation", problem(500, "INTERNAL_ERROR")),
    ]
    for path, answer in refusals:
        site.refuses = {path: answer}
        if path == "cancellation":
            site.open()
            site.confirm()
        else:
            button.click()
        expect(dialog).to_contain_text("customer service")
        expect(within).to_have_attribute("href", "/help")
        expect(within).to_have_text("Contact customer service")
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)

    # Beside the order: why it has no button, and a refund that failed. Markup runs no script.
    held = order(status="holded", available_actions=[])
    for markup, now, words, links in (
        (linked, held, "on hold", 1),
        (linked, failed(order()), "could not be refunded automatically", 1),
        (linked.replace("/help", "javascript:void(0)"), held, "on hold", 0),
    ):
        page.evaluate(
            """([markup, order]) => {
                document.querySelector("main").innerHTML = markup;
                document.querySelector("cancel-order").order = order;
            }""",
            [markup, now],
        )
        expect(site.visit.status).to_contain_text(words)
        expect(beside).to_have_count(links)
