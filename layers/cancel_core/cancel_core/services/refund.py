"""The refund: freeze a leg, call its provider under a derived key, book the result on refund and order together.

The cancel decides that something is refunded. The amounts and payments are computed here, from the order when the
refund begins and again before each further call to a provider, because the shop may change the order. The function may
crash at any external call. The message is then retried, or the reconciler announces the order again, and the same steps
find what was done: the leg in the refund's document, the provider's object by its key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from cancel_core.domain import booking
from cancel_core.domain.cancellation import FailureCode, Refund
from cancel_core.domain.ids import refund_id
from cancel_core.domain.operator import returned
from cancel_core.domain.order import Order
from cancel_core.domain.provider import Provider
from cancel_core.domain.refund_document import (
    MESSAGES,
    AskedLeg,
    DocumentFailure,
    RefundDocument,
    adopted,
    asked_again,
    asked_leg,
)
from cancel_core.domain.refund_rest import Rest
from cancel_core.domain.times import iso
from cancel_core.errors import CancelCoreError, CancellationErased, ProviderUnavailable, RefundChanged
from cancel_core.services.providers import Providers, reference_of, said_of, settled
from cancel_core.services.refund_books import DISPUTED, RefundBooks
from cancel_core.telemetry import logger

if TYPE_CHECKING:
    from cancel_core.adapters.dynamodb.refunds import Refunds

MAX_ATTEMPTS = 5

_LOOK_FIRST = "Look at the provider for this refund's id before paying anything by hand."
_GONE = f"The order is no longer in the table, so nothing more is paid out or released. {_LOOK_FIRST}"


class RefundContended(CancelCoreError):
    """The order or the refund was changed concurrently too often; the message should be retried."""


def refund_order(
    refunds: Refunds,
    providers: Mapping[str, Provider],
    order_id: str,
    cancellation_id: str,
    clock: Callable[[], datetime],
) -> Refund | None:
    """Advances a cancelled order's refund as far as possible, from any state.

    Returns the refund, `pending` if a provider has no final result yet; None if nothing was left to do. Idempotent,
    also if run concurrently. Three round trips to the database for one payment, one more for each further payment.
    Raises `CancellationErased` if the order lacks its cancellation; `ProviderUnavailable`, after everything else was
    done; `ServiceUnavailable` and `RefundContended` if it should be retried.
    """
    refund = _refund(refunds, Providers(providers), order_id, cancellation_id, clock)
    logger.info("refund carried out", extra={"status": refund.status if refund else "nothing to do"})
    return refund


def _refund(
    refunds: Refunds, providers: Providers, order_id: str, cancellation_id: str, clock: Callable[[], datetime]
) -> Refund | None:
    derived = refund_id(cancellation_id)
    for _ in range(MAX_ATTEMPTS):
        opened = refunds.open(order_id, derived)
        cancellation = opened.stored.cancellation if opened.stored else None
        if opened.stored is None or (cancellation and cancellation.cancellation_id != cancellation_id):
            # Deleted, or cancelled again. As always, subscribers are notified from the stream.
            _close(refunds, derived, order_id, cancellation_id, iso(clock()))
            return None
        if cancellation is None:
            if opened.document and opened.document.order_gone:
                return None
            raise CancellationErased(f"order {order_id} does not have its cancellation; it is put back from the stream")
        if cancellation.refund is None:
            return None
        try:
            return _Pass(RefundBooks(refunds, opened, opened.stored, cancellation, clock), providers).run()
        except RefundChanged:
            continue
    raise RefundContended(f"order {order_id} kept changing while its refund was to be booked")


def _close(refunds: Refunds, refund: str, order_id: str, cancellation_id: str, at: str) -> None:
    if refunds.close(refund, cancellation_id, order_id, {"code": "INVALID_ORDER", "message": _GONE}, at):
        logger.error("a refund has failed because its order no longer exists", extra={"refund_id": refund})


class _Pass:
    """One pass of a refund. A concurrent change ends it with `RefundChanged`."""

    def __init__(self, books: RefundBooks, providers: Providers) -> None:
        self._books, self._providers = books, providers
        self._waiting: list[AskedLeg] = []
        self._checked: set[str] = set()
        self._unclear: set[str] = set()
        self._again: set[str] = set()
        self._errors: list[str] = []

    def run(self) -> Refund | None:
        """The refund after this pass; None if nothing was left to do."""
        refund = self._books.refund
        if self._books.written is None and refund.status != "pending":
            # The table was restored to an earlier state: the order has the result.
            return None
        if self._books.written and self._books.order and self._books.document.format == 1:
            self._adopt(self._books.order)
        if self._books.document.order_gone and self._books.document.settled is None:
            self._books.document = self._books.found_again()
        elif self._books.document.status != "pending":
            if refund.status == self._books.document.status:
                return self._look_again()
            again = self._books.taken_up_again()
            if again is None:
                # The order has an older state of the refund: the document's amounts are correct.
                return self._books.book(self._books.document.said(self._books.now(), "booked again"), ())
            self._books.document = again
        if self._books.order is None:
            return self._books.fail("INVALID_ORDER", f"{self._books.unreadable}. {_LOOK_FIRST}", "given up")
        if not self._books.document.is_of(self._books.cancellation):
            self._books.document = self._books.document.of(self._books.cancellation)
        self._ask_of_others()
        while self._books.document.status == "pending":
            leg = next((one for one in self._books.document.pending() if one not in self._waiting), None)
            if leg:
                self._carry_out(leg)
            elif not self._go_on(self._books.document, must_book=False):
                break
        self._tell_errors()
        return self._books.refund

    def _look_again(self) -> Refund | None:
        """Checks a refund that had succeeded. None if nothing has changed."""
        found = self._providers.came_back(self._books.document)
        if found is None:
            return None
        leg, why = found
        entry = f"{leg.payment_id}: {leg.reference} has failed after it had succeeded"
        return self._books.book(returned(self._books.document, leg, self._books.now(), entry, why), ())

    def _tell_errors(self) -> None:
        if self._errors and self._books.document.status == "pending":
            error = "; ".join(self._errors)
            self._books.note(error)
            raise ProviderUnavailable(error)

    # --- calls to providers

    def _carry_out(self, leg: AskedLeg) -> None:
        """Advances one frozen leg: calls its provider, and books the result."""
        is_fresh = self._books.has_frozen(leg)
        is_retry = not is_fresh or self._books.is_late()
        try:
            if not is_fresh and leg.reference is None and not self._is_still_right(leg):
                return
            outcome = self._providers.execute(leg, self._books.document, is_retry=is_retry)
        except ProviderUnavailable as error:
            self._wait(leg, str(error))
            return
        now = settled(leg, outcome, self._books.document.currency)
        if now.status == "pending":
            self._waiting.append(now)
            if now == leg:
                return
        self._settle(now, outcome.message, code=outcome.code, again=outcome.status == "new_key")

    def _is_still_right(self, leg: AskedLeg) -> bool:
        """Whether a leg of an earlier pass is requested again unchanged.

        The order may have changed since. If the provider has no trace of the leg, the amount that is owed now is
        requested under the same key: if the first request arrives after all, the second is refused for its amount. A
        leg that is no longer owed is left alone while the first request may still arrive.
        """
        found = self._providers.find(leg, self._books.document)
        if found:
            now = settled(leg, found, self._books.document.currency)
            self._settle(now, found.message, code=found.code, again=found.status == "new_key")
            return False
        order = self._books.order
        assert order is not None
        rest = self._books.rest(self._books.document.without(leg))
        amount = sum(one.amount for one in rest.legs if (one.payment_id, one.action) == (leg.payment_id, leg.action))
        if amount == leg.amount:
            return True
        at = self._books.now()
        if amount:
            changed = asked_again(leg, amount, order, at)
            entry = f"{leg.payment_id}: {leg.action} of {leg.amount} was not made; {amount} is owed now"
            self._books.freeze(self._books.document.with_leg(changed, at, entry), changed)
            return False
        self._raise_if_it_may_arrive(leg)
        entry = f"{leg.payment_id}: {leg.action} of {leg.amount} was not made, and is owed no more"
        self._books.save(self._books.document.without(leg).said(at, entry))
        return False

    def _raise_if_it_may_arrive(self, leg: AskedLeg) -> None:
        """A request that the provider does not know may still be in progress."""
        if self._providers.lands_late(leg) and not self._books.is_over(leg):
            raise ProviderUnavailable(
                f"{leg.payment_id}: {leg.action} of {leg.amount} may still arrive at {leg.provider}"
            )

    def _settle(self, leg: AskedLeg, message: str, *, code: FailureCode, again: bool) -> None:
        at = self._books.now()
        if again:
            # Nothing was made under the old key and nothing will be. What is owed is planned under the next one.
            if leg.payment_id in self._again:
                self._unclear.add(leg.payment_id)
                self._errors.append(f"{leg.payment_id}: {message}")
            self._again.add(leg.payment_id)
            entry = f"{said_of(leg, self._books.document.currency)}: {message}"
            tries = (*self._books.document.earlier_tries, leg)
            document = self._books.document.with_leg(leg, at, entry)
            rest = tuple(one for one in document.payments if one is not leg)
            self._books.save(document.model_copy(update={"payments": rest, "earlier_tries": tries}))
            return
        document = self._books.document.with_leg(
            leg, at, f"{said_of(leg, self._books.document.currency)}: {message}".rstrip(": ")
        )
        if leg.status == "failed" and document.failure is None:
            text = DISPUTED if leg.is_disputed else message or MESSAGES[code]
            why = DocumentFailure(
                code="INVALID_ORDER" if leg.is_disputed else code, message=f"{leg.payment_id}: {text}"
            )
            document = document.model_copy(update={"failure": why})
        self._go_on(document, must_book=True)

    def _ask_of_others(self) -> None:
        """Completes the legs of the order's earlier refunds, whose cancellations were overwritten."""
        for position, other in enumerate(self._books.others):
            for leg in other.pending():
                try:
                    after = self._later(other, leg)
                except ProviderUnavailable as error:
                    self._wait(leg, str(error))
                    continue
                if after is not other:
                    self._books.write_other(position, after)
                    other = after  # noqa: PLW2901 - the document as it is now

    def _later(self, other: RefundDocument, leg: AskedLeg) -> RefundDocument:
        """An earlier refund's document after its provider has reported on a pending leg. If a person has settled it, no
        new leg begins. Raises `ProviderUnavailable`.
        """
        if other.settled:
            found = self._providers.find(leg, other)
            if found is None:
                self._raise_if_it_may_arrive(leg)
                entry = f"{leg.payment_id}: {leg.action} of {leg.amount} was not made"
                return other.without(leg).said(self._books.now(), entry)
        else:
            found = self._providers.execute(leg, other, is_retry=True)
        now = settled(leg, found, other.currency)
        if now.status == "pending":
            self._waiting.append(now)
        return other if now == leg else other.with_leg(now, self._books.now(), said_of(now, other.currency))

    def _adopt(self, order: Order) -> None:
        """Converts a document of an earlier version. Legs that its provider does not know are planned again."""
        unasked = []
        for leg in self._books.document.pending():
            with_reference = reference_of(leg, order)
            try:
                found = self._providers.find(with_reference, self._books.document)
            except ProviderUnavailable:
                # Carried out as it is.
                continue
            if found is None and leg.reference is None:
                unasked.append(leg)
        self._books.document = adopted(self._books.document, order, unasked)

    def _wait(self, leg: AskedLeg, error: str) -> None:
        self._waiting.append(leg)
        self._errors.append(error)

    # --- the next leg

    def _go_on(self, document: RefundDocument, *, must_book: bool) -> bool:
        """Freezes the next leg, or ends the refund, and books the previous result in the same write. False if it can
        only wait.
        """
        rest = self._books.rest(document)
        if fault := self._fault(rest, document):
            self._books.document = document
            self._books.fail("INVALID_ORDER", fault, "stopped")
            return True
        planned = next((leg for leg in rest.legs if leg.payment_id not in self._unclear), None)
        if planned:
            assert self._books.order is not None
            leg = asked_leg(planned, self._books.order, document, self._books.now())
            if must_book:
                documents = (*self._books.others, document)
                leg = booking.asked_with_booking(leg, self._books.order, self._books.ledger, documents)
            entry = f"{leg.payment_id}: {leg.action} of {leg.amount} {document.currency} is asked for"
            document = booking.with_sums(document, self._books.others, rest, "pending").with_leg(
                leg, self._books.now(), entry
            )
            if must_book:
                self._books.book(document, rest.legs[1:], freeze=leg)
            else:
                self._books.freeze(document, leg)
            return True
        is_waiting = document.pending() or self._unclear or any(other.pending() for other in self._books.others)
        if is_waiting:
            if must_book:
                self._books.book(booking.with_sums(document, self._books.others, rest, "pending"), rest.legs)
            return must_book
        if document.failure is None and (why := self._books.why_failed(rest, document)):
            document = document.model_copy(update={"failure": why})
        at = self._books.now()
        if document.failure:
            ended = booking.with_sums(document, self._books.others, rest, "failed")
            # The documents of 0.1.0 have none.
            unsettled = {"unsettled_since": document.unsettled_since or at}
            self._books.book(ended.said(at, f"failed: {document.failure.message}", **unsettled), ())
        else:
            ended = booking.with_sums(document, self._books.others, rest, "succeeded")
            self._books.book(ended.said(at, "succeeded", unsettled_since=None, last_error=None), ())
        return True

    def _fault(self, rest: Rest, document: RefundDocument) -> str | None:
        """What is wrong with a payment without a request so far; all are checked before one is refunded. A provider
        that is unavailable blocks only its own legs.
        """
        assert self._books.order is not None
        at = self._books.now()
        known = {leg.payment_id for leg in document.payments} | self._checked
        legs = [asked_leg(one, self._books.order, document, at) for one in rest.legs if one.payment_id not in known]
        if fault := self._providers.unknown(legs):
            return fault
        for leg in legs:
            self._checked.add(leg.payment_id)
            try:
                if fault := self._providers.check(leg, document):
                    return fault
            except ProviderUnavailable as error:
                self._unclear.add(leg.payment_id)
                self._errors.append(str(error))
        return None
