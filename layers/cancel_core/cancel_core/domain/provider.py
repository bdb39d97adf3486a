"""The interface of a payment provider. Each provider is an adapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from cancel_core.domain.cancellation import FailureCode, RefundAction


class PaymentRequest(NamedTuple):
    """Give `amount` (minor units of `currency`) back, or release it, once for each `idempotency_key`.

    `refund_id`, `payment_id` and the key are ours, and are to be left at the provider with what it does: by the key it
    is found again. `payment_reference` is the provider's id of the payment, `captured` what the order says was captured
    of it. With `is_retry` this may have been asked before, at any time, so that the provider may have forgotten the
    key: it is to be asked first what it did under it. `reference` is the provider's id of a refund that it said was
    pending; its state is all that is asked for then.
    """

    action: RefundAction
    idempotency_key: str
    refund_id: str
    payment_id: str
    payment_reference: str
    amount: int
    currency: str
    captured: int = 0
    is_retry: bool = False
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request.

    `succeeded`, or `pending`: the provider has taken it and will know later, and is asked again by `reference`; or
    `failed`, a definite no: nothing was made and nothing will be under this key; or `new_key`: the same, but for a
    fault that had nothing to do with the request, which is to be made under another key. Whatever is no answer is no
    outcome, but `ProviderUnavailable`. `reference` is the provider's id of what it made, `amount` (in our minor units)
    and `currency` what that was, where it says so; `code` and `message` say why it failed.
    """

    status: Literal["succeeded", "pending", "failed", "new_key"]
    reference: str | None = None
    code: FailureCode = "PROVIDER_DECLINED"
    message: str = ""
    amount: int | None = None
    currency: str | None = None


class Provider(Protocol):
    """A payment provider. Each method raises `ProviderUnavailable` if the provider cannot give a result."""

    @property
    def lands_late(self) -> bool:
        """Whether a request that was given up may be carried out later."""

    def check(self, request: PaymentRequest) -> str | None:
        """What is wrong with the payment itself, in words for the operator: nothing of its order is paid then. None
        where it is as the order has it. Does nothing by itself.
        """

    def execute(self, request: PaymentRequest) -> Outcome:
        """Does it, or finds it done."""

    def find(self, request: PaymentRequest) -> Outcome | None:
        """What was done under this key; None when nothing was. Does nothing by itself."""
