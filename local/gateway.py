"""The HTTP API: routes, authorizer, CORS and payload format 2.0, as API Gateway does them, in front of the local
functions.

Sources: "Create AWS Lambda proxy integrations for HTTP APIs", "Configure CORS for HTTP APIs" and "Quotas" of the API
Gateway developer guide. Left out on purpose: throttling. The template's limits protect an account's concurrency and
wallet; here they would only make load tests fail.

Two paths are the local stack's own: GET /local/stack and POST /local/tokens. Where no route is, the storefront's pages
are (`pages.py`).
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from local import pages
from local.runtime import Runtime, TooManyRequests
from local.server import Handler, Server
from local.template import ACCOUNT, Route
from local.tokens import Forbidden, Issuer, Unauthorized

MAX_BODY = 10 * 1024 * 1024
INTEGRATION_SECONDS = 30.0
_TEXT = re.compile(r"text/|application/(json|javascript|xml)\b")


class _Refusal(Exception):
    """What the gateway answers by itself. ``close``: the request cannot be read any further."""

    def __init__(
        self, status: int, message: str, headers: list[tuple[str, str]] | None = None, *, close: bool = False
    ) -> None:
        super().__init__(message)
        self.status, self.headers, self.close = status, headers, close


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
        self.routes = sorted(routes, key=lambda route: route.path.count("{"))  # the most literal path wins
        self.cors, self.issuer = cors, issuer
        self.invoke = invoke
        self.stack: Mapping[str, Any] | None = None
        self.server = Server(port, type("_Bound", (_Api,), {"gateway": self}))
        self.url = f"http://127.0.0.1:{self.server.port}"

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route, and its path parameters decoded."""
        parts = path.split("/")
        for route in self.routes:
            wanted = route.path.split("/")
            if route.method not in (method, "ANY") or len(wanted) != len(parts):
                continue
            pairs = list(zip(wanted, parts, strict=True))
            if all(part if want.startswith("{") else want == part for want, part in pairs):
                return route, {want[1:-1]: unquote(part) for want, part in pairs if want.startswith("{")}
        return None

    def cors_headers(self, origin: str | None, *, preflight: bool = False) -> list[tuple[str, str]]:
        """What a browser at ``origin`` is told; nothing when it is not allowed."""
        allowed = self.cors.get("AllowOrigins", [])
        if not origin or not ("*" in allowed or origin in allowed):
            return []
        headers = [("access-control-allow-origin", "*" if "*" in allowed else origin)]
        if "*" not in allowed:
            headers.append(("vary", "Origin"))
        if preflight:
            headers.append(("access-control-allow-methods", ",".join(self.cors.get("AllowMethods", []))))
            headers.append(("access-control-allow-headers", ",".join(self.cors.get("AllowHeaders", []))))
            headers.append(("access-control-max-age", str(self.cors.get("MaxAge", 0))))
        elif exposed := self.cors.get("ExposeHeaders"):
            headers.append(("access-control-expose-headers", ",".join(exposed)))
        return headers


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


