"""A payment provider in memory, and an order from its cancel to its refund on a real engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cancel_core.adapters.dynamodb.refunds import Refunds
from cancel_core.adapters.providers.registry import providers
from cancel_core.domain.cancellation import Refund
from cancel_core.domain.provider import Outcome, PaymentRequest, Provider
from cancel_core.errors import ProviderUnavailable
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

    lands_late = False

    def check(self, _request: PaymentRequest) -> str | None:
        return None

    def execute(self, request: PaymentRequest) -> Outcome:
        self.asked += 1
        self.before()
        if request.payment_reference in self.declines:
            return Outcome("failed", message=self.declines[request.payment_reference])
        asked_for = request._replace(is_retry=False, reference=None, captured=0)
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
        sums: Counter[str] = Counter()
        for asked in self.moved.values():
            sums[asked.payment_reference] += asked.amount
        return dict(sums)


@dataclass
class Held:
    """A payment as its provider has it."""

    captured: int = 0
    authorized: int = 0
    currency: str = "SEK"
    voided: int = 0


class Acquirer:
    """A provider that knows its payments by their references, and gives back no more than they hold.

    It keeps each answer under its idempotency key. `faults` are what becomes of the next requests, one each: an outcome
    that is answered and saved, an error that is raised; `LATE` for a request that times out and is carried out later,
    by `land`; None for nothing special. `says` is what it says of whatever it has made, in place of the truth, and
    `says_of` of what it has made of one payment.
    """

    LATE = "late"
    lands_late = True

    def __init__(self, **payments: Held) -> None:
        self.payments = payments
        self.made: dict[str, PaymentRequest] = {}
        self.asked: list[PaymentRequest] = []
        self.faults: list[Outcome | BaseException | str | None] = []
        self.thinking = False
        self.says: Outcome | None = None
        self.says_of: dict[str, Outcome] = {}
        self.before: Callable[[], Any] = lambda: None
        self.after: Callable[[], Any] = lambda: None
        self._saved: dict[str, tuple[PaymentRequest, Outcome]] = {}
        self._late: list[PaymentRequest] = []

    def check(self, request: PaymentRequest) -> str | None:
        currency = self._known(request).currency
        return None if currency == request.currency else f"the payment is in {currency} here"

    def execute(self, request: PaymentRequest) -> Outcome:
        self.asked.append(request)
        self.before()
        if (request.is_retry or request.reference) and (found := self.find(request)):
            return found
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, BaseException):
            raise fault
        if fault == self.LATE:
            self._late.append(request)
            raise ProviderUnavailable("no answer in time")
        return self._answer(request, fault if isinstance(fault, Outcome) else None)

    def find(self, request: PaymentRequest) -> Outcome | None:
        self._known(request)
        made = self.made.get(request.idempotency_key)
        says = self.says or self.says_of.get(request.payment_reference)
        return (says or self._told(made)) if made else None

    def forget(self, reference: str) -> None:
        """What was given back of a payment has come back."""
        self.made = {key: made for key, made in self.made.items() if made.payment_reference != reference}

    def land(self) -> None:
        """What had timed out is carried out now."""
        late, self._late = self._late, []
        for one in late:
            self._answer(one, None)

    def given(self, reference: str) -> int:
        """What was given back of a payment in all."""
        return sum(
            made.amount
            for made in self.made.values()
            if made.payment_reference == reference and made.action == "refund"
        )

    def _known(self, request: PaymentRequest) -> Held:
        if request.payment_reference not in self.payments:
            raise ProviderUnavailable(f"no such payment: {request.payment_reference}")
        return self.payments[request.payment_reference]

    def _answer(self, request: PaymentRequest, outcome: Outcome | None) -> Outcome:
        key = request.idempotency_key
        if key in self._saved:
            first, saved = self._saved[key]
            if first.amount != request.amount:
                raise ProviderUnavailable("the key was used with other parameters")
            return Outcome("new_key", message="an error that was saved") if saved.status == "new_key" else saved
        answer = outcome or self._do(request)
        self._saved[key] = (request, answer)
        self.after()
        return answer

    def _do(self, request: PaymentRequest) -> Outcome:
        held = self._known(request)
        if request.action == "void":
            if held.captured > request.captured:
                return Outcome("failed", message="has been captured meanwhile")
            held.voided += request.amount
        elif request.amount > held.captured - self.given(request.payment_reference):
            return Outcome("failed", message="the amount is greater than what is held")
        self.made[request.idempotency_key] = request
        return self._told(request)

    def _told(self, made: PaymentRequest) -> Outcome:
        number = list(self.made).index(made.idempotency_key) + 1
        status = "pending" if self.thinking and made.action == "refund" else "succeeded"
        return Outcome(status, reference=f"re_{number}", amount=made.amount, currency=made.currency)  # type: ignore[arg-type]  # one of two words


class Crash(BaseException):
    """The process ends here."""


def crash() -> None:
    raise Crash


def canceled(shop: Shop, source: dict[str, Any], **more: Any) -> str:
    order_id = shop.put(source)
    cancel_order(shop.orders, shop.policies(), request(order_id, **more), lambda: NOW)
    return order_id


def run(
    shop: Shop,
    order_id: str,
    bank: Provider | None = None,
    refunds: Refunds | None = None,
    *,
    at: datetime = NOW,
    **others: Provider,
) -> Refund | None:
    """One go at the refund. `bank` is the provider of payments that are `offline`, `others` those by their names."""
    kinds = {"offline": bank, **others} if bank else providers()
    return refund_order(refunds or shop.refunds, kinds, order_id, shop.stored(order_id).cancellation_id, lambda: at)


def broken_off(shop: Shop, order_id: str, bank: Bank) -> None:
    """A refund whose process ends when its provider has done the first leg, before that is booked."""
    bank.after = crash
    with suppress(Crash):
        run(shop, order_id, bank)
    bank.after = lambda: None
    assert len(bank.moved) == 1


def three_payments() -> dict[str, Any]:
    """Owes 10 000, held by two payments; a third is to be released."""
    payments = [payment("p1", captured=4000), payment("p2", captured=6000), payment("p3", authorized=700)]
    return paid(items=[item("a", invoiced=1, colour="red")], payments=payments, shops_own={"a", "b"})
