"""The storefront's pages: static files on paths that are not routes of the HTTP API."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

WEB = Path(__file__).resolve().parents[2] / "web"
# The paths of the folders of web/ on a site: the longest matching prefix counts.
FOLDERS: Mapping[str, Path] = {
    "/": WEB / "storefront",
    "/cancel-order/": WEB / "cancel-order",
    "/withdraw-contract/": WEB / "withdraw-contract",
}

# Fixed, because the types that mimetypes knows in addition depend on files of the system.
_TYPES = {".js": "text/javascript", ".svg": "image/svg+xml", ".json": "application/json"}

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
SECURITY = (
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
)


@dataclass(frozen=True)
class Page:
    """One file with its headers."""

    content: bytes
    content_type: str

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()[:20]}"'


REFERENCE = "/local/docs"
REFERENCE_FOLDERS: Mapping[str, Path] = {f"{REFERENCE}/": WEB.parent / "docs" / "reference"}
_REFERENCE_FILES = ("", "index.html", "show.js", "redoc.standalone.js")
# As docs/reference/index.html has it itself: see docs/reference/render.py, which takes more than `make run` installs.
REFERENCE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; worker-src blob:; "
    "base-uri 'none'; form-action 'none'"
)
REFERENCE_SECURITY = (
    ("content-security-policy", f"{REFERENCE_POLICY}; frame-ancestors 'none'"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
)


def find_reference(raw_path: str) -> Page | None:
    """A file of the API reference, which is served below /local/docs/; its index.html is /local/docs/ itself."""
    name = raw_path.removeprefix(f"{REFERENCE}/")
    return find(f"{REFERENCE}/{name or 'index.html'}", REFERENCE_FOLDERS) if name in _REFERENCE_FILES else None


def find(raw_path: str, folders: Mapping[str, Path] = FOLDERS) -> Page | None:
    """The file for an undecoded request path; "/" is index.html. None if there is none, or it must not be served."""
    path = unquote(raw_path)
    path = f"{path}index.html" if path == "/" else path
    prefix = max((one for one in folders if path.startswith(one)), key=len, default=None)
    if prefix is None:
        return None
    parts = path.removeprefix(prefix).split("/")
    # No hidden files, no parent folders, no names that the file system interprets differently.
    if any(not part or part.startswith(".") or "\\" in part or "\0" in part for part in parts):
        return None
    folder = folders[prefix].resolve()
    file = folder.joinpath(*parts).resolve()
    if not file.is_relative_to(folder) or not file.is_file():
        return None
    kind = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return Page(file.read_bytes(), f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
