"""What has to hold once a load is over, by name. Pure functions over what was seen; the sums are worked out anew from
the order as the shop placed it, with nothing of the product's own code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]

GATEWAY_503 = "503 of the gateway"
"""What the gateway says when no environment of a function became free in time."""
NO_ANSWER = "no answer"
MAX_GATEWAY_SHARE = 0.01
"""Of all requests."""

PRODUCTS_OWN = frozenset({"cancellation", "refund_pending_since"})
PRODUCTS_NUMBERS = frozenset({"qty_canceled", "qty_refunded", "amount_refunded", "amount_voided"})
SHARED = frozenset({"status", "items", "shipping", "fees", "payments", "history"})
CANCELLABLE = frozenset({"pending", "processing"})


@dataclass(frozen=True)
class Answer:
    """One answer to a cancel. `said`: status and code ("409 INVALID_ORDER_STATUS"), "200 replayed", GATEWAY_503 or
    NO_ANSWER. `at`: Unix time."""

    said: str
    key: str | None = None
    body: str = ""
    cancellation_id: str | None = None
    at: float = 0.0

    @property
    def accepted(self) -> bool:
        return self.said in {"200", "200 replayed"}


@dataclass(frozen=True)
class Told:
    """An event of an order, and the Unix time at which it reached the queue."""

    detail_type: str
    detail: Document
    at: float = 0.0


@dataclass(frozen=True)
class AtProvider:
    """A payment as its provider has it: the amounts of its refunds, and the PaymentIntent's status."""

    refunds: tuple[int, ...]
    status: str


@dataclass
class Outcome:
    """All there is to know of one order.

    `placed` is the order as the order system wrote it, with the writes of its own that succeeded since; `stored` as it
    lies in the table at the end; `refund` its document in the refunds table. `provider` is by `payment_id`. `listed`
    are its rows in the customer's list at the end.
    """

    placed: Document
    stored: Document
    shipped: bool = False
    answers: list[Answer] = field(default_factory=list)
    refund: Document | None = None
    events: list[Told] = field(default_factory=list)
    provider: Mapping[str, AtProvider] = field(default_factory=dict)
    listed: list[Document] = field(default_factory=list)

    @property
    def order_id(self) -> str:
        return str(self.placed["order_id"])

    @property
    def cancellation(self) -> Document | None:
        cancellation: Document | None = self.stored.get("cancellation")
        return cancellation

    def told(self, detail_type: str) -> list[Told]:
        return [event for event in self.events if event.detail_type == detail_type]


@dataclass
class Load:
    """A load that is over. `answers` counts every answer of the API by what it said; the lists are of sentences.

    `unsettled`: what was still to come when the time for it was over. Other breaches may then be merely unfinished.
    """

    outcomes: list[Outcome]
    answers: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    undocumented: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    dead_letters: Mapping[str, int] = field(default_factory=dict)


Breaches = Iterator[str]


# --- what the placed order says ---------------------------------------------------------------------------------------


def rows(order: Document) -> list[Document]:
    """Whatever has amounts: items, shipping, fees."""
    return [*order["items"], *([order["shipping"]] if "shipping" in order else []), *order.get("fees", [])]


def owed(row: Document) -> int:
    return max(0, int(row.get("amount_invoiced", 0)) - int(row.get("amount_refunded", 0)))


def amount_owed(order: Document) -> int:
    return sum(map(owed, rows(order)))


def releasable(payment: Document) -> int:
    if payment.get("amount_captured", 0):
        return 0
    return int(payment.get("amount_authorized", 0)) - int(payment.get("amount_voided", 0))


def is_refunded(order: Document) -> bool:
    """Whether a cancel of it has anything to pay back or to release."""
    return amount_owed(order) > 0 or any(map(releasable, order["payments"]))


def left_to_cancel(item: Document) -> Any:
    return max(0, item["qty_ordered"] - item.get("qty_invoiced", 0) - item.get("qty_canceled", 0))


# --- each order -------------------------------------------------------------------------------------------------------


def cancelled_once(one: Outcome) -> Breaches:
    ids = {answer.cancellation_id for answer in one.answers if answer.accepted}
    firsts = [answer for answer in one.answers if answer.said == "200"]
    stored = one.cancellation["cancellation_id"] if one.cancellation else None
    if len(firsts) > 1:
        yield f"{len(firsts)} cancels were accepted as the first"
    if len(ids) > 1:
        yield f"its answers named {len(ids)} cancellations"
    if ids and stored not in ids:
        yield f"its answers named {sorted(map(str, ids))}, the table has {stored}"
    # Whose answer was lost may have been cancelled all the same.
    lost = any(answer.said in {GATEWAY_503, NO_ANSWER} for answer in one.answers)
    if stored and not ids and not lost:
        yield "it is cancelled, and no answer said so"


