"""A customer at the pages: what they see and press, and what the browser sends for it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect

from tests.support.machine import ROOT
from tests.support.shop import Shop, session_of, token_of

# Every page and state as it looked, from the last run.
SCREENSHOTS = ROOT / ".local" / "screenshots"
PHONE, DESKTOP = (390, 844), (1100, 800)
ACCOUNT, ORDERS = "/", "/orders.html"

expect.set_options(timeout=60_000)


def order_page(order_id: str) -> str:
    return f"/order.html?id={order_id}"


@dataclass
class Visit:
    """One tab. `cancels`: each cancel that was sent, as (its key, its body)."""

    page: Page
    endpoint: str
    complaints: list[str] = field(default_factory=list)
    cancels: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.complaints.append(f"{error}"))
        self.page.on("console", self._said)
        self.page.on("request", self._sent)

    def _said(self, message: ConsoleMessage) -> None:
        # Chromium itself notes each answer from 400 on, and each request that finds none; the tests make those happen.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.complaints.append(message.text)

    def _sent(self, request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/cancellation"):
            body = json.loads(request.post_data or "")
            self.cancels.append((request.headers.get("idempotency-key", ""), body))

    def go(self, path: str) -> None:
        self.page.goto(self.endpoint + path)
        expect(self.page.locator("h1")).to_be_visible()

    def settled(self) -> None:
        """Waits until the orders are there."""
        expect(self.page.locator("cancel-order").first).to_be_attached()

    def row(self, order_id: str) -> Locator:
        """What the list shows of an order."""
        return self.page.locator(f'li[data-order="{order_id}"]')

    @property
    def button(self) -> Locator:
        """The buttons that cancel an order, on the page."""
        return self.page.locator('cancel-order [part="button"]')

    def button_of(self, order_id: str) -> Locator:
        return self.page.get_by_role("button", name=f"Cancel order {order_id}")

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    @property
    def confirm(self) -> Locator:
        return self.dialog.locator('button[type="submit"]')

    @property
    def status(self) -> Locator:
        """What the component says beside the order, of the page's first."""
        return self.page.locator('cancel-order [part="status"]').first

    def open(self, order_id: str) -> None:
        """The dialog, up to its form."""
        self.button_of(order_id).click()
        expect(self.dialog.get_by_role("radiogroup")).to_be_visible()

    def choose(self, description: str = "I no longer need it") -> None:
        self.dialog.get_by_label(description, exact=True).check()

    def cancel(self, order_id: str) -> None:
        """The whole of it, up to the answer."""
        self.open(order_id)
        self.choose()
        self.confirm.click()

    def done(self, order_id: str) -> None:
        expect(self.dialog.get_by_role("heading", level=2)).to_have_text(f"Order {order_id} is cancelled")

    def close(self) -> None:
        self.dialog.get_by_role("button", name="Close").click()
        expect(self.dialog).to_have_count(0)

    def refusal(self, code: str, words: str) -> None:
        """The dialog explains this refusal in these words."""
        message = self.dialog.locator('[part="message"]')
        expect(message).to_have_attribute("data-code", code)
        expect(message).to_contain_text(words)

    def look(self, name: str) -> None:
        """Keeps a picture of what is to be seen now, and has axe find nothing serious in it."""
        shown = self.dialog.count()
        if shown:
            self.dialog.evaluate("dialog => Promise.all(dialog.getAnimations().map((entrance) => entrance.finished))")
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=not shown)
        found = Axe().run(self.page, options={"resultTypes": ["violations"]}).response["violations"]
        serious = [
            f"{rule['id']} ({rule['impact']}): {[node['html'][:120] for node in rule['nodes']]}"
            for rule in found
            if rule["impact"] in ("serious", "critical", "moderate")
        ]
        assert not serious, "\n".join(serious)


class Visits:
    """Browsers with storage of their own; closed together."""

    def __init__(self, browser: Browser, shop: Shop) -> None:
        self.browser, self.shop = browser, shop
        self._contexts: list[BrowserContext] = []
        self._visits: list[Visit] = []

    def anonymous(self, *, phone: bool = False, dark: bool = False, lang: str = "en-GB", **options: Any) -> Visit:
        width, height = PHONE if phone else DESKTOP
        context = self.browser.new_context(
            **{
                "locale": lang,
                "timezone_id": "Europe/Stockholm",
                "color_scheme": "dark" if dark else "light",
                "viewport": {"width": width, "height": height},
                "has_touch": phone,
            }
            | options
        )
        self._contexts.append(context)
        return self._visit(context)

    def signed_in(self, customer_id: str | None = None, **options: Any) -> Visit:
        """Signed in without the sign-in page; as the shop's customer unless told otherwise."""
        visit = self.anonymous(**options)
        customer = customer_id or self.shop.customer_id
        session = session_of(token_of(self.shop.endpoint, customer))
        # Once: what the page makes of it later stays.
        visit.page.context.add_init_script(f"localStorage['cancel-core.session'] ??= {json.dumps(json.dumps(session))}")
        return visit

    def another_tab(self, visit: Visit) -> Visit:
        return self._visit(visit.page.context)

    def _visit(self, context: BrowserContext) -> Visit:
        made = Visit(context.new_page(), self.shop.endpoint)
        self._visits.append(made)
        return made

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        for visit in self._visits:
            assert not visit.complaints, "\n".join(visit.complaints)


def path_of(request: Request) -> str:
    return urlsplit(request.url).path