class _Api(Handler):
    gateway: Gateway
    timeout = 120  # a connection that says nothing for so long is closed

    def __getattr__(self, name: str) -> Callable[[], None]:
        # BaseHTTPRequestHandler looks for do_<METHOD>; here every method is the routes' business.
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def send_error(self, code: int, message: str | None = None, _explain: str | None = None) -> None:
        """A request line or header that cannot be read, in the gateway's own manner."""
        self.close_connection = True
        self.command = getattr(self, "command", None) or "GET"
        self._json(400 if code < 500 else code, {"message": "Bad Request" if code < 500 else message})

    def _serve(self) -> None:
        try:
            self._handle()
        except _Refusal as refusal:
            self.close_connection = self.close_connection or refusal.close
            self._json(refusal.status, {"message": str(refusal)}, refusal.headers)
        except (ConnectionError, TimeoutError):
            raise
        except Exception:  # noqa: BLE001  # see the next line
            # A fault of the gateway itself. It is shown, and the client gets an answer all the same.
            traceback.print_exc()
            self._json(500, {"message": "Internal Server Error"})

    def _handle(self) -> None:
        self.request_id = base64.urlsafe_b64encode(secrets.token_bytes(11)).decode()[:15] + "="
        body = self._body()
        raw_path, _, self.query = _text(self.path).partition("?")
        if raw_path.startswith("/local/"):
            self._local(raw_path, body)
            return
        found = self.gateway.find(self.command, raw_path)
        if found:
            route, parameters = found
            claims = self._claims(route) if route.authorized else None
            self._call(route, self._event(route, unquote(raw_path), parameters, claims, body))
        elif self.command == "OPTIONS" and self.gateway.cors:
            allowed = self.gateway.cors_headers(self.headers["Origin"], preflight=True)
            self.answer(204, headers=[*allowed, self._id()])
        elif self.command in ("GET", "HEAD") and (page := pages.find(raw_path)):
            self._page(page)
        else:
            raise _Refusal(404, "Not Found")

    def _page(self, page: pages.Page) -> None:
        if self.gateway.stack is None:
            raise _Refusal(503, "Service Unavailable")
        headers = [("cache-control", "no-cache"), ("etag", page.etag), *pages.SECURITY]
        if self.headers["If-None-Match"] == page.etag:
            self.answer(304, headers=headers)
        else:
            self.answer(200, page.content, [("content-type", page.content_type), *headers])

    def _claims(self, route: Route) -> dict[str, str]:
        try:
            return self.gateway.issuer.check(self.headers["Authorization"], route.scopes)
        except Unauthorized as error:
            why = re.sub(r'[^ -~]|["\\]', "", str(error))
            detail = f'Bearer scope="" error="invalid_token" error_description="{why}"' if why else "Bearer"
            raise _Refusal(401, "Unauthorized", [("www-authenticate", detail)]) from error
        except Forbidden as error:
            detail = f'Bearer scope="{" ".join(route.scopes)}" error="insufficient_scope"'
            raise _Refusal(403, "Forbidden", [("www-authenticate", detail)]) from error

    def _call(self, route: Route, event: Mapping[str, Any]) -> None:
        """Invoke the route's function and send what it answers."""
        if self.gateway.invoke is None:
            raise _Refusal(503, "Service Unavailable")
        try:
            result = self.gateway.invoke(route.function, json.dumps(event).encode())
        except TooManyRequests as error:
            raise _Refusal(503, "Service Unavailable") from error
        if result is None:
            raise _Refusal(500, "Internal Server Error")
        try:
            status, headers, content = _answer(json.loads(result))
        except (ValueError, TypeError, AttributeError) as error:
            raise _Refusal(500, "Internal Server Error") from error
        # CORS is the gateway's own business: it puts its headers in place of the function's.
        headers = [pair for pair in headers if not pair[0].startswith("access-control-")]
        self.answer(status, content, [*headers, *self.gateway.cors_headers(self.headers["Origin"]), self._id()])

    # ------------------------------------------------------------------ in

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            body = b""
            try:
                while size := int(self.rfile.readline(1024).split(b";")[0], 16):
                    if size < 0 or len(body) + size > MAX_BODY:
                        raise _Refusal(413, "Request Entity Too Large", close=True)
                    body += self.rfile.read(size)
                    self.rfile.readline(1024)
                while self.rfile.readline(65536).strip():
                    pass  # trailers
            except ValueError as error:
                raise _Refusal(400, "Bad Request", close=True) from error
            return body
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()):
            raise _Refusal(400, "Bad Request", close=True)
        if int(length) > MAX_BODY:
            raise _Refusal(413, "Request Entity Too Large", close=True)
        return self.rfile.read(int(length))

    def _event(
        self, route: Route, path: str, parameters: dict[str, str], claims: dict[str, str] | None, body: bytes
    ) -> dict[str, Any]:
        """Payload format 2.0. HTTP APIs decode ``rawPath``, in spite of its name."""
        headers: dict[str, str] = {}
        cookies: list[str] = []
        for name, value in ((name.lower(), _text(value)) for name, value in self.headers.items()):
            if name == "cookie":
                cookies += value.split("; ")
            else:
                headers[name] = f"{headers[name]},{value}" if name in headers else value
        client = self.client_address[0]
        now = time.time()
        headers |= {
            "x-forwarded-for": client,
            "x-forwarded-port": str(self.gateway.server.port),
            "x-forwarded-proto": "http",
        }
        headers["x-amzn-trace-id"] = f"Root=1-{int(now):08x}-{secrets.token_hex(12)}"
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": f"{route.method} {route.path}",
            "rawPath": path,
            "rawQueryString": self.query,
            "headers": headers,
            "requestContext": {
                "accountId": ACCOUNT,
                "apiId": "local",
                "domainName": headers.get("host", "").split(":")[0],
                "domainPrefix": headers.get("host", "").split(".")[0].split(":")[0],
                "http": {
                    "method": self.command,
                    "path": path,
                    "protocol": self.request_version,
                    "sourceIp": client,
                    "userAgent": headers.get("user-agent", ""),
                },
                "requestId": self.request_id,
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
        for name, value in parse_qsl(self.query, keep_blank_values=True):
            query[name] = f"{query[name]},{value}" if name in query else value
        if query:
            event["queryStringParameters"] = query
        if body:
            event["body"], event["isBase64Encoded"] = _body_text(body, headers.get("content-type", ""))
        return event

    # ----------------------------------------------------------------- out

    def _id(self) -> tuple[str, str]:
        return ("apigw-requestid", getattr(self, "request_id", "") or secrets.token_hex(8))

    def _json(self, status: int, body: Mapping[str, Any], headers: list[tuple[str, str]] | None = None) -> None:
        origin = self.headers["Origin"] if getattr(self, "headers", None) else None
        content = [
            ("content-type", "application/json"),
            *(headers or []),
            *self.gateway.cors_headers(origin),
            self._id(),
        ]
        self.answer(status, json.dumps(body, separators=(",", ":")).encode(), content)

    # --------------------------------------------------- the local stack's own

    def _local(self, path: str, body: bytes) -> None:
        if self.command == "OPTIONS":
            allow = [
                ("access-control-allow-origin", "*"),
                ("access-control-allow-methods", "GET,POST"),
                ("access-control-allow-headers", "*"),
            ]
            return self.answer(204, headers=allow)
        if (self.command, path) == ("GET", "/local/stack"):
            if self.gateway.stack is None:
                return self._json(503, {"message": "Starting"})
            return self._json(200, self.gateway.stack)
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


def _text(value: str) -> str:
    """A request line or a header's value: http.server reads bytes as Latin-1, clients mean UTF-8."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def _body_text(body: bytes, content_type: str) -> tuple[str, bool]:
    """The event's ``body`` and ``isBase64Encoded``."""
    if _TEXT.match(content_type.strip().lower()):
        try:
            return body.decode("utf-8"), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), True


def _answer(result: Any) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and body from what a function returned. Raises ValueError, TypeError, AttributeError when it is
    malformed.

    Without a ``statusCode`` API Gateway takes the result for the body of a 200.
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
    """One header value; a line break in it would start a header of its own."""
    text = value if isinstance(value, str) else json.dumps(value)
    if "\r" in text or "\n" in text:
        raise ValueError("line break in a header")
    return text.encode("utf-8").decode("latin-1")
