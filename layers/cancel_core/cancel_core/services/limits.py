"""A customer's slot of the day: taken before an order is cancelled, returned if it is not cancelled."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from cancel_core.domain.caller import Shop
from cancel_core.domain.ids import slot_id
from cancel_core.domain.limits import Slot, seconds_left, slot_of
from cancel_core.errors import ServiceUnavailable, TooManyCancellations

if TYPE_CHECKING:
    from datetime import datetime

    from cancel_core.adapters.dynamodb.limits import Limits
    from cancel_core.adapters.dynamodb.stored_order import StoredOrder
    from cancel_core.domain.cancel import CancelRequest
    from cancel_core.domain.policy import Policy


def take(
    limits: Limits,
    taken: list[Slot],
    stored: StoredOrder,
    policy: Policy,
    request: CancelRequest,
    now: datetime,
) -> None:
    """Takes the slot of a cancel, or of a request for one, and adds it to `taken`, the slots that this request holds.

    A slot that it holds already costs no round trip.

    Raises `TooManyCancellations`, `ServiceUnavailable`.
    """
    if isinstance(request.caller, Shop):
        # An approved request was counted when the customer made it.
        return
    order = stored.order
    earlier = order.cancellation_request.request_id if order.cancellation_request else ""
    slot = slot_id(order.order_id, order.placed_at, earlier)
    wanted = slot_of(request.caller, stored.contact.email, slot, request.request_id, now)
    if wanted in taken:
        return
    # It is after midnight, or another order has this number.
    give_back(limits, taken)
    if policy.max_cancels_per_day and not limits.take(wanted, policy.max_cancels_per_day):
        raise TooManyCancellations(
            "No more orders can be cancelled today.", order=order, policy=policy, retry_after=seconds_left(now)
        )
    taken.append(wanted)


def give_back(limits: Limits, taken: list[Slot]) -> None:
    """Releases the slots that were taken. If that fails, a slot stays taken until the end of the day."""
    while taken:
        with suppress(ServiceUnavailable):
            limits.give_back(taken.pop())
