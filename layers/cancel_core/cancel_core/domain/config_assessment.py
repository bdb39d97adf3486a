"""The message to an admin about a config document: whether it is in force, its errors, and the fallback."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cancel_core.domain.policy import (
    DEFAULT_SCOPE,
    Good,
    Problem,
    Settings,
    is_store,
    judge,
    lacks_reasons,
    lacks_window,
    last_reasons,
    no_reasons,
    no_window,
    wrong_scope,
)
from cancel_core.domain.setting_values import shown

NAMED = 5
"""The most problems, or stores, that are listed individually."""


class Told(NamedTuple):
    """The message to the admin about an edit. `since`: when the version in force was saved, if that is known."""

    text: str
    problems: tuple[Problem, ...] = ()
    since: str | None = None


def problems_of(
    scope: str, document: Mapping[str, Any] | None, shared: Settings, twin: str | None = None
) -> tuple[Problem, ...]:
    """What is wrong with a document, by itself and in combination with the `default` in force.

    `twin`: the scope of a known store that differs from this one only in upper and lower case.
    """
    if document is None:
        return ()
    settings, problems = judge(scope, document)
    if twin:
        problems = (wrong_scope(scope, f"differs from {shown(twin)} in capitals alone"), *problems)
    if problems or not is_store(scope):
        return problems
    lacking = ((lacks_reasons, no_reasons), (lacks_window, no_window))
    return tuple(problem(scope) for lacks, problem in lacking if lacks(shared | settings))


def assess(
    scope: str,
    document: Mapping[str, Any] | None,
    good: Good,
    good_default: Good,
    shared: Settings,
    *,
    kept: bool,
    twin: str | None = None,
) -> Told:
    """The message about a scope. `good`: the last valid version, which is this very document if `kept`; `shared`: the
    `default` in force.
    """
    if document is None:
        return Told("Removed.")
    problems = problems_of(scope, document, shared, twin)
    if not problems:
        known = good.since if kept else ""
        return Told(f"In force since {known}." if known else "In force.", since=known or None)
    faults = _faults(problems)
    since = good.since or None
    if any(problem.attribute == "scope" for problem in problems):
        return Told(f"NOT IN FORCE: {faults}. No store uses this item.", problems)
    if judge(scope, document).settings.get("enabled") is False:
        return Told(f"Off is in force; the rest is NOT: {faults}.", problems, since)
    lacking = {problem.attribute for problem in problems}
    if kept and "reasons" in lacking and "reasons" not in document and last_reasons(good_default):
        also = ", and each cancel is a request" if "approval" in lacking else ""
        return Told(f"In force with the reasons that default had before{also}: {faults}.", problems, since)
    if kept and lacking == {"approval"}:
        return Told(f"In force, and each cancel is a request, as with approval always: {faults}.", problems, since)
    if kept or good.document is None:
        none = "Cancelling is off: there is no earlier version that is right."
        return Told(f"NOT IN FORCE: {faults}. {none}", problems)
    which = f"of {good.since}" if good.since else "before"
    return Told(f"NOT IN FORCE: {faults}. The version {which} stays in force.", problems, since)


def with_stores_left(own: Told, left: Sequence[str], at: str, *, removed: bool) -> Told:
    """The message about an edit of `default`, made `at` (ISO 8601), that leaves these stores without a reason."""
    if not left:
        return own
    names = _some(left)
    problem = Problem(
        DEFAULT_SCOPE,
        "reasons",
        f"reasons is empty while enabled is Yes in {names}, with no reasons there",
        f"add at least one reason here or in {names}, or set enabled to No there",
    )
    text = f"In force since {at}, but not for {names}, where the reasons stay that stood here before"
    if own.problems or removed:
        text = f"{own.text} In {names} the reasons stay that stood here before"
    return Told(f"{text}: {problem}.", (*own.problems, problem), own.since or at)


def _faults(problems: Sequence[Problem]) -> str:
    more = len(problems) - NAMED
    return " / ".join(str(problem) for problem in problems[:NAMED]) + (f" / and {more} more" if more > 0 else "")


def _some(names: Sequence[str]) -> str:
    return " and ".join([*map(shown, names[:NAMED]), *([f"{len(names) - NAMED} more"] if len(names) > NAMED else [])])
