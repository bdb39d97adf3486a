"""`make reference`: write docs/reference/index.html, which shows docs/openapi.yaml in any browser.

The page and the three files beside it load nothing from a network: they contain the document, and Redoc from the npm
package that package-lock.json locks. Redoc is committed, so that `make run` and a clone without npm can show the page.
npm is needed only for another version. `tests/template/test_reference.py` fails if the page is not of the document.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

REFERENCE = Path(__file__).resolve().parent
DOCUMENT = REFERENCE.parent / "openapi.yaml"
PAGE = REFERENCE / "index.html"
SCRIPT = REFERENCE / "redoc.standalone.js"
LICENSES = REFERENCE / "redoc.standalone.js.LICENSE.txt"
LOCK = REFERENCE / "package-lock.json"
INSTALLED = REFERENCE.parents[1] / ".local" / "reference"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; worker-src blob:; "
    "base-uri 'none'; form-action 'none'"
)
"""The page may only run its own scripts. `worker-src`: Redoc's search runs in a worker."""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="content-security-policy" content="{policy}">
<title>{title}: API reference</title>
<link rel="icon" href="data:,">
<style>
body {{ margin: 0; }}
img[src="data:,"] {{ display: none; }}
noscript {{ display: block; padding: 2rem; font: 16px/1.5 system-ui, sans-serif; }}
</style>
</head>
<body>
<noscript>This page needs JavaScript. docs/openapi.yaml has the same content.</noscript>
<div id="reference"></div>
<script type="application/json" id="openapi">{document}</script>
<script src="redoc.standalone.js?{version}"></script>
<script src="show.js"></script>
</body>
</html>
"""


class NotMadeError(Exception):
    """The page cannot be written. The message says why."""


def page(document: str) -> str:
    """The page of an OpenAPI document in YAML."""
    read: dict[str, Any] = _shown(yaml.safe_load(document))
    # Lines, so that a diff shows what has changed; without an indent, which would be a tenth of the page.
    text = json.dumps(read, indent=0, ensure_ascii=False).replace("<", "\\u003c")
    return _PAGE.format(
        policy=POLICY.replace('"', "&quot;"),
        title=read["info"]["title"],
        document=text,
        version=hashlib.sha256(SCRIPT.read_bytes()).hexdigest()[:12],
    )


def _shown(node: Any) -> Any:
    """The document without its conditions (`if`), which Redoc would show as alternatives, each with all the fields."""
    if isinstance(node, list):
        return [_shown(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    hidden = {"if", "then", "else", "x-constraints"} if "type" in node or "schema" in node else set()
    return {name: _shown(inner) for name, inner in node.items() if name not in hidden}


def locked_version() -> str:
    """The version of Redoc in package-lock.json."""
    version: str = json.loads(LOCK.read_text(encoding="utf-8"))["packages"]["node_modules/redoc"]["version"]
    return version


def fetch() -> None:
    """Copies Redoc of the version in package-lock.json here, unless it is here already. Raises NotMadeError."""
    if SCRIPT.exists() and f'"{locked_version()}"' in SCRIPT.read_text(encoding="utf-8"):
        return
    npm = shutil.which("npm")
    if npm is None:
        raise NotMadeError("npm is not installed: it brings Redoc")
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(REFERENCE / name, INSTALLED)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=INSTALLED, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotMadeError(f"npm could not install Redoc: {done.stderr[-300:]}")
    bundles = INSTALLED / "node_modules" / "redoc" / "bundles"
    # Its source map is not copied, and its logo would be loaded from a server.
    code = (bundles / SCRIPT.name).read_text(encoding="utf-8").split("\n//# sourceMappingURL=")[0]
    code = code.replace("https://cdn.redoc.ly/redoc/logo-mini.svg", "data:,")
    SCRIPT.write_text(f"{code}\n", encoding="utf-8")
    shutil.copy(bundles / LICENSES.name, LICENSES)


def main() -> int:
    try:
        fetch()
    except NotMadeError as error:
        print(error, file=sys.stderr)
        return 1
    PAGE.write_text(page(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{PAGE.relative_to(REFERENCE.parents[1])} was written with Redoc {locked_version()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
