"""The settings in force for a store, read from the config documents and validated.

An invalid document is not in force. The last valid version is in force instead, or nothing. The problems say what to
correct.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from cancel_core.domain.mail_settings import NO_MAIL, MailSettings, read_mail
from cancel_core.domain.rule_settings import (
    NO_EXCLUSIONS,
    Approval,
    Exclusions,
    PolicyReason,
    read_approval,
    read_comments,
    read_daily_limit,
    read_excluded,
    read_reasons,
    read_window,
)
from cancel_core.domain.setting_values import (
    SettingFault,
    has_blanks_around,
    is_blank,
    list_of_texts,
    shown,
    yes_or_no,
)
from cancel_core.domain.withdrawal_settings import NO_WITHDRAWAL, WithdrawalSettings, read_withdrawal

if TYPE_CHECKING:
    # Its module imports pydantic, which readers of the config alone do not need.
    from cancel_core.domain.cancellation import RefundBasis

DEFAULT_SCOPE = "default"
DEFAULT_STORE = "default"
DEFAULT_CANCELLABLE_STATUSES = ("pending", "processing")
NEVER_CANCELLABLE_STATUSES = frozenset({"hold", "holded", "canceled", "complete", "closed"})
_OTHER_WORDS = frozenset(
    {"onhold", "cancelled", "completed", "shipped", "delivered", "fulfilled", "refunded", "returned"}
)
"""The names of the excluded statuses in other systems. A list that contains one means an order that can't be cancelled.
"""
DEFAULT_REASONS = (
    {"code": "no_longer_needed", "description": "I no longer need it"},
    {"code": "ordered_by_mistake", "description": "I ordered it by mistake"},
    {"code": "not_in_time", "description": "It will not arrive in time"},
    {"code": "better_price", "description": "I found a better price"},
    {"code": "other", "description": "Other"},
)
"""The default of a new installation."""
SETTINGS = (
    *("enabled", "reasons", "cancellable_statuses", "refund_basis", "mail", "guest_access", "withdrawal"),
    *("cancel_within_minutes", "excluded", "comment_required_for", "approval", "max_cancels_per_day"),
)
NOT_SETTINGS = frozenset({"scope", "validation"})
"""The key, and the product's own attribute: only a change of another attribute is an edit."""
_STORE = "store:"


Settings = dict[str, Any]
"""A parsed document: `enabled` bool, `reasons` tuple of PolicyReason, `cancellable_statuses` tuple of str, `mail`
MailSettings, `guest_access` bool, `withdrawal` WithdrawalSettings, `cancel_within_minutes` timedelta, `excluded`
Exclusions, `comment_required_for` tuple of str, `approval` a word, `max_cancels_per_day` int.
"""


class Problem(NamedTuple):
    """One error in the config, for the admin: where, what, and how to correct it."""

    scope: str
    attribute: str
    fault: str
    remedy: str

    def __str__(self) -> str:
        return f"scope {shown(self.scope)}: {self.fault}; {self.remedy}"


def _no_holiday(_: date) -> bool:
    return False


class Policy(NamedTuple):
    """The settings in force for one store. `problems` are the errors that keep parts of the config out of force.

    `cancel_within`: counted from the placing of an order; None: as long as its status allows. `max_cancels_per_day`:
    per customer, or guest's address; None: without a limit, and not counted. `is_holiday`: the public holidays of the
    country in `withdrawal`. Set by the adapter that reads the policy.
    """

    enabled: bool
    reasons: tuple[PolicyReason, ...] = ()
    cancellable_statuses: tuple[str, ...] = DEFAULT_CANCELLABLE_STATUSES
    refund_basis: "RefundBasis" = "invoiced"
    mail: MailSettings = NO_MAIL
    withdrawal: WithdrawalSettings = NO_WITHDRAWAL
    is_holiday: Callable[[date], bool] = _no_holiday
    guest_access: bool = False
    cancel_within: timedelta | None = None
    excluded: Exclusions = NO_EXCLUSIONS
    comment_required_for: tuple[str, ...] = ()
    approval: Approval = "never"
    max_cancels_per_day: int | None = None
    problems: tuple[Problem, ...] = ()

    def reason(self, code: str) -> PolicyReason | None:
        return next((reason for reason in self.reasons if reason.code == code), None)

    def needs_comment(self, code: str) -> bool:
        """Whether this reason requires a comment."""
        return code in self.comment_required_for


