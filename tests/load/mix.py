"""What is ordered and what is done with it under load: the proportions, as data, and the deck they are dealt from."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Generic, Literal, NamedTuple, TypeVar, get_args

from tests.support import documents
from tests.support.stripe_servers import Account

T = TypeVar("T")

OrderKind = Literal[
    "unpaid",
    "paid offline",
    "paid at Stripe",
    "authorized offline",
    "authorized at Stripe",
    "several payments",
    "invoiced in part",
    "refunded in part before",
]
Visit = Literal[
    "looks",
    "cancels",
    "cancels while the shop writes",
    "repeats",
    "repeats at once",
    "repeats with another body",
    "cancels without a key, twice",
    "cancels from several clients",
    "races a shipment",
    "comes after the shipment",
    "comes after a part was shipped",
]

# What the statements of withdrawal are about, how they are sent, and what guests do.
WithdrawalKind = Literal[
    "of no order",
    "of a customer's order, by number and address",
    "of a guest's order, by number and address",
    "by the customer",
    "by the customer, who cancels at once",
    "of a part, by the customer",
    "by the customer, after the shipment",
]
Sent = Literal[
    "once, without a key",
    "once, with a key",
    "again",
    "several times at once",
    "with another body",
    "twice without a key",
]
AccessKind = Literal[
    "sees the order",
    "cancels",
    "uses the code twice",
    "uses the code from several clients",
    "guesses first",
    "asks again",
    "asks too often",
    "asks for a customer's order",
    "has another address",
]

ORDERS: dict[OrderKind, int] = {
    "unpaid": 4,
    "paid offline": 7,
    "paid at Stripe": 5,
    "authorized offline": 2,
    "authorized at Stripe": 2,
    "several payments": 3,
    "invoiced in part": 3,
    "refunded in part before": 3,
}
VISITS: dict[Visit, int] = {
    "looks": 6,
    "cancels": 8,
    "cancels while the shop writes": 4,
    "repeats": 5,
    "repeats at once": 4,
    "repeats with another body": 2,
    "cancels without a key, twice": 3,
    "cancels from several clients": 3,
    "races a shipment": 6,
    "comes after the shipment": 2,
    "comes after a part was shipped": 2,
}
WITHDRAWALS: dict[WithdrawalKind, int] = {
    "of no order": 3,
    "of a customer's order, by number and address": 2,
    "of a guest's order, by number and address": 2,
    "by the customer": 5,
    "by the customer, who cancels at once": 1,
    "of a part, by the customer": 1,
    "by the customer, after the shipment": 1,
}
SENT: dict[Sent, int] = {
    "once, without a key": 4,
    "once, with a key": 4,
    "again": 2,
    "several times at once": 1,
    "with another body": 1,
    "twice without a key": 1,
}
ACCESSES: dict[AccessKind, int] = {
    "sees the order": 6,
    "cancels": 4,
    "uses the code twice": 1,
    "uses the code from several clients": 1,
    "guesses first": 1,
    "asks again": 1,
    "asks too often": 1,
    "asks for a customer's order": 1,
    "has another address": 1,
}
assert set(ORDERS) == set(get_args(OrderKind))
assert set(VISITS) == set(get_args(Visit))
assert set(WITHDRAWALS) == set(get_args(WithdrawalKind))
assert set(SENT) == set(get_args(Sent))
assert set(ACCESSES) == set(get_args(AccessKind))

MAIL = {
    "from": "shop@example.com",
    "shop_name": "Shop under load",
    "customer": True,
    "merchant": ["orders@example.com"],
}
CONFIG = {"mail": MAIL, "guest_access": True, "withdrawal": {"enabled": True}}
"""What the store has beside its reasons."""

AT_ONCE = (2, 4)
"""How many requests are sent at the same moment, from and to."""
REPEATS = (1, 3)
LISTS_FIRST = 0.4
"""The share of visits that begin with the list of orders."""
PAGE_LIMITS = (5, 20, 50)
PAGES = 3
MORE_CODES = 4
"""So many times more does somebody ask for a code who asks too often, at once."""
TWO_ROWS: dict[str, Any] = {"items": [documents.row("1"), documents.row("2")]}
UNDER_WAY = 3
"""A customer with so many refunds under way waits for one before the next visit: refunds keep up, or all get slower."""


class _Deck(Generic[T]):
    """Cards in their proportions, shuffled again each time all are dealt."""

    def __init__(self, proportions: Mapping[T, int], seed: str) -> None:
        self._cards = [card for card, number in proportions.items() for _ in range(number)]
        self._random = random.Random(seed)
        self._left: list[T] = []

    def draw(self) -> T:
        if not self._left:
            self._left = self._random.sample(self._cards, len(self._cards))
        return self._left.pop()


class Turn(NamedTuple):
    """One visit of a customer, with an order of its own. `random` decides its details."""

    number: int
    visit: Visit
    order: OrderKind
    random: random.Random


class Mix:
    """The turns of a load, the same for the same seed, whichever customer takes which. Several threads may draw."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._visits, self._orders = _Deck(VISITS, f"visits {seed}"), _Deck(ORDERS, f"orders {seed}")
        self._lock = threading.Lock()
        self._number = 0

    def draw(self) -> Turn:
        with self._lock:
            self._number += 1
            rng = random.Random(f"{self._seed} {self._number}")
            return Turn(self._number, self._visits.draw(), self._orders.draw(), rng)

    @property
    def has_had_all(self) -> bool:
        """Whether every kind of visit and of order has been drawn."""
        return self._number >= max(sum(VISITS.values()), sum(ORDERS.values()))


