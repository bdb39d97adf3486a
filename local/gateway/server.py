"""The server of the HTTP API, from the request line to the response.

Four paths belong to the local stack: GET /local/stack, POST /local/tokens, /local/mails (`mails.py`), and the API
reference at /local/docs. Paths without a route serve the storefront's pages (`pages.py`).
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import secrets
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from local.gateway import mails, pages
from local.gateway.answers import answer_of
from local.gateway.event import Request, event_of
from local.gateway.requests import Refusal, check_head, decoded, read_body, text
from local.gateway.routing import Cors, Routes
from local.gateway.tokens import Forbidden, Issuer, Unauthorized
from local.runtime.function import TooManyRequests
from local.runtime.runtime import Runtime
from local.server import Handler, Server, is_ours
from local.template import Route

INTEGRATION_SECONDS = 30.0
MAX_PAYLOAD = 6 * 1024 * 1024
"""Bytes of a function's event, and of its response."""


class Gateway:
    """Serves ``routes`` from ``server``. ``stack`` is what GET /local/stack answers; until it is set, everything
    answers 503."""

    def __init__(
        self,
        port: int,
        routes: Iterable[Route],
        cors: Mapping[str, Any],
        issuer: Issuer,
        invoke: Callable[[str, bytes], bytes | None] | None = None,
    ) -> None:
        self.routes, self.cors, self.issuer = Routes(routes), Cors(cors), issuer
        self.invoke = invoke
        self.stack: Mapping[str, Any] | None = None
        self.server = Server(port, type("_Bound", (_Api,), {"gateway": self}))
        self.url = f"http://127.0.0.1:{self.server.port}"


