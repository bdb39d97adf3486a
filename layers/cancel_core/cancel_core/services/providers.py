"""Calls the payment providers for a refund, and applies their answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from cancel_core.domain.cancellation import Leg
from cancel_core.domain.ids import leg_key
from cancel_core.domain.order import Order
from cancel_core.domain.provider import Outcome, PaymentRequest, Provider
from cancel_core.domain.refund_document import AskedLeg, RefundDocument
from cancel_core.errors import ProviderUnavailable


class Providers:
    """The payment providers, by their names in payments."""

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self._providers = providers

    def unknown(self, legs: Sequence[Leg]) -> str | None:
        """The error, if one of these payments is of a provider that is not configured."""
        for leg in legs:
            if leg.provider not in self._providers:
                known = ", ".join(sorted(self._providers))
                return f"{leg.payment_id}: there is no payment provider {leg.provider!r}, only {known}"
        return None

    def check(self, leg: AskedLeg, document: RefundDocument) -> str | None:
        """What is wrong with the payment itself. Raises `ProviderUnavailable`."""
        wrong = self._providers[leg.provider].check(_request(leg, document))
        return f"{leg.payment_id}: {wrong}" if wrong else None

    def execute(self, leg: AskedLeg, document: RefundDocument, *, is_retry: bool) -> Outcome:
        """Raises `ProviderUnavailable`."""
        return self._provider(leg).execute(_request(leg, document, is_retry=is_retry))

    def find(self, leg: AskedLeg, document: RefundDocument) -> Outcome | None:
        """Raises `ProviderUnavailable`."""
        return self._provider(leg).find(_request(leg, document, is_retry=True))

    def came_back(self, document: RefundDocument) -> tuple[AskedLeg, str] | None:
        """A leg that had succeeded and that its provider now reports as failed, and the provider's outcome: banks may
        return money days later. If a provider has no answer, it is asked again when the order is announced the next
        time.
        """
        for leg in document.payments:
            if leg.action == "refund" and leg.has_moved and leg.reference:
                with suppress(ProviderUnavailable):
                    found = self.find(leg, document)
                    if found and found.status == "failed":
                        return leg, found.message
        return None

    def lands_late(self, leg: AskedLeg) -> bool:
        """Whether money may still move for it although the provider does not know it. A late release does no harm."""
        return leg.action == "refund" and self._provider(leg).lands_late

    def _provider(self, leg: Leg) -> Provider:
        try:
            return self._providers[leg.provider]
        except KeyError:
            raise ProviderUnavailable(f"there is no payment provider {leg.provider!r} any more") from None


def settled(leg: AskedLeg, outcome: Outcome, currency: str) -> AskedLeg:
    """The leg in its provider's current state. A known id is kept.

    If a provider has done something other than requested, money has moved nevertheless: a person resolves it.
    """
    reference = outcome.reference or leg.reference
    if outcome.status in {"failed", "new_key"}:
        return leg.model_copy(update={"status": "failed", "reference": reference})
    amount = leg.amount if outcome.amount is None else outcome.amount
    same_currency = outcome.currency is None or outcome.currency == currency
    if not same_currency or amount not in {leg.amount, *leg.earlier_amounts}:
        return leg.model_copy(update={"status": "failed", "reference": reference, "is_disputed": True})
    return leg.model_copy(update={"status": outcome.status, "reference": reference, "amount": amount})


def said_of(leg: AskedLeg, currency: str) -> str:
    """A line of the log."""
    reference = f", {leg.reference} at {leg.provider}" if leg.reference else ""
    status = "is not what was asked for" if leg.is_disputed else leg.status
    return f"{leg.payment_id}: {leg.action} of {leg.amount} {currency} {status}{reference}"


def reference_of(leg: AskedLeg, order: Order) -> AskedLeg:
    """The leg with the provider's id of its payment, in case an earlier version did not store it."""
    if leg.payment_reference:
        return leg
    payment = order.payment(leg.payment_id)
    return leg.model_copy(update={"payment_reference": payment.reference}) if payment else leg


def _request(leg: AskedLeg, document: RefundDocument, *, is_retry: bool = False) -> PaymentRequest:
    return PaymentRequest(
        action=leg.action,
        idempotency_key=leg_key(document.refund_id, leg),
        refund_id=document.refund_id,
        payment_id=leg.payment_id,
        payment_reference=leg.payment_reference,
        amount=leg.amount,
        currency=document.currency,
        captured=leg.captured,
        is_retry=is_retry,
        reference=leg.reference,
    )
