"""What an operator may do with a refund that the product can't settle by itself. Each is safe to run twice.

The order and the refund document are changed in one transaction, as by the refund function, and on the same conditions.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.adapters.dynamodb.refunds import Refunds
from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.adapters.eventbridge import Bus
from cancel_core.domain import booking, ids, operator
from cancel_core.domain.cancellation import Cancellation, Refund
from cancel_core.domain.events import canceled
from cancel_core.domain.order import Order
from cancel_core.domain.refund_document import has_same_legs
from cancel_core.domain.times import iso
from cancel_core.errors import CancelCoreError, OrderUnreadable, PublishFailed

MAX_ATTEMPTS = 5


class Refused(CancelCoreError):
    """What was asked for can't be done. The message tells the operator why, and what to do instead."""


class Person(NamedTuple):
    """Who does it, and why. Both are kept in the refund's log."""

    by: str
    why: str


class Case(NamedTuple):
    """A refund's document, and its order where there still is one that carries this very refund."""

    document: dict[str, Any]
    stored: StoredOrder | None
    cancellation: Cancellation | None
    refund: Refund | None

    @property
    def status(self) -> str:
        """The order's word counts: that is what the customer sees."""
        return self.refund.status if self.refund else str(self.document["status"])

    @property
    def order(self) -> Order | None:
        """None where the order is gone or can't be read."""
        try:
            return self.stored.order if self.stored and self.refund else None
        except OrderUnreadable:
            return None


def find(orders: Orders, refunds: Refunds, some_id: str) -> Case:
    """The case of a refund_id or an order_id. Raises `Refused` where there is none."""
    refund_id = some_id
    if not some_id.startswith("ref_") and (stored := orders.get(some_id)):
        refund_id = ids.refund_id(stored.cancellation_id)
    document = refunds.get(refund_id)
    if document is None:
        raise Refused(
            f"No refund was begun under {some_id}. An order that waits for its refund to begin is in `list`; "
            "the reconciler announces it again by itself."
        )
    stored = orders.get(document["order_id"])
    cancellation = stored.cancellation if stored else None
    refund = cancellation.refund if cancellation else None
    if refund is None or refund.refund_id != refund_id:
        return Case(document, stored, None, None)
    return Case(document, stored, cancellation, refund)


def retry(orders: Orders, refunds: Refunds, bus: Bus, some_id: str, person: Person, now: datetime) -> str:
    """Has a failed refund carried out again, under new keys. Answers what was done.

    Before anything is paid the provider is asked what it already did for this refund.
    """

    def step(case: Case) -> tuple[Refund, str] | str:
        if case.status != "failed":
            return f"The refund is {case.status}: there is nothing to try again."
        if case.order is None or case.refund is None:
            raise Refused(
                "Its order is gone or can't be read, so nothing can be paid by us. Pay by hand, then `settle`."
            )
        if not has_same_legs(case.document, case.refund):
            raise Refused(
                "An earlier refund of this order had other sums. Compare the two, pay by hand, then `settle`."
            )
        again = operator.try_anew(case.order, case.refund, iso(now))
        if again is None:
            raise Refused(
                "The order's payments hold less than is owed. Correct them in the order system, or pay by hand, "
                "then `settle`."
            )
        return again, "tried again"

    said = _change(orders, refunds, some_id, person, now, step)
    case = find(orders, refunds, some_id)
    if case.status == "pending" and case.stored and case.cancellation:
        # Should this be lost, the reconciler does the same a little later.
        with suppress(PublishFailed):
            bus.publish([canceled(case.stored.state, case.cancellation)])
    return said


def settle(orders: Orders, refunds: Refunds, some_id: str, person: Person, now: datetime) -> str:
    """Marks a failed refund as settled by hand: the customer has been given what was owed, or it was decided otherwise.

    The order's rows are booked as refunded and `OrderRefunded` is sent; the payments are not touched, for what a
    person did at a provider the order system books itself. Answers what was done.
    """

    def step(case: Case) -> tuple[Refund | None, str] | str:
        if case.status == "succeeded":
            return "The refund has succeeded or is settled: nothing to do."
        if case.status == "pending":
            raise Refused(
                "The refund is still pending, and might be paid at any time. `give-up` first, then look again."
            )
        return (operator.settle_by_hand(case.refund, iso(now)) if case.refund else None), "settled by hand"

    return _change(orders, refunds, some_id, person, now, step)


def give_up(orders: Orders, refunds: Refunds, some_id: str, person: Person, now: datetime) -> str:
    """Ends a pending refund as failed, so that it can be settled by hand. Answers what was done."""

    def step(case: Case) -> tuple[Refund | None, str] | str:
        if case.status != "pending":
            return f"The refund is {case.status}: there is nothing to give up."
        return (booking.give_up(case.refund, "INVALID_ORDER", iso(now)) if case.refund else None), "given up"

    return _change(orders, refunds, some_id, person, now, step)


def _change(
    orders: Orders,
    refunds: Refunds,
    some_id: str,
    person: Person,
    now: datetime,
    step: Callable[[Case], Any],
) -> str:
    for _ in range(MAX_ATTEMPTS):
        case = find(orders, refunds, some_id)
        result = step(case)
        if isinstance(result, str):
            return result
        refund, what = result
        after = _document(case, refund, what, person, iso(now))
        if _written(refunds, case, after, refund, what):
            return f"{case.document['refund_id']}: {what}."
    raise Refused("The order or the refund kept changing. Look again in a minute.")


def _written(refunds: Refunds, case: Case, after: dict[str, Any], refund: Refund | None, what: str) -> bool:
    if case.stored is None or case.cancellation is None or refund is None:
        return refunds.write(case.document, after)
    if case.order is None:
        change = booking.book_failure(case.cancellation, refund)
    else:
        comment = {"settled by hand": "The shop has settled the refund.", "tried again": ""}.get(what, "")
        change = booking.book(case.order, case.cancellation, refund, comment)
    return refunds.book(case.document, after, case.stored, change) is not None


def _document(case: Case, refund: Refund | None, what: str, person: Person, at: str) -> dict[str, Any]:
    before = case.document
    after = before | {
        "updated_at": at,
        "log": [*before.get("log", []), {"at": at, "entry": f"{what} by {person.by}: {person.why}"}],
    }
    if refund:
        after["payments"] = [leg.model_dump(exclude_defaults=True) for leg in refund.payments]
    if what == "settled by hand":
        after |= {"status": "succeeded", "settled": {"at": at, "by": person.by, "why": person.why}}
        after.pop("failure", None)
        after.pop("unsettled_since", None)
    elif what == "given up":
        after |= {"status": "failed", "failure": {"code": "INVALID_ORDER", "message": f"given up: {person.why}"}}
    else:
        after |= {"status": "pending", "unsettled_since": at}
        after.pop("failure", None)
    return after
