"""The reads: one order, a customer's orders, the eligibility of a cancel, a cancellation."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from cancel_core.domain.caller import Caller
from cancel_core.domain.cancellation import Cancellation
from cancel_core.domain.order import Order
from cancel_core.domain.policy import Policy
from cancel_core.domain.rules import Decision, decide
from cancel_core.errors import CancellationNotFound, OrderNotFound, OrderUnreadable
from cancel_core.telemetry import count, logger

if TYPE_CHECKING:
    from datetime import datetime

    from cancel_core.adapters.dynamodb.config import Policies
    from cancel_core.adapters.dynamodb.orders import Orders
    from cancel_core.adapters.dynamodb.stored_order import StoredOrder


class OrderUnderPolicy(NamedTuple):
    """An order, and its store's policy."""

    order: Order
    policy: Policy


class Listed(NamedTuple):
    """An order in a list. `order` is None if it can't be read as a whole; then the parts that can be read are shown.

    `document` has the attributes that the product reads, as plain values.
    """

    document: Mapping[str, Any]
    order: OrderUnderPolicy | None


class OrderPage(NamedTuple):
    """A page of a customer's orders, newest first. `last` is the start of the next one; None after the last page."""

    orders: list[Listed]
    last: dict[str, str] | None


def _own(orders: Orders, order_id: str, caller: Caller) -> StoredOrder:
    """The caller's order. Someone else's order and a missing one give the same result."""
    stored = orders.of_caller(order_id, caller)
    if stored is None:
        raise OrderNotFound("There is no such order.")
    return stored


def get_order(orders: Orders, policies: Policies, order_id: str, caller: Caller) -> OrderUnderPolicy:
    """Raises `OrderNotFound`, `OrderUnreadable`, `ServiceUnavailable`, as all of these do."""
    stored = _own(orders, order_id, caller)
    return OrderUnderPolicy(stored.order, policies.get(stored.store_id))


def check_eligibility(
    orders: Orders, policies: Policies, order_id: str, caller: Caller, now: datetime
) -> tuple[Order, Decision]:
    order, policy = get_order(orders, policies, order_id, caller)
    return order, decide(order, policy, now)


def get_cancellation(orders: Orders, order_id: str, caller: Caller) -> tuple[Order, Cancellation]:
    """Raises `CancellationNotFound` as well."""
    order = _own(orders, order_id, caller).order
    if order.cancellation is None:
        raise CancellationNotFound("This order has not been cancelled here.")
    return order, order.cancellation


def list_orders(
    orders: Orders, policies: Policies, customer_id: str | None, limit: int, after: Mapping[str, str] | None
) -> OrderPage:
    """A page of the caller's orders. `after` is the `last` of the page before. An order that can't be read is logged
    for the operators, and does not fail the page.
    """
    if not customer_id:
        return OrderPage([], None)
    # One read for each store on the page, even if nothing is cached.
    policy_of = functools.cache(policies.get)
    page, last = orders.page(customer_id, limit, after)
    return OrderPage([_listed(stored, policy_of) for stored in page], last)


def _listed(stored: StoredOrder, policy_of: Callable[[str], Policy]) -> Listed:
    try:
        return Listed(stored.document, OrderUnderPolicy(stored.order, policy_of(stored.store_id)))
    except OrderUnreadable as error:
        logger.error("an order in a list can't be read", extra={"faults": error.faults, "order_id": error.order_id})
        count("InternalError")
        return Listed(stored.document, None)
