"""The refund's document in the refunds table, as operators see it: how it begins, and what each step makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from cancel_core.domain.cancellation import Cancellation, FailureCode, Leg, Refund
from cancel_core.domain.item_rows import refund_items
from cancel_core.domain.order import Order
from cancel_core.domain.provider import Outcome

MESSAGES: dict[FailureCode, str] = {
    "INSUFFICIENT_CAPTURED_AMOUNT": "The order's payments hold less than is owed, so nothing was paid out. "
    "Correct the payments, or pay the customer back by hand.",
    "INVALID_ORDER": "The order does not allow the refund to be carried out.",
    "PROVIDER_DECLINED": "The payment provider declined.",
}


class Step(NamedTuple):
    """The refund after one step; what the operator is to know when it failed; what the refund's log says of it.

    `earlier` are the ended legs of a refund with other sums that the order system has erased.
    """

    refund: Refund
    message: str | None
    entry: str
    earlier: tuple[Leg, ...] = ()


def has_same_legs(document: Mapping[str, Any], refund: Refund) -> bool:
    """Whether a refund document and the refund on its order are to pay the same from the same payments."""
    return _legs(document["payments"]) == _legs(leg.model_dump() for leg in refund.payments)


def _legs(legs: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    return [(leg["payment_id"], leg["action"], leg["amount"]) for leg in legs]


def recorded(document: Mapping[str, Any], index: int) -> Outcome | None:
    """What became of a leg, as the document has it; None while that is open."""
    leg = document["payments"][index]
    if leg["status"] == "pending":
        return None
    failure = document.get("failure") or {}
    code = failure.get("code", "PROVIDER_DECLINED")
    return Outcome(leg["status"], leg.get("reference"), code, failure.get("message", ""))


def begun(
    order_id: str, store_id: str, order: Order | None, cancellation: Cancellation, refund: Refund, at: str
) -> dict[str, Any]:
    """The intent: what is to be paid from where, before anybody is asked for it. Plain values."""
    items = refund_items(order, cancellation) if order else []
    return {
        "refund_id": refund.refund_id,
        "cancellation_id": cancellation.cancellation_id,
        "order_id": order_id,
        "store_id": store_id,
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


def taken_up_again(closed: Mapping[str, Any], intent: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a refund that was closed because its order was gone. What had become of its legs stays."""
    entry = {"at": intent["updated_at"], "entry": "taken up again, since its order is there"}
    kept = {name: closed[name] for name in ("payments", "created_at") if name in closed}
    return {**intent, **kept, "log": [*closed.get("log", []), entry]}


def after_step(document: dict[str, Any], step: Step) -> dict[str, Any]:
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
        after["failure"] = {"code": code, "message": step.message or MESSAGES[code]}
    if status == "failed":
        after.setdefault("unsettled_since", at)
    elif status == "succeeded":
        # Documents of 0.1.0 have none.
        after.pop("unsettled_since", None)
    return after
