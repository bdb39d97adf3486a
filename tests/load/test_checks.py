"""Every invariant can fail: outcomes as they should be, and the same with one thing made wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.load.checks import STATED, check
from tests.load.people_checks import OF_EACH_ACCESS, OF_EACH_WITHDRAWAL
from tests.load.seen import GATEWAY_503, Answer, AtProvider, Load, Mail, Outcome, People, Told, is_refunded
from tests.support.documents import authorized, captured, invoiced, order, row

CANCELLATION_ID = "can_1"


def placed(**attributes: Any) -> dict[str, Any]:
    return order("o-1", "c-1", "s-1", gift={"a", "b"}, **attributes)


def cancelled(before: dict[str, Any], status: str, amount: int | None = None) -> Outcome:
    """An order whose cancel, repeated once, and whose refund of `amount` are over, but for its sums."""
    cancellation: dict[str, Any] = {"cancellation_id": CANCELLATION_ID}
    events = [Told("OrderCanceled", {"cancellation_id": CANCELLATION_ID})]
    entries = [{"at": "t", "status": "canceled", "comment": "Cancelled by the customer"}]
    refund = None
    if amount is not None:
        refund = {"status": "succeeded", "amount": amount}
        cancellation["refund"] = refund
        detail = {"cancellation_id": CANCELLATION_ID, "refund": {"amount": amount}}
        events.append(Told("OrderRefunded", detail))
        entries.append({"at": "t", "status": status, "comment": "Refund completed."})
    after = deepcopy(before) | {"status": status, "cancellation": cancellation}
    after["history"] += entries
    return Outcome(
        placed=before,
        stored=after,
        answers=[
            Answer("200", "k", "{}", CANCELLATION_ID),
            Answer("200 replayed", "k", "{}", CANCELLATION_ID),
            Answer("422 IDEMPOTENCY_KEY_REUSED", "k", "{...}"),
            Answer("409 INVALID_ORDER_STATUS", "other", "{}"),
        ],
        refund=deepcopy(refund),
        events=events,
        listed=[{"order_id": "o-1", "status": status, "available_actions": []}],
        mails=[
            Mail(kind, "o-1", "c@example.com", "sent", 1)
            for kind in ("order_canceled", "order_canceled_notice", *["order_refunded"] * is_refunded(before))
        ],
    )


def paid() -> Outcome:
    """One row was refunded in part before; an offline payment, the rest at Stripe, and an authorization."""
    items = [invoiced("1", amount_refunded=5000, qty_refunded=1), invoiced("2")]
    payments = [
        captured(12000, "p1", amount_refunded=5000),
        captured(32900, "p2", provider="stripe", reference="pi_2"),
        authorized(700, "p3", provider="stripe", reference="pi_3"),
    ]
    shipping = {"amount": 4900, "amount_invoiced": 4900}
    one = cancelled(placed(status="processing", items=items, shipping=shipping, payments=payments), "closed", 39900)
    one.stored["items"][0] |= {"amount_refunded": 20000, "qty_refunded": 2}
    one.stored["items"][1] |= {"amount_refunded": 20000, "qty_refunded": 2}
    one.stored["shipping"] |= {"amount_refunded": 4900}
    one.stored["payments"][0] |= {"amount_refunded": 12000}
    one.stored["payments"][1] |= {"amount_refunded": 32900}
    one.stored["payments"][2] |= {"amount_voided": 700}
    provider = {"p2": AtProvider((32900,), "succeeded"), "p3": AtProvider((), "canceled")}
    return replace(one, provider=provider)


def unpaid() -> Outcome:
    one = cancelled(placed(items=[row("1", qty_ordered=3, qty_canceled=1)]), "canceled")
    one.stored["items"][0]["qty_canceled"] = 3
    return one


def shipped() -> Outcome:
    held = authorized(700, "p1", provider="stripe", reference="pi_1")
    document = placed(status="complete", items=[invoiced("1", qty_shipped=1)], payments=[held])
    return Outcome(
        placed=document,
        stored=deepcopy(document),
        shipped=True,
        answers=[Answer("409 INVALID_ORDER_STATUS", "k", "{}")],
        provider={"p1": AtProvider((), "requires_capture")},
        listed=[{"order_id": "o-1", "status": "complete", "available_actions": ["WITHDRAW"]}],
    )


def looked_at() -> Outcome:
    document = placed(note=Decimal("0.07"))
    row_of_list = {"order_id": "o-1", "status": "pending", "available_actions": ["CANCEL", "WITHDRAW"]}
    return Outcome(placed=document, stored=deepcopy(document), listed=[row_of_list])


def noted(one: Outcome) -> Outcome:
    """With a statement of withdrawal about it."""
    one.statements = 1
    one.stored["withdrawal"] = {"withdrawal_id": "wdr_1", "count": 1}
    one.stored["history"].append({"at": "t", "status": "pending", "comment": STATED})
    return one


def stated() -> Outcome:
    """A guest's, whose statement proves nothing."""
    return replace(noted(looked_at()), listed=None)


