"""The config documents: what is understood, what is refused, and that what is refused means disabled."""

from __future__ import annotations

from typing import Any

import pytest
from cancel_core.policy import NEVER_CANCELLABLE_STATUSES, Policy, read_policy
from hypothesis import given
from hypothesis import strategies as st

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
        ({"enabled": "ja"}, "enabled", "neither Yes nor No"),
        ({"enabled": 1}, "enabled", "neither Yes nor No"),
        ({"enabled": None}, "enabled", "neither Yes nor No"),
        ({"enabled": True, "reasons": []}, "reasons", "is empty"),
        ({"enabled": True}, "reasons", "is empty"),
        ({"reasons": "other"}, "reasons", "not a List"),
        ({"reasons": ["other"]}, "reasons", "entry 1 that is not a Map"),
        ({"reasons": [*REASONS, {"code": "x"}]}, "reasons", "no description in reason 2"),
        ({"reasons": [{"code": " ", "description": "x"}]}, "reasons", "no code in reason 1"),
        ({"reasons": [{"code": "x", "description": " "}]}, "reasons", "no description in reason 1"),
        ({"reasons": [{"code": 1, "description": "x"}]}, "reasons", "no code in reason 1"),
        ({"reasons": [*REASONS, *REASONS]}, "reasons", "twice (reason 2)"),
        ({"reasons": [{"code": "x" * 65, "description": "x"}]}, "reasons", "more than 64"),
        ({"reasons": [REASONS[0] | {"sort": 1}]}, "reasons", "'sort' in reason 1"),
        ({"cancellable_statuses": "pending"}, "cancellable_statuses", "not a List"),
        ({"cancellable_statuses": ["pending", ""]}, "cancellable_statuses", "not a List"),
        ({"enable": True}, "enable", "not a setting"),
        *(
            ({"cancellable_statuses": ["pending", status]}, "cancellable_statuses", status)
            for status in [*sorted(NEVER_CANCELLABLE_STATUSES), "Closed", " HOLD "]
        ),
    ],
)
def test_what_is_wrong_is_named_and_means_disabled(attributes: dict[str, Any], attribute: str, fault: str) -> None:
    policy = read_policy(
        "default", VALID | attributes if "enable" in attributes else {"scope": "default"} | attributes, None
    )

    (problem,) = policy.problems
    assert (problem.scope, problem.attribute) == ("default", attribute)
    assert fault in problem.fault
    assert problem.remedy
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


def test_an_invalid_store_leaves_the_others_alone_and_an_invalid_default_takes_all() -> None:
    broken = {"scope": "store:se", "reasons": "none"}

    assert not read_policy("se", VALID, broken).enabled
    assert read_policy("no", VALID, None).enabled
    assert not read_policy("se", VALID | {"colour": "red"}, {"scope": "store:se", "enabled": True}).enabled


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

    assert not (policy.enabled and policy.problems)
    if policy.enabled:
        codes = [reason.code for reason in policy.reasons]
        assert codes
        assert len(set(codes)) == len(codes)
        assert all(reason.code.strip() and reason.description.strip() for reason in policy.reasons)
        assert not NEVER_CANCELLABLE_STATUSES & {status.lower() for status in policy.cancellable_statuses}
