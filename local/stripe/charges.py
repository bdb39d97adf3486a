"""Charges: created by shops without PaymentIntents, and the charges of PaymentIntents."""

from __future__ import annotations

from typing import Any

from local.stripe.calls import PAGED, Call, hold
from local.stripe.cards import ready_made
from local.stripe.errors import Refusal, declined, invalid
from local.stripe.objects import Card, Charge, Customer, Intent, Method, new_id

# Stripe's units of these are smaller than what may be charged: the krona and the shilling have none, and the last
# digit of three is 0 ("Supported currencies").
_STEPS = {"isk": 100, "ugx": 100, "bhd": 10, "jod": 10, "kwd": 10, "omr": 10, "tnd": 10}


def check_amount(amount: int, currency: str) -> None:
    step = _STEPS.get(currency, 1)
    if amount % step:
        raise invalid(f"Invalid amount: amounts in {currency} must be multiples of {step}.", "amount")


def dispute_at_once(charge: Charge) -> None:
    """A test card whose payments are disputed as soon as they are captured."""
    if charge.card.disputed:
        charge.dispute = "needs_response"


def create(call: Call) -> dict[str, Any]:
    params = call.params
    params.allow(("amount", "currency", "source", "customer", "capture", "description", "metadata", "receipt_email",
                  "statement_descriptor", "statement_descriptor_suffix", "shipping"))  # fmt: skip
    params.needed("amount")
    amount, currency = params.amount("amount"), params.currency()
    assert amount is not None
    check_amount(amount, currency)
    capture, metadata, source = params.flag("capture", default=True), params.metadata(), params.text("source")
    customer = params.text("customer")
    if not source and not customer:
        raise invalid("Must provide source or customer.", code="parameter_missing")
    card = _card(call, source, customer)
    charge = Charge(
        new_id("ch"), amount, currency, call.now, card, None, source, customer, params.text("description"), metadata,
        becomes=card.refunds,
    )  # fmt: skip
    call.account.add(charge)
    if card.decline:
        refusal = declined(*card.decline, charge=charge.id)
        charge.failure = refusal.error
        raise refusal
    if capture:
        charge.capture(amount, final=True)
        dispute_at_once(charge)
    else:
        hold(call.account, charge, call.now, call.later)
    return call.show(charge)


def update(call: Call, name: str) -> dict[str, Any]:
    call.params.allow(("metadata", "description"))
    charge = call.account.find(Charge, name)
    charge.metadata = call.params.metadata(charge.metadata)
    charge.description = call.params.text("description") or charge.description
    return call.show(charge)


def retrieve(call: Call, name: str) -> dict[str, Any]:
    call.params.allow(())
    return call.show(call.account.find(Charge, name))


def every(call: Call) -> dict[str, Any]:
    call.params.allow((*PAGED, "payment_intent", "customer"))
    wanted, customer = call.params.text("payment_intent"), call.params.text("customer")
    intent = call.account.find(Intent, wanted, "payment_intent") if wanted else None
    return call.page(
        [
            charge
            for charge in call.account.all(Charge)
            if intent in (None, charge.intent) and customer in (None, charge.customer)
        ]
    )


def capture(call: Call, name: str) -> dict[str, Any]:
    """Once: the uncaptured part is then released."""
    params = call.params
    params.allow(("amount", "receipt_email", "statement_descriptor", "statement_descriptor_suffix"))
    amount = params.amount("amount")
    charge = call.account.find(Charge, name)
    if charge.captured:
        raise Refusal(400, f"Charge {name} has already been captured.", code="charge_already_captured")
    if charge.expired:
        raise Refusal(
            400, f"Charge {name} could not be captured because its authorization has expired.",
            code="charge_expired_for_capture",
        )  # fmt: skip
    if charge.released:
        raise Refusal(400, f"Charge {name} has already been refunded.", code="charge_already_refunded")
    if charge.intent:
        raise Refusal(
            400,
            f"This uncaptured Charge was created by a PaymentIntent ({charge.intent.id}). You must capture the "
            "PaymentIntent instead.",
        )
    if amount is not None and amount > charge.capturable:
        raise Refusal(
            400, "You cannot capture a charge for more than it was authorized for.", code="amount_too_large",
            param="amount",
        )  # fmt: skip
    charge.capture(charge.capturable if amount is None else amount, final=True)
    dispute_at_once(charge)
    return call.show(charge)


def _card(call: Call, source: str | None, customer: str | None) -> Card:
    if customer:
        owner: Customer = call.account.find(Customer, customer, "customer", 400)
        source = source or owner.method
        if not source:
            raise Refusal(402, "Cannot charge a customer that has no active card", type="card_error", code="missing")
    assert source
    known = ready_made(source)
    if known:
        return known
    token: Method = call.account.find(Method, source, "source", 400)
    if token.id.startswith("tok_"):
        if token.used:
            raise Refusal(400, f"You cannot use a Stripe token more than once: {source}.", code="token_already_used")
        token.used = True
    return token.card
