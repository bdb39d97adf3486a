"""The component as an npm package: packed, installed into a React app (Vite, TypeScript) and a plain page, opened."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from local.alone import alone
from tests.browser.conftest import COMPONENT
from tests.browser.visit import Visits
from tests.support import documents
from tests.support.machine import ROOT, need
from tests.support.shop import Shop, token_of

EXAMPLES = ROOT / "examples"
APP = ROOT / ".local" / "react-example"
LIBRARIES = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as npm installs it."""
    need(shutil.which("npm"), "npm is not installed: it packs the component.")
    folder = tmp_path_factory.mktemp("packed")
    (named,) = json.loads(run("npm", "pack", "--json", "--pack-destination", str(folder), cwd=COMPONENT))
    with tarfile.open(folder / named["filename"]) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


@pytest.fixture(scope="module")
def built(packed: Path) -> Path:
    """The React app with the package in it, its types checked, built."""
    lock = (EXAMPLES / "react" / "package-lock.json").read_bytes()
    with alone(APP):
        installed = APP / "package-lock.json"
        if not installed.exists() or installed.read_bytes() != lock:
            shutil.rmtree(APP / "node_modules", ignore_errors=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(EXAMPLES / "react" / name, APP)
            try:
                run(*LIBRARIES, cwd=APP)
            except BaseException:
                installed.unlink()
                raise
        shutil.copytree(EXAMPLES / "react", APP, dirs_exist_ok=True)
        target = APP / "node_modules" / "@cancel-core" / "cancel-order"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(packed, target)
        bin_ = APP / "node_modules" / ".bin"
        run(str(bin_ / "tsc"), cwd=APP)
        run(str(bin_ / "vite"), "build", "--base", "./", cwd=APP)
        return APP / "dist"


def cancels(visits: Visits, shop: Shop, address: str) -> Any:
    """The page shows the order, and cancels it."""
    order_id = shop.put(**documents.paid())
    visit = visits.anonymous()
    token = json.dumps(token_of(shop.endpoint, shop.customer_id))
    named = {"api": shop.endpoint, "order": order_id}
    visit.page.add_init_script(f"window.shop = {{...{json.dumps(named)}, accessToken: async () => {token}}};")
    visit.page.goto(address)
    visit.cancel(order_id)
    visit.done(order_id)
    visit.close()
    expect(visit.status).to_contain_text("Refund approved: ")
    return visit


def test_the_package_in_a_react_app(built: Path, host: tuple[Path, str], visits: Visits, shop: Shop) -> None:
    folder, address = host
    shutil.copytree(built, folder, dirs_exist_ok=True)
    visit = cancels(visits, shop, f"{address}/index.html")
    # The app heard of it.
    expect(visit.page.get_by_text(re.compile("Status: (canceled|closed)"))).to_be_visible()
    # Only one language came.
    scripts = visit.page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    assert not [one for one in scripts if "/sv" in one]


def test_the_package_in_a_plain_page(packed: Path, host: tuple[Path, str], visits: Visits, shop: Shop) -> None:
    folder, address = host
    shutil.copytree(EXAMPLES / "plain", folder, dirs_exist_ok=True)
    shutil.copytree(packed, folder / "cancel-order")
    cancels(visits, shop, f"{address}/index.html")


def test_the_manifest_and_the_types_name_what_the_code_has() -> None:
    code = "".join((COMPONENT / name).read_text(encoding="utf-8") for name in ("cancel-order.js", "more.js", "rare.js"))
    manifest = json.loads((COMPONENT / "custom-elements.json").read_text(encoding="utf-8"))
    (element,) = manifest["modules"][0]["declarations"]

    def names(kind: str) -> set[str]:
        return {one["name"] for one in element[kind]}

    parts = set(re.findall(r'part: "([\w-]+)"', code)) | set(re.findall(r'#button\("([\w-]+)"', code))
    assert names("cssParts") == parts
    assert names("cssProperties") == set(re.findall(r"--cancel-order-[\w-]+", code))
    types = (COMPONENT / "cancel-order.d.ts").read_text(encoding="utf-8")
    for name in names("events"):
        assert f'"{name}"' in code, name
        assert re.search(rf"^  {name}: CustomEvent", types, re.MULTILINE), name
    for name in names("attributes"):
        assert name in types
    package = json.loads((COMPONENT / "package.json").read_text(encoding="utf-8"))
    assert f"## [{package['version']}]" in (COMPONENT / "CHANGELOG.md").read_text(encoding="utf-8")
