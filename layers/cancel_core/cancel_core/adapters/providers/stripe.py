"""Stripe: refunds of captured payments, and releases of authorized ones.

Source: Stripe's API reference, "Refunds", "Cancel a PaymentIntent", "Idempotent requests", "Errors" and "Currencies".
Stripe keeps a key for about a day, also with a response of 500. A request that may have been made before is therefore
looked up by our key, which is in the metadata of the object that it made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import stripe

from cancel_core.domain.provider import Outcome, PaymentRequest
from cancel_core.errors import ProviderUnavailable

CONNECT_SECONDS = 3
READ_SECONDS = 8
"""For one call. A leg needs at most three, which is less than the function's timeout."""

# Stripe uses ISO 4217's minor units except for these: (currency) -> how many of Stripe's units are one of ours.
_TIMES = {"ISK": 100, "UGX": 100}

# And one of Stripe's units is this many of ours: the ariary has no minor unit at Stripe.
_WHOLE = {"MGA": 100}
INTENT = "pi_"
_IN_USE = 409
_NOT_FOUND = 404
# Statuses of a charge that holds no more money.
_NOTHING_HELD = {"charge_already_refunded", "charge_expired_for_capture"}
_STATES = {"succeeded": "succeeded", "pending": "pending", "requires_action": "pending"}


class Stripe:
    """`secret` returns the account's key; called with True, it reads the key again instead of using its cache."""

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

    lands_late = True

    def check(self, request: PaymentRequest) -> str | None:
        if unfit := _unfit(request):
            return unfit
        with self._client() as client:
            currency = _currency(client, request.payment_reference)
        if currency != request.currency:
            return f"the payment is in {currency} at Stripe, and the order is in {request.currency}"
        return None

    def execute(self, request: PaymentRequest) -> Outcome:
        if unfit := _unfit(request):
            return Outcome("failed", code="INVALID_ORDER", message=unfit)
        with self._client() as client:
            if (request.is_retry or request.reference) and (known := _find(client, request)):
                return known
            try:
                return _release(client, request) if request.action == "void" else _refund(client, request)
            except stripe.CardError as error:
                return _definite_no(error)
            except (stripe.InvalidRequestError, stripe.IdempotencyError) as error:
                # The error may only mean that it was done before: by an earlier attempt, or by a person.
                return _find(client, request) or _definite_no(error)
            except stripe.APIError as error:
                if _is_replayed(error) and not (known := _find(client, request)):
                    # The result of a request that has ended: nothing was made, and nothing will be under this key.
                    return Outcome("new_key", message=_said(error))
                if _is_replayed(error) and known:
                    return known
                raise

    def find(self, request: PaymentRequest) -> Outcome | None:
        if _unfit(request):
            return None
        with self._client() as client:
            return _find(client, request)

    @contextmanager
    def _client(self) -> Iterator[stripe.StripeClient]:
        """Temporary errors, and errors that end once a person has corrected the configuration, are not declines."""
        key = self._secret(self._anew)
        self._anew = False
        try:
            yield stripe.StripeClient(
                key, base_addresses=self._addresses, http_client=self._http, max_network_retries=0
            )
        except stripe.StripeError as error:
            # A corrected key must take effect without waiting for a cache.
            self._anew = isinstance(error, stripe.AuthenticationError | stripe.PermissionError)
            raise ProviderUnavailable(_said(error)) from error


def _unfit(request: PaymentRequest) -> str | None:
    if not request.payment_reference.startswith((INTENT, "ch_", "py_")):
        return "the payment's reference is none of Stripe's: those begin with pi_, ch_ or py_"
    if request.amount % _WHOLE.get(request.currency, 1):
        return f"Stripe takes whole {request.currency} only"
    return None


def _currency(client: stripe.StripeClient, reference: str) -> str:
    if reference.startswith(INTENT):
        return client.v1.payment_intents.retrieve(reference).currency.upper()
    return client.v1.charges.retrieve(reference).currency.upper()


def _refund(client: stripe.StripeClient, request: PaymentRequest) -> Outcome:
    once: stripe.RequestOptions = {"idempotency_key": request.idempotency_key}
    amount = request.amount * _TIMES.get(request.currency, 1) // _WHOLE.get(request.currency, 1)
    metadata = {
        "refund_id": request.refund_id,
        "payment_id": request.payment_id,
        "idempotency_key": request.idempotency_key,
    }
    if request.payment_reference.startswith(INTENT):
        made = client.v1.refunds.create(
            {"payment_intent": request.payment_reference, "amount": amount, "metadata": metadata}, once
        )
    else:
        made = client.v1.refunds.create(
            {"charge": request.payment_reference, "amount": amount, "metadata": metadata}, once
        )
    return _outcome(made)


