"""The lines of the product that talk to the outside, and the faults that each meets."""

from __future__ import annotations

from typing import NamedTuple


class Point(NamedTuple):
    """One line that talks to the outside: its function, what it asks for, and the story in which it is met.

    `has` tells the requests of that operation that are meant from the others, by their body; `writes` whether anything
    is different once it is done.
    """

    function: str
    operation: str
    story: str
    what: str
    writes: bool = True
    has: str = ""

    @property
    def of_provider(self) -> bool:
        """Whether it asks the payment provider; all others ask AWS."""
        return "/v1/" in self.operation


CANCEL, PUBLISH, REFUND, RECONCILE = (
    "CancelOrderFunction",
    "PublishEventsFunction",
    "RefundOrderFunction",
    "ReconcileRefundsFunction",
)
POINTS = (
    Point(CANCEL, "Query", "paid", "reads the order", writes=False),
    Point(CANCEL, "BatchGetItem", "paid", "reads the config", writes=False),
    Point(CANCEL, "UpdateItem", "paid", "cancels the order"),
    Point(PUBLISH, "PutEvents", "paid", "publishes the event"),
    Point(PUBLISH, "Query", "erased", "reads an order whose cancellation was erased", writes=False),
    Point(PUBLISH, "UpdateItem", "erased", "restores the cancellation"),
    Point(REFUND, "BatchGetItem", "paid", "reads the order, its refund document and its ledger", writes=False),
    Point(REFUND, "GET /v1/payment_intents/{id}", "paid", "checks the payment before the first refund", writes=False),
    Point(REFUND, "TransactWriteItems", "paid", "freezes the next leg", has='"Put"'),
    Point(REFUND, "GetSecretValue", "fresh", "reads the provider's key", writes=False),
    Point(REFUND, "POST /v1/refunds", "paid", "requests the refund"),
    Point(REFUND, "POST /v1/payment_intents/{id}/cancel", "authorized", "voids the authorization"),
    Point(REFUND, "TransactWriteItems", "paid", "books the result", has='"Update"'),
    Point(REFUND, "GET /v1/refunds", "again", "looks up earlier refunds", writes=False),
    Point(REFUND, "GET /v1/payment_intents/{id}", "released", "looks up an earlier void", writes=False),
    Point(REFUND, "GET /v1/refunds/{id}", "twice", "checks whether the refund was returned", writes=False),
    Point(REFUND, "UpdateItem", "away", "records why the provider is unavailable"),
    Point(REFUND, "ChangeMessageVisibility", "away", "sets the redelivery delay"),
    Point(RECONCILE, "Scan", "lost", "finds pending refunds", writes=False),
    Point(RECONCILE, "BatchGetItem", "lost", "reads the orders", writes=False),
    Point(RECONCILE, "PutEvents", "lost", "publishes the cancel again"),
    Point(RECONCILE, "UpdateItem", "lost", "records that it was published"),
)
FAULTS = ("killed before", "killed after", "answer lost", "throttled", "broken")
NAMELESS = frozenset({"Scan", "GetSecretValue", "ChangeMessageVisibility"})
"""Calls that name neither order nor payment."""
