"""A payment provider that keeps accounts, with the habits of the real ones.

Sources: Stripe's API reference, "Idempotent requests" (a key gets its first answer again, a 500 too, and is forgotten
after a day), "Refunds" (no more than was captured; pending until it is known; one that succeeded may fail later) and
"Capture" (in several parts; what was released can't be captured).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from tests.invariants.wire import CannotSay

Status = Literal["pending", "succeeded", "failed"]
Kind = Literal["intent", "charge", "offline"]
"""A charge is released by a refund; an intent by being cancelled. Offline payments are given back by being booked."""

SHOP = "the shop itself"


class SavedError(CannotSay):
    """An error that is saved with the key; `is_replayed`: it is the answer to an earlier request, which has ended."""

    def __init__(self, message: str, *, is_replayed: bool) -> None:
        super().__init__(message)
        self.is_replayed = is_replayed


@dataclass(frozen=True)
class Ask:
    """Give `amount` back, or release it. `mark` is what is left at the provider, to be found again by."""

    action: str
    key: str
    mark: str
    payment: str
    amount: int
    currency: str
    movement: str | None = None


@dataclass(frozen=True)
class Answer:
    """What became of it, in the payment's own currency. `movement` is the provider's id."""

    status: Status
    movement: str | None
    amount: int
    currency: str
    message: str = ""
    action: str = "refund"


@dataclass
class Movement:
    """Money given back or released. `ends` is what becomes of it while it is pending."""

    reference: str
    mark: str
    key: str
    action: str
    amount: int
    status: Status
    ends: Status
    arrived: bool = False

    @property
    def counts(self) -> bool:
        return self.status != "failed"

    @property
    def is_ours(self) -> bool:
        return self.mark != SHOP


@dataclass
class Account:
    """One payment, in minor units."""

    captured: int
    authorized: int
    kind: Kind = "intent"
    currency: str = "SEK"
    movements: list[Movement] = field(default_factory=list)

    def given(self, *, settled: bool = False, ours: bool = False) -> int:
        """What went back to the customer; only what is known to have arrived when `settled`."""
        return self._sum("refund", settled=settled, ours=ours)

    def released(self, *, settled: bool = False) -> int:
        return self._sum("void", settled=settled, ours=False)

    def _sum(self, action: str, *, settled: bool, ours: bool) -> int:
        return sum(
            one.amount
            for one in self.movements
            if one.action == action
            and (one.status == "succeeded" if settled else one.counts)
            and (one.is_ours or not ours)
        )

    def failed(self, action: str) -> int:
        """What was given back or released by us, or was to be, and then was not."""
        return sum(one.amount for one in self.movements if one.action == action and not one.counts)

    @property
    def held(self) -> int:
        return self.captured - self.given()

    @property
    def capturable(self) -> int:
        return 0 if self.released() else max(0, self.authorized - self.captured)

    def move(self, mark: str, key: str, action: str, amount: int, status: Status, ends: Status) -> Movement:
        reference = f"{'re' if action == 'refund' else 'vo'}_{len(self.movements)}"
        made = Movement(reference, mark, key, action, amount, status, ends, arrived=status == "succeeded")
        self.movements.append(made)
        return made


class Bank:
    """`thinks`: new requests are pending, and end as it says. `refuses`: references of payments under dispute.

    `unknown`: references that it says it does not have, as with a key of the wrong account. `slow`: how many requests
    get no answer and are carried out later. `stumbles`: the next ones are answered by an error that is saved with the
    key, "before" or "after" they were carried out.
    """

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.refuses: set[str] = set()
        self.unknown: set[str] = set()
        self.thinks: Status | None = None
        self.is_away = False
        self.slow = 0
        self.stumbles: list[Literal["before", "after"]] = []
        self.asked: Callable[[Ask], None] = lambda _: None
        self.moves: Callable[[Ask, Account], None] = lambda _ask, _account: None
        self._answers: dict[str, Answer | None] = {}
        self._under_way: list[Ask] = []

    # --- what the product asks

    def ask(self, ask: Ask) -> Answer:
        """Does it, once for each key. Raises `CannotSay`."""
        self._be_there(ask.payment)
        if self.slow:
            self.slow -= 1
            self._under_way.append(ask)
            raise CannotSay("the provider did not answer in time")
        return self._do(ask)

    def find(self, ask: Ask) -> Answer | None:
        """What was done under the mark, and as it now is. Raises `CannotSay`."""
        self._be_there(ask.payment)
        account = self.accounts[ask.payment]
        mine = [one for one in account.movements if one.mark == ask.mark]
        if ask.movement:
            mine = [one for one in mine if one.reference == ask.movement]
        alive = [one for one in mine if one.counts] or [one for one in mine if one.key == ask.key]
        return _answer(alive[-1], account) if alive else None

    def captured(self, payment: str) -> int:
        """Of a payment. Raises `CannotSay`."""
        self._be_there(payment)
        return self.accounts[payment].captured

    def currency(self, payment: str) -> str:
        """Of a payment. Raises `CannotSay`."""
        self._be_there(payment)
        return self.accounts[payment].currency

    def _be_there(self, payment: str) -> None:
        if self.is_away:
            raise CannotSay("the provider is unavailable")
        if payment in self.unknown:
            raise CannotSay(f"no such payment: {payment}")

    def _do(self, ask: Ask) -> Answer:
        is_replayed = ask.key in self._answers
        if not is_replayed:
            # An error says nothing of whether it was carried out.
            stumbles = self.stumbles.pop() if self.stumbles else ""
            answer = self._decide(ask) if stumbles != "before" else None
            self._answers[ask.key] = None if stumbles else answer
        answer = self._answers[ask.key]
        if answer is None:
            raise SavedError("the provider had an error, and says so again for this key", is_replayed=is_replayed)
        return answer

    def _decide(self, ask: Ask) -> Answer:
        account = self.accounts[ask.payment]
        if ask.payment in self.refuses:
            return Answer("failed", None, ask.amount, account.currency, "the payment is disputed")
        action, amount, room = ask.action, ask.amount, account.held
        if action == "void":
            room = account.capturable
            if account.kind == "charge" and account.captured:
                action, room = "refund", account.held
            elif account.kind == "intent":
                # It is cancelled as a whole: what has not been captured is released.
                amount = room
        if not 0 < amount <= room:
            return Answer("failed", None, ask.amount, account.currency, f"{amount} is more than the {room} there is")
        self.moves(ask, account)
        status: Status = "pending" if self.thinks else "succeeded"
        movement = account.move(ask.mark, ask.key, action, amount, status, self.thinks or status)
        movement.reference += f"_{ask.payment}"
        return _answer(movement, account)

    # --- what happens there

    def land(self) -> None:
        """What was under way when its answer was given up arrives, and is carried out."""
        under_way, self._under_way = self._under_way, []
        for ask in under_way:
            try:
                self._do(ask)
            except CannotSay:
                continue

    def settle(self) -> None:
        """What was pending comes to its end."""
        for one in self._movements():
            if one.status == "pending":
                one.status = one.ends
                one.arrived = one.status == "succeeded"

    def forget(self) -> None:
        """A day has gone by: nothing is under way any more, and idempotency keys mean nothing."""
        self.land()
        self._answers.clear()

    def send_back(self, account: Account) -> bool:
        """A refund of ours that had succeeded fails after all. False where there is none."""
        for one in account.movements if account.kind != "offline" else ():
            if one.is_ours and one.action == "refund" and one.status == "succeeded":
                one.status = "failed"
                return True
        return False

    def _movements(self) -> Iterator[Movement]:
        for account in self.accounts.values():
            yield from account.movements


def _answer(movement: Movement, account: Account) -> Answer:
    message = "" if movement.counts else "the customer's bank sent it back"
    return Answer(movement.status, movement.reference, movement.amount, account.currency, message, movement.action)
