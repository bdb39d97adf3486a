"""Processes requests to the shop: the row for the admin, the events, and the decision, carried out once.

The function may crash at any line, and may run twice or concurrently. The order has the result of a request: each end
is a conditional write there, and the first one counts. The first decision that is read is stored in the row and counts,
whatever the admin writes later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from cancel_core.domain.caller import Shop
from cancel_core.domain.cancel import CancelRequest
from cancel_core.domain.cancellation_request import (
    CancellationRequest,
    RequestStatus,
    has_ended,
    is_older_request,
    lapsed,
)
from cancel_core.domain.request_events import declined, requested
from cancel_core.domain.request_row import AskedAbout, Decided, Row, new_row, read_decision
from cancel_core.domain.request_steps import decline, request_back
from cancel_core.domain.times import iso
from cancel_core.errors import (
    ConcurrentUpdate,
    OrderChanged,
    OrderNotCancellable,
    OrderNotFound,
    OrderTooLarge,
    OrderUnreadable,
    RequestEnded,
)
from cancel_core.services.attempts import dealt_with
from cancel_core.services.cancel import cancel_order
from cancel_core.telemetry import count, logger

if TYPE_CHECKING:
    from datetime import datetime

    from cancel_core.adapters.dynamodb.config import Policies
    from cancel_core.adapters.dynamodb.orders import Orders
    from cancel_core.adapters.dynamodb.requests import Requests
    from cancel_core.adapters.dynamodb.stored_order import StoredOrder
    from cancel_core.adapters.eventbridge import Bus
    from cancel_core.domain.events import Event
    from cancel_core.domain.order_change import OrderChange

MAX_ATTEMPTS = 5
SAID: Mapping[RequestStatus, str] = {
    "withdrawn": "Taken back by the customer.",
    "lapsed": "Lapsed: the order was cancelled otherwise.",
}
GONE = "Lapsed: there is no such order any more."
ANEW = "Lapsed: the customer has asked anew since."


class Desk(NamedTuple):
    """The dependencies for processing requests."""

    requests: Requests
    orders: Orders
    policies: Policies
    bus: Bus


class OrderSeen(NamedTuple):
    """A change of an order that has a request, or had one."""

    before: StoredOrder | None
    after: StoredOrder | None


class RowSeen(NamedTuple):
    """A row that was written. `deleted`: an open one, as it was before it was deleted."""

    request_id: str
    deleted: dict[str, Any] | None = None


Record = tuple[str, OrderSeen | RowSeen]
"""A sequence number, and the change."""


def process_requests(desk: Desk, records: Sequence[Record], clock: Callable[[], datetime]) -> list[str]:
    """Processes the records of the two streams. Returns the sequence numbers of those to retry."""
    return [
        number
        for number, seen in records
        if not dealt_with("a request", _keys(seen), partial(_process_one, desk, seen, clock))
    ]


def _process_one(desk: Desk, seen: OrderSeen | RowSeen, clock: Callable[[], datetime]) -> None:
    if isinstance(seen, OrderSeen):
        _follow(desk, seen, clock())
    elif seen.deleted is not None:
        logger.warning("an open request was deleted, and is put back: decline it instead", extra=_keys(seen))
        desk.requests.put_back(seen.deleted)
    else:
        carry_out(desk, seen.request_id, clock)


def _keys(seen: OrderSeen | RowSeen) -> dict[str, str]:
    if isinstance(seen, RowSeen):
        return {"cancellation_request_id": seen.request_id}
    stored = seen.after or seen.before
    return {"order_id": stored.order_id} if stored else {}


# --- changes of the order ---------------------------------------------------------------------------------------------


def _follow(desk: Desk, seen: OrderSeen, now: datetime) -> None:
    known = seen.before.request if seen.before else None
    current = seen.after.request if seen.after else None
    if seen.before and known and (seen.after is None or is_older_request(current, known)):
        if seen.after and seen.after.placed_at == seen.before.placed_at:
            _put_back(desk, seen.before, known, now)
        elif known.is_open and (row := desk.requests.get(known.request_id)):
            # Deleted, or another order has its number.
            settle(desk, row)
        return
    if current is None or seen.after is None:
        return
    about = _about(seen.after)
    is_new = known is None or known.request_id != current.request_id
    if is_new:
        # The row is written first, so that subscribers of the event can read it.
        desk.requests.add(new_row(about, current))
        if current.is_open:
            _publish(desk, requested(about, current))
    if current.status in {"declined", "lapsed"} and current.decided_at and (is_new or (known and known.is_open)):
        # A new request that has ended was decided while the order system had overwritten it.
        _publish(desk, declined(about, current))
    if not current.is_open:
        # A stored decision is being carried out, and ends the row itself: it knows why a request has lapsed.
        desk.requests.finish(current.request_id, current.status, _said(current), unless_decided=True)


def _about(stored: StoredOrder) -> AskedAbout:
    return AskedAbout(stored.order_id, stored.placed_at, stored.store_id, stored.owner.customer_id, stored.currency)


def _said(request: CancellationRequest) -> str:
    if request.decided_at and request.status == "lapsed":
        return f"Lapsed: approved {request.decided_at}, and the order could not be cancelled any more."
    if request.decided_at and request.status == "approved":
        return f"Approved, decided {request.decided_at}: the order is cancelled."
    if request.decided_at:
        return f"{request.status.capitalize()}, decided {request.decided_at}."
    return SAID.get(request.status, f"{request.status.capitalize()}.")


def _publish(desk: Desk, event: Event) -> None:
    desk.bus.publish([event])
    logger.info("published", extra=event.log_keys)
    count(event.detail_type)


def _put_back(desk: Desk, before: StoredOrder, known: CancellationRequest, now: datetime) -> None:
    logger.error(
        "the order system has written over a cancellation request: it must change orders with UpdateItem, "
        "or put them on condition of the status it read",
        extra={"order_id": before.order_id, "cancellation_request_id": known.request_id},
    )
    count("CancellationErased")

    def change(stored: StoredOrder) -> OrderChange | None:
        if stored.placed_at != before.placed_at or not is_older_request(stored.request, known):
            return None
        # The order may have been cancelled while the request was missing.
        back = (lapsed(known) if stored.cancellation else None) or known
        return request_back(back, stored.status, iso(now))

    _write(desk, before.order_id, change)


def _write(desk: Desk, order_id: str, change: Callable[[StoredOrder], OrderChange | None]) -> StoredOrder | None:
    """Writes the change that `change` computes from the current order; None for no change. The order after that; None
    if it does not exist.
    """
    stored = desk.orders.get(order_id)
    for _ in range(MAX_ATTEMPTS):
        if stored is None or (wanted := change(stored)) is None:
            return stored
        try:
            return desk.orders.write(stored, wanted)
        except OrderChanged as conflict:
            stored = conflict.current
    raise ConcurrentUpdate("The order kept changing while its cancellation request was to be written.")


def settle(desk: Desk, row: Row) -> bool:
    """Stores the end of an open request, from its order; `lapsed` if the order is gone. False if it has not ended.

    Raises `ServiceUnavailable`.
    """
    stored = desk.orders.get(row.order_id)
    if stored is None or not _is_about(stored, row):
        return desk.requests.finish(row.request_id, "lapsed", GONE)
    if stored.request is None or not has_ended(stored.request, row.request):
        return False
    return desk.requests.finish(row.request_id, *_became(stored.request, row))


def _is_about(stored: StoredOrder, row: Row) -> bool:
    """Whether it is the request's order. The order system may have corrected `placed_at`."""
    return stored.placed_at == row.placed_at or bool(stored.request and stored.request.request_id == row.request_id)


