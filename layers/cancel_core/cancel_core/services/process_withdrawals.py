"""Processes statements of withdrawal: matches, records and executes them, and publishes the event.

The function may crash at any line, and may run twice or concurrently. The first outcome that is written counts; a
statement is recorded on its order once; a repeated cancel of the order finds its own earlier write; the event is sent
at least once.
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
"""All parts of one withdrawal in the table, by name."""
MAX_ATTEMPTS = 5
COMMENT = "Statement of withdrawal received"
AGAIN = (ConcurrentUpdate, ServiceUnavailable)
"""Temporary errors."""


class Desk(NamedTuple):
    """The dependencies for processing withdrawals."""

    withdrawals: Withdrawals
    orders: Orders
    policies: Policies
    bus: Bus


class Tampered(NamedTuple):
    """A statement that was `changed` or `deleted`, which the product never does."""

    withdrawal_id: str
    what: str


Record = tuple[str, Mapping[str, Any] | Tampered]
"""A sequence number, and the item of a new statement in plain values, or what happened to an existing one."""


def process_all(desk: Desk, records: Sequence[Record], now: datetime) -> list[str]:
    """Processes each item of the table that is a statement. Returns the sequence numbers of those to retry."""
    failed = []
    for number, item in records:
        if isinstance(item, Tampered):
            tell_tampered(item)
            continue
        if not process_one(desk, item, now):
            failed.append(number)
    return failed


def process_one(desk: Desk, item: Mapping[str, Any], now: datetime) -> bool:
    """As `process`, for the item of a statement. False if it should be retried; the log says why."""
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
    """Runs all steps that follow a statement. Idempotent.

    An error in the steps on the order does not block the event and the receipt. Raises `ConcurrentUpdate`,
    `ServiceUnavailable`, `PublishFailed` and any other error, after the event was sent.
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
    """Records a statement on its order, once. An order that was replaced since, or has ten statements, is left
    unchanged.
    """
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
    """Cancels the order if the product should, and stores whether it is cancelled, or why not."""
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
        # It was cancelled before: nothing is left to do.
        is_canceled = refusal.order is not None and refusal.order.cancellation is not None
        return is_canceled, "ALREADY_CANCELED" if is_canceled else refusal.code
    except (OrderNotFound, OrderTooLarge) as refusal:
        return False, refusal.code
    except OrderUnreadable as error:
        logger.error("an order that is withdrawn from can't be read", extra=_keys(outcome) | {"faults": error.faults})
        count("InternalError")
        return False, "INVALID_ORDER"
    return True, "CANCELED"
