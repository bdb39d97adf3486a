"""How much Python a request executes. A count, unlike a time, is the same on a busy machine.

What is counted are the bytecode instructions of everything that is Python: ours, botocore's, pydantic's Python part. C
is not seen (JSON, pydantic's core); `make bench` measures all of it, in time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from threading import get_ident
from typing import Any

import pytest
from cancel_core.adapters.dynamodb.config import Policies
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.domain.caller import Customer
from cancel_core.entrypoints.http.documents import canceled_view, eligibility_view, order_view
from cancel_core.entrypoints.http.order_list import page_view
from cancel_core.services.cancel import cancel_order
from cancel_core.services.queries import check_eligibility, get_order, list_orders

from tests.support.machine import need
from tests.support.metering import order_of
from tests.support.tables import NOW, Aws, Shop, product_client, request

WARM_UP, COUNTS = 2, 3


def instructions(work: Callable[[], Any]) -> int:
    """What `work` executes: the least of some counts, for a connection that is opened again in one is none of it.

    It is run twice before: what is made on first use is not counted.
    """
    for _ in range(WARM_UP):
        work()
    return min(_counted(work) for _ in range(COUNTS))


def _counted(work: Callable[[], Any]) -> int:
    monitoring: Any = vars(sys)["monitoring"]  # what the types of the oldest Python here do not know
    mine = get_ident()
    count = 0

    def one(*_: object) -> None:
        nonlocal count
        # Threads that earlier tests have left are looked at, too.
        count += get_ident() == mine

    tool, event = monitoring.PROFILER_ID, monitoring.events.INSTRUCTION
    monitoring.use_tool_id(tool, "instructions")
    monitoring.register_callback(tool, event, one)
    monitoring.set_events(tool, event)
    try:
        work()
    finally:
        monitoring.set_events(tool, 0)
        monitoring.register_callback(tool, event, None)
        monitoring.free_tool_id(tool)
    return count


# In thousands, by rows, for CPython 3.13 and the locked dependencies. A list is a page of four such orders.
EXPECTED = {
    1: {"list": 37, "order": 29, "eligibility": 29, "cancel": 70},
    10: {"list": 52, "order": 34, "eligibility": 33, "cancel": 90},
    100: {"list": 195, "order": 81, "eligibility": 73, "cancel": 288},
    400: {"list": 671, "order": 240, "eligibility": 206, "cancel": 947},
}
SLACK = 1.02
"""A release of Python may compile a line otherwise."""


@pytest.mark.parametrize("aws", ["moto"], indirect=True)
@pytest.mark.parametrize("rows", EXPECTED)
def test_a_request_executes_no_more_than_it_did(shop: Shop, aws: Aws, rows: int) -> None:
    need(sys.version_info[:2] == (3, 13), "Instructions are counted for the functions' Python, 3.13.")
    with product_client(aws) as client:
        orders = Orders(client, shop.tables["orders"])
        policies = Policies(client, shop.config_tables, 1000, print)
        customer = f"customer-of-{rows}-{shop.store_id}"
        caller = Customer(customer)
        ids = [shop.put(order_of(rows) | {"customer_id": customer}) for _ in range(4)]
        another = f"{customer}-who-cancels"
        to_cancel = iter([shop.put(order_of(rows) | {"customer_id": another}) for _ in range(WARM_UP + COUNTS)])

        counted = {
            "list": instructions(lambda: page_view(list_orders(orders, policies, customer, 4, None), customer, NOW)),
            "order": instructions(lambda: order_view(*get_order(orders, policies, ids[-1], caller), NOW)),
            "eligibility": instructions(
                lambda: eligibility_view(*check_eligibility(orders, policies, ids[-1], caller, NOW))
            ),
            "cancel": instructions(
                lambda: canceled_view(
                    cancel_order(orders, policies, request(next(to_cancel), customer_id=another), lambda: NOW), NOW
                )
            ),
        }

    assert {
        route: round(number / 1000)
        for route, number in counted.items()
        if number > EXPECTED[rows][route] * 1000 * SLACK
    } == {}


def test_what_a_request_executes_grows_with_the_order_and_no_faster() -> None:
    for route in EXPECTED[1]:
        of_a_row = (EXPECTED[100][route] - EXPECTED[10][route]) / 90
        assert EXPECTED[400][route] - EXPECTED[100][route] <= 300 * of_a_row * SLACK
