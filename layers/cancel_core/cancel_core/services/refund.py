"""The refund: freeze a leg, call its provider under a derived key, book the result on refund and order together.

The cancel decides that something is paid back; how much, and from where, is worked out here, from the order as it
stands when the refund begins and again before each further call to a provider, for the shop goes on working. Each line
that talks to the outside may be the last one that runs. The message then comes again, or the reconciler announces the
order anew, and the same steps find what was done: the leg in the refund's document, the provider's part by its key.
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
    """Others kept changing the order or the refund; the message is to come again."""


def refund_order(
    refunds: Refunds,
    providers: Mapping[str, Provider],
    order_id: str,
    cancellation_id: str,
    clock: Callable[[], datetime],
) -> Refund | None:
    """Carries a cancelled order's refund as far as it goes now, from wherever it stands.

    Answers the refund, `pending` where a provider has yet to know; None when nothing was left to do. Safe to run twice
    and at once. Three round trips to the database for one payment, one more for each further payment.
    Raises `CancellationErased` while the order does not have its cancellation; `ProviderUnavailable`, after all that
    could be done was done; `ServiceUnavailable` and `RefundContended` when it is to be tried again.
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
            # Deleted, or cancelled anew. Who listens is told from the stream, as of all else.
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
    """One go at a refund. `RefundChanged` ends it when somebody got in between."""

    def __init__(self, books: RefundBooks, providers: Providers) -> None:
        self._books, self._providers = books, providers
        self._waiting: list[AskedLeg] = []
        self._checked: set[str] = set()
        self._unclear: set[str] = set()
        self._again: set[str] = set()
        self._errors: list[str] = []

    def run(self) -> Refund | None:
        """The refund as far as it went; None where nothing was left to do."""
        refund = self._books.refund
        if self._books.written is None and refund.status != "pending":
            # A table that was restored to before: what the order says was done.
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
                # An older state of it was put onto the order: what the document says of the money holds.
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
        """Of a refund that had succeeded. None where all is as it was."""
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

    # --- what providers are asked

    def _carry_out(self, leg: AskedLeg) -> None:
        """Brings one leg that was frozen further: asks its provider, and books what that says."""
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
        """Whether a leg of an earlier pass is to be asked for again as it is.

        The order has gone on since. Where nothing is to be found of it at the provider, it is asked for what is owed
        now, under the same key: had the first request arrived after all, the second would be refused for its amount.
        What is owed no more is left alone for as long as the first may still arrive.
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
        """A request that is nowhere to be found may be under way still."""
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
        """Brings to an end what an earlier refund of the order has begun, whose cancellation was written over."""
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
        """An earlier refund's document once its provider has said what has become of a pending leg. Where a person has
        settled it, nothing is begun any more. Raises `ProviderUnavailable`.
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
        """Takes over a document of an earlier version. What its provider knows nothing of is planned anew."""
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

    # --- what is next

    def _go_on(self, document: RefundDocument, *, must_book: bool) -> bool:
        """Freezes the next leg, or ends the refund, with the booking of what went before in one write. False when
        nothing is left but to wait.
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
        """What is wrong with a payment of which nothing was asked yet; all of them are looked at before one is paid. A
        provider that can't say holds up its own legs only.
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