class Good(NamedTuple):
    """What is stored for a scope: the last valid document, and the last reasons that `default` had.

    Plain values as in a document. `since` is when that document was saved (ISO 8601); empty if that is unknown.
    """

    document: Mapping[str, Any] | None = None
    reasons: object = None
    since: str = ""


NOTHING = Good()


class Judgement(NamedTuple):
    """A document by itself: the settings that could be parsed, and its errors."""

    settings: Settings
    problems: tuple[Problem, ...]


def store_scope(store_id: str) -> str:
    return f"{_STORE}{store_id}"


def is_store(scope: str) -> bool:
    return scope.startswith(_STORE)


def read_policy(
    store_id: str,
    default: Mapping[str, Any] | None,
    store: Mapping[str, Any] | None,
    good_default: Good = NOTHING,
    good_store: Good = NOTHING,
) -> Policy:
    """The policy of a store from its two config documents; the store's attributes replace the default's.

    Each document is plain values: `scope` str, `enabled` bool or a word, `reasons` list of {code, description,
    descriptions?}, `cancellable_statuses` list of str. None is an absent document. Never raises.
    """
    scope = store_scope(store_id)
    problems: list[Problem] = []
    for name, document in ((DEFAULT_SCOPE, default), (scope, store)):
        if document is not None:
            problems += judge(name, document).problems
    # A `default` that is invalid and never was valid counts as absent: a store that needs none is not affected.
    shared = in_force(DEFAULT_SCOPE, default, good_default.document) or {}
    own = in_force(scope, store, good_store.document)
    if own is None:
        return Policy(enabled=False, problems=tuple(problems))
    settings = shared | own
    before = None
    if lacks_reasons(settings) or lacks_window(settings):
        before = in_force(scope, good_store.document, None) if good_store.document is not None else None
    if lacks_reasons(settings):
        problems.append(no_reasons(scope))
        settings = _with_reasons(shared, own, good_default, before)
    if lacks_window(settings):
        problems.append(no_window(scope))
        settings = _with_window(shared, settings, before)
        if lacks_reasons(settings):
            settings = _with_reasons(shared, own, good_default, before)
        settings |= {"enabled": False} if own.get("enabled") is False else {}
    return Policy(
        enabled=bool(settings.get("enabled")),
        reasons=settings.get("reasons", ()),
        cancellable_statuses=settings.get("cancellable_statuses", DEFAULT_CANCELLABLE_STATUSES),
        refund_basis=settings.get("refund_basis", "invoiced"),
        mail=settings.get("mail", NO_MAIL),
        withdrawal=settings.get("withdrawal", NO_WITHDRAWAL),
        guest_access=settings.get("guest_access", False),
        cancel_within=settings.get("cancel_within_minutes"),
        excluded=settings.get("excluded", NO_EXCLUSIONS),
        comment_required_for=settings.get("comment_required_for", ()),
        approval=settings.get("approval", "never"),
        max_cancels_per_day=settings.get("max_cancels_per_day"),
        problems=tuple(problems),
    )


def in_force(scope: str, document: Mapping[str, Any] | None, good: Mapping[str, Any] | None) -> Settings | None:
    """The settings of one scope: the document's if it is valid, else those of the last valid version; `enabled` No
    counts in any case. None if it is invalid and never was valid.
    """
    if document is None:
        return {}
    settings, problems = judge(scope, document)
    if not problems:
        return settings
    before = None if good is None else judge(scope, good)
    off = {"enabled": False} if settings.get("enabled") is False else {}
    if before is None or before.problems:
        return off or None
    return before.settings | off


def lacks_reasons(settings: Settings) -> bool:
    return bool(settings.get("enabled")) and not settings.get("reasons")


def no_reasons(scope: str) -> Problem:
    return Problem(
        scope,
        "reasons",
        "reasons is empty while enabled is Yes",
        "add at least one reason here or in default, or set enabled to No",
    )


def lacks_window(settings: Settings) -> bool:
    return settings.get("approval") == "after_window" and "cancel_within_minutes" not in settings


def no_window(scope: str) -> Problem:
    return Problem(
        scope,
        "approval",
        "approval is after_window, and cancel_within_minutes is not set",
        "set cancel_within_minutes here or in default, or approval to always or never",
    )


