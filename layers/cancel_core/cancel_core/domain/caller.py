"""The caller: a customer, a guest with a verified address of one order, or the shop with its decision."""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import NamedTuple


class Customer(NamedTuple):
    """The customer of a JWT. None: no customer, who has no orders."""

    customer_id: str | None

    @property
    def owner(self) -> str:
        """The owner of the idempotency keys."""
        return str(self.customer_id)


@dataclass(frozen=True, slots=True)
class Guest:
    """A guest with an access token for one order, which had this `placed_at` and address when the code was mailed.

    `address` is the address's hash under `key`, which is the token itself: see `address_hash`.
    """

    order_id: str
    placed_at: str
    address: str
    key: bytes = field(repr=False)

    @property
    def owner(self) -> str:
        """The owner of the idempotency keys: the order, because a guest's next token is another one."""
        return f"guest\0{self.order_id}"

    def has(self, address: str) -> bool:
        """Whether this is the address that was verified."""
        return hmac.compare_digest(self.address, address_hash(address, self.key))


class Shop(NamedTuple):
    """The shop itself, with a decision on the order that had this `placed_at`, regardless of its current owner."""

    placed_at: str


Caller = Customer | Guest


class Owner(NamedTuple):
    """Identifies an order together with its id, which a shop may reuse. `customer_id` is None for a guest's order."""

    placed_at: str
    customer_id: str | None


def normalised(address: str) -> str:
    """The form in which addresses are compared: trimmed, case-insensitive."""
    return address.strip().lower()


def address_hash(address: str, key: bytes) -> str:
    """An address in the form that may be stored, in hex. It is keyed, and the key is not stored: with a plain hash
    anyone could verify a guess.
    """
    return hmac.new(key, normalised(address).encode("utf-8", "replace"), hashlib.sha256).hexdigest()
