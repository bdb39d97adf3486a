"""What a cancel and its refund write on the order, seen on the document as the table would hold it."""

from __future__ import annotations

import copy
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from cancel_core.adapters.dynamodb.attributes import plain
from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.domain import cancel, ids, item_rows, put_back
from cancel_core.domain.cancellation import Leg
from cancel_core.domain.order import Order
from cancel_core.domain.refund_plan import plan_refund
from hypothesis import given
from hypothesis import strategies as st

from tests.support.orders import (
    AT,
    ENABLED,
    LATER,
    REQUEST,
    canceled,
    document,
    item,
    order,
    paid,
    payment,
    refunded,
    stored,
)


def test_a_cancel_sets_status_quantities_and_history_and_leaves_the_rest() -> None:
    source = document(items=[item("a", ordered=5, invoiced=2, qty_canceled=1), item("b", ordered=Decimal("1.5"))])

    after = plain(canceled(source).raw)

    assert after["status"] == "canceled"
    # Two of five were invoiced and one was cancelled before: two are cancelled now, three in all.
    assert [row["qty_canceled"] for row in after["items"]] == [3, Decimal("1.5")]
    assert after["history"][-1] == {
        "at": AT,
        "status": "canceled",
        "comment": "Cancelled by the customer: Other",
        "visible_to_customer": True,
    }
    assert "refund_pending_since" not in after
    untouched = copy.deepcopy(source)
    for name in ("status", "items", "history"):
        assert untouched.pop(name) is not None
    assert {name: after[name] for name in untouched} == untouched


def test_what_was_read_stays_as_it_was_read() -> None:
    source = paid(
        items=[item("a", ordered=2, invoiced=1, amount_invoiced=5000, colours={"red"})],
        shipping={"amount_invoiced": 500},
        fees=[{"fee_id": "wrap", "name": "Gift wrap", "amount_invoiced": 10}],
    )
    after_cancel = canceled(source)
    before = stored(source)
    as_read, as_canceled = copy.deepcopy(before.raw), copy.deepcopy(after_cancel.raw)

    before.changed(cancel.cancel(before.order, plan_refund(before.order), ENABLED.reasons[0], REQUEST, AT))
    refunded(after_cancel)

    # The condition of the write is made of it.
    assert before.raw == as_read
    assert after_cancel.raw == as_canceled


def test_the_comment_is_kept_and_not_shown_in_the_history() -> None:
    after = plain(canceled(paid()).raw)

    assert after["cancellation"]["comment"] == "Bought two by mistake"
    assert "mistake" not in str(after["history"])


def test_a_refund_books_items_shipping_fees_and_payments_and_closes_what_was_invoiced_in_full() -> None:
    source = paid(
        items=[item("a", invoiced=1, amount_refunded=1000, qty_refunded=0), item("b", invoiced=1, amount=500)],
        shipping={"amount": 4900, "amount_invoiced": 4900},
        fees=[{"fee_id": "wrap", "name": "Gift wrap", "amount": 300, "amount_invoiced": 300}],
        payments=[payment("p1", captured=8000), payment("p2", captured=8000), payment("p3", authorized=50)],
    )

    after = plain(refunded(canceled(source)).raw)

    assert [(row["qty_refunded"], row["amount_refunded"]) for row in after["items"]] == [(1, 10000), (1, 500)]
    assert after["shipping"]["amount_refunded"] == 4900
    assert after["fees"][0]["amount_refunded"] == 300
    assert [row.get("amount_refunded") for row in after["payments"]] == [8000, 6700, None]
    assert after["payments"][2]["amount_voided"] == 50
    assert after["status"] == "closed"
    assert after["history"][-1] == {
        "at": LATER,
        "status": "closed",
        "comment": "Refund completed.",
        "visible_to_customer": True,
    }
    assert "refund_pending_since" not in after
    assert after["cancellation"]["refund"]["status"] == "succeeded"


def test_an_order_of_which_a_part_was_cancelled_now_stays_canceled() -> None:
    source = paid(items=[item("a", invoiced=1), item("b")])

    assert plain(refunded(canceled(source)).raw)["status"] == "canceled"


