"""`make diagrams`: draws each Mermaid block of docs/architecture.md as an SVG, for readers without Mermaid.

A block is followed by a link to its picture, which names it. The picture has the SHA-256 of its block in a comment;
`tests/template/test_diagrams.py` fails when a block was changed and its picture was not redrawn.

It takes npm (for Mermaid, as package-lock.json has it) and Chromium.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DIAGRAMS = Path(__file__).resolve().parent
DOCS = DIAGRAMS.parent
PAGE = DOCS / "architecture.md"
PICTURES = DOCS / "pictures"
INSTALLED = DOCS.parent / ".local" / "diagrams"

_BLOCK = re.compile(r"^```mermaid\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\n\[[^\]\n]+\]\(pictures/([a-z-]+)\.svg\)")
_HASH = re.compile(r"<!-- SHA-256 of its Mermaid block: ([0-9a-f]{64}) -->")

# As root Chromium does without its sandbox, in a container without a graphics card.
_BROWSER = ["--no-sandbox", "--disable-gpu"]

# Text stays text (no foreignObject, which is not shown in an <img>), and ids are the same each time.
_DRAW = """async ([name, text]) => {
  const font = '"DejaVu Sans", Verdana, sans-serif';
  mermaid.initialize({
    startOnLoad: false, securityLevel: "strict", deterministicIds: true, deterministicIDSeed: name,
    htmlLabels: false, fontFamily: font, theme: "base", themeCSS: ".edgeLabel rect {opacity: 1 !important}",
    themeVariables: {
      fontFamily: font, fontSize: "15px", background: "#ffffff", primaryColor: "#f1f5f9", primaryTextColor: "#0f172a",
      primaryBorderColor: "#64748b", lineColor: "#475569", textColor: "#0f172a", edgeLabelBackground: "#ffffff",
      clusterBkg: "#f8fafc", clusterBorder: "#94a3b8", noteBkgColor: "#fef9c3", noteBorderColor: "#ca8a04",
    },
    flowchart: {htmlLabels: false, curve: "basis", nodeSpacing: 40, rankSpacing: 50, padding: 12},
    sequence: {mirrorActors: false, messageMargin: 40},
  });
  const drawn = document.createElement("div");
  drawn.innerHTML = (await mermaid.render(name, text)).svg;
  const svg = drawn.querySelector("svg");
  const [x, y, width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  svg.setAttribute("width", Math.ceil(width));
  svg.setAttribute("height", Math.ceil(height));
  svg.removeAttribute("style");
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  Object.entries({x, y, width, height, fill: "#ffffff"}).forEach(([key, value]) => ground.setAttribute(key, value));
  svg.prepend(ground);
  return new XMLSerializer().serializeToString(svg);
}"""


class DiagramError(Exception):
    """The page is not as it has to be, or what draws is not there."""


class Block(NamedTuple):
    """One Mermaid block, and the name of its picture."""

    name: str
    text: str

    @property
    def picture(self) -> Path:
        return PICTURES / f"{self.name}.svg"

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def blocks(page: str) -> Iterator[Block]:
    """The Mermaid blocks of a page. Raises `DiagramError` where one has no link to its picture right below."""
    for found in _BLOCK.finditer(page):
        link = _LINK.match(page, found.end())
        if link is None:
            line = page.count("\n", 0, found.start()) + 1
            raise DiagramError(f"line {line}: below the block there is no link to pictures/<name>.svg")
        yield Block(link[1], found[1])


def drawn_from(picture: str) -> str | None:
    """The SHA-256 of the block that a picture was drawn from, as it says itself."""
    found = _HASH.search(picture)
    return found[1] if found else None


def _mermaid() -> Path:
    """Mermaid's bundle for browsers, as package-lock.json has it, from npm."""
    lock, installed = DIAGRAMS / "package-lock.json", INSTALLED / "package-lock.json"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        npm = shutil.which("npm")
        if npm is None:
            raise DiagramError("npm is not installed: it brings Mermaid")
        INSTALLED.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(DIAGRAMS / name, INSTALLED)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=INSTALLED, capture_output=True, text=True, check=False)
        if done.returncode:
            installed.unlink()
            raise DiagramError(f"npm could not install Mermaid: {done.stderr[-300:]}")
    return INSTALLED / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"


def _chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise DiagramError("Chromium is not installed: on Debian, apt-get install chromium")
    return found


def render(wanted: list[Block]) -> None:
    """Draws the pictures of these blocks."""
    # The test of the pictures needs neither.
    from playwright.sync_api import sync_playwright

    script = _mermaid()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=_BROWSER)
        page = browser.new_page()
        page.add_script_tag(path=script)
        for block in wanted:
            svg = str(page.evaluate(_DRAW, [block.name, block.text]))
            if "<foreignObject" in svg:
                raise DiagramError(f"{block.name}: it has text that is HTML, which is not shown in an <img>")
            note = f"<!-- SHA-256 of its Mermaid block: {block.digest} -->"
            block.picture.write_text(f"{note}\n{svg}\n", encoding="utf-8")
            print(block.picture.relative_to(DOCS.parent))
        browser.close()


def main() -> int:
    """The exit code: 1 when they could not be drawn."""
    try:
        render(list(blocks(PAGE.read_text(encoding="utf-8"))))
    except DiagramError as error:
        print(f"make diagrams: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
