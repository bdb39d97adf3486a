"""What is seen of a load: of each order, of the mails about it, and what the placed order itself says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]

GATEWAY_503 = "503 of the gateway"
"""What the gateway says when no environment of a function became free in time."""
NO_ANSWER = "no answer"
TURNED_AWAY = "503 SERVICE_UNAVAILABLE"
"""What the product says when its table does not answer in time."""
UNTOLD = frozenset({GATEWAY_503, NO_ANSWER, TURNED_AWAY})
"""What leaves open whether the request took effect: its repeat with the key tells."""


@dataclass(frozen=True)
class Answer:
    """One answer to a cancel. `said`: status and code ("409 INVALID_ORDER_STATUS"), "200 replayed", GATEWAY_503 or
    NO_ANSWER. `at`: Unix time."""

    said: str
    key: str | None = None
    body: str = ""
    cancellation_id: str | None = None
    at: float = 0.0

    @property
    def accepted(self) -> bool:
        return self.said in {"200", "200 replayed"}


@dataclass(frozen=True)
class Told:
    """An event of an order, and the Unix time at which it reached the queue."""

    detail_type: str
    detail: Document
    at: float = 0.0


@dataclass(frozen=True)
class Mail:
    """A row of the mails table, and how often SES took it. `withdrawal_id`: of which statement it tells."""

    kind: str
    about: str
    to: str
    status: str
    times: int
    withdrawal_id: str | None = None
    text: str = ""


@dataclass(frozen=True)
class AtProvider:
    """A payment as its provider has it: the amounts of its refunds, and the PaymentIntent's status."""

    refunds: tuple[int, ...]
    status: str


@dataclass
class Outcome:
    """All there is to know of one order.

    `placed` is the order as the order system wrote it, with the writes of its own that succeeded since; `stored` as it
    lies in the table at the end; `refund` its document in the refunds table. `provider` is by `payment_id`. `listed`
    are its rows in the customer's list at the end, None where nobody has looked. `statements`: how many statements of
    withdrawal are stored that are about it; `withdrawn`: one of them is proven, of the whole order, and came before
    the order was shipped. `mails`: those of its cancel and refund.
    """

    placed: Document
    stored: Document
    shipped: bool = False
    answers: list[Answer] = field(default_factory=list)
    refund: Document | None = None
    events: list[Told] = field(default_factory=list)
    provider: Mapping[str, AtProvider] = field(default_factory=dict)
    listed: list[Document] | None = field(default_factory=list)
    statements: int = 0
    withdrawn: bool = False
    mails: list[Mail] = field(default_factory=list)

    @property
    def order_id(self) -> str:
        return str(self.placed["order_id"])

    @property
    def cancellation(self) -> Document | None:
        cancellation: Document | None = self.stored.get("cancellation")
        return cancellation

    def told(self, detail_type: str) -> list[Told]:
        return [event for event in self.events if event.detail_type == detail_type]


@dataclass(frozen=True)
class Taken:
    """One answer to a statement of withdrawal. `said` as with `Answer`."""

    said: str
    withdrawal_id: str = ""
    receipt: str = ""
    received_at: str = ""


@dataclass
class Withdrawal:
    """Somebody who withdraws: what was sent, and what is known at the end.

    `mark` is the message, by which the stored statement is found again; `expected` is how it has to be stored. `match`
    and `whole` are what is to be found out about it, `cancels` whether the order is to end cancelled by it. `asked`
    counts the requests with this body. `stored`, `events` and `mails` are by withdrawal_id; `stored` is by part, too.
    """

    mark: str
    expected: Document
    match: str
    whole: bool
    cancels: bool
    key: str | None
    order_id: str | None = None
    asked: int = 0
    answers: list[Taken] = field(default_factory=list)
    stored: dict[str, dict[str, Document]] = field(default_factory=dict)
    events: dict[str, list[Document]] = field(default_factory=dict)
    mails: dict[str, list[Mail]] = field(default_factory=dict)

    @property
    def taken(self) -> list[Taken]:
        return [answer for answer in self.answers if answer.said in {"201", "201 replayed"}]


@dataclass(frozen=True)
class Redeemed:
    """An answer to a code. `right`: it was the newest that was mailed."""

    code: str
    right: bool
    said: str


@dataclass
class Access:
    """A guest who asks for a code, or somebody who would like to be one. `known`: there is such an order of a guest.

    `asked` is what was answered. `mails`: those with codes for this order. `expired`: none came while a code lives,
    which is not mailed any more then.
    """

    order_id: str
    known: bool
    expired: bool = False
    asked: list[str] = field(default_factory=list)
    redeemed: list[Redeemed] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)


@dataclass
class People:
    """Those who arrive at a rate. `strangers`: statements of this shop in the table that nobody is known to have
    sent.
    """

    withdrawals: list[Withdrawal] = field(default_factory=list)
    accesses: list[Access] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)


@dataclass
class Load:
    """A load that is over. `answers` counts every answer to the customers by what it said, `arrived` those to the
    people who arrive at a rate; the lists are of sentences.

    `unsettled`: what was still to come when the time for it was over. Other breaches may then be merely unfinished.
    """

    outcomes: list[Outcome]
    people: People = field(default_factory=People)
    answers: Counter[str] = field(default_factory=Counter)
    arrived: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    undocumented: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    dead_letters: Mapping[str, int] = field(default_factory=dict)
    queued: Mapping[str, int] = field(default_factory=dict)


# --- what the placed order says ---------------------------------------------------------------------------------------


def rows(order: Document) -> list[Document]:
    """Whatever has amounts: items, shipping, fees."""
    return [*order["items"], *([order["shipping"]] if "shipping" in order else []), *order.get("fees", [])]


def owed(row: Document) -> int:
    return max(0, int(row.get("amount_invoiced", 0)) - int(row.get("amount_refunded", 0)))


def amount_owed(order: Document) -> int:
    return sum(map(owed, rows(order)))


def releasable(payment: Document) -> int:
    if payment.get("amount_captured", 0):
        return 0
    return int(payment.get("amount_authorized", 0)) - int(payment.get("amount_voided", 0))


def is_refunded(order: Document) -> bool:
    """Whether a cancel of it has anything to pay back or to release."""
    return amount_owed(order) > 0 or any(map(releasable, order["payments"]))


def left_to_cancel(item: Document) -> Any:
    return max(0, item["qty_ordered"] - item.get("qty_invoiced", 0) - item.get("qty_canceled", 0))
