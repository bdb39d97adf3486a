"""An OpenID Connect issuer as small as can be: it knows one customer, asks for no password, and checks PKCE."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt

from local.server import Handler, Server

CLIENT_ID = "storefront"


class FakeIssuer:
    """`access_token` is what it gives; `asked` each authorization request, `refused` what did not fit."""

    def __init__(self, access_token: str) -> None:
        self.access_token = access_token
        self.asked: list[dict[str, str]] = []
        self.refused: list[str] = []
        self.signed_out = 0
        self.codes: dict[str, dict[str, str]] = {}
        self.server = Server(0, type("_Bound", (_Endpoints,), {"issuer": self}))
        self.url = f"http://127.0.0.1:{self.server.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser is sent to."""
        self.asked.append(query)
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> dict[str, Any] | None:
        """The tokens for a code and its verifier."""
        query = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if query is None or query["code_challenge"] != challenge or query["redirect_uri"] != form.get("redirect_uri"):
            self.refused.append(str(form))
            return None
        claims = {"iss": self.url, "aud": CLIENT_ID, "sub": "kim", "given_name": "Kim", "exp": int(time.time()) + 600}
        return {
            "access_token": self.access_token,
            "token_type": "Bearer",
            "expires_in": 600,
            "id_token": jwt.encode(claims | {"iat": int(time.time())}, "s" * 32, "HS256"),
        }


class _Endpoints(Handler):
    issuer: FakeIssuer

    def do_OPTIONS(self) -> None:  # noqa: N802  # the standard library's name
        self._reply({}, status=204)

    def do_GET(self) -> None:  # noqa: N802  # the standard library's name
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/.well-known/openid-configuration":
            paths = {"authorization": "authorize", "token": "token", "end_session": "logout"}
            endpoints = {f"{name}_endpoint": f"{self.issuer.url}/{path}" for name, path in paths.items()}
            self._reply({"issuer": self.issuer.url, "jwks_uri": f"{self.issuer.url}/keys", **endpoints})
        elif parts.path == "/authorize":
            self.answer(302, headers=[("location", self.issuer.authorize(query))])
        elif parts.path == "/logout":
            self.issuer.signed_out += 1
            self.answer(302, headers=[("location", query["post_logout_redirect_uri"])])
        else:
            self.answer(404)

    def do_POST(self) -> None:  # noqa: N802  # the standard library's name
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        given = self.issuer.token({name: values[0] for name, values in parse_qs(body).items()})
        self._reply(given or {"error": "invalid_grant"}, status=200 if given else 400)

    def _reply(self, body: dict[str, Any], status: int = 200) -> None:
        cors = [("access-control-allow-origin", "*"), ("access-control-allow-headers", "*")]
        self.answer(status, json.dumps(body).encode(), [("content-type", "application/json"), *cors])
