"""The port to payment providers. A provider is one class in a file of its own, named in `providers()`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from cancel_core.errors import CancelCoreError
from cancel_core.order import FailureCode, RefundAction


class ProviderUnavailable(CancelCoreError):
    """The provider can't say now; the same request is to be made again later, with the same key."""


class PaymentRequest(NamedTuple):
    """Give `amount` (minor units of `currency`) back, or release it, once for each `idempotency_key`.

    `payment_reference` is the provider's id of the payment, as the order system wrote it.
    """

    action: RefundAction
    idempotency_key: str
    refund_id: str
    payment_reference: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request. `reference` is the provider's id of it; `code` and `message` say why it failed."""

    status: Literal["succeeded", "failed"]
    reference: str | None = None
    code: FailureCode = "PROVIDER_DECLINED"
    message: str = ""


class Provider(Protocol):
    """Whoever holds the customer's money."""

    def execute(self, request: PaymentRequest) -> Outcome:
        """Does it, or finds it done. Raises `ProviderUnavailable`."""


def providers() -> Mapping[str, Provider]:
    """Every provider by the name that an order's payments give it."""
    from cancel_core.providers.offline import Offline

    return {"offline": Offline()}
