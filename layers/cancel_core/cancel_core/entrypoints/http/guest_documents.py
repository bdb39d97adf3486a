"""The responses of the two guest access routes."""

from __future__ import annotations

from typing import Any

from cancel_core.domain.access import CODE_LIFE, Token
from cancel_core.domain.times import iso


def access_view() -> dict[str, Any]:
    """The response to a request for a code."""
    return {"expires_in": int(CODE_LIFE.total_seconds())}


def token_view(token: Token) -> dict[str, Any]:
    return {"token": token.token, "expires_at": iso(token.expires_at)}
