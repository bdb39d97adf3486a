"""The arguments of an endpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.stripe.form import Params
from local.stripe.objects import Account, Charge, Refund, Thing, new_id
from local.stripe.views import page, show

AUTHORIZED_SECONDS = 7 * 24 * 3600
PAGED = ("limit", "starting_after", "ending_before", "created")

Later = Callable[[float, Callable[[], None]], None]
"""Schedules a function after this many seconds of the server's clock."""


@dataclass(frozen=True)
class Call:
    """One request of an account. `now`: the server's time."""

    account: Account
    params: Params
    now: int
    later: Later
    path: str

    def show(self, thing: Thing) -> dict[str, Any]:
        return show(self.account, thing, self.params.expand())

    def page(self, things: list[Any]) -> dict[str, Any]:
        return page(self.account, things, self.params, self.path)


def hold(account: Account, charge: Charge, now: int, later: Later) -> None:
    """Lets the authorization expire a week after it was made, unless it was used."""

    def end() -> None:
        if charge.capturable:
            expire(account, charge, now + AUTHORIZED_SECONDS)

    later(AUTHORIZED_SECONDS, end)


def expire(account: Account, charge: Charge, now: int, *, unseen: bool = False) -> None:
    """The captured part is kept, the rest is released. With `unseen` neither the charge nor its intent shows it yet:
    only a capture does.
    """
    charge.expired = True
    if unseen:
        return
    intent = charge.intent
    if charge.amount_captured:
        charge.captured = True
    else:
        charge.released = True
    if intent and charge.amount_captured:
        intent.status = "succeeded"
    elif intent:
        intent.status, intent.canceled_at, intent.cancellation_reason = "canceled", now, "automatic"
    elif not charge.amount_captured:
        why = "expired_uncaptured_charge"
        refund = Refund(new_id("re"), charge, charge.amount, now, reason=why, released=True)
        charge.refunds.append(refund)
        account.add(refund)
