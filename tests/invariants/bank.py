"""A payment provider that keeps accounts, with the habits of the real ones.

Source: Stripe's API reference, "Idempotent requests" (a key gets its first answer again, and is forgotten after a day)
and "Refunds" (no more than was captured; pending until it is known).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cancel_core.domain.cancellation import RefundStatus
from cancel_core.domain.provider import Outcome, PaymentRequest
from cancel_core.errors import ProviderUnavailable

from tests.invariants.wire import Wire, over

SHOP = "the shop itself"


@dataclass
class Movement:
    """Money given back or released. `refund_id` says for whom; `ends` is what becomes of it while it is pending."""

    reference: str
    refund_id: str
    key: str
    action: str
    amount: int
    status: RefundStatus
    ends: RefundStatus

    @property
    def counts(self) -> bool:
        return self.status != "failed"


@dataclass
class Account:
    """One payment, in minor units."""

    captured: int
    authorized: int
    movements: list[Movement] = field(default_factory=list)

    def given(self, *, settled: bool = False) -> int:
        """What went back to the customer; only what is known to have arrived when `settled`."""
        return sum(m.amount for m in self.movements if m.action == "refund" and _is(m, settled=settled))

    def released(self, *, settled: bool = False) -> int:
        return sum(m.amount for m in self.movements if m.action == "void" and _is(m, settled=settled))

    @property
    def held(self) -> int:
        return self.captured - self.given()

    def give_back(self, reference: str, amount: int) -> None:
        self.movements.append(Movement(f"own_{reference}", SHOP, "", "refund", amount, "succeeded", "succeeded"))


def _is(movement: Movement, *, settled: bool) -> bool:
    return movement.status == "succeeded" if settled else movement.counts


class Bank:
    """`thinks`: new requests are pending, and end as it says. `refuses`: references of payments under dispute."""

    def __init__(self, wire: Wire) -> None:
        self.accounts: dict[str, Account] = {}
        self.refuses: set[str] = set()
        self.thinks: RefundStatus | None = None
        self.is_away = False
        self.moved: Callable[[PaymentRequest], None] = lambda _: None
        self._answers: dict[str, Outcome] = {}
        self._wire = wire

    # --- what the product asks

    def execute(self, request: PaymentRequest) -> Outcome:
        self._be_there()
        if request.reference or request.is_retry:
            known: Outcome | None = over(self._wire, lambda: self._find(request))
            if known:
                return known
        answer: Outcome = over(self._wire, lambda: self._do(request))
        return answer

    def find(self, request: PaymentRequest) -> Outcome | None:
        self._be_there()
        known: Outcome | None = over(self._wire, lambda: self._find(request))
        return known

    def _be_there(self) -> None:
        if self.is_away:
            raise ProviderUnavailable("the provider is away")

    def _find(self, request: PaymentRequest) -> Outcome | None:
        mine = [m for m in self.movements(request.payment_reference) if m.refund_id == request.refund_id]
        if request.reference:
            mine = [m for m in mine if m.reference == request.reference]
        alive = [m for m in mine if m.counts] or [m for m in mine if m.key == request.idempotency_key]
        return _outcome(alive[-1]) if alive else None

    def _do(self, request: PaymentRequest) -> Outcome:
        if request.idempotency_key not in self._answers:
            self._answers[request.idempotency_key] = self._decide(request)
        return self._answers[request.idempotency_key]

    def _decide(self, request: PaymentRequest) -> Outcome:
        account = self.accounts[request.payment_reference]
        room = account.held if request.action == "refund" else account.authorized - account.released()
        if request.payment_reference in self.refuses:
            return Outcome("failed", message="the payment is disputed")
        if request.amount > room:
            # The client looks once more before it takes a no for a no.
            return self._find(request) or Outcome("failed", message="more than the payment holds")
        status: RefundStatus = "pending" if self.thinks else "succeeded"
        movement = Movement(
            f"re_{len(account.movements)}_{request.payment_reference}",
            request.refund_id,
            request.idempotency_key,
            request.action,
            request.amount,
            status,
            self.thinks or status,
        )
        account.movements.append(movement)
        self.moved(request)
        return _outcome(movement)

    # --- what happens there

    def movements(self, reference: str) -> list[Movement]:
        return self.accounts[reference].movements

    def settle(self) -> None:
        """What was pending comes to its end."""
        for account in self.accounts.values():
            for movement in account.movements:
                if movement.status == "pending":
                    movement.status = movement.ends

    def forget(self) -> None:
        """A day has gone by: idempotency keys mean nothing any more."""
        self._answers.clear()

    def give_back(self, reference: str, amount: int) -> bool:
        """The shop gives something back by itself. False when the payment does not hold it."""
        account = self.accounts[reference]
        if self.is_away or amount > account.held:
            return False
        account.give_back(reference, amount)
        return True


def _outcome(movement: Movement) -> Outcome:
    message = "" if movement.counts else "the customer's bank sent it back"
    return Outcome(movement.status, movement.reference, message=message)
