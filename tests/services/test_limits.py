"""So many cancels a day for each customer: which of them count, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from cancel_core.adapters.dynamodb.limits import Limits
from cancel_core.domain.caller import Customer, Guest, address_hash
from cancel_core.domain.ids import cancellation_id
from cancel_core.domain.limits import slot_of
from cancel_core.errors import CommentRequired, OrderNotCancellable, OrderTooLarge, TooManyCancellations
from cancel_core.services.cancel import cancel_order
from cancel_core.services.take_back import take_back_request

from tests.support.limits import PLACED, REFUSED, Till
from tests.support.metering import Meter
from tests.support.orders import item, paid
from tests.support.tables import NOW, Aws, Calls, open_shop, request


def test_beyond_the_limit_a_cancel_is_refused_and_nothing_is_written(till: Till) -> None:
    orders = [till.put() for _ in range(3)]
    assert [till.outcome(order_id) for order_id in orders] == ["canceled", "canceled", REFUSED]
    with pytest.raises(TooManyCancellations) as refused:
        till.cancel(orders[2])
    # From ten o'clock to midnight of UTC.
    assert refused.value.retry_after == 14 * 3600
    assert refused.value.order
    assert refused.value.policy
    assert "cancellation" not in till.shop.document(orders[2])
    assert till.counted() == till.slots(*orders[:2])
    # Somebody else's day is another's, and so is the next one.
    assert till.outcome(till.put(customer_id="c2"), customer_id="c2") == "canceled"
    till.now += timedelta(hours=14)
    assert till.outcome(orders[2]) == "canceled"


def test_one_round_trip_more_where_it_is_set_and_none_where_it_is_not(till: Till) -> None:
    policies = till.shop.policies(cache_seconds=60)
    policies.get(till.shop.store_id)
    calls = Calls(till.shop.client)
    order_id = till.put()
    calls.made.clear()
    asked = request(order_id, customer_id=till.customer_id)
    cancel_order(till.shop.orders, policies, asked, lambda: NOW, lambda: till.limits)
    assert calls.made == ["Query", "UpdateItem", "UpdateItem"]

    till.shop.configure()
    order_id = till.put()
    policies = till.shop.policies(cache_seconds=60)
    policies.get(till.shop.store_id)
    calls.made.clear()
    never: Callable[[], Limits] = lambda: pytest.fail("the table was asked for")  # noqa: E731 - to have a type
    cancel_order(till.shop.orders, policies, request(order_id, customer_id=till.customer_id), lambda: NOW, never)
    assert calls.made == ["Query", "UpdateItem"]


@pytest.mark.parametrize("aws", ["dynamodb-local"], indirect=True)
def test_what_counting_consumes(till: Till, aws: Aws) -> None:
    """docs/costs.md says so. The gateway's ids of requests have 16 characters."""
    meter = Meter(aws.client("dynamodb"))
    limits, written = Limits(meter.client, till.limits.table), []
    for number in range(12):
        slot = slot_of(Customer(till.customer_id), "", cancellation_id(f"o{number}", PLACED), "x" * 16, NOW)
        assert limits.take(slot, 12)
        trips, read, units = meter.units()
        assert (trips, int(read)) == (1, 0)
        written.append(int(units))
    assert written == [1] * 10 + [2] * 2


def test_the_limit_is_the_orders_stores_and_counts_over_all_stores_that_have_one(till: Till, aws: Aws) -> None:
    other, without = open_shop(aws), open_shop(aws)
    other.configure(max_cancels_per_day=1)
    elsewhere = other.put(paid(customer_id=till.customer_id, placed_at=PLACED))
    free = [without.put(paid(customer_id=till.customer_id, placed_at=PLACED)) for _ in range(3)]

    assert [till.outcome(order_id, shop=without) for order_id in free] == ["canceled"] * 3
    assert till.outcome(till.put()) == "canceled"
    assert till.outcome(elsewhere, shop=other) == REFUSED
    other.configure(max_cancels_per_day=2)
    assert till.outcome(elsewhere, shop=other) == "canceled"
    assert till.outcome(till.put()) == REFUSED


def test_a_limit_that_is_lowered_during_the_day_takes_nothing_back(till: Till) -> None:
    till.shop.configure(max_cancels_per_day=5)
    orders = [till.put() for _ in range(4)]
    assert [till.outcome(order_id, key="k") for order_id in orders[:3]] == ["canceled"] * 3
    till.shop.configure(max_cancels_per_day=1)
    assert till.outcome(orders[3]) == REFUSED
    assert till.outcome(orders[0], key="k") == "replayed"
    till.shop.configure(max_cancels_per_day=4)
    assert till.outcome(orders[3]) == "canceled"


