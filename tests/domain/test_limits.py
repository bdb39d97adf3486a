"""Under which key a customer's cancels of a day are counted, and when the day ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from cancel_core.domain.caller import Caller, Customer, Guest
from cancel_core.domain.limits import seconds_left, slot_of

NOON = datetime(2026, 11, 27, 12, 0, 0, tzinfo=UTC)
GUEST = Guest("o1", "2026-11-20T10:00:00Z", "hash", b"key")


def counted(caller: Caller, address: str = "", now: datetime = NOON) -> str:
    return slot_of(caller, address, "can_1", "request-1", now).counted


def test_a_key_names_the_day_and_nobody() -> None:
    for key in (counted(Customer("c1")), counted(Customer("c" * 2000)), counted(GUEST, "guest@example.com")):
        kind, digest, day = key.split("#")
        assert (kind in {"customer", "guest"}, len(digest), day) == (True, 64, "2026-11-27")
        assert len(key) < 100


def test_each_customer_and_each_address_has_a_key_of_its_own_each_day() -> None:
    keys = [
        *(counted(Customer("c1")), counted(Customer("c2")), counted(Customer("guest@example.com"))),
        *(counted(GUEST, "guest@example.com"), counted(GUEST, "other@example.com")),
        counted(Customer("c1"), now=NOON + timedelta(days=1)),
    ]
    assert len(set(keys)) == len(keys)
    # Nor can two days be told to be the same person's.
    assert len({key.split("#")[1] for key in keys}) == len(keys)


def test_an_address_counts_however_it_is_written_and_whichever_order_it_stands_on() -> None:
    other = Guest("o2", "2026-11-21T10:00:00Z", "another hash", b"another key")
    assert counted(GUEST, "guest@example.com") == counted(other, " Guest@Example.COM ")
    # A customer is one whatever the order's address is.
    assert counted(Customer("c1"), "a@example.com") == counted(Customer("c1"), "b@example.com")
    assert counted(GUEST, "\ud800@example.com")


@pytest.mark.parametrize(
    ("now", "day", "left"),
    [
        (datetime(2026, 11, 27, 0, 0, 0, tzinfo=UTC), "2026-11-27", 86400),
        (NOON, "2026-11-27", 43200),
        (datetime(2026, 11, 27, 23, 59, 59, 999999, tzinfo=UTC), "2026-11-27", 1),
        (datetime(2026, 11, 27, 23, 59, 58, 1, tzinfo=UTC), "2026-11-27", 2),
        (datetime(2026, 12, 31, 23, 0, 0, tzinfo=UTC), "2026-12-31", 3600),
        # A clock elsewhere shows another day.
        (datetime(2026, 11, 28, 1, 0, 0, tzinfo=timezone(timedelta(hours=2))), "2026-11-27", 3600),
    ],
)
def test_the_day_is_utcs_and_ends_at_midnight(now: datetime, day: str, left: int) -> None:
    assert counted(Customer("c1"), now=now).endswith(f"#{day}")
    assert seconds_left(now) == left


def test_the_item_stays_for_a_day_after_its_own() -> None:
    expires_at = slot_of(Customer("c1"), "", "can_1", "request-1", NOON).expires_at
    assert datetime.fromtimestamp(expires_at, UTC) == datetime(2026, 11, 29, tzinfo=UTC)
