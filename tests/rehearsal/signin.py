"""A customer's browser at the pool's own pages: authorization code with PKCE, from the client's point of view."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import secrets
from urllib.parse import parse_qs, urlsplit

import httpx


def sign_in(http: httpx.Client, client_id: str, callback: str, email: str, password: str) -> dict[str, str]:
    """The tokens that the pool gives a public client for its code."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    page = http.get(
        "/oauth2/authorize",
        params={
            "client_id": client_id,
            "response_type": "code",
            "redirect_uri": callback,
            "scope": "openid email",
            "state": "the-state",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        },
    )
    assert page.status_code == 200, page.text
    fields = dict(re.findall(r'<input[^>]*type="hidden"[^>]*name="(\w+)"[^>]*value="([^"]*)"', page.text))
    form = {name: html.unescape(value) for name, value in fields.items()}
    back = http.post("/login", data=form | {"username": email, "password": password})
    assert back.status_code in {302, 303}, back.text
    address = urlsplit(back.headers["location"])
    assert back.headers["location"].startswith(callback)
    answered = parse_qs(address.query)
    assert answered["state"] == ["the-state"]
    asked = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "code": answered["code"][0],
        "redirect_uri": callback,
    }
    tokens = http.post("/oauth2/token", data=asked | {"code_verifier": verifier})
    assert tokens.status_code == 200, tokens.text
    given: dict[str, str] = tokens.json()
    return given
