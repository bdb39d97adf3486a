"""A store's own rules: its time limit, what it excludes, the reasons that need a comment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from cancel_core.domain.order import Order
from cancel_core.domain.policy import Policy, judge, read_policy
from cancel_core.domain.rule_settings import Exclusions
from cancel_core.domain.rules import decide
from cancel_core.domain.setting_values import SettingFault, list_of_texts
from hypothesis import given
from hypothesis import strategies as st

from tests.support.orders import ENABLED, item, order, payment

PLACED = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
"""When orders of tests are placed."""
HOUR = ENABLED._replace(cancel_within=timedelta(minutes=60))
END = PLACED + timedelta(minutes=60)
EVERYTHING = Exclusions(
    skus=("MUG",),
    item_types=("download",),
    payment_providers=("invoice",),
    customer_groups=("wholesale",),
    total_above={"SEK": 50000},
)


def codes(judged: Order, policy: Policy, now: datetime) -> list[str]:
    return [blocker.code for blocker in decide(judged, policy, now).blockers]


def test_the_window_ends_with_its_last_second() -> None:
    assert decide(order(), HOUR, END).until == END
    assert codes(order(), HOUR, END - timedelta(seconds=1)) == []
    assert codes(order(), HOUR, END) == []
    assert codes(order(), HOUR, END + timedelta(microseconds=1)) == ["CANCELLATION_WINDOW_CLOSED"]
    assert decide(order(), HOUR, END + timedelta(seconds=1)).until is None


def test_a_fraction_of_the_second_in_which_it_was_placed_counts_for_nothing() -> None:
    assert decide(order(placed_at="2026-11-20T10:00:00.999Z"), HOUR, END).until == END


def test_an_order_that_was_placed_at_no_time_has_been_closed_for_ever() -> None:
    assert codes(order(placed_at="2026-02-31T10:00:00Z"), HOUR, PLACED) == ["CANCELLATION_WINDOW_CLOSED"]
    assert codes(order(placed_at="2026-02-31T10:00:00Z"), ENABLED, PLACED) == []


def test_without_a_window_there_is_no_end() -> None:
    decision = decide(order(), ENABLED, PLACED + timedelta(days=4000))
    assert (decision.eligible, decision.until) == (True, None)


def test_one_that_cannot_be_cancelled_has_no_end() -> None:
    assert decide(order(status="complete"), HOUR, PLACED).until is None


def excluded() -> Order:
    return order(
        items=[item("i1", sku="MUG"), item("i2", type="download"), item("i3", sku="MUG", type="download"), item("i4")],
        payments=[payment(), payment("p2", provider="invoice")],
        customer_group="wholesale",
        total=50001,
    )


def test_each_cause_is_a_blocker_of_its_own() -> None:
    blockers = decide(excluded(), ENABLED._replace(excluded=EVERYTHING), PLACED).blockers
    assert {blocker.code for blocker in blockers} == {"NOT_CANCELLABLE"}
    assert [(blocker.because, blocker.item_ids) for blocker in blockers] == [
        ("sku", ("i1", "i3")),
        ("item_type", ("i2", "i3")),
        ("payment_provider", ()),
        ("customer_group", ()),
        ("total", ()),
    ]
    assert codes(excluded(), ENABLED, PLACED) == []


@pytest.mark.parametrize(
    "attributes",
    [
        {"total": 50000},
        {"total": 90000, "currency": "EUR"},
        {"customer_group": None},
        {"customer_group": 7},
        {"items": [item(type=7, sku="mug")]},
        {"items": [item(type=None)]},
    ],
)
def test_what_is_not_named_letter_by_letter_is_not_excluded(attributes: dict[str, Any]) -> None:
    assert codes(order(**attributes), ENABLED._replace(excluded=EVERYTHING), PLACED) == []


def test_they_are_checked_after_the_status_and_before_the_shipment() -> None:
    judged = order(status="hold", items=[item(sku="MUG", qty_shipped=1)])
    policy = HOUR._replace(excluded=EVERYTHING, enabled=False)
    assert codes(judged, policy, END + timedelta(seconds=1)) == [
        "ORDER_CANCELLATION_DISABLED",
        "INVALID_ORDER_STATUS",
        "CANCELLATION_WINDOW_CLOSED",
        "NOT_CANCELLABLE",
        "PARTIAL_ORDER_ITEM_SHIPPED",
    ]


def test_they_are_nothing_to_a_withdrawal() -> None:
    policy = HOUR._replace(excluded=EVERYTHING)
    assert decide(excluded(), policy, END + timedelta(days=3), "withdrawal").eligible


policies = st.builds(
    Policy._replace,
    st.sampled_from([ENABLED, ENABLED._replace(enabled=False)]),
    cancel_within=st.none() | st.timedeltas(timedelta(minutes=1), timedelta(days=365)),
    excluded=st.sampled_from([Exclusions(), EVERYTHING, Exclusions(skus=("MUG",))]),
)
orders = st.builds(
    order,
    status=st.sampled_from(["pending", "processing", "hold", "complete"]),
    items=st.lists(st.sampled_from(["MUG", "CUP"]), min_size=1, max_size=3).map(
        lambda skus: [item(f"i{number}", sku=sku) for number, sku in enumerate(skus)]
    ),
    total=st.integers(49999, 50002),
)
times = st.datetimes(datetime(2026, 11, 20, 10), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # Hypothesis takes bounds without a zone


@given(orders, policies, times, times)
def test_once_the_window_is_closed_it_stays_closed(
    judged: Order, policy: Policy, one: datetime, other: datetime
) -> None:
    early, late = sorted((one, other))
    if decide(judged, policy, late).eligible:
        assert decide(judged, policy, early).eligible
    assert set(codes(judged, policy, early)) <= set(codes(judged, policy, late))


@given(orders, policies, policies, times)
def test_a_rule_more_never_makes_an_order_cancellable(
    judged: Order, policy: Policy, other: Policy, now: datetime
) -> None:
    more = policy._replace(
        enabled=policy.enabled and other.enabled,
        excluded=policy.excluded if policy.excluded != Exclusions() else other.excluded,
        cancel_within=min(filter(None, (policy.cancel_within, other.cancel_within)), default=None),
    )
    assert set(codes(judged, policy, now)) <= set(codes(judged, more, now))


@given(orders, policies, times)
def test_until_then_and_no_longer(judged: Order, policy: Policy, now: datetime) -> None:
    until = decide(judged, policy, now).until
    if until:
        assert decide(judged, policy, until).eligible
        assert "CANCELLATION_WINDOW_CLOSED" in codes(judged, policy, until + timedelta(seconds=1))


# --- the settings -----------------------------------------------------------------------------------------------------

GOOD: dict[str, Any] = {
    "enabled": True,
    "reasons": [{"code": "other", "description": "Other"}],
    "cancel_within_minutes": Decimal(90),
    "excluded": {"skus": ["MUG", "MUG"], "total_above": {"EUR": Decimal(100)}},
    "comment_required_for": ["other"],
    "max_cancels_per_day": Decimal(5),
}


def test_they_are_read() -> None:
    policy = read_policy("se", GOOD, None)
    assert policy.problems == ()
    assert policy.cancel_within == timedelta(minutes=90)
    assert policy.excluded == Exclusions(skus=("MUG",), total_above={"EUR": 100})
    assert (policy.needs_comment("other"), policy.needs_comment("another")) == (True, False)
    assert policy.max_cancels_per_day == 5


def test_a_stores_setting_stands_in_place_of_the_defaults_and_excluded_whole() -> None:
    policy = read_policy("se", GOOD, {"excluded": {"customer_groups": ["staff"]}, "cancel_within_minutes": Decimal(5)})
    assert policy.excluded == Exclusions(customer_groups=("staff",))
    assert (policy.cancel_within, policy.needs_comment("other")) == (timedelta(minutes=5), True)
    assert read_policy("se", GOOD, {"comment_required_for": []}).comment_required_for == ()
    assert read_policy("se", GOOD, {"max_cancels_per_day": Decimal(1)}).max_cancels_per_day == 1
    assert read_policy("se", GOOD, {}).max_cancels_per_day == 5
    assert read_policy("se", {"enabled": True}, None).max_cancels_per_day is None


@pytest.mark.parametrize(
    ("attribute", "value", "fault"),
    [
        ("cancel_within_minutes", Decimal(0), "cancel_within_minutes is no whole number from 1 to 525600"),
        ("cancel_within_minutes", Decimal(525601), "cancel_within_minutes is no whole number from 1 to 525600"),
        ("cancel_within_minutes", Decimal("1.5"), "cancel_within_minutes is no whole number from 1 to 525600"),
        ("cancel_within_minutes", "60", "cancel_within_minutes is no whole number from 1 to 525600"),
        ("cancel_within_minutes", True, "cancel_within_minutes is no whole number from 1 to 525600"),
        ("cancel_within_minutes", Decimal("Infinity"), "cancel_within_minutes is no whole number from 1 to 525600"),
        ("excluded", ["MUG"], "excluded is not a Map"),
        ("excluded", {"sku": ["MUG"]}, "excluded has 'sku'"),
        ("excluded", {"skus": "MUG"}, "excluded.skus is not a List of Strings"),
        ("excluded", {"skus": ["MUG", " \u200b"]}, "excluded.skus is not a List of Strings"),
        ("excluded", {"item_types": [" a"]}, "excluded.item_types has blanks or invisible characters around ' a'"),
        ("excluded", {"customer_groups": [Decimal(1)]}, "excluded.customer_groups is not a List of Strings"),
        ("excluded", {"total_above": Decimal(5)}, "excluded.total_above is not a Map"),
        ("excluded", {"total_above": {"eur": Decimal(5)}}, "excluded.total_above has 'eur', which is no currency"),
        ("excluded", {"total_above": {"EUR": Decimal("5.5")}}, "excluded.total_above.EUR is no whole number"),
        ("excluded", {"total_above": {"EUR": Decimal(-1)}}, "excluded.total_above.EUR is no whole number"),
        *(
            ("max_cancels_per_day", value, "max_cancels_per_day is no whole number from 1 to 1000")
            for value in (Decimal(0), Decimal(1001), Decimal("1.5"), "5", True, [Decimal(5)])
        ),
        ("comment_required_for", "other", "comment_required_for is not a List of Strings"),
        ("comment_required_for", [""], "comment_required_for is not a List of Strings"),
    ],
)
def test_what_is_wrong_is_told(attribute: str, value: object, fault: str) -> None:
    (problem,) = judge("default", GOOD | {attribute: value}).problems
    assert problem.attribute == attribute
    assert problem.fault.startswith(fault)
    assert problem.remedy


def test_each_once_and_in_their_order() -> None:
    assert list_of_texts("x", ["b", "a", "b"], "letters") == ("b", "a")
    with pytest.raises(SettingFault):
        list_of_texts("x", ("b",), "letters")
