"""The config documents: what is understood, what is refused, and what is in force instead of what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from cancel_core.domain.policy import NEVER_CANCELLABLE_STATUSES, Good, Policy, judge, read_policy
from cancel_core.domain.rule_settings import PolicyReason
from cancel_core.domain.setting_values import shown
from hypothesis import given
from hypothesis import strategies as st

INVISIBLE = ["", " ", "\t", "\u00a0", "\u200b", "\u2060\ufeff", "\u3164", "\u2800", "\ufe0f", "\u00ad", "\u202e"]
BLANKS = [("", " "), (" ", ""), ("", "\u200b"), ("\ufeff", ""), ("", "\n"), ("\u00a0", ""), ("", "\u3164")]
WORDS = ["cancelled", "completed", "shipped", "refunded", "holded", "on hold", "on_hold", "On-Hold", "delivered"]
REASONS = [{"code": "other", "description": "Other"}]
VALID = {"scope": "default", "enabled": True, "reasons": REASONS}


def default_only(**attributes: Any) -> Policy:
    return read_policy("default", {"scope": "default"} | attributes, None)


def test_no_config_is_disabled_and_nothing_is_wrong_with_it() -> None:
    policy = read_policy("default", None, None)

    assert not policy.enabled
    assert policy.problems == ()


@pytest.mark.parametrize("word", [True, "Yes", "yes", " TRUE ", "true"])
def test_words_that_enable(word: object) -> None:
    assert default_only(enabled=word, reasons=REASONS).enabled


@pytest.mark.parametrize("word", [False, "No", "no", "false", "FALSE"])
def test_words_that_disable(word: object) -> None:
    policy = default_only(enabled=word, reasons=REASONS)

    assert not policy.enabled
    assert policy.problems == ()


@pytest.mark.parametrize(
    ("attributes", "attribute", "fault"),
    [
        ({"enabled": "ja"}, "enabled", "enabled is neither Yes nor No"),
        ({"enabled": 1}, "enabled", "enabled is neither Yes nor No"),
        ({"enabled": None}, "enabled", "enabled is neither Yes nor No"),
        ({"enabled": True, "reasons": []}, "reasons", "reasons is empty"),
        ({"enabled": True}, "reasons", "reasons is empty"),
        ({"reasons": "other"}, "reasons", "is not a List"),
        ({"reasons": ["other"]}, "reasons", "reason 1 is not a Map"),
        ({"reasons": [*REASONS, {"code": "x"}]}, "reasons", "reason 2 has no description"),
        ({"reasons": [{"code": " ", "description": "x"}]}, "reasons", "reason 1 has no code"),
        ({"reasons": [{"code": "x", "description": " "}]}, "reasons", "reason 1 has no description"),
        ({"reasons": [{"code": 1, "description": "x"}]}, "reasons", "reason 1 has no code"),
        ({"reasons": [*REASONS, *REASONS]}, "reasons", "reason 2 has the code 'other' once more"),
        ({"reasons": [{"code": "x" * 65, "description": "x"}]}, "reasons", "reason 1 has a code of more than 64"),
        ({"reasons": [REASONS[0] | {"sort": 1}]}, "reasons", "reason 1 has 'sort'"),
        ({"cancellable_statuses": "pending"}, "cancellable_statuses", "is not a List"),
        ({"cancellable_statuses": ["pending", ""]}, "cancellable_statuses", "is not a List"),
        ({"enable": True}, "enable", "enable is not a setting"),
        *(
            ({"cancellable_statuses": ["pending", status]}, "cancellable_statuses", status)
            for status in [*sorted(NEVER_CANCELLABLE_STATUSES), "Closed", " HOLD "]
        ),
    ],
)
def test_what_is_wrong_is_named_and_off_where_none_was_right(
    attributes: dict[str, Any], attribute: str, fault: str
) -> None:
    policy = read_policy(
        "default", VALID | attributes if "enable" in attributes else {"scope": "default"} | attributes, None
    )

    (problem,) = policy.problems
    assert (problem.scope, problem.attribute) == ("default", attribute)
    assert fault in problem.fault
    assert str(problem) == f"scope default: {problem.fault}; {problem.remedy}"
    assert not policy.enabled


def test_a_store_overrides_attribute_by_attribute() -> None:
    default = VALID | {"cancellable_statuses": ["new"]}

    policy = read_policy("se", default, {"scope": "store:se", "reasons": [{"code": "annat", "description": "Annat"}]})

    assert policy.enabled
    assert [reason.code for reason in policy.reasons] == ["annat"]
    assert policy.cancellable_statuses == ("new",)


def test_a_store_may_be_off_where_the_default_is_on_and_on_where_it_is_off() -> None:
    assert not read_policy("se", VALID, {"scope": "store:se", "enabled": False}).enabled
    assert read_policy("se", VALID | {"enabled": False}, {"scope": "store:se", "enabled": "Yes"}).enabled


def test_an_enabled_store_without_any_reason_is_invalid() -> None:
    policy = read_policy("se", {"scope": "default", "enabled": False}, {"scope": "store:se", "enabled": True})

    assert [(problem.scope, problem.attribute) for problem in policy.problems] == [("store:se", "reasons")]


def test_what_never_was_right_is_off_and_leaves_alone_what_needs_it_not() -> None:
    broken = {"scope": "store:se", "reasons": "none"}
    whole = {"scope": "store:se", "enabled": True, "reasons": REASONS}

    assert not read_policy("se", VALID, broken).enabled
    assert read_policy("no", VALID, None).enabled
    assert not read_policy("se", VALID | {"colour": "red"}, {"scope": "store:se", "enabled": True}).enabled
    assert not read_policy("no", VALID | {"colour": "red"}, None).enabled
    assert read_policy("se", VALID | {"colour": "red"}, whole).enabled


def test_every_fault_is_told() -> None:
    problems = default_only(enabled="maybe", reasons=[{}], colour="red").problems

    assert sorted(problem.attribute for problem in problems) == ["colour", "enabled", "reasons"]
    assert str(problems[0]).startswith("scope default: ")


text = st.text("ab ", max_size=3)
wrong = st.none() | st.integers() | text | st.lists(text, max_size=2) | st.dictionaries(text, text, max_size=2)
reasons = st.lists(st.fixed_dictionaries({}, optional={"code": text | st.none(), "description": text}), max_size=3)
documents = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "scope": text,
        "enabled": st.booleans() | st.sampled_from(["Yes", "No", "yes "]) | wrong,
        "reasons": reasons | wrong,
        "cancellable_statuses": st.lists(st.sampled_from(["pending", "new", "Closed", ""]), max_size=2) | wrong,
        "other": wrong,
    },
)


@given(default=documents, store=documents)
def test_no_document_is_taken_for_more_than_it_is(default: dict[str, Any] | None, store: dict[str, Any] | None) -> None:
    policy = read_policy("se", default, store)

    assert not policy.enabled or not {problem for problem in policy.problems if problem.scope == "store:se"}
    if policy.enabled:
        codes = [reason.code for reason in policy.reasons]
        assert codes
        assert len(set(codes)) == len(codes)
        assert all(reason.code.strip() and reason.description.strip() for reason in policy.reasons)
        assert not NEVER_CANCELLABLE_STATUSES & {status.lower() for status in policy.cancellable_statuses}


# --- what is in force instead -----------------------------------------------------------------------------------------

_words = st.sampled_from(["", "on", "off", "maybe", "1"])
_junk: st.SearchStrategy[Any] = (
    st.none() | st.integers(0, 2) | st.just([1]) | st.just({}) | st.sampled_from(["", "on", "off", "maybe", "1"])
)
_a_reason = st.fixed_dictionaries({"code": st.sampled_from("abc"), "description": st.just("x")})
_wrong_reasons = st.one_of(
    _junk,
    st.just([]),
    st.just({"code": "a", "description": "x"}),
    st.builds(
        lambda before, wrong, after: [*before, wrong, *after],
        st.lists(_a_reason, max_size=2),
        st.sampled_from(
            [
                *({"code": "w"}, {"description": "w"}, {"code": " ", "description": "w"}, {"code": "w" * 65}, {}),
                *({"code": "w", "description": "\t"}, {"code": 1, "description": "w"}, "w", None, ["w"]),
                *({"code": "w", "description": "w", "sort": 1}, {"code": "w", "description": None}),
            ]
        ),
        st.lists(_a_reason, max_size=2),
    ),
    st.lists(_a_reason, min_size=1, max_size=2).map(lambda some: [*some, some[0]]),
)
_wrong_statuses = st.one_of(
    _junk.filter(lambda value: value != []),
    st.sampled_from(sorted(NEVER_CANCELLABLE_STATUSES)).map(lambda status: ["pending", f" {status.title()}"]),
    st.sampled_from([["pending", ""], [1], [None], [["pending"]]]),
)
_unknown = st.sampled_from(["Enabled", "reason", "statuses", "enable", "comment", "x y", "ö", "#"])
_wrong_parts = st.one_of(
    st.fixed_dictionaries({"enabled": _junk}),
    st.fixed_dictionaries({"reasons": _wrong_reasons}),
    st.fixed_dictionaries({"cancellable_statuses": _wrong_statuses}),
    st.dictionaries(_unknown, st.booleans() | _junk, min_size=1, max_size=2),
)
wrong_edits = st.builds(
    lambda first, second: {"enabled": True, "reasons": REASONS} | second | first,
    _wrong_parts,
    st.just({}) | _wrong_parts,
)
"""Settings in which at least one thing is wrong, and which do not say No."""


@given(wrong=wrong_edits, scope=st.sampled_from(["default", "store:se"]))
def test_a_wrong_edit_changes_nothing_of_what_is_in_force_and_is_told(wrong: dict[str, Any], scope: str) -> None:
    right = {"enabled": True, "reasons": [{"code": "before", "description": "x"}], "cancellable_statuses": ["new"]}
    other = {"scope": "default", "enabled": False}
    documents = {"default": other, "store:se": None} | {scope: right | {"scope": scope}}
    before = read_policy("se", documents["default"], documents["store:se"])
    good = {name: Good(document) for name, document in documents.items()}

    after = read_policy("se", *(documents | {scope: wrong | {"scope": scope}}).values(), *good.values())

    assert before.enabled
    assert not before.problems
    assert after == Policy(before.enabled, before.reasons, before.cancellable_statuses, problems=after.problems)
    assert after.problems
    assert {problem.scope for problem in after.problems} == {scope}
    off = read_policy("se", *(documents | {scope: wrong | {"scope": scope, "enabled": " no"}}).values(), *good.values())
    assert not off.enabled


def test_a_store_lives_on_reasons_that_default_had_only_while_it_was_right_itself() -> None:
    default, store = {"scope": "default", "enabled": False}, {"scope": "store:se", "enabled": True}
    had = Good(default, reasons=REASONS)

    assert read_policy("se", default, store, had, Good(store)).reasons == (PolicyReason("other", "Other"),)
    assert not read_policy("se", default, store, had).enabled
    assert not read_policy("se", default, store, had, Good({"enabled": False})).enabled
    assert not read_policy("se", default, store | {"reasons": []}, had, Good(store | {"reasons": []})).enabled
    assert not read_policy("se", default, store, Good(default), Good(store)).enabled


def test_what_the_product_says_on_an_item_is_no_setting() -> None:
    assert default_only(**VALID, validation="NOT IN FORCE").enabled


@given(good=documents, kept=wrong | reasons, store=documents)
def test_a_damaged_row_of_the_history_never_enables(
    good: dict[str, Any] | None, kept: object, store: dict[str, Any] | None
) -> None:
    policy = read_policy("se", {"enabled": "x"}, store, Good(good, kept), Good(good, kept))

    assert not policy.enabled or (policy.reasons and all(reason.code.strip() for reason in policy.reasons))


@pytest.mark.parametrize(
    "wrong",
    [
        *({"cancellable_statuses": ["pending", f"{before}processing{after}"]} for before, after in BLANKS),
        *({"reasons": [{"code": f"{before}other{after}", "description": "Other"}]} for before, after in BLANKS),
        *({"reasons": [{"code": "other", "description": text}]} for text in INVISIBLE),
        *({"reasons": [{"code": text, "description": "Other"}]} for text in INVISIBLE),
        *({"cancellable_statuses": [text]} for text in INVISIBLE),
        *({"cancellable_statuses": [word]} for word in WORDS),
        *({"cancellable_statuses": [word.upper()]} for word in WORDS),
    ],
)
def test_what_only_looks_right_is_wrong(wrong: dict[str, Any]) -> None:
    policy = default_only(**{"enabled": True, "reasons": REASONS} | wrong)

    assert not policy.enabled
    assert [problem.attribute for problem in policy.problems] == list(wrong)


@pytest.mark.parametrize(
    "right",
    [
        {"reasons": [{"code": "too late", "description": " \u00a0Det tar f\u00f6r l\u00e5ng tid "}]},
        {"reasons": [{"code": "cafe\u0301", "description": "\U0001f44d\ufe0f"}]},
        {"cancellable_statuses": ["pending", "payment review", "shipping_soon", "closed_for_lunch"]},
    ],
)
def test_blanks_inside_and_marks_on_letters_are_right(right: dict[str, Any]) -> None:
    assert default_only(**{"enabled": True, "reasons": REASONS} | right).problems == ()


@pytest.mark.parametrize(
    "scope",
    [
        *(" default", "default ", "Default", "store:", "store: ", "store:se ", "store: se", "store:se\n"),
        *("store:\u200b", "store:se\u200b", "STORE:se", "store"),
    ],
)
def test_a_scope_that_no_store_asks_for_is_wrong(scope: str) -> None:
    (problem,) = judge(scope, VALID | {"scope": scope}).problems

    assert problem.attribute == "scope"


@pytest.mark.parametrize(
    "scope", ["default", "store:se", "store:SE", "store:se:2", "store:se nu", "store:shop.example"]
)
def test_any_other_scope_is_right(scope: str) -> None:
    assert judge(scope, VALID | {"scope": scope}).problems == ()


def test_what_an_admin_typed_makes_no_line_and_no_link_in_a_mail() -> None:
    scope = "store:se\nYour account is locked: https://evil.example/a?b=c @evil <b>\r\n\u2028\u202e"
    problems = judge(scope, {"scope": scope, "https://evil.example/\n": 1, "enabled": 1}).problems

    assert len(problems) > 1
    for text in (*map(str, problems), shown("https://evil.example\n" * 500)):
        assert text.isprintable()
        assert "evil.example" not in text
        assert not {"/", "@", "<", ">"} & set(text)
    assert len(shown("x." * 500)) < 200
    assert shown("store:se_SV-2") == "store:se_SV-2"
