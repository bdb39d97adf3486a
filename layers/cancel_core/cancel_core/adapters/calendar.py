"""The public holidays of a country, from the list that `make holidays` generates with the package `holidays`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

LIST = Path(__file__).parent / "public_holidays.txt"
"""Each line is a country, a year, and the days (MMDD) that are national public holidays and not on a weekend."""


@cache
def public_holidays(country: str) -> Callable[[date], bool]:
    """Whether the day is a public holiday of the country (ISO 3166-1 alpha-2). Weekends do not count, and years that
    the list does not cover have no holidays. Raises KeyError for a country that is not in the list.
    """
    lines = [line for line in LIST.read_text().splitlines() if line.startswith(f"{country} ")]
    if not lines:
        raise KeyError(country)
    days = {year + day for _, year, *days in map(str.split, lines) for day in days}
    return lambda day: f"{day:%Y%m%d}" in days
