"""Every invariant of those who come can fail: as it should be, and the same with one thing made wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.load.checks import check
from tests.load.people_checks import OF_EACH_ACCESS, OF_EACH_WITHDRAWAL
from tests.load.seen import GATEWAY_503, NO_ANSWER, Access, Load, Mail, People, Redeemed, Taken, Withdrawal

ID, AT = "wdr_1", "2026-11-22T10:00:00.000Z"
SAID = {"name": "\u00c5sa Ek", "email": "a@example.com", "order": "o-1", "items": [{"item": "SKU-2", "qty": 1}]}
TOLD = {"withdrawal_id": ID, "received_at": AT, "statement": SAID}
RECEIPT = hashlib.sha256(
    f'{{"received_at":"{AT}","statement":{{"email":"a@example.com","items":[{{"item":"SKU-2","qty":1}}],'
    f'"name":"\u00c5sa Ek","order":"o-1"}},"withdrawal_id":"{ID}"}}'.encode()
).hexdigest()


def withdrawal(match: str = "proven", key: str | None = "k", *, cancels: bool = True) -> Withdrawal:
    """Sent twice; with a key the second one is a repeat."""
    is_none = match == "none"
    order_id, receipt = None if is_none else "o-1", Taken("201", ID, RECEIPT, AT)
    outcome = {"match": match, "whole": not is_none, "order_id": order_id}
    parts: dict[str, Any] = {"statement": json.loads(json.dumps(TOLD)) | {"receipt": RECEIPT}, "outcome": outcome}
    if not is_none:
        parts["cancel"] = {"order_canceled": cancels}
    return Withdrawal(
        mark="m-1",
        expected=SAID,
        match=match,
        whole=not is_none,
        cancels=cancels,
        key=key,
        order_id=order_id,
        asked=2,
        answers=[receipt, replace(receipt, said="201 replayed") if key else Taken(GATEWAY_503)],
        stored={ID: parts},
        events={ID: [{"withdrawal_id": ID}, {"withdrawal_id": ID}]},
        mails={
            ID: [
                Mail("withdrawal_receipt", "o-1", "a@example.com", "sent", 1, ID, f"Receipt {RECEIPT}."),
                Mail("withdrawal_notice", "o-1", "orders@example.com", "sent", 1, ID),
            ]
        },
    )


def by_mail() -> Withdrawal:
    return withdrawal("email", None, cancels=False)


def of_nothing() -> Withdrawal:
    return withdrawal("none", cancels=False)


def turned_away() -> Withdrawal:
    """And stored nevertheless."""
    return replace(withdrawal(), answers=[Taken(GATEWAY_503)], asked=1)


def access() -> Access:
    return Access(
        "o-1",
        known=True,
        asked=["202", "202", GATEWAY_503],
        redeemed=[
            Redeemed("111111", right=False, said="401 INVALID_ACCESS_CODE"),
            Redeemed("222222", right=True, said="200"),
            Redeemed("222222", right=True, said="401 INVALID_ACCESS_CODE"),
        ],
        mails=[Mail("guest_code", "o-1", "g@example.com", "sent", 1) for _ in range(2)],
    )


def stranger() -> Access:
    return Access("o-1", known=False, asked=["202"])


def broken(people: People) -> set[str]:
    return {name for name, breaches in check(Load([], people=people)).items() if breaches}


@pytest.mark.parametrize("make", [withdrawal, by_mail, of_nothing, turned_away])
def test_a_withdrawal_as_it_should_be_breaks_nothing(make: Callable[[], Withdrawal]) -> None:
    assert broken(People(withdrawals=[make()])) == set()


@pytest.mark.parametrize("make", [access, stranger])
def test_an_access_as_it_should_be_breaks_nothing(make: Callable[[], Access]) -> None:
    assert broken(People(accesses=[make()])) == set()


STORED, SENT, KEY, OUTCOME, EVENT, RECEIPTS = OF_EACH_WITHDRAWAL
CODES, RIGHT, WRONG = OF_EACH_ACCESS


def put(*path: Any) -> Callable[[Any], None]:
    """Puts the last of `path` where the others lead to, from an attribute."""
    name, *keys, last, value = path

    def doctor(one: Any) -> None:
        target = getattr(one, name)
        for key in keys:
            target = target[key]
        target[last] = value

    return doctor


def also_stored(one: Withdrawal) -> None:
    one.stored["wdr_2"], one.events["wdr_2"], one.mails["wdr_2"] = one.stored[ID], one.events[ID], one.mails[ID]


def answered_with_both(one: Withdrawal) -> None:
    also_stored(one)
    one.answers[1] = Taken("201 replayed", "wdr_2", RECEIPT, AT)


def mails(*changed: Mail) -> Callable[[Withdrawal], None]:
    return put("mails", ID, list(changed))


RECEIPT_MAIL, NOTICE_MAIL = withdrawal().mails[ID]
WITHDRAWALS: list[tuple[Callable[[], Withdrawal], Callable[[Withdrawal], object], set[str]]] = [
    (withdrawal, lambda one: one.stored.clear(), {STORED}),
    (withdrawal, put("answers", 1, Taken("201 replayed", ID, "0" * 64, AT)), {STORED}),
    (withdrawal, put("answers", 1, Taken("201 replayed", ID, RECEIPT, AT.replace("000Z", "001Z"))), {STORED}),
    (withdrawal, put("stored", ID, "statement", "statement", SAID | {"name": "B"}), {STORED, SENT}),
    (by_mail, lambda one: setattr(one, "asked", 0), {SENT}),
    (withdrawal, also_stored, {SENT}),
    (withdrawal, put("answers", 1, Taken("201", ID, RECEIPT, AT)), {KEY}),
    (withdrawal, answered_with_both, {SENT, KEY}),
    (by_mail, put("answers", 1, Taken("201", ID, RECEIPT, AT)), {KEY}),
    (withdrawal, lambda one: one.stored[ID].pop("outcome"), {OUTCOME}),
    (withdrawal, put("stored", ID, "outcome", "match", "email"), {OUTCOME}),
    (withdrawal, put("stored", ID, "outcome", "order_id", "o-2"), {OUTCOME}),
    (withdrawal, lambda one: one.stored[ID].pop("cancel"), {OUTCOME}),
    (withdrawal, put("stored", ID, "cancel", "order_canceled", False), {OUTCOME}),
    (by_mail, put("stored", ID, "cancel", "order_canceled", True), {OUTCOME}),
    (turned_away, lambda one: one.events.clear(), {EVENT}),
    (withdrawal, lambda one: one.events[ID].append({"withdrawal_id": ID, "match": "none"}), {EVENT}),
    (withdrawal, mails(NOTICE_MAIL), {RECEIPTS}),
    (withdrawal, mails(RECEIPT_MAIL, NOTICE_MAIL, RECEIPT_MAIL), {RECEIPTS}),
    (withdrawal, mails(replace(RECEIPT_MAIL, times=2), NOTICE_MAIL), {RECEIPTS}),
    (withdrawal, mails(replace(RECEIPT_MAIL, status="waiting"), NOTICE_MAIL), {RECEIPTS}),
    (withdrawal, mails(replace(RECEIPT_MAIL, to="b@example.com"), NOTICE_MAIL), {RECEIPTS}),
    (withdrawal, mails(replace(RECEIPT_MAIL, text="Receipt."), NOTICE_MAIL), {RECEIPTS}),
]
ACCESSES: list[tuple[Callable[[], Access], Callable[[Access], None], set[str]]] = [
    (access, lambda one: one.mails.clear(), {CODES}),
    (access, put("mails", 0, Mail("guest_code", "o-1", "g@example.com", "sent", 2)), {CODES}),
    (access, lambda one: one.mails.extend(one.mails), {CODES}),
    (stranger, lambda one: one.mails.append(Mail("guest_code", "o-1", "g@example.com", "sent", 1)), {CODES}),
    (access, put("redeemed", 2, Redeemed("222222", right=True, said="200")), {RIGHT}),
    (access, put("redeemed", 1, Redeemed("222222", right=True, said="401 INVALID_ACCESS_CODE")), {RIGHT}),
    (access, put("redeemed", 0, Redeemed("111111", right=False, said="200")), {WRONG}),
]


@pytest.mark.parametrize(("make", "doctor", "names"), WITHDRAWALS)
def test_what_is_wrong_with_a_withdrawal_is_told_by_name(
    make: Callable[[], Withdrawal], doctor: Callable[[Withdrawal], object], names: set[str]
) -> None:
    one = make()
    doctor(one)
    assert broken(People(withdrawals=[of_nothing(), one])) == names


@pytest.mark.parametrize(("make", "doctor", "names"), ACCESSES)
def test_what_is_wrong_with_an_access_is_told_by_name(
    make: Callable[[], Access], doctor: Callable[[Access], None], names: set[str]
) -> None:
    one = make()
    doctor(one)
    assert broken(People(accesses=[stranger(), one])) == names


def test_a_right_code_whose_answer_was_lost_may_have_worked() -> None:
    one = access()
    one.redeemed = [Redeemed("222222", right=True, said=NO_ANSWER)]
    assert broken(People(accesses=[one])) == set()


def test_each_invariant_is_broken_by_something_above() -> None:
    tried = {name for _, _, names in WITHDRAWALS for name in names} | {
        name for _, _, names in ACCESSES for name in names
    }
    assert tried == {*OF_EACH_WITHDRAWAL, *OF_EACH_ACCESS}
