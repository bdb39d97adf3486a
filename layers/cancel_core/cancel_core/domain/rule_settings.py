"""The settings of a store's own rules: for how long after an order it may be cancelled, and which may not be at all.

Source: the contract, part 3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from cancel_core.domain.setting_values import SettingFault, list_of_texts, map_of, shown, whole_number

LONGEST_WINDOW_MINUTES = 525_600
"""A year."""
LARGEST_SUM = 10**15
_LISTS = {
    "skus": "article numbers",
    "item_types": "types of items",
    "payment_providers": "payment providers",
    "customer_groups": "customer groups",
}
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Which orders a store does not let be cancelled. `total_above`: minor units by currency."""

    skus: tuple[str, ...] = ()
    item_types: tuple[str, ...] = ()
    payment_providers: tuple[str, ...] = ()
    customer_groups: tuple[str, ...] = ()
    total_above: Mapping[str, int] = field(default_factory=dict)


NO_EXCLUSIONS = Exclusions()
Approval = Literal["never", "always", "after_window"]
"""When a cancel is a request that the shop decides."""


def read_window(value: object) -> timedelta:
    """The attribute `cancel_within_minutes` of a config document. Raises `SettingFault`."""
    return timedelta(minutes=whole_number("cancel_within_minutes", value, 1, LONGEST_WINDOW_MINUTES))


def read_excluded(value: object) -> Exclusions:
    """The attribute `excluded`, in plain values. Raises `SettingFault`."""
    document = map_of("excluded", value, (*_LISTS, "total_above"))
    lists = {
        name: list_of_texts(f"excluded.{name}", document[name], what)
        for name, what in _LISTS.items()
        if name in document
    }
    return Exclusions(**lists, total_above=_sums(document.get("total_above", {})))


def read_comments(value: object) -> tuple[str, ...]:
    """The attribute `comment_required_for`: codes of reasons. Raises `SettingFault`."""
    return list_of_texts("comment_required_for", value, "codes of reasons")


def read_approval(value: object) -> Approval:
    """The attribute `approval` of a config document. Raises `SettingFault`."""
    match value:
        case "never" | "always" | "after_window":
            return value
    raise SettingFault("approval is none of never, always, after_window", "set it to one of these words, or remove it")


def _sums(value: object) -> dict[str, int]:
    name = "excluded.total_above"
    if not isinstance(value, dict):
        raise SettingFault(f"{name} is not a Map", "make it a Map from a currency to a Number, as EUR to 50000")
    for currency in value:
        if not _CURRENCY.fullmatch(str(currency)):
            raise SettingFault(
                f"{name} has '{shown(str(currency))}', which is no currency", "use a code of ISO 4217, as EUR"
            )
    return {currency: whole_number(f"{name}.{currency}", sum_, 0, LARGEST_SUM) for currency, sum_ in value.items()}
