"""Until when a consumer may withdraw. The examples were worked out by hand from Regulation 1182/71, Article 3."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cancel_core.adapters.calendar import public_holidays
from cancel_core.domain.order import Order
from cancel_core.domain.policy import Policy
from cancel_core.domain.withdrawal_period import Withdrawal, is_in_time, is_offered, last_day, withdrawal_of
from cancel_core.domain.withdrawal_settings import WithdrawalSettings
from hypothesis import given
from hypothesis import strategies as st

from tests.support.orders import canceled, document, item, order, paid, refunded

ZONES = ["UTC", "Europe/Stockholm", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu"]
SWEDEN = WithdrawalSettings(enabled=True, time_zone="Europe/Stockholm", country="SE")
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def never(_: date) -> bool:
    return False


def store(settings: WithdrawalSettings = SWEDEN) -> Policy:
    policy = Policy(enabled=False, withdrawal=settings)
    return policy._replace(is_holiday=public_holidays(settings.country)) if settings.country else policy


def delivered(at: str, **more: Any) -> Order:
    return order(document(status="complete", items=[item(qty_shipped=Decimal(1))], delivered_at=at) | more)


def until(at: str, settings: WithdrawalSettings = SWEDEN) -> str | None:
    state = withdrawal_of(delivered(at), store(settings), NOW)
    return state.until.isoformat() if state.until else None


# --- the last day


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        # Monday 2 November; the day itself is not counted: 3 is the first day, Monday 16 the fourteenth.
        ("2026-11-02T09:00:00Z", "2026-11-16"),
        # Friday, and two weeks later it is Friday.
        ("2026-11-20T09:00:00Z", "2026-12-04"),
        # Saturday + 14 is a Saturday, Sunday + 14 a Sunday: the Monday after it.
        ("2026-11-21T09:00:00Z", "2026-12-07"),
        ("2026-11-22T09:00:00Z", "2026-12-07"),
        # 23:30 UTC is 00:30 of the next day in Stockholm in winter, and 01:30 in summer.
        ("2026-11-02T23:30:00Z", "2026-11-17"),
        ("2026-06-01T22:30:00Z", "2026-06-16"),
        # Over the ends of a month, a leap day, and the changes of the clocks (29 March, 25 October).
        ("2026-01-28T09:00:00Z", "2026-02-11"),
        ("2028-02-15T09:00:00Z", "2028-02-29"),
        ("2027-02-15T09:00:00Z", "2027-03-01"),
        ("2026-03-17T22:59:59Z", "2026-03-31"),
        ("2026-03-17T23:00:00Z", "2026-04-01"),
        ("2026-10-14T21:59:59Z", "2026-10-28"),
        ("2026-10-14T22:00:00Z", "2026-10-29"),
        # 11 December + 14 is Friday 25 December; 26 and 27 are a weekend: Monday 28.
        ("2026-12-11T09:00:00Z", "2026-12-28"),
        # 18 December + 14 is Friday 1 January 2027, then the weekend: Monday 4. 23 + 14 is Epiphany: Thursday 7.
        ("2026-12-18T09:00:00Z", "2027-01-04"),
        ("2026-12-23T09:00:00Z", "2027-01-07"),
        # 20 March + 14 is Good Friday 3 April 2026, then the weekend, then Easter Monday: Tuesday 7.
        ("2026-03-20T09:00:00Z", "2026-04-07"),
        # Easter moves: 12 March 2027 + 14 is Good Friday 26 March, and Tuesday 30 the next working day.
        ("2027-03-12T09:00:00Z", "2027-03-30"),
        # Ascension Day, Thursday 14 May 2026: the Friday after it is a working day.
        ("2026-04-30T09:00:00Z", "2026-05-15"),
        # A time as some order systems have it.
        ("2026-11-02T10:00:00.123+01:00", "2026-11-16"),
    ],
)
def test_the_last_day_in_sweden(at: str, expected: str) -> None:
    assert until(at) == expected


def test_holidays_are_the_countrys_own() -> None:
    # German Unity Day, Thursday 3 October 2030; in Sweden a Thursday as any other.
    at = "2030-09-19T09:00:00Z"
    assert until(at) == "2030-10-03"
    assert until(at, SWEDEN._replace(time_zone="Europe/Berlin", country="DE")) == "2030-10-04"
    # With no country weekends alone count: Christmas Day 2026 is a Friday.
    assert until("2026-12-11T09:00:00Z", SWEDEN._replace(country="")) == "2026-12-25"


def test_a_store_may_give_more_days() -> None:
    assert until("2026-11-02T09:00:00Z", SWEDEN._replace(days=30)) == "2026-12-02"


@given(
    at=st.integers(0, 20 * 366 * 24 * 60).map(
        lambda minutes: datetime(2021, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
    days=st.integers(14, 60),
    zone=st.sampled_from(ZONES),
    country=st.sampled_from(["", "SE", "DE", "FR", "IL", "US", "JP"]),
)
def test_it_is_the_first_working_day_that_is_not_too_early(at: datetime, days: int, zone: str, country: str) -> None:
    """Against the definition, day by day: count whole days in the store's zone, then go on to a working day."""
    settings = WithdrawalSettings(enabled=True, days=days, time_zone=zone, country=country)
    is_holiday = public_holidays(country) if country else never
    one = delivered(at.isoformat().replace("+00:00", "Z"))

    last = last_day(one, settings, is_holiday)

    assert last
    day, counted = at.astimezone(ZoneInfo(zone)).date(), 0
    while counted < days or day.weekday() in (5, 6) or is_holiday(day):
        day += timedelta(days=1)
        counted += 1
    assert last == day
    assert last.weekday() < 5
    # To the end of that day where the store is, whatever its clocks did meanwhile.
    end = datetime(last.year, last.month, last.day, 23, 59, 59, 999999, tzinfo=ZoneInfo(zone))
    policy = store(settings)._replace(is_holiday=is_holiday)
    assert withdrawal_of(one, policy, end).open
    assert not withdrawal_of(one, policy, end.astimezone(UTC) + timedelta(microseconds=1)).open
    assert is_in_time(one, settings, is_holiday, end) is True
    assert is_in_time(one, settings, is_holiday, end.astimezone(UTC) + timedelta(microseconds=1)) is False


