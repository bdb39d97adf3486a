"""The component as an npm package: packed, installed into a React and a Vue app and a plain page, opened."""

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
APPS = ROOT / ".local" / "examples"
WORKSPACES = ("package.json", "package-lock.json", "react/package.json", "vue/package.json")
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


# What Vue's own compiler would add, and Next, which is too large to be installed for its types alone.
TYPES = """
declare module "*.vue" { const component: import("vue").Component; export default component; }
declare module "next/navigation" { export function useRouter(): { refresh(): void }; }
declare const process: { env: Record<string, string | undefined> };
"""


@pytest.fixture(scope="module")
def built(packed: Path) -> Path:
    """The folder of the React and the Vue app, which share one npm install: the package in it, types checked, built."""
    lock = (EXAMPLES / "package-lock.json").read_bytes()
    with alone(APPS):
        installed = APPS / "package-lock.json"
        if not installed.exists() or installed.read_bytes() != lock:
            shutil.rmtree(APPS / "node_modules", ignore_errors=True)
            for name in WORKSPACES:
                (APPS / name).parent.mkdir(exist_ok=True)
                shutil.copy(EXAMPLES / name, APPS / name)
            try:
                run(*LIBRARIES, cwd=APPS)
            except BaseException:
                installed.unlink()
                raise
        for name in ("react", "vue", "next"):
            shutil.copytree(EXAMPLES / name, APPS / name, dirs_exist_ok=True)
        target = APPS / "node_modules" / "@cancel-core" / "cancel-order"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(packed, target)
        # One compiler run for all of the TypeScript.
        (APPS / "types.d.ts").write_text(TYPES, encoding="utf-8")
        sources = ["types.d.ts", "react/src", "next/app", "vue/src"]
        whole = {"extends": "./react/tsconfig.json", "include": sources, "files": []}
        (APPS / "tsconfig.json").write_text(json.dumps(whole), encoding="utf-8")
        bin_ = APPS / "node_modules" / ".bin"
        run(str(bin_ / "tsc"), cwd=APPS)
        for name in ("react", "vue"):
            run(str(bin_ / "vite"), "build", "--base", "./", cwd=APPS / name)
        return APPS


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


@pytest.mark.parametrize("app", ["react", "vue"])
def test_the_package_in_an_app(built: Path, host: tuple[Path, str], visits: Visits, shop: Shop, app: str) -> None:
    folder, address = host
    shutil.copytree(built / app / "dist", folder, dirs_exist_ok=True)
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
