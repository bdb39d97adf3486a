"""What the pages cost a slow phone until the cancel button is there: requests, bytes and time, in Chromium.

The phone is Chromium's processor throttled to a quarter and its network to "Slow 4G", as the developer tools name it.
Nothing is cached. The host compresses, as hosts of static files do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, Route, sync_playwright

from local import demo
from tests.support.machine import chromium
from tests.support.shop import session_of, token_of
from tests.support.stack import Running, local_stack

OWN = "a page of another site"
ORDER = "demo-paid"
PATHS: Mapping[str, str] = {
    "My Account": "/",
    "My Orders": "/orders.html",
    "an order": "/order.html?id={order}",
    OWN: "/own",
}
SCREEN = {"width": 390, "height": 844}
# Of Chromium's developer tools. Milliseconds; bytes a second.
SLOW_4G = {"offline": False, "latency": 562.5, "downloadThroughput": 180_000, "uploadThroughput": 84_375}
CPU_SLOWDOWN = 4

# The moment of the button, and whatever was asked for until then.
_WATCH = """
const look = () => {
    const button = document.querySelector("cancel-order")?.shadowRoot?.querySelector('[part="button"]');
    if (button?.checkVisibility()) window.buttonAt = performance.now();
    else requestAnimationFrame(look);
};
look();
"""
_BUTTON = """() => new Promise((done) => {
    const look = () => window.buttonAt ? done(window.buttonAt) : setTimeout(look, 20);
    look();
})"""
_TOLD = """() => {
    const until = (one) => one.startTime < buttonAt;
    const files = performance.getEntriesByType("resource").filter(until);
    return [...performance.getEntriesByType("navigation"), ...files].map(
        (one) => [new URL(one.name).pathname, one.transferSize, one.renderBlockingStatus]);
}"""
_OWN_SITE = """<!doctype html><html lang="en"><title>Shop</title><main></main><script type="module">
import { CancelOrder } from "/cancel-order/cancel-order.js";
const made = document.createElement("cancel-order");
made.order = {order_id: "7", available_actions: ["CANCEL"]};
document.querySelector("main").append(made);
</script>"""


@dataclass(frozen=True)
class Loaded:
    """What came until the button: `requests` with those of the API, `api`, and `sent` bytes.

    `blocking`: the files that the first paint waits for.
    """

    page: str
    requests: int
    api: int
    sent: int
    blocking: tuple[str, ...]
    seconds: float


def load(page: Page, endpoint: str, name: str, order: str, *, slow: bool) -> Loaded:
    """Opens the page `name` of PATHS in a context that has no cache yet, where the customer is signed in."""
    if slow:
        devtools = page.context.new_cdp_session(page)
        devtools.send("Network.enable")
        devtools.send("Network.emulateNetworkConditions", SLOW_4G)
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWDOWN})
    page.add_init_script(_WATCH)
    page.route("**/own", _own_site)
    page.goto(endpoint + PATHS[name].format(order=order))
    seconds = page.evaluate(_BUTTON) / 1000
    told: list[tuple[str, int, str]] = page.evaluate(_TOLD)
    paths = [path for path, _, _ in told]
    return Loaded(
        page=name,
        requests=len(paths),
        api=sum(path.startswith(("/orders", "/guest")) and "." not in path for path in paths),
        sent=sum(size for _, size, _ in told),
        blocking=tuple(path for path, _, status in told if status == "blocking"),
        seconds=seconds,
    )


def _own_site(route: Route) -> None:
    route.fulfill(body=_OWN_SITE, content_type="text/html")


def pages(folder: Path, runs: int = 5) -> tuple[Loaded, ...]:
    """Each page on a slow phone, the median of the times. The stack is started for it."""
    with local_stack(folder) as stack, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        return tuple(_median(list(_loads(browser, stack, name, runs))) for name in PATHS)


def _loads(browser: Browser, stack: Running, name: str, runs: int) -> Iterator[Loaded]:
    session = session_of(token_of(stack.endpoint, demo.ANNA))
    for _ in range(runs):
        context = browser.new_context(viewport=SCREEN, locale="en-GB")  # type: ignore[arg-type]  # a literal is wanted
        context.add_init_script(f"localStorage['cancel-core.session'] ??= {json.dumps(json.dumps(session))}")
        yield load(context.new_page(), stack.endpoint, name, ORDER, slow=True)
        context.close()


def _median(loads: list[Loaded]) -> Loaded:
    return sorted(loads, key=lambda one: one.seconds)[len(loads) // 2]
