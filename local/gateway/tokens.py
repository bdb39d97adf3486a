"""An identity provider for one machine: RS256 tokens under a key made at start, and the checks of the HTTP API's JWT
authorizer.

Source of the checks: "Control access to HTTP APIs with JWT authorizers" of the API Gateway developer guide.
"""

from __future__ import annotations

import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa


class Unauthorized(Exception):
    """No token, or an invalid one. The message says why; API Gateway returns it only in ``www-authenticate``."""


class Forbidden(Exception):
    """The token is valid, but has none of the scopes that the route requires."""


class Issuer:
    """Signs and verifies. ``issuer`` and ``audience`` are the authorizer's, from the template; ``claim`` names the
    customer."""

    def __init__(self, issuer: str, audience: list[str], claim: str = "sub") -> None:
        self.issuer, self.audience, self.claim = issuer, audience, claim
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._public = self._key.public_key()

    def token(self, customer_id: str, email: str | None = None, **claims: Any) -> str:
        """A token for this customer, valid for twelve hours. ``claims`` override others or, as None, remove them."""
        now = int(time.time())
        content = {
            "iss": self.issuer,
            "aud": self.audience[0],
            "sub": customer_id,
            self.claim: customer_id,
            "iat": now,
            "exp": now + 12 * 3600,
        }
        content |= ({"email": email} if email is not None else {}) | claims
        return jwt.encode(
            {k: v for k, v in content.items() if v is not None}, self._key, "RS256", headers={"kid": "local"}
        )

    def check(self, header: str | None, scopes: tuple[str, ...] = ()) -> dict[str, str]:
        """The claims as the authorizer hands them to a function: every value a string, null left out. Raises
        Unauthorized, Forbidden."""
        if not header:
            raise Unauthorized("")
        scheme, _, token = header.strip().rpartition(" ")
        if scheme.lower() not in ("", "bearer"):
            raise Unauthorized("the token is not a bearer token")
        try:
            # The audience is checked below: API Gateway uses client_id if there is no aud.
            options: Any = {"verify_aud": False, "require": ["exp", "iss"], "verify_sub": False}
            claims = jwt.decode(token, self._public, ["RS256"], issuer=self.issuer, options=options)
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Unauthorized(str(error)) from error
        intended = claims.get("aud", claims.get("client_id"))
        if not set(intended if isinstance(intended, list) else [intended]) & set(self.audience):
            raise Unauthorized("invalid audience")
        granted = claims.get("scope", claims.get("scp", ""))
        if scopes and not set(granted if isinstance(granted, list) else str(granted).split()) & set(scopes):
            raise Forbidden("none of the scopes")
        return {name: _as_text(value) for name, value in claims.items() if value is not None}


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{' '.join(map(_as_text, value))}]"
    return json.dumps(value)
