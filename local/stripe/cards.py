"""Stripe's test cards, by number, and the ready-made payment methods (`pm_card_visa`) and tokens (`tok_visa`)."""

from __future__ import annotations

from local.stripe.objects import PLAIN, Becomes, Card

_PENDING = Becomes("pending", then="succeeded")
_FAILS = Becomes("succeeded", then="failed", failure_reason="expired_or_canceled_card")

# By what stands after `pm_card_` or `tok_`.
READY = {
    "visa": PLAIN,
    "mastercard": Card("mastercard", "4444"),
    "amex": Card("amex", "8431"),
    "chargeDeclined": Card(last4="0002", decline=("card_declined", "generic_decline")),
    "chargeDeclinedInsufficientFunds": Card(last4="9995", decline=("card_declined", "insufficient_funds")),
    "chargeDeclinedExpiredCard": Card(last4="0069", decline=("expired_card", None)),
    "chargeDeclinedIncorrectCvc": Card(last4="0127", decline=("incorrect_cvc", None)),
    "chargeDeclinedProcessingError": Card(last4="0119", decline=("processing_error", None)),
    "pendingRefund": Card(last4="7726", refunds=_PENDING),
    "refundFail": Card(last4="5126", refunds=_FAILS),
    "createDispute": Card(last4="0259", disputed=True),
}

_NUMBERS = {
    "4242424242424242": "visa",
    "5555555555554444": "mastercard",
    "378282246310005": "amex",
    "4000000000000002": "chargeDeclined",
    "4000000000009995": "chargeDeclinedInsufficientFunds",
    "4000000000000069": "chargeDeclinedExpiredCard",
    "4000000000000127": "chargeDeclinedIncorrectCvc",
    "4000000000000119": "chargeDeclinedProcessingError",
    "4000000000007726": "pendingRefund",
    "4000000000005126": "refundFail",
    "4000000000000259": "createDispute",
}


def by_number(number: str) -> Card | None:
    """None where no payment succeeds with it: not a number that the test mode knows."""
    name = _NUMBERS.get(number.replace(" ", ""))
    return READY[name] if name else None


def ready_made(reference: str) -> Card | None:
    for prefix in ("pm_card_visa_", "pm_card_", "tok_visa_", "tok_"):
        if reference.startswith(prefix) and reference.removeprefix(prefix) in READY:
            return READY[reference.removeprefix(prefix)]
    return None
