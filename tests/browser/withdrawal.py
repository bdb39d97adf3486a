"""A consumer at <withdraw-contract>: what they see, type and press, and what the browser sends for it."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Locator, Request, Route, expect

from local.gateway.pages import POLICY
from tests.browser.visit import Visit

NAME, EMAIL, ORDER = "Anna Ek", "anna@example.com", "A-1001"
FUNCTION, CONFIRMATION = "Withdraw from contract here", "Confirm withdrawal"
PLAIN = "<withdraw-contract></withdraw-contract>"
# Of the request that sends a statement: anyone's, and the customer's own.
ANYONES, CUSTOMERS = "**/withdrawals", "**/orders/*/withdrawal"


class Withdrawal:
    """The element on a visit's page. `sent`: each statement, as (its path, its key, its body)."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.page = visit, visit.page
        self.sent: list[tuple[str, str, dict[str, Any]]] = []
        self.tokens: list[str | None] = []
        self.page.on("request", self._sent)

    def _sent(self, request: Request) -> None:
        if request.method == "POST" and ("/withdrawals" in request.url or request.url.endswith("/withdrawal")):
            path = request.url.removeprefix(self.visit.endpoint)
            self.sent.append((path, request.headers.get("idempotency-key", ""), json.loads(request.post_data or "")))
            self.tokens.append(request.headers.get("authorization"))

    def bare(self, markup: str, script: str = "", lang: str = "en") -> None:
        """A page of the stack's own origin, under its policy, that has this markup and the component's module."""
        # By their whole addresses: markup may have a base of its own.
        modules = [f"{self.visit.endpoint}/{file}" for file in ("withdraw-contract/withdraw-contract.js", "site.js")]
        page = (
            f'<!doctype html><html lang="{lang}"><title>Shop</title><meta name="viewport" content="width=device-width">'
            f"<main><h1>Shop</h1>{markup}</main>"
            + "".join(f'<script type="module" src="{module}"></script>' for module in modules)
        )
        headers = {"content-security-policy": POLICY}
        self.page.route(
            "**/bare.html", lambda route: route.fulfill(body=page, headers=headers, content_type="text/html")
        )
        self.page.route("**/site.js", lambda route: route.fulfill(body=script, content_type="text/javascript"))
        self.page.goto(f"{self.visit.endpoint}/bare.html")

    @property
    def element(self) -> Locator:
        return self.page.locator("withdraw-contract").first

    def part(self, name: str) -> Locator:
        return self.element.locator(f'[part="{name}"]')

    @property
    def order_field(self) -> Locator:
        """The same part names the order in words where it is known already: the page before may still show that."""
        return self.element.locator('input[part="order"]')

    @property
    def heading(self) -> Locator:
        return self.element.get_by_role("heading", level=2)

    def at(self, step: str) -> None:
        """Waits for the step, and that its heading has the focus."""
        titles = {
            "form": "Withdraw from a contract",
            "review": "Check what will be sent",
            "receipt": "Your withdrawal has been received",
        }
        expect(self.heading).to_have_text(titles[step])
        expect(self.heading).to_be_focused()

    def open(self) -> None:
        self.part("button").click()
        self.at("form")

    def fill(self, name: str = NAME, email: str = EMAIL, order: str = ORDER) -> None:
        self.element.get_by_label("Your name").fill(name)
        self.element.get_by_label("Your e-mail address").fill(email)
        self.element.get_by_label("Order or contract number").fill(order)

    def proceed(self) -> None:
        self.element.get_by_role("button", name="Continue").click()

    def proceed_by_part(self) -> None:
        """In whatever language."""
        self.part("continue").click()

    def review(self, **typed: str) -> None:
        """From the button to the page that shows what will be sent."""
        self.open()
        self.fill(**typed)
        self.proceed()
        self.at("review")

    @property
    def confirm(self) -> Locator:
        return self.part("confirm")

    def failure(self, code: str, words: str) -> None:
        message = self.part("message").locator("p").first
        expect(message).to_have_attribute("data-code", code)
        expect(message).to_contain_text(words)

    def pairs(self, within: Locator) -> dict[str, str]:
        """The names and values that a list shows."""
        rows = within.locator("dl > div").all()
        return {row.locator("dt").inner_text(): row.locator("dd").inner_text() for row in rows}

    def look(self, name: str) -> None:
        self.element.evaluate(
            "(element) => Promise.all(element.shadowRoot.getAnimations().map((entrance) => entrance.finished))"
        )
        self.visit.look(name)


def accepted(body: dict[str, Any], to: str = "a•••@example.com") -> dict[str, Any]:
    """The API's 201 to a statement."""
    return {
        "withdrawal_id": "wdr_0123456789abcdef0123456789abcdef",
        "received_at": "2026-11-26T20:15:30.123Z",
        "statement": body,
        "receipt": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "acknowledgement": {"channel": "email", "to": to},
    }


def accept(route: Route) -> None:
    route.fulfill(status=201, json=accepted(json.loads(route.request.post_data or "")))


def taking(visit: Visit) -> Withdrawal:
    """The element on a bare page, whose API takes every statement."""
    made = Withdrawal(visit)
    made.page.route(ANYONES, accept)
    made.bare(PLAIN)
    return made
