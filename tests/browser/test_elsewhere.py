"""The component on a shop's own site, and the storefront on a static host: other origins than the API's."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from local.gateway.pages import WEB
from local.server import Server
from tests.browser.issuer import CLIENT_ID, FakeIssuer
from tests.browser.visit import Visits
from tests.support import documents
from tests.support.machine import ROOT, need
from tests.support.shop import Shop, token_of
from web.publish import PublishError, main, publish

COMPONENT = WEB / "cancel-order"


class _Host(SimpleHTTPRequestHandler):
    """A host of files that knows nothing."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address where it is served."""
    server = Server(0, partial(_Host, directory=str(tmp_path)))  # type: ignore[arg-type]  # a partial makes them too
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield tmp_path, f"http://127.0.0.1:{server.port}"
    server.shutdown()
    server.server_close()


def test_the_component_is_small_and_needs_nothing() -> None:
    script = (COMPONENT / "cancel-order.js").read_text(encoding="utf-8")
    assert set(re.findall(r'import\("([^"]+)"\)', script)) == {"./lang/en.js", "./lang/sv.js", "./de.js"}
    assert not re.search(r"^\s*import\b(?!\()", script, re.MULTILINE)
    for language in ("en", "sv"):
        words = (COMPONENT / "lang" / f"{language}.js").read_bytes()
        assert len(gzip.compress(script.encode())) + len(gzip.compress(words)) < 10_000


def test_three_lines_on_a_site_of_ones_own(host: tuple[Path, str], visits: Visits, shop: Shop) -> None:
    """The lines of docs/storefront.md, under the policy that it names."""
    folder, address = host
    order_id = shop.put(**documents.paid())
    shutil.copytree(COMPONENT, folder / "cancel-order")
    guide = (ROOT / "docs" / "storefront.md").read_text(encoding="utf-8")
    markup, script = re.findall(r"<!-- tested -->\n```(?:html|js)\n(.*?)```", guide, re.DOTALL)
    markup = markup.replace("https://api.example.com", shop.endpoint).replace("100000007", order_id)
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
    expect(visit.dialog).to_contain_text("har betalats tillbaka.")
    heard: list[Any] = visit.page.evaluate("heard")
    by_name = dict(heard)
    assert by_name["ordercancelled"]["cancellation"]["order_id"] == order_id
    assert by_name["ordercancelled"]["order"]["status"] == "canceled"
    # The last one heard of is the order as it ended.
    assert by_name["orderchanged"]["order"] == shop.order(order_id)
    assert "sessionexpired" not in by_name


@pytest.fixture
def bare(host: tuple[Path, str], visits: Visits) -> Any:
    """A page with the component's module and nothing else."""
    folder, address = host
    shutil.copytree(COMPONENT, folder / "cancel-order")
    (folder / "index.html").write_text(
        '<!doctype html><html lang="en"><title>Shop</title><main></main>', encoding="utf-8"
    )
    visit = visits.anonymous()
    visit.page.goto(f"{address}/index.html")
    return visit


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
            await import("/cancel-order/cancel-order.js");
            const element = document.createElement("cancel-order");
            element.setAttribute("api", api);
            element.setAttribute("order-id", "1");
            return new Promise((done) => {
                addEventListener("sessionexpired", () => done(true));
                document.querySelector("main").append(element);
            });
        }""",
        shop.endpoint,
    )
    assert heard is True


def test_a_site_adds_a_language_and_an_unknown_one_is_english(bare: Any) -> None:
    bare.page.evaluate(
        """async () => {
            const {CancelOrder} = await import("/cancel-order/cancel-order.js");
            const {default: english} = await import("/cancel-order/lang/en.js");
            CancelOrder.languages.de = async () => ({
                default: {...english, cancel_order: "Stornieren", cancel_order_named: "Stornieren: {order}"},
            });
            for (const lang of ["de-AT", "fi"]) {
                const made = document.createElement("cancel-order");
                made.lang = lang;
                made.order = {order_id: lang, available_actions: ["CANCEL"]};
                document.querySelector("main").append(made);
            }
        }"""
    )
    expect(bare.page.get_by_role("button", name="Stornieren: de-AT")).to_have_text("Stornieren")
    expect(bare.page.get_by_role("button", name="Cancel order fi")).to_be_visible()


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
        visit.look("deployed-sign-in")
        visit.page.get_by_role("main").get_by_role("button", name="Sign in").click()
        # Back where they were going, and nothing of the sign-in left in the address.
        expect(visit.page).to_have_url(f"{address}/order.html?id={order_id}")
        expect(visit.page.get_by_role("link", name="Kim & Co")).to_be_visible()
        visit.cancel(order_id)
        visit.done(order_id)
        expect(visit.dialog).to_contain_text("has been paid back.")
        visit.close()
        visit.page.get_by_role("link", name="My Account").click()
        expect(visit.page.locator("h1")).to_have_text("Hello, Kim")
        (asked,) = issuer.asked
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        assert asked["redirect_uri"] == f"{address}/"
        visit.page.get_by_role("button", name="Sign out").click()
        expect(visit.page.locator("h1")).to_have_text("Sign in")
        assert (issuer.signed_out, issuer.refused) == (1, [])
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
