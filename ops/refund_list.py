"""The refunds, surpluses and dead letters that wait for a person: with order, amount, age, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from cancel_core.adapters.dynamodb.attributes import present
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.adapters.dynamodb.refunds import Refunds
from cancel_core.domain.ids import SURPLUS

from ops.deadletters import Letter
from ops.output import Line, age, money
from ops.progress import tracked

TITLES = ("REFUND", "ORDER", "STATUS", "AMOUNT", "AGE", "NEXT")
LETTER_TITLES = ("QUEUE", "ABOUT", "NEXT")
BEGINS = "waits for its refund to begin"
NEXT_FAILED: Mapping[str, str] = {
    "INSUFFICIENT_CAPTURED_AMOUNT": "correct the payments, then retry; or settle",
    "PROVIDER_DECLINED": "retry once the cause is gone; or settle",
    "INVALID_ORDER": "mend what it says, then retry; or settle",
}
Facts = dict[str, Any]


def waiting(orders: Orders, refunds: Refunds) -> list[Facts]:
    """What waits to begin, what is pending or failed, and surpluses, the oldest first: `{refund_id, order_id, store_id,
    status, amount, currency, since, updated_at, code, message, next}`.

    `amount`: minor units. `since`: when the customer cancelled or, if that is unknown, when it was recorded (ISO 8601).
    """
    found = tracked(refunds.unsettled(), "reading refunds")
    documents = [item for refund_id in found if (item := refunds.item(refund_id))]
    begun = {document["order_id"] for document in documents if document["status"] == "pending"}
    rows = [_begun(document) for document in documents if document["status"] != "surplus"]
    rows += _surpluses(orders, [document for document in documents if document["status"] == "surplus"])
    for batch in orders.pending_refunds(until="9999"):
        unbegun = {order_id: since.partition("#")[0] for order_id, since in batch if order_id not in begun}
        cancelled = _cancellations(orders, list(unbegun))
        rows += [_unbegun(order_id, at, cancelled.get(order_id, {})) for order_id, at in unbegun.items()]
    return sorted(rows, key=lambda row: str(row["since"]))


def as_line(row: Facts, now: datetime) -> Line:
    cells = (
        row["refund_id"] or "",
        row["order_id"],
        row["status"],
        money(row["amount"], row["currency"]),
        age(row["since"], now),
        row["next"],
    )
    return Line(cells, row, (f"{row['code']} {row['message']}".strip(),))


def letter_line(letter: Letter) -> Line:
    step = "read it in the queue, then delete it there" if letter.about == "unreadable" else "requeue"
    return Line((letter.queue, letter.about, step), {"queue": letter.queue, "about": letter.about, "next": step})


def _begun(document: Facts) -> Facts:
    failure = document.get("failure") or document.get("last_error") or {}
    code = str(failure.get("code", ""))
    if document["status"] == "failed":
        step = NEXT_FAILED.get(code, "show it, then retry or settle")
    else:
        step = "wait: it is tried again by itself; give-up ends it"
    return {
        "refund_id": document["refund_id"],
        "order_id": document["order_id"],
        "store_id": document.get("store_id"),
        "status": document["status"],
        "amount": document.get("amount"),
        "currency": document.get("currency"),
        "since": document.get("created_at") or document.get("unsettled_since") or document["updated_at"],
        "updated_at": document["updated_at"],
        "code": code,
        "message": str(failure.get("message", "")),
        "next": step,
    }


def _surpluses(orders: Orders, documents: list[Facts]) -> Iterator[Facts]:
    """A surplus has no currency of its own; its order has one."""
    cancelled = _cancellations(orders, [document["order_id"] for document in documents])
    for document in documents:
        order_id, amount = document["order_id"], document["surplus"]
        currency = cancelled.get(order_id, {}).get("currency")
        yield {
            "refund_id": document["refund_id"],
            "order_id": order_id,
            "store_id": cancelled.get(order_id, {}).get("store_id"),
            "status": "surplus",
            "amount": amount,
            "currency": currency,
            "since": document.get("unsettled_since") or document["updated_at"],
            "updated_at": document["updated_at"],
            "code": "",
            "message": f"the payments of order {order_id} hold {money(amount, currency)} too much",
            "next": "pay it back or keep it, then settle",
        }


def _unbegun(order_id: str, at: str, order: Facts) -> Facts:
    cancellation = order.get("cancellation") or {}
    refund = cancellation.get("refund") or {}
    return {
        "refund_id": refund.get("refund_id"),
        "order_id": order_id,
        "store_id": order.get("store_id"),
        "status": "pending",
        "amount": refund.get("amount"),
        "currency": refund.get("currency") or order.get("currency"),
        "since": cancellation.get("requested_at") or at,
        "updated_at": at,
        "code": "",
        "message": BEGINS,
        "next": "wait: it is announced again by itself",
    }


def _cancellations(orders: Orders, order_ids: list[str]) -> dict[str, Facts]:
    """The orders' data, as far as they can be read."""
    found: dict[str, Facts] = {}
    unique = list(dict.fromkeys(order_ids))
    for start in range(0, len(unique), Orders.BATCH):
        for order_id, stored in orders.get_many(unique[start : start + Orders.BATCH]).items():
            order = present(stored.raw)
            if not isinstance(order.get("cancellation"), dict):
                order.pop("cancellation", None)
            elif not isinstance(order["cancellation"].get("refund"), dict):
                order["cancellation"].pop("refund", None)
            found[order_id] = order
    return found


def is_surplus(some_id: str) -> bool:
    return some_id.startswith(SURPLUS)
