"""An operator's actions on a refund that the product can't complete by itself. Each is idempotent.

The order and the refund document are changed in one transaction, with the same conditions as in the refund function.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.adapters.dynamodb.refunds import Refunds
from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.adapters.eventbridge import Bus
from cancel_core.domain import booking, operator
from cancel_core.domain.cancellation import Cancellation, Refund
from cancel_core.domain.events import canceled
from cancel_core.domain.ids import SURPLUS
from cancel_core.domain.order import Order
from cancel_core.domain.refund_document import Ledger, RefundDocument, adopted, first_ledger
from cancel_core.domain.refund_plan import PlannedLeg
from cancel_core.domain.refund_rest import plan_rest
from cancel_core.domain.times import iso
from cancel_core.errors import CancelCoreError, OrderUnreadable, PublishFailed, RefundChanged

MAX_ATTEMPTS = 5


class Refused(CancelCoreError):
    """The requested action is not possible. The message tells the operator why, and what to do instead."""


class Person(NamedTuple):
    """The operator, and the reason. Both are kept in the refund's log."""

    by: str
    why: str


class Case(NamedTuple):
    """A refund's document, and its order if it exists and still has this refund. `read` is the document in the table,
    which may be from an earlier version. `ledger` and `others` as in `Refunds.open`.
    """

    document: RefundDocument
    read: RefundDocument
    stored: StoredOrder | None
    cancellation: Cancellation | None
    refund: Refund | None
    ledger: Ledger | None
    others: list[RefundDocument]

    @property
    def order(self) -> Order | None:
        """None if the order does not exist or can't be read."""
        try:
            return self.stored.order if self.stored and self.refund else None
        except OrderUnreadable:
            return None


def find(orders: Orders, refunds: Refunds, some_id: str) -> Case:
    """The case of a refund_id or an order_id. Raises `Refused` if there is none."""
    if some_id.startswith(SURPLUS):
        raise Refused(f"{some_id} is a surplus: pay it back by hand or keep it, then `settle`.")
    refund_id = some_id
    if not some_id.startswith("ref_") and (stored := orders.get(some_id)) and stored.cancellation:
        refund_id = stored.cancellation.refund.refund_id if stored.cancellation.refund else ""
    document = refunds.get(refund_id) if refund_id else None
    if document is None:
        raise Refused(
            f"No refund was begun under {some_id}. An order that waits for its refund to begin is in `list`; "
            "the reconciler announces it again by itself."
        )
    opened = refunds.open(document.order_id, document.refund_id)
    document = opened.document or document
    cancellation = opened.stored.cancellation if opened.stored else None
    refund = cancellation.refund if cancellation else None
    if refund is None or refund.refund_id != document.refund_id:
        return Case(document, document, opened.stored, None, None, opened.ledger, opened.others)
    case = Case(document, document, opened.stored, cancellation, refund, opened.ledger, opened.others)
    if case.order and document.format == 1:
        # From an earlier version: its legs are completed.
        return case._replace(document=adopted(document, case.order, ()))
    return case


def retry(orders: Orders, refunds: Refunds, bus: Bus, some_id: str, person: Person, now: datetime) -> str:
    """Retries a failed refund. Amounts and payments are computed again from the current order.

    Legs that their provider has refused are requested under new keys, legs without an answer under the old ones.
    Returns what was done.
    """

    def step(case: Case, at: str) -> RefundDocument | str:
        if case.document.status != "failed":
            return f"The refund is {case.document.status}: there is nothing to try again."
        if case.order is None or case.cancellation is None:
            raise Refused(
                "Its order is gone or can't be read, so nothing can be paid by us. Pay by hand, then `settle`."
            )
        again = operator.try_anew(case.document, at, _entry("tried again", person))
        ledger = case.ledger or first_ledger(case.order, case.cancellation, again)
        rest = plan_rest(case.order, case.cancellation, ledger, again, case.others)
        if rest.failure == "INSUFFICIENT_CAPTURED_AMOUNT":
            raise Refused(
                "The order's payments hold less than is owed. Correct them in the order system, or pay by hand, "
                "then `settle`."
            )
        if rest.failure:
            raise Refused(f"{rest.message} `settle` when you have seen to it.")
        if not rest.legs and any(leg.is_returned for leg in case.document.payments):
            raise Refused(
                "The order says that it has been paid back, but the money has come back. Lower `amount_refunded` of "
                "its rows and payments, then `retry`; or pay by hand, then `settle`."
            )
        return booking.with_sums(again, case.others, rest, "pending")

    said = _change(orders, refunds, some_id, now, step, "tried again")
    case = find(orders, refunds, some_id)
    if case.document.status == "pending" and case.stored and case.cancellation:
        # If this message is lost, the reconciler announces the order a little later.
        with suppress(PublishFailed):
            bus.publish([canceled(case.stored.state, case.cancellation)])
    return said