def one_key_one_cancellation(one: Outcome) -> Breaches:
    by_key: dict[str, list[Answer]] = {}
    for answer in one.answers:
        if answer.key is not None and answer.said not in {GATEWAY_503, NO_ANSWER}:
            by_key.setdefault(answer.key, []).append(answer)
    for answers in by_key.values():
        accepted = [answer for answer in answers if answer.accepted]
        if len({answer.cancellation_id for answer in accepted}) > 1:
            yield "a key was answered with several cancellations"
        if len({answer.body for answer in accepted}) > 1:
            yield "a key was accepted with another body"
        bodies = {answer.body for answer in accepted}
        if refused := [answer.said for answer in answers if answer.body in bodies and not answer.accepted]:
            yield f"a key and body that were accepted were also answered {refused}"


def never_shipped_and_cancelled(one: Outcome) -> Breaches:
    left = one.shipped or any(item.get("qty_shipped", 0) > 0 for item in one.stored["items"])
    if left and (one.cancellation or any(answer.accepted for answer in one.answers)):
        yield "it was shipped and cancelled"


def refund_is_what_was_owed(one: Outcome) -> Breaches:
    if one.cancellation is None:
        if one.refund:
            yield "it has a refund, and is not cancelled"
        return
    refund = one.cancellation.get("refund")
    if not is_refunded(one.placed):
        if refund or one.refund:
            yield "it has a refund, and nothing was owed"
        return
    if not refund or not one.refund:
        yield f"it has no refund, and {amount_owed(one.placed)} is owed"
        return
    if (refund["status"], one.refund["status"]) != ("succeeded", "succeeded"):
        yield f"its refund is {refund['status']!r} on the order and {one.refund['status']!r} in the refunds table"
    if (refund["amount"], one.refund["amount"]) != (amount_owed(one.placed),) * 2:
        yield f"its refund is of {refund['amount']} and {one.refund['amount']}, owed were {amount_owed(one.placed)}"
    for before, after in zip(rows(one.placed), rows(one.stored), strict=True):
        booked = after.get("amount_refunded", 0) - before.get("amount_refunded", 0)
        if booked != owed(before):
            yield f"{booked} is booked on a row, owed were {owed(before)}"


def quantities_and_status(one: Outcome) -> Breaches:
    if one.cancellation is None:
        return
    to_cancel = [left_to_cancel(item) for item in one.placed["items"]]
    for before, after, left in zip(one.placed["items"], one.stored["items"], to_cancel, strict=True):
        if after.get("qty_canceled", 0) != before.get("qty_canceled", 0) + left:
            yield f"qty_canceled of a row is {after.get('qty_canceled', 0)}, to cancel were {left}"
        if is_refunded(one.placed) and after.get("qty_refunded", 0) != before.get("qty_invoiced", 0):
            yield f"qty_refunded of a row is {after.get('qty_refunded', 0)}, invoiced were {before['qty_invoiced']}"
    status = "closed" if is_refunded(one.placed) and not any(to_cancel) else "canceled"
    if one.stored["status"] != status:
        yield f"its status is {one.stored['status']!r} and should be {status!r}"


def payments_gave_back_what_the_order_says(one: Outcome) -> Breaches:
    total = 0
    for before, after in zip(one.placed["payments"], one.stored["payments"], strict=True):
        name, captured = before["payment_id"], before.get("amount_captured", 0)
        booked = after.get("amount_refunded", 0) - before.get("amount_refunded", 0)
        total += booked
        if after.get("amount_refunded", 0) > captured:
            yield f"{name} gave back {after['amount_refunded']} of {captured}"
        if before["provider"] == "stripe":
            given = one.provider[name].refunds
            # A release at Stripe is no refund.
            if sum(given) != booked or len(given) > 1:
                yield f"{name}: the provider gave back {list(given)}, the order says {booked}"
    expected = amount_owed(one.placed) if one.cancellation else 0
    if total != expected:
        yield f"its payments gave back {total}, owed were {expected}"


def authorizations_are_released(one: Outcome) -> Breaches:
    for before, after in zip(one.placed["payments"], one.stored["payments"], strict=True):
        if not (held := releasable(before)):
            continue
        released = after.get("amount_voided", 0) - before.get("amount_voided", 0)
        if released != (held if one.cancellation else 0):
            yield f"{before['payment_id']}: {released} of {held} is released, cancelled: {bool(one.cancellation)}"
        wanted = "canceled" if one.cancellation else "requires_capture"
        if before["provider"] == "stripe" and (status := one.provider[before["payment_id"]].status) != wanted:
            yield f"{before['payment_id']} is {status!r} at the provider, not {wanted!r}"


def shops_own_is_untouched(one: Outcome) -> Breaches:
    before, after = one.placed, one.stored
    if extra := after.keys() - before.keys() - PRODUCTS_OWN:
        yield f"it has {sorted(extra)}, which nobody documents"
    for name in before.keys() - SHARED:
        if after.get(name) != before[name]:
            yield f"{name} was {before[name]!r} and is {after.get(name)!r}"
    for was, now in zip([*rows(before), *before["payments"]], [*rows(after), *after["payments"]], strict=True):
        if _without_numbers(was) != _without_numbers(now):
            yield f"a row was {was!r} and is {now!r}"
    kept = [entry for entry in after["history"] if entry in before["history"]]
    added = len(after["history"]) - len(kept)
    wanted = 0 if one.cancellation is None else 2 if is_refunded(before) else 1
    if kept != before["history"] or added != wanted:
        yield f"its history kept {len(kept)} of {len(before['history'])} entries and got {added}, not {wanted}"


