"""Reasons in several languages: how they are read, and who gets which words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from cancel_core.domain.policy import Policy, judge, read_policy
from cancel_core.domain.rule_settings import PolicyReason
from cancel_core.domain.rules import decide
from hypothesis import given
from hypothesis import strategies as st

from tests.support.orders import ENABLED, order

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
LANGUAGES = {"sv": "Annat", "de": "Anderes", "de-at": "Etwas anderes", "zh-hant": "其他"}
REASON = PolicyReason("other", "Other", LANGUAGES)


def policy(descriptions: object) -> Policy:
    reasons = [{"code": "other", "description": "Other", "descriptions": descriptions}]
    return read_policy("se", {"scope": "default", "enabled": True, "reasons": reasons}, None)


@pytest.mark.parametrize(
    ("wanted", "own", "told"),
    [
        ((), "en", "Other"),
        (("sv",), "en", "Annat"),
        (("SV",), "en", "Annat"),
        (("sv-SE",), "en", "Annat"),
        (("sv_FI",), "en", "Annat"),
        (("de-AT",), "en", "Etwas anderes"),
        (("de-AT-1996",), "en", "Etwas anderes"),
        (("de-CH",), "en", "Anderes"),
        (("zh-Hant-TW",), "en", "其他"),
        # What is there for one region or script alone is not for others.
        (("zh-CN",), "en", "Other"),
        (("s",), "en", "Other"),
        (("svx",), "en", "Other"),
        (("fi",), "en", "Other"),
        (("fi", "sv"), "en", "Annat"),
        (("de", "sv"), "en", "Anderes"),
        # The store's own language is one of those that it is there in.
        (("en", "sv"), "en", "Other"),
        (("en-GB", "sv"), "en", "Other"),
        (("en", "sv"), "EN-us", "Other"),
        (("fr", "en", "sv"), "en", "Other"),
        (("en", "sv"), "fi", "Annat"),
        (("*", "sv"), "en", "Other"),
        (("sv", "*"), "en", "Annat"),
        # What is said of a language counts before what is said of all.
        (("sv",), "sv", "Annat"),
        (("", "-", "_"), "en", "Other"),
    ],
)
def test_the_first_language_that_it_is_there_in_is_told(wanted: tuple[str, ...], own: str, told: str) -> None:
    assert REASON.told(wanted, own) == told


@given(wanted=st.lists(st.text() | st.sampled_from(["*", "en", *LANGUAGES, "sv-SE", "DE_at"])), own=st.text())
def test_whatever_is_wanted_one_of_its_own_texts_is_told(wanted: list[str], own: str) -> None:
    assert REASON.told(wanted, own) in {"Other", *LANGUAGES.values()}
    assert REASON._replace(descriptions={}).told(wanted, own) == "Other"


@given(
    tag=st.sampled_from(["sv", "de-AT", "pt_BR"]),
    own=st.sampled_from(["en", "sv", "de"]),
    others=st.lists(st.sampled_from(["fr", "fi"])),
)
def test_what_is_there_in_a_language_is_told_to_who_wants_it_most(tag: str, own: str, others: list[str]) -> None:
    (reason,) = policy({tag: "These words"}).reasons
    for spelled in (tag, tag.upper(), tag.lower(), tag.replace("_", "-"), f"{tag}-x-more"):
        assert reason.told([spelled, *others], own) == "These words"


@given(descriptions=st.dictionaries(st.sampled_from(["sv", "de", "fi-FI"]), st.text(min_size=1)))
def test_no_decision_depends_on_a_language(descriptions: dict[str, str]) -> None:
    said = ENABLED._replace(reasons=(PolicyReason("other", "Other", descriptions),))
    silent = ENABLED._replace(reasons=(PolicyReason("other", "Other"),))
    assert decide(order(), said, NOW) == decide(order(), silent, NOW)
    for words in descriptions.values():
        assert (said.reason(words) is None) == (words != "other")
        assert said.needs_comment(words) == silent.needs_comment(words)


@pytest.mark.parametrize(
    "descriptions", [{}, {"sv": "Annat"}, {"de-AT": "Anderes", "de": "x", "pt_BR": "y", "i-klingon": "z"}]
)
def test_these_are_right(descriptions: dict[str, str]) -> None:
    read = policy(descriptions)
    assert read.problems == ()
    assert list(read.reasons[0].descriptions.values()) == list(descriptions.values())


@pytest.mark.parametrize(
    ("descriptions", "fault"),
    [
        ("Annat", "descriptions of reason 1 is not a Map"),
        (None, "descriptions of reason 1 is not a Map"),
        (["Annat"], "descriptions of reason 1 is not a Map"),
        ({"": "Annat"}, "descriptions of reason 1 has '', which is no language"),
        ({"in Swedish": "Annat"}, "descriptions of reason 1 has 'in Swedish', which is no language"),
        ({"sv ": "Annat"}, "descriptions of reason 1 has 'sv ', which is no language"),
        ({"*": "Annat"}, "descriptions of reason 1 has '*', which is no language"),
        ({"http://x.example": "a"}, "descriptions of reason 1 has 'http:??x[.]example', which is no language"),
        ({"sv": ""}, "reason 1 has no description in 'sv'"),
        ({"sv": "\u200b \u3164"}, "reason 1 has no description in 'sv'"),
        ({"sv": None}, "reason 1 has no description in 'sv'"),
        ({"sv": {"S": "Annat"}}, "reason 1 has no description in 'sv'"),
        ({"de-AT": "a", "DE_at": "b"}, "descriptions of reason 1 has 'DE_at' once more"),
    ],
)
def test_what_is_wrong_with_them_is_told_and_not_in_force(descriptions: object, fault: str) -> None:
    read = policy(descriptions)
    assert read.enabled is False
    (problem,) = read.problems
    assert (problem.attribute, problem.fault) == ("reasons", fault)
    assert problem.remedy


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda one: st.dictionaries(st.text(), one)))
def test_nothing_that_an_admin_types_there_is_taken_for_more_than_it_is(value: Any) -> None:
    settings, problems = judge(
        "default", {"reasons": [{"code": "other", "description": "Other", "descriptions": value}]}
    )
    assert bool(problems) == ("reasons" not in settings)
    for reason in settings.get("reasons", ()):
        assert all(text.strip() for text in reason.descriptions.values())
