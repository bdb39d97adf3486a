"""The outcome of a statement of withdrawal: order, items, and whether it was in time.

It is determined once: see `Outcome.to_item`. It is no judgement: the shop is notified of what matches, what is late and
what is exempt, and decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from cancel_core.domain.caller import Owner, normalised
from cancel_core.domain.events import SCHEMA_VERSION, Event
from cancel_core.domain.order import Item, Order
from cancel_core.domain.policy import Policy
from cancel_core.domain.rules import decide
from cancel_core.domain.times import moment
from cancel_core.domain.values import minus, number
from cancel_core.domain.withdrawal import Statement
from cancel_core.domain.withdrawal_period import is_in_time, last_day

OUTCOME, CANCEL = "outcome", "cancel"
"""The parts of a withdrawal, in its table, that the product writes next to the statement."""
Match = Literal["proven", "email", "none"]
Offer = Literal["code", "sign_in"]


class Found(NamedTuple):
    """The order that a statement is about, and how it was matched."""

    match: Match
    order: Order
    language: str
    is_guests: bool


def named_order(statement: Statement) -> str:
    """The order id in a statement: trimmed, without the # that people write before a number."""
    return statement.order_id or str(statement.statement.get("order", "")).strip().removeprefix("#").strip()


def how_it_matches(statement: Statement, owner: Owner, address: str) -> Match:
    """`owner` and `address` are those of the order that the statement names."""
    if statement.is_proven:
        same = (statement.placed_at, statement.customer_id) == (owner.placed_at, owner.customer_id)
        return "proven" if same else "none"
    said = normalised(str(statement.statement.get("email", "")))
    return "email" if said and said == normalised(address) else "none"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Plain values, as the table has them.

    `order_id`, `placed_at` and `customer_id` are the matched order's. `until`: YYYY-MM-DD. `items`: the withdrawn rows,
    [{item_id, sku, qty}]; `exempt_items`: the exempt ones of them, [{item_id, name, letter}]. `offer`: how the customer
    can still cancel. `language`: the order's, BCP 47; may be "". `decided_at`: ISO 8601 UTC.
    """

    withdrawal_id: str
    received_at: str
    store_id: str
    match: Match
    decided_at: str
    expires_at: int
    order_id: str | None = None
    placed_at: str | None = None
    customer_id: str | None = None
    in_time: bool | None = None
    until: str | None = None
    whole: bool = False
    items: tuple[Mapping[str, Any], ...] = ()
    exempt_items: tuple[Mapping[str, Any], ...] = ()
    business: bool = False
    offer: Offer | None = None
    language: str = ""

    def to_item(self) -> dict[str, Any]:
        """The item of the withdrawals table."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return {"part": OUTCOME, "day": self.received_at[:10]} | fields

    @property
    def owner(self) -> Owner:
        return Owner(self.placed_at or "", self.customer_id)


def read_outcome(item: Mapping[str, Any]) -> Outcome:
    """The outcome in an item of the table, in plain values. Fields that a newer version has added are left out."""
    known = {name: item[name] for name in Outcome.__slots__ if name in item}
    for name in ("items", "exempt_items"):
        known[name] = tuple(known.get(name, ()))
    return Outcome(**known | {"expires_at": int(item["expires_at"])})


def find_out(statement: Statement, found: Found | None, policy: Policy | None, at: str) -> Outcome:
    """`found` and its store's `policy` are None if no order matches."""
    common: dict[str, Any] = {
        "withdrawal_id": statement.withdrawal_id,
        "received_at": statement.received_at,
        "decided_at": at,
        "expires_at": statement.expires_at,
    }
    if found is None or policy is None:
        return Outcome(**common, store_id=statement.store_id, match="none")
    order = found.order
    rows, whole = withdrawn(order, statement.statement.get("items"))
    calendar = (policy.withdrawal, policy.is_holiday)
    until, received_at = last_day(order, *calendar), moment(statement.received_at)
    offer: Offer | None = None
    now = moment(at)
    if found.match == "email" and whole and now and decide(order, policy, now).eligible:
        # The offered cancel is subject to the same rules as any other.
        offer = "sign_in" if not found.is_guests else "code" if policy.guest_access else None
    return Outcome(
        **common,
        store_id=order.store_id,
        match=found.match,
        order_id=order.order_id,
        placed_at=order.placed_at,
        customer_id=order.customer_id,
        in_time=is_in_time(order, *calendar, received_at) if received_at else None,
        until=until.isoformat() if until else None,
        whole=whole,
        items=tuple({"item_id": item.item_id, "sku": item.sku, "qty": qty} for item, qty in rows),
        exempt_items=tuple(
            {"item_id": item.item_id, "name": item.name, "letter": item.withdrawal_exempt}
            for item, _ in rows
            if item.withdrawal_exempt
        ),
        business=order.business,
        offer=offer,
        language=found.language,
    )


def withdrawn(order: Order, named: Sequence[Mapping[str, Any]] | None) -> tuple[list[tuple[Item, Decimal]], bool]:
    """The withdrawn rows with their quantities, and whether that is the whole order.

    `named`: [{item, qty?}], by id, SKU or name; None or empty for all rows. Quantities that were cancelled or refunded
    before are not part of the contract any more. A quantity above a row's counts as the whole row.
    """
    left = {item.item_id: minus(item.qty_ordered, item.qty_canceled, item.qty_refunded) for item in order.items}
    full = dict(left)
    if not named:
        return [(item, full[item.item_id]) for item in order.items if full[item.item_id]], True
    for entry in named:
        wanted = Decimal(str(entry["qty"])) if entry.get("qty") is not None else None
        for item in _meant(order, str(entry["item"])):
            there = left[item.item_id]
            taken = there if wanted is None else min(there, wanted)
            left[item.item_id] = minus(there, taken)
            wanted = None if wanted is None else minus(wanted, taken)
    rows = [(item, minus(full[item.item_id], left[item.item_id])) for item in order.items]
    taken_rows = [(item, qty) for item, qty in rows if qty]
    return taken_rows, bool(taken_rows) and not any(left.values())


def _meant(order: Order, text: str) -> list[Item]:
    """The rows that a text names: by id, else by SKU, else by name; several rows may have the same name."""
    said = _plain(text)
    for name in ("item_id", "sku", "name"):
        if rows := [item for item in order.items if _plain(getattr(item, name)) == said]:
            return rows
    return []


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def received(outcome: Outcome) -> Event:
    """The event's detail. No free text: an item that matches no row is not named."""
    detail = {
        "schema_version": SCHEMA_VERSION,
        "withdrawal_id": outcome.withdrawal_id,
        "order_id": outcome.order_id,
        "store_id": outcome.store_id,
        "match": outcome.match,
        "in_time": outcome.in_time,
        "items": [
            {"item_id": row["item_id"], "sku": row["sku"], "qty": number(Decimal(row["qty"]))} for row in outcome.items
        ],
        "received_at": outcome.received_at,
        "occurred_at": outcome.received_at,
    }
    return Event("WithdrawalReceived", detail)
