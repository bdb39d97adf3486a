"""The public holidays of every country, of the package `holidays`, as the list that the product carries.

The package itself is a megabyte zipped and takes a tenth of a second to import; the product needs only this list. Run
`make holidays` after the package has a new version. A line has a country, a year, and the national public holidays that
do not fall on a Saturday or a Sunday, which are no working days in any case:
`SE 2026 0101 0106 0403 0406 0501 0514 1225`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import holidays

YEARS = range(2020, 2046)
SATURDAY = 5
LIST = Path(__file__).parent.parent / "layers" / "cancel_core" / "cancel_core" / "adapters" / "public_holidays.txt"


def lines() -> Iterator[str]:
    """The list, sorted by country and year."""
    for country in sorted(holidays.list_supported_countries(include_aliases=False)):
        with warnings.catch_warnings():
            # Of a few countries fewer years are known.
            warnings.simplefilter("ignore")
            found = holidays.country_holidays(country, years=YEARS)
        for year in YEARS:
            days = sorted(day for day in found if day.year == year and day.weekday() < SATURDAY)
            yield " ".join([country, str(year), *(f"{day:%m%d}" for day in days)])


if __name__ == "__main__":
    LIST.write_text("".join(f"{line}\n" for line in lines()))
