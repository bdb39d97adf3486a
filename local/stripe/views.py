"""Objects as the reference shows them, with `expand`, and lists in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from local.stripe.errors import Refusal, invalid
from local.stripe.form import Params
from local.stripe.objects import Account, Charge, Customer, Intent, Method, Refund, Thing

LONGEST_PAGE = 100
USUAL_PAGE = 10
EMBEDDED = 10
"""How many refunds a charge shows inline."""


def show(account: Account, thing: Thing, expand: Sequence[str] = ()) -> dict[str, Any]:
    """`expand`: fields to show as objects instead of ids, such as `latest_charge` or `latest_charge.refunds`."""
    body: dict[str, Any] = _SHOWN[type(thing)](account, thing)
    deeper: dict[str, list[str]] = {}
    for path in expand:
        first, _, rest = path.partition(".")
        deeper.setdefault(first, []).extend([rest] if rest else [])
    for name, below in deeper.items():
        body[name] = _related(account, thing, name, below)
    return body


def page(
    account: Account, things: Sequence[Any], params: Params, url: str, expand: Sequence[str] | None = None
) -> dict[str, Any]:
    """The items of a list, newest first."""
    limit = params.integer("limit")
    if limit is not None and not 1 <= limit <= LONGEST_PAGE:
        raise invalid(f"Invalid limit: must be between 1 and {LONGEST_PAGE}", "limit", "parameter_invalid_integer")
    after, before = params.text("starting_after"), params.text("ending_before")
    places = {thing.id: place for place, thing in enumerate(things)}
    for name, cursor in (("starting_after", after), ("ending_before", before)):
        if cursor is not None and cursor not in places:
            raise Refusal(404, f"No such object: '{cursor}'", code="resource_missing", param=name)
    size = limit or USUAL_PAGE
    if before is not None:
        end = places[before]
        shown, has_more = things[max(0, end - size) : end], end > size
    else:
        start = 0 if after is None else places[after] + 1
        shown, has_more = things[start : start + size], len(things) > start + size
    wanted = params.expand() if expand is None else expand
    inner = [one.removeprefix("data.") for one in wanted if one.startswith("data.")]
    return listed([show(account, thing, inner) for thing in shown], url, has_more=has_more)


def listed(data: Iterable[dict[str, Any]], url: str, *, has_more: bool = False) -> dict[str, Any]:
    return {"object": "list", "data": list(data), "has_more": has_more, "url": url}


def _related(account: Account, thing: Any, name: str, rest: list[str]) -> Any:
    if isinstance(thing, Charge) and name == "refunds":
        return _refunds(account, thing, rest)
    related: dict[str, Any] = {}
    match thing:
        case Intent():
            related = {"latest_charge": thing.charge, "payment_method": (Method, thing.method)}
            related["customer"] = (Customer, thing.customer)
        case Charge():
            related = {"payment_intent": thing.intent, "customer": (Customer, thing.customer)}
        case Refund():
            related = {"charge": thing.charge, "payment_intent": thing.charge.intent}
    if name not in related:
        raise invalid(f"This property cannot be expanded ({name}).", "expand")
    found = related[name]
    if isinstance(found, tuple):
        kind, reference = found
        found = account.things[kind].get(reference, reference)
    # A ready-made payment method is not an object of the account.
    return show(account, found, rest) if found and not isinstance(found, str) else found


def _refunds(account: Account, charge: Charge, rest: Sequence[str] = ()) -> dict[str, Any]:
    inner = [one.removeprefix("data.") for one in rest]
    newest = list(reversed(charge.refunds))
    shown = [show(account, refund, inner) for refund in newest[:EMBEDDED]]
    return listed(shown, f"/v1/charges/{charge.id}/refunds", has_more=len(newest) > EMBEDDED)


def _intent(account: Account, intent: Intent) -> dict[str, Any]:
    charge = intent.charge if intent.charge and not intent.charge.failure else None
    return {
        "id": intent.id,
        "object": "payment_intent",
        "amount": intent.amount,
        "amount_capturable": charge.capturable if charge and intent.status == "requires_capture" else 0,
        "amount_received": charge.amount_captured if charge else 0,
        "canceled_at": intent.canceled_at,
        "cancellation_reason": intent.cancellation_reason,
        "capture_method": intent.capture_method,
        "client_secret": f"{intent.id}_secret_local",
        "confirmation_method": "automatic",
        "created": intent.created,
        "currency": intent.currency,
        "customer": intent.customer,
        "description": intent.description,
        "last_payment_error": intent.last_payment_error,
        "latest_charge": intent.charge.id if intent.charge else None,
        "livemode": account.live,
        "metadata": dict(intent.metadata),
        "next_action": None,
        "payment_method": intent.method,
        "payment_method_types": ["card"],
        "status": intent.status,
    }


def _charge(account: Account, charge: Charge) -> dict[str, Any]:
    captured = bool(charge.amount_captured)
    return {
        "id": charge.id,
        "object": "charge",
        "amount": charge.amount,
        "amount_captured": charge.amount_captured,
        "amount_refunded": charge.amount_refunded,
        "balance_transaction": f"txn_{charge.id.partition('_')[2]}" if captured else None,
        "captured": charge.captured,
        "created": charge.created,
        "currency": charge.currency,
        "customer": charge.customer,
        "description": charge.description,
        "disputed": charge.dispute is not None,
        "failure_code": charge.failure["code"] if charge.failure else None,
        "failure_message": charge.failure["message"] if charge.failure else None,
        "livemode": account.live,
        "metadata": dict(charge.metadata),
        "paid": charge.failure is None,
        "payment_intent": charge.intent.id if charge.intent else None,
        "payment_method": charge.method,
        "payment_method_details": {"type": "card", "card": _card(charge.card)},
        "refunded": charge.refunded,
        "status": "failed" if charge.failure else "succeeded",
    }


def _refund(_account: Account, refund: Refund) -> dict[str, Any]:
    body = {
        "id": refund.id,
        "object": "refund",
        "amount": refund.amount,
        "balance_transaction": None if refund.released else f"txn_{refund.id.partition('_')[2]}",
        "charge": refund.charge.id,
        "created": refund.created,
        "currency": refund.charge.currency,
        "destination_details": {"type": "card", "card": {"type": "reversal" if refund.released else "refund"}},
        "metadata": dict(refund.metadata),
        "payment_intent": refund.charge.intent.id if refund.charge.intent else None,
        "reason": refund.reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": refund.status,
        "transfer_reversal": None,
    }
    # Present only with a value.
    seldom = {"failure_reason": refund.failure_reason, "pending_reason": refund.pending_reason}
    if refund.status in ("failed", "canceled") and not refund.released:
        seldom["failure_balance_transaction"] = f"txn_f{refund.id.partition('_')[2]}"
    return body | {name: value for name, value in seldom.items() if value is not None}


def _card(card: Any) -> dict[str, Any]:
    return {"brand": card.brand, "last4": card.last4, "exp_month": 12, "exp_year": 2040, "funding": "credit"}


def _method(account: Account, method: Method) -> dict[str, Any]:
    kind = "token" if method.id.startswith("tok_") else "payment_method"
    return {
        "id": method.id,
        "object": kind,
        "card": _card(method.card),
        "created": method.created,
        "customer": method.customer,
        "livemode": account.live,
        "metadata": dict(method.metadata),
        "type": "card",
        "used": method.used,
    }


def _customer(account: Account, customer: Customer) -> dict[str, Any]:
    return {
        "id": customer.id,
        "object": "customer",
        "created": customer.created,
        "description": customer.description,
        "email": customer.email,
        "livemode": account.live,
        "metadata": dict(customer.metadata),
        "name": customer.name,
    }


_SHOWN: dict[type[Any], Callable[[Account, Any], dict[str, Any]]] = {
    Intent: _intent,
    Charge: _charge,
    Refund: _refund,
    Method: _method,
    Customer: _customer,
}
