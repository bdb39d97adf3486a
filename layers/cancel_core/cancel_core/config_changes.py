"""An admin's edits, one by one: what was right last is kept, each change is recorded, and what is wrong is told."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from cancel_core.attributes import plain
from cancel_core.bus import Bus
from cancel_core.clock import iso
from cancel_core.configs import Configs, StoredScope, settings_of
from cancel_core.events import CONFIG_SOURCE, SCHEMA_VERSION, Event
from cancel_core.policy import (
    DEFAULT_SCOPE,
    SETTINGS,
    Good,
    Problem,
    Settings,
    in_force,
    is_store,
    judge,
    lacks_reasons,
    last_reasons,
    no_reasons,
)
from cancel_core.tables import Raw, last_good
from cancel_core.telemetry import count, logger, problem_fields

KEPT_FOR = timedelta(days=366)
NAMED = 5
"""So many problems, or stores, are named one by one."""
MAX_TEXT = 4000
MAX_IMAGES = 300_000
"""Characters of both images of a change; what is larger would not fit into a row of the history."""


class ConfigChange(NamedTuple):
    """One stream record: where it stands, when it was, and the settings before and after, as attribute values."""

    sequence_number: str
    version: str
    scope: str
    at: datetime
    before: Raw | None
    after: Raw | None


def read_config_changes(records: Iterable[Mapping[str, Any]]) -> list[ConfigChange]:
    """The edits in the records of a DynamoDB stream event with new and old images.

    What the product itself wrote, which changes no setting, is none.
    """
    changes = []
    for record in records:
        body = record["dynamodb"]
        before, after = (
            settings_of(_bytes(body[image])) if image in body else None for image in ("OldImage", "NewImage")
        )
        if before == after:
            continue
        # The stream's label, a time, comes first: a table that was restored has a new stream, and begins to count anew.
        label = record["eventSourceARN"].rsplit("/stream/", 1)[-1]
        changes.append(
            ConfigChange(
                sequence_number=body["SequenceNumber"],
                version=f"{label}#{body['SequenceNumber'].zfill(40)}",
                scope=body["Keys"]["scope"]["S"],
                at=datetime.fromtimestamp(float(body["ApproximateCreationDateTime"]), UTC),
                before=before,
                after=after,
            )
        )
    return changes


def _bytes(image: Mapping[str, Any]) -> Raw:
    """An image with its binaries, which an event has as base64, as bytes again."""
    return {name: _value(value) for name, value in image.items()}


def _value(value: Mapping[str, Any]) -> Raw:
    ((kind, content),) = value.items()
    match kind:
        case "M":
            content = _bytes(content)
        case "L":
            content = [_value(entry) for entry in content]
        case "B":
            content = base64.b64decode(content)
        case "BS":
            content = [base64.b64decode(entry) for entry in content]
    return {kind: content}


def take_in(configs: Configs, bus: Bus, stream: Sequence[ConfigChange]) -> list[str]:
    """Looks at each edit. Answers the sequence numbers of those to be given again; each step is safe to do twice."""
    failed = []
    for change in stream:
        try:
            _take_in(configs, bus, change)
        except Exception:  # noqa: BLE001 - whatever it is, the other edits are still to be looked at
            logger.exception("an edit of the config is to be looked at again", extra={"scope": change.scope})
            count("InternalError")
            failed.append(change.sequence_number)
    return failed


def _take_in(configs: Configs, bus: Bus, change: ConfigChange) -> None:
    read = configs.read([DEFAULT_SCOPE, change.scope])
    default, own = read[0], read[-1]
    row = _keep(configs, change, own, _in_force(default, default.good))
    good_default = last_good(row) if own is default else default.good
    shared = _in_force(default, good_default)
    left = _look_at_stores(configs, default, good_default, shared, change) if own is default else []
    told = _assess(change, row, good_default, shared, left)
    configs.record(_history(change, told.text))
    if change.after is not None:
        configs.tell(change.scope, change.after, told.text)
    if told.problems:
        _warn(bus, change, told)
    else:
        logger.info("an edit of the config is in force", extra={"scope": change.scope, "version": change.version})


def _document(settings: Raw | None) -> dict[str, Any] | None:
    return None if settings is None else plain(settings)


def _in_force(default: StoredScope, good: Good) -> Settings:
    return in_force(DEFAULT_SCOPE, _document(default.settings), good.document) or {}


def _problems(scope: str, document: Mapping[str, Any] | None, shared: Settings) -> tuple[Problem, ...]:
    """What is wrong with a document, by itself and together with what `default` has in force."""
    if document is None:
        return ()
    settings, problems = judge(scope, document)
    if not problems and is_store(scope) and lacks_reasons(shared | settings):
        return (no_reasons(scope),)
    return problems


def _keep(configs: Configs, change: ConfigChange, own: StoredScope, shared: Settings) -> Raw:
    """Keeps what is to stay in force from this edit on, should the next ones be wrong. The scope's row after that."""

    def right(settings: Raw | None) -> bool:
        if settings is None:
            return False
        return is_kept(own.row, settings) or not _problems(change.scope, _document(settings), shared)

    reasons = None
    if change.scope == DEFAULT_SCOPE:
        # For the stores that take their reasons from here, should it have none any more.
        having = [image for image in (change.after, change.before) if right(image) and image and _has_reasons(image)]
        reasons = having[0]["reasons"] if having else None
    if right(change.after):
        return configs.keep(change.scope, change.version, change.after, iso(change.at), reasons)
    if change.after is None or change.before is None:
        # Whatever was right before had been deleted.
        return configs.keep(change.scope, change.version, None, "", reasons)
    if right(change.before):
        since = own.good.since if is_kept(own.row, change.before) else ""
        return configs.keep(change.scope, change.version, change.before, since, reasons)
    return own.row or {}


