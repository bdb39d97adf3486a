"""Processes an admin's edits: keeps the last valid version, records each change, and reports errors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from cancel_core.domain.config_assessment import NAMED, Told, assess, problems_of, with_stores_left
from cancel_core.domain.config_description import describe
from cancel_core.domain.events import CONFIG_SOURCE, SCHEMA_VERSION, Event
from cancel_core.domain.mail_settings import mail_note
from cancel_core.domain.policy import DEFAULT_SCOPE, Good, Settings, in_force, is_store, judge
from cancel_core.domain.setting_values import shown
from cancel_core.domain.times import iso
from cancel_core.domain.withdrawal_settings import receipt_note
from cancel_core.telemetry import count, logger, problem_fields

if TYPE_CHECKING:
    from cancel_core.adapters.dynamodb.config_history import Configs, GoodRow, StoredScope, StoredSettings
    from cancel_core.adapters.eventbridge import Bus


class ConfigChange(NamedTuple):
    """One stream record: its position, its time, and the settings before and after."""

    sequence_number: str
    version: str
    scope: str
    at: datetime
    before: StoredSettings | None
    after: StoredSettings | None


def take_in(configs: Configs, bus: Bus, stream: Sequence[ConfigChange], *, mail_identity: str = "") -> list[str]:
    """Processes each edit. Returns the sequence numbers of the records to retry; each step is idempotent.

    `mail_identity`: the ARN of the SES identity that mails are sent from; empty if there is none.
    """
    failed = []
    for change in stream:
        try:
            _take_in(configs, bus, change, mail_identity)
        except Exception:  # noqa: BLE001 - whatever it is, the other edits are still to be looked at
            logger.exception("an edit of the config will be validated again", extra={"scope": change.scope})
            count("InternalError")
            failed.append(change.sequence_number)
    return failed


def _take_in(configs: Configs, bus: Bus, change: ConfigChange, identity: str) -> None:
    read = configs.read([DEFAULT_SCOPE, change.scope])
    default, own = read[0], read[-1]
    twin = configs.twin(change.scope) if is_store(change.scope) and own.row.good.document is None else None
    row = _keep(configs, change, own, _in_force(default, default.row.good), twin)
    good_default = row.good if own is default else default.row.good
    shared = _in_force(default, good_default)
    left = _look_at_stores(configs, default, good_default, shared, change, identity) if own is default else []
    own_word = _assess(change.scope, change.after, row, good_default, shared, identity, twin)
    told = with_stores_left(own_word, left, iso(change.at), removed=change.after is None)
    configs.record(
        change.scope,
        change.version,
        change.at,
        describe(_document(change.before), _document(change.after)),
        told.text,
        {"before": change.before, "after": change.after},
    )
    if change.after is not None:
        configs.tell(change.scope, change.after, told.text)
    if told.problems:
        _warn(bus, change, told)
    else:
        logger.info("an edit of the config is in force", extra={"scope": change.scope, "version": change.version})


def _document(settings: StoredSettings | None) -> dict[str, Any] | None:
    return None if settings is None else settings.document


def _in_force(default: StoredScope, good: Good) -> Settings:
    return in_force(DEFAULT_SCOPE, _document(default.settings), good.document) or {}


def _assess(
    scope: str,
    settings: StoredSettings | None,
    row: GoodRow,
    good_default: Good,
    shared: Settings,
    identity: str,
    twin: str | None = None,
) -> Told:
    document = _document(settings)
    told = assess(scope, document, row.good, good_default, shared, kept=row.holds(settings), twin=twin)
    if document is None or told.problems:
        return told
    # A valid document may still lack what sending mails needs: it is in force, and the admin is notified.
    in_force_now = shared | judge(scope, document).settings
    notes = [note for note in (mail_note(in_force_now, identity), receipt_note(in_force_now, identity)) if note]
    return told._replace(text=" ".join([told.text, *notes]))


def _keep(configs: Configs, change: ConfigChange, own: StoredScope, shared: Settings, twin: str | None) -> GoodRow:
    """Stores the version that stays in force if later edits are invalid. The scope's row after that."""

    def right(settings: StoredSettings | None) -> bool:
        if settings is None:
            return False
        return own.row.holds(settings) or not problems_of(change.scope, settings.document, shared, twin)

    reasons = None
    if change.scope == DEFAULT_SCOPE:
        # For the stores that use the default's reasons, in case a later edit removes them.
        having = [image for image in (change.after, change.before) if image and right(image) and image.has_reasons]
        reasons = having[0] if having else None
    if right(change.after):
        return configs.keep(change.scope, change.version, change.after, iso(change.at), reasons)
    if change.after is None or change.before is None:
        # The last valid version had been deleted.
        return configs.keep(change.scope, change.version, None, "", reasons)
    if right(change.before):
        since = own.row.good.since if own.row.holds(change.before) else ""
        return configs.keep(change.scope, change.version, change.before, since, reasons)
    return own.row


def _look_at_stores(
    configs: Configs, default: StoredScope, good_default: Good, shared: Settings, change: ConfigChange, identity: str
) -> list[str]:
    """Updates `validation` of the stores that an edit of `default` affects. Returns the stores that are left without a
    reason.
    """
    if default.settings != change.after:
        # A newer edit exists, and processing it does this.
        return []
    # An invalid default was not in force before, so it made no store valid.
    shared_before = in_force(DEFAULT_SCOPE, _document(change.before), None) or {}
    left = []
    stores = list(configs.stores())
    known = {store.scope.casefold(): store.scope for store in stores if store.row.good.document is not None}
    for store in stores:
        settings, row = store.settings, store.row
        assert settings is not None, "a store is found by its item"
        document = settings.document
        twin = known.get(store.scope.casefold()) if row.good.document is None else None
        right = [not problems_of(store.scope, document, shared_now, twin) for shared_now in (shared, shared_before)]
        if any(right) and not row.holds(settings):
            row = configs.adopt(store, iso(change.at))
        told = _assess(store.scope, settings, row, good_default, shared, identity, twin)
        if store.validation != told.text:
            configs.tell(store.scope, settings, told.text)
        lacking = {problem.attribute for problem in told.problems}
        if "reasons" in lacking and row.holds(settings) and "reasons" not in document:
            left.append(store.scope)
    return left


def _warn(bus: Bus, change: ConfigChange, told: Told) -> None:
    problems = [problem_fields(problem) for problem in told.problems[:NAMED]]
    logger.error("an edit of the config is wrong: %s", told.text, extra={"scope": change.scope, "problems": problems})
    count("ConfigInvalid")
    detail = {
        "schema_version": SCHEMA_VERSION,
        # The text is used in a mail.
        "scope": shown(change.scope),
        "problems": [{name: problem[name] for name in ("attribute", "fault", "remedy")} for problem in problems],
        "message": told.text,
        "in_force_since": told.since,
        "occurred_at": iso(change.at),
    }
    bus.publish([Event("ConfigInvalid", detail, CONFIG_SOURCE)])