def test_an_order_whose_rows_were_invoiced_or_cancelled_before_ends_closed() -> None:
    source = paid(items=[item("a", invoiced=1), item("b", ordered=2, qty_canceled=2)])

    after = plain(refunded(canceled(source)).raw)

    assert after["status"] == "closed"
    assert after["items"][1]["qty_canceled"] == 2


def test_a_failed_leg_fails_the_refund_and_books_no_row_but_what_the_provider_gave_back() -> None:
    source = paid(payments=[payment("p1", captured=4000), payment("p2", captured=6000)])

    after = plain(refunded(canceled(source), failing=("p2",)).raw)

    assert after["cancellation"]["refund"]["status"] == "failed"
    assert after["cancellation"]["refund"]["failure"] == {"code": "PROVIDER_DECLINED"}
    assert [row.get("amount_refunded", 0) for row in after["payments"]] == [4000, 0]
    assert "amount_refunded" not in after["items"][0]
    assert after["status"] == "canceled"
    assert "refund_pending_since" not in after


def test_a_shortfall_ends_failed_after_its_voids() -> None:
    source = paid(payments=[payment("p1", captured=1), payment("p2", authorized=700)])

    after = plain(refunded(canceled(source)).raw)

    assert after["cancellation"]["refund"]["failure"] == {"code": "INSUFFICIENT_CAPTURED_AMOUNT"}
    assert [row.get("amount_refunded", 0) for row in after["payments"]] == [0, 0]
    assert after["payments"][1]["amount_voided"] == 700


def test_a_status_that_the_order_system_has_set_since_is_its_own() -> None:
    after_cancel = canceled(paid())
    after_cancel.raw["status"] = {"S": "archived"}

    assert plain(refunded(StoredOrder(after_cancel.raw)).raw)["status"] == "archived"


def test_rows_are_booked_by_their_ids_wherever_they_stand_since() -> None:
    after_cancel = canceled(paid(items=[item("a", invoiced=1), item("b", invoiced=1, amount=0)]))
    raw = after_cancel.raw | {"items": {"L": list(reversed(after_cancel.raw["items"]["L"]))}}

    after = plain(refunded(StoredOrder(raw)).raw)

    booked = [(row["item_id"], row["qty_refunded"], row.get("amount_refunded", 0)) for row in after["items"]]
    assert booked == [("b", 1, 0), ("a", 1, 10000)]
    assert after["payments"][0]["amount_refunded"] == 10000


def test_ids_are_derived() -> None:
    first, again, other = order(), order(), order(order_id="o2")
    replaced = order(placed_at="2026-11-21T10:00:00Z")

    made = [ids.cancellation_id(one.order_id, one.placed_at) for one in (first, again, other, replaced)]
    assert made[0] == made[1]
    assert len(set(made)) == 3
    legs = [
        Leg(payment_id=payment_id, provider="offline", action=action, amount=1, status="pending")
        for payment_id in ("p1", "p2")
        for action in ("refund", "void")
    ]
    tried_anew = legs[0].model_copy(update={"attempt": 2})
    keys = {ids.leg_key("ref_1", leg) for leg in [*legs, tried_anew]} | {ids.leg_key("ref_2", legs[0])}
    assert len(keys) == 6


quantities = st.decimals(min_value=0, max_value=9, places=1)


