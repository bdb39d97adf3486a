"""The caller: a customer, a guest with a verified address of one order, or the shop with its decision."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Customer:
    """Who a JWT speaks for. None: nobody, who has no orders."""

    customer_id: str | None

    @property
    def owner(self) -> str:
        """Whose idempotency keys these are."""
        return str(self.customer_id)


@dataclass(frozen=True, slots=True)
class Guest:
    """Who holds an access token of one order, which had this `placed_at` and this address when the code was mailed.

    `address` is the address's hash under `key`, which is the token itself: see `address_hash`.
    """

    order_id: str
    placed_at: str
    address: str
    key: bytes = field(repr=False)

    @property
    def owner(self) -> str:
        """Whose idempotency keys these are: the order's, for a guest's next token is another one."""
        return f"guest\0{self.order_id}"

    def has(self, address: str) -> bool:
        """Whether this is the address that was proven."""
        return hmac.compare_digest(self.address, address_hash(address, self.key))


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop itself, which has decided on the order that was placed then, whosever it is by now."""

    placed_at: str


Caller = Customer | Guest


class Owner(NamedTuple):
    """Whose an order is, beside its id, which a shop may use anew. `customer_id` is None of a guest's."""

    placed_at: str
    customer_id: str | None


def normalised(address: str) -> str:
    """What addresses are compared by: trimmed, without regard to case."""
    return address.strip().lower()


def address_hash(address: str, key: bytes) -> str:
    """An address as it may be kept, in hex. Under a key, which is kept nowhere: who guesses an address learns nothing
    from a plain hash of it alone.
    """
    return hmac.new(key, normalised(address).encode("utf-8", "replace"), hashlib.sha256).hexdigest()
