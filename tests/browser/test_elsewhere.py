"""The component on a shop's own site, and the storefront on a static host: other origins than the API's."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Route, expect

from local.server import Handler, Server
from tests.browser.conftest import COMPONENT
from tests.browser.issuer import CLIENT_ID, FakeIssuer
from tests.browser.visit import Visits, order_page
from tests.support import documents
from tests.support.machine import ROOT, need
from tests.support.shop import Shop, token_of
from web.publish import PublishError, main, publish


def zipped(name: str) -> int:
    """The size of a file of the component as it is sent."""
    return len(gzip.compress((COMPONENT / name).read_bytes()))


LANGUAGES = ("da", "de", "en", "es", "fi", "fr", "it", "nl", "pl", "sv")


def test_the_component_is_small_and_needs_nothing() -> None:
    script = (COMPONENT / "cancel-order.js").read_text(encoding="utf-8")
    words = {f"./lang/{language}.js" for language in LANGUAGES}
    assert set(re.findall(r'import\("([^"]+)"\)', script)) == words | {"./more.js", "./rare.js"}
    assert not re.search(r"^\s*import\b(?!\()", script, re.MULTILINE)
    for language in LANGUAGES:
        assert zipped("cancel-order.js") + zipped(f"lang/{language}.js") < 10_000, language


def test_what_few_orders_need_is_small_as_well_and_needs_nothing_else() -> None:
    script = (COMPONENT / "more.js").read_text(encoding="utf-8")
    assert re.findall(r"^import\b[^;]*", script, re.MULTILINE) == ['import english from "./lang/en.more.js"']
    assert set(re.findall(r'import\("([^"]+)"\)', script)) == {"./lang/en.js", "./rare.js", "./refund.js"}
    assert zipped("rare.js") + zipped("refund.js") < 2_500
    names: dict[str, list[str]] = {}
    for language in LANGUAGES:
        words = (COMPONENT / "lang" / f"{language}.js").read_text(encoding="utf-8")
        assert re.findall(r"\bimport\b[^;]*", words) == [f'import("./{language}.more.js")']
        more = (COMPONENT / "lang" / f"{language}.more.js").read_text(encoding="utf-8")
        assert zipped("more.js") + zipped(f"lang/{language}.more.js") < 6_000, language
        names[language] = re.findall(r"^  (\w+): ", words + more, re.MULTILINE)
        filled = [
            sorted(re.findall(r"\{\w+\}", line)) for line in re.findall(r"^  \w+: .*", words + more, re.MULTILINE)
        ]
        names[f"{language} filled in"] = [",".join(one) for one in filled]
    for language in LANGUAGES:
        assert names[language] == names["en"], language
        assert names[f"{language} filled in"] == names["en filled in"], language


def test_three_lines_on_a_site_of_ones_own(host: tuple[Path, str], visits: Visits, shop: Shop) -> None:
    """The lines of docs/storefront.md, under the policy that it names."""
    folder, address = host
    order_id = shop.put(**documents.paid())
    shutil.copytree(COMPONENT, folder / "cancel-order")
    guide = (ROOT / "docs" / "storefront.md").read_text(encoding="utf-8")
    markup, script = re.findall(r"<!-- tested -->\n```(?:html|js)\n(.*?)```", guide, re.DOTALL)
    markup = markup.replace("100000007", order_id)
    script = script.replace("https://api.example.com", shop.endpoint)
    (folder / "site.js").write_text(script, encoding="utf-8")
    (policy,) = re.findall(r"`(script-src 'self';[^`]*)`", guide)
    policy = f"default-src 'none'; {policy.replace('https://api.example.com', shop.endpoint)}"
    (folder / "index.html").write_text(
        f'<!doctype html><html lang="sv"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<title>Shop</title><main><h1>Shop</h1>{markup}</main><script type="module" src="site.js"></script>',
        encoding="utf-8",
    )
    visit = visits.anonymous()
    visit.page.add_init_script(
        f"window.shop = {{accessToken: async () => {json.dumps(token_of(shop.endpoint, shop.customer_id))}}};"
        "window.heard = [];"
        "for (const name of ['ordercancelled', 'orderchanged', 'sessionexpired'])"
        "  addEventListener(name, (event) => heard.push([name, event.detail]));"
    )
    visit.page.goto(f"{address}/index.html")
    visit.page.get_by_role("button", name=f"Avbeställ order {order_id}").click()
    visit.choose()
    visit.confirm.click()
    expect(visit.dialog).to_contain_text("Återbetalningen är godkänd: ")
    heard: list[Any] = visit.page.evaluate("heard")
    by_name = dict(heard)
    assert by_name["ordercancelled"]["cancellation"]["order_id"] == order_id
    assert by_name["ordercancelled"]["order"]["status"] == "canceled"
    # The last one heard of is the order as it ended.
    assert by_name["orderchanged"]["order"] == shop.order(order_id)
    assert "sessionexpired" not in by_name


def test_an_order_given_before_the_module_came_is_not_lost(bare: Any) -> None:
    bare.page.evaluate(
        """async () => {
            const early = document.createElement("cancel-order");
            early.order = {order_id: "7", available_actions: ["CANCEL"]};
            early.getToken = () => "kept";
            document.querySelector("main").append(early);
            await import("/cancel-order/cancel-order.js");
        }"""
    )
    expect(bare.page.get_by_role("button", name="Cancel order 7")).to_be_visible()
    assert bare.page.evaluate("document.querySelector('cancel-order').getToken()") == "kept"


def test_nobody_signed_in_is_told_to_the_site(bare: Any, shop: Shop) -> None:
    heard = bare.page.evaluate(
        """async (api) => {
            const {CancelOrder} = await import("/cancel-order/cancel-order.js");
            CancelOrder.api = api;
            CancelOrder.getToken = () => null;
            const element = document.createElement("cancel-order");
            element.setAttribute("order-id", "1");
            return new Promise((done) => {
                addEventListener("sessionexpired", () => done(true));
                document.querySelector("main").append(element);
            });
        }""",
        shop.endpoint,
    )
    assert heard is True


def test_reasons_are_asked_for_and_kept_in_the_elements_language(bare: Any, shop: Shop) -> None:
    """Whatever the browser's is, which is English here, and the component's words, which are English without a file."""
    words = {
        "code": "other",
        "description": "Other",
        "descriptions": {"is": "Anderer Grund", "en-gb": "Something else"},
    }
    shop.configure(reasons=[words])
    order_id = shop.put()
    asked: list[tuple[str, str]] = []
    bare.page.on("request", lambda one: asked.append((one.url, one.headers.get("accept-language", ""))))
    bare.page.evaluate(
        """async ([api, token, order]) => {
            const {CancelOrder} = await import("/cancel-order/cancel-order.js");
            CancelOrder.api = api;
            CancelOrder.getToken = () => token;
            const main = document.querySelector("main");
            main.innerHTML = `<div lang="is-IS"><cancel-order order-id="${order}"></cancel-order></div>`;
        }""",
        [shop.endpoint, token_of(shop.endpoint, shop.customer_id), order_id],
    )
    bare.open(order_id)
    bare.choose("Anderer Grund")
    bare.confirm.click()
    bare.done(order_id)
    (reasons,) = (one for one in asked if "/cancellation-reasons?" in one[0])
    assert parse_qs(urlsplit(reasons[0]).query) == {"language": ["is-IS"], "store_id": [shop.store_id]}
    assert {accepted for url, accepted in asked if url.startswith(shop.endpoint)} == {"is-IS"}
    assert bare.cancels[0][1] == {"reason": "other"}
    assert shop.cancellation(order_id)["reason"] == {"code": "other", "description": "Anderer Grund"}


class _Listener(Handler):
    """A server of somebody else's, which answers any page: it keeps what it is sent."""

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._listen
        raise AttributeError(name)

    def _listen(self) -> None:
        self.server.heard.append((self.path, self.headers["Authorization"]))  # type: ignore[attr-defined]  # the test's
        self.answer(200, b"{}", [("access-control-allow-origin", "*"), ("access-control-allow-headers", "*")])


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """The address of such a server, and what it heard."""
    server = Server(0, _Listener)
    heard: list[tuple[str, str | None]] = []
    server.heard = heard  # type: ignore[attr-defined]  # see there
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.port}", heard
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "markup",
    [
        '<cancel-order api="{elsewhere}" order-id="{order}"></cancel-order>',
        '<base href="{elsewhere}/"><cancel-order order-id="{order}"></cancel-order>',
        '<cancel-order order-id="{order}" data-api="{elsewhere}" src="{elsewhere}" href="{elsewhere}"></cancel-order>',
        '<a id="api" href="{elsewhere}"></a><cancel-order id="CancelOrder" order-id="{order}"></cancel-order>',
    ],
)
def test_markup_sends_the_token_nowhere_but_to_the_api_that_the_script_names(
    bare: Any, shop: Shop, elsewhere: tuple[str, list[tuple[str, str | None]]], markup: str
) -> None:
    """What someone may get into a page that lets no script of theirs through: a comment, a product's description."""
    order_id = shop.put(**documents.paid())
    address, heard = elsewhere
    bare.page.evaluate(
        """async ([api, token, markup]) => {
            const {CancelOrder} = await import("/cancel-order/cancel-order.js");
            CancelOrder.api = api;
            CancelOrder.getToken = () => token;
            document.querySelector("main").innerHTML = markup;
        }""",
        [
            shop.endpoint,
            token_of(shop.endpoint, shop.customer_id),
            markup.format(elsewhere=address, order=order_id),
        ],
    )
    expect(bare.page.get_by_role("button", name=f"Cancel order {order_id}")).to_be_visible()
    assert heard == []


