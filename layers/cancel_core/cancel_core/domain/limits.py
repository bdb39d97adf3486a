"""The limit of cancels in a day: the key of the counter, and the end of the day.

Source: the contract, part 3: for one customer or guest's address, over all stores of the table, by days of UTC.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import NamedTuple

from cancel_core.domain.caller import Caller, Customer, normalised

_DAY = timedelta(days=1)


class Slot(NamedTuple):
    """One of the day's cancels of a customer.

    `counted`: the key of customer and day. `slot`: the id of what takes it, so that taking it again is taking the same.
    `mark`: the request that wants it, by which several requests about one order hold it together. `expires_at`: when
    the key's item may go, in seconds of the epoch: a day after its day has ended.
    """

    counted: str
    slot: str
    mark: str
    expires_at: int


def slot_of(caller: Caller, address: str, slot: str, request_id: str, now: datetime) -> Slot:
    """`address`: the order's, by which a guest is counted. `slot`: see `ids.slot_id`.

    Of customer and address there is a hash, with the day in it: it is no longer than a key may be, and does not tell
    that two days are the same person's.
    """
    midnight = _next_midnight(now)
    day = (midnight - _DAY).date().isoformat()
    kind, who = (
        ("customer", str(caller.customer_id)) if isinstance(caller, Customer) else ("guest", normalised(address))
    )
    digest = hashlib.sha256(f"{kind}\0{day}\0{who}".encode("utf-8", "replace")).hexdigest()
    return Slot(f"{kind}#{digest}#{day}", slot, request_id, int((midnight + _DAY).timestamp()))


def seconds_left(now: datetime) -> int:
    """Whole seconds until the day has ended; at least one."""
    return ceil((_next_midnight(now) - now).total_seconds())


def _next_midnight(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