def test_a_repeat_is_neither_refused_nor_counted(till: Till) -> None:
    till.shop.configure(max_cancels_per_day=1)
    order_id = till.put()
    assert till.outcome(order_id, key="k") == "canceled"
    calls = Calls(till.shop.client)
    assert [till.outcome(order_id, key="k") for _ in range(3)] == ["replayed"] * 3
    assert "UpdateItem" not in calls.made
    assert till.outcome(order_id) == "INVALID_ORDER_STATUS"
    assert till.counted() == till.slots(order_id)


def test_it_is_the_last_refusal_but_for_those_of_the_write(till: Till) -> None:
    till.shop.configure(max_cancels_per_day=1, comment_required_for=["other"])
    assert till.outcome(till.put(), comment="Two of them") == "canceled"
    shipped = till.put(items=[item(qty_shipped=1)])
    large = till.put(blob="x" * 397 * 1024)
    for _ in range(2):
        with pytest.raises(OrderNotCancellable):
            till.cancel(shipped)
        assert till.outcome(till.put(), reason="none") == "INVALID_CANCELLATION_REASON"
        with pytest.raises(CommentRequired):
            till.cancel(till.put())
    assert till.outcome(large, comment="Two of them") == REFUSED
    till.now += timedelta(days=1)
    # What is too large takes nobody's place.
    with pytest.raises(OrderTooLarge) as refused:
        till.cancel(large, comment="Two of them")
    assert refused.value.order
    assert till.counted() == set()
    assert till.outcome(till.put(), comment="Two of them") == "canceled"


def test_a_withdrawal_is_not_counted(till: Till) -> None:
    till.shop.configure(max_cancels_per_day=1)
    orders = [till.put() for _ in range(3)]
    withdrawn = {"judged": "withdrawal", "reason": "withdrawal", "placed_at": PLACED}
    assert [till.outcome(order_id, **withdrawn) for order_id in orders[:2]] == ["canceled"] * 2
    assert till.counted() == set()
    # Nor is what the shop has decided itself.
    assert till.outcome(orders[2], limits=None) == "canceled"
    assert till.counted() == set()
    assert till.outcome(till.put()) == "canceled"


def test_a_request_counts_as_a_cancel_and_each_one_once(till: Till) -> None:
    till.shop.configure(max_cancels_per_day=2, approval="always")
    order_id = till.put()
    assert till.outcome(order_id, key="k") == "requested"
    assert till.outcome(order_id, key="k") == "replayed"
    assert till.outcome(order_id) == "CANCELLATION_REQUESTED"
    assert till.counted() == till.slots(order_id)
    # The next request is another one, and so is a cancel after it.
    take_back_request(till.shop.orders, till.shop.policies(), order_id, Customer(till.customer_id), lambda: till.now)
    assert len(till.counted()) == 1
    assert till.outcome(order_id) == "requested"
    assert len(till.counted()) == 2
    assert till.outcome(till.put()) == REFUSED
    take_back_request(till.shop.orders, till.shop.policies(), order_id, Customer(till.customer_id), lambda: till.now)
    till.shop.configure(max_cancels_per_day=2)
    assert till.outcome(order_id) == REFUSED


def test_a_guests_address_is_counted_over_all_orders_that_have_it(till: Till) -> None:
    till.shop.configure(max_cancels_per_day=1)
    address = f"{till.customer_id}@example.com"

    def place(address: str) -> tuple[str, Guest]:
        source = paid(customer_email=address, placed_at=PLACED)
        del source["customer_id"]
        order_id = till.shop.put(source)
        return order_id, Guest(order_id, PLACED, address_hash(address, b"token"), b"token")

    (first, guest), (second, same), (third, other) = place(address), place(f" {address.upper()}"), place(f"a{address}")
    assert till.outcome(first, caller=guest) == "canceled"
    assert till.outcome(second, caller=same) == REFUSED
    assert till.outcome(third, caller=other) == "canceled"
    assert till.counted(guest, address) == till.slots(first)
    assert till.counted(same, address) == till.slots(first)
    items = till.shop.client.scan(TableName=till.limits.table, ConsistentRead=True)["Items"]
    assert till.customer_id not in str(items)
