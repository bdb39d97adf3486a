"""The sums of a refund."""

from __future__ import annotations

from typing import Any

from cancel_core.domain.refund_plan import plan_refund
from hypothesis import given
from hypothesis import strategies as st

from tests.support.orders import item, order, paid, payment


def test_what_is_invoiced_is_owed_item_by_item() -> None:
    plan = plan_refund(
        order(paid(items=[item("a", invoiced=1), item("b"), item("c", ordered=2, invoiced=2, amount=700)]))
    )

    assert plan.amounts == (10000, 0, 700)


def test_what_was_refunded_before_is_not_refunded_again() -> None:
    plan = plan_refund(order(paid(items=[item(invoiced=1, amount_refunded=4000)])))

    assert plan.amount == 6000


def test_a_negative_difference_counts_as_nothing() -> None:
    items = [item("a", invoiced=1, amount_refunded=12000), item("b", invoiced=1)]

    assert plan_refund(order(paid(items=items))).amounts == (0, 10000)


def test_shipping_and_fees_are_owed_like_items() -> None:
    fees = [
        {"fee_id": "wrap", "name": "Gift wrap", "amount": 300, "amount_invoiced": 300, "amount_refunded": 100},
        {"fee_id": "pay", "name": "Payment fee", "amount": 50, "amount_invoiced": 50},
    ]
    shipping = {"amount": 4900, "amount_invoiced": 4900}

    plan = plan_refund(order(paid(shipping=shipping, fees=fees, payments=[payment(captured=20000)])))

    assert (plan.shipping, plan.fees, plan.amount) == (4900, 250, 15150)


def test_the_sum_is_taken_from_the_payments_in_their_order() -> None:
    payments = [payment("gift-card", captured=3000), payment("card", captured=9000), payment("late", captured=500)]

    plan = plan_refund(order(paid(payments=payments)))

    assert [(leg.payment_id, leg.action, leg.amount) for leg in plan.legs] == [
        ("gift-card", "refund", 3000),
        ("card", "refund", 7000),
    ]
    assert plan.surplus == 2500


def test_where_the_payments_are_short_nothing_is_paid_out_and_authorizations_are_released() -> None:
    payments = [payment("p1", captured=9998), payment("p2", authorized=500)]

    plan = plan_refund(order(paid(payments=payments)))

    assert plan.failure == "INSUFFICIENT_CAPTURED_AMOUNT"
    assert plan.amount == 10000
    assert [(leg.payment_id, leg.action, leg.amount) for leg in plan.legs] == [("p2", "void", 500)]


def test_an_authorization_is_released_for_what_of_it_was_not() -> None:
    plan = plan_refund(order(payments=[payment(authorized=10000, amount_voided=2500)]))

    assert [(leg.action, leg.amount) for leg in plan.legs] == [("void", 7500)]
    assert plan.amount == 0
    assert plan.is_needed


def test_of_a_payment_that_was_captured_in_part_the_rest_of_the_hold_is_released() -> None:
    plan = plan_refund(order(payments=[payment(authorized=10000, captured=6000)]))

    assert [(leg.action, leg.amount) for leg in plan.legs] == [("void", 4000)]
    assert plan.surplus == 6000


def test_a_payment_that_was_captured_in_full_is_never_voided() -> None:
    assert plan_refund(order(payments=[payment(captured=6000), payment("p2", authorized=5, captured=6)])).legs == ()


def test_a_shortfall_of_one_minor_unit_for_each_row_is_rounding() -> None:
    charged = {"shipping": {"amount_invoiced": 10}, "fees": [{"fee_id": "f", "name": "Fee", "amount_invoiced": 5}]}

    plan = plan_refund(order(paid(payments=[payment(captured=10012)], **charged)))

    assert plan.failure is None
    assert (plan.owed, plan.amount, plan.legs[0].amount) == (10015, 10015, 10012)
    assert plan_refund(order(paid(payments=[payment(captured=10011)], **charged))).failure


def test_a_discount_counts_with_its_sign_and_the_sum_is_never_below_nothing() -> None:
    discount = item("discount", amount=-3000, amount_invoiced=-3000)
    greater = item("discount", amount=-30000, amount_invoiced=-30000)

    assert plan_refund(order(paid(items=[item(invoiced=1), discount]))).amounts == (10000, -3000)
    assert plan_refund(order(paid(items=[item(invoiced=1), discount]))).owed == 7000
    assert plan_refund(order(paid(items=[item(invoiced=1), greater]))).owed == 0


def test_nothing_paid_and_nothing_authorized_needs_no_refund() -> None:
    assert not plan_refund(order()).is_needed


def row_owes(row: dict[str, int]) -> int:
    """By the contract: never below 0, but for a row that is itself negative."""
    difference = row["amount_invoiced"] - row["amount_refunded"]
    return min(0, difference) if row["amount_invoiced"] < 0 else max(0, difference)


amounts = st.integers(min_value=-1000, max_value=100_000)
charges = st.fixed_dictionaries({"amount_invoiced": amounts, "amount_refunded": amounts})


@given(
    rows=st.lists(charges, max_size=6),
    shipping=st.none() | charges,
    fees=st.lists(charges, max_size=3),
    payments=st.lists(
        st.fixed_dictionaries(
            {
                "amount_authorized": amounts,
                "amount_captured": amounts,
                "amount_refunded": amounts,
                "amount_voided": amounts,
            }
        ),
        max_size=4,
    ),
)
def test_exactly_what_is_owed_or_nothing_and_never_more_than_a_payment_holds(
    rows: list[dict[str, int]],
    shipping: dict[str, int] | None,
    fees: list[dict[str, int]],
    payments: list[dict[str, int]],
) -> None:
    source: dict[str, Any] = paid(
        items=[item(str(number)) | row for number, row in enumerate(rows)],
        shipping=shipping,
        fees=[{"fee_id": str(number), "name": "fee"} | fee for number, fee in enumerate(fees)],
        payments=[payment(str(number)) | sums for number, sums in enumerate(payments)],
    )

    plan = plan_refund(order(source))

    charged = [*rows, *([shipping] if shipping else []), *fees]
    rows_owe = [row_owes(row) for row in charged]
    owed = max(0, sum(rows_owe))
    held = [max(0, sums["amount_captured"] - sums["amount_refunded"]) for sums in payments]
    back = {leg.payment_id: leg.amount for leg in plan.legs if leg.action == "refund"}
    assert plan.amount == owed
    rounding = 0 < owed - sum(held) <= sum(map(bool, rows_owe)) and sum(held) > 0
    assert sum(back.values()) == (owed if sum(held) >= owed else sum(held) if rounding else 0)
    assert (plan.failure is None) == (sum(held) >= owed or rounding)
    assert plan.surplus == max(0, sum(held) - owed)
    for number, sums in enumerate(payments):
        assert 0 <= back.get(str(number), 0) <= held[number]
        released = [leg.amount for leg in plan.legs if leg.payment_id == str(number) and leg.action == "void"]
        expected = sums["amount_authorized"] - max(0, sums["amount_captured"]) - sums["amount_voided"]
        assert released == ([expected] if expected > 0 else [])
    # In the payments' order: none is drawn on before those ahead of it are empty.
    drawn = [number for number in range(len(payments)) if str(number) in back]
    if drawn:
        assert all(back.get(str(number), 0) == held[number] for number in range(drawn[-1]))