def _release(client: stripe.StripeClient, request: PaymentRequest) -> Outcome:
    """Releases what is still held. Amounts captured in the meantime are not touched."""
    if released := _released(client, request):
        return released
    if request.payment_reference.startswith(INTENT):
        once: stripe.RequestOptions = {"idempotency_key": request.idempotency_key}
        try:
            if request.captured:
                # The rest of a partly captured authorization is released by a final capture of 0.
                rest: Any = {"amount_to_capture": 0, "final_capture": True}
                client.v1.payment_intents.capture(request.payment_reference, rest, once)
            else:
                client.v1.payment_intents.cancel(request.payment_reference, options=once)
        except stripe.InvalidRequestError as error:
            if error.http_status == _IN_USE:
                raise
        return _released(client, request) or Outcome("failed", message="Stripe's payment can't be cancelled")
    # The refund of a charge that was not captured releases it.
    try:
        _refund(client, request)
    except stripe.InvalidRequestError as error:
        if error.code not in _NOTHING_HELD:
            raise
    # Its only id is the payment's own, which is not shown to customers.
    return Outcome("succeeded")


def _released(client: stripe.StripeClient, request: PaymentRequest) -> Outcome | None:
    """None while something is held. A release has only the payment's own id, which is not shown to customers."""
    if request.payment_reference.startswith(INTENT):
        intent = client.v1.payment_intents.retrieve(request.payment_reference)
        is_held, captured = intent.status == "requires_capture", intent.amount_received
    else:
        charge = client.v1.charges.retrieve(request.payment_reference)
        is_held, captured = (
            not charge.captured and not charge.refunded,
            charge.amount_captured if charge.captured else 0,
        )
    if is_held:
        return None
    theirs = request.captured * _TIMES.get(request.currency, 1) // _WHOLE.get(request.currency, 1)
    if captured > theirs:
        return Outcome("failed", message="Stripe has captured the payment meanwhile, so there is nothing to release")
    return Outcome("succeeded")


def _find(client: stripe.StripeClient, request: PaymentRequest) -> Outcome | None:
    """The object that was made under our key."""
    if request.action == "void":
        return _released(client, request)
    if request.reference:
        return _outcome(client.v1.refunds.retrieve(request.reference))
    for refund in _refunds(client, request.payment_reference):
        metadata = refund.metadata.to_dict() if refund.metadata else {}
        if metadata.get("idempotency_key") == request.idempotency_key:
            return _outcome(refund)
    return None


def _refunds(client: stripe.StripeClient, reference: str) -> Iterator[stripe.Refund]:
    if reference.startswith(INTENT):
        return client.v1.refunds.list({"payment_intent": reference, "limit": 100}).auto_paging_iter()
    return client.v1.refunds.list({"charge": reference, "limit": 100}).auto_paging_iter()


def _outcome(refund: stripe.Refund) -> Outcome:
    currency = refund.currency.upper()
    amount = refund.amount * _WHOLE.get(currency, 1) // _TIMES.get(currency, 1)
    match _STATES.get(refund.status or ""):
        case "succeeded":
            return Outcome("succeeded", reference=refund.id, amount=amount, currency=currency)
        case "pending":
            return Outcome("pending", reference=refund.id, amount=amount, currency=currency)
    reason = getattr(refund, "failure_reason", None) or refund.status
    return Outcome("failed", reference=refund.id, message=f"Stripe's refund {refund.id} has failed: {reason}")


def _definite_no(error: stripe.StripeError) -> Outcome:
    """An error that refers to the request itself. Raises the error in all other cases: the payment is unknown under
    this key, the same request is in progress, or the key was used for another request, which may have been carried out.
    """
    if error.http_status in {_IN_USE, _NOT_FOUND} or isinstance(error, stripe.IdempotencyError):
        raise error
    return Outcome("failed", message=_said(error, with_text=True))


def _is_replayed(error: stripe.StripeError) -> bool:
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    return headers.get("idempotent-replayed") == "true"


def _said(error: stripe.StripeError, *, with_text: bool = False) -> str:
    """Stripe's error. Its message goes only to the operator of a declined refund, because it may contain the key."""
    parts = ["Stripe:", type(error).__name__, str(error.http_status or "no answer"), error.code or ""]
    if with_text:
        parts.append(error.user_message or "")
    return " ".join(part for part in parts if part)