def _became(current: CancellationRequest, row: Row) -> tuple[RequestStatus, str]:
    """The result of a request that has ended, from its order."""
    return (current.status, _said(current)) if current.request_id == row.request_id else ("lapsed", ANEW)


# --- the admin's decision ---------------------------------------------------------------------------------------------


def carry_out(desk: Desk, request_id: str, clock: Callable[[], datetime]) -> None:
    """Carries out an admin's decision, or reports one that can't be read. Idempotent.

    Raises `ConcurrentUpdate`, `ServiceUnavailable`.
    """
    for _ in range(MAX_ATTEMPTS):
        row = desk.requests.get(request_id)
        if row is None or row.status != "open":
            return
        if row.decided:
            _carry_out(desk, row, row.decided, clock)
            return
        said = read_decision(row, iso(clock()))
        if not isinstance(said, Decided):
            if said and said != row.outcome:
                desk.requests.say(request_id, said)
            return
        if desk.requests.claim(row, said):
            _carry_out(desk, row, said, clock)
            return
    raise ConcurrentUpdate("The row kept changing while its decision was to be carried out.")


def _carry_out(desk: Desk, row: Row, decided: Decided, clock: Callable[[], datetime]) -> None:
    keys = {"cancellation_request_id": row.request_id, "order_id": row.order_id}
    if decided.decision == "approved":
        status, outcome = _approve(desk, row, decided, clock)
    else:
        status, outcome = _end(desk, row, row.request.ended("declined", decided.at, decided.note), clock())
    desk.requests.finish(row.request_id, status, outcome)
    logger.info("a request has ended", extra=keys | {"status": status})


