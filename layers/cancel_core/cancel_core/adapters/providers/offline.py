"""Payments that the shop refunds itself, outside this product: they only need to be booked."""

from __future__ import annotations

from cancel_core.domain.provider import Outcome, PaymentRequest


class Offline:
    """Always succeeds; the shop pays the money back."""

    lands_late = False

    def check(self, _request: PaymentRequest) -> str | None:
        """No payment of this kind is invalid."""
        return None

    def execute(self, request: PaymentRequest) -> Outcome:
        return Outcome("succeeded", reference=f"offline_{request.idempotency_key}")

    def find(self, _request: PaymentRequest) -> Outcome | None:
        """There is no earlier request to find."""
        return None
