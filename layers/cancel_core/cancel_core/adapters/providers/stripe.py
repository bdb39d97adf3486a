"""Stripe: refunds of captured payments, and releases of authorized ones.

Source: Stripe's API reference, "Refunds", "Cancel a PaymentIntent", "Idempotent requests" and "Currencies". A key is
remembered there for about a day, so that what may have been asked before is looked for by our refund id.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import stripe

from cancel_core.domain.provider import Outcome, PaymentRequest
from cancel_core.errors import ProviderUnavailable

CONNECT_SECONDS = 3
READ_SECONDS = 8
"""For one call; a leg takes three at most, and the function's time-out is longer than that."""

# Stripe takes ISO 4217's minor units but for these: (currency) -> how many of Stripe's units make one of ours.
_TIMES = {"ISK": 100, "UGX": 100}

# And one of Stripe's units makes so many of ours: the ariary has no minor unit there.
_WHOLE = {"MGA": 100}
_IN_USE = 409
_STATES = {"succeeded": "succeeded", "pending": "pending", "requires_action": "pending"}

# The client tells each request's path at INFO, and with it the payment's reference.
logging.getLogger("stripe").setLevel(logging.WARNING)


class Stripe:
    """`secret` gives the account's key, and forgets what it remembers of it when it is told `anew`."""

    def __init__(
        self,
        secret: Callable[[bool], str],
        url: str | None = None,
        timeouts: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
    ) -> None:
        self._secret = secret
        self._anew = False
        self._addresses: Any = {"api": url} if url else {}
        self._http = stripe.RequestsClient(timeout=timeouts)

    def execute(self, request: PaymentRequest) -> Outcome:
        if unfit := _unfit(request):
            return unfit
        with self._client() as client:
            if request.is_retry and (known := _find(client, request)):
                return known
            try:
                return _do(client, request)
            except (stripe.InvalidRequestError, stripe.IdempotencyError) as error:
                if error.http_status == _IN_USE:
                    # The same request is under way just now.
                    raise
                # A no may only mean that it was done before: by another try, or by a person.
                return _find(client, request) or Outcome("failed", message=_said(error, with_text=True))

    def find(self, request: PaymentRequest) -> Outcome | None:
        if _unfit(request):
            return None
        with self._client() as client:
            return _find(client, request)

    @contextmanager
    def _client(self) -> Iterator[stripe.StripeClient]:
        """What passes by itself, or once a person has mended the configuration, is no decline."""
        key = self._secret(self._anew)
        self._anew = False
        try:
            yield stripe.StripeClient(
                key, base_addresses=self._addresses, http_client=self._http, max_network_retries=0
            )
        except stripe.StripeError as error:
            # Whoever mends a wrong key must not have to wait for a cache.
            self._anew = isinstance(error, stripe.AuthenticationError | stripe.PermissionError)
            raise ProviderUnavailable(_said(error)) from error


def _unfit(request: PaymentRequest) -> Outcome | None:
    if not request.payment_reference.startswith(("pi_", "ch_", "py_")):
        return _invalid("the payment's reference is none of Stripe's: those begin with pi_, ch_ or py_")
    if request.amount % _WHOLE.get(request.currency, 1):
        return _invalid(f"Stripe takes whole {request.currency} only")
    return None


def _do(client: stripe.StripeClient, request: PaymentRequest) -> Outcome:
    once: stripe.RequestOptions = {"idempotency_key": request.idempotency_key}
    if request.action == "void" and request.payment_reference.startswith("pi_"):
        return _voided(client.v1.payment_intents.cancel(request.payment_reference, options=once))
    # The refund of a charge that was not captured releases it.
    amount = request.amount * _TIMES.get(request.currency, 1) // _WHOLE.get(request.currency, 1)
    metadata = {"refund_id": request.refund_id, "idempotency_key": request.idempotency_key}
    if request.payment_reference.startswith("pi_"):
        return _outcome(
            client.v1.refunds.create(
                {"payment_intent": request.payment_reference, "amount": amount, "metadata": metadata}, once
            )
        )
    return _outcome(
        client.v1.refunds.create({"charge": request.payment_reference, "amount": amount, "metadata": metadata}, once)
    )


def _find(client: stripe.StripeClient, request: PaymentRequest) -> Outcome | None:
    """What carries our refund id: what succeeds or may yet, under whatever key, before what failed under this one."""
    try:
        if request.reference and request.action == "refund":
            return _outcome(client.v1.refunds.retrieve(request.reference))
        if request.action == "void" and request.payment_reference.startswith("pi_"):
            intent = client.v1.payment_intents.retrieve(request.payment_reference)
            return _voided(intent) if intent.status == "canceled" else None
        failed = None
        for refund in _refunds(client, request.payment_reference):
            metadata = refund.metadata.to_dict() if refund.metadata else {}
            if metadata.get("refund_id") != request.refund_id:
                continue
            outcome = _outcome(refund)
            if outcome.status != "failed":
                return outcome
            if metadata.get("idempotency_key") == request.idempotency_key:
                failed = outcome
        return failed
    except stripe.InvalidRequestError as error:
        if error.http_status == _IN_USE:
            raise
        return None


def _refunds(client: stripe.StripeClient, reference: str) -> Iterator[stripe.Refund]:
    if reference.startswith("pi_"):
        return client.v1.refunds.list({"payment_intent": reference, "limit": 100}).auto_paging_iter()
    return client.v1.refunds.list({"charge": reference, "limit": 100}).auto_paging_iter()


def _outcome(refund: stripe.Refund) -> Outcome:
    status = _STATES.get(refund.status or "", "failed")
    if status == "failed":
        reason = getattr(refund, "failure_reason", None) or refund.status
        return Outcome("failed", reference=refund.id, message=f"Stripe's refund {refund.id} has failed: {reason}")
    return Outcome("succeeded" if status == "succeeded" else "pending", reference=refund.id)


def _voided(intent: stripe.PaymentIntent) -> Outcome:
    if intent.status == "canceled":
        # It has no id but the payment's own, which is not shown to customers.
        return Outcome("succeeded")
    return Outcome("failed", message=f"Stripe's payment is {intent.status!r}, so there is nothing to release")


def _invalid(message: str) -> Outcome:
    return Outcome("failed", code="INVALID_ORDER", message=message)


def _said(error: stripe.StripeError, *, with_text: bool = False) -> str:
    """What Stripe answered. Its text is for the operator of a declined refund alone: elsewhere it may name the key."""
    parts = ["Stripe:", type(error).__name__, str(error.http_status or "no answer"), error.code or ""]
    if with_text:
        parts.append(error.user_message or "")
    return " ".join(part for part in parts if part)
