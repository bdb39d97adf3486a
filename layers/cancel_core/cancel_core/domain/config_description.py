"""Describes the changes between two config documents for a person."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cancel_core.domain.policy import SETTINGS

MAX_TEXT = 4000


def describe(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str:
    """The changes from one document to the other, for a person."""
    old, new = before or {}, after or {}
    names = [*(name for name in SETTINGS if name in old.keys() | new.keys())]
    names += sorted((old.keys() | new.keys()) - set(SETTINGS))
    parts = [part for name in names if (part := _difference(name, name, old, new))]
    head = "created: " if before is None else "removed: " if after is None else ""
    text = head + ("; ".join(parts) or "nothing in it")
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}..."


def _difference(label: str, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """`label`: the name of the setting, with the names of the maps that contain it."""
    match name in old, name in new:
        case False, True:
            return f"{label} set to {_show(new[name])}"
        case True, False:
            return f"{label} taken away, was {_show(old[name])}"
    if _same(old[name], new[name]):
        return ""
    if isinstance(old[name], dict) and isinstance(new[name], dict):
        keys = [*old[name], *(key for key in new[name] if key not in old[name])]
        return "; ".join(part for key in keys if (part := _difference(f"{label}.{key}", key, old[name], new[name])))
    was, now = _by_code(old[name]), _by_code(new[name])
    if label == "reasons" and was and now and (parts := _reasons_changed(was, now)):
        return f"reasons: {', '.join(parts)}"
    return f"{label}: {_show(old[name])} → {_show(new[name])}"


def _same(old: object, new: object) -> bool:
    """Python's comparison, except for values that are equal only in Python, not in DynamoDB: 1 and True."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(_same(old[name], new[name]) for name in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_same, old, new))
    return type(old) is type(new) and old == new


Words = dict[str, str]
"""The texts of a reason: the description under "", a translation in `descriptions` under its language."""


def _by_code(reasons: object) -> dict[str, Words]:
    """Reasons by code; empty if these are not valid reasons with unique codes."""
    try:
        read = {str(reason["code"]): _words(reason) for reason in reasons}  # type: ignore[attr-defined]  # whatever it is: what is no list is caught
    except (TypeError, KeyError, AttributeError):
        return {}
    return read if isinstance(reasons, list) and len(read) == len(reasons) else {}


def _words(reason: Mapping[str, Any]) -> Words:
    more = reason.get("descriptions", {})
    return {"": str(reason["description"])} | {str(language): str(text) for language, text in more.items()}


def _reasons_changed(was: Mapping[str, Words], now: Mapping[str, Words]) -> list[str]:
    parts = [f"added '{code}' ({_all(now[code])})" for code in now if code not in was]
    parts += [f"removed '{code}'" for code in was if code not in now]
    parts += [part for code in now if code in was for part in _reworded(code, was[code], now[code])]
    if [code for code in was if code in now] != [code for code in now if code in was]:
        parts.append(f"order now {', '.join(now)}")
    return parts


def _reworded(code: str, was: Words, now: Words) -> list[str]:
    parts = []
    for language in [*was, *(language for language in now if language not in was)]:
        which = f" in {language}" if language else ""
        match was.get(language), now.get(language):
            case before, None:
                parts.append(f"'{code}' taken away{which}, was \"{before}\"")
            case None, after:
                parts.append(f"'{code}' worded{which} \"{after}\"")
            case before, after if before != after:
                parts.append(f'\'{code}\' reworded{which} from "{before}" to "{after}"')
    return parts


def _all(words: Words) -> str:
    return ", ".join(f"{language} {text}" if language else text for language, text in words.items())


def _show(value: object) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if reasons := _by_code(value):
        return ", ".join(f"'{code}' ({_all(words)})" for code, words in reasons.items())
    if isinstance(value, list) and value and all(isinstance(entry, str) for entry in value):
        return ", ".join(value)
    if isinstance(value, dict) and value:
        return ", ".join(f"{name} {_show(entry)}" for name, entry in value.items())
    if isinstance(value, Decimal):
        return str(value)
    return value if isinstance(value, str) and value.strip() else repr(value)
