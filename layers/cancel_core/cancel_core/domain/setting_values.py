"""Reading and displaying the values that admins enter in the config."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

_WORDS = {"yes": True, "true": True, "no": False, "false": False}
_NAME_LENGTH = 60
# Letters and marks that are invisible.
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")


class SettingFault(ValueError):
    """(what is wrong, how to correct it). Never an address, because it is logged."""


def yes_or_no(name: str, value: object) -> bool:
    """A Boolean, or the word Yes, No, true or false. `name`: the setting's, for the error. Raises `SettingFault`."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and (word := value.strip().lower()) in _WORDS:
        return _WORDS[word]
    raise SettingFault(f"{name} is neither Yes nor No", "set it to a Boolean, or to the word Yes or No")


def whole_number(name: str, value: object, least: int, most: int) -> int:
    """A whole number within these bounds. Raises `SettingFault`."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and least <= value <= most:
        number = int(value)
        if number == value:
            return number
    raise SettingFault(f"{name} is no whole number from {least} to {most}", f"set it to a Number, {least} or more")


def map_of(name: str, value: object, keys: Iterable[str]) -> dict[str, Any]:
    """A Map without other keys than these. Raises `SettingFault`."""
    if not isinstance(value, dict):
        raise SettingFault(f"{name} is not a Map", f"make it a Map; it may have {', '.join(keys)}")
    if unknown := sorted(map(str, value.keys() - set(keys))):
        key = "".join(letter if letter.isalnum() or letter in "_-" else "?" for letter in unknown[0])[:_NAME_LENGTH]
        raise SettingFault(f"{name} has '{key}'", f"remove it; {name} may have {', '.join(keys)}")
    return value


def list_of_texts(name: str, value: object, what: str) -> tuple[str, ...]:
    """A List of visible Strings, trimmed and unique. `what` they are, for the error. Raises `SettingFault`."""
    if not isinstance(value, list) or not all(isinstance(text, str) and not is_blank(text) for text in value):
        raise SettingFault(f"{name} is not a List of Strings", f"make it a List of {what}, each a String")
    if around := [text for text in value if has_blanks_around(text)]:
        raise SettingFault(f"{name} has blanks or invisible characters around '{shown(around[0])}'", "take them away")
    return tuple(dict.fromkeys(value))


def shown(text: str) -> str:
    """An admin's input, safe for a log line and a mail: short, printable, without quotation marks and without anything
    that a mail program would turn into a link.
    """
    clean = "".join(letter if letter.isprintable() and letter not in '"\\/@<>' else "?" for letter in text)
    cut = clean if len(clean) <= _NAME_LENGTH else f"{clean[:_NAME_LENGTH]}..."
    return cut[:_NAME_LENGTH].replace(".", "[.]") + cut[_NAME_LENGTH:]


def _is_seen(letter: str, nothing: str) -> bool:
    return letter not in _FILLERS and unicodedata.category(letter)[0] not in nothing


def is_blank(text: str) -> bool:
    """Whether nothing of it is visible: spaces, control characters, joiners, combining marks alone."""
    return not any(_is_seen(letter, "CZM") for letter in text)


def has_blanks_around(text: str) -> bool:
    return bool(text) and not (_is_seen(text[0], "CZ") and _is_seen(text[-1], "CZ"))