@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "qty_ordered": quantities,
                "qty_invoiced": quantities,
                "qty_canceled": quantities,
                "qty_refunded": quantities,
                "amount_invoiced": st.integers(0, 999),
                "amount_refunded": st.integers(0, 999),
                "note": st.sampled_from(["", "x"]),
            }
        ),
        min_size=1,
        max_size=5,
    ),
    surplus=st.integers(0, 50),
)
def test_a_cancelled_and_refunded_order_adds_up(rows: list[dict[str, Any]], surplus: int) -> None:
    items = [item(str(number)) | row for number, row in enumerate(rows)]
    owed = sum(max(0, row["amount_invoiced"] - row["amount_refunded"]) for row in rows)
    source = paid(items=items, payments=[payment(captured=owed + surplus, reference="", shop_note={"a", "b"})])
    before = stored(source).order

    after_cancel = canceled(source)
    kept = after_cancel.order.cancellation
    assert kept is not None
    after = refunded(after_cancel) if kept.refund else after_cancel

    end: Order = after.order
    for was, is_now, row in zip(before.items, end.items, item_rows.item_rows(end, kept.rows), strict=True):
        assert is_now.qty_canceled == was.qty_canceled + row.qty_canceled
        assert is_now.qty_canceled >= was.qty_ordered - was.qty_invoiced
        if kept.refund:
            assert is_now.qty_refunded == max(was.qty_refunded, was.qty_invoiced)
            assert is_now.amount_refunded == max(was.amount_refunded, was.amount_invoiced)
    assert end.payments[0].amount_refunded == owed
    assert kept.surplus == surplus
    documents = plain(after.raw)
    assert [row["note"] for row in documents["items"]] == [row["note"] for row in rows]
    assert documents["payments"][0]["shop_note"] == {"a", "b"}


charges = st.fixed_dictionaries({"amount_invoiced": st.integers(0, 9), "amount_refunded": st.integers(0, 9)})


@given(
    rows=st.lists(st.fixed_dictionaries({"qty_invoiced": quantities, "qty_canceled": quantities}), max_size=3),
    shipping=st.none() | charges,
    fees=st.lists(charges, max_size=2),
    held=st.lists(st.integers(0, 30), max_size=2),
    failing=st.sets(st.sampled_from(["p0", "p1", "released"])),
    erased=st.booleans(),
)
def test_what_is_known_of_an_order_after_a_write_is_what_is_read_of_it(
    rows: list[Any], shipping: Any, fees: list[Any], held: list[int], failing: set[str], erased: bool
) -> None:
    source = paid(
        items=[item(str(number), ordered=3) | row for number, row in enumerate(rows)],
        fees=[{"fee_id": str(number), "name": "Fee"} | fee for number, fee in enumerate(fees)],
        payments=[payment(f"p{number}", captured=amount) for number, amount in enumerate(held)]
        + [payment("released", authorized=50)],
        **({"shipping": shipping} if shipping else {}),
    )
    after_cancel = canceled(source)
    assert after_cancel.order == StoredOrder(after_cancel.raw).order
    after = refunded(after_cancel, tuple(failing))
    assert after.order == StoredOrder(after.raw).order
    if erased:
        before, cancellation = stored(source), after.order.cancellation
        assert cancellation
        after = before.changed(put_back.put_back(before.order, after.order, cancellation, LATER))
        assert after.order == StoredOrder(after.raw).order
    assert after.cancellation == after.order.cancellation


@pytest.mark.parametrize("number", [1, 60])
def test_the_size_is_no_less_than_what_the_database_counts(number: int) -> None:
    one = StoredOrder({"a": {"S": "åb"}, "n": {"N": "-12345"}, "l": {"L": [{"M": {"k": {"BOOL": True}}}] * number}})

    # Names and values: a 1 + 3; n 1 + 3 to 4; l 1 + 3 and, for each entry, 1 + 3 + (1 + 1 + 1).
    assert 4 + 4 + 4 + 7 * number <= one.size <= 4 + 6 + 4 + 7 * number


def test_what_a_payment_gave_back_and_released_before_is_added_to() -> None:
    payments = [payment("p1", captured=12000, amount_refunded=2000), payment("p2", authorized=900, amount_voided=400)]

    after = plain(refunded(canceled(paid(payments=payments))).raw)

    assert after["payments"][0]["amount_refunded"] == 12000
    assert after["payments"][1]["amount_voided"] == 900


def test_the_pending_refunds_of_one_second_lie_under_many_keys_that_sort_by_time() -> None:
    made = [ids.cancellation_id(f"order-{number}", AT) for number in range(500)]

    keys = Counter(ids.pending_since(one, AT) for one in made)

    assert len(keys) == ids.PENDING_SHARDS
    assert max(keys.values()) < 2 * 500 / ids.PENDING_SHARDS
    assert max(keys) < min(ids.pending_since(one, LATER) for one in made)
    assert all(ids.pending_since(one, AT) == ids.pending_since(one, AT) for one in made)
