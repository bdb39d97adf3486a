"""What has to hold of statements of withdrawal and of guests' codes once a load is over, by name."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from tests.load.seen import GATEWAY_503, NO_ANSWER, Access, Load, Mail, Withdrawal

Breaches = Iterator[str]

MOST_MAILS = 3
"""With codes, for one order within an hour, which no load takes."""


def sent_once(mails: Iterable[Mail]) -> Breaches:
    for mail in mails:
        if (mail.status, mail.times) != ("sent", 1):
            yield f"{mail.kind} is {mail.status!r}, and was sent {mail.times} times"


# --- each statement ---------------------------------------------------------------------------------------------------


def stored_as_answered(one: Withdrawal) -> Breaches:
    for answer in one.taken:
        statement = one.stored.get(answer.withdrawal_id, {}).get("statement")
        if statement is None:
            yield f"{answer.withdrawal_id} was answered, and is not in the table"
        elif (statement["receipt"], statement["received_at"]) != (answer.receipt, answer.received_at):
            yield f"{answer.withdrawal_id} is stored with another receipt or time than was answered"
    for withdrawal_id, parts in one.stored.items():
        statement = parts["statement"]
        told = {name: statement[name] for name in ("withdrawal_id", "received_at", "statement")}
        # With these keys and values canonical JSON is this.
        canonical = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        if hashlib.sha256(canonical.encode()).hexdigest() != statement["receipt"]:
            yield f"the receipt of {withdrawal_id} is not the hash of its statement"


def stored_as_sent(one: Withdrawal) -> Breaches:
    for withdrawal_id, parts in one.stored.items():
        if parts["statement"]["statement"] != one.expected:
            yield f"{withdrawal_id} says {parts['statement']['statement']!r}, sent was {one.expected!r}"
    most = min(one.asked, 1) if one.key else one.asked
    if len(one.stored) > most:
        yield f"{len(one.stored)} are stored, and {most} were sent"


def one_key_one_statement(one: Withdrawal) -> Breaches:
    ids = Counter(answer.withdrawal_id for answer in one.taken)
    if one.key and len(ids) > 1:
        yield f"one key was answered with {len(ids)} statements"
    if not one.key and any(number > 1 for number in ids.values()):
        yield "without a key two requests were answered with one statement"
    if one.key and sum(answer.said == "201" for answer in one.taken) > 1:
        yield "a repeat was answered as the first"


def found_out_once(one: Withdrawal) -> Breaches:
    for withdrawal_id, parts in one.stored.items():
        if (outcome := parts.get("outcome")) is None:
            yield f"{withdrawal_id} has no outcome"
        elif (outcome["match"], outcome["whole"], outcome["order_id"]) != (one.match, one.whole, one.order_id):
            told = f"{outcome['match']}, whole: {outcome['whole']}, of {outcome['order_id']}"
            yield f"the outcome of {withdrawal_id} is {told}; not {one.match}, {one.whole}, {one.order_id}"
        canceled = parts["cancel"]["order_canceled"] if "cancel" in parts else None
        if canceled is not (None if one.match == "none" else one.cancels):
            yield f"{withdrawal_id} says of its order that it is cancelled: {canceled}"


def told_of(one: Withdrawal) -> Breaches:
    for withdrawal_id in one.stored:
        contents = {json.dumps(detail, sort_keys=True, default=str) for detail in one.events.get(withdrawal_id, [])}
        if len(contents) != 1:
            yield f"WithdrawalReceived has {len(contents)} contents for {withdrawal_id}"


def receipt_was_mailed(one: Withdrawal) -> Breaches:
    for withdrawal_id, parts in one.stored.items():
        mails = one.mails.get(withdrawal_id, [])
        kinds = Counter(mail.kind for mail in mails)
        if kinds != {"withdrawal_receipt": 1, "withdrawal_notice": 1}:
            yield f"the mails of {withdrawal_id} are {dict(kinds)}"
        yield from sent_once(mails)
        for mail in mails:
            if mail.kind != "withdrawal_receipt":
                continue
            if mail.to != one.expected["email"] or parts["statement"]["receipt"] not in mail.text:
                yield f"the receipt of {withdrawal_id} went to somebody else, or lacks its hash"


# --- each guest -------------------------------------------------------------------------------------------------------


def codes_are_mailed(one: Access) -> Breaches:
    asked, mailed = one.asked.count("202"), sum(mail.times for mail in one.mails)
    lost = len(one.asked) - asked
    if not one.known:
        if one.mails:
            yield f"{len(one.mails)} codes were mailed for what is no order of this guest"
        return
    if asked and not mailed and not one.expired:
        yield "a code was asked for, and none was mailed"
    if mailed > min(asked + lost, MOST_MAILS):
        yield f"{mailed} codes were mailed, asked for were {asked + lost}"
    if any(mail.times > 1 for mail in one.mails):
        yield "a code was mailed twice"


def right_codes_work_once(one: Access) -> Breaches:
    for code in {answer.code for answer in one.redeemed if answer.right}:
        said = Counter(answer.said for answer in one.redeemed if answer.code == code and answer.right)
        lost = said[GATEWAY_503] + said[NO_ANSWER]
        if said["200"] > 1 or (not said["200"] and not lost):
            yield f"a right code was answered {dict(said)}"


def wrong_codes_do_not_work(one: Access) -> Breaches:
    if any(answer.said == "200" for answer in one.redeemed if not answer.right):
        yield "a code that was wrong, or no longer the newest, gave a token"


def nobody_else(load: Load) -> Breaches:
    yield from load.people.strangers


OF_EACH_WITHDRAWAL: dict[str, Callable[[Withdrawal], Breaches]] = {
    "each statement that was answered is stored as answered": stored_as_answered,
    "no statement is stored that was not sent": stored_as_sent,
    "one key, one statement": one_key_one_statement,
    "each statement has the one outcome that it should have": found_out_once,
    "WithdrawalReceived reports each statement, always the same": told_of,
    "each statement has one receipt and one notice by mail": receipt_was_mailed,
}

OF_EACH_ACCESS: dict[str, Callable[[Access], Breaches]] = {
    "each guest who asks is mailed a code, and three at most": codes_are_mailed,
    "a right code gives one token": right_codes_work_once,
    "a wrong code gives none": wrong_codes_do_not_work,
}
