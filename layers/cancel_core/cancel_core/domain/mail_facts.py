"""The data for mails about an order, as values that each language formats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cancel_core.domain.addresses import Contact, lines, salutation
from cancel_core.domain.cancellation import Cancellation
from cancel_core.domain.cancellation_request import DECIDED, CancellationRequest
from cancel_core.domain.item_rows import ItemRow, fees, item_rows
from cancel_core.domain.money import Money
from cancel_core.domain.order import Order
from cancel_core.domain.times import moment

Facts = dict[str, Any]
"""str, Decimal (a quantity), Money, datetime, and lists and dicts of these; None for an absent value."""
OFFLINE = "offline"
"""The provider whose payments the shop refunds itself."""


def order_facts(
    detail: Mapping[str, Any], order: Order | None, cancellation: Cancellation | None, contact: Contact
) -> Facts:
    """The same names for every kind of mail about an order. `order` and `cancellation` are None if they can't be read
    or were deleted: then the event's data is used.
    """
    facts: Facts = {
        "order_id": detail["order_id"],
        "store_id": detail["store_id"],
        "name": salutation(contact.name),
        "canceled_on": moment(cancellation.requested_at if cancellation else detail["occurred_at"]),
        "reason": cancellation.reason.description if cancellation else detail.get("reason"),
        "reason_code": cancellation.reason.code if cancellation else None,
        "comment": cancellation.comment if cancellation else None,
        "items": [],
        "paid_back": None,
        "released": None,
        "by_hand": None,
        "surplus": None,
        "refund_id": None,
        "failure": None,
        "charges": [],
    }
    if cancellation is None:
        if refund := detail.get("refund"):
            facts["paid_back"] = _money(int(refund["amount"]), refund["currency"])
        return facts
    rows = item_rows(order, cancellation.rows) if order else []
    facts["items"] = [
        {"name": row.item.name, "qty": qty} for row in rows if (qty := row.qty_canceled + row.qty_refunded)
    ]
    return facts | _refund_facts(order, cancellation, rows)


def _refund_facts(order: Order | None, cancellation: Cancellation, rows: list[ItemRow]) -> Facts:
    refund = cancellation.refund
    if refund is None:
        surplus = _money(cancellation.surplus, order.currency) if order else None
        return {"surplus": surplus}
    paid_back = refund.amount + refund.settled_by_hand
    legs = refund.payments
    return {
        "paid_back": _money(paid_back, refund.currency),
        "released": _money(sum(leg.amount for leg in legs if leg.action == "void"), refund.currency),
        "by_hand": _money(
            sum(leg.amount for leg in legs if leg.action == "refund" and leg.provider == OFFLINE), refund.currency
        ),
        "surplus": _money(cancellation.surplus, refund.currency),
        "refund_id": refund.refund_id,
        "failure": refund.failure.code if refund.failure else "INVALID_ORDER",
        "charges": _charges(order, cancellation, rows, paid_back),
    }


def _charges(order: Order | None, cancellation: Cancellation, rows: list[ItemRow], total: int) -> list[Facts]:
    """The parts of a refund; empty if its rows do not add up to it, as after a refund by the shop itself."""
    refund = cancellation.refund
    if refund is None or order is None:
        return []
    lines: list[Facts] = [
        {"name": row.item.name, "qty": row.qty_refunded, "amount": Money(row.amount, refund.currency)}
        for row in rows
        if row.amount
    ]
    named = [fee.name for fee in fees(order, cancellation.rows)]
    for label, names, amount in (("shipping", [], refund.shipping), ("fees", named, refund.fees)):
        if amount:
            name = names[0] if len(names) == 1 else None
            lines.append({"label": label, "name": name, "qty": None, "amount": Money(amount, refund.currency)})
    return lines if sum(line["amount"].amount for line in lines) == total else []


def _money(amount: int, currency: str) -> Money | None:
    return Money(amount, currency) if amount else None


def request_facts(detail: Mapping[str, Any], request: CancellationRequest | None, contact: Contact) -> Facts:
    """The data of mails about a request to the shop. `request` is None if the order does not have it (any more): then
    the event's data is used.
    """
    refund = detail.get("refund")
    return {
        "order_id": detail["order_id"],
        "store_id": detail["store_id"],
        "name": salutation(contact.name),
        "request_id": request.request_id if request else detail["request_id"],
        "requested_on": moment(request.requested_at if request else detail["occurred_at"]),
        "request_status": request.status if request and request.status in DECIDED else detail.get("status"),
        "reason": request.reason.description if request else detail.get("reason"),
        "reason_code": request.reason.code if request else None,
        "request_comment": lines(request.comment) if request else [],
        "owed": _money(int(refund["amount"]), refund["currency"]) if refund else None,
        "note": lines(request.note) if request else [],
    }


def has_something_to_tell(kind: str, facts: Facts) -> bool:
    """The customer gets no mail about a refund that paid nothing because the shop had refunded everything."""
    return kind != "order_refunded" or bool(facts["paid_back"] or facts["released"])
