"""The interface of a payment provider. Each provider is an adapter."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from cancel_core.domain.cancellation import FailureCode, RefundAction


class PaymentRequest(NamedTuple):
    """A request to refund `amount` (minor units of `currency`), or to release it, once for each `idempotency_key`.

    `refund_id`, `payment_id` and the key are ours, and are stored at the provider with the object that it makes, which
    is found by the key. `payment_reference` is the provider's id of the payment, `captured` the captured amount
    according to the order. With `is_retry` the request may have been made before, at any time, so that the provider may
    have forgotten the key: first look for the result of the earlier request. `reference` is the provider's id of a
    refund that was pending; then only its state is requested.
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
    """The result of a request.

    `succeeded`; `pending`: the provider has accepted it, and is asked again later by `reference`; `failed`: a definite
    refusal, nothing was made and nothing will be under this key; `new_key`: the same, but because of an error unrelated
    to the request, which is made again under another key. Without a definite answer, `ProviderUnavailable` is raised
    instead. `reference` is the provider's id of the object that it made, `amount` (in our minor units) and `currency`
    its values, if the provider reports them; `code` and `message` say why it failed.
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
        """Whether a request that was given up may still be carried out later."""

    def check(self, request: PaymentRequest) -> str | None:
        """Why the payment itself can't be refunded, in words for the operator: then nothing of its order is refunded.
        None if it matches the order. Changes nothing.
        """

    def execute(self, request: PaymentRequest) -> Outcome:
        """Carries it out, or finds that it was carried out before."""

    def find(self, request: PaymentRequest) -> Outcome | None:
        """The result of an earlier request with this key; None if there was none. Changes nothing."""
