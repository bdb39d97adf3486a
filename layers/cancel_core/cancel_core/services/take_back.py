"""Takes a request to the shop back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cancel_core.domain.cancellation_request import DECIDED
from cancel_core.domain.request_steps import take_back
from cancel_core.domain.times import iso
from cancel_core.errors import ConcurrentUpdate, OrderChanged, OrderNotFound, RequestDecided, RequestNotFound
from cancel_core.services.queries import OrderUnderPolicy

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cancel_core.adapters.dynamodb.config import Policies
    from cancel_core.adapters.dynamodb.orders import Orders
    from cancel_core.domain.caller import Caller

MAX_ATTEMPTS = 5


def take_back_request(
    orders: Orders, policies: Policies, order_id: str, caller: Caller, clock: Callable[[], datetime]
) -> OrderUnderPolicy:
    """Takes back the request about an order of the caller; repeating it changes nothing.

    Raises `OrderNotFound`, `RequestNotFound`, `RequestDecided`, `ConcurrentUpdate`, `ServiceUnavailable`.
    """
    stored = orders.of_caller(order_id, caller)
    for _ in range(MAX_ATTEMPTS):
        if stored is None or not stored.belongs_to(caller):
            raise OrderNotFound("There is no such order.")
        policy = policies.get(stored.store_id)
        request = stored.request
        if request is None:
            raise RequestNotFound("The shop was not asked to cancel this order.", order=stored.order, policy=policy)
        if request.status in DECIDED:
            raise RequestDecided(
                f"The request can't be taken back any more: it was {request.status}.", order=stored.order, policy=policy
            )
        if not request.is_open:
            return OrderUnderPolicy(stored.order, policy)
        try:
            return OrderUnderPolicy(orders.write(stored, take_back(request, stored.status, iso(clock()))).order, policy)
        except OrderChanged as conflict:
            stored = conflict.current
    raise ConcurrentUpdate("The order kept changing while its request was to be taken back. Try again.")