def _with_window(shared: Settings, settings: Settings, before: Settings | None) -> Settings:
    """The settings in force for a store that requires approval after a window, but has no window.

    If its own last edit caused that, the version before stays in force. If an edit of `default` removed the window,
    each cancel of the store is a request, because there is no time from which on it would be.
    """
    if before is None:
        return settings | {"enabled": False}
    earlier = shared | before
    return settings | {"approval": "always"} if lacks_window(earlier) else earlier


def _with_reasons(shared: Settings, own: Settings, good_default: Good, before: Settings | None) -> Settings:
    """The settings in force for an enabled store without reasons.

    If its own last edit caused that, the version before stays in force. If an edit of `default` did, the store keeps
    the reasons that `default` had last.
    """
    if before is None:
        return shared | own | {"enabled": False}
    settings = shared | before
    if lacks_reasons(settings) and "reasons" not in before:
        settings |= {"reasons": last_reasons(good_default)}
    return settings | ({"enabled": False} if lacks_reasons(settings) else {})


def last_reasons(good_default: Good) -> tuple[PolicyReason, ...]:
    """The last reasons that `default` had; none if it never had any."""
    document = good_default.document or {}
    for reasons in (document.get("reasons"), good_default.reasons):
        read = judge(DEFAULT_SCOPE, {"reasons": reasons}).settings.get("reasons", ())
        if read:
            return tuple(read)
    return ()


def judge(scope: str, document: Mapping[str, Any]) -> Judgement:
    """One document by itself, in plain values. Never raises."""
    on, guests = partial(yes_or_no, "enabled"), partial(yes_or_no, "guest_access")
    read = (
        *(on, read_reasons, _read_statuses, _read_basis, read_mail, guests, read_withdrawal),
        *(read_window, read_excluded, read_comments, read_approval, read_daily_limit),
    )
    readers: dict[str, Callable[[object], Any]] = dict(zip(SETTINGS, read, strict=True))
    settings: Settings = {}
    problems: list[Problem] = []
    if scope != DEFAULT_SCOPE and (not is_store(scope) or is_blank(scope[len(_STORE) :])):
        problems.append(wrong_scope(scope, "is neither default nor store: and the id of a store"))
    elif has_blanks_around(scope.removeprefix(_STORE)):
        problems.append(wrong_scope(scope, "has blanks or invisible characters around the id of the store"))
    for attribute in [*SETTINGS, *sorted(document.keys() - set(SETTINGS) - NOT_SETTINGS)]:
        if attribute not in document:
            continue
        if attribute not in readers:
            fault = f"{shown(attribute)} is not a setting"
            problems.append(
                Problem(scope, shown(attribute), fault, f"remove it; the settings are {', '.join(SETTINGS)}")
            )
            continue
        try:
            settings[attribute] = readers[attribute](document[attribute])
        except SettingFault as found:
            problems.append(Problem(scope, attribute, *found.args))
    # A store without reasons of its own inherits those of default.
    silent = is_store(scope) and "reasons" not in document
    if not silent and "reasons" not in {problem.attribute for problem in problems} and lacks_reasons(settings):
        problems.append(no_reasons(scope))
    if not is_store(scope) and not problems and lacks_window(settings):
        problems.append(no_window(scope))
    return Judgement(settings, tuple(problems))


def wrong_scope(scope: str, fault: str) -> Problem:
    """The problem of a scope that can't be the id of a store."""
    return Problem(scope, "scope", f"scope {fault}", "create the item anew under the right scope, and delete this one")


def _read_statuses(value: object) -> tuple[str, ...]:
    statuses = list_of_texts("cancellable_statuses", value, "statuses")
    if forbidden := [status for status in statuses if _is_forbidden(status)]:
        raise SettingFault(
            f"cancellable_statuses names '{shown(forbidden[0])}'", "remove it; such an order can never be cancelled"
        )
    return statuses


def _is_forbidden(status: str) -> bool:
    word = "".join(letter for letter in status.lower() if letter.isalnum())
    return word in NEVER_CANCELLABLE_STATUSES or word in _OTHER_WORDS


def _read_basis(value: object) -> "RefundBasis":
    if value == "invoiced":
        return "invoiced"
    if value == "paid":
        return "paid"
    raise SettingFault("refund_basis is neither invoiced nor paid", "set it to the word invoiced or paid, or remove it")
