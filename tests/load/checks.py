"""What has to hold once a load is over, by name. Pure functions over what was seen; the sums are computed again from
the order as the shop placed it, with nothing of the product's own code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from tests.load.people_checks import OF_EACH_ACCESS, OF_EACH_WITHDRAWAL, nobody_else, sent_once
from tests.load.seen import (
    GATEWAY_503,
    NO_ANSWER,
    TURNED_AWAY,
    UNTOLD,
    Answer,
    Document,
    Load,
    Outcome,
    amount_owed,
    is_refunded,
    left_to_cancel,
    owed,
    releasable,
    rows,
)

MAX_GATEWAY_SHARE = 0.01
"""Of all requests."""

PRODUCTS_OWN = frozenset({"cancellation", "refund_pending_since", "withdrawal"})
PRODUCTS_NUMBERS = frozenset({"qty_canceled", "qty_refunded", "amount_refunded", "amount_voided"})
SHARED = frozenset({"status", "items", "shipping", "fees", "payments", "history"})
CANCELLABLE = frozenset({"pending", "processing"})


STATED = "Statement of withdrawal received"
"""The comment of the entry that notes one."""

Breaches = Iterator[str]


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
    lost = any(answer.said in UNTOLD for answer in one.answers)
    if stored and not ids and not lost and not one.withdrawn:
        yield "it is cancelled, and no answer said so"


def one_key_one_cancellation(one: Outcome) -> Breaches:
    by_key: dict[str, list[Answer]] = {}
    for answer in one.answers:
        if answer.key is not None and answer.said not in UNTOLD:
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
    wanted = one.statements + (0 if one.cancellation is None else 2 if is_refunded(before) else 1)
    if kept != before["history"] or added != wanted:
        yield f"its history kept {len(kept)} of {len(before['history'])} entries and got {added}, not {wanted}"


def _without_numbers(row: Document) -> Document:
    return {name: value for name, value in row.items() if name not in PRODUCTS_NUMBERS}


def left_alone_unless_cancelled(one: Outcome) -> Breaches:
    stored = {name: value for name, value in one.stored.items() if name != "withdrawal"}
    # What notes a statement is looked at below.
    stored["history"] = [entry for entry in stored["history"] if entry["comment"] != STATED]
    if one.cancellation is None and stored != one.placed:
        changed = sorted(name for name in stored.keys() | one.placed.keys() if stored.get(name) != one.placed.get(name))
        yield f"it is not cancelled, and {changed} changed"


def statements_are_noted(one: Outcome) -> Breaches:
    noted = one.stored.get("withdrawal", {}).get("count", 0)
    entries = sum(entry["comment"] == STATED for entry in one.stored["history"])
    if (noted, entries) != (one.statements, one.statements):
        yield f"{one.statements} statements are about it, {noted} are noted, with {entries} entries"


def withdrawal_cancels(one: Outcome) -> Breaches:
    if one.withdrawn and one.cancellation is None:
        yield "it was withdrawn from as a whole, by its customer, and is not cancelled"


def mails_were_sent(one: Outcome) -> Breaches:
    wanted = Counter[str]()
    if one.cancellation is not None:
        wanted = Counter(["order_canceled", "order_canceled_notice", *["order_refunded"] * is_refunded(one.placed)])
    if (rows := Counter(mail.kind for mail in one.mails)) != wanted:
        yield f"its mails are {dict(rows)}, not {dict(wanted)}"
    yield from sent_once(one.mails)


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
    if one.listed is None:
        return
    if len(one.listed) != 1:
        yield f"it stands {len(one.listed)} times in its customer's list"
        return
    shown, shipped = one.listed[0], any(item.get("qty_shipped", 0) > 0 for item in one.stored["items"])
    may_be = one.cancellation is None and not shipped and one.stored["status"] in CANCELLABLE
    # After a cancel nothing is left to withdraw from.
    actions = [*["CANCEL"] * may_be, *["WITHDRAW"] * (one.cancellation is None)]
    expected = (one.stored["status"], actions)
    if (shown["status"], shown["available_actions"]) != expected:
        yield f"it is listed with {shown['status']!r} and {shown['available_actions']}, not {expected}"


# --- the load as a whole ----------------------------------------------------------------------------------------------


def answers_were_expected(load: Load) -> Breaches:
    yield from load.unexpected


def all_is_as_documented(load: Load) -> Breaches:
    yield from load.undocumented


def all_has_ended(load: Load) -> Breaches:
    yield from load.unsettled


def no_request_failed(load: Load) -> Breaches:
    """Those who come at a rate, whatever the stack can do, may be turned away by the product as by the gateway: its
    503 says when to try again.
    """
    arrived = Counter({said: number for said, number in load.arrived.items() if said != TURNED_AWAY})
    for said, number in (load.answers + arrived).items():
        if said != GATEWAY_503 and (said.startswith("5") or said == NO_ANSWER):
            yield f"{number} times: {said}"


def gateway_has_room(load: Load) -> Breaches:
    if load.answers[GATEWAY_503] > MAX_GATEWAY_SHARE * load.answers.total():
        yield f"{load.answers[GATEWAY_503]} of {load.answers.total()} requests had no room"


def nothing_is_queued(load: Load) -> Breaches:
    for queue, number in load.queued.items():
        if number:
            yield f"{number} in {queue}"


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
    "each statement is noted on its order": statements_are_noted,
    "a proven withdrawal of all that can be cancelled cancels": withdrawal_cancels,
    "each cancel and refund is mailed once": mails_were_sent,
    "no refund is left pending": nothing_is_pending,
    "OrderCanceled reports each cancel": cancel_is_told,
    "OrderRefunded reports each refund": refund_is_told,
    "the list says what may be done": list_is_right,
}

OF_THE_LOAD: dict[str, Callable[[Load], Breaches]] = {
    "each answer is one that could be expected": answers_were_expected,
    "answers and events are as documented": all_is_as_documented,
    "everything ends within the time given": all_has_ended,
    "no request fails": no_request_failed,
    "the gateway has room": gateway_has_room,
    "queues are empty": nothing_is_queued,
    "dead-letter queues are empty": no_dead_letters,
    "nobody else's statement is stored": nobody_else,
}


def check(load: Load) -> dict[str, list[str]]:
    """Every invariant by its name, with what breaks it: an empty list where it holds."""
    found = {
        name: [f"{one.order_id}: {breach}" for one in load.outcomes for breach in holds(one)]
        for name, holds in OF_EACH_ORDER.items()
    }
    found |= {
        name: [f"{one.mark}: {breach}" for one in load.people.withdrawals for breach in holds(one)]
        for name, holds in OF_EACH_WITHDRAWAL.items()
    }
    found |= {
        name: [f"{one.order_id}: {breach}" for one in load.people.accesses for breach in holds(one)]
        for name, holds in OF_EACH_ACCESS.items()
    }
    return found | {name: list(holds(load)) for name, holds in OF_THE_LOAD.items()}