class _Api(Handler):
    gateway: Gateway
    timeout = 120  # a connection that says nothing for so long is closed

    def __getattr__(self, name: str) -> Callable[[], None]:
        # BaseHTTPRequestHandler looks for do_<METHOD>; here the routes handle every method.
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def send_error(self, code: int, message: str | None = None, _explain: str | None = None) -> None:
        """A request line or header that can't be parsed, refused as the gateway does."""
        self.close_connection = True
        self.command = getattr(self, "command", None) or "GET"
        self._json(400 if code < 500 else code, {"message": "Bad Request" if code < 500 else message})

    def _serve(self) -> None:
        try:
            self._handle()
        except Refusal as refusal:
            self.close_connection = self.close_connection or refusal.close
            self._json(refusal.status, {"message": str(refusal)}, refusal.headers)
        except (ConnectionError, TimeoutError):
            raise
        except Exception:  # noqa: BLE001  # see the next line
            # An error of the gateway itself. It is printed, and the client gets a response.
            traceback.print_exc()
            self._json(500, {"message": "Internal Server Error"})

    def _handle(self) -> None:
        self.request_id = base64.urlsafe_b64encode(secrets.token_bytes(11)).decode()[:15] + "="
        check_head(self.requestline, self.headers)
        body = read_body(self.headers, self.rfile)
        raw_path, _, query = text(self.path).partition("?")
        # Pages of any site may call the API itself, as CORS allows: they get no token from it.
        is_local = raw_path.startswith("/local/")
        if not is_ours(self.headers["Host"], self.headers["Origin"] if is_local else None):
            raise Refusal(403, "Forbidden")
        if is_local:
            self._local(raw_path, query, body)
            return
        path = decoded(raw_path)
        found = self.gateway.routes.find(self.command, path)
        if found:
            route, parameters = found
            claims = self._claims(route) if route.authorized else None
            self._call(route, event_of(self._request(path, query, body), route, parameters, claims))
        elif self.command == "OPTIONS" and self.gateway.cors:
            allowed = self.gateway.cors.headers(self.headers["Origin"], preflight=True)
            self.answer(204, headers=[*allowed, self._id()])
        elif self.command in ("GET", "HEAD") and (page := pages.find(raw_path)):
            self._page(page)
        else:
            raise Refusal(404, "Not Found")

    def _request(self, path: str, query: str, body: bytes) -> Request:
        return Request(
            request_id=self.request_id, method=self.command, path=path, query=query, protocol=self.request_version,
            headers=[(name.lower(), text(value)) for name, value in self.headers.items()], body=body,
            client=self.client_address[0], port=self.gateway.server.port,
        )  # fmt: skip

    def _page(self, page: pages.Page, security: Iterable[tuple[str, str]] = pages.SECURITY) -> None:
        if self.gateway.stack is None:
            raise Refusal(503, "Service Unavailable")
        headers = [("cache-control", "no-cache"), ("etag", page.etag), *security]
        if self.headers["If-None-Match"] == page.etag:
            self.answer(304, headers=headers)
            return
        content, headers = page.content, [("content-type", page.content_type), *headers, ("vary", "accept-encoding")]
        # As the hosts of static files do, so that a page weighs here what it weighs there.
        if "gzip" in (self.headers["Accept-Encoding"] or ""):
            content, headers = gzip.compress(content, mtime=0), [*headers, ("content-encoding", "gzip")]
        self.answer(200, content, headers)

    def _claims(self, route: Route) -> dict[str, str]:
        try:
            return self.gateway.issuer.check(self.headers["Authorization"], route.scopes)
        except Unauthorized as error:
            why = re.sub(r'[^ -~]|["\\]', "", str(error))
            detail = f'Bearer scope="" error="invalid_token" error_description="{why}"' if why else "Bearer"
            raise Refusal(401, "Unauthorized", [("www-authenticate", detail)]) from error
        except Forbidden as error:
            detail = f'Bearer scope="{" ".join(route.scopes)}" error="insufficient_scope"'
            raise Refusal(403, "Forbidden", [("www-authenticate", detail)]) from error

    def _call(self, route: Route, event: Mapping[str, Any]) -> None:
        """Invoke the route's function and send its response."""
        if self.gateway.invoke is None:
            raise Refusal(503, "Service Unavailable")
        payload = json.dumps(event).encode()
        if len(payload) > MAX_PAYLOAD:
            raise Refusal(413, "Request Entity Too Large")
        try:
            result = self.gateway.invoke(route.function, payload)
        except TooManyRequests as error:
            raise Refusal(503, "Service Unavailable") from error
        if result is None or len(result) > MAX_PAYLOAD:
            raise Refusal(500, "Internal Server Error")
        try:
            status, headers, content = answer_of(json.loads(result))
        except (ValueError, TypeError, AttributeError) as error:
            raise Refusal(500, "Internal Server Error") from error
        # The gateway handles CORS: its headers replace the function's.
        headers = [pair for pair in headers if not pair[0].startswith("access-control-")]
        self.answer(status, content, [*headers, *self.gateway.cors.headers(self.headers["Origin"]), self._id()])

    def _id(self) -> tuple[str, str]:
        return ("apigw-requestid", getattr(self, "request_id", "") or secrets.token_hex(8))

    def _json(self, status: int, body: Mapping[str, Any], headers: list[tuple[str, str]] | None = None) -> None:
        origin = self.headers["Origin"] if getattr(self, "headers", None) else None
        content = [
            ("content-type", "application/json"),
            *(headers or []),
            *self.gateway.cors.headers(origin),
            self._id(),
        ]
        self.answer(status, json.dumps(body, separators=(",", ":")).encode(), content)

    # --------------------------------------------------- paths of the local stack

    def _local(self, path: str, query: str, body: bytes) -> None:
        if self.command == "OPTIONS":
            allow = [
                ("access-control-allow-origin", self.headers["Origin"] or "*"),
                ("access-control-allow-methods", "GET,POST"),
                ("access-control-allow-headers", "*"),
            ]
            return self.answer(204, headers=allow)
        if (self.command, path) == ("GET", "/local/stack"):
            if self.gateway.stack is None:
                return self._json(503, {"message": "Starting"})
            return self._json(200, self.gateway.stack)
        if self.command in ("GET", "HEAD") and path == pages.REFERENCE:
            return self.answer(302, headers=[("location", f"{pages.REFERENCE}/")])
        if self.command in ("GET", "HEAD") and (page := pages.find_reference(path)):
            return self._page(page, pages.REFERENCE_SECURITY)
        if self.command == "GET" and path.startswith(mails.MAILS):
            if self.gateway.stack is None:
                return self._json(503, {"message": "Starting"})
            found = mails.answer(path, query, self.gateway.stack["endpoint_url"])
            if found:
                return self.answer(found.status, found.body, found.headers)
        if (self.command, path) == ("POST", "/local/tokens"):
            try:
                asked = json.loads(body)
                customer, email = asked["customer_id"], asked.get("email")
                good = isinstance(customer, str) and customer and isinstance(email, str | None)
            except (ValueError, TypeError, KeyError, AttributeError):
                good = False
            if not good:
                return self._json(
                    400, {"message": 'The body must be {"customer_id": "...", "email": "..."}; email may be left out'}
                )
            return self._json(200, {"token": self.gateway.issuer.token(customer, email)})
        return self._json(404, {"message": "Not Found"})


def invoker(runtime: Runtime, names: Mapping[str, str]) -> Callable[[str, bytes], bytes | None]:
    """How the gateway calls a function, by logical id: its answer, or None for a function error. Raises
    TooManyRequests."""

    def invoke(function: str, event: bytes) -> bytes | None:
        started = time.monotonic()
        result = runtime.invoke(names[function], event, patience=INTEGRATION_SECONDS)
        if time.monotonic() - started > INTEGRATION_SECONDS:
            raise TooManyRequests(function)
        return None if result.error else result.payload

    return invoke
