"""The state of a refund during a pass, and its writes: the refund document, the order's ledger and the order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cancel_core.domain import booking
from cancel_core.domain.cancellation import Cancellation, FailureCode, Refund
from cancel_core.domain.order import Order
from cancel_core.domain.refund_document import (
    AskedLeg,
    DocumentFailure,
    Ledger,
    RefundDocument,
    first_ledger,
    identity,
    new_document,
)
from cancel_core.domain.refund_plan import PlannedLeg
from cancel_core.domain.refund_rest import Rest, plan_rest
from cancel_core.domain.times import iso, moment
from cancel_core.errors import OrderTooLarge, OrderUnreadable, ProviderUnavailable
from cancel_core.telemetry import count, logger

if TYPE_CHECKING:
    from cancel_core.adapters.dynamodb.refunds import Opened, Refunds
    from cancel_core.adapters.dynamodb.stored_order import StoredOrder

LATE = timedelta(hours=1)
"""Well within the day for which a provider remembers a key, and longer than any request can take."""
DISPUTED = "the provider did something else than it was asked; compare, and settle by hand"


class RefundBooks:
    """Each write is conditional on what was read, and raises `RefundChanged` after a concurrent change.

    `document` is the refund's document in its current state in this pass, `written` as the table has it; `others` are
    those of the order's earlier refunds.
    """

    def __init__(
        self,
        refunds: Refunds,
        opened: Opened,
        stored: StoredOrder,
        cancellation: Cancellation,
        clock: Callable[[], datetime],
    ) -> None:
        self._refunds, self.clock = refunds, clock
        self.stored, self.cancellation = stored, cancellation
        self.written = opened.document
        self.others = opened.others
        self.ledger = opened.ledger
        self.order, self.unreadable = _readable(stored)
        self.document = opened.document or self.new_document()
        self._frozen: set[tuple[str, str, int]] = set()

    def new_document(self) -> RefundDocument:
        """The document of a refund that has not begun."""
        return new_document(self.order, self.stored.order_id, self.stored.store_id, self.cancellation, self.now())

    def found_again(self) -> RefundDocument:
        """The document of a refund whose order was missing and exists again; or the order was never missing, and the
        call is about another order.
        """
        fresh = self.new_document()
        kept = {name: getattr(self.document, name) for name in ("payments", "earlier_tries", "log", "revision")}
        return fresh.model_copy(update=kept).said(self.now(), "taken up again, since its order is there")

    def taken_up_again(self) -> RefundDocument | None:
        """The document of a refund that had succeeded when its cancellation was overwritten, if the order has been
        cancelled again since and more is owed now; else None.
        """
        document, cancellation = self.document, self.cancellation
        is_of_this = document.is_of(cancellation)
        if self.order is None or document.status != "succeeded" or document.settled or is_of_this:
            return None
        at, entry = self.now(), "taken up again, since the order was cancelled anew and more is owed"
        again = document.of(cancellation).said(at, entry, status="pending", unsettled_since=at)
        return again if self.rest(again).owed else None

    def why_failed(self, rest: Rest, document: RefundDocument) -> DocumentFailure | None:
        """Why a refund with no leg left to request has not succeeded; None if it has."""
        unsettled = (document, *(other for other in self.others if not other.settled))
        disputed = next((leg for one in unsettled for leg in one.payments if leg.is_disputed), None)
        if disputed:
            # Even if a person has it retried.
            return DocumentFailure(code="INVALID_ORDER", message=f"{disputed.payment_id}: {DISPUTED}")
        return DocumentFailure(code=rest.failure, message=rest.message) if rest.failure else None

    def has_frozen(self, leg: AskedLeg) -> bool:
        """Whether a leg was frozen in this pass: there was no earlier request for it."""
        return identity(leg) in self._frozen

    def is_late(self) -> bool:
        """# A refund that begins long after the cancel may have begun before: a restored table does not know it."""
        requested = moment(self.cancellation.requested_at)
        return requested is None or self.clock() - requested > LATE

    def is_over(self, leg: AskedLeg) -> bool:
        """Whether no request for it can be in progress any more."""
        asked = moment(leg.asked_at)
        return asked is not None and self.clock() - asked > LATE

    def write_other(self, position: int, after: RefundDocument) -> None:
        """The next state of an earlier refund's document."""
        self._refunds.write(self.others[position], after)
        self.others[position] = after

    def note(self, error: str) -> None:
        """Stores on the refund why it is blocked, for the operator."""
        if self.written is None:
            # There was no request to a provider yet: the operator finds it nevertheless.
            self.save(self.document.said(self.now(), "waits for a provider"))
        self._refunds.note(self.document.refund_id, self.now(), error)

    @property
    def refund(self) -> Refund:
        assert self.cancellation.refund is not None
        return self.cancellation.refund

    def now(self) -> str:
        return iso(self.clock())

    def rest(self, document: RefundDocument) -> Rest:
        assert self.order is not None
        ledger = self.ledger or first_ledger(self.order, self.cancellation, document)
        return plan_rest(self.order, self.cancellation, ledger, document, self.others)

    def freeze(self, document: RefundDocument, leg: AskedLeg) -> None:
        """Stores that a provider is about to be called, before the call."""
        self._refunds.write(self.written, document, self._next_ledger(document))
        self._wrote(document, leg, has_ledger=True)

    def save(self, document: RefundDocument) -> None:
        self._refunds.write(self.written, document)
        self._wrote(document, None, has_ledger=False)

    def book(self, document: RefundDocument, planned: tuple[PlannedLeg, ...], freeze: AskedLeg | None = None) -> Refund:
        refund = booking.refund_of(self.refund, document, self.others, planned)
        revision = max(document.revision, self.cancellation.revision + 1)
        document = document.model_copy(update={"revision": revision})
        if self.order is None:
            change = booking.book_failure(self.cancellation, refund, revision)
        else:
            ledger = self.ledger or first_ledger(self.order, self.cancellation, document)
            change = booking.book(
                self.order,
                self.cancellation,
                refund,
                ledger,
                (*self.others, document),
                revision,
                document.surplus,
            )
        # A refund that an earlier version has begun: the order's later refunds need to know what it paid.
        is_first = self.order is not None and self.ledger is None and bool(document.payments)
        try:
            written = self._refunds.write(
                self.written,
                document,
                self._next_ledger(document) if freeze or is_first else None,
                (self.stored, change),
            )
        except OrderTooLarge as error:
            self._tell_unbookable(document)
            raise ProviderUnavailable(f"paid, but the order is too large for it to be booked: {error}") from error
        assert written is not None
        self.stored, self.cancellation = written, change.cancellation or self.cancellation
        self.order, self.unreadable = _readable(written)
        self._wrote(document, freeze, has_ledger=freeze is not None or is_first)
        return refund

    def fail(self, code: FailureCode, message: str, entry: str) -> Refund:
        document = self.document
        failure = document.failure or DocumentFailure(code=code, message=message)
        at = self.now()
        ended = document.said(at, f"{entry}: {message}", status="failed", failure=failure)
        return self.book(ended.model_copy(update={"unsettled_since": ended.unsettled_since or at}), ())

    def _tell_unbookable(self, document: RefundDocument) -> None:
        """The order is too large by now: the document keeps what was paid, and a person makes room."""
        error = {"at": self.now(), "message": "The order is too large for its refund to be booked: make room on it."}
        kept = {"status": "pending", "last_error": error, "unsettled_since": document.unsettled_since or self.now()}
        self._refunds.write(self.written, document.model_copy(update=kept))
        logger.error("a refund can't be booked: its order is too large", extra={"refund_id": document.refund_id})
        count("RefundUnbookable")

    def _next_ledger(self, document: RefundDocument) -> tuple[Ledger | None, Ledger]:
        assert self.order is not None
        before = self.ledger
        now = before or first_ledger(self.order, self.cancellation, document)
        return before, now.with_refund(document.refund_id)

    def _wrote(self, document: RefundDocument, frozen: AskedLeg | None, *, has_ledger: bool) -> None:
        self.written = self.document = document
        if frozen:
            self._frozen.add(identity(frozen))
        if has_ledger:
            assert self.order is not None
            now = self.ledger or first_ledger(self.order, self.cancellation, document)
            self.ledger = now.with_refund(document.refund_id)


def _readable(stored: StoredOrder) -> tuple[Order | None, str | None]:
    try:
        return stored.order, None
    except OrderUnreadable as error:
        return None, str(error)