def test_without_an_api_it_is_the_pages_own_origin_whatever_the_base_is(
    bare: Any, elsewhere: tuple[str, list[tuple[str, str | None]]]
) -> None:
    address, heard = elsewhere
    asked = bare.page.evaluate(
        """async (elsewhere) => {
            const {CancelOrder} = await import("/cancel-order/cancel-order.js");
            CancelOrder.getToken = () => "token";
            document.querySelector("main").innerHTML =
                `<base href="${elsewhere}/"><cancel-order order-id="7" api="${elsewhere}">`;
            let times = 0;
            // Its own request, and this one.
            const told = new Promise((done) => addEventListener("cancelordererror", () => ++times === 2 && done()));
            await document.querySelector("cancel-order").refresh();
            await told;
            return performance.getEntriesByType("resource").map(({name}) => name);
        }""",
        address,
    )
    assert f"{bare.page.url.removesuffix('/index.html')}/orders/7" in asked
    assert len(bare.complaints) == 2
    bare.complaints.clear()
    assert heard == []


def test_refreshed_while_its_words_are_on_their_way_it_waits_for_them(bare: Any) -> None:
    def late(route: Route) -> None:
        time.sleep(1)
        route.continue_()

    bare.page.route("**/lang/en.js", late)
    order = {"order_id": "7", "status": "pending", "available_actions": ["CANCEL"]}
    bare.page.route("**/orders/7", lambda route: route.fulfill(json=order))
    text = bare.page.evaluate(
        """async () => {
            const {CancelOrder} = await import("/cancel-order/cancel-order.js");
            CancelOrder.getToken = () => "token";
            document.querySelector("main").innerHTML = `<cancel-order order-id="7">`;
            const element = document.querySelector("cancel-order");
            await element.refresh();
            return element.shadowRoot.textContent;
        }"""
    )
    assert "Cancel order" in text


