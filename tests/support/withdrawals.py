"""What the tests of withdrawals share: statements as they come in, and what deals with them, on an engine."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from cancel_core.adapters.dynamodb.withdrawals import Withdrawals
from cancel_core.domain.events import Event
from cancel_core.domain.times import iso_milliseconds
from cancel_core.domain.withdrawal import Statement, expiry
from cancel_core.services.process_withdrawals import Desk, process

from tests.support.tables import Heard, Shop

RECEIVED = datetime(2026, 11, 22, 9, 30, 0, 17000, tzinfo=UTC)
LATER = RECEIVED + timedelta(seconds=5)
ON = {"enabled": True}
"""The config's `withdrawal` of a store that takes statements."""
ADDRESS = "someone@example.com"
"""The one that tests' orders have."""


def statement(order: str, *, email: str = ADDRESS, received: datetime = RECEIVED, **said: Any) -> Statement:
    """As anyone sends one."""
    made_id = f"wdr_{uuid4().hex}"
    content = {"name": "Anna Andersson", "email": email, "order": order} | said
    return Statement(made_id, iso_milliseconds(received), "default", content, "ab" * 32, expiry(received, 1095))


def proven(order: dict[str, Any], **more: Any) -> Statement:
    """As a customer sends one about an order of theirs."""
    made = statement(order["order_id"], **more)
    owner = {name: order[name] for name in ("customer_id", "order_id", "placed_at")}
    return replace(made, store_id=order["store_id"], **owner)


@dataclass
class WithdrawalDesk:
    """The use case with a shop's tables, and a bus that remembers."""

    shop: Shop
    heard: Heard = field(default_factory=Heard)

    def __post_init__(self) -> None:
        self.withdrawals = Withdrawals(self.shop.client, self.shop.tables["withdrawals"])
        self.desk = Desk(self.withdrawals, self.shop.orders, self.shop.policies(), self.heard)
        self.shop.configure(withdrawal=ON)

    def take(self, one: Statement) -> Statement:
        """Stores it, as the route does."""
        return self.withdrawals.put(one)

    def process(self, one: Statement, now: datetime = LATER) -> None:
        process(self.desk, one, now)

    def parts(self, one: Statement) -> dict[str, dict[str, Any]]:
        return self.withdrawals.parts(one.withdrawal_id)

    def events(self, one: Statement) -> list[Event]:
        return [event for event in self.heard.events if event.detail.get("withdrawal_id") == one.withdrawal_id]
