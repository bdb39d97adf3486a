"""What was cancelled and asked for becomes a report in which nothing is lost and no currencies are mixed."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.counting import COUNTS, MEASURES, MONEY, STATUSES, SUMS, Key, Period, Report, count, days

NOVEMBER = Period(date(2026, 11, 1), date(2026, 11, 30))
DAY = "2026-11-22"


def order(order_id: str = "o1", **cancellation: Any) -> dict[str, Any]:
    refund = {"status": "succeeded", "currency": "SEK", "amount": Decimal(20000)}
    cancel = {"reason": {"code": "other"}, "requested_at": f"{DAY}T10:00:00Z", "refund": refund} | cancellation
    cancel = {name: value for name, value in cancel.items() if value is not None}
    return {"order_id": order_id, "store_id": "se", "currency": "SEK", "cancellation": cancel}


def row(request_id: str = "r1", **attributes: Any) -> dict[str, Any]:
    made = {"request_id": request_id, "store_id": "se", "reason": "other", "status": "open", "currency": "SEK"}
    return made | {"amount": Decimal(5000), "requested_at": f"{DAY}T23:59:59Z"} | attributes


def test_a_cancel_and_a_request_are_counted_where_they_belong() -> None:
    report = count([order()], [row(), row("r2", status="approved")], NOVEMBER)
    assert report.rows == {
        Key(DAY, "se", "other", "SEK"): Counter(
            cancels=1, refunded=20000, requests=2, open=1, approved=1, requested_amount=10000
        )
    }
    assert (report.orders, report.requests, report.outside, report.unreadable) == (1, 2, 0, [])


@pytest.mark.parametrize("status", sorted(SUMS))
def test_a_refund_is_summed_by_what_became_of_it(status: str) -> None:
    refund = {"status": status, "currency": "JPY", "amount": Decimal(300)}
    (measures,) = count([order(refund=refund)], [], NOVEMBER).rows.values()
    assert measures == Counter({"cancels": 1, SUMS[status]: 300})  # type: ignore[index]  # a parameter is any text


def test_a_cancel_without_a_refund_has_the_orders_currency() -> None:
    assert list(count([order(refund=None)], [], NOVEMBER).rows) == [Key(DAY, "se", "other", "SEK")]


def test_an_order_without_a_store_is_the_default_stores() -> None:
    report = count([order() | {"store_id": None}], [], NOVEMBER, "default")
    assert list(report.rows) == [Key(DAY, "default", "other", "SEK")]


@pytest.mark.parametrize(
    ("at", "counted"),
    [
        ("2026-11-01T00:00:00Z", True),
        ("2026-11-30T23:59:59.999Z", True),
        ("2026-10-31T23:59:59Z", False),
        ("2026-12-01T00:00:00Z", False),
        # Of UTC, wherever it was written.
        ("2026-12-01T00:30:00+01:00", True),
        ("2026-11-01T00:30:00+01:00", False),
    ],
)
def test_a_day_is_one_of_utc_and_both_ends_count(at: str, counted: bool) -> None:
    report = count([order(requested_at=at)], [row(requested_at=at)], NOVEMBER)
    assert (bool(report.rows), report.outside) == (counted, 0 if counted else 2)


@pytest.mark.parametrize(
    "damage",
    [
        {"cancellation": "gone"},
        {"cancellation": {}},
        {"cancellation": {"reason": {}, "requested_at": f"{DAY}T10:00:00Z"}},
        {"cancellation": {"reason": {"code": "other"}, "requested_at": "yesterday"}},
        {"cancellation": {"reason": {"code": "other"}, "requested_at": f"{DAY}T10:00:00Z", "refund": {"amount": 1}}},
    ],
)
def test_an_order_that_cannot_be_read_is_told_and_not_counted(damage: dict[str, Any]) -> None:
    report = count([order("broken") | damage, order()], [row("r9", status="lost"), row()], NOVEMBER)
    assert report.unreadable == ["broken", "r9"]
    assert sum(measures["cancels"] for measures in report.rows.values()) == 1


def test_what_cannot_be_read_is_left_out_where_it_is_known_to_be_of_another_time_or_store() -> None:
    old = order("old", requested_at="2020-01-01T00:00:00Z", reason="none")
    assert count([old], [], NOVEMBER).unreadable == []
    assert count([order("other", reason="none")], [], NOVEMBER, "de").unreadable == []
    assert count([order("mine", reason="none")], [], NOVEMBER, "se").unreadable == ["mine"]


def test_an_order_that_was_never_cancelled_is_none() -> None:
    report = count([{"order_id": "o1"}, {"order_id": "o2", "cancellation": None}], [], NOVEMBER)
    assert (report.not_cancelled, report.rows, report.unreadable) == (2, {}, [])


def test_the_days_of_a_period() -> None:
    assert list(days(Period(date(2024, 2, 28), date(2024, 3, 1)))) == ["2024-02-28", "2024-02-29", "2024-03-01"]


# --- whatever is read ------------------------------------------------------------------------------------------------

TIMES = st.sampled_from(["2026-10-31", DAY, "2026-11-23", "2026-12-01", "never"]).map(lambda day: f"{day}T10:00:00Z")
STORES = st.sampled_from(["se", "de", None])
REASONS = st.sampled_from(["other", "mistake", "late", 7])
CURRENCIES = st.sampled_from(["SEK", "EUR", "JPY"])
AMOUNTS = st.sampled_from([Decimal(0), Decimal(100), Decimal(-30), Decimal("0.5"), Decimal(10) ** 30])
REFUNDS = st.none() | st.fixed_dictionaries(
    {"status": st.sampled_from([*SUMS, "lost"]), "currency": CURRENCIES, "amount": AMOUNTS}
)
CANCELS = (
    st.none()
    | st.just("gone")
    | st.fixed_dictionaries(
        {"reason": st.fixed_dictionaries({"code": REASONS}), "requested_at": TIMES, "refund": REFUNDS}
    )
)
ORDERS = st.lists(st.fixed_dictionaries({"store_id": STORES, "currency": CURRENCIES, "cancellation": CANCELS}))
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "store_id": STORES,
            "reason": REASONS,
            "status": st.sampled_from([*STATUSES, "lost"]),
            "currency": CURRENCIES,
            "amount": AMOUNTS,
            "requested_at": TIMES,
        }
    )
)


def total(report: Report, measure: str) -> int:
    return sum(measures[measure] for measures in report.rows.values())


@given(ORDERS, ROWS, STORES)
def test_nothing_is_lost(orders: list[dict[str, Any]], rows: list[dict[str, Any]], store_id: str | None) -> None:
    report = count(orders, rows, NOVEMBER, store_id)
    assert (report.orders, report.requests) == (len(orders), len(rows))
    counted = total(report, "cancels") + total(report, "requests")
    assert len(orders) + len(rows) == counted + report.not_cancelled + report.outside + len(report.unreadable)
    assert total(report, "requests") == sum(total(report, status) for status in STATUSES)


@given(ORDERS, ROWS)
def test_the_totals_of_every_grouping_agree(orders: list[dict[str, Any]], rows: list[dict[str, Any]]) -> None:
    report = count(orders, rows, NOVEMBER)
    wanted = {key: {name: sums[name] for name in MEASURES} for key, sums in report.by().items()}
    for number in range(1, 4):
        for names in combinations(("day", "store_id", "reason"), number):
            found: dict[tuple[str, ...], dict[str, int]] = {}
            for key, measures in report.by(*names).items():
                sums = found.setdefault(key[-1:], dict.fromkeys(MEASURES, 0))
                for name in MEASURES:
                    sums[name] += measures[name]
            assert found == wanted


@given(ORDERS, ROWS)
def test_money_is_summed_exactly_and_never_over_currencies(
    orders: list[dict[str, Any]], rows: list[dict[str, Any]]
) -> None:
    alone = {
        currency: count(
            [
                one
                for one in orders
                if isinstance(one["cancellation"], dict)
                and (one["cancellation"]["refund"] or one)["currency"] == currency
            ],
            [one for one in rows if one["currency"] == currency],
            NOVEMBER,
        )
        for currency in ("SEK", "EUR", "JPY")
    }
    for (currency,), measures in count(orders, rows, NOVEMBER).by().items():
        for name in (*MONEY, *COUNTS):
            assert measures[name] == total(alone[currency], name)


@given(ORDERS, ROWS)
def test_stores_add_up_to_the_whole_and_the_order_does_not_matter(
    orders: list[dict[str, Any]], rows: list[dict[str, Any]]
) -> None:
    whole = count(orders, rows, NOVEMBER)
    assert count(reversed(orders), reversed(rows), NOVEMBER).rows == whole.rows
    parts: dict[Key, Counter[str]] = {}
    for store_id in ("se", "de", "default"):
        parts |= count(orders, rows, NOVEMBER, store_id).rows
    assert parts == whole.rows
