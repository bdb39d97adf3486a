"""The server's state, and its control from outside: each method is also a path of /control."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from typing import Any, cast, get_args

from local.stripe import calls
from local.stripe.faults import Fault, Faults
from local.stripe.keys import Keys
from local.stripe.objects import Account, Becomes, Charge, Intent, Refund, RefundStatus, new_id
from local.stripe.views import show

LANDING_SECONDS = 30


class State:
    """Thread-safe: each method takes the one lock. Raises ValueError for invalid arguments."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.faults = Faults()
        self.keys = Keys()
        self._begin()

    def _begin(self) -> None:
        self._accounts: dict[str, tuple[Account, Account]] = {}
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._ahead = 0.0
        self.keys.clear()
        self.faults.clear()

    # --- for the endpoints

    @property
    def now(self) -> float:
        return time.time() + self._ahead

    def account(self, name: str = "local", *, live: bool = False) -> Account:
        if name not in self._accounts:
            test, real = Account(name), Account(name, live=True)
            test.other_mode, real.other_mode = real, test
            self._accounts[name] = (test, real)
        return self._accounts[name][live]

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (self.now + seconds, next(self._order), action))

    def settle(self) -> None:
        """Runs what is due by the clock."""
        while self._timers and self._timers[0][0] <= self.now:
            heapq.heappop(self._timers)[2]()

    # --- from outside

    def reset(self) -> None:
        """Removes everything, including faults and the clock. Delayed requests are never carried out."""
        with self.lock:
            self._begin()

    def pay(
        self,
        id: str = "",
        *,
        captured: int = 0,
        authorized: int | None = None,
        currency: str = "sek",
        open: bool = False,
        charge: str = "",
        metadata: dict[str, str] | None = None,
        refunds: dict[str, Any] | None = None,
        account: str = "local",
        live: bool = False,
    ) -> str:
        """A payment as it might have come about, under an id of any form: one that begins with pi_ has a charge behind
        it (`charge`), any other is a charge. With `open` more of it may be captured. Gives the id.
        """
        reference = id or new_id("pi")
        amount = captured if authorized is None else authorized
        if amount < captured or amount <= 0:
            raise ValueError("a payment has something authorized, and no more captured than that")
        with self.lock:
            owner = self.account(account, live=live)
            now = int(self.now)
            behind = Charge(
                charge or new_id("ch") if reference.startswith("pi_") else reference, amount, currency.lower(), now
            )
            behind.metadata = dict(metadata or {})
            behind.becomes = becomes(refunds)
            if captured:
                behind.capture(captured, final=not open)
            if reference.startswith("pi_"):
                how = "manual" if behind.capturable else "automatic"
                intent = Intent(
                    reference, amount, behind.currency, now, "", how, "pm_card_visa", metadata=behind.metadata
                )
                intent.charge, behind.intent = behind, intent
                intent.settle_status()
                owner.add(intent)
            owner.add(behind)
            if behind.capturable:
                calls.hold(owner, behind, now, self.later)
        return reference

    def refunds_become(self, payment: str, **refunds: Any) -> None:
        """Of the refunds that are still to come: `status`, `then`, `after`, `failure_reason`, `pending_reason`."""
        with self.lock:
            self._charge(payment)[1].becomes = becomes(refunds)

    def set_refund(
        self, refund: str, status: RefundStatus, failure_reason: str | None = None, pending_reason: str | None = None
    ) -> dict[str, Any]:
        """Whatever it was before: banks may change a result later."""
        if status not in get_args(RefundStatus):
            raise ValueError(f"a refund is one of {', '.join(get_args(RefundStatus))}, not {status!r}")
        with self.lock:
            for account in self._every_account():
                if found := account.things[Refund].get(refund):
                    found.become(status, failure_reason, pending_reason)
                    return show(account, found)
        raise ValueError(f"there is no refund {refund}")

    def dispute(self, payment: str, status: str | None = "needs_response") -> None:
        """None: there was none. Refunds are refused until it is "won"."""
        with self.lock:
            self._charge(payment)[1].dispute = status

    def expire(self, payment: str, *, unseen: bool = False) -> None:
        """Ends the authorization. With `unseen` that only shows at a capture."""
        with self.lock:
            account, charge = self._charge(payment)
            if not charge.capturable:
                raise ValueError(f"{payment} has no authorization that is open")
            calls.expire(account, charge, int(self.now), unseen=unseen)

    def balance(
        self,
        available: int | None,
        *,
        short: str = "balance_insufficient",
        account: str = "local",
        live: bool = False,
    ) -> None:
        """What the account has for refunds; None: enough. `short`: the code with which a refund that it does not cover
        is refused, or "pending": it waits.
        """
        with self.lock:
            owner = self.account(account, live=live)
            owner.available, owner.short = available, short

    def fault(self, kind: str, **more: Any) -> None:
        """Queues one for the next request that matches: see faults.Fault."""
        planned = Fault(cast("Any", kind), **more)
        with self.lock:
            self.faults.planned.append(planned)

    def planned(self) -> int:
        """How many faults are still to come."""
        with self.lock:
            return sum(fault.times for fault in self.faults.planned)

    def clear_faults(self) -> None:
        with self.lock:
            self.faults.clear()

    def land(self) -> int:
        """Carries out all delayed requests, and waits for them. Returns how many there were."""
        with self.lock:
            waiting = list(self.faults.late)
        for late in waiting:
            late.told.set()
        # Without the lock: they need it.
        return sum(late.landed.wait(LANDING_SECONDS) for late in waiting)

    def kept_back(self) -> int:
        """The number of requests that wait to land."""
        with self.lock:
            return len(self.faults.late)

    def advance(self, seconds: float) -> float:
        """Advances the server's clock, which keys, authorizations and pending refunds use. Returns the time."""
        with self.lock:
            self._ahead += seconds
            self.settle()
            return self.now

    def forget_keys(self) -> None:
        with self.lock:
            self.keys.forget()

    def totals(self) -> dict[str, dict[str, Any]]:
        """By payment, under the id of its intent where it has one: what was captured, and what was given back of it by
        the state of the refunds. `given_back` is what succeeded or may yet; what was only released is not in it.
        """
        with self.lock:
            self.settle()
            return {
                charge.intent.id if charge.intent else charge.id: _totals(account, charge)
                for account in self._every_account()
                for charge in account.things[Charge].values()
                if not charge.failure
            }

    def _every_account(self) -> list[Account]:
        return [account for pair in self._accounts.values() for account in pair]

    def _charge(self, payment: str) -> tuple[Account, Charge]:
        for account in self._every_account():
            if charge := account.payment(payment):
                return account, charge
        raise ValueError(f"there is no payment {payment}")


def becomes(refunds: dict[str, Any] | None) -> Becomes | None:
    if not refunds:
        return None
    made = Becomes(**refunds)
    known = (*get_args(RefundStatus), None)
    if made.status not in known[:-1] or made.then not in known:
        raise ValueError(f"a refund is one of {', '.join(known[:-1])}")
    return made


def _totals(account: Account, charge: Charge) -> dict[str, Any]:
    moved = [refund for refund in charge.refunds if not refund.released]
    by_status = {
        status: sum(refund.amount for refund in moved if refund.status == status) for status in get_args(RefundStatus)
    }
    intent = charge.intent
    return {
        "account": account.name,
        "live": account.live,
        "charge": charge.id,
        "currency": charge.currency,
        "status": intent.status if intent else ("succeeded" if charge.captured else "uncaptured"),
        "authorized": charge.amount,
        "captured": charge.amount_captured,
        "capturable": charge.capturable,
        "released": charge.released or (charge.captured and charge.amount_captured < charge.amount),
        "refunds": len(moved),
        "given_back": sum(refund.amount for refund in moved if refund.status not in ("failed", "canceled")),
        **by_status,
    }
