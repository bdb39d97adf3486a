"""Converts a function's result to an HTTP response."""

from __future__ import annotations

import base64
import json
from typing import Any


def answer_of(result: Any) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and body from what a function returned. Raises ValueError, TypeError, AttributeError when it is
    malformed.

    Without a ``statusCode``, API Gateway uses the result as the body of a 200.
    """
    if not isinstance(result, dict) or "statusCode" not in result:
        content = result if isinstance(result, str) else json.dumps(result, separators=(",", ":"), ensure_ascii=False)
        return 200, [("content-type", "application/json")], content.encode()
    status = int(result["statusCode"])
    if not 100 <= status <= 599:
        raise ValueError(f"status {status}")
    body = result.get("body")
    if body is None:
        body = ""
    if not isinstance(body, str):
        raise TypeError("body must be a string")
    content_bytes = base64.b64decode(body, validate=True) if result.get("isBase64Encoded") else body.encode()
    headers = [(name.lower(), _header(value)) for name, value in (result.get("headers") or {}).items()]
    headers = [pair for pair in headers if pair[0] not in ("content-length", "connection", "transfer-encoding", "date")]
    if not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", "text/plain; charset=utf-8"))
    headers += [("set-cookie", _header(cookie)) for cookie in result.get("cookies") or []]
    return status, headers, content_bytes


def _header(value: Any) -> str:
    """One header value; a line break in it would start another header."""
    text = value if isinstance(value, str) else json.dumps(value)
    if "\r" in text or "\n" in text:
        raise ValueError("line break in a header")
    return text.encode("utf-8").decode("latin-1")
