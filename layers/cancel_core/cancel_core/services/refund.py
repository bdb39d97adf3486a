"""The refund: record the intent, ask the provider under a derived key, book the result on refund and order together.

Each line that talks to the outside may be the last one that runs. The message then comes again, or the reconciler
announces the order anew, and the same steps find what was done: the intent by its derived id, the provider's part by
the derived key, the booking by the leg's state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cancel_core.domain import booking, refund_document
from cancel_core.domain.cancellation import Cancellation, Refund
from cancel_core.domain.ids import refund_id
from cancel_core.domain.order import Order
from cancel_core.domain.provider import Provider
from cancel_core.domain.times import iso, moment
from cancel_core.errors import (
    CancelCoreError,
    CancellationErased,
    OrderUnreadable,
    ProviderUnavailable,
)
from cancel_core.services.refund_steps import given_up, next_step
from cancel_core.telemetry import logger

if TYPE_CHECKING:
    from cancel_core.adapters.dynamodb.orders import Orders
    from cancel_core.adapters.dynamodb.refunds import Refunds
    from cancel_core.adapters.dynamodb.stored_order import StoredOrder

MAX_ATTEMPTS = 5
LATE = timedelta(hours=1)
"""Well within the day for which a provider remembers a key."""
_LOOK_FIRST = "Look at the provider for this refund's id before paying anything by hand."
_GONE = f"The order is no longer in the table, so nothing more is paid out or released. {_LOOK_FIRST}"


class RefundContended(CancelCoreError):
    """Others kept changing the order or the refund; the message is to come again."""


def refund_order(
    orders: Orders,
    refunds: Refunds,
    providers: Mapping[str, Provider],
    order_id: str,
    cancellation_id: str,
    clock: Callable[[], datetime],
) -> Refund | None:
    """Carries a cancelled order's refund as far as it goes now, from wherever it stands.

    Answers the refund, `pending` where the provider has yet to know; None when nothing was left to do. Safe to run
    twice and at once. Three round trips to the database for one payment, one more for each further payment.
    Raises `CancellationErased` while the order does not have its cancellation; `ProviderUnavailable`,
    `ServiceUnavailable` and `RefundContended` when it is to be tried again.
    """
    refund = _refund(orders, refunds, providers, order_id, cancellation_id, clock)
    logger.info("refund carried out", extra={"status": refund.status if refund else "nothing to do"})
    return refund


def _refund(
    orders: Orders,
    refunds: Refunds,
    providers: Mapping[str, Provider],
    order_id: str,
    cancellation_id: str,
    clock: Callable[[], datetime],
) -> Refund | None:
    for _ in range(MAX_ATTEMPTS):
        stored = orders.get(order_id)
        if stored is None or stored.cancellation_id != cancellation_id:
            # Deleted, or another order under its order_id. Who listens is told from the stream, as of all else.
            _close(refunds, order_id, cancellation_id, iso(clock()))
            return None
        cancellation = stored.cancellation
        if cancellation is None:
            raise CancellationErased(f"order {order_id} does not have its cancellation; it is put back from the stream")
        if cancellation.refund is None or cancellation.refund.status != "pending":
            return None
        if finished := _carry_through(refunds, providers, stored, cancellation, cancellation.refund, clock):
            return finished
    raise RefundContended(f"order {order_id} kept changing while its refund was to be booked")


def _carry_through(
    refunds: Refunds,
    providers: Mapping[str, Provider],
    stored: StoredOrder,
    cancellation: Cancellation,
    refund: Refund,
    clock: Callable[[], datetime],
) -> Refund | None:
    """The refund as far as it went; or None when somebody got in between, and the order is to be read anew."""
    order, unreadable = _readable(stored)
    intent = refund_document.begun(stored.order_id, stored.store_id, order, cancellation, refund, iso(clock()))
    document = refunds.begin(intent)
    # What seems to begin long after the cancel may have been begun before: a restored table knows nothing of it.
    is_retry = document is not intent or _is_late(cancellation, clock())
    if document.get("order_gone") and "settled" not in document:
        # It is there again; or it never was gone, and somebody has asked for the refund of another order.
        again = refund_document.taken_up_again(document, intent)
        if not refunds.write(document, again):
            return None
        document = again
    waiting: set[str] = set()
    while refund.status == "pending":
        if order is None:
            step = given_up(refund, unreadable, clock)
            change = booking.book_failure(cancellation, step.refund)
        else:
            try:
                found = next_step(providers, order, refund, document, waiting, clock, is_retry=is_retry)
            except ProviderUnavailable as error:
                refunds.note(refund.refund_id, iso(clock()), str(error))
                raise
            if found is None:
                return refund
            step = found
            change = booking.book(order, cancellation, step.refund, earlier=step.earlier)
        after = refund_document.after_step(document, step)
        written = refunds.book(document, after, stored, change)
        if written is None:
            return None
        stored, document, refund = written, after, step.refund
        order, unreadable = _readable(stored)
        cancellation = cancellation.model_copy(update={"refund": refund})
    return refund


def _is_late(cancellation: Cancellation, now: datetime) -> bool:
    requested = moment(cancellation.requested_at)
    return requested is None or now - requested > LATE


def _readable(stored: StoredOrder) -> tuple[Order | None, str | None]:
    try:
        return stored.order, None
    except OrderUnreadable as error:
        return None, f"{error}. {_LOOK_FIRST}"


def _close(refunds: Refunds, order_id: str, cancellation_id: str, at: str) -> None:
    closed = refund_id(cancellation_id)
    if refunds.close(closed, cancellation_id, order_id, {"code": "INVALID_ORDER", "message": _GONE}, at):
        logger.error("a refund is given up, since its order is gone", extra={"refund_id": closed})
