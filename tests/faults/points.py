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
    Point(PUBLISH, "PutEvents", "paid", "puts the event on the bus"),
    Point(PUBLISH, "Query", "erased", "reads an order whose cancellation was erased", writes=False),
    Point(PUBLISH, "UpdateItem", "erased", "puts the cancellation back"),
    Point(REFUND, "BatchGetItem", "paid", "reads the order, its refund and what was paid before", writes=False),
    Point(REFUND, "GET /v1/payment_intents/{id}", "paid", "looks at the payment before anything is paid", writes=False),
    Point(REFUND, "TransactWriteItems", "paid", "freezes what the provider is asked for next", has='"Put"'),
    Point(REFUND, "GetSecretValue", "fresh", "reads the provider's key", writes=False),
    Point(REFUND, "POST /v1/refunds", "paid", "has the provider pay back"),
    Point(REFUND, "POST /v1/payment_intents/{id}/cancel", "authorized", "has the provider release"),
    Point(REFUND, "TransactWriteItems", "paid", "books the result", has='"Update"'),
    Point(REFUND, "GET /v1/refunds", "again", "asks the provider what it did before", writes=False),
    Point(REFUND, "GET /v1/payment_intents/{id}", "released", "asks whether it has released before", writes=False),
    Point(REFUND, "GET /v1/refunds/{id}", "twice", "asks whether the money has come back", writes=False),
    Point(REFUND, "UpdateItem", "away", "notes why the provider can't be asked"),
    Point(REFUND, "ChangeMessageVisibility", "away", "has the message come again sooner"),
    Point(RECONCILE, "Scan", "lost", "looks for what is pending", writes=False),
    Point(RECONCILE, "BatchGetItem", "lost", "reads the orders", writes=False),
    Point(RECONCILE, "PutEvents", "lost", "announces it again"),
    Point(RECONCILE, "UpdateItem", "lost", "notes that it was announced"),
)
FAULTS = ("killed before", "killed after", "answer lost", "throttled", "broken")
PROVIDER = "/v1/"
