"""PaymentIntents: created, confirmed, captured immediately or later, once or several times, and cancelled.

Source: Stripe's API reference, "PaymentIntents", and its guides "Place a hold on a payment method" and "Capture a
payment multiple times".
"""

from __future__ import annotations

from typing import Any

from local.stripe.calls import PAGED, Call, hold
from local.stripe.cards import ready_made
from local.stripe.charges import check_amount, dispute_at_once
from local.stripe.errors import Refusal, declined, invalid
from local.stripe.objects import Card, Charge, Customer, Intent, Method, new_id

_TAKEN = (
    "amount", "currency", "payment_method", "payment_method_types", "payment_method_options", "confirm", "customer",
    "capture_method", "confirmation_method", "metadata", "description", "receipt_email", "shipping", "off_session",
    "return_url", "setup_future_usage", "statement_descriptor", "statement_descriptor_suffix", "use_stripe_sdk",
    "automatic_payment_methods", "payment_method_data", "error_on_requires_action",
)  # fmt: skip
_CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing")
_WHY = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")


def create(call: Call) -> dict[str, Any]:
    params = call.params
    params.allow(_TAKEN)
    params.needed("amount")
    amount, currency = params.amount("amount"), params.currency()
    assert amount is not None
    check_amount(amount, currency)
    how = params.choice("capture_method", ("automatic", "automatic_async", "manual")) or "automatic"
    confirm, metadata, method = params.flag("confirm", default=False), params.metadata(), params.text("payment_method")
    customer = params.text("customer")
    if customer:
        call.account.find(Customer, customer, "customer", 400)
    if method:
        _card(call, method)
    intent = Intent(
        new_id("pi"), amount, currency, call.now, "requires_confirmation" if method else "requires_payment_method",
        how, method, customer, params.text("description"), metadata,
    )  # fmt: skip
    call.account.add(intent)
    return _confirmed(call, intent) if confirm else call.show(intent)


def update(call: Call, name: str) -> dict[str, Any]:
    call.params.allow(("metadata", "description"))
    intent = call.account.find(Intent, name, "intent")
    intent.metadata = call.params.metadata(intent.metadata)
    intent.description = call.params.text("description") or intent.description
    return call.show(intent)


def retrieve(call: Call, name: str) -> dict[str, Any]:
    call.params.allow(())
    return call.show(call.account.find(Intent, name, "intent"))


def every(call: Call) -> dict[str, Any]:
    call.params.allow((*PAGED, "customer"))
    customer = call.params.text("customer")
    return call.page([one for one in call.account.all(Intent) if customer in (None, one.customer)])


def confirm(call: Call, name: str) -> dict[str, Any]:
    call.params.allow(("payment_method", "return_url", "off_session", "setup_future_usage", "receipt_email"))
    intent = call.account.find(Intent, name, "intent")
    if intent.status not in ("requires_payment_method", "requires_confirmation", "requires_action"):
        raise _unexpected(
            call, intent,
            f"This PaymentIntent's status is {intent.status}, so it could not be confirmed. Only a PaymentIntent with "
            "one of the following statuses may be confirmed: requires_confirmation, requires_payment_method, "
            "requires_action.",
        )  # fmt: skip
    intent.method = call.params.text("payment_method") or intent.method
    return _confirmed(call, intent)


def _confirmed(call: Call, intent: Intent) -> dict[str, Any]:
    if intent.method is None:
        raise _unexpected(
            call, intent,
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
        )  # fmt: skip
    card = _card(call, intent.method)
    charge = Charge(
        new_id("ch"), intent.amount, intent.currency, call.now, card, intent, intent.method, intent.customer,
        intent.description, dict(intent.metadata), becomes=card.refunds,
    )  # fmt: skip
    call.account.add(charge)
    intent.charge = charge
    if card.decline:
        refusal = declined(*card.decline, charge=charge.id)
        charge.failure = refusal.error
        intent.status, intent.last_payment_error = "requires_payment_method", dict(refusal.error)
        refusal.error["payment_intent"] = call.show(intent)
        raise refusal
    intent.last_payment_error = None
    if intent.capture_method == "manual":
        hold(call.account, charge, call.now, call.later)
    else:
        charge.capture(intent.amount, final=True)
        dispute_at_once(charge)
    intent.settle_status()
    return call.show(intent)


def capture(call: Call, name: str) -> dict[str, Any]:
    params = call.params
    params.allow(("amount_to_capture", "final_capture", "metadata", "statement_descriptor",
                  "statement_descriptor_suffix"))  # fmt: skip
    amount, final = params.amount("amount_to_capture", least=0), params.flag("final_capture", default=True)
    metadata_given = "metadata" in params.given
    intent = call.account.find(Intent, name, "intent")
    if intent.status == "succeeded":
        raise _unexpected(
            call, intent, "This PaymentIntent could not be captured because it has already been captured."
        )
    if intent.status != "requires_capture":
        raise _unexpected(
            call, intent,
            f"This PaymentIntent could not be captured because it has a status of {intent.status}. Only a "
            "PaymentIntent with one of the following statuses may be captured: requires_capture.",
        )  # fmt: skip
    charge = intent.charge
    assert charge
    if charge.expired:
        raise Refusal(
            400, f"Charge {charge.id} could not be captured because its authorization has expired.",
            code="charge_expired_for_capture", payment_intent=call.show(intent),
        )  # fmt: skip
    amount = charge.capturable if amount is None else amount
    if amount > charge.capturable:
        raise Refusal(
            400,
            "The payment could not be captured because the requested capture amount is greater than the amount you "
            "can capture for this charge.",
            code="amount_too_large", payment_intent=call.show(intent),
        )  # fmt: skip
    if not amount and not (final and charge.amount_captured):
        # A final capture of 0 releases the rest of a partly captured payment.
        raise invalid("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    charge.capture(amount, final=final)
    dispute_at_once(charge)
    if metadata_given:
        intent.metadata = params.metadata(intent.metadata)
    intent.settle_status()
    return call.show(intent)


def cancel(call: Call, name: str) -> dict[str, Any]:
    call.params.allow(("cancellation_reason",))
    reason = call.params.choice("cancellation_reason", _WHY)
    intent = call.account.find(Intent, name, "intent")
    if intent.status not in _CANCELABLE:
        raise _unexpected(
            call, intent,
            f"You cannot cancel this PaymentIntent because it has a status of {intent.status}. Only a PaymentIntent "
            f"with one of the following statuses may be canceled: {', '.join(_CANCELABLE)}.",
        )  # fmt: skip
    charge = intent.charge
    if charge and charge.amount_captured:
        charge.captured = True
    elif charge:
        charge.released = True
    intent.status, intent.canceled_at, intent.cancellation_reason = "canceled", call.now, reason
    return call.show(intent)


def _unexpected(call: Call, intent: Intent, message: str) -> Refusal:
    return Refusal(400, message, code="payment_intent_unexpected_state", payment_intent=call.show(intent))


def _card(call: Call, reference: str) -> Card:
    known = ready_made(reference) if reference.startswith("pm_") else None
    if known:
        return known
    method: Method = call.account.find(Method, reference, "payment_method", 400)
    return method.card
