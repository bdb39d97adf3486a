"""Stores a statement of withdrawal, without judging it.

Two round trips for a customer, for the order and the statement, one for anybody else.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import rfc8785

from cancel_core.domain.addresses import is_address
from cancel_core.domain.caller import Customer, normalised
from cancel_core.domain.ids import withdrawal_id
from cancel_core.domain.mail_settings import LANGUAGE
from cancel_core.domain.policy import DEFAULT_STORE
from cancel_core.domain.times import iso_milliseconds
from cancel_core.domain.withdrawal import MOST_CHARACTERS, Statement, WithdrawalRequest, expiry, fits
from cancel_core.errors import AddressMissing, IdempotencyKeyReused, OrderNotFound, Refusal, WithdrawalDisabled

if TYPE_CHECKING:
    from cancel_core.adapters.dynamodb.config import Policies
    from cancel_core.adapters.dynamodb.orders import Orders
    from cancel_core.adapters.dynamodb.stored_order import StoredOrder
    from cancel_core.adapters.dynamodb.withdrawals import Withdrawals


class Register(NamedTuple):
    """The table of statements, their retention in days, and the stores' policies."""

    withdrawals: Withdrawals
    policies: Policies
    keep_days: float


class Submitted(NamedTuple):
    """A stored statement, from this request or (`replayed`) from an earlier one with the same key and body."""

    statement: Statement
    replayed: bool


class _Claim(NamedTuple):
    """The id of a request's statement, and the hash that identifies a repeat; None if it has no key."""

    withdrawal_id: str
    body: str | None


def submit_withdrawal(register: Register, request: WithdrawalRequest) -> Submitted:
    """Stores anybody's statement. `given` has name, email and order.

    Raises `WithdrawalDisabled`, `IdempotencyKeyReused`, `ServiceUnavailable`.
    """
    store_id = request.given.get("store_id", DEFAULT_STORE)
    claim = _claim(request, "email", normalised(request.given["email"]))
    refusal = _disabled(register, store_id)
    return _store(register, request, claim, store_id, request.given, refusal)


def withdraw_order(
    orders: Orders, register: Register, request: WithdrawalRequest, order_id: str, customer: Customer
) -> Submitted:
    """Stores a customer's statement about their own order, which completes the fields that were not given.

    Nothing else of the order is read, so that an order that can't be read can be withdrawn from. Raises `OrderNotFound`
    and `AddressMissing` as well.
    """
    stored = orders.of_caller(order_id, customer)
    if stored is None:
        raise OrderNotFound("There is no such order.")
    claim = _claim(request, "customer", customer.owner, order_id)
    said = _filled(request.given, stored)
    refusal = _disabled(register, stored.store_id)
    if refusal is None and "email" not in said:
        refusal = AddressMissing("The order has no e-mail address: say where the receipt is to be sent.")
    proven = {
        "customer_id": customer.customer_id,
        "order_id": order_id,
        "placed_at": stored.placed_at,
    }
    return _store(register, request, claim, stored.store_id, said, refusal, **proven)


def _filled(given: Mapping[str, Any], stored: StoredOrder) -> dict[str, Any]:
    """The customer's statement: the given fields, and the rest from the order, as far as it is valid."""
    contact = stored.contact
    of_order = {
        "name": contact.name if fits(contact.name, MOST_CHARACTERS["name"]) else None,
        "email": contact.email if is_address(contact.email) else None,
        "language": contact.language if re.fullmatch(LANGUAGE, contact.language) else None,
    }
    return {name: text for name, text in of_order.items() if text} | {"order": stored.order_id} | dict(given)


def _disabled(register: Register, store_id: str) -> Refusal | None:
    if register.policies.get(store_id).withdrawal.enabled:
        return None
    return WithdrawalDisabled("Withdrawing is not enabled for this store.")


def _store(
    register: Register,
    request: WithdrawalRequest,
    claim: _Claim,
    store_id: str,
    said: Mapping[str, Any],
    refusal: Refusal | None,
    **proven: str | None,
) -> Submitted:
    if refusal:
        # A repeat gets the same answer, whatever happened in between.
        earlier = register.withdrawals.get(claim.withdrawal_id) if claim.body else None
        if earlier is None:
            raise refusal
        return _repeated(earlier, claim)
    received_at = iso_milliseconds(request.received)
    statement = Statement(
        withdrawal_id=claim.withdrawal_id,
        received_at=received_at,
        store_id=store_id,
        statement=said,
        receipt=_receipt(claim.withdrawal_id, received_at, said),
        expires_at=expiry(request.received, register.keep_days),
        body=claim.body,
        request_id=request.request_id,
        **proven,
    )
    stored = register.withdrawals.put(statement)
    # It may be this request's own put, retried after a lost response.
    return Submitted(statement, replayed=False) if stored == statement else _repeated(stored, claim)


def _repeated(stored: Statement, claim: _Claim) -> Submitted:
    if not hmac.compare_digest(stored.body or "", claim.body or ""):
        raise IdempotencyKeyReused("This Idempotency-Key was used with another body.")
    return Submitted(stored, replayed=claim.body is not None)


def _claim(request: WithdrawalRequest, kind: str, owner: str, about: str = "") -> _Claim:
    if request.key is None:
        return _Claim(withdrawal_id("request", request.request_id), None)
    # As with a cancel: the body's hash is keyed with the client's key, which is not stored.
    given = json.dumps([about, request.given], sort_keys=True)
    body = hmac.new(f"{owner}\0{request.key}".encode(), given.encode(), "sha256").hexdigest()
    return _Claim(withdrawal_id(kind, owner, request.key), body)


def _receipt(new_id: str, received_at: str, said: Mapping[str, Any]) -> str:
    document: dict[str, Any] = {"withdrawal_id": new_id, "received_at": received_at, "statement": said}
    return hashlib.sha256(rfc8785.dumps(document)).hexdigest()
