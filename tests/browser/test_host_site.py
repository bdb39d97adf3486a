"""The component on sites that are not made for it: languages, plain http, phones, foreign CSS, frameworks."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import COMPONENT
from tests.browser.visit import SCREENSHOTS, Visit
from tests.support.machine import need

API = "https://api.example.com"
LONG = "Waterproof hiking jacket with detachable hood, reflective piping and Donaudampfschifffahrtsgesellschaft label"


def item(number: int, name: str = "") -> dict[str, Any]:
    return {
        "item_id": str(number),
        "sku": f"sku-{number}",
        "name": name or f"Item {number}",
        "qty_ordered": 1,
        "qty_shipped": 0,
        "amount": 123456,
    }


def order(**changes: Any) -> dict[str, Any]:
    """An order as the API gives it, which can be cancelled."""
    return {
        "order_id": "7",
        "store_id": "default",
        "status": "processing",
        "currency": "SEK",
        "total": 123456,
        "items": [item(1)],
        "shipping": None,
        "fees": [],
        "history": [],
        "cancellation": None,
        "available_actions": ["CANCEL"],
    } | changes


def refund(order: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What the eligibility tells, or a cancellation."""
    rows = [{"item_id": one["item_id"], "sku": one["sku"], "qty": 1, "amount": one["amount"]} for one in order["items"]]
    amount = sum(row["amount"] for row in rows)
    return {
        "currency": "SEK",
        "amount": amount,
        "shipping": 0,
        "fees": 0,
        "items": rows,
        "not_invoiced": 0,
    } | changes


def canceled(order: dict[str, Any], provider: str = "stripe", action: str = "refund") -> dict[str, Any]:
    told = refund(order)
    leg = {"payment_id": "p", "provider": provider, "action": action, "amount": told["amount"], "status": "succeeded"}
    sums = {"credited_by_shop": 0, "settled_by_hand": 0, "status": "succeeded", "payments": [leg], "failure": None}
    if action == "void":
        sums["amount"] = 0
    cancellation = {"order_id": order["order_id"], "reason": {"code": "x", "description": "X"}, "refund": told | sums}
    return order | {"status": "canceled", "available_actions": [], "cancellation": cancellation}