def is_kept(row: Mapping[str, Any] | None, settings: Raw | None) -> bool:
    """Whether these settings are the last that were right. As attribute values: as plain ones, 1 would equal True."""
    return settings is not None and bool(row) and (row or {}).get("settings") == {"M": settings}


def _has_reasons(settings: Raw) -> bool:
    return bool(settings.get("reasons", {}).get("L"))


# --- what is said -----------------------------------------------------------------------------------------------------


class Told(NamedTuple):
    """What the admin is told of an edit. `since`: from when on what is in force is so, where that is known."""

    text: str
    problems: tuple[Problem, ...] = ()
    since: str | None = None


def _assess(change: ConfigChange, row: Raw, good_default: Good, shared: Settings, left: list[str]) -> Told:
    own = assess(change.scope, change.after, row, good_default, shared)
    if not left:
        return own
    names = _some(left)
    problem = Problem(
        DEFAULT_SCOPE,
        "reasons",
        f"reasons is empty while enabled is Yes in {names}, with no reasons there",
        f"add at least one reason here or in {names}, or set enabled to No there",
    )
    text = f"In force since {iso(change.at)}, but not for {names}, where the reasons stay that stood here before"
    if own.problems or change.after is None:
        text = f"{own.text} In {names} the reasons stay that stood here before"
    return Told(f"{text}: {problem}.", (*own.problems, problem), own.since or iso(change.at))


def assess(
    scope: str, settings: Raw | None, row: Mapping[str, Any] | None, good_default: Good, shared: Settings
) -> Told:
    """What is to be said of a scope whose last good row is `row`. `shared`: what `default` has in force."""
    document = _document(settings)
    if document is None:
        return Told("Removed.")
    kept = is_kept(row, settings)
    good = last_good(row or {})
    problems = _problems(scope, document, shared)
    if not problems:
        known = good.since if kept else ""
        return Told(f"In force since {known}." if known else "In force.", since=known or None)
    faults = _faults(problems)
    since = good.since or None
    if judge(scope, document).settings.get("enabled") is False:
        return Told(f"Off is in force; the rest is NOT: {faults}.", problems, since)
    if kept and "reasons" not in document and last_reasons(good_default):
        return Told(f"In force with the reasons that default had before: {faults}.", problems, since)
    if scope != DEFAULT_SCOPE and not is_store(scope):
        return Told(f"NOT IN FORCE: {faults}. No store uses this item.", problems)
    if kept or good.document is None:
        none = "Cancelling is off: there is no earlier version that is right."
        return Told(f"NOT IN FORCE: {faults}. {none}", problems)
    which = f"of {good.since}" if good.since else "before"
    return Told(f"NOT IN FORCE: {faults}. The version {which} stays in force.", problems, since)


def _faults(problems: Sequence[Problem]) -> str:
    more = len(problems) - NAMED
    return " / ".join(str(problem) for problem in problems[:NAMED]) + (f" / and {more} more" if more > 0 else "")


def _some(names: Sequence[str]) -> str:
    return " and ".join([*names[:NAMED], *([f"{len(names) - NAMED} more"] if len(names) > NAMED else [])])