def _approve(desk: Desk, row: Row, decided: Decided, clock: Callable[[], datetime]) -> tuple[RequestStatus, str]:
    """Cancels the current order as the customer would."""
    stored = desk.orders.get(row.order_id)
    known = stored.request if stored else None
    # From the order, with the fields that a newer version may have added; else from the row.
    request = known if known and known.request_id == row.request_id else row.request
    placed_at = stored.placed_at if stored and request is known else row.placed_at
    approved = request.ended("approved", decided.at, decided.note)
    asked = CancelRequest(
        row.order_id,
        Shop(placed_at),
        row.reason,
        row.comment,
        request_id=row.request_id,
        fingerprint=None,
        judged="request",
        placed_at=placed_at,
        approved=approved,
    )
    try:
        cancel_order(desk.orders, desk.policies, asked, clock)
    except RequestEnded:
        return _ended_otherwise(desk, row)
    except OrderNotFound:
        return "lapsed", GONE
    except (OrderNotCancellable, OrderTooLarge) as refusal:
        return _lapse(desk, row, decided, clock(), refusal.detail)
    except OrderUnreadable as error:
        logger.error("an order that was to be cancelled can't be read", extra={"faults": error.faults})
        return _lapse(desk, row, decided, clock(), f"The order can't be read: {'; '.join(error.faults)}.")
    return approved.status, _said(approved)


def _ended_otherwise(desk: Desk, row: Row) -> tuple[RequestStatus, str]:
    stored = desk.orders.get(row.order_id)
    if stored is None or stored.request is None or not has_ended(stored.request, row.request):
        raise ConcurrentUpdate("The order was written over while its cancellation request was carried out.")
    return _became(stored.request, row)


def _lapse(desk: Desk, row: Row, decided: Decided, now: datetime, why: str) -> tuple[RequestStatus, str]:
    status, outcome = _end(desk, row, row.request.ended("lapsed", decided.at, decided.note), now)
    return status, f"Lapsed: {why}" if status == "lapsed" and outcome != ANEW else outcome


def _end(desk: Desk, row: Row, ended: CancellationRequest, now: datetime) -> tuple[RequestStatus, str]:
    """Writes an end on the order, unless it has another one. Returns the result of the request: `ended` also if the
    order does not exist, or is another one.
    """

    def change(stored: StoredOrder) -> OrderChange | None:
        current = stored.request
        if not _is_about(stored, row) or has_ended(current, row.request):
            return None
        if current and current.request_id == row.request_id:
            return decline(current.ended(ended.status, ended.decided_at, ended.note), stored.status, iso(now))
        # The order system has overwritten it.
        return decline(ended, stored.status, iso(now))

    stored = _write(desk, row.order_id, change)
    current = stored.request if stored and _is_about(stored, row) else None
    return _became(current or ended, row)
