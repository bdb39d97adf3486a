"""Processes statements of withdrawal: matches, records and carries them out, and publishes the event.

Every line may be the last one that runs, and all of it may run twice or at once. The outcome that was written first
stands; a statement is noted on its order once; the order is cancelled by a write that knows itself again; the event is
sent at least once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from cancel_core.domain.caller import Customer
from cancel_core.domain.cancel import WITHDRAWAL_REASON, CancelRequest
from cancel_core.domain.order import HistoryEntry
from cancel_core.domain.times import iso
from cancel_core.domain.withdrawal import Statement, read_statement
from cancel_core.domain.withdrawal_note import note
from cancel_core.domain.withdrawal_outcome import (
    CANCEL,
    OUTCOME,
    Found,
    Outcome,
    find_out,
    how_it_matches,
    named_order,
    read_outcome,
    received,
)
from cancel_core.errors import (
    ConcurrentUpdate,
    OrderChanged,
    OrderNotCancellable,
    OrderNotFound,
    OrderTooLarge,
    OrderUnreadable,
    ServiceUnavailable,
)
from cancel_core.services.attempts import dealt_with
from cancel_core.services.cancel import cancel_order
from cancel_core.telemetry import count, logger

if TYPE_CHECKING:
    from datetime import datetime

    from cancel_core.adapters.dynamodb.config import Policies
    from cancel_core.adapters.dynamodb.orders import Orders
    from cancel_core.adapters.dynamodb.withdrawals import Withdrawals
    from cancel_core.adapters.eventbridge import Bus

Parts = Mapping[str, Mapping[str, Any]]
"""What the table has of one withdrawal, by part."""
MAX_ATTEMPTS = 5
COMMENT = "Statement of withdrawal received"
AGAIN = (ConcurrentUpdate, ServiceUnavailable)
"""What passes by itself."""


class Desk(NamedTuple):
    """What withdrawals are dealt with by."""

    withdrawals: Withdrawals
    orders: Orders
    policies: Policies
    bus: Bus


class Tampered(NamedTuple):
    """A statement that was `changed` or `deleted`, which nothing of the product does."""

    withdrawal_id: str
    what: str


Record = tuple[str, Mapping[str, Any] | Tampered]
"""A sequence number, and the item of a new statement in plain values, or what happened to an old one."""


def process_all(desk: Desk, records: Sequence[Record], now: datetime) -> list[str]:
    """Deals with each item of the table that is a statement. Answers under which numbers those came that are to come
    again.
    """
    failed = []
    for number, item in records:
        if isinstance(item, Tampered):
            tell_tampered(item)
            continue
        if not process_one(desk, item, now):
            failed.append(number)
    return failed


def process_one(desk: Desk, item: Mapping[str, Any], now: datetime) -> bool:
    """As `process`, with the item of a statement. False where it is to be done again; the log says why."""
    keys = {"withdrawal_id": str(item.get("withdrawal_id"))}
    return dealt_with("a withdrawal", keys, lambda: process(desk, read_statement(item), now))


def tell_tampered(record: Tampered) -> None:
    logger.error(
        "a statement of withdrawal was %s; no function does that, so find out who did",
        record.what,
        extra={"withdrawal_id": record.withdrawal_id},
    )
    count("WithdrawalTampered")


def _keys(outcome: Outcome) -> dict[str, str | None]:
    return {"withdrawal_id": outcome.withdrawal_id, "order_id": outcome.order_id}


def process(desk: Desk, statement: Statement, now: datetime) -> None:
    """Everything that follows a statement. Safe to do twice.

    A fault in what is done to the order holds back neither the event nor the receipt. Raises `ConcurrentUpdate`,
    `ServiceUnavailable`, `PublishFailed`, and whatever else went wrong, after the event was sent.
    """
    parts = desk.withdrawals.parts(statement.withdrawal_id)
    if OUTCOME in parts:
        outcome = read_outcome(parts[OUTCOME])
    else:
        found = _find_out(desk, statement, now)
        before = desk.withdrawals.put_part(found.to_item())
        outcome = found if before is None else read_outcome(before)
    faults: list[Exception] = []
    for step in (_note, _cancel) if outcome.order_id else ():
        try:
            step(desk, outcome, parts, now)
        except AGAIN:
            raise
        except Exception as error:  # noqa: BLE001 - raised below; what is still to be done is done before
            faults.append(error)
    event = received(outcome)
    desk.bus.publish([event])
    logger.info("published", extra=event.log_keys | {"match": outcome.match})
    count("WithdrawalReceived")
    for fault in faults:
        raise fault


def _find_out(desk: Desk, statement: Statement, now: datetime) -> Outcome:
    order_id = named_order(statement)
    stored = desk.orders.get(order_id)
    if stored is None:
        return find_out(statement, None, None, iso(now))
    match = how_it_matches(statement, stored.owner, stored.contact.email)
    if match == "none":
        return find_out(statement, None, None, iso(now))
    try:
        found = Found(match, stored.order, stored.contact.language, is_guests=stored.is_guests)
    except OrderUnreadable as error:
        logger.error("an order that is withdrawn from can't be read", extra=_told(statement, error))
        count("InternalError")
        return find_out(statement, None, None, iso(now))
    return find_out(statement, found, desk.policies.get(stored.store_id), iso(now))


def _told(statement: Statement, error: OrderUnreadable) -> dict[str, Any]:
    return {"withdrawal_id": statement.withdrawal_id, "order_id": error.order_id, "faults": error.faults}


def _note(desk: Desk, outcome: Outcome, _parts: Parts, now: datetime) -> None:
    """Notes a statement on its order, once. An order that is another one by now, or is full, stays as it is."""
    orders = desk.orders
    stored = orders.get(outcome.order_id or "")
    for _ in range(MAX_ATTEMPTS):
        if stored is None or stored.owner != outcome.owner:
            return
        noted = note(stored.noted, outcome.withdrawal_id, outcome.received_at, whole=outcome.whole)
        if noted is None:
            return
        entry = HistoryEntry(at=iso(now), status=stored.status, comment=COMMENT, visible_to_customer=True)
        try:
            if stored.size > orders.MAX_ITEM_BYTES:
                raise OrderTooLarge("The order is too large to be written.")
            orders.note_withdrawal(stored, noted, entry)
        except OrderTooLarge:
            logger.warning("an order is too large for a note", extra=_keys(outcome))
        except OrderChanged as conflict:
            stored = conflict.current
            continue
        return
    raise ConcurrentUpdate("The order kept changing while a withdrawal was to be noted on it.")


def _cancel(desk: Desk, outcome: Outcome, parts: Parts, now: datetime) -> None:
    """Cancels the order where that is ours to do, and writes down whether it is cancelled now, or why not."""
    if CANCEL in parts:
        return
    canceled, code = _try_to_cancel(desk, outcome, now)
    part = {"withdrawal_id": outcome.withdrawal_id, "part": CANCEL, "expires_at": outcome.expires_at}
    desk.withdrawals.put_part(part | {"order_canceled": canceled, "code": code, "at": iso(now)})


def _try_to_cancel(desk: Desk, outcome: Outcome, now: datetime) -> tuple[bool, str]:
    if outcome.match != "proven" or outcome.customer_id is None:
        return False, "NOT_PROVEN"
    if not outcome.whole:
        return False, "PART_OF_ORDER"
    if not desk.policies.get(outcome.store_id).withdrawal.cancels:
        return False, "CANCELS_OFF"
    request = CancelRequest(
        outcome.order_id or "",
        Customer(outcome.customer_id),
        WITHDRAWAL_REASON.code,
        comment=None,
        request_id=outcome.withdrawal_id,
        fingerprint=None,
        judged="withdrawal",
        placed_at=outcome.placed_at,
    )
    try:
        cancel_order(desk.orders, desk.policies, request, lambda: now)
    except OrderNotCancellable as refusal:
        # Cancelled already, by whomever: nothing is left to be done.
        is_canceled = refusal.order is not None and refusal.order.cancellation is not None
        return is_canceled, "ALREADY_CANCELED" if is_canceled else refusal.code
    except (OrderNotFound, OrderTooLarge) as refusal:
        return False, refusal.code
    except OrderUnreadable as error:
        logger.error("an order that is withdrawn from can't be read", extra=_keys(outcome) | {"faults": error.faults})
        count("InternalError")
        return False, "INVALID_ORDER"
    return True, "CANCELED"