class Site:
    """A foreign page whose API the test answers."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.page = visit, visit.page
        self.order = order()
        self.fails: dict[str, Any] | None = None
        # By the last part of the path.
        self.refuses: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.page.route(f"{API}/**", self._answer)

    def _answer(self, route: Route) -> None:
        request = route.request
        headers = {"access-control-allow-origin": "*", "access-control-allow-headers": "*"}
        path = request.url.removeprefix(API).partition("?")[0]
        self.asked.append(f"{request.method} {path}")
        if request.method == "OPTIONS":
            route.fulfill(status=204, headers=headers)
        elif self.fails:
            route.fulfill(**{"headers": headers} | self.fails)
        elif refusal := self.refuses.get(path.rpartition("/")[2]):
            route.fulfill(headers=headers, **refusal)
        elif path.endswith("/cancellation-reasons"):
            reasons = [{"code": "x", "description": "X", "comment_required": False}]
            route.fulfill(json={"enabled": True, "reasons": reasons}, headers=headers)
        elif path.endswith("-eligibility"):
            told = {"order_id": "7", "eligible": True, "blockers": [], "refund": refund(self.order)}
            route.fulfill(json=told, headers=headers)
        elif path.endswith("/cancellation"):
            self.order = canceled(self.order)
            body = {"order": self.order, "cancellation": self.order["cancellation"]}
            route.fulfill(json=body, headers=headers)
        else:
            route.fulfill(json=self.order, headers=headers)

    def start(self, markup: str = "", script: str = "") -> None:
        """Loads the module, then puts `markup` into the page; `heard` keeps what the page is told."""
        self.page.evaluate(
            """async ([api, markup, script]) => {
                window.heard = [];
                for (const name of ["ordercancelled", "cancelordererror", "sessionexpired"])
                    addEventListener(name, (event) => heard.push([name, event.detail]));
                const module = await import("/cancel-order/cancel-order.js");
                window.CancelOrder = module.CancelOrder;
                CancelOrder.api = api;
                CancelOrder.getToken = () => "token";
                document.querySelector("main").innerHTML = markup;
                window.element = document.querySelector("cancel-order");
                await new Function("module", `return (async () => {${script}})()`)(module);
            }""",
            [API, markup, script],
        )

    def open(self) -> None:
        self.page.locator('cancel-order [part="button"]').click()
        expect(self.visit.dialog.locator('[part="reasons"]')).to_be_visible()

    def confirm(self) -> None:
        self.visit.dialog.get_by_label("X", exact=True).check()
        self.visit.confirm.click()

    def picture(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")


@pytest.fixture
def site(bare: Visit) -> Site:
    return Site(bare)


BUTTON = '<cancel-order order-id="7"></cancel-order>'


# ------------------------------------------------------------------ languages


def test_a_language_added_later_reaches_elements_and_lacks_are_english_and_say_so(site: Site) -> None:
    """The lines of the guide, run after the elements are there; the language has hardly a word."""
    site.start(f'<div lang="ar" dir="rtl">{BUTTON}</div>')
    button = site.page.locator('cancel-order [part="button"]')
    expect(button).to_have_text("Cancel order")
    site.page.evaluate(
        """() => { CancelOrder.languages.ar = async () => ({
            default: {cancel_order: "إلغاء", cancel_order_named: "إلغاء {order}", confirm: "نعم"},
        }); }"""
    )
    expect(button).to_have_text("إلغاء")
    expect(button).not_to_have_attribute("lang", "en")
    site.open()
    title = site.visit.dialog.locator('[part="title"]')
    expect(title).to_have_text("Cancel order 7?")
    expect(title).to_have_attribute("lang", "en")
    expect(title).to_have_attribute("dir", "ltr")
    expect(site.visit.confirm).to_have_text("نعم")
    expect(site.visit.confirm).not_to_have_attribute("lang", "en")
    site.confirm()
    expect(title).to_have_text("Order 7 is cancelled")
    expect(site.visit.dialog.locator('[part="progress"]')).to_have_attribute("dir", "ltr")


def test_the_pages_language_changes_and_the_element_with_it(site: Site) -> None:
    site.start(BUTTON)
    button = site.page.locator('cancel-order [part="button"]')
    expect(button).to_have_text("Cancel order")
    site.page.evaluate("document.documentElement.lang = 'sv'")
    expect(button).to_have_text("Avbeställ")


def test_a_language_whose_file_cannot_be_had_is_english(site: Site) -> None:
    site.start()
    site.page.evaluate(
        """(markup) => {
            CancelOrder.languages.xx = () => Promise.reject(new Error("404"));
            document.querySelector("main").innerHTML = `<div lang="xx">${markup}</div>`;
        }""",
        BUTTON,
    )
    expect(site.page.locator('cancel-order [part="button"]')).to_have_text("Cancel order")


# ------------------------------------------------------------------ plain http, and whatever throws


def test_on_a_plain_http_page_an_order_is_cancelled(site: Site) -> None:
    """There `crypto.randomUUID` is missing."""
    site.page.evaluate("delete Crypto.prototype.randomUUID")
    site.start(BUTTON)
    site.open()
    site.confirm()
    expect(site.visit.dialog.locator('[part="title"]')).to_have_text("Order 7 is cancelled")


def test_whatever_throws_frees_the_dialog(site: Site) -> None:
    site.start(BUTTON)
    site.open()
    broken = "() => { throw new Error(); }"
    site.page.evaluate(f"() => {{ Crypto.prototype.getRandomValues = Crypto.prototype.randomUUID = {broken}; }}")
    site.confirm()
    expect(site.visit.dialog.locator('[part="message"]')).to_have_attribute("data-code", "INTERNAL_ERROR")
    site.page.keyboard.press("Escape")
    expect(site.visit.dialog).to_have_count(0)


# ------------------------------------------------------------------ phones, and a host's own CSS


@pytest.mark.parametrize(("width", "lang"), [(320, "de"), (390, "en")])
def test_on_a_phone_prices_stay_in_and_the_buttons_in_sight(site: Site, width: int, lang: str) -> None:
    site.page.set_viewport_size({"width": width, "height": 640})
    site.order = order(items=[item(number, LONG if number < 3 else "") for number in range(1, 31)])
    site.start(f'<div lang="{lang}">{BUTTON}</div>')
    site.open()
    site.picture(f"phone-{width}-{lang}-long")
    found: dict[str, Any] = site.page.evaluate(
        """() => {
            const {shadowRoot} = document.querySelector("cancel-order");
            const box = shadowRoot.querySelector('[part="refund"]').getBoundingClientRect();
            const prices = [...shadowRoot.querySelectorAll("dd")].filter((one) => one.checkVisibility());
            return {
                outside: prices.filter((one) => one.getBoundingClientRect().right > box.right - 8).length,
                shown: prices.length,
                confirm: shadowRoot.querySelector('[part="confirm"]').getBoundingClientRect().bottom,
                tall: shadowRoot.querySelector("dialog").scrollHeight,
                wide: shadowRoot.querySelector("dialog").scrollWidth - shadowRoot.querySelector("dialog").clientWidth,
            };
        }"""
    )
    assert (found["outside"], found["wide"]) == (0, 0)
    assert found["confirm"] <= 640
    assert found["shown"] <= 6
    assert found["tall"] < 1400
    rest = site.visit.dialog.locator("summary")
    rest.click()
    expect(site.visit.dialog.get_by_text("1 \N{MULTIPLICATION SIGN} Item 30")).to_be_visible()


def test_the_css_of_the_host_stays_out_of_the_dialog(site: Site) -> None:
    style = (
        "white-space: nowrap; text-transform: uppercase; letter-spacing: 4px; font: italic 700 9px/1 monospace;"
        "text-align: right; text-indent: 30px; word-spacing: 20px; text-shadow: 0 0 2px red; color: red; cursor: help"
    )
    site.start(f'<table><tr><td style="{style}">{BUTTON}</td></tr></table>')
    site.open()
    site.picture("host-css")
    for place in ('[part="title"]', '[part="reason"]', '[part="confirm"]', "legend"):
        found: dict[str, str] = site.visit.dialog.locator(place).first.evaluate(
            """(one) => {
                const of = getComputedStyle(one);
                return Object.fromEntries(["whiteSpace", "textTransform", "letterSpacing", "fontStyle", "textIndent",
                    "wordSpacing", "textShadow"].map((name) => [name, of[name]]));
            }"""
        )
        assert found == {
            "whiteSpace": "normal",
            "textTransform": "none",
            "letterSpacing": "normal",
            "fontStyle": "normal",
            "textIndent": "0px",
            "wordSpacing": "0px",
            "textShadow": "none",
        }, place
    # The font stays the site's own.
    assert site.visit.dialog.locator("legend").evaluate("(one) => getComputedStyle(one).fontFamily") == "monospace"


def test_on_a_dark_site_that_does_not_say_so_the_button_can_be_seen(site: Site) -> None:
    site.page.add_style_tag(content="body { background: #111; color: #eee }")
    site.start(f"<h1>Shop</h1>{BUTTON}")
    button = site.page.locator('cancel-order [part="button"]')
    expect(button).to_have_css("color", "rgb(238, 238, 238)")
    button.hover()
    site.picture("dark-site")
    site.visit.look("dark-site")
    site.open()
    site.visit.look("dark-site-dialog")


# ------------------------------------------------------------------ frameworks


def test_a_render_with_an_order_that_is_behind_brings_no_button_back(site: Site) -> None:
    site.start("<cancel-order></cancel-order>")
    stale = order()
    give = "(order) => { element.order = order; }"
    site.page.evaluate(give, stale)
    site.open()
    site.confirm()
    expect(site.visit.dialog.locator('[part="title"]')).to_have_text("Order 7 is cancelled")
    site.visit.close()
    site.page.evaluate(give, stale)
    # From a list, which is behind as well and has less of the order.
    listed = {key: stale[key] for key in ("order_id", "store_id", "status", "currency", "available_actions")}
    site.page.evaluate(give, listed)
    expect(site.visit.status).to_contain_text("Cancelled.")
    assert site.visit.button.count() == 0
    assert site.page.evaluate("element.order.status") == "canceled"
    # Another order is another.
    site.page.evaluate(give, stale | {"order_id": "8"})
    expect(site.page.get_by_role("button", name="Cancel order 8")).to_be_visible()


def test_loaded_twice_from_two_addresses_it_is_one_component(site: Site) -> None:
    site.start(BUTTON)
    same = site.page.evaluate(
        """async () => {
            const again = await import("/cancel-order/cancel-order.js?copy=2");
            return again.CancelOrder === CancelOrder && again.CancelOrder === customElements.get("cancel-order");
        }"""
    )
    assert same is True


def test_a_server_that_renders_pages_can_import_it() -> None:
    node = shutil.which("node") or ""
    need(node, "node is not installed: it tells whether a server can import the component.")
    script = (
        f"const {{CancelOrder, money}} = await import('{(COMPONENT / 'cancel-order.js').as_uri()}');"
        "CancelOrder.api = 'https://api.example.com'; CancelOrder.languages.de = () => null;"
        "console.log(money(4080, 'EUR', 'en'))"
    )
    done = subprocess.run(
        [node, "--input-type=module", "-e", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.strip() == "€40.80", done.stderr