# --- what it is of


def test_the_last_item_counts_and_its_own_date_before_the_orders() -> None:
    early, late = item("a", delivered_at="2026-11-02T09:00:00Z"), item("b", delivered_at="2026-11-03T09:00:00Z")
    of = {"delivered_at": "2026-11-05T09:00:00Z"}

    assert last_day(order(document(items=[early, late])), SWEDEN, never) == date(2026, 11, 17)
    assert last_day(order(document(items=[early, late], **of)), SWEDEN, never) == date(2026, 11, 17)
    assert last_day(order(document(items=[early, item("b")], **of)), SWEDEN, never) == date(2026, 11, 19)


@pytest.mark.parametrize(
    "out",
    [
        {"withdrawal_exempt": "c"},
        {"qty_canceled": Decimal(1)},
        {"qty_refunded": Decimal(1)},
        {"ordered": 2, "qty_canceled": Decimal(1), "qty_refunded": Decimal(1)},
    ],
)
def test_exempt_and_cancelled_rows_do_not_count(out: dict[str, Any]) -> None:
    kept = item("a", delivered_at="2026-11-02T09:00:00Z")

    for row in (item("b", **out), item("b", delivered_at="2026-11-20T09:00:00Z", **out)):
        assert last_day(order(document(items=[kept, row])), SWEDEN, never) == date(2026, 11, 16)
        assert not is_offered(order(document(items=[row])))


def test_one_delivery_that_is_not_known_makes_the_end_unknown_and_open() -> None:
    one = order(document(items=[item("a", delivered_at="2020-01-01T09:00:00Z"), item("b")]))

    assert withdrawal_of(one, store(), NOW) == Withdrawal(open=True, until=None, offers=True)
    assert is_in_time(one, SWEDEN, never, NOW) is None


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-20T00:00:00Z"])
def test_the_ends_of_the_calendar_are_no_failure(at: str) -> None:
    for zone in ZONES:
        withdrawal_of(delivered(at), store(SWEDEN._replace(time_zone=zone, days=3650)), NOW)


# --- what is shown


def state(source: Order, settings: WithdrawalSettings = SWEDEN) -> tuple[bool, bool]:
    found = withdrawal_of(source, store(settings), NOW)
    return found.open, found.offers


def test_it_is_offered_from_the_contract_on_until_the_last_day() -> None:
    assert state(order()) == (True, True)
    assert state(order(status="hold")) == (True, True)
    # It is Sunday 22 November. Saturday 7 + 14 is Saturday 21: Monday 23. Friday 6 + 14 was Friday 20.
    assert state(delivered("2026-11-07T09:00:00Z")) == (True, True)
    assert state(delivered("2026-11-06T09:00:00Z")) == (False, False)


def test_not_where_it_is_off_for_a_business_or_with_every_item_exempt() -> None:
    assert state(order(), SWEDEN._replace(enabled=False)) == (False, False)
    assert state(order(business=True)) == (False, False)
    assert state(order(items=[item(withdrawal_exempt="c"), item("b", withdrawal_exempt="M")])) == (False, False)
    # A mixed order shows it.
    assert state(order(items=[item(withdrawal_exempt="c"), item("b")])) == (True, True)


def test_not_once_the_whole_order_was_withdrawn_from() -> None:
    part, whole = ({"withdrawal_id": "wdr_1", "whole": is_whole} for is_whole in (False, True))
    assert state(order(withdrawal=part)) == (True, True)
    assert state(order(withdrawal=whole)) == (True, False)


def test_an_order_that_was_cancelled_before_it_left_has_nothing_to_withdraw_from() -> None:
    assert state(canceled(paid()).order) == (False, False)
    assert state(refunded(canceled(paid())).order) == (False, False)
    assert state(order(status="canceled")) == (False, False)
    # The shop shipped it all the same: there are goods to give back.
    sent = canceled(paid()).order
    shipped = sent.model_copy(update={"items": (sent.items[0].model_copy(update={"qty_shipped": Decimal(1)}),)})
    assert state(shipped) == (True, True)
