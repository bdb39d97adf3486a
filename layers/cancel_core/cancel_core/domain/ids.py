"""Derived ids and keys, which make repeated processing idempotent."""

from __future__ import annotations

import base64
import hashlib

from cancel_core.domain.cancellation import Leg


def _derived(prefix: str, *parts: str) -> str:
    digest = hashlib.sha256("\0".join((prefix, *parts)).encode()).hexdigest()
    return f"{prefix}_{digest[:32]}"


def cancellation_id(order_id: str, placed_at: str) -> str:
    """One for an order, always. The placing time is in it so that a shop may use an order_id anew."""
    return _derived("can", order_id, placed_at)


def slot_id(order_id: str, placed_at: str, earlier_request: str) -> str:
    """What a cancel, or a request for one, counts as: the same for all tries until one is accepted, and another after a
    request that has ended. `earlier_request`: its id; empty where there was none.
    """
    earlier = (earlier_request,) if earlier_request else ()
    return _derived("can", order_id, placed_at, *earlier)


def row_key(row_id: str) -> str:
    """Eight characters that tell a row from all others of its order, wherever it stands."""
    return base64.urlsafe_b64encode(hashlib.blake2b(row_id.encode(), digest_size=6).digest()).decode()


REFUND = "ref_"


def refund_id(cancellation: str) -> str:
    return _derived("ref", cancellation)


ROW_KEY = 8
PENDING_SHARDS = 16
"""Under how many keys of their index the orders lie that were cancelled within the same second."""


def pending_since(cancellation: str, at: str) -> str:
    """The key under which a pending refund is found again: the time (ISO 8601 UTC), and a shard, for one second's
    cancels would all lie on one partition of the index.
    """
    return f"{at}#{int(cancellation[-8:], 16) % PENDING_SHARDS:x}"


def ledger_id(order_id: str) -> str:
    """The key, in the refunds table, of what all refunds of an order have in common."""
    return f"order:{order_id}"


SURPLUS = "surplus:"


def surplus_id(order_id: str) -> str:
    """The key, in the refunds table, of what an order's payments hold too much."""
    return f"{SURPLUS}{order_id}"


def leg_key(refund: str, leg: Leg) -> str:
    """The idempotency key under which a provider is asked to pay a leg back or to release it.

    It changes only when the provider has said a definite no, or has paid: under the old key it would say so again.
    """
    attempt = (str(leg.attempt),) if leg.attempt > 1 else ()
    return _derived("leg", refund, leg.payment_id, leg.action, *attempt)


def code_id(order_id: str, request_id: str) -> str:
    """One for each request for a guest's code, however often its message comes."""
    return _derived("code", order_id, request_id)


def request_id(order_id: str, placed_at: str, requested_at: str, made_by: str) -> str:
    """One for each request to the shop to cancel an order: of one HTTP request (`made_by`) there is but one."""
    return _derived("req", order_id, placed_at, requested_at, made_by)


def mail_id(kind: str, *occasion: str) -> str:
    """One for each mail, always: its kind, and what tells the occasion from all others."""
    return _derived("mail", kind, *occasion)


def withdrawal_id(*occasion: str) -> str:
    """One for each statement of withdrawal: whose it is and its idempotency key, or the request that brought it."""
    return _derived("wdr", *occasion)
