"""The decision: who may cancel, and every blocker that holds."""

from __future__ import annotations

import pytest
from cancel_core.domain.policy import NEVER_CANCELLABLE_STATUSES
from cancel_core.domain.rules import decide
from cancel_core.errors import OrderUnreadable
from hypothesis import given
from hypothesis import strategies as st

from tests.support.orders import DISABLED, ENABLED, item, order, paid, payment
from tests.support.tables import NOW


@pytest.mark.parametrize("status", ["pending", "processing"])
def test_a_cancellable_order_has_no_blocker(status: str) -> None:
    decision = decide(order(status=status), ENABLED, NOW)

    assert decision.eligible
    assert decision.blockers == ()


@pytest.mark.parametrize("status", [*sorted(NEVER_CANCELLABLE_STATUSES), "shipped", "Pending"])
def test_any_other_status_blocks(status: str) -> None:
    decision = decide(order(status=status), ENABLED, NOW)

    assert [blocker.code for blocker in decision.blockers] == ["INVALID_ORDER_STATUS"]
    assert decision.refund is None


def test_a_store_has_its_own_statuses_in_place_of_the_usual() -> None:
    policy = ENABLED._replace(cancellable_statuses=("awaiting_pick",))

    assert decide(order(status="awaiting_pick"), policy, NOW).eligible
    assert not decide(order(status="pending"), policy, NOW).eligible


def test_one_shipped_item_blocks_and_is_named() -> None:
    items = [item("a"), item("b", qty_shipped=1), item("c", qty_shipped=2)]

    (blocker,) = decide(order(items=items), ENABLED, NOW).blockers

    assert blocker.code == "PARTIAL_ORDER_ITEM_SHIPPED"
    assert blocker.item_ids == ("b", "c")


def test_every_blocker_is_listed_in_the_order_they_are_checked() -> None:
    decision = decide(order(status="complete", items=[item(qty_shipped=1)]), DISABLED, NOW)

    assert [blocker.code for blocker in decision.blockers] == [
        "ORDER_CANCELLATION_DISABLED",
        "INVALID_ORDER_STATUS",
        "PARTIAL_ORDER_ITEM_SHIPPED",
    ]


def test_an_order_is_cancelled_once_whatever_becomes_of_its_status() -> None:
    stored = {
        "cancellation_id": "can_1",
        "reason": {"code": "other", "description": "Other"},
        "requested_at": "2026-11-20T11:00:00Z",
        "request_id": "r1",
        "rows": {"digest": "0"},
    }

    decision = decide(order(paid(cancellation=stored)), ENABLED, NOW)

    assert [blocker.code for blocker in decision.blockers] == ["INVALID_ORDER_STATUS"]


@given(
    enabled=st.booleans(),
    status=st.sampled_from(["pending", "processing", "complete", "holded"]),
    shipped=st.lists(st.sampled_from([0, 1]), min_size=1, max_size=4),
)
def test_an_order_is_eligible_exactly_when_nothing_stands_against_it(
    enabled: bool, status: str, shipped: list[int]
) -> None:
    items = [item(str(number), qty_shipped=quantity) for number, quantity in enumerate(shipped)]

    decision = decide(order(status=status, items=items), ENABLED if enabled else DISABLED, NOW)

    assert decision.eligible == (enabled and status in {"pending", "processing"} and not any(shipped))
    assert decision.eligible == (decision.refund is not None)


def test_two_payments_of_one_id_cannot_be_told_apart_and_so_not_be_read() -> None:
    # The key that keeps a refund from being paid twice is made of the payment's id.
    with pytest.raises(OrderUnreadable, match="same payment_id"):
        order(payments=[payment("p1"), payment("p1")])
