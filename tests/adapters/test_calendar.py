"""The list of public holidays: what the package `holidays` says, for every country that a store may name."""

from __future__ import annotations

from datetime import date

import pytest
from cancel_core.adapters.calendar import LIST, public_holidays
from cancel_core.domain.withdrawal_settings import COUNTRIES

from requirements.public_holidays import lines


def test_the_list_is_what_the_package_says() -> None:
    """Else: make holidays."""
    assert LIST.read_text().splitlines() == list(lines())


def test_the_countries_that_a_store_may_name_are_those_of_the_list() -> None:
    assert {line.split()[0] for line in LIST.read_text().splitlines()} == COUNTRIES


def test_a_countrys_holidays() -> None:
    is_holiday = public_holidays("SE")

    # New Year's Day, Good Friday, Ascension Day, Christmas Day.
    assert all(map(is_holiday, map(date.fromisoformat, ("2026-01-01", "2026-04-03", "2026-05-14", "2026-12-25"))))
    assert not any(map(is_holiday, map(date.fromisoformat, ("2026-01-02", "2026-10-05", "2026-12-28", "2099-01-01"))))
    # German Unity Day, a Tuesday in 2028.
    assert public_holidays("DE")(date(2028, 10, 3))
    assert not is_holiday(date(2028, 10, 3))


def test_no_such_country() -> None:
    with pytest.raises(KeyError):
        public_holidays("XX")
