"""The settings of a store's own rules: its reasons, the window after placing an order, excluded orders, and the daily
limit.

Source: the contract, part 3.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from cancel_core.domain.mail_settings import LANGUAGE
from cancel_core.domain.setting_values import (
    SettingFault,
    has_blanks_around,
    is_blank,
    list_of_texts,
    map_of,
    shown,
    whole_number,
)

LONGEST_WINDOW_MINUTES = 525_600
"""A year."""
MOST_CANCELS_PER_DAY = 1000
LARGEST_SUM = 10**15
REASON_CODE_LENGTH = 64
_LISTS = {
    "skus": "article numbers",
    "item_types": "types of items",
    "payment_providers": "payment providers",
    "customer_groups": "customer groups",
}
_CURRENCY = re.compile(r"[A-Z]{3}")


class Exclusions(NamedTuple):
    """The orders that a store excludes from cancelling. `total_above`: minor units by currency."""

    skus: tuple[str, ...] = ()
    item_types: tuple[str, ...] = ()
    payment_providers: tuple[str, ...] = ()
    customer_groups: tuple[str, ...] = ()
    total_above: Mapping[str, int] = MappingProxyType({})


NO_EXCLUSIONS = Exclusions()
Approval = Literal["never", "always", "after_window"]
"""When a cancel becomes a request that the shop decides."""
_NONE: Mapping[str, str] = MappingProxyType({})


class PolicyReason(NamedTuple):
    """A reason that customers may choose. `descriptions`: translations, by tags as `_tag` makes them."""

    code: str
    description: str
    descriptions: Mapping[str, str] = _NONE

    def told(self, wanted: Iterable[str], own: str) -> str:
        """The reason in the first of the `wanted` languages that it has, else `description`.

        `wanted`: BCP 47 tags, and `*` for any. `own`: the language of `description`, a tag. For a tag that is not among
        the `descriptions`, subtags are removed from its end one by one. Source: RFC 4647, 3.4.
        """
        for language in wanted:
            tag = _tag(language)
            while tag:
                if tag in self.descriptions:
                    return self.descriptions[tag]
                tag = tag.rpartition("-")[0]
            if language == "*" or _primary(language) == _primary(own):
                break
        return self.description


def _tag(language: str) -> str:
    """The form in which tags are compared: lower case, with hyphens."""
    return language.strip().lower().replace("_", "-")


def _primary(language: str) -> str:
    return _tag(language).partition("-")[0]


def read_reasons(value: object) -> tuple[PolicyReason, ...]:
    """The attribute `reasons` of a config document, in plain values. Raises `SettingFault`."""
    if not isinstance(value, list):
        raise SettingFault("reasons is not a List", "make it a List of Maps with code and description")
    reasons: list[PolicyReason] = []
    for number, entry in enumerate(value, start=1):
        if not isinstance(entry, dict):
            raise SettingFault(f"reason {number} is not a Map", "make it a Map with code and description")
        if unknown := sorted(entry.keys() - set(PolicyReason._fields)):
            raise SettingFault(
                f"reason {number} has '{shown(unknown[0])}'",
                "remove it; a reason has code, description and descriptions alone",
            )
        for name in ("code", "description"):
            text = entry.get(name)
            if not isinstance(text, str) or is_blank(text):
                raise SettingFault(f"reason {number} has no {name}", "give it one")
        code = entry["code"]
        if has_blanks_around(code):
            raise SettingFault(f"reason {number} has blanks or invisible characters around its code", "take them away")
        if len(code) > REASON_CODE_LENGTH:
            raise SettingFault(
                f"reason {number} has a code of more than {REASON_CODE_LENGTH} characters", "make it shorter"
            )
        if code in {reason.code for reason in reasons}:
            raise SettingFault(f"reason {number} has the code '{shown(code)}' once more", "give it a code of its own")
        more = _descriptions(number, entry["descriptions"]) if "descriptions" in entry else _NONE
        reasons.append(PolicyReason(code, entry["description"], more))
    return tuple(reasons)


def _descriptions(number: int, value: Any) -> dict[str, str]:
    """The `descriptions` of the reason with this number, by tags as `_tag` makes them."""
    if not isinstance(value, dict):
        raise SettingFault(
            f"descriptions of reason {number} is not a Map", "make it a Map from a language to a String, as sv to Annat"
        )
    read: dict[str, str] = {}
    for language, text in value.items():
        if not re.fullmatch(LANGUAGE, language):
            raise SettingFault(
                f"descriptions of reason {number} has '{shown(language)}', which is no language",
                "use a tag of BCP 47, as sv or de-AT",
            )
        if not isinstance(text, str) or is_blank(text):
            raise SettingFault(f"reason {number} has no description in '{language}'", "give it one, or remove it")
        if (tag := _tag(language)) in read:
            raise SettingFault(f"descriptions of reason {number} has '{language}' once more", "remove one of them")
        read[tag] = text
    return read


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


def read_daily_limit(value: object) -> int:
    """The attribute `max_cancels_per_day`. Raises `SettingFault`."""
    return whole_number("max_cancels_per_day", value, 1, MOST_CANCELS_PER_DAY)


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