@pytest.mark.parametrize(
    ("currency", "lang"), [("kr", "en"), ("", "en"), ("constructor", "en"), ("EUR", "en_US"), ("EUR", "-")]
)
def test_a_currency_or_a_language_that_the_browser_does_not_know_stops_nobody(
    visits: Visits, shop: Shop, currency: str, lang: str
) -> None:
    order_id = shop.put(**documents.paid())
    visit = visits.signed_in()
    order: Any = shop.order(order_id)

    def answer(route: Route) -> None:
        if route.request.url.endswith("eligibility"):
            items = [{"item_id": "1", "sku": "x", "qty": 1.5, "amount": 20000}]
            refund = {
                "currency": currency,
                "amount": 20000,
                "shipping": 0,
                "fees": 0,
                "items": items,
                "not_invoiced": 0,
            }
            route.fulfill(json={"order_id": order_id, "eligible": True, "blockers": [], "refund": refund})
        else:
            route.fulfill(json=order | {"currency": currency})

    visit.page.route(f"**/orders/{order_id}*", answer)
    visit.page.route(f"**/orders/{order_id}/*eligibility", answer)
    visit.go(order_page(order_id))
    visit.page.evaluate("(lang) => { document.documentElement.lang = lang; }", lang)
    visit.open(order_id)
    expect(visit.dialog.locator('[part="refund"]')).to_contain_text("200.00")
    visit.choose()
    visit.confirm.click()
    visit.done(order_id)


