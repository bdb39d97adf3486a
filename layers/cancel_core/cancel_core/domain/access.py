"""A guest's code and token: scope, lifetime, and stored form.

A code has six digits, so anyone who gets its hash could try them all: it is stored under a salted, slow hash. A token
is 32 random bytes, for which a plain hash is enough. The address is stored as a hash under a key that is not stored:
derived from the code first, and later the token.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from cancel_core.domain.caller import address_hash

CODE_LIFE = timedelta(minutes=15)
TOKEN_LIFE = timedelta(minutes=30)
MOST_TRIES = 5
MOST_MAILS = 3
WITHIN = timedelta(hours=1)
"""The most codes that are mailed for one order within this time."""
CODES = 10**6
_HALF = 32


class AccessRequest(NamedTuple):
    """A request for a code. `address`: its hash under the code. `at`: the time, in epoch milliseconds."""

    code_id: str
    order_id: str
    address: str
    code: str
    at: int

    @property
    def until(self) -> int:
        """When the code expires, in epoch seconds."""
        return self.at // 1000 + int(CODE_LIFE.total_seconds())

    def is_for(self, address: str) -> bool:
        return hmac.compare_digest(self.address, address_hash(address, self.code.encode()))


class Stretched(NamedTuple):
    """What is derived from a code: `proof`, which is stored, in hex; and a key, which is not."""

    proof: str
    key: bytes


def stretched(code: str, salt: bytes) -> Stretched:
    """Each guess of a code costs 16 MB and some hundredths of a second."""
    made = hashlib.scrypt(code.encode("utf-8", "replace"), salt=salt, n=2**14, r=8, p=1, dklen=2 * _HALF)
    return Stretched(made[:_HALF].hex(), made[_HALF:])


@dataclass(frozen=True, slots=True)
class Code:
    """The code of an order as it is stored, at most one at a time. `until` and `mailed`: epoch seconds.

    `mailed`: when this code and earlier ones were sent, as far as they count. `placed_at` and `address` are those of
    the order when the code was sent. `used_by`: the hash of the token that it was exchanged for.
    """

    order_id: str
    code_id: str
    placed_at: str
    requested_at: int
    salt: bytes
    proof: str
    address: str
    until: int
    mailed: tuple[int, ...]
    tries: int = 0
    used_by: str | None = None

    def is_open(self, now: datetime) -> bool:
        return self.used_by is None and self.tries < MOST_TRIES and now.timestamp() < self.until

    @property
    def expires_at(self) -> int:
        """When the row may be deleted: not while one of its mails counts."""
        return max(self.until, *(at + int(WITHIN.total_seconds()) for at in self.mailed))


def counting(mailed: Sequence[int], now: datetime) -> tuple[int, ...]:
    """The mails that count towards the limit for the next one."""
    return tuple(at for at in mailed if at > now.timestamp() - WITHIN.total_seconds())


def new_code(asked: AccessRequest, placed_at: str, address: str, salt: bytes, mailed: tuple[int, ...]) -> Code:
    """`mailed`: the mails that count, including this code's."""
    proof, key = stretched(asked.code, salt)
    return Code(
        order_id=asked.order_id,
        code_id=asked.code_id,
        placed_at=placed_at,
        requested_at=asked.at,
        salt=salt,
        proof=proof,
        address=address_hash(address, key),
        until=asked.until,
        mailed=mailed,
    )


class Token(NamedTuple):
    """A token when it is issued, once. `expires_at`: whole seconds."""

    token: str
    expires_at: datetime


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def token_key(token: str) -> bytes:
    """The key of the address's hash in a token's row."""
    return token.encode("utf-8", "replace")
