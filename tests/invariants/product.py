"""The product, as the machine has it: everything in tests/invariants that touches what is inside of it is in here.

It is called as its functions and the operator's command call it, with the clients of the engine and a provider's port
before the `Bank`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol

from cancel_core.adapters.dynamodb.attributes import plain
from cancel_core.adapters.dynamodb.config import ConfigTables, Policies
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.adapters.dynamodb.refunds import Refunds
from cancel_core.adapters.eventbridge import Bus
from cancel_core.adapters.providers.offline import Offline
from cancel_core.domain.caller import Customer
from cancel_core.domain.cancel import CancelRequest
from cancel_core.domain.cancellation import Fingerprint
from cancel_core.domain.provider import Outcome, PaymentRequest, Provider
from cancel_core.entrypoints.http.documents import canceled_view
from cancel_core.entrypoints.order_stream import read_changes
from cancel_core.errors import (
    CancellationErased,
    ConcurrentUpdate,
    IdempotencyKeyReused,
    OrderNotCancellable,
    OrderNotFound,
    ProviderUnavailable,
    PublishFailed,
    ServiceUnavailable,
)
from cancel_core.services.announce import publish_changes
from cancel_core.services.cancel import cancel_order
from cancel_core.services.reconcile import reannounce
from cancel_core.services.refund import RefundContended, refund_order
from cancel_core.telemetry import logger

from ops import settlement
from tests.invariants.bank import Answer, Ask, Bank, SavedError
from tests.invariants.wire import CannotSay, Crash, Wire, over

__all__ = ["CONFIGURED", "PASSING", "REFUSALS", "TRY_AGAIN", "Leg", "Product", "bus", "listening", "plain"]

# What a pass may end with where something went wrong around it. Whatever else comes out of it is a defect.
REFUSALS = (OrderNotCancellable, IdempotencyKeyReused, ConcurrentUpdate, OrderNotFound)
PASSING = (ServiceUnavailable, ConcurrentUpdate, PublishFailed, Crash)
TRY_AGAIN = (ProviderUnavailable, ServiceUnavailable, RefundContended, CancellationErased, Crash)
REFUSED_TO_OPERATORS = (settlement.Refused, ServiceUnavailable, PublishFailed, Crash)

RECONCILE_AFTER = timedelta(minutes=15)
PUT_BACK = "The order system wrote over the cancellation; it has been put back."
PRODUCTS_OWN = {"status", "items", "shipping", "fees", "payments", "history", "cancellation", "refund_pending_since"}
"""What the product may change in an order; all else is the shop's."""
CONFIGURED = {"stripe", "offline"}
OPERATOR = settlement.Person("ann@shop.example", "asked")


class Leg:
    """A leg of a refund's document, as far as the machine reads it."""

    def __init__(self, stored: Mapping[str, Any]) -> None:
        self.payment_id: str = stored["payment_id"]
        self.action: str = stored["action"]
        self.amount = int(stored["amount"])
        self.status: str = stored["status"]
        self.movement: str | None = stored.get("reference")

    def same_as(self, other: Leg) -> bool:
        return vars(self) == vars(other)

    def __repr__(self) -> str:
        return f"{self.action} {self.amount} of {self.payment_id} {self.status}"


class Product:
    """What can be done with the product. `client` is the engine's, with or without a fault before it."""

    def __init__(self, tables: Mapping[str, str], events: Bus, bank: Bank, wire: Wire) -> None:
        self._tables = tables
        self._bus = events
        self._providers: dict[str, Provider] = {"stripe": _Port(bank, wire), "offline": Offline()}

    def cancel(
        self, client: Any, order_id: str, key: str | None, reason: str, request_id: str, now: datetime
    ) -> tuple[dict[str, Any], bool]:
        """The cancellation as the customer sees it, and whether it is a replay. Raises `REFUSALS` and `PASSING`."""
        request = CancelRequest(
            order_id=order_id,
            caller=Customer("c1"),
            reason=reason,
            comment=None,
            request_id=request_id,
            fingerprint=Fingerprint(key=key, body=reason) if key else None,
        )
        policies = Policies(client, ConfigTables(self._tables["config"], self._tables["history"]), 0, print)
        canceled = cancel_order(self._orders(client), policies, request, lambda: now)
        view: dict[str, Any] = canceled_view(canceled, now)["cancellation"]
        return view, canceled.replayed

    def publish(self, client: Any, records: Sequence[Mapping[str, Any]], now: datetime) -> list[str]:
        """The sequence numbers of the records that are to be given again."""
        orders = self._orders(client)
        return publish_changes(orders, self._refunds(client, orders), self._bus, read_changes(records), now)

    def refund(self, client: Any, order_id: str, cancellation_id: str, clock: Callable[[], datetime]) -> None:
        """Raises `TRY_AGAIN`."""
        orders = self._orders(client)
        refund_order(self._refunds(client, orders), self._providers, order_id, cancellation_id, clock)

    def reannounce(self, client: Any, now: datetime) -> None:
        """Raises `PASSING`."""
        orders = self._orders(client)
        reannounce(orders, self._refunds(client, orders), self._bus, now, RECONCILE_AFTER, lambda: 600)

    def operate(self, what: str, client: Any, some_id: str, now: datetime) -> str:
        """An operator's move, by a refund's id or an order's: retry, settle or give-up. What it says was done.

        Raises `REFUSED_TO_OPERATORS`.
        """
        orders = self._orders(client)
        refunds = self._refunds(client, orders)
        match what:
            case "retry":
                return settlement.retry(orders, refunds, self._bus, some_id, OPERATOR, now)
            case "settle":
                return settlement.settle(orders, refunds, some_id, OPERATOR, now)
            case _:
                return settlement.give_up(orders, refunds, some_id, OPERATOR, now)

    def document(self, client: Any, refund_id: str) -> dict[str, Any] | None:
        """A refund's document, as operators see it."""
        return self._refunds(client, self._orders(client)).item(refund_id)

    def forget_refunds(self, client: Any) -> None:
        """Removes every refund's document."""
        table = self._tables["refunds"]
        for item in client.scan(TableName=table, ProjectionExpression="refund_id")["Items"]:
            client.delete_item(TableName=table, Key=item)

    @staticmethod
    def legs(refund: Mapping[str, Any]) -> list[Leg]:
        """The legs of a refund's document, or of the refund on its order."""
        return [Leg(one) for one in refund.get("payments", ())]

    def _orders(self, client: Any) -> Orders:
        return Orders(client, self._tables["orders"])

    def _refunds(self, client: Any, orders: Orders) -> Refunds:
        return Refunds(client, self._tables["refunds"], orders)


