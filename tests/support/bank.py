"""A payment provider in memory, and an order from its cancel to its refund on a real engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cancel_core.adapters.dynamodb.refunds import Refunds
from cancel_core.adapters.providers.registry import providers
from cancel_core.domain.cancellation import Refund
from cancel_core.domain.provider import Outcome, PaymentRequest
from cancel_core.services.cancel import cancel_order
from cancel_core.services.refund import refund_order

from tests.support.orders import item, paid, payment
from tests.support.tables import NOW, Shop, request


class Bank:
    """A provider that keeps its word: one movement of money for each idempotency key."""

    def __init__(self) -> None:
        self.moved: dict[str, PaymentRequest] = {}
        self.asked = 0
        self.thinking = False
        self.before: Callable[[], Any] = lambda: None
        self.after: Callable[[], Any] = lambda: None
        self.declines: dict[str, str] = {}

    def execute(self, request: PaymentRequest) -> Outcome:
        self.asked += 1
        self.before()
        if request.payment_reference in self.declines:
            return Outcome("failed", message=self.declines[request.payment_reference])
        asked_for = request._replace(is_retry=False, reference=None)
        known = self.moved.setdefault(request.idempotency_key, asked_for)
        assert known == asked_for, "a key was used for something else"
        self.after()
        return self._outcome(request)

    def find(self, request: PaymentRequest) -> Outcome | None:
        return self._outcome(request) if request.idempotency_key in self.moved else None

    def _outcome(self, request: PaymentRequest) -> Outcome:
        return Outcome("pending" if self.thinking else "succeeded", reference=f"re_{request.payment_reference}")

    @property
    def amounts(self) -> dict[str, int]:
        """What was given back of each payment, by its reference."""
        return {request.payment_reference: request.amount for request in self.moved.values()}


class Crash(BaseException):
    """The process ends here."""


def crash() -> None:
    raise Crash


def canceled(shop: Shop, source: dict[str, Any], **more: Any) -> str:
    order_id = shop.put(source)
    cancel_order(shop.orders, shop.policies(), request(order_id, **more), NOW)
    return order_id


def run(shop: Shop, order_id: str, bank: Bank | None = None, refunds: Refunds | None = None) -> Refund | None:
    cancellation = shop.stored(order_id).cancellation
    assert cancellation
    kinds = {"offline": bank} if bank else providers()
    return refund_order(
        shop.orders, refunds or shop.refunds, kinds, order_id, cancellation.cancellation_id, lambda: NOW
    )


def three_payments() -> dict[str, Any]:
    """Owes 10 000, held by two payments; a third is to be released."""
    payments = [payment("p1", captured=4000), payment("p2", captured=6000), payment("p3", authorized=700)]
    return paid(items=[item("a", invoiced=1, colour="red")], payments=payments, shops_own={"a", "b"})
