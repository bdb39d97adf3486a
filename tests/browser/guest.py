"""A guest at the page `guest.html`: what they type, and the mail that they read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
from playwright.sync_api import Page, Request, expect

from tests.browser.visit import Visit, path_of
from tests.support import documents
from tests.support.client import PLAIN
from tests.support.mails import MAIL
from tests.support.shop import Shop
from tests.support.waiting import wait_until

GUEST = "/guest.html"
KEPT = "cancel-core.guest"
SENT = "If there is such an order, a code is on its way to its address; it is valid for 15 minutes."


@dataclass
class Guest:
    """Somebody without an account, in the browser of `visit`. `asked`: the access routes as they were asked."""

    visit: Visit
    shop: Shop
    email: str
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shop.configure(guest_access=True, mail=MAIL)
        self.page.on("request", self._sent)

    def _sent(self, request: Request) -> None:
        if path_of(request).startswith("/guest-access"):
            self.asked.append(path_of(request))

    @property
    def page(self) -> Page:
        return self.visit.page

    def order(self, **attributes: Any) -> str:
        """A paid order of this guest, as the order system writes it; its id."""
        attributes = documents.paid() | {"customer_email": self.email} | attributes
        document = documents.order(f"{self.shop.mark}-guest", "", self.shop.store_id, **attributes)
        del document["customer_id"]
        self.shop.put_exactly(document)
        return f"{self.shop.mark}-guest"

    def ask(self, order_id: str, email: str | None = None) -> None:
        """From the first form to the second."""
        self.visit.go(GUEST)
        self.page.get_by_label("Order number").fill(order_id)
        self.page.get_by_label("E-mail address").fill(email or self.email)
        self.page.get_by_role("button", name="Send me a code").click()
        expect(self.page.locator("h1")).to_have_text("Enter the code")

    def mails(self) -> list[dict[str, Any]]:
        """The codes' mails to this guest, newest first."""
        mails = httpx.get(f"{self.shop.endpoint}/local/mails", timeout=30, trust_env=False, verify=PLAIN).json()[
            "mails"
        ]
        return [mail for mail in mails if mail["kind"] == "guest_code" and mail["to"] == self.email]

    def mail(self, number: int = 1) -> dict[str, Any]:
        """The `number`th of them, once it has come."""
        wait_until(lambda: len(self.mails()) >= number, what=f"mail {number} to the guest comes")
        return self.mails()[-number]

    def code(self, number: int = 1) -> str:
        (code,) = re.findall(r"&code=(\d{6})\b", self.mail(number)["text"])
        return str(code)

    @staticmethod
    def link(order_id: str, code: str) -> str:
        """Where the mail's link leads."""
        return f"{GUEST}#order_id={quote(order_id, safe='')}&code={code}"

    @property
    def field(self) -> Any:
        return self.page.get_by_label("Code", exact=True)

    def show(self, code: str) -> None:
        """Types a code and presses the button."""
        self.field.fill(code)
        self.page.get_by_role("button", name="Show my order").click()

    def open(self, order_id: str) -> None:
        """The whole of it, up to the order."""
        self.ask(order_id)
        self.show(self.code())
        expect(self.page.locator("h1")).to_have_text(f"Order {order_id}")

    def kept(self) -> dict[str, dict[str, str]]:
        """What the browser keeps for the site, by kind."""
        kept: dict[str, dict[str, str]] = self.page.evaluate(
            "({session: {...sessionStorage}, local: {...localStorage}})"
        )
        return kept

    def addresses(self) -> list[str]:
        """Every address in this tab's history."""
        addresses: list[str] = self.page.evaluate("navigation.entries().map(({url}) => url)")
        return addresses
