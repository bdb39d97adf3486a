"""Answers for the gateway: documents with an ETag, compressed, or not modified."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cancel_core.entrypoints.http.request import ApiRequest

MAX_AGE_SECONDS = 20
IN_FORCE_SECONDS = 60
"""A change of the config is in force after so long, caches in functions and in clients together."""
ONE_PACKET = 1400
"""Bytes. What fits a packet of 1,500 beside the headers of IP, TCP and TLS: made smaller, it would still be one."""
GZIP_LEVEL = 6
"""A list of 100 orders, 16.3 KB, becomes 2.3 KB in 0.07 ms; an order of 400 items, 83.9 KB, 10.1 KB in 0.8 ms. Level 1
makes 12.4 KB of that in 0.2 ms, two packets more; level 9 takes 2.6 ms to save a fifth of a packet."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A 200, or another `status`, with this document, and headers beside or in place of the usual ones. A GET's gets an
    ETag. `log_keys` stand in the log line of the answer.
    """

    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    log_keys: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


def public(cache_seconds: float) -> dict[str, str]:
    """The header of what anyone may keep for a while; its function may have kept it for `cache_seconds` before."""
    max_age = max(0, min(MAX_AGE_SECONDS, int(IN_FORCE_SECONDS - cache_seconds)))
    return {"cache-control": f"public, max-age={max_age}"}


def respond(request: ApiRequest, status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    """The document, compressed where that saves packets and the client takes it; 304 for who has it already."""
    content = _dump(body)
    is_large = len(content) > ONE_PACKET
    is_zipped = is_large and request.accepts_gzip()
    usual = {
        "content-type": "application/json",
        "cache-control": "no-store",
        "x-request-id": request.request_id,
        # A browser takes it for what it says it is, and comes by TLS alone.
        "x-content-type-options": "nosniff",
        "strict-transport-security": "max-age=31536000",
    }
    if varies := [*(["accept-encoding"] if is_large else []), *([headers["vary"]] if "vary" in headers else [])]:
        headers = {**headers, "vary": ", ".join(varies)}
    if status == 200 and request.method == "GET":
        digest = hashlib.sha256(content).hexdigest()[:32]
        # A strong ETag is of one representation, and gzip makes another one. Who has either has the document.
        etags = [f'"{digest}"', f'"{digest}-gzip"']
        if is_zipped:
            etags.reverse()
        # A browser may store it and revalidates each use. Shared caches may not store it.
        usual |= {"cache-control": "private, no-cache", "etag": etags[0]}
        known = request.known_etags()
        for etag in etags:
            if known & {etag, "*"}:
                # The type as well: without one the gateway adds text/plain, and a cache might believe it.
                return {"statusCode": 304, "headers": {**usual, **headers, "etag": etag}, "body": ""}
    if is_zipped:
        zipped = zlib.compress(content, GZIP_LEVEL, wbits=31)  # 31: in the form of gzip, its time 0
        return {
            "statusCode": status,
            "headers": {**usual, "content-encoding": "gzip", **headers},
            "body": base64.b64encode(zipped).decode(),
            "isBase64Encoded": True,
        }
    return {"statusCode": status, "headers": {**usual, **headers}, "body": content.decode()}


def _dump(body: Mapping[str, Any]) -> bytes:
    # A client's path or field name may hold what is no character; it is shown as "?".
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
