"""The refund: record the intent, ask the provider under a derived key, book the result on refund and order together.

Each line that talks to the outside may be the last one that runs. The message then comes again, or the reconciler
announces the order anew, and the same steps find what was done: the intent by its derived id, the provider's part by
the derived key, the booking by the leg's state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from cancel_core import changes
from cancel_core.clock import iso, moment
from cancel_core.errors import CancelCoreError, CancellationErased, OrderUnreadable
from cancel_core.order import Cancellation, Failure, FailureCode, Leg, Order, Refund
from cancel_core.providers import Outcome, PaymentRequest, Provider, ProviderUnavailable
from cancel_core.tables import Orders, Refunds, StoredOrder
from cancel_core.telemetry import logger
from cancel_core.views import refund_items

MAX_ATTEMPTS = 5
LATE = timedelta(hours=1)
"""Well within the day for which a provider remembers a key."""

_MESSAGES: dict[FailureCode, str] = {
    "INSUFFICIENT_CAPTURED_AMOUNT": "The order's payments hold less than is owed, so nothing was paid out. "
    "Correct the payments, or pay the customer back by hand.",
    "INVALID_ORDER": "The order does not allow the refund to be carried out.",
    "PROVIDER_DECLINED": "The payment provider declined.",
}


_LOOK_FIRST = "Look at the provider for this refund's id before paying anything by hand."
_SHIPPED = "The order was shipped after it had been cancelled, so nothing more is paid out or released."
_OTHER_SUMS = (
    "An earlier refund of this order, which the order system wrote over, has other sums. What it paid back is booked. "
    "Compare the two and settle the rest by hand."
)
_GONE = f"The order is no longer in the table, so nothing more is paid out or released. {_LOOK_FIRST}"


class RefundContended(CancelCoreError):
    """Others kept changing the order or the refund; the message is to come again."""


class _Step(NamedTuple):
    """The refund after one step; what the operator is to know when it failed; what the refund's log says of it.

    `earlier` are the ended legs of a refund with other sums that the order system has erased.
    """

    refund: Refund
    message: str | None
    entry: str
    earlier: tuple[Leg, ...] = ()


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
    intent = _document(stored, order, cancellation, refund, iso(clock()))
    document = refunds.begin(intent)
    # What seems to begin long after the cancel may have been begun before: a restored table knows nothing of it.
    is_retry = document is not intent or _is_late(cancellation, clock())
    if document.get("order_gone") and "settled" not in document:
        # It is there again; or it never was gone, and somebody has asked for the refund of another order.
        again = _taken_up_again(document, intent)
        if not refunds.write(document, again):
            return None
        document = again
    waiting: set[str] = set()
    while refund.status == "pending":
        if order is None:
            step = _give_up(refund, unreadable, clock)
            change = changes.book_failure(cancellation, step.refund)
        else:
            try:
                next_step = _next_step(providers, order, refund, document, waiting, clock, is_retry=is_retry)
            except ProviderUnavailable as error:
                refunds.note(refund.refund_id, iso(clock()), str(error))
                raise
            if next_step is None:
                return refund
            step = next_step
            change = changes.book(order, cancellation, step.refund, earlier=step.earlier)
        after = _next_document(document, step)
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
    refund_id = changes.refund_id(cancellation_id)
    if refunds.close(refund_id, cancellation_id, order_id, {"code": "INVALID_ORDER", "message": _GONE}, at):
        logger.error("a refund is given up, since its order is gone", extra={"refund_id": refund_id})


def _give_up(refund: Refund, message: str | None, clock: Callable[[], datetime]) -> _Step:
    return _Step(changes.give_up(refund, "INVALID_ORDER", iso(clock())), message, "given up")


def _payments_hold(order: Order, refund: Refund) -> bool:
    """Whether each payment still holds what is to be paid back from it: a leg and its payment are booked as one."""
    held = {payment.payment_id: payment.amount_held for payment in order.payments}
    pending = (leg for leg in refund.payments if leg.action == "refund" and leg.status == "pending")
    return all(held.get(leg.payment_id, 0) >= leg.amount for leg in pending)


def _obstacle(order: Order, refund: Refund, leg: Leg) -> Outcome | None:
    """What stands against paying or releasing this leg now, as the outcome it then has."""
    if order.has_left:
        # The order system has shipped what was cancelled: goods and money are not both given away unasked.
        return Outcome("failed", code="INVALID_ORDER", message=_SHIPPED)
    known = refund.failure.code if refund.failure else None
    if leg.action == "refund" and (known == "INSUFFICIENT_CAPTURED_AMOUNT" or not _payments_hold(order, refund)):
        # The shop has given something back by itself since the cancel. A part of what is left is not paid either.
        code: FailureCode = "INSUFFICIENT_CAPTURED_AMOUNT"
        return Outcome("failed", code=code, message=_MESSAGES[code])
    return None


def _next_step(
    providers: Mapping[str, Provider],
    order: Order,
    refund: Refund,
    document: Mapping[str, Any],
    waiting: set[str],
    clock: Callable[[], datetime],
    *,
    is_retry: bool,
) -> _Step | None:
    """The next pending leg, as the provider has it now. None when all that is pending waits for the provider.

    What the refund document has already recorded of a leg is taken from there. `waiting` gathers the payments that
    were asked for in vain in this pass.
    """
    if "settled" in document and ("payments" not in document or has_same_legs(document, refund)):
        return _settled_before(providers, order, refund, document, clock)
    if not has_same_legs(document, refund):
        return _after_another(providers, order, refund, document, clock)
    pending = [(index, leg) for index, leg in enumerate(refund.payments) if leg.status == "pending"]
    if not pending:
        # No leg was ever to be waited for: a shortfall, with nothing to release.
        return _Step(changes.finish(refund, iso(clock())), None, "nothing is paid out")
    for index, leg in pending:
        if leg.payment_id in waiting:
            continue
        outcome = _recorded(document, index) or _outcome(
            providers, order, refund, leg, document["payments"][index].get("reference"), is_retry=is_retry
        )
        if outcome.status == "pending":
            waiting.add(leg.payment_id)
            if outcome.reference == leg.reference:
                continue
        failure = Failure(code=outcome.code) if outcome.status == "failed" else None
        message = f"{leg.payment_id}: {outcome.message or _MESSAGES[outcome.code]}" if failure else None
        after = leg.model_copy(update={"status": outcome.status, "reference": outcome.reference})
        return _Step(changes.settle_leg(refund, index, after, failure, iso(clock())), message, _entry(after, refund))
    return None


def _after_another(
    providers: Mapping[str, Provider],
    order: Order,
    refund: Refund,
    document: Mapping[str, Any],
    clock: Callable[[], datetime],
) -> _Step | None:
    """The end of a refund whose earlier self has other sums: its cancellation was erased, and the order changed and
    cancelled anew. What the earlier one paid is booked, the difference is a person's. None while it is pending there.
    """
    earlier = _ended_legs(providers, order, refund, document)
    if earlier is None:
        return None
    given = _give_up(refund, _OTHER_SUMS, clock)
    done = ", ".join(_entry(leg, refund) for leg in earlier if leg.status == "succeeded")
    return given._replace(entry=f"given up after {done or 'nothing'}", earlier=earlier)


def _settled_before(
    providers: Mapping[str, Provider],
    order: Order,
    refund: Refund,
    document: Mapping[str, Any],
    clock: Callable[[], datetime],
) -> _Step | None:
    """The end of a refund that a person has seen to while its order or its cancellation was gone: nothing more is paid,
    and what providers had paid before is booked. None while that is pending there.
    """
    ended = _ended_legs(providers, order, refund, document)
    if ended is None:
        return None
    known = refund.model_copy(update={"payments": ended}) if ended else refund
    given_up = changes.give_up(known, "INVALID_ORDER", iso(clock()))
    return _Step(changes.settle_by_hand(given_up, given_up.updated_at), None, "settled by hand before")


def _ended_legs(
    providers: Mapping[str, Provider], order: Order, refund: Refund, document: Mapping[str, Any]
) -> tuple[Leg, ...] | None:
    """A document's legs as they ended, by what it has recorded, else by what the provider has. Nothing is begun.

    None while one is pending at its provider.
    """
    ended = []
    for index, row in enumerate(document.get("payments", ())):
        leg = Leg.model_validate(row)
        outcome = _recorded(document, index) or _find(providers, order, refund, leg)
        if outcome and outcome.status == "pending":
            return None
        told = {"status": outcome.status, "reference": outcome.reference} if outcome else {"status": "failed"}
        ended.append(leg.model_copy(update=told))
    return tuple(ended)


def _entry(leg: Leg, refund: Refund) -> str:
    reference = f", {leg.reference} at {leg.provider}" if leg.reference else ""
    return f"{leg.payment_id}: {leg.action} of {leg.amount} {refund.currency} {leg.status}{reference}"


def _outcome(
    providers: Mapping[str, Provider],
    order: Order,
    refund: Refund,
    leg: Leg,
    recorded_reference: str | None,
    *,
    is_retry: bool,
) -> Outcome:
    provider = providers.get(leg.provider)
    if provider is None:
        known = ", ".join(sorted(providers))
        return Outcome(
            "failed", code="INVALID_ORDER", message=f"there is no payment provider {leg.provider!r}, only {known}"
        )
    request = _request(order, refund, leg, recorded_reference, is_retry=is_retry)
    if request is None:
        return Outcome("failed", code="INVALID_ORDER", message="the order no longer has this payment")
    obstacle = _obstacle(order, refund, leg)
    if obstacle is None:
        return provider.execute(request)
    # What an earlier pass may have begun is booked as it is; nothing new is begun.
    return (provider.find(request) if is_retry else None) or obstacle


def _find(providers: Mapping[str, Provider], order: Order, refund: Refund, leg: Leg) -> Outcome | None:
    """What a provider has of a leg that may have been begun."""
    provider, request = providers.get(leg.provider), _request(order, refund, leg, leg.reference, is_retry=True)
    return provider.find(request) if provider and request else None


def _request(
    order: Order, refund: Refund, leg: Leg, recorded_reference: str | None, *, is_retry: bool
) -> PaymentRequest | None:
    """None where the order no longer has the leg's payment."""
    payment = next((payment for payment in order.payments if payment.payment_id == leg.payment_id), None)
    if payment is None:
        return None
    return PaymentRequest(
        action=leg.action,
        idempotency_key=changes.leg_key(refund.refund_id, leg),
        refund_id=refund.refund_id,
        payment_reference=payment.reference,
        amount=leg.amount,
        currency=refund.currency,
        is_retry=is_retry,
        reference=leg.reference or recorded_reference,
    )


