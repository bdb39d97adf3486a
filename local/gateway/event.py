"""The event of a request: payload format 2.0."""

from __future__ import annotations

import base64
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from local.template import ACCOUNT, Route

_TEXT = re.compile(r"text/|application/(json|javascript|xml)\b")


@dataclass(frozen=True)
class Request:
    """``path`` is decoded, ``query`` is not; ``headers`` are (name in small letters, value), as often as they came.
    ``client`` is an address, ``port`` the one it called, ``protocol`` such as HTTP/1.1."""

    request_id: str
    method: str
    path: str
    query: str
    protocol: str
    headers: list[tuple[str, str]]
    body: bytes
    client: str
    port: int


def event_of(
    request: Request, route: Route, parameters: dict[str, str], claims: dict[str, str] | None
) -> dict[str, Any]:
    """``parameters`` of the path, decoded; ``claims`` of the token, None on a route without an authorizer.

    HTTP APIs decode ``rawPath``, in spite of its name.
    """
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for name, value in request.headers:
        if name == "cookie":
            cookies += value.split("; ")
        else:
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    now = time.time()
    headers |= {
        "x-forwarded-for": request.client,
        "x-forwarded-port": str(request.port),
        "x-forwarded-proto": "http",
    }
    headers["x-amzn-trace-id"] = f"Root=1-{int(now):08x}-{secrets.token_hex(12)}"
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{route.method} {route.path}",
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": headers.get("host", "").split(":")[0],
            "domainPrefix": headers.get("host", "").split(".")[0].split(":")[0],
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": request.protocol,
                "sourceIp": request.client,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request.request_id,
            "routeKey": f"{route.method} {route.path}",
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    if claims is not None:
        event["requestContext"]["authorizer"] = {"jwt": {"claims": claims, "scopes": list(route.scopes) or None}}
    if cookies:
        event["cookies"] = cookies
    if parameters:
        event["pathParameters"] = parameters
    query: dict[str, str] = {}
    for name, value in parse_qsl(request.query, keep_blank_values=True):
        query[name] = f"{query[name]},{value}" if name in query else value
    if query:
        event["queryStringParameters"] = query
    if request.body:
        event["body"], event["isBase64Encoded"] = _body_text(request.body, headers.get("content-type", ""))
    return event


def _body_text(body: bytes, content_type: str) -> tuple[str, bool]:
    """The event's ``body`` and ``isBase64Encoded``."""
    if _TEXT.match(content_type.strip().lower()):
        try:
            return body.decode("utf-8"), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), True
