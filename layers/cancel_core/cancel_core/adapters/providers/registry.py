"""The payment providers. Each is a class in its own file and is listed here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from cancel_core.domain.provider import Outcome, PaymentRequest, Provider


class _WhenMet:
    """A provider that is created, and its client imported, when the first payment of its kind is processed."""

    def __init__(self, make: Callable[[], Provider]) -> None:
        self._make = cache(make)

    @property
    def lands_late(self) -> bool:
        return self._make().lands_late

    def check(self, request: PaymentRequest) -> str | None:
        return self._make().check(request)

    def execute(self, request: PaymentRequest) -> Outcome:
        return self._make().execute(request)

    def find(self, request: PaymentRequest) -> Outcome | None:
        return self._make().find(request)


def providers(stripe_secret_arn: str = "", stripe_url: str | None = None) -> Mapping[str, Provider]:
    """Every provider, by the name in an order's payments. `stripe_url` replaces the URL of Stripe's API."""
    from cancel_core.adapters.providers.offline import Offline

    def stripe() -> Provider:
        from cancel_core.adapters.providers.stripe import Stripe
        from cancel_core.adapters.secrets import Secret

        return Stripe(Secret(stripe_secret_arn), stripe_url)

    return {"offline": Offline(), "stripe": _WhenMet(stripe)}
