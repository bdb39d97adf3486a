"""So many cancels a day for each customer: however many come at once and whatever breaks, what was cancelled counts
once, and nothing else does.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from cancel_core.adapters.dynamodb.limits import Limits
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.domain.caller import Customer
from cancel_core.domain.ids import cancellation_id
from cancel_core.domain.limits import slot_of
from cancel_core.errors import ConcurrentUpdate, OrderUnreadable, Refusal, ServiceUnavailable

from tests.support.limits import PLACED, REFUSED, Till, just_before_the_write
from tests.support.orders import document, item, payment
from tests.support.tables import Aws, Calls

# --- races ------------------------------------------------------------------------------------------------------------


def test_of_twenty_cancels_at_once_as_many_as_the_limit_are_accepted(till: Till) -> None:
    till.shop.configure(max_cancels_per_day=3)
    orders = [till.put() for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(till.outcome, orders))
    assert sorted(answers) == sorted(["canceled"] * 3 + [REFUSED] * 17)
    done = [order_id for order_id in orders if "cancellation" in till.shop.document(order_id)]
    assert [answers[orders.index(order_id)] for order_id in done] == ["canceled"] * 3
    assert till.counted() == till.slots(*done)


@pytest.mark.parametrize("approval", ["never", "always"])
@pytest.mark.parametrize("key", [None, "the same"])
def test_of_twenty_cancels_of_one_order_at_once_one_counts_and_the_last_place_is_enough(
    till: Till, key: str | None, approval: str
) -> None:
    till.shop.configure(max_cancels_per_day=1, approval=approval)
    done, refused = (
        ("requested", "CANCELLATION_REQUESTED") if approval == "always" else ("canceled", "INVALID_ORDER_STATUS")
    )
    order_id = till.put()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: till.outcome(order_id, key=key), range(20)))
    assert answers.count(done) == 1
    assert set(answers) - {done} == {"replayed" if key else refused}
    assert till.counted() == till.slots(order_id)
    assert till.outcome(till.put()) == REFUSED


@pytest.mark.parametrize(
    ("meanwhile", "code"),
    [
        ({"items": [item(invoiced=1, qty_shipped=1)]}, "PARTIAL_ORDER_ITEM_SHIPPED"),
        ({"status": "complete"}, "INVALID_ORDER_STATUS"),
        ({"customer_id": "someone else"}, "ORDER_NOT_FOUND"),
        ({"blob": "x" * 397 * 1024, "store_id": "another"}, "ORDER_CANCELLATION_DISABLED"),
    ],
)
def test_what_is_not_cancelled_after_all_takes_nobodys_place(
    till: Till, aws: Aws, meanwhile: dict[str, Any], code: str
) -> None:
    till.shop.configure(max_cancels_per_day=1)
    order_id = till.put()
    with just_before_the_write(till, aws, lambda: till.shop.set(order_id, **meanwhile)) as orders:
        assert till.outcome(order_id, orders=orders) == code
    assert till.counted() == set()
    assert till.outcome(till.put()) == "canceled"


def test_an_order_that_becomes_unreadable_takes_nobodys_place(till: Till, aws: Aws) -> None:
    order_id = till.put()
    broken = [payment("same"), payment("same")]
    with (
        just_before_the_write(till, aws, lambda: till.shop.set(order_id, payments=broken)) as orders,
        pytest.raises(OrderUnreadable),
    ):
        till.cancel(order_id, orders=orders)
    assert till.counted() == set()


def test_an_order_that_keeps_changing_takes_one_place_while_it_is_tried_and_none_after(till: Till, aws: Aws) -> None:
    till.shop.configure(max_cancels_per_day=1)
    order_id, other = till.put(), till.put()
    seen: list[str] = []

    def change() -> None:
        till.shop.set(order_id, payments=[payment(captured=10001 + len(seen))])
        seen.append(till.outcome(other))

    with just_before_the_write(till, aws, *[change] * 5) as orders, pytest.raises(ConcurrentUpdate):
        till.cancel(order_id, orders=orders)
    assert seen == [REFUSED] * 5
    assert till.counted() == set()
    assert till.outcome(other) == "canceled"


def test_who_gives_up_leaves_the_place_to_another_request_about_the_same_order(till: Till, aws: Aws) -> None:
    """One has taken it, another has found it taken; the first gives up before the other cancels."""
    till.shop.configure(max_cancels_per_day=1)
    order_id = till.put()
    amounts = iter(range(10001, 10100))
    seconds = slot_of(Customer(till.customer_id), "", cancellation_id(order_id, PLACED), "second", till.now)

    def change() -> None:
        till.shop.set(order_id, payments=[payment(captured=next(amounts))])
        assert till.limits.take(seconds, 1)

    with just_before_the_write(till, aws, *[change] * 5) as orders, pytest.raises(ConcurrentUpdate):
        till.cancel(order_id, orders=orders)

    assert till.outcome(till.put()) == REFUSED
    till.cancel(order_id, request_id="second")
    assert till.counted() == till.slots(order_id)
    assert till.outcome(till.put()) == REFUSED


def test_a_second_try_holds_what_the_first_has_taken(till: Till, aws: Aws) -> None:
    order_id, calls = till.put(), Calls(till.shop.client)
    changed = {"payments": [payment(captured=10001)]}
    with just_before_the_write(till, aws, lambda: till.shop.set(order_id, **changed)) as orders:
        assert till.outcome(order_id, orders=orders) == "canceled"
    # The shop's own change, and the one that takes the slot.
    assert calls.made.count("UpdateItem") == 2


def test_who_loses_to_another_request_about_the_same_order_leaves_its_place(till: Till, aws: Aws) -> None:
    order_id = till.put()
    with just_before_the_write(till, aws, lambda: till.cancel(order_id)) as orders:
        assert till.outcome(order_id, orders=orders) == "INVALID_ORDER_STATUS"
    assert till.counted() == till.slots(order_id)


# --- crashes and lost answers -----------------------------------------------------------------------------------------


class Crash(BaseException):
    """The function ends here."""


def crash() -> None:
    raise Crash


@pytest.mark.parametrize("approval", ["never", "always"])
def test_a_crash_between_count_and_cancel_leaves_a_place_that_is_the_orders_own(
    till: Till, aws: Aws, approval: str
) -> None:
    till.shop.configure(max_cancels_per_day=1, approval=approval)
    order_id, other = till.put(), till.put()
    with just_before_the_write(till, aws, crash) as orders, pytest.raises(Crash):
        till.cancel(order_id, key="k", orders=orders)
    assert till.counted() == till.slots(order_id)
    assert till.outcome(other) == REFUSED
    assert till.outcome(order_id, key="k") == ("requested" if approval == "always" else "canceled")
    assert till.counted() == till.slots(order_id)


@pytest.mark.parametrize("arrived", [True, False])
def test_a_write_with_no_clear_answer_keeps_its_place(till: Till, aws: Aws, arrived: bool) -> None:
    till.shop.configure(max_cancels_per_day=1)
    order_id, other = till.put(), till.put()
    losing = aws.client("dynamodb", retries={"mode": "standard", "total_max_attempts": 1})
    sent: list[Any] = []
    losing.meta.events.register(
        "provide-client-params.dynamodb.UpdateItem", lambda params, **_: sent.append(dict(params))
    )

    def lose() -> None:
        if arrived:
            till.shop.client.update_item(**sent[-1])
        raise EndpointConnectionError(endpoint_url="lost")

    Calls(losing).before("UpdateItem", lose)
    with pytest.raises(ServiceUnavailable):
        till.cancel(order_id, key="k", orders=Orders(losing, till.shop.tables["orders"]))

    assert till.counted() == till.slots(order_id)
    assert till.outcome(other) == REFUSED
    assert till.outcome(order_id, key="k") == ("replayed" if arrived else "canceled")
    assert till.counted() == till.slots(order_id)


def test_a_count_with_no_answer_cancels_nothing_and_counts_once(till: Till, aws: Aws) -> None:
    till.shop.configure(max_cancels_per_day=1)
    order_id = till.put()
    losing = aws.client("dynamodb", retries={"mode": "standard", "total_max_attempts": 1})
    Calls(losing).before("UpdateItem", _fail)
    with pytest.raises(ServiceUnavailable):
        till.cancel(order_id, limits=Limits(losing, till.limits.table))
    assert "cancellation" not in till.shop.document(order_id)
    assert till.outcome(order_id) == "canceled"
    assert till.counted() == till.slots(order_id)


def _fail() -> None:
    raise EndpointConnectionError(endpoint_url="lost")


def test_a_place_that_cannot_be_given_back_hides_no_refusal(till: Till, aws: Aws) -> None:
    order_id = till.put()
    losing = aws.client("dynamodb", retries={"mode": "standard", "total_max_attempts": 1})
    calls = Calls(losing)

    def ship() -> None:
        till.shop.set(order_id, status="complete")
        calls.before("UpdateItem", _fail)

    with just_before_the_write(till, aws, ship) as orders:
        assert till.outcome(order_id, orders=orders, limits=Limits(losing, till.limits.table)) == "INVALID_ORDER_STATUS"
    assert till.counted() == till.slots(order_id)


def test_midnight_between_two_tries_counts_on_the_day_of_the_cancel(till: Till, aws: Aws) -> None:
    order_id = till.put()
    till.now = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)

    def later() -> None:
        till.shop.set(order_id, payments=[payment(captured=10001)])
        till.now += timedelta(seconds=2)

    with just_before_the_write(till, aws, later) as orders:
        assert till.outcome(order_id, orders=orders) == "canceled"
    assert till.counted() == till.slots(order_id)
    till.now -= timedelta(seconds=2)
    assert till.counted() == set()


def test_another_order_under_the_same_number_counts_as_itself(till: Till, aws: Aws) -> None:
    order_id = till.put()
    again = "2026-11-21T10:00:00Z"
    with just_before_the_write(till, aws, lambda: till.shop.set(order_id, placed_at=again)) as orders:
        assert till.outcome(order_id, orders=orders) == "canceled"
    assert till.counted() == {cancellation_id(order_id, again)}


def test_nothing_is_left_of_many_that_come_at_once_and_are_refused(till: Till) -> None:
    """The order system takes the order away from under all of them."""
    till.shop.configure(max_cancels_per_day=3)
    orders = [till.shop.put(document(customer_id=till.customer_id, placed_at=PLACED)) for _ in range(6)]

    def one(number: int) -> None:
        order_id = orders[number % 6]
        if number % 4 == 3:
            till.shop.set(order_id, status="complete")
        else:
            with suppress(Refusal):
                till.cancel(order_id)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(one, range(60)))
    done = [order_id for order_id in orders if "cancellation" in till.shop.document(order_id)]
    assert till.counted() == till.slots(*done)
    assert len(done) <= 3
