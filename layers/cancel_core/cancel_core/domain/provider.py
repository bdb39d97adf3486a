"""What a refund asks of whoever holds the customer's money. Each provider is an adapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from cancel_core.domain.cancellation import FailureCode, RefundAction, RefundStatus


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
