"""The objects of an account: payments, their refunds, and cards."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from local.stripe.errors import Refusal

RefundStatus = Literal["succeeded", "pending", "requires_action", "failed", "canceled"]
LIVE_REFUNDS = ("succeeded", "pending", "requires_action")
"""The statuses of refunds that reserve their part of the payment, until they fail or are cancelled."""


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(12)}"


class Becomes(NamedTuple):
    """The future of a payment's refunds: `status` at once, `then` after this many seconds of the server's clock."""

    status: RefundStatus = "succeeded"
    then: RefundStatus | None = None
    after: float = 60
    failure_reason: str = "unknown"
    pending_reason: str = "processing"


class Card(NamedTuple):
    """`decline`: code and decline code, if payments with it are declined."""

    brand: str = "visa"
    last4: str = "4242"
    decline: tuple[str, str | None] | None = None
    refunds: Becomes | None = None
    disputed: bool = False


PLAIN = Card()
"""A card with which payments and refunds succeed."""


@dataclass
class Method:
    """A payment method, or a token of one."""

    id: str
    created: int
    card: Card
    customer: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    used: bool = False


@dataclass
class Customer:
    """`method`: the card that is charged if a charge names none."""

    id: str
    created: int
    email: str | None = None
    name: str | None = None
    description: str | None = None
    method: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass
class Charge:
    """`captured` only once nothing more of it can be captured, `released` when the rest of its authorization is gone.

    `dispute` is the dispute's status, where there is one.
    """

    id: str
    amount: int
    currency: str
    created: int
    card: Card = PLAIN
    intent: Intent | None = None
    method: str | None = None
    customer: str | None = None
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    amount_captured: int = 0
    captured: bool = False
    released: bool = False
    expired: bool = False
    failure: dict[str, Any] | None = None
    dispute: str | None = None
    refunds: list[Refund] = field(default_factory=list)
    becomes: Becomes | None = None

    @property
    def capturable(self) -> int:
        closed = self.captured or self.released or self.failure
        return 0 if closed else self.amount - self.amount_captured

    @property
    def amount_refunded(self) -> int:
        return sum(refund.amount for refund in self.refunds if refund.status in LIVE_REFUNDS)

    @property
    def refundable(self) -> int:
        """Of a charge of which nothing was captured: what its refund would release."""
        held = self.amount_captured if self.captured or self.amount_captured else self.amount
        return held - self.amount_refunded

    @property
    def refunded(self) -> bool:
        """In full; not while more may be captured."""
        return (self.captured or self.released) and bool(self.amount_refunded) and not self.refundable

    def capture(self, amount: int, *, final: bool) -> None:
        self.amount_captured += amount
        self.captured = final or self.amount_captured == self.amount


@dataclass
class Intent:
    """`charge` is the latest: that of the last attempt to pay."""

    id: str
    amount: int
    currency: str
    created: int
    status: str
    capture_method: str = "automatic"
    method: str | None = None
    customer: str | None = None
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    charge: Charge | None = None
    canceled_at: int | None = None
    cancellation_reason: str | None = None
    last_payment_error: dict[str, Any] | None = None

    def settle_status(self) -> None:
        """Of an intent whose charge has just changed."""
        assert self.charge
        self.status = "requires_capture" if self.charge.capturable else "succeeded"


@dataclass
class Refund:
    """`released`: no money was moved, for none had been captured."""

    id: str
    charge: Charge
    amount: int
    created: int
    status: RefundStatus = "succeeded"
    reason: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    failure_reason: str | None = None
    pending_reason: str | None = None
    released: bool = False

    def become(
        self, status: RefundStatus, failure_reason: str | None = None, pending_reason: str | None = None
    ) -> None:
        self.status = status
        self.failure_reason = failure_reason or "unknown" if status == "failed" else None
        self.pending_reason = pending_reason or "processing" if status == "pending" else None


Thing = Intent | Charge | Refund | Method | Customer
_NAMES = {
    Intent: "payment_intent",
    Charge: "charge",
    Refund: "refund",
    Method: "PaymentMethod",
    Customer: "customer",
}


@dataclass
class Account:
    """One mode of one account. `available` is its balance for refunds, None when there is always enough;
    `short` is what becomes of a refund that it does not cover.
    """

    name: str
    live: bool = False
    other_mode: Account | None = field(default=None, repr=False)
    things: dict[type[Thing], dict[str, Any]] = field(default_factory=lambda: {kind: {} for kind in _NAMES})
    available: int | None = None
    short: str = "balance_insufficient"

    def add(self, thing: Thing) -> None:
        self.things[type(thing)][thing.id] = thing

    def all(self, kind: type[Any]) -> list[Any]:
        """Newest first."""
        return list(reversed(self.things[kind].values()))

    def find(self, kind: type[Any], name: str, param: str = "id", status: int = 404) -> Any:
        if name in self.things[kind]:
            return self.things[kind][name]
        message = f"No such {_NAMES[kind]}: '{name}'"
        if self.other_mode and name in self.other_mode.things[kind]:
            theirs, ours = ("test", "live") if self.live else ("live", "test")
            message += (
                f"; a similar object exists in {theirs} mode, but a {ours} mode key was used to make this request."
            )
        raise Refusal(status, message, code="resource_missing", param=param)

    def payment(self, name: str) -> Charge | None:
        """The charge behind a reference of either kind."""
        intent = self.things[Intent].get(name)
        found: Charge | None = intent.charge if intent else self.things[Charge].get(name)
        return found
