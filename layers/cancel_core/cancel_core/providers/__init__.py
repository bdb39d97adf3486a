"""The port to payment providers. A provider is one class in a file of its own, named in `providers()`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, Protocol

from cancel_core.errors import CancelCoreError
from cancel_core.order import FailureCode, RefundAction, RefundStatus


class ProviderUnavailable(CancelCoreError):
    """The provider can't say now; the same request is to be made again later, with the same key.

    The message is for operators and logs: what the provider answered, never a secret.
    """


class PaymentRequest(NamedTuple):
    """Give `amount` (minor units of `currency`) back, or release it, once for each `idempotency_key`.

    `refund_id` is ours, and is to be left at the provider with what it does. `payment_reference` is the provider's id
    of the payment, as the order system wrote it. With `is_retry` this may have been asked before, at any time, so that
    the provider may have forgotten the key: it is to be asked first what it did for `refund_id`.
    `reference` is the provider's id of a refund that it said was pending; its state is all that is asked for then.
    """

    action: RefundAction
    idempotency_key: str
    refund_id: str
    payment_reference: str
    amount: int
    currency: str
    is_retry: bool = False
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request. `reference` is the provider's id of it; `code` and `message` say why it failed.

    `pending` means that the provider has taken the request and will know later; it is asked again by `reference`.
    """

    status: RefundStatus
    reference: str | None = None
    code: FailureCode = "PROVIDER_DECLINED"
    message: str = ""


class Provider(Protocol):
    """Whoever holds the customer's money."""

    def execute(self, request: PaymentRequest) -> Outcome:
        """Does it, or finds it done. Raises `ProviderUnavailable`."""

    def find(self, request: PaymentRequest) -> Outcome | None:
        """What was done for `refund_id`, under whatever key; None when nothing was. Does nothing by itself.

        Asked where the refund is to be given up, but may have been begun. Raises `ProviderUnavailable`.
        """


class _WhenMet:
    """A provider that is made, its client imported, when the first payment of its kind is met."""

    def __init__(self, make: Callable[[], Provider]) -> None:
        self._make = cache(make)

    def execute(self, request: PaymentRequest) -> Outcome:
        return self._make().execute(request)

    def find(self, request: PaymentRequest) -> Outcome | None:
        return self._make().find(request)


def providers(stripe_secret_arn: str = "", stripe_url: str | None = None) -> Mapping[str, Provider]:
    """Every provider by the name that an order's payments give it. `stripe_url` stands in for Stripe's own."""
    from cancel_core.providers.offline import Offline

    def stripe() -> Provider:
        from cancel_core.providers.stripe import Stripe
        from cancel_core.secret import Secret

        return Stripe(Secret(stripe_secret_arn), stripe_url)

    return {"offline": Offline(), "stripe": _WhenMet(stripe)}
