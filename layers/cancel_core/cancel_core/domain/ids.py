"""Ids and keys: derived, so that doing a thing again is doing the same thing."""

from __future__ import annotations

import hashlib

from cancel_core.domain.cancellation import Leg


def _derived(prefix: str, *parts: str) -> str:
    digest = hashlib.sha256("\0".join((prefix, *parts)).encode()).hexdigest()
    return f"{prefix}_{digest[:32]}"


def cancellation_id(order_id: str, placed_at: str) -> str:
    """One for an order, always. The placing time is in it so that a shop may use an order_id anew."""
    return _derived("can", order_id, placed_at)


def refund_id(cancellation: str) -> str:
    return _derived("ref", cancellation)


PENDING_SHARDS = 16
"""Under how many keys of their index the orders lie that were cancelled within the same second."""


def pending_since(cancellation: str, at: str) -> str:
    """The key under which a pending refund is found again: the time (ISO 8601 UTC), and a shard, for one second's
    cancels would all lie on one partition of the index.
    """
    return f"{at}#{int(cancellation[-8:], 16) % PENDING_SHARDS:x}"


def leg_key(refund: str, leg: Leg) -> str:
    """The idempotency key under which a provider is asked to pay a leg back or to release it.

    A leg that a person has tried anew is another request: under the old key the provider would repeat its old no.
    """
    attempt = (str(leg.attempt),) if leg.attempt > 1 else ()
    return _derived("leg", refund, leg.payment_id, leg.action, *attempt)