def has_same_legs(document: Mapping[str, Any], refund: Refund) -> bool:
    """Whether a refund document and the refund on its order are to pay the same from the same payments."""
    return _legs(document["payments"]) == _legs(leg.model_dump() for leg in refund.payments)


def _legs(legs: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    return [(leg["payment_id"], leg["action"], leg["amount"]) for leg in legs]


def _recorded(document: Mapping[str, Any], index: int) -> Outcome | None:
    leg = document["payments"][index]
    if leg["status"] == "pending":
        return None
    failure = document.get("failure") or {}
    code = failure.get("code", "PROVIDER_DECLINED")
    return Outcome(leg["status"], leg.get("reference"), code, failure.get("message", ""))


# --- the refund document, as operators see it -----------------------------------------------------------------------


def _document(
    stored: StoredOrder, order: Order | None, cancellation: Cancellation, refund: Refund, at: str
) -> dict[str, Any]:
    items = refund_items(order, cancellation) if order else []
    return {
        "refund_id": refund.refund_id,
        "cancellation_id": cancellation.cancellation_id,
        "order_id": stored.order_id,
        "store_id": stored.store_id,
        "status": "pending",
        "currency": refund.currency,
        "amount": refund.amount,
        "shipping": refund.shipping,
        "fees": refund.fees,
        "surplus": cancellation.surplus,
        "items": [item | {"qty": Decimal(str(item["qty"]))} for item in items],
        "payments": [leg.model_dump(exclude_defaults=True) for leg in refund.payments],
        "created_at": at,
        "updated_at": at,
        "unsettled_since": at,
        "log": [{"at": at, "entry": "begun"}],
    }


def _taken_up_again(closed: Mapping[str, Any], intent: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a refund that was closed because its order was gone. What had become of its legs stays."""
    entry = {"at": intent["updated_at"], "entry": "taken up again, since its order is there"}
    kept = {name: closed[name] for name in ("payments", "created_at") if name in closed}
    return {**intent, **kept, "log": [*closed.get("log", []), entry]}


def _next_document(document: dict[str, Any], step: _Step) -> dict[str, Any]:
    """The document after a step. One that had come to its end keeps it, unless the order's refund now fails."""
    at, status = step.refund.updated_at, step.refund.status
    after = document | {"updated_at": at}
    if document["status"] != "pending" and status != "failed":
        return after
    legs = [leg.model_dump(exclude_defaults=True) for leg in step.earlier or step.refund.payments]
    known = document["payments"]
    if _legs(legs) == _legs(known):
        # What was recorded of a leg stays, also where the order was put back as it had been before.
        known = [one if one["status"] != "pending" else one | leg for one, leg in zip(known, legs, strict=True)]
    after |= {
        "status": status,
        "payments": known,
        "log": [*document.get("log", []), {"at": at, "entry": ": ".join(filter(None, (step.entry, step.message)))}],
    }
    if step.refund.failure and "failure" not in document:
        code = step.refund.failure.code
        after["failure"] = {"code": code, "message": step.message or _MESSAGES[code]}
    if status == "failed":
        after.setdefault("unsettled_since", at)
    elif status == "succeeded":
        # Documents of 0.1.0 have none.
        after.pop("unsettled_since", None)
    return after
