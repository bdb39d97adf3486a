"""What a store allows: the config documents, read and judged.

A config that is wrong in any way means "disabled", never something else; the problems say what to mend.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

DEFAULT_SCOPE = "default"
DEFAULT_STORE = "default"
DEFAULT_CANCELLABLE_STATUSES = ("pending", "processing")
NEVER_CANCELLABLE_STATUSES = frozenset({"hold", "holded", "canceled", "complete", "closed"})
REASON_CODE_LENGTH = 64
_WORDS = {"yes": True, "true": True, "no": False, "false": False}


class PolicyReason(NamedTuple):
    """A reason that customers may choose, in the words they are shown."""

    code: str
    description: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in the config, for the admin: where, what, and how to mend it."""

    scope: str
    attribute: str
    fault: str
    remedy: str

    def __str__(self) -> str:
        return f"scope {self.scope}: {self.attribute} {self.fault}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class Policy:
    """What is in force for one store. `problems` is empty unless the config is wrong, and then `enabled` is False."""

    enabled: bool
    reasons: tuple[PolicyReason, ...] = ()
    cancellable_statuses: tuple[str, ...] = DEFAULT_CANCELLABLE_STATUSES
    problems: tuple[Problem, ...] = ()

    def reason(self, code: str) -> PolicyReason | None:
        return next((reason for reason in self.reasons if reason.code == code), None)


def store_scope(store_id: str) -> str:
    return f"store:{store_id}"


def read_policy(store_id: str, default: Mapping[str, Any] | None, store: Mapping[str, Any] | None) -> Policy:
    """The policy of a store from its two config documents; the store's attributes stand in place of the default's.

    Each document is plain values: `scope` str, `enabled` bool or a word, `reasons` list of {code, description},
    `cancellable_statuses` list of str. None is an absent document. Never raises.
    """
    problems: list[Problem] = []
    settings: dict[str, Any] = {}
    for scope, document in ((DEFAULT_SCOPE, default), (store_scope(store_id), store)):
        if document is None:
            continue
        own = _read_scope(scope, document, problems)
        settings |= own
        if settings.get("enabled") and not settings.get("reasons") and "reasons" not in {p.attribute for p in problems}:
            problems.append(
                Problem(
                    scope, "reasons", "is empty while enabled is Yes", "add at least one reason, or set enabled to No"
                )
            )
    return Policy(
        enabled=bool(settings.get("enabled")) and not problems,
        reasons=settings.get("reasons", ()),
        cancellable_statuses=settings.get("cancellable_statuses", DEFAULT_CANCELLABLE_STATUSES),
        problems=tuple(problems),
    )


def _read_scope(scope: str, document: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """The attributes of one document that are right; what is wrong with the others is added to `problems`."""
    readers = {"enabled": _read_enabled, "reasons": _read_reasons, "cancellable_statuses": _read_statuses}
    settings = {}
    for attribute, value in document.items():
        if attribute == "scope":
            continue
        if attribute not in readers:
            problems.append(
                Problem(scope, attribute, "is not a setting", f"remove it; the settings are {', '.join(readers)}")
            )
            continue
        try:
            settings[attribute] = readers[attribute](value)
        except _Fault as fault:
            problems.append(Problem(scope, attribute, *fault.args))
    return settings


class _Fault(ValueError):
    """(what is wrong, how to mend it)"""


def _read_enabled(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and (word := value.strip().lower()) in _WORDS:
        return _WORDS[word]
    raise _Fault("is neither Yes nor No", "set it to a Boolean, or to the word Yes or No")


def _read_reasons(value: object) -> tuple[PolicyReason, ...]:
    if not isinstance(value, list):
        raise _Fault("is not a List", "make it a List of Maps with code and description")
    reasons: list[PolicyReason] = []
    for number, entry in enumerate(value, start=1):
        if not isinstance(entry, dict):
            raise _Fault(f"has entry {number} that is not a Map", "make it a Map with code and description")
        if unknown := sorted(entry.keys() - {"code", "description"}):
            raise _Fault(f"has {unknown[0]!r} in reason {number}", "remove it; a reason has code and description alone")
        for name in ("code", "description"):
            text = entry.get(name)
            if not isinstance(text, str) or not text.strip():
                raise _Fault(f"has no {name} in reason {number}", f"give reason {number} a {name}")
        code = entry["code"]
        if len(code) > REASON_CODE_LENGTH:
            raise _Fault(
                f"has a code of more than {REASON_CODE_LENGTH} characters in reason {number}", "make it shorter"
            )
        if code in {reason.code for reason in reasons}:
            raise _Fault(f"has the code {code!r} twice (reason {number})", "give each reason a code of its own")
        reasons.append(PolicyReason(code, entry["description"]))
    return tuple(reasons)


def _read_statuses(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(status, str) and status.strip() for status in value):
        raise _Fault("is not a List of Strings", "make it a List of statuses, each a String")
    if forbidden := [status for status in value if status.strip().lower() in NEVER_CANCELLABLE_STATUSES]:
        raise _Fault(f"names {forbidden[0]!r}", "remove it; such an order can never be cancelled")
    return tuple(value)
