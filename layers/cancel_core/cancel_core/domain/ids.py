"""Derived ids and keys, which make repeated processing idempotent."""

from __future__ import annotations

import base64
import hashlib

from cancel_core.domain.cancellation import Leg


def _derived(prefix: str, *parts: str) -> str:
    digest = hashlib.sha256("\0".join((prefix, *parts)).encode()).hexdigest()
    return f"{prefix}_{digest[:32]}"


def cancellation_id(order_id: str, placed_at: str) -> str:
    """The id of an order's cancellation, always the same. It includes `placed_at`, because a shop may reuse an
    order_id.
    """
    return _derived("can", order_id, placed_at)


def slot_id(order_id: str, placed_at: str, earlier_request: str) -> str:
    """The id of a cancel, or of a request for one, in the daily limit: the same for all attempts until one is accepted,
    and another one after a request that has ended. `earlier_request`: its id; empty if there was none.
    """
    earlier = (earlier_request,) if earlier_request else ()
    return _derived("can", order_id, placed_at, *earlier)


def row_key(row_id: str) -> str:
    """Eight characters that identify a row within its order, at any position."""
    return base64.urlsafe_b64encode(hashlib.blake2b(row_id.encode(), digest_size=6).digest()).decode()


REFUND = "ref_"


def refund_id(cancellation: str) -> str:
    return _derived("ref", cancellation)


ROW_KEY = 8
PENDING_SHARDS = 16
"""The number of index keys over which orders that are cancelled in the same second are spread."""


def pending_since(cancellation: str, at: str) -> str:
    """The index key of a pending refund: the time (ISO 8601 UTC) and a shard, because all cancels of one second would
    else be on one partition of the index.
    """
    return f"{at}#{int(cancellation[-8:], 16) % PENDING_SHARDS:x}"


def ledger_id(order_id: str) -> str:
    """The key, in the refunds table, of the data that all refunds of an order share."""
    return f"order:{order_id}"


SURPLUS = "surplus:"


def surplus_id(order_id: str) -> str:
    """The key, in the refunds table, of an order's surplus."""
    return f"{SURPLUS}{order_id}"


def leg_key(refund: str, leg: Leg) -> str:
    """The idempotency key of a request to a provider to refund or release a leg.

    It changes only after the provider has definitely refused, or has paid: under the old key it would repeat that.
    """
    attempt = (str(leg.attempt),) if leg.attempt > 1 else ()
    return _derived("leg", refund, leg.payment_id, leg.action, *attempt)


def code_id(order_id: str, request_id: str) -> str:
    """One for each request for a guest's code, however often its message is delivered."""
    return _derived("code", order_id, request_id)


def request_id(order_id: str, placed_at: str, requested_at: str, made_by: str) -> str:
    """One for each request to the shop to cancel an order: one HTTP request (`made_by`) creates at most one."""
    return _derived("req", order_id, placed_at, requested_at, made_by)


def mail_id(kind: str, *occasion: str) -> str:
    """One for each mail, always the same: its kind, and what identifies the occasion."""
    return _derived("mail", kind, *occasion)


def withdrawal_id(*occasion: str) -> str:
    """One for each statement of withdrawal: its owner and idempotency key, or the request that sent it."""
    return _derived("wdr", *occasion)
