"""Refunds, of PaymentIntents and of charges.

Source: Stripe's API reference, "Refunds", and its guides "Refund and cancel payments" and "Capture a payment multiple
times". After a refund has failed or was cancelled, its part of the payment can be refunded again.
"""

from __future__ import annotations

from typing import Any

from local.stripe.calls import PAGED, Call
from local.stripe.errors import Refusal, invalid
from local.stripe.objects import Becomes, Charge, Intent, Refund, new_id

_REASONS = ("duplicate", "fraudulent", "requested_by_customer")
_SIGNS = {"usd": "$", "eur": "€", "gbp": "£"}
_WHOLE = ("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf")
_NO_MONEY = {
    "balance_insufficient": "Insufficient funds in your Stripe balance to refund this amount.",
    "insufficient_funds": "Your account has insufficient funds to refund this amount.",
}


def money(amount: int, currency: str) -> str:
    text = str(amount) if currency in _WHOLE else f"{amount // 100}.{amount % 100:02d}"
    return f"{_SIGNS[currency]}{text}" if currency in _SIGNS else f"{text} {currency.upper()}"


def create(call: Call) -> dict[str, Any]:
    params = call.params
    params.allow(("payment_intent", "charge", "amount", "metadata", "reason", "instructions_email"))
    reason, metadata, amount = params.choice("reason", _REASONS), params.metadata(), params.amount("amount")
    intent_id, charge_id = params.text("payment_intent"), params.text("charge")
    if not intent_id and not charge_id:
        raise invalid(
            "One of the following params should be provided for this request: payment_intent or charge.",
            code="parameter_missing",
        )
    charge = _charge(call, intent_id, charge_id)
    room = _room(charge)
    amount = room if amount is None else amount
    if amount > room:
        raise Refusal(
            400,
            f"Refund amount ({money(amount, charge.currency)}) is greater than unrefunded amount on charge "
            f"({money(room, charge.currency)})",
            param="amount",
        )
    held = not charge.amount_captured
    if held and amount < room:
        raise Refusal(
            400,
            "You cannot partially refund an uncaptured charge. Instead, capture the charge for an amount less than "
            "the original amount",
            param="amount",
        )
    becomes = Becomes() if held else _covered(call, charge, amount)
    refund = Refund(new_id("re"), charge, amount, call.now, reason=reason, metadata=metadata, released=held)
    refund.become(becomes.status, becomes.failure_reason, becomes.pending_reason)
    charge.released = charge.released or held
    charge.refunds.append(refund)
    call.account.add(refund)
    if becomes.then:
        _later(call, refund, becomes)
    return call.show(refund)


def _later(call: Call, refund: Refund, becomes: Becomes) -> None:
    def end() -> None:
        # It may have been ended through /control in the meantime.
        if refund.status == becomes.status and becomes.then:
            refund.become(becomes.then, becomes.failure_reason)

    call.later(becomes.after, end)


def _charge(call: Call, intent_id: str | None, charge_id: str | None) -> Charge:
    if not intent_id:
        assert charge_id
        charge: Charge = call.account.find(Charge, charge_id)
    else:
        intent: Intent = call.account.find(Intent, intent_id, "payment_intent")
        if not intent.charge or intent.charge.failure:
            raise Refusal(400, f"This PaymentIntent ({intent.id}) does not have a successful charge to refund.")
        charge = intent.charge
        if charge_id and charge_id != charge.id:
            raise Refusal(400, f"Charge {charge_id} does not belong to PaymentIntent {intent.id}.", param="charge")
    if charge.failure:
        raise Refusal(
            400, f"Charge {charge.id} has failed, so that it cannot be refunded.", code="charge_not_refundable"
        )
    return charge


def _room(charge: Charge) -> int:
    """How much of it can be refunded, or released. Raises if nothing can."""
    if charge.intent and not charge.amount_captured:
        if charge.intent.status == "requires_capture":
            raise Refusal(
                400,
                f"This uncaptured Charge was created by a PaymentIntent ({charge.intent.id}). You must cancel the "
                "PaymentIntent to reverse the authorization instead of refunding the Charge directly.",
            )
        raise Refusal(400, f"This PaymentIntent ({charge.intent.id}) does not have a successful charge to refund.")
    if charge.dispute not in (None, "won"):
        raise Refusal(400, f"Charge {charge.id} has been charged back; cannot issue a refund.", code="charge_disputed")
    room = charge.refundable
    if room <= 0 or (charge.released and not charge.amount_captured):
        raise Refusal(400, f"Charge {charge.id} has already been refunded.", code="charge_already_refunded")
    return room


def _covered(call: Call, charge: Charge, amount: int) -> Becomes:
    """The status of a refund of captured money, which the account's balance must cover."""
    account = call.account
    if account.available is not None:
        if amount > account.available and account.short == "pending":
            return Becomes("pending", pending_reason="insufficient_funds")
        if amount > account.available:
            raise Refusal(400, _NO_MONEY.get(account.short, account.short), code=account.short)
        account.available -= amount
    return charge.becomes or Becomes()


def retrieve(call: Call, name: str) -> dict[str, Any]:
    call.params.allow(())
    return call.show(call.account.find(Refund, name))


def update(call: Call, name: str) -> dict[str, Any]:
    call.params.allow(("metadata",))
    refund = call.account.find(Refund, name)
    refund.metadata = call.params.metadata(refund.metadata)
    return call.show(refund)


def cancel(call: Call, name: str) -> dict[str, Any]:
    call.params.allow(())
    refund = call.account.find(Refund, name)
    if refund.status != "requires_action":
        raise Refusal(400, "Canceling this refund is unsupported.")
    refund.become("canceled")
    refund.failure_reason = "merchant_request"
    return call.show(refund)


def every(call: Call) -> dict[str, Any]:
    params = call.params
    params.allow((*PAGED, "payment_intent", "charge"))
    intent_id, charge_id = params.text("payment_intent"), params.text("charge")
    if not intent_id and not charge_id:
        return call.page(call.account.all(Refund))
    charge: Charge | None = call.account.find(Charge, charge_id, "charge") if charge_id else None
    if intent_id:
        intent: Intent = call.account.find(Intent, intent_id, "payment_intent")
        charge = charge or intent.charge
        charge = charge if charge and charge.intent is intent else None
    # The charge's own list, not the whole account's, because load tests request it often.
    return call.page(list(reversed(charge.refunds)) if charge else [])


def of_charge(call: Call, name: str) -> dict[str, Any]:
    call.params.allow(PAGED)
    charge: Charge = call.account.find(Charge, name)
    return call.page(list(reversed(charge.refunds)))
