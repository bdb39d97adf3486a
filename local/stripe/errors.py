"""Error responses: the shapes, types and codes of the API reference, "Errors"."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Answer:
    """A response. `body` is JSON text already, so that a response saved under a key is repeated exactly."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def answer(status: int, body: Any, **headers: str) -> Answer:
    return Answer(status, json.dumps(body).encode(), {name.replace("_", "-"): text for name, text in headers.items()})


class Refusal(Exception):
    """An error for the client. `begun`: whether the endpoint had begun, so that the response is saved under the
    request's idempotency key. Invalid parameters are found before that.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        begun: bool = True,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.begun = begun
        self.status = status
        known = {"code": code, "message": message, "param": param, "type": type} | more
        self.error = {name: value for name, value in known.items() if value is not None}

    def answer(self) -> Answer:
        return answer(self.status, {"error": self.error}, **self._retry())

    def _retry(self) -> dict[str, str]:
        # The official clients evaluate this header before the status.
        if self.status in (409, 429, 503):
            return {"Stripe_Should_Retry": "true"}
        return {"Stripe_Should_Retry": "false"} if self.status == 500 else {}


def invalid(message: str, param: str | None = None, code: str | None = None) -> Refusal:
    """A parameter that is invalid in any state: nothing is saved under a key."""
    return Refusal(400, message, code=code, param=param, begun=False)


def internal() -> Refusal:
    return Refusal(500, "An unknown error occurred.", type="api_error")


def unavailable() -> Refusal:
    return Refusal(503, "Stripe is unavailable just now. Please try again.", type="api_error", begun=False)


def too_many() -> Refusal:
    return Refusal(
        429,
        "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
        code="rate_limit",
        begun=False,
    )


def key_in_use(key: str) -> Refusal:
    return Refusal(
        409,
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted "
        f"twice, and the other request is still going through): {key}. Please try again later.",
        type="idempotency_error",
        code="idempotency_key_in_use",
        begun=False,
    )


def declined(code: str = "card_declined", decline_code: str | None = "generic_decline", **more: Any) -> Refusal:
    messages = {
        "expired_card": "Your card has expired.",
        "incorrect_cvc": "Your card's security code is incorrect.",
        "processing_error": "An error occurred while processing your card. Try again in a little bit.",
        "insufficient_funds": "Your card has insufficient funds.",
    }
    message = messages.get(decline_code or "") or messages.get(code) or "Your card was declined."
    return Refusal(402, message, type="card_error", code=code, decline_code=decline_code, **more)
