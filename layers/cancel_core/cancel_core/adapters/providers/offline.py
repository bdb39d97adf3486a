"""Payments that the shop pays back outside of this product: booking one completes it."""

from __future__ import annotations

from cancel_core.domain.provider import Outcome, PaymentRequest


class Offline:
    """Says yes; the shop does the rest."""

    lands_late = False

    def check(self, _request: PaymentRequest) -> str | None:
        """There is nothing to be wrong with it."""
        return None

    def execute(self, request: PaymentRequest) -> Outcome:
        return Outcome("succeeded", reference=f"offline_{request.idempotency_key}")

    def find(self, _request: PaymentRequest) -> Outcome | None:
        """Nothing is done here before it is booked."""
        return None