def withdrawn() -> Outcome:
    return replace(noted(paid()), answers=[], withdrawn=True)


def broken(load: Load) -> set[str]:
    return {name for name, breaches in check(load).items() if breaches}


@pytest.mark.parametrize("make", [paid, unpaid, shipped, looked_at, stated, withdrawn])
def test_what_is_as_it_should_be_breaks_nothing(make: Callable[[], Outcome]) -> None:
    answers = Counter({"200": 99, "409 INVALID_ORDER_STATUS": 1, GATEWAY_503: 1})
    assert broken(Load([make()], answers=answers, dead_letters={"RefundDeadLetterQueue": 0})) == set()


ONCE = "an order is cancelled once"
KEY = "one key, one body, one cancellation"
BOTH = "never both shipped and cancelled"
REFUND = "each refund succeeded, with the sums that were owed"
ROWS = "quantities and status are those of its cancel"
PAYMENTS = "each payment gave back what the order says, and no more"
VOIDS = "authorizations are released with their order alone"
FOREIGN = "the shop's own attributes are untouched"
ALONE = "what is not cancelled is as the shop left it"
PENDING = "no refund is left pending"
TOLD = "OrderCanceled reports each cancel"
REFUND_TOLD = "OrderRefunded reports each refund"
LIST = "the list says what may be done"
NOTED = "each statement is noted on its order"
WITHDRAWAL = "a proven withdrawal of all that can be cancelled cancels"
MAILED = "each cancel and refund is mailed once"


def put(*path: Any) -> Callable[[Outcome], None]:
    """Puts the last of `path` where the others lead to, from an attribute of the outcome."""
    name, *keys, last, value = path

    def doctor(one: Outcome) -> None:
        target = getattr(one, name)
        for key in keys:
            target = target[key]
        target[last] = value

    return doctor


def answered(*answers: Answer) -> Callable[[Outcome], None]:
    return lambda one: one.answers.extend(answers)


def without(detail_type: str) -> Callable[[Outcome], None]:
    def doctor(one: Outcome) -> None:
        one.events = [event for event in one.events if event.detail_type != detail_type]

    return doctor


def also_cancelled(one: Outcome) -> None:
    one.stored["cancellation"] = {"cancellation_id": CANCELLATION_ID}


def erased(one: Outcome) -> None:
    del one.stored["cancellation"]


