"""The limit of cancels in a day: the key of the counter, and the end of the day.

Source: the contract, part 3: for one customer or guest's address, over all stores of the table, by days of UTC.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import NamedTuple

from cancel_core.domain.caller import Caller, Customer, normalised

_DAY = timedelta(days=1)


class Slot(NamedTuple):
    """One cancel of a customer that counts for the day.

    `counted`: the key of customer and day. `slot`: the id of the order's cancel, so that taking it again changes
    nothing. `mark`: the request that holds it; several requests about one order can share a slot. `expires_at`: when
    the key's item may be deleted, in epoch seconds: a day after its day has ended.
    """

    counted: str
    slot: str
    mark: str
    expires_at: int


def slot_of(caller: Caller, address: str, slot: str, request_id: str, now: datetime) -> Slot:
    """`address`: the order's, which identifies a guest. `slot`: see `ids.slot_id`.

    Customer and address are hashed together with the day: the result fits into a key, and does not reveal that two days
    belong to the same person.
    """
    midnight = _next_midnight(now)
    day = (midnight - _DAY).date().isoformat()
    kind, who = (
        ("customer", str(caller.customer_id)) if isinstance(caller, Customer) else ("guest", normalised(address))
    )
    digest = hashlib.sha256(f"{kind}\0{day}\0{who}".encode("utf-8", "replace")).hexdigest()
    return Slot(f"{kind}#{digest}#{day}", slot, request_id, int((midnight + _DAY).timestamp()))


def seconds_left(now: datetime) -> int:
    """Whole seconds until the end of the day; at least one."""
    return ceil((_next_midnight(now) - now).total_seconds())


def _next_midnight(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
