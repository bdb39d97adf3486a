"""The storefront's files, where no route is."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local import demo
from local.gateway import pages
from local.gateway.server import Gateway
from local.gateway.tokens import Issuer
from local.template import Route
from tests.support.machine import ROOT

MAILS = ROOT / "functions" / "send_mail" / "templates"
LANGUAGES = sorted(file.stem for file in (MAILS / "layout").glob("*.toml"))
PAGES = ("index.html", "orders.html", "order.html", "guest.html", "withdraw.html")


def _function(_name: str, _event: bytes) -> bytes:
    return b'{"from": "a function"}'


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    routes = [Route("GET", "/orders.html", "one", False, ()), Route("POST", "/order.html", "one", False, ())]
    made = Gateway(0, routes, {}, Issuer("https://issuer.example", ["shop"]), _function)
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def client(gateway: Gateway) -> Iterator[httpx.Client]:
    gateway.stack = {}
    with httpx.Client(base_url=gateway.url) as made:
        yield made


@pytest.mark.parametrize(
    ("path", "file", "kind"),
    [
        ("/", "storefront/index.html", "text/html; charset=utf-8"),
        ("/order.html?id=1", "storefront/order.html", "text/html; charset=utf-8"),
        ("/storefront.css", "storefront/storefront.css", "text/css; charset=utf-8"),
        ("/shell.js", "storefront/shell.js", "text/javascript; charset=utf-8"),
        ("/config.json", "storefront/config.json", "application/json"),
        ("/icon.svg", "storefront/icon.svg", "image/svg+xml"),
        ("/cancel-order/cancel-order.js", "cancel-order/cancel-order.js", "text/javascript; charset=utf-8"),
        ("/cancel-order/lang/sv.js", "cancel-order/lang/sv.js", "text/javascript; charset=utf-8"),
        (
            "/withdraw-contract/withdraw-contract.js",
            "withdraw-contract/withdraw-contract.js",
            "text/javascript; charset=utf-8",
        ),
        ("/withdraw-contract/lang/cs.js", "withdraw-contract/lang/cs.js", "text/javascript; charset=utf-8"),
    ],
)
def test_a_file_is_served_as_what_it_is(client: httpx.Client, path: str, file: str, kind: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.content == (pages.WEB / file).read_bytes()
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"
    head = client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == answer.headers["content-length"]


def test_a_page_is_compressed_for_who_takes_that(client: httpx.Client) -> None:
    plain = client.get("/shell.js", headers={"accept-encoding": "identity"})
    zipped = client.get("/shell.js", headers={"accept-encoding": "br, gzip"})
    assert plain.content == zipped.content == (pages.WEB / "storefront" / "shell.js").read_bytes()
    assert (plain.headers.get("content-encoding"), zipped.headers["content-encoding"]) == (None, "gzip")
    assert int(zipped.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert plain.headers["vary"] == zipped.headers["vary"] == "accept-encoding"


def test_what_the_browser_has_is_not_sent_again(client: httpx.Client) -> None:
    etag = client.get("/").headers["etag"]
    again = client.get("/", headers={"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/", headers={"if-none-match": '"another"'}).status_code == 200


def test_a_route_always_wins(client: httpx.Client) -> None:
    assert client.get("/orders.html").json() == {"from": "a function"}
    assert client.post("/order.html").json() == {"from": "a function"}
    assert client.get("/order.html").headers["content-type"].startswith("text/html")


def test_pages_are_read_and_nothing_else(client: httpx.Client) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert client.request(method, "/index.html").status_code == 404


def test_nothing_is_served_before_the_stack_is_ready(gateway: Gateway, client: httpx.Client) -> None:
    gateway.stack = None
    assert client.get("/").status_code == 503


@pytest.mark.parametrize(
    "path",
    [
        "/nothing.html",
        "/lang",
        "/lang/",
        "/./index.html",
        "/../storefront/index.html",
        "/lang/../index.html",
        "/..%2fstorefront%2findex.html",
        "/%2e%2e/%2e%2e/template.yaml",
        "/cancel-order/../storefront/index.html",
        "/cancel-order/..%2f..%2ftemplate.yaml",
        "/cancel-order//etc/passwd",
        "/%2fetc%2fpasswd",
        "/..\\storefront\\index.html",
        "/index.html%00",
    ],
)
def test_no_path_leads_out_of_the_folders(gateway: Gateway, client: httpx.Client, path: str) -> None:
    assert client.get("/").status_code == 200
    # By hand: a proper client would tidy the path up.
    connection = http.client.HTTPConnection("127.0.0.1", gateway.server.port, timeout=10)
    connection.putrequest("GET", path, skip_host=False)
    connection.endheaders()
    assert connection.getresponse().status == 404
    connection.close()


def test_a_link_out_of_the_folder_and_a_hidden_file_are_not_served(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (site / "link.txt").symlink_to(tmp_path / "secret.txt")
    (site / ".hidden").write_text("secret")
    (site / "shown.txt").write_text("shown")
    folders = {"/": site}
    found = pages.find("/shown.txt", folders)
    assert found
    assert found.content == b"shown"
    assert pages.find("/link.txt", folders) is None
    assert pages.find("/.hidden", folders) is None


def test_the_browser_is_told_to_allow_no_script_but_our_files(client: httpx.Client) -> None:
    policy = client.get("/").headers["content-security-policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["form-action"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    for page in PAGES:
        html = (pages.WEB / "storefront" / page).read_text(encoding="utf-8")
        # On a host that sends no such header the page says it itself, but for the rule that only a header can give.
        (own,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
        assert own == policy.replace("frame-ancestors 'none'; ", "")
        assert not re.search(r"<style|<script(?![^>]* src=)|\son\w+=|\sstyle=", html)


def test_a_page_asks_at_once_for_all_that_it_needs() -> None:
    """Else each module is found by the one before it, and a slow phone waits a round trip for each."""

    def modules(name: str) -> set[str]:
        file = pages.find(f"/{name}")
        assert file
        imports = re.findall(r'^import (?:[^;]*? from )?"\./([^"]+)";', file.content.decode(), re.MULTILINE)
        return {name}.union(*map(modules, imports))

    for page in PAGES:
        html = (pages.WEB / "storefront" / page).read_text(encoding="utf-8")
        (first,) = re.findall(r'<script type="module" src="([^"]+)">', html)
        assert {first, *re.findall(r'<link rel="modulepreload" href="([^"]+)">', html)} == modules(first), page
        assert '<link rel="preload" href="config.json" as="fetch" crossorigin>' in html


def test_nothing_is_ever_put_into_a_page_as_html() -> None:
    files = sorted(pages.WEB.rglob("*.js"))
    assert len(files) > 8
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser|srcdoc"
    )
    for file in files:
        if "node_modules" not in file.parts:
            assert not forbidden.search(file.read_text(encoding="utf-8")), file


def test_the_demo_customers_can_be_chosen() -> None:
    page = pages.find("/config.json")
    assert page
    for customer in (demo.ANNA, demo.BJORN, demo.CELINE):
        assert f'"{customer}"'.encode() in page.content


@pytest.mark.parametrize("folder", ["cancel-order", "storefront"])
def test_all_languages_say_the_same_things(folder: str) -> None:
    said: dict[str, list[tuple[str, set[str]]]] = {}
    for language in LANGUAGES:
        said[language] = []
        for file in sorted((pages.WEB / folder / "lang").glob(f"{language}*.js")):
            # After the words, the first file names the second.
            text = file.read_text(encoding="utf-8").partition("\n};\n")[0]
            words = re.findall(r'^  "?([\w-]+)"?: "(.*)",$', text, re.MULTILINE)
            assert len(words) == len(text.splitlines()) - 2
            said[language] += [(key, set(re.findall(r"\{\w+\}", value))) for key, value in words]
    for language in LANGUAGES:
        assert said[language] == said["en"], language
        assert len({key for key, _ in said[language]}) == len(said[language])


def test_the_pages_offer_each_language_that_the_mails_have() -> None:
    shell = (pages.WEB / "storefront" / "shell.js").read_text(encoding="utf-8")
    listed = re.findall(r'^  (\w\w): "', shell.partition("const LANGUAGES = {")[2].partition("};")[0], re.MULTILINE)
    assert listed == list(LANGUAGES)
    assert re.findall(r'"(\w\w)"', shell.partition("const WHOLE = ")[2].partition(";")[0]) == list(LANGUAGES)


def test_the_reference_is_three_files_and_nothing_beside_them() -> None:
    assert pages.find_reference("/local/docs/") == pages.find_reference("/local/docs/index.html")
    for name in ("show.js", "redoc.standalone.js"):
        found = pages.find_reference(f"/local/docs/{name}")
        assert found
        assert found.content_type.startswith("text/javascript")
    for path in ("/local/docs/render.py", "/local/docs/package.json", "/local/docs/../openapi.yaml", "/local/doc"):
        assert pages.find_reference(path) is None


def test_the_reference_is_served_with_its_own_policy(client: httpx.Client) -> None:
    asked = client.get("/local/docs")
    assert (asked.status_code, asked.headers["location"]) == (302, "/local/docs/")
    page = client.get("/local/docs/")
    assert page.status_code == 200
    assert page.headers["content-security-policy"].startswith(pages.REFERENCE_POLICY)
    assert 'id="openapi"' in page.text
    assert client.get("/local/docs/", headers={"if-none-match": page.headers["etag"]}).status_code == 304