class Arrival(NamedTuple):
    """Somebody who comes once: what for, how a statement is sent, and the order that it is about."""

    number: int
    kind: WithdrawalKind | AccessKind
    sent: Sent
    order: OrderKind
    random: random.Random


class Arrivals:
    """Those who come, the same for the same seed. One thread draws."""

    def __init__(self, kinds: Mapping[Any, int], seed: str) -> None:
        self._seed, self._kinds = seed, kinds
        self._deck = _Deck(kinds, f"{seed} kinds")
        self._sent, self._orders = _Deck(SENT, f"{seed} sent"), _Deck(ORDERS, f"{seed} orders")
        self.number = 0

    def draw(self) -> Arrival:
        self.number += 1
        rng = random.Random(f"{self._seed} {self.number}")
        return Arrival(self.number, self._deck.draw(), self._sent.draw(), self._orders.draw(), rng)

    @property
    def has_had_all(self) -> bool:
        return self.number >= max(sum(self._kinds.values()), sum(SENT.values()))


# What the shop keeps on its orders for itself. Nobody else may change it.
_ROWS_OWN = {"gift": True, "weight": Decimal("1.250"), "shelves": {"A7", "B2"}}
_ORDERS_OWN = {"channel": {"name": "app", "campaigns": ["november", Decimal("0.10"), None]}, "numbers": {1, 2, 3}}


def order(kind: OrderKind, rng: random.Random, account: Account) -> dict[str, Any]:
    """The attributes of such an order, beyond those of every order. Payments at Stripe are made there."""
    rows = [
        documents.row(str(number), qty_ordered=rng.randint(1, 4), amount=rng.randrange(100, 50000), **_ROWS_OWN)
        for number in range(1, rng.randint(2, 5))
    ]
    shipping = {"amount": 4900, "zone": "north"}
    fees = [{"fee_id": "wrap", "name": "Gift wrap", "amount": 1500}]
    charges = [*rows, shipping, *fees]
    total = sum(charge["amount"] for charge in charges)

    def invoiced(number: int) -> None:
        for row in charges[:number]:
            row["amount_invoiced"] = row["amount"]
            if "qty_ordered" in row:
                row["qty_invoiced"] = row["qty_ordered"]

    def at_stripe(amount: int, name: str = "p1") -> dict[str, Any]:
        return documents.captured(amount, name, provider="stripe", reference=account.paid(amount))

    status, payments = "processing", []
    match kind:
        case "unpaid":
            status = "pending"
        case "authorized offline":
            status, payments = "pending", [documents.authorized(total)]
        case "authorized at Stripe":
            reference = account.authorized(total)
            status, payments = "pending", [documents.authorized(total, provider="stripe", reference=reference)]
        case "paid offline":
            invoiced(len(charges))
            payments = [documents.captured(total)]
        case "paid at Stripe":
            invoiced(len(charges))
            payments = [at_stripe(total)]
        case "several payments":
            # A gift card and the rest, and an authorization that was never needed.
            invoiced(len(charges))
            card = rng.randrange(1, total)
            held = documents.authorized(700, "p3", provider="stripe", reference=account.authorized(700))
            payments = [documents.captured(card, "p1"), at_stripe(total - card, "p2"), held]
        case "invoiced in part":
            # Paid in advance as a whole: what is invoiced of it goes back.
            invoiced(1)
            payments = [at_stripe(total)]
        case "refunded in part before":
            invoiced(len(charges))
            before = rows[0]["amount"] // 2
            rows[0]["amount_refunded"] = before
            payments = [documents.captured(total, amount_refunded=before)]
    own = {"risk": Decimal("0.07")}
    return _ORDERS_OWN | {
        "status": status,
        "items": rows,
        "shipping": shipping,
        "fees": fees,
        "payments": [payment | own for payment in payments],
    }
