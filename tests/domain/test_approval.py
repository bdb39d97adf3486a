"""The config's `approval`: what is understood, and what is in force where its window is missing."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from cancel_core.domain.config_assessment import assess
from cancel_core.domain.policy import Good, in_force, judge, read_policy
from hypothesis import given
from hypothesis import strategies as st

REASONS = [{"code": "other", "description": "Other"}]
ON: dict[str, Any] = {"enabled": True, "reasons": REASONS}
WINDOW = {"cancel_within_minutes": Decimal(60)}
AFTER: dict[str, Any] = {"approval": "after_window"}
FAULT = "approval is after_window, and cancel_within_minutes is not set"


@pytest.mark.parametrize("value", ["Always", "", " always", "after window", True, 1, None, ["always"]])
def test_any_other_word_is_wrong(value: object) -> None:
    (problem,) = judge("default", ON | {"approval": value}).problems
    assert (problem.attribute, problem.fault) == ("approval", "approval is none of never, always, after_window")


@pytest.mark.parametrize(
    ("default", "store", "approval"),
    [
        (ON, None, "never"),
        (ON | {"approval": "always"}, None, "always"),
        (ON | AFTER | WINDOW, None, "after_window"),
        (ON | AFTER | WINDOW, {"approval": "never"}, "never"),
        (ON | WINDOW, AFTER, "after_window"),
        (ON, AFTER | WINDOW, "after_window"),
        ({}, ON | AFTER | WINDOW, "after_window"),
    ],
)
def test_it_is_inherited_as_the_window_is(default: Any, store: Any, approval: str) -> None:
    policy = read_policy("se", default, store)
    assert (policy.problems, policy.approval, policy.enabled) == ((), approval, True)


def told(store: dict[str, Any] | None, good: Good, default: dict[str, Any], *, kept: bool = False) -> str:
    shared = in_force("default", default, default) or {}
    return assess("store:se", store, good, Good(default), shared, kept=kept).text


@pytest.mark.parametrize(
    ("before", "stays"),
    [
        ({"approval": "always"}, "always"),
        ({}, "never"),
        (AFTER | WINDOW, "after_window"),
        ({"enabled": "Yes"}, "never"),
    ],
)
def test_without_a_window_the_version_before_stays(before: dict[str, Any], stays: str) -> None:
    edit, good = {"enabled": True} | AFTER, Good(before, since="2026-11-21T10:00:00Z")
    policy = read_policy("se", ON, edit, Good(ON), good)
    assert (policy.enabled, policy.approval, len(policy.problems)) == (True, stays, 1)
    assert policy.problems[0].fault == FAULT
    assert told(edit, good, ON).endswith("The version of 2026-11-21T10:00:00Z stays in force.")


def test_without_one_that_ever_was_right_cancelling_is_off() -> None:
    edit = ON | AFTER
    assert not read_policy("se", ON, edit, Good(ON)).enabled
    assert not read_policy("se", None, edit).enabled
    assert "Cancelling is off" in told(edit, Good(), ON)
    alone = read_policy("se", edit, None)
    assert (alone.enabled, [problem.fault for problem in alone.problems]) == (False, [FAULT])


def test_where_default_had_the_window_each_cancel_is_a_request() -> None:
    store = {"enabled": True} | AFTER
    assert read_policy("se", ON | WINDOW, store).problems == ()
    policy = read_policy("se", ON, store, Good(ON), Good(store))
    assert (policy.enabled, policy.approval, policy.cancel_within) == (True, "always", None)
    assert told(store, Good(store), ON, kept=True).startswith("In force, and each cancel is a request")


@pytest.mark.parametrize("before", [Good(), Good({"enabled": True}), Good(AFTER), Good({"enabled": True} | WINDOW)])
def test_a_no_counts_in_any_case(before: Good) -> None:
    edit = {"enabled": False} | AFTER
    assert not read_policy("se", ON, edit, Good(ON), before).enabled
    assert told(edit, before, ON).startswith("Off is in force")


def test_the_version_before_has_the_reasons_that_it_had() -> None:
    default = {"enabled": False}
    edit, had = ON | AFTER, Good(default, reasons=[{"code": "before", "description": "x"}])
    policy = read_policy("se", default, edit, had, Good({"enabled": True}))
    assert (policy.enabled, [reason.code for reason in policy.reasons]) == (True, ["before"])
    assert not read_policy("se", default, edit, Good(default), Good({"enabled": True})).enabled


parts: Sequence[dict[str, Any]] = [{}, {"enabled": True}, {"enabled": False}, {"approval": "always"}, AFTER, WINDOW]
scopes = st.lists(st.sampled_from(parts), max_size=3).map(lambda some: {k: v for one in some for k, v in one.items()})


@given(scopes, scopes, st.none() | scopes, st.none() | scopes)
def test_what_is_in_force_always_says_when_the_shop_is_asked(
    default: dict[str, Any], store: dict[str, Any], good_default: Any, good_store: Any
) -> None:
    own = {"reasons": REASONS}
    policy = read_policy("se", default | own, store, Good(good_default and good_default | own), Good(good_store))
    if policy.enabled:
        assert policy.approval != "after_window" or policy.cancel_within
        assert policy.reasons
    if store.get("enabled") is False:
        assert not policy.enabled
