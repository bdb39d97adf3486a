"""The documents that clients get."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from cancel_core.domain.rules import decide
from cancel_core.entrypoints.http.documents import (
    eligibility_view,
    order_view,
    reasons_view,
    summary_view,
)
from cancel_core.entrypoints.http.order_list import unreadable_view

from tests.support.orders import DISABLED, ENABLED, canceled, document, item, order, paid, payment, refunded
from tests.support.tables import NOW


def test_reasons_are_in_the_shops_order_and_hidden_while_disabled() -> None:
    assert [reason["code"] for reason in reasons_view(ENABLED)["reasons"]] == ["other", "mistake"]
    assert reasons_view(ENABLED._replace(enabled=False)) == {"enabled": False, "reasons": []}


def test_the_list_and_the_decision_agree() -> None:
    assert summary_view(order(), ENABLED, NOW)["available_actions"] == ["CANCEL"]
    assert summary_view(order(), DISABLED, NOW)["available_actions"] == []


def entry(at: str, comment: str, visible: Any = True) -> dict[str, Any]:
    return {"at": at, "status": "pending", "comment": comment, "visible_to_customer": visible}


def test_the_shops_own_notes_are_not_shown() -> None:
    """Only what says so is for the customer, and says so in a Boolean."""
    at = "2026-11-20T10:00:00Z"
    notes = [entry(at, f"note {visible!r}", visible) for visible in (False, None, "true", "yes", 1, Decimal(1), [True])]
    absent = {"at": at, "status": "pending", "comment": "suspected fraud"}

    shown = order_view(order(history=[absent, entry(at, "Placed"), *notes]), ENABLED, NOW)["history"]

    assert shown == [{"at": at, "status": "pending", "comment": "Placed"}]


def test_what_the_product_adds_is_shown() -> None:
    shown = order_view(refunded(canceled(paid(history=[]))).order, ENABLED, NOW)["history"]

    assert [row["status"] for row in shown] == ["closed", "canceled"]


def test_history_is_newest_first_and_of_one_second_the_later_entry_is_the_newer() -> None:
    entries = [("10:00:00", "a"), ("12:00:00", "b"), ("11:00:00", "c"), ("12:00:00", "d")]
    history = [entry(f"2026-11-20T{at}Z", comment) for at, comment in entries]

    shown = order_view(order(history=history), ENABLED, NOW)["history"]

    assert [row["comment"] for row in shown] == ["d", "b", "c", "a"]


def test_history_is_in_the_order_of_time_and_not_of_its_text() -> None:
    entries = [
        ("10:00:29Z", "a"),
        ("10:00:29.017Z", "c"),
        ("10:00:29.0Z", "b"),
        ("10:00:30Z", "d"),
        ("10:00:29.2Z", "e"),
    ]
    history = [entry(f"2026-11-20T{at}", comment) for at, comment in entries]

    shown = order_view(order(history=history), ENABLED, NOW)["history"]

    assert [row["comment"] for row in shown] == ["d", "e", "c", "b", "a"]


def test_quantities_are_json_numbers_and_fractions_stay() -> None:
    (row,) = order_view(order(items=[item(ordered=Decimal("1.5"))]), ENABLED, NOW)["items"]

    assert json.dumps(row["qty_ordered"]) == "1.5"
    assert json.dumps(row["qty_invoiced"]) == "0"


def test_nothing_personal_and_no_reference_of_a_payment_is_shown() -> None:
    text = json.dumps(order_view(refunded(canceled(paid())).order, ENABLED, NOW))

    assert "example.com" not in text
    assert "ref-p1" not in text
    assert "customer" not in text.replace("by the customer", "")


def test_a_refund_is_shown_with_the_rows_that_money_goes_back_for() -> None:
    source = paid(items=[item("a", invoiced=1), item("free", invoiced=1, amount=0), item("unpaid")])

    refund = order_view(canceled(source).order, ENABLED, NOW)["cancellation"]["refund"]

    assert refund["items"] == [{"item_id": "a", "sku": "sku-a", "qty": 1, "amount": 10000}]
    assert (refund["status"], refund["failure"]) == ("pending", None)
    assert [leg["reference"] for leg in refund["payments"]] == [None]


def test_eligibility_tells_what_is_owed_or_what_stands_against_it() -> None:
    free = eligibility_view(order(), decide(order(), ENABLED, NOW))
    owed = eligibility_view(order(paid()), decide(order(paid()), ENABLED, NOW))
    shipped = order(paid(items=[item("a", invoiced=1, qty_shipped=1)]))
    blocked = eligibility_view(shipped, decide(shipped, DISABLED, NOW))

    assert (free["eligible"], free["refund"]) == (True, None)
    assert owed["refund"]["amount"] == 10000
    assert [blocker.get("item_ids") for blocker in blocked["blockers"]] == [None, ["a"]]
    assert blocked["refund"] is None


def test_of_an_order_that_cannot_be_read_the_list_shows_what_can() -> None:
    broken = document(total="12.50", status=7, items="none") | {"store_id": "se"}

    assert unreadable_view(broken) == {
        "order_id": "o1",
        "store_id": "se",
        "status": None,
        "placed_at": "2026-11-20T10:00:00Z",
        "currency": "SEK",
        "total": None,
        "available_actions": [],
        "cancellable_until": None,
    }


def test_a_failure_is_told_once_the_refund_has_failed() -> None:
    source = paid(payments=[payment(captured=1), payment("p2", authorized=5)])

    pending = order_view(canceled(source).order, ENABLED, NOW)["cancellation"]["refund"]
    failed = order_view(refunded(canceled(source)).order, ENABLED, NOW)["cancellation"]["refund"]

    assert (pending["status"], pending["failure"]) == ("pending", None)
    assert (failed["status"], failed["failure"]) == ("failed", {"code": "INSUFFICIENT_CAPTURED_AMOUNT"})
