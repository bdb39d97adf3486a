"""`python -m web.publish`: the storefront as a folder for any static host, with sign-in at an OpenID Connect issuer."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from local.alone import alone
from local.gateway.pages import FOLDERS, POLICY, WEB

LIBRARY = "oidc-client-ts"
INSTALLED = WEB.parent / ".local" / LIBRARY


class PublishError(Exception):
    """An error that prevents publishing, with its reason."""


def publish(
    to: Path,
    *,
    api: str,
    issuer: str,
    client_id: str,
    scope: str = "openid",
    shop: str = "Example Shop",
    connect: Sequence[str] = (),
) -> str:
    """Fills the folder `to`, and returns the Content-Security-Policy to send with it.

    `api`: the output `ApiUrl`. `issuer`, `client_id`, `scope`: of your OpenID Connect provider. `connect`: addresses
    that the browser must reach besides these two, such as a token endpoint on another host. Raises PublishError.
    """
    api = api.rstrip("/")
    for address in (api, issuer, *connect):
        if not (parts := urlsplit(address)).netloc or parts.scheme not in ("http", "https"):
            raise PublishError(f"{address!r} is no address: it begins with https://")
    library = _library()
    for prefix, folder in FOLDERS.items():
        shutil.copytree(folder, to / prefix.strip("/"), dirs_exist_ok=True)
    vendor = to / "vendor"
    vendor.mkdir(exist_ok=True)
    # Its browser build sets a global; an ES module needs neither that nor an inline script in the page.
    script = (library / "dist" / "browser" / f"{LIBRARY}.min.js").read_text(encoding="utf-8")
    script = script.partition("//# sourceMappingURL")[0] + "export const { UserManager } = oidc;\n"
    (vendor / f"{LIBRARY}.js").write_text(script, encoding="utf-8")
    shutil.copy(library / "LICENSE", vendor / f"{LIBRARY}.LICENSE")
    sign_in = {"kind": "oidc", "issuer": issuer, "client_id": client_id, "scope": scope}
    config = {"shop": shop, "api": api, "sign_in": sign_in}
    (to / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    origins = sorted({"{0.scheme}://{0.netloc}".format(urlsplit(address)) for address in (api, issuer, *connect)})
    own, wider = "connect-src 'self'", " ".join(["connect-src 'self'", *origins])
    for page in to.glob("*.html"):
        page.write_text(page.read_text(encoding="utf-8").replace(own, wider), encoding="utf-8")
    return POLICY.replace(own, wider)


def _library() -> Path:
    """The sign-in library in the version of package-lock.json, from npm."""
    lock, installed = WEB / "package-lock.json", INSTALLED / "package-lock.json"
    with alone(INSTALLED):
        if not installed.exists() or installed.read_bytes() != lock.read_bytes():
            shutil.copy(WEB / "package.json", INSTALLED)
            shutil.copy(lock, installed)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            try:
                done = subprocess.run(command, cwd=INSTALLED, capture_output=True, text=True, check=False)
                failure = done.stderr[-300:] if done.returncode else ""
            except OSError as error:
                failure = str(error)
            if failure:
                installed.unlink()
                raise PublishError(f"npm could not install {LIBRARY}: {failure}")
    return INSTALLED / "node_modules" / LIBRARY


def main() -> int:
    """The exit code: 1 when it could not be done."""
    arguments = argparse.ArgumentParser(prog="python -m web.publish", description=__doc__)
    arguments.add_argument("to", type=Path, help="the folder; what is in it stays, unless it has the same name")
    arguments.add_argument("--api", required=True, help="the API's address: the stack's output ApiUrl")
    arguments.add_argument("--issuer", required=True, help="the OpenID Connect issuer, as in JwtIssuer")
    arguments.add_argument("--client-id", required=True, help="this site's client id there; it has no secret")
    arguments.add_argument("--scope", default="openid", help="what the token is asked for, by spaces")
    arguments.add_argument("--shop", default="Example Shop", help="the shop's name")
    arguments.add_argument("--connect", action="append", default=[], help="another address the browser must reach")
    options = arguments.parse_args()
    try:
        policy = publish(**vars(options))
    except PublishError as error:
        print(f"web.publish: {error}")
        return 1
    print(f"{options.to} is ready. Have the host send this header with it:\n\ncontent-security-policy: {policy}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
