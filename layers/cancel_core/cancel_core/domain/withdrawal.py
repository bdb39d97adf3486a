"""A statement of withdrawal, exactly as it is stored, hashed and shown in the receipt."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from cancel_core.domain.setting_values import is_blank
from cancel_core.domain.values import number

STATEMENT = "statement"
"""The part of a withdrawal, in its table, that has the consumer's statement. It is never changed."""

MOST_CHARACTERS = {"name": 200, "order": 255, "item": 200, "message": 2000, "store_id": 255}
_OPTIONAL = ("customer_id", "order_id", "placed_at", "body", "request_id")
_LINES = frozenset("\t\n\r")


def no_text(text: str) -> str:
    """Why this is not a valid text; empty if it is. A lone surrogate is not a character and can't be hashed."""
    for letter in text:
        category = unicodedata.category(letter)
        if category == "Cs":
            return "must be text: it has half of a surrogate pair"
        if category == "Cc" and letter not in _LINES:
            return "must be text: it has a control character"
    return ""


def fits(text: str, most: int) -> bool:
    """Whether this can be the name of a person or an item: visible, and not too long."""
    return len(text) <= most and not no_text(text) and not is_blank(text)


class WithdrawalRequest(NamedTuple):
    """A request as received: the `given` fields, quantities int or float; when the gateway received it; the gateway's
    id of it; and the Idempotency-Key, if there was one.
    """

    given: Mapping[str, Any]
    received: datetime
    request_id: str
    key: str | None


@dataclass(frozen=True, slots=True)
class Statement:
    """What is stored before the request is answered.

    `statement`: `email`, `order`, and if present `name`, `items` [{item, qty?}] (absent: all), `message`, `store_id`,
    `language`; quantities int or float, as in JSON. `receipt`: SHA-256, in hex, of the canonical JSON (RFC 8785) of
    withdrawal_id, received_at and statement. `received_at`: ISO 8601 UTC, milliseconds. `store_id`: the store whose
    settings applied: the order's for a customer. `customer_id`, `order_id` and `placed_at` of the order are set if the
    customer's own token proved it. `body`: a keyed hash of the request, if there was an Idempotency-Key. `request_id`:
    the gateway's, of the request that sent it. `expires_at`: epoch seconds.
    """

    withdrawal_id: str
    received_at: str
    store_id: str
    statement: Mapping[str, Any]
    receipt: str
    expires_at: int
    customer_id: str | None = None
    order_id: str | None = None
    placed_at: str | None = None
    body: str | None = None
    request_id: str | None = None

    @property
    def day(self) -> str:
        """YYYY-MM-DD, in UTC."""
        return self.received_at[:10]

    @property
    def is_proven(self) -> bool:
        return self.order_id is not None

    def to_item(self) -> dict[str, Any]:
        """The item of the withdrawals table, in plain values."""
        optional = {name: getattr(self, name) for name in _OPTIONAL}
        return {
            "withdrawal_id": self.withdrawal_id,
            "part": STATEMENT,
            "day": self.day,
            "received_at": self.received_at,
            "store_id": self.store_id,
            "statement": _stored(self.statement),
            "receipt": self.receipt,
            "expires_at": self.expires_at,
            **{name: value for name, value in optional.items() if value is not None},
        }


def read_statement(item: Mapping[str, Any]) -> Statement:
    """The statement in an item of the table, in plain values (numbers as Decimal). Raises KeyError if it is none."""
    return Statement(
        withdrawal_id=item["withdrawal_id"],
        received_at=item["received_at"],
        store_id=item["store_id"],
        statement=_said(item["statement"]),
        receipt=item["receipt"],
        expires_at=int(item["expires_at"]),
        **{name: item.get(name) for name in _OPTIONAL},
    )


def expiry(received: datetime, days: float) -> int:
    """When it expires, in epoch seconds."""
    return int((received + timedelta(days=days)).timestamp())


def _stored(value: Any) -> Any:
    """With numbers in the table's type."""
    match value:
        case float():  # a quantity: a statement has no amounts
            return Decimal(repr(value))
        case Mapping():
            return {name: _stored(entry) for name, entry in value.items()}
        case list() | tuple():
            return [_stored(entry) for entry in value]
        case _:
            return value


def _said(value: Any) -> Any:
    """With numbers in JSON's types."""
    match value:
        case Decimal():
            return number(value)
        case Mapping():
            return {name: _said(entry) for name, entry in value.items()}
        case list():
            return [_said(entry) for entry in value]
        case _:
            return value
