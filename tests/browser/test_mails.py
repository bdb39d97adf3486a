"""Each kind of mail as a person sees it: on a narrow phone and on a desk, light and dark. Pictures of all are kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from cancel_core.adapters.mail_templates import kinds
from cancel_core.domain.mail_settings import LANGUAGES
from playwright.sync_api import Browser, Page, expect

from tests.browser.visit import SCREENSHOTS
from tests.support.mails import FOLDER, MAIL, TEMPLATES, facts
from tests.support.shop import Shop
from tests.support.waiting import wait_until

KINDS = kinds(FOLDER)
NARROW, WIDE = 320, 800
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenhalterung"


@pytest.fixture(scope="module", params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> Literal["light", "dark"]:
    asked: Literal["light", "dark"] = request.param
    return asked


@pytest.fixture(scope="module", params=[NARROW, WIDE])
def page(request: pytest.FixtureRequest, browser: Browser, scheme: Literal["light", "dark"]) -> Iterator[Page]:
    """One for all mails, which know no script and keep nothing: a page takes longer to open than a mail to look at."""
    context = browser.new_context(viewport={"width": request.param, "height": 700}, color_scheme=scheme)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def phone(browser: Browser) -> Iterator[Page]:
    """One for all mails, too, in the light."""
    context = browser.new_context(viewport={"width": NARROW, "height": 700})
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_mail_fits_is_legible_and_is_clean(kind: str, page: Page, scheme: str) -> None:
    width = (page.viewport_size or {"width": 0})["width"]
    page.set_content(TEMPLATES.write(kind, "en", facts()).html)
    page.screenshot(path=SCREENSHOTS / f"mail-{kind}-{width}-{scheme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    # Dark where the reader's programs are, and light where they are.
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, back.removeprefix("rgb(").removesuffix(")").split(","))) < 3 * 128) == (scheme == "dark")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_mail_fits_in_each_language_and_with_long_words(kind: str, language: str, phone: Page) -> None:
    long = facts(name=LONG, shop=LONG, comment=LONG * 3, order_id="1" * 255, support_url=f"https://{LONG}.example/?x=1")
    long |= {"note": [LONG * 3], "request_comment": [LONG * 3], "request_id": "1" * 255}
    long["items"] = [one | {"name": LONG} for one in long["items"]]
    phone.set_content(TEMPLATES.write(kind, language, long).html)
    assert phone.evaluate("document.documentElement.scrollWidth") <= NARROW
    phone.set_content(TEMPLATES.write(kind, language, facts()).html)
    phone.screenshot(path=SCREENSHOTS / f"mail-{kind}-{language}.png", full_page=True)


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_the_local_stacks_page_of_mails_is_one_to_read(
    width: int, scheme: Literal["light", "dark"], shop: Shop, browser: Browser
) -> None:
    shop.configure(mail=MAIL)
    order_id = shop.put(customer_email="anna@example.com", customer_name="Anna")
    shop.canceled(order_id)
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()

    def is_there() -> bool:
        page.goto(f"{shop.endpoint}/local/mails/")
        return page.get_by_role("link", name=f"Your order {order_id} has been cancelled").count() > 0

    wait_until(is_there, what="the mail is in the list")
    page.get_by_role("link", name=f"Your order {order_id} has been cancelled").click()
    expect(page.get_by_role("heading", level=2)).to_have_text(f"Your order {order_id} has been cancelled")
    expect(page.frame_locator("iframe").get_by_text("Hello Anna,")).to_be_visible()
    expect(page.locator("pre")).to_contain_text("Hello Anna,")
    page.screenshot(path=SCREENSHOTS / f"mails-page-{width}-{scheme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    context.close()
