"""`make recording`: records the README's screen recording, from the storefront of a local stack in Chromium.

It starts a local stack on free ports, cancels the demo order `demo-paid` as a customer does, takes one screenshot for
each state, and joins them to an animated WebP. It runs in an environment of its own (requirements/recording.txt), so it
imports nothing of the product.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
RECORDING = ROOT / "docs" / "pictures" / "cancel.webp"
ORDER = "demo-paid"
MAX_BYTES = 2_000_000
START_SECONDS = 120
# As root Chromium does without its sandbox, in a container without a graphics card.
OPTIONS = ["--no-sandbox", "--disable-gpu"]
WIDTH, HEIGHT = 960, 720


class Recorder:
    """The frames taken so far, each with the time in milliseconds for which it is shown."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.frames: list[Image.Image] = []
        self.durations: list[int] = []

    def shoot(self, milliseconds: int) -> None:
        """Takes one frame, once all animations of the page have ended."""
        self.page.evaluate("Promise.all(document.getAnimations().map((animation) => animation.finished))")
        png = self.page.screenshot(animations="disabled")
        self.frames.append(Image.open(io.BytesIO(png)).convert("RGB"))
        self.durations.append(milliseconds)

    def save(self, path: Path) -> int:
        """Writes an endless animated WebP, and returns its size in bytes."""
        first, *others = self.frames
        first.save(path, save_all=True, append_images=others, duration=self.durations, loop=0, quality=80, method=6)
        return path.stat().st_size


@contextmanager
def local_stack(folder: Path) -> Iterator[str]:
    """Runs `python -m local` with the demo data, and yields the URL of its pages."""
    ready = folder / "ready.json"
    process = subprocess.Popen(
        [ROOT / ".venv" / "bin" / "python", "-m", "local", "--ready-file", ready],
        cwd=ROOT,
        env=os.environ | {"PORT": "0", "AWS_PORT": "0"},
        stdout=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + START_SECONDS
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > end:
                sys.exit("The local stack did not start. Run `make run` to see why.")
            time.sleep(0.2)
        yield json.loads(ready.read_text(encoding="utf-8"))["url"].rstrip("/")
    finally:
        process.terminate()
        process.wait(30)


def record(page: Page, url: str) -> Recorder:
    """Goes from the sign-in page to the refunded order."""
    recorder = Recorder(page)
    dialog = page.get_by_role("dialog")
    cancel = page.get_by_role("button", name=f"Cancel order {ORDER}")

    page.goto(url)
    page.get_by_role("button", name="Anna").click()
    expect(cancel).to_be_visible()
    recorder.shoot(2500)

    cancel.click()
    expect(dialog.get_by_role("radiogroup")).to_be_visible()
    recorder.shoot(3000)

    confirm = dialog.locator('button[type="submit"]')
    dialog.get_by_label("I no longer need it", exact=True).check()
    confirm.scroll_into_view_if_needed()
    recorder.shoot(2000)

    confirm.click()
    expect(dialog.get_by_role("heading", level=2)).to_have_text(f"Order {ORDER} is cancelled")
    recorder.shoot(2500)

    page.goto(f"{url}/order.html?id={ORDER}")
    expect(page.locator(".badge")).to_have_text("Refunded")
    recorder.shoot(3500)
    return recorder


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        sys.exit("Chromium is not installed. On Debian: apt-get install chromium.")
    with (
        tempfile.TemporaryDirectory() as folder,
        local_stack(Path(folder)) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        context = browser.new_context(
            locale="en-GB",
            timezone_id="Europe/Stockholm",
            color_scheme="light",
            viewport={"width": WIDTH, "height": HEIGHT},
        )
        page = context.new_page()
        page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        recorder = record(page, url)
        browser.close()
    size = recorder.save(RECORDING)
    if size > MAX_BYTES:
        sys.exit(f"{RECORDING.relative_to(ROOT)} has {size} bytes, more than {MAX_BYTES}.")
    print(f"{RECORDING.relative_to(ROOT)}: {len(recorder.frames)} frames, {size} bytes")


if __name__ == "__main__":
    main()