class _Port:
    """The provider, asked as our client of Stripe asks it, each call over the wire."""

    def __init__(self, bank: Bank, wire: Wire) -> None:
        self._bank = bank
        self._wire = wire

    lands_late = True

    def check(self, request: PaymentRequest) -> str | None:
        with _unavailable():
            currency: str = over(self._wire, lambda: self._bank.currency(request.payment_reference))
        return None if currency == request.currency else f"the payment is in {currency}"

    def execute(self, request: PaymentRequest) -> Outcome:
        ask = _ask(request)
        self._bank.asked(ask)
        with _unavailable():
            if request.reference or request.is_retry:
                known: Answer | None = over(self._wire, lambda: self._bank.find(ask))
                if known:
                    return _outcome(known)
            if request.action == "void":
                captured: int = over(self._wire, lambda: self._bank.captured(ask.payment))
                if captured > request.captured:
                    return Outcome("failed", message="it was captured meanwhile")
            try:
                answer: Answer = over(self._wire, lambda: self._bank.ask(ask))
            except SavedError as error:
                found: Answer | None = over(self._wire, lambda: self._bank.find(ask))
                if found is None and error.is_replayed:
                    return Outcome("new_key", message="an error was saved under the key")
                if found is None:
                    raise CannotSay("the provider had an error") from error
                return _outcome(found)
            if answer.status == "failed" and answer.movement is None:
                # A no may only mean that it was done before.
                answer = self._bank.find(ask) or answer
            return _outcome(answer)

    def find(self, request: PaymentRequest) -> Outcome | None:
        with _unavailable():
            known: Answer | None = over(self._wire, lambda: self._bank.find(_ask(request)))
            return _outcome(known) if known else None


def _ask(request: PaymentRequest) -> Ask:
    return Ask(
        action=request.action,
        key=request.idempotency_key,
        mark=request.idempotency_key,
        payment=request.payment_reference,
        amount=request.amount,
        currency=request.currency,
        movement=request.reference,
    )


def _outcome(answer: Answer) -> Outcome:
    return Outcome(
        answer.status,
        answer.movement,
        message=answer.message,
        # A release says nothing of how much was still held.
        amount=answer.amount if answer.action == "refund" else None,
        currency=answer.currency,
    )


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except CannotSay as error:
        raise ProviderUnavailable(str(error)) from error


def bus(client: Any) -> Bus:
    return Bus(client, "bus")


class Listens(Protocol):
    """A listener for the orders that the product warns about in its log."""

    on_warning: Callable[[str], None]


class _Listener(logging.Handler):
    def __init__(self, told: Listens) -> None:
        super().__init__(logging.WARNING)
        self._told = told

    def emit(self, record: logging.LogRecord) -> None:
        if order_id := getattr(record, "order_id", None):
            self._told.on_warning(order_id)


@contextmanager
def listening(told: Listens) -> Iterator[None]:
    """Reports of which orders the product warns in its log, and keeps all else of it from the test's output."""
    log = logging.getLogger(logger.name)
    handlers, log.handlers, level = log.handlers, [_Listener(told)], log.level
    log.setLevel(logging.WARNING)
    botocore = logging.getLogger("botocore")
    before = botocore.level
    botocore.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.handlers = handlers
        log.setLevel(level)
        botocore.setLevel(before)
