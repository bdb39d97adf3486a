"""A real browser, and a local stack whose pages it opens. Each test has a shop and a customer of its own."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from local.gateway.pages import WEB
from local.server import Server
from tests.browser.visit import Visit, Visits
from tests.support.fixtures import aws, shop
from tests.support.machine import chromium
from tests.support.shop import Shop
from tests.support.stack import Running, local_stack

__all__ = ["aws", "shop"]

COMPONENT = WEB / "cancel-order"

# As root it does without its sandbox, in a container without a graphics card; and it talks to nobody but the tests.
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = chromium()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield started
        started.close()


@pytest.fixture(scope="package")
def stack(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    assert browser.is_connected()
    with local_stack(tmp_path_factory.mktemp("stack"), CONFIG_CACHE_SECONDS="0") as running:
        yield running


@pytest.fixture
def visits(browser: Browser, shop: Shop) -> Iterator[Visits]:
    """Opens browsers of their own, and looks at the end whether a page complained."""
    opened = Visits(browser, shop)
    yield opened
    opened.close()


@pytest.fixture
def visit(visits: Visits) -> Visit:
    """The customer's browser, signed in."""
    return visits.signed_in()


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


@pytest.fixture
def bare(host: tuple[Path, str], visits: Visits) -> Visit:
    """A page with the component's module and nothing else."""
    folder, address = host
    shutil.copytree(COMPONENT, folder / "cancel-order")
    (folder / "index.html").write_text(
        '<!doctype html><html lang="en"><title>Shop</title><main></main>', encoding="utf-8"
    )
    visit = visits.anonymous()
    visit.page.goto(f"{address}/index.html")
    return visit