def test_what_cannot_be_shown_at_all_is_told_and_can_be_left(visits: Visits, shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    visit = visits.signed_in()
    body = {"order_id": order_id, "eligible": True, "blockers": [], "refund": {"amount": 1}}
    visit.page.route(f"**/orders/{order_id}/*eligibility", lambda route: route.fulfill(json=body))
    visit.go(order_page(order_id))
    visit.button_of(order_id).click()
    visit.refusal("INTERNAL_ERROR", "The order could not be loaded. Nothing has been cancelled")
    visit.close()


def test_a_site_adds_a_language_and_an_unknown_one_is_english(bare: Any) -> None:
    bare.page.evaluate(
        """async () => {
            const {CancelOrder} = await import("/cancel-order/cancel-order.js");
            const {default: english} = await import("/cancel-order/lang/en.js");
            CancelOrder.languages.is = async () => ({
                default: {...english, cancel_order: "Stornieren", cancel_order_named: "Stornieren: {order}"},
            });
            for (const lang of ["is-IS", "hu"]) {
                const made = document.createElement("cancel-order");
                made.lang = lang;
                made.order = {order_id: lang, available_actions: ["CANCEL"]};
                document.querySelector("main").append(made);
            }
        }"""
    )
    expect(bare.page.get_by_role("button", name="Stornieren: is-IS")).to_have_text("Stornieren")
    expect(bare.page.get_by_role("button", name="Cancel order hu")).to_be_visible()


@pytest.mark.parametrize(
    ("amount", "currency", "lang", "written"),
    [
        (4080, "EUR", "en", "€40.80"),
        (33700, "SEK", "sv", "337,00 kr"),
        (5, "EUR", "en", "€0.05"),
        (-1250, "USD", "en", "-$12.50"),
        (1500, "JPY", "en", "¥1,500"),
        (1500, "KWD", "en", "KWD 1.500"),
        (1500, "IQD", "en", "IQD 1.500"),
        (2500, "HUF", "en", "HUF 25.00"),
        # Divided by a hundred it would be rounded.
        (9007199254740991, "EUR", "en", "€90,071,992,547,409.91"),
    ],
)
def test_money_is_minor_units_of_iso_4217(bare: Any, amount: int, currency: str, lang: str, written: str) -> None:
    shown = bare.page.evaluate(
        """async ([amount, currency, lang]) => {
            const {money} = await import("/cancel-order/cancel-order.js");
            return money(amount, currency, lang);
        }""",
        [amount, currency, lang],
    )
    assert shown.replace("\xa0", " ") == written


# ------------------------------------------------------------------ the storefront, deployed


def test_the_storefront_on_a_static_host_signs_in_at_the_issuer(
    host: tuple[Path, str], visits: Visits, shop: Shop
) -> None:
    need(shutil.which("npm"), "npm is not installed: it brings the sign-in library of a deployed storefront.")
    folder, address = host
    order_id = shop.put(**documents.paid())
    issuer = FakeIssuer(token_of(shop.endpoint, shop.customer_id))
    try:
        policy = publish(folder, api=shop.endpoint, issuer=issuer.url, client_id=CLIENT_ID, shop="Kim & Co")
        assert f"connect-src 'self' {' '.join(sorted([shop.endpoint, issuer.url]))};" in policy
        visit = visits.anonymous()
        visit.page.goto(f"{address}/order.html?id={order_id}")
        sign_in = visit.page.get_by_role("main").get_by_role("button", name="Sign in")
        # Before it is there, the page is empty.
        expect(sign_in).to_be_visible()
        visit.look("deployed-sign-in")
        sign_in.click()
        # Back where they were going, and nothing of the sign-in left in the address.
        expect(visit.page).to_have_url(f"{address}/order.html?id={order_id}")
        expect(visit.page.get_by_role("link", name="Kim & Co")).to_be_visible()
        visit.cancel(order_id)
        visit.done(order_id)
        expect(visit.dialog).to_contain_text("Refund approved: ")
        visit.close()
        visit.page.get_by_role("link", name="My Account").click()
        expect(visit.page.locator("h1")).to_have_text("Hello, Kim")
        (asked,) = issuer.asked
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        assert asked["redirect_uri"] == f"{address}/"
        visit.page.get_by_role("button", name="Sign out").click()
        expect(visit.page.locator("h1")).to_have_text("Sign in")
        assert (issuer.signed_out, issuer.refused) == (1, [])
        # Withdrawing needs no sign-in there, either.
        visit.page.get_by_role("contentinfo").get_by_role("link").click()
        expect(visit.page.get_by_label("Order or contract number")).to_be_visible()
        # An old link of the issuer's is no way in, and no dead end.
        visit.page.goto(f"{address}/?code=old&state=forged")
        expect(visit.page.locator("h1")).to_have_text("Sign in")
    finally:
        issuer.close()


def test_an_address_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PublishError, match="is no address: it begins with https"):
        publish(tmp_path, api="api.example.com", issuer="https://issuer.example", client_id="x")
    arguments = ["--api", "https://a.example", "--issuer", "issuer", "--client-id", "x"]
    monkeypatch.setattr("sys.argv", ["web.publish", str(tmp_path), *arguments])
    assert main() == 1
    assert not list(tmp_path.iterdir())