def settle(orders: Orders, refunds: Refunds, some_id: str, person: Person, now: datetime) -> str:
    """Marks a failed refund as settled by hand: the customer has been paid, or it was decided otherwise.

    `amount` is then what providers paid through us, `settled_by_hand` the rest. The order's rows are booked as
    refunded, unless the order has shipped, and `OrderRefunded` is sent. The payments are not changed, because the order
    system itself books what a person did at a provider. Returns what was done. A surplus is settled in the same way.
    """

    def step(case: Case, at: str) -> RefundDocument | str:
        if case.document.status == "succeeded":
            return "The refund has succeeded or is settled: nothing to do."
        if case.document.status == "pending":
            raise Refused(
                "The refund is still pending, and might be paid at any time. `give-up` first, then look again."
            )
        return operator.settle(case.document, at, _entry("settled by hand", person), person.by, person.why)

    if some_id.startswith(SURPLUS):
        if not refunds.settle_surplus(some_id, {"at": iso(now), "by": person.by, "why": person.why}):
            raise Refused(f"There is no {some_id}.")
        return f"{some_id}: settled by hand."
    return _change(orders, refunds, some_id, now, step, "settled by hand", "The shop has settled the refund.")


def give_up(orders: Orders, refunds: Refunds, some_id: str, person: Person, now: datetime) -> str:
    """Ends a pending refund as failed, so that it can be settled by hand. Returns what was done."""

    def step(case: Case, at: str) -> RefundDocument | str:
        if case.document.status != "pending":
            return f"The refund is {case.document.status}: there is nothing to give up."
        return operator.give_up(case.document, at, _entry("given up", person), person.why)

    return _change(orders, refunds, some_id, now, step, "given up")


def money_returned(
    orders: Orders, refunds: Refunds, some_id: str, payment_id: str, person: Person, now: datetime
) -> str:
    """Marks a refund as failed whose provider had paid this payment's part and got the money back.

    The refund function detects that when the order is announced again, if the provider still reports it. Returns what
    was done.
    """

    def step(case: Case, at: str) -> RefundDocument | str:
        if case.document.status == "pending":
            raise Refused("The refund is still pending: its provider is asked by itself. `give-up` ends it.")
        legs = [leg for leg in case.document.payments if leg.payment_id == payment_id and leg.action == "refund"]
        if any(leg.is_returned for leg in legs):
            return f"The money of {payment_id} is known to have come back: nothing to do."
        paid = next((leg for leg in legs if leg.has_moved), None)
        if paid is None:
            raise Refused(f"Nothing was paid back of {payment_id} by us. `show` has what was.")
        entry = _entry(f"{payment_id}: the money has come back; told", person)
        return operator.returned(case.document, paid, at, entry, person.why)

    return _change(orders, refunds, some_id, now, step, f"the money of {payment_id} has come back")


def _entry(what: str, person: Person) -> str:
    return f"{what} by {person.by}: {person.why}"


def _change(
    orders: Orders,
    refunds: Refunds,
    some_id: str,
    now: datetime,
    step: Callable[[Case, str], RefundDocument | str],
    what: str,
    comment: str = "",
) -> str:
    for _ in range(MAX_ATTEMPTS):
        case = find(orders, refunds, some_id)
        result = step(case, iso(now))
        if isinstance(result, str):
            return result
        with suppress(RefundChanged):
            _write(refunds, case, result, comment)
            return f"{case.document.refund_id}: {what}."
    raise Refused("The order or the refund kept changing. Look again in a minute.")


def _write(refunds: Refunds, case: Case, after: RefundDocument, comment: str) -> None:
    if case.stored is None or case.cancellation is None or case.refund is None:
        refunds.write(case.read, after)
        return
    revision = max(after.revision, case.cancellation.revision + 1)
    after = after.model_copy(update={"revision": revision})
    planned: tuple[PlannedLeg, ...] = ()
    if case.order and after.status == "pending":
        ledger = case.ledger or first_ledger(case.order, case.cancellation, after)
        planned = plan_rest(case.order, case.cancellation, ledger, after, case.others).legs
    refund = booking.refund_of(case.refund, after, case.others, planned)
    counted = None
    if case.order is None:
        change = booking.book_failure(case.cancellation, refund, revision)
    else:
        ledger = case.ledger or first_ledger(case.order, case.cancellation, after)
        documents = (*case.others, after)
        if after.settled and after.refund_id not in ledger.refunds:
            # What was settled by hand counts for a later cancellation of the order as well.
            counted = (case.ledger, ledger.with_refund(after.refund_id))
        change = booking.book(
            case.order, case.cancellation, refund, ledger, documents, revision, after.surplus, comment
        )
    refunds.write(case.read, after, counted, (case.stored, change))