DOCTORED: list[tuple[Callable[[], Outcome], Callable[[Outcome], object], set[str]]] = [
    # Twice.
    (paid, put("stored", "payments", 1, "amount_refunded", 65800), {PAYMENTS}),
    (paid, put("provider", "p2", AtProvider((32900, 32900), "succeeded")), {PAYMENTS}),
    (paid, put("provider", "p2", AtProvider((20000, 12900), "succeeded")), {PAYMENTS}),
    (paid, put("stored", "items", 1, "amount_refunded", 40000), {REFUND}),
    (paid, answered(Answer("200", "third", "{}", CANCELLATION_ID)), {ONCE}),
    (paid, answered(Answer("200 replayed", "k", "{}", "can_2")), {ONCE, KEY}),
    (paid, answered(Answer("200 replayed", "k", "{...}", CANCELLATION_ID)), {KEY}),
    (paid, answered(Answer("409 INVALID_ORDER_STATUS", "k", "{}")), {KEY}),
    # Not at all.
    (paid, put("provider", "p2", AtProvider((), "succeeded")), {PAYMENTS}),
    (paid, put("stored", "payments", 0, "amount_refunded", 5000), {PAYMENTS}),
    (paid, put("provider", "p3", AtProvider((), "requires_capture")), {VOIDS}),
    (paid, put("stored", "payments", 2, "amount_voided", 0), {VOIDS}),
    (paid, put("refund", "status", "pending"), {REFUND}),
    (paid, put("stored", "cancellation", "refund", "status", "failed"), {REFUND}),
    (paid, put("stored", "shipping", "amount_refunded", 0), {REFUND}),
    (paid, put("refund", "amount", 39899), {REFUND}),
    (paid, put("stored", "refund_pending_since", "2026-11-22T10:00:00Z"), {PENDING}),
    (paid, without("OrderCanceled"), {TOLD}),
    (paid, without("OrderRefunded"), {REFUND_TOLD}),
    (paid, lambda one: one.events.append(Told("OrderRefundFailed", one.events[0].detail)), {REFUND_TOLD}),
    (paid, erased, {ONCE, REFUND, PAYMENTS, VOIDS, FOREIGN, ALONE, TOLD, MAILED, LIST}),
    (withdrawn, erased, {REFUND, PAYMENTS, VOIDS, FOREIGN, ALONE, TOLD, MAILED, WITHDRAWAL, LIST}),
    (paid, lambda one: one.mails.pop(), {MAILED}),
    (paid, lambda one: one.mails.append(one.mails[0]), {MAILED}),
    (paid, lambda one: one.mails.append(replace(one.mails.pop(), times=2)), {MAILED}),
    (paid, lambda one: one.mails.append(replace(one.mails.pop(), status="waiting")), {MAILED}),
    (stated, lambda one: one.mails.append(Mail("order_canceled", "o-1", "c@example.com", "sent", 1)), {MAILED}),
    (stated, put("stored", "withdrawal", "count", 2), {NOTED}),
    (stated, lambda one: one.stored["history"].pop(), {NOTED, FOREIGN}),
    (stated, put("stored", "history", 1, "comment", "Another one"), {NOTED, ALONE}),
    # Both.
    (paid, lambda one: setattr(one, "shipped", True), {BOTH}),
    (unpaid, put("stored", "items", 0, "qty_shipped", 1), {BOTH, FOREIGN}),
    (shipped, also_cancelled, {ONCE, BOTH, REFUND, ROWS, PAYMENTS, VOIDS, FOREIGN, TOLD, REFUND_TOLD, LIST, MAILED}),
    (shipped, answered(Answer("200", "k2", "{}", "can_1")), {ONCE, BOTH}),
    # Otherwise than it should be.
    (paid, put("stored", "status", "canceled"), {ROWS, LIST}),
    (paid, put("stored", "items", 0, "qty_refunded", 3), {ROWS}),
    (unpaid, put("stored", "items", 0, "qty_canceled", 4), {ROWS}),
    (unpaid, put("stored", "gift", {"a"}), {FOREIGN}),
    (unpaid, put("stored", "a_new_one", 1), {FOREIGN}),
    (paid, put("stored", "payments", 1, "reference", "pi_3"), {FOREIGN}),
    (paid, lambda one: one.stored["history"].pop(0), {FOREIGN}),
    (paid, lambda one: one.stored["history"].pop(), {FOREIGN}),
    (looked_at, put("stored", "status", "processing"), {ALONE, LIST}),
    (looked_at, put("stored", "note", Decimal("0.7")), {FOREIGN, ALONE}),
    (shipped, put("provider", "p1", AtProvider((), "canceled")), {VOIDS}),
    (unpaid, put("listed", 0, "available_actions", ["CANCEL"]), {LIST}),
    (looked_at, put("listed", 0, "available_actions", []), {LIST}),
    (looked_at, lambda one: one.listed.clear() if one.listed else None, {LIST}),
    (looked_at, lambda one: one.events.append(Told("OrderCanceled", {})), {TOLD}),
]


@pytest.mark.parametrize(("make", "doctor", "names"), DOCTORED)
def test_what_is_wrong_with_an_order_is_told_by_name(
    make: Callable[[], Outcome], doctor: Callable[[Outcome], object], names: set[str]
) -> None:
    one = make()
    doctor(one)
    found = check(Load([looked_at(), one]))
    assert {name for name, breaches in found.items() if breaches} == names
    assert all(breach.startswith("o-1: ") for name in names for breach in found[name])


OF_THE_LOAD = [
    (Load([], unexpected=["o-1: cancel: 404"]), "each answer is one that could be expected"),
    (Load([], undocumented=["GET /orders -> 418"]), "answers and events are as documented"),
    (Load([], unsettled=["o-1: its refund is under way"]), "everything ends within the time given"),
    (Load([], answers=Counter({"200": 99, "503 SERVICE_UNAVAILABLE": 1})), "no request fails"),
    (Load([], answers=Counter({"200": 99, "500 of the gateway": 1})), "no request fails"),
    (Load([], arrived=Counter({"201": 99, "no answer": 1})), "no request fails"),
    (Load([], answers=Counter({"200": 98, GATEWAY_503: 2})), "the gateway has room"),
    (Load([], queued={"MailQueue": 1}), "queues are empty"),
    (Load([], people=People(strangers=["wdr_1: {}"])), "nobody else's statement is stored"),
    (Load([], dead_letters={"RefundDeadLetterQueue": 1}), "dead-letter queues are empty"),
]


@pytest.mark.parametrize(("load", "name"), OF_THE_LOAD)
def test_what_is_wrong_with_a_load_is_told_by_name(load: Load, name: str) -> None:
    assert broken(load) == {name}


def test_who_comes_at_a_rate_may_be_turned_away() -> None:
    assert broken(Load([], arrived=Counter({"201": 99, "503 SERVICE_UNAVAILABLE": 1, GATEWAY_503: 50}))) == set()


def test_each_invariant_is_broken_by_something_above() -> None:
    tried = {name for _, _, names in DOCTORED for name in names} | {name for _, name in OF_THE_LOAD}
    # The others are of those who come: test_people_checks.py.
    assert tried == check(Load([])).keys() - {*OF_EACH_WITHDRAWAL, *OF_EACH_ACCESS}
