"""An order as the raw attribute values that were read.

The shop's attributes are written back unchanged, and a write can be conditional on exactly what was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from cancel_core.adapters.dynamodb.attributes import attribute_value, present
from cancel_core.adapters.dynamodb.database import Raw
from cancel_core.domain.addresses import Contact
from cancel_core.domain.caller import Caller, Customer, Owner, Shop
from cancel_core.domain.cancellation import Cancellation, read_cancellation, to_document
from cancel_core.domain.cancellation_request import CancellationRequest, read_request, request_document
from cancel_core.domain.events import OrderState
from cancel_core.domain.order import ORDER_ATTRIBUTES, Order, read_order
from cancel_core.domain.order_change import ROW_IDS, OrderChange, apply
from cancel_core.errors import OrderUnreadable


class StoredOrder:
    """An order as it was read. Its properties raise `OrderUnreadable` if the attributes they need are invalid."""

    def __init__(self, raw: Raw, order: Order | None = None) -> None:
        """`order` is the parsed `raw`, if it was parsed before."""
        self.raw = raw
        self._order = order

    @property
    def order_id(self) -> str:
        return self._text("order_id") or ""

    @property
    def store_id(self) -> str:
        return self._text("store_id") or "default"

    @property
    def cancellation_id(self) -> str:
        """The id of its cancellation; empty if it has none."""
        return self.cancellation.cancellation_id if self.cancellation else ""

    @property
    def status(self) -> str:
        return self._text("status") or ""

    @property
    def placed_at(self) -> str:
        return self._text("placed_at") or ""

    @property
    def currency(self) -> str:
        return self._text("currency") or ""

    @property
    def contact(self) -> Contact:
        """The recipient of mails about it. Attributes that are not text count as absent."""
        return Contact(*(self._text(name) or "" for name in ("customer_email", "customer_name", "language")))

    def _text(self, name: str) -> str | None:
        text: str | None = self.raw.get(name, {}).get("S")
        return text

    def belongs_to(self, caller: Caller | Shop) -> bool:
        """Whether the caller may see it. An order without a customer belongs to the guest who has verified its address.
        The shop may see every order, if no other order was placed under the number since.
        """
        if isinstance(caller, Shop):
            return self.placed_at == caller.placed_at
        if isinstance(caller, Customer):
            return bool(caller.customer_id) and self._text("customer_id") == caller.customer_id
        return (
            self.is_guests
            and (self.order_id, self.placed_at) == (caller.order_id, caller.placed_at)
            and caller.has(self.contact.email)
        )

    @property
    def owner(self) -> Owner:
        """The owner of the order, which identifies it together with its id."""
        return Owner(self._text("placed_at") or "", self._text("customer_id"))

    @property
    def noted(self) -> object:
        """Its attribute `withdrawal`, in plain values."""
        return present({"of": self.raw.get("withdrawal", {"NULL": True})}).get("of")

    @property
    def is_guests(self) -> bool:
        return "NULL" in self.raw.get("customer_id", {"NULL": True})

    @cached_property
    def document(self) -> dict[str, Any]:
        """The attributes that the product reads, as plain values. NULL counts as absent."""
        return present({name: value for name, value in self.raw.items() if name in ORDER_ATTRIBUTES})

    @property
    def order(self) -> Order:
        if self._order is None:
            self._order = read_order(self.document)
        return self._order

    @cached_property
    def cancellation(self) -> Cancellation | None:
        document = present({"of": self.raw.get("cancellation", {"NULL": True})}).get("of")
        if document is None:
            return None
        return read_cancellation(document if isinstance(document, dict) else {}, self.order_id)

    @cached_property
    def request(self) -> CancellationRequest | None:
        """Its `cancellation_request`, also if the rest of the order is invalid. Anything else in the attribute counts
        as absent.
        """
        return read_request(present({"of": self.raw.get("cancellation_request", {"NULL": True})}).get("of"))

    @property
    def state(self) -> OrderState:
        """The data for events. Raises `OrderUnreadable` only if the cancellation itself can't be read."""
        cancellation = self.cancellation
        try:
            order = self.order if cancellation else None
        except OrderUnreadable:
            order = None
        return OrderState(self.order_id, self.store_id, self._text("customer_id"), cancellation, order)

    def changed(self, change: OrderChange) -> StoredOrder:
        """The order after the change is written."""
        raw = dict(self.raw)
        for name in {row.attribute for row in change.rows}:
            raw[name] = _rows_apart(raw[name])
        rows = {name: _by_id(raw[name], ROW_IDS[name]) for name in ROW_IDS if name in raw and "L" in raw[name]}
        for row in change.rows:
            target = raw[row.attribute]["M"] if row.row_id is None else rows[row.attribute][row.row_id]
            for name, value in row.numbers.items():
                target[name] = {"N": str(value)}
        for name, text in change.attributes.items():
            raw[name] = {"S": text}
        if change.cancellation:
            raw["cancellation"] = attribute_value(to_document(change.cancellation))
        if change.request:
            raw["cancellation_request"] = attribute_value(request_document(change.request))
        for name in change.remove:
            raw.pop(name, None)
        if change.history:
            before = raw.get("history", {}).get("L", [])
            raw["history"] = {"L": [*before, attribute_value(change.history.model_dump(exclude_none=True))]}
        return StoredOrder(raw, apply(self._order, change) if self._order else None)

    @property
    def size(self) -> int:
        """Bytes, as DynamoDB counts an item."""
        return sum(len(name.encode()) + _size(value) for name, value in self.raw.items())


def _rows_apart(value: Mapping[str, Any]) -> Raw:
    """A copy of a map, or of a list of maps, whose numbers can be set without changing the original."""
    if "M" in value:
        return {"M": dict(value["M"])}
    return {"L": [{"M": dict(row["M"])} if "M" in row else row for row in value["L"]]}


def _by_id(rows: Mapping[str, Any], name: str) -> dict[str, Raw]:
    """The rows of a list, by id."""
    maps = (row["M"] for row in rows["L"] if "M" in row)
    return {row[name]["S"]: row for row in maps if "S" in row.get(name, {})}


def _size(value: Mapping[str, Any]) -> int:
    """The bytes of an attribute value. Source: DynamoDB developer guide, "DynamoDB item sizes and formats"."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            # Two digits a byte, without leading and trailing zeros. Counting all digits gives an upper bound.
            return len(content) // 2 + 2
        case "M":
            return 3 + sum(len(name.encode()) + _size(entry) + 1 for name, entry in content.items())
        case "L":
            return 3 + sum(_size(entry) + 1 for entry in content)
        case "B":
            return len(content)
        case "SS" | "BS":
            return sum(len(entry.encode()) if isinstance(entry, str) else len(entry) for entry in content)
        case "NS":
            return sum(len(entry) // 2 + 2 for entry in content)
        case _:
            return 1