def _look_at_stores(
    configs: Configs, default: StoredScope, good_default: Good, shared: Settings, change: ConfigChange
) -> list[str]:
    """What an edit of `default` means for the stores: their items say so. Answers those it leaves without a reason."""
    if default.settings != change.after:
        # There is a newer edit, and with it this will be done.
        return []
    # What was wrong before was not in force, and made no store right.
    shared_before = in_force(DEFAULT_SCOPE, _document(change.before), None) or {}
    left = []
    for store in configs.stores():
        document, row = _document(store.settings), store.row
        right = [not _problems(store.scope, document, settings) for settings in (shared, shared_before)]
        if any(right) and not is_kept(row, store.settings):
            row = configs.adopt(store, iso(change.at))
        told = assess(store.scope, store.settings, row, good_default, shared)
        if (store.item or {}).get("validation") != {"S": told.text}:
            configs.tell(store.scope, store.settings or {}, told.text)
        if told.problems and is_kept(row, store.settings) and "reasons" not in (document or {}):
            left.append(store.scope)
    return left


def _warn(bus: Bus, change: ConfigChange, told: Told) -> None:
    problems = [problem_fields(problem) for problem in told.problems[:NAMED]]
    logger.error("an edit of the config is wrong: %s", told.text, extra={"scope": change.scope, "problems": problems})
    count("ConfigInvalid")
    detail = {
        "schema_version": SCHEMA_VERSION,
        "scope": change.scope,
        "problems": [{name: problem[name] for name in ("attribute", "fault", "remedy")} for problem in problems],
        "message": told.text,
        "in_force_since": told.since,
        "occurred_at": iso(change.at),
    }
    bus.publish([Event("ConfigInvalid", detail, CONFIG_SOURCE)])


# --- the history ------------------------------------------------------------------------------------------------------


def _history(change: ConfigChange, text: str) -> Raw:
    row: Raw = {
        "scope": {"S": change.scope},
        "version": {"S": change.version},
        "at": {"S": iso(change.at)},
        "change": {"S": describe(_document(change.before), _document(change.after))},
        "validation": {"S": text},
        "expires_at": {"N": str(int((change.at + KEPT_FOR).timestamp()))},
    }
    images = {name: {"M": image} for name, image in (("before", change.before), ("after", change.after)) if image}
    if len(repr(images)) > MAX_IMAGES:
        return row
    return row | images


def describe(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str:
    """What changed from one document to the other, for a person."""
    old, new = before or {}, after or {}
    names = [*(name for name in SETTINGS if name in old.keys() | new.keys())]
    names += sorted((old.keys() | new.keys()) - set(SETTINGS))
    parts = [part for name in names if (part := _difference(name, old, new))]
    head = "created: " if before is None else "removed: " if after is None else ""
    text = head + ("; ".join(parts) or "nothing in it")
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}..."


def _difference(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    match name in old, name in new:
        case False, True:
            return f"{name} set to {_show(new[name])}"
        case True, False:
            return f"{name} taken away, was {_show(old[name])}"
    if _same(old[name], new[name]):
        return ""
    was, now = _by_code(old[name]), _by_code(new[name])
    if name == "reasons" and was and now and (parts := _reasons_changed(was, now)):
        return f"reasons: {', '.join(parts)}"
    return f"{name}: {_show(old[name])} → {_show(new[name])}"


def _same(old: object, new: object) -> bool:
    """As Python compares, but for what it takes for equal and DynamoDB does not: 1 and True."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(_same(old[name], new[name]) for name in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_same, old, new))
    return type(old) is type(new) and old == new


def _by_code(reasons: object) -> dict[str, str]:
    """Descriptions by code; empty where these are not reasons, each with a code of its own."""
    try:
        read = {str(reason["code"]): str(reason["description"]) for reason in reasons}  # type: ignore[attr-defined]  # whatever it is: what is no list is caught
    except (TypeError, KeyError, AttributeError):
        return {}
    return read if isinstance(reasons, list) and len(read) == len(reasons) else {}


def _reasons_changed(was: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    parts = [f"added '{code}' ({now[code]})" for code in now if code not in was]
    parts += [f"removed '{code}'" for code in was if code not in now]
    parts += [
        f'\'{code}\' reworded from "{was[code]}" to "{now[code]}"'
        for code in now
        if code in was and was[code] != now[code]
    ]
    if [code for code in was if code in now] != [code for code in now if code in was]:
        parts.append(f"order now {', '.join(now)}")
    return parts


def _show(value: object) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if reasons := _by_code(value):
        return ", ".join(f"'{code}' ({description})" for code, description in reasons.items())
    if isinstance(value, list) and value and all(isinstance(entry, str) for entry in value):
        return ", ".join(value)
    if isinstance(value, Decimal):
        return str(value)
    return value if isinstance(value, str) and value.strip() else repr(value)