def _without_numbers(row: Document) -> Document:
    return {name: value for name, value in row.items() if name not in PRODUCTS_NUMBERS}


def left_alone_unless_cancelled(one: Outcome) -> Breaches:
    if one.cancellation is None and one.stored != one.placed:
        changed = sorted(
            name for name in one.stored.keys() | one.placed.keys() if one.stored.get(name) != one.placed.get(name)
        )
        yield f"it is not cancelled, and {changed} changed"


def nothing_is_pending(one: Outcome) -> Breaches:
    if "refund_pending_since" in one.stored:
        yield f"its refund is pending since {one.stored['refund_pending_since']}"


def cancel_is_told(one: Outcome) -> Breaches:
    told = one.told("OrderCanceled")
    if one.cancellation is None:
        if one.events:
            yield f"{[event.detail_type for event in one.events]} told of it, and it is not cancelled"
        return
    if not told:
        yield "no OrderCanceled told of it"
    if {event.detail["cancellation_id"] for event in one.events} - {one.cancellation["cancellation_id"]}:
        yield "an event names another cancellation"


def refund_is_told(one: Outcome) -> Breaches:
    if failed := one.told("OrderRefundFailed"):
        yield f"{len(failed)} OrderRefundFailed told of it"
    if one.cancellation is None or not is_refunded(one.placed):
        return
    told = one.told("OrderRefunded")
    if not told:
        yield "no OrderRefunded told of it"
    for event in told:
        if event.detail["refund"]["amount"] != amount_owed(one.placed):
            yield f"OrderRefunded told of {event.detail['refund']['amount']}, owed were {amount_owed(one.placed)}"


def list_is_right(one: Outcome) -> Breaches:
    if len(one.listed) != 1:
        yield f"it stands {len(one.listed)} times in its customer's list"
        return
    shown, shipped = one.listed[0], any(item.get("qty_shipped", 0) > 0 for item in one.stored["items"])
    may_be = one.cancellation is None and not shipped and one.stored["status"] in CANCELLABLE
    expected = (one.stored["status"], ["CANCEL"] if may_be else [])
    if (shown["status"], shown["available_actions"]) != expected:
        yield f"it is listed with {shown['status']!r} and {shown['available_actions']}, not {expected}"


# --- the load as a whole ----------------------------------------------------------------------------------------------


def answers_were_expected(load: Load) -> Breaches:
    yield from load.unexpected


def all_is_as_documented(load: Load) -> Breaches:
    yield from load.undocumented


def all_refunds_have_ended(load: Load) -> Breaches:
    yield from load.unsettled


def no_request_failed(load: Load) -> Breaches:
    for said, number in load.answers.items():
        if said != GATEWAY_503 and (said.startswith("5") or said == NO_ANSWER):
            yield f"{number} times: {said}"


def gateway_has_room(load: Load) -> Breaches:
    if load.answers[GATEWAY_503] > MAX_GATEWAY_SHARE * load.answers.total():
        yield f"{load.answers[GATEWAY_503]} of {load.answers.total()} requests had no room"


def no_dead_letters(load: Load) -> Breaches:
    for queue, number in load.dead_letters.items():
        if number:
            yield f"{number} in {queue}"


OF_EACH_ORDER: dict[str, Callable[[Outcome], Breaches]] = {
    "an order is cancelled once": cancelled_once,
    "one key, one body, one cancellation": one_key_one_cancellation,
    "never both shipped and cancelled": never_shipped_and_cancelled,
    "each refund succeeded, with the sums that were owed": refund_is_what_was_owed,
    "quantities and status are those of its cancel": quantities_and_status,
    "each payment gave back what the order says, and no more": payments_gave_back_what_the_order_says,
    "authorizations are released with their order alone": authorizations_are_released,
    "the shop's own attributes are untouched": shops_own_is_untouched,
    "what is not cancelled is as the shop left it": left_alone_unless_cancelled,
    "no refund is left pending": nothing_is_pending,
    "OrderCanceled tells of each cancel": cancel_is_told,
    "OrderRefunded tells of each refund": refund_is_told,
    "the list says what may be done": list_is_right,
}

OF_THE_LOAD: dict[str, Callable[[Load], Breaches]] = {
    "each answer is one that could be expected": answers_were_expected,
    "answers and events are as documented": all_is_as_documented,
    "refunds end within the time given": all_refunds_have_ended,
    "no request fails": no_request_failed,
    "the gateway has room": gateway_has_room,
    "dead-letter queues are empty": no_dead_letters,
}


def check(load: Load) -> dict[str, list[str]]:
    """Every invariant by its name, with what breaks it: an empty list where it holds."""
    found = {
        name: [f"{one.order_id}: {breach}" for one in load.outcomes for breach in holds(one)]
        for name, holds in OF_EACH_ORDER.items()
    }
    return found | {name: list(holds(load)) for name, holds in OF_THE_LOAD.items()}
