"""Statements of withdrawal as the operator sees, exports and erases them, on a real engine."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cancel_core.adapters.dynamodb.mails import Mails
from cancel_core.adapters.dynamodb.requests import Requests
from cancel_core.domain.mails import Mail
from cancel_core.domain.withdrawal import Statement
from cancel_core.domain.withdrawal_mails import RECEIPT, WITHDRAWAL_RECEIVED, receipt_mail_id

from ops import stacks
from ops.__main__ import main as shell
from ops.output import Out
from ops.personal import export
from ops.withdrawals import Stack, as_csv, of_days, show_list, whole
from ops.withdrawn import ERASED, erase, erase_mails, find
from tests.support.orders import paid
from tests.support.tables import Shop
from tests.support.withdrawals import WithdrawalDesk, proven, statement

DAY = datetime(2024, 2, 29, 12, 0, tzinfo=UTC)
AT = "2026-11-22T12:00:00Z"
PRIVATE = ("Anna Andersson", "private@example.com", "It is broken")


@pytest.fixture
def desk(shop: Shop) -> WithdrawalDesk:
    return WithdrawalDesk(shop)


@pytest.fixture
def stack(found: stacks.Stack, desk: WithdrawalDesk) -> Stack:
    return Stack(found.dynamodb, desk.withdrawals, Mails(found.dynamodb, found.tables["mails"]))


def main(arguments: list[str]) -> int:
    return shell(["withdrawals", *arguments])


def taken(desk: WithdrawalDesk, order: str = "#none", **said: Any) -> Statement:
    """A statement that was dealt with and whose receipt was sent."""
    made = statement(order, email="private@example.com", message="It is broken", **said)
    one = desk.take(made)
    desk.process(one)
    return one


def receipt(stack: Stack, one: Statement, about: str) -> str:
    detail = {"withdrawal_id": one.withdrawal_id, "order_id": None}
    mail_id = receipt_mail_id(one.withdrawal_id)
    mail = Mail(mail_id, RECEIPT, "private@example.com", "en", about, "default", WITHDRAWAL_RECEIVED, detail)
    stack.mails.claim(mail, AT, AT, 1_900_000_000)
    stack.mails.sent(mail_id, "message", AT)
    return mail_id


def test_the_statements_of_a_day_are_listed_with_nothing_of_a_person(
    stack: Stack, desk: WithdrawalDesk, capsys: pytest.CaptureFixture[str]
) -> None:
    order_id = desk.shop.put(paid(customer_email="private@example.com"))
    ones = [taken(desk, order, received=DAY) for order in (order_id, "#none")]
    receipt(stack, ones[0], order_id)
    ids = list(of_days(stack, DAY.date(), DAY.date()))
    assert {one.withdrawal_id for one in ones} <= set(ids)
    show_list(stack, Out(as_json=False), [one.withdrawal_id for one in ones], DAY + timedelta(days=3))
    said = capsys.readouterr().out.splitlines()
    rows = [re.split("  +", line) for line in said]
    assert rows[0][1:] == ["ORDER", "MATCH", "IN TIME", "RECEIPT", "OUTCOME", "AGE", "NEXT"]
    assert rows[1][1:-1] == [order_id, "email", "time not known", "receipt sent", "NOT_PROVEN", "3 d"]
    assert rows[1][-1] == "show it, and decide what goes back"
    assert rows[2][1:] == ["-", "none", "time not known", "receipt not begun", "-", "3 d", "see mails list"]
    assert said[3] == "2 statement(s) of withdrawal."
    assert not [text for text in PRIVATE if text in "\n".join(said)]


def test_one_is_shown_with_its_parts_and_its_mails(
    stack: Stack, desk: WithdrawalDesk, capsys: pytest.CaptureFixture[str]
) -> None:
    one = taken(desk)
    mail_id = receipt(stack, one, one.withdrawal_id)
    assert main(["show", one.withdrawal_id]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["statement"]["message"] == "It is broken"
    assert (shown["outcome"]["match"], shown["cancel"]) == ("none", None)
    assert [row["mail_id"] for row in shown["mails"]] == [mail_id]
    assert main(["show", "wdr_unknown"]) == 1


@pytest.mark.usefixtures("stack")
def test_the_shop_gets_them_as_json_and_for_a_spreadsheet(
    desk: WithdrawalDesk, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    one = taken(desk, name="=cmd()", items=[{"item": "Mug", "qty": 2}, {"item": "Cap"}], received=DAY)
    file = tmp_path / "withdrawals.csv"
    asked = ["export", "--since", "2024-02-29", "--until", "2024-02-29"]
    assert main([*asked, "--as", "csv", "--to", str(file)]) == 0
    assert file.stat().st_mode & 0o077 == 0
    rows = {row["withdrawal_id"]: row for row in csv.DictReader(io.StringIO(file.read_text("utf-8")))}
    row = rows[one.withdrawal_id]
    assert (row["email"], row["items"], row["match"]) == ("private@example.com", "2 Mug; Cap", "none")
    # What somebody has typed in is no formula in a spreadsheet.
    assert row["name"] == "'=cmd()"
    capsys.readouterr()
    assert main(asked) == 0
    exported = {entry["withdrawal_id"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert exported[one.withdrawal_id]["statement"]["name"] == "=cmd()"


def test_what_was_not_dealt_with_yet_is_there_too(stack: Stack, desk: WithdrawalDesk) -> None:
    one = desk.take(statement("1"))
    found = whole(stack, one.withdrawal_id)
    assert found
    assert one.withdrawal_id in as_csv([found])


def test_those_of_an_address_an_order_or_a_customer_are_found(stack: Stack, desk: WithdrawalDesk) -> None:
    customer = f"customer-{desk.shop.store_id}"
    order_id = desk.shop.put(paid(customer_id=customer))
    address = f"{desk.shop.store_id}@Example.com"
    mine = desk.take(proven(desk.shop.document(order_id), email=address))
    desk.process(mine)
    other = desk.take(statement("x", email="somebody@example.com"))
    for what in (address.lower(), order_id, customer):
        found = find(stack.dynamodb, stack.withdrawals.table, what)
        assert mine.withdrawal_id in found
        assert other.withdrawal_id not in found


def test_what_a_person_has_said_is_erased_and_the_hash_stays(stack: Stack, desk: WithdrawalDesk) -> None:
    one = taken(desk, items=[{"item": "My secret"}])
    mail_id = receipt(stack, one, one.withdrawal_id)
    assert erase(stack.dynamodb, stack.withdrawals, stack.mails, one.withdrawal_id, AT).startswith(
        f"{one.withdrawal_id}: erased"
    )
    left = whole(stack, one.withdrawal_id)
    assert left
    assert (left["receipt"], left["received_at"], left["erased_at"]) == (one.receipt, one.received_at, AT)
    assert left["statement"] == {"name": ERASED, "email": ERASED, "order": ERASED}
    assert not [text for text in (*PRIVATE, "My secret") if text in json.dumps(left, default=str)]
    assert (stack.mails.get(mail_id) or {})["to"] == ERASED
    assert "was erased at" in erase(stack.dynamodb, stack.withdrawals, stack.mails, one.withdrawal_id, AT)
    assert "no such statement" in erase(stack.dynamodb, stack.withdrawals, stack.mails, "wdr_unknown", AT)
    # It can still be read, and is dealt with no more.
    assert desk.withdrawals.get(one.withdrawal_id)


def test_a_customers_order_is_erased_and_exported_with_its_mails_and_withdrawals(
    stack: Stack, desk: WithdrawalDesk
) -> None:
    customer = f"customer-{desk.shop.store_id}"
    order_id = desk.shop.put(paid(customer_id=customer))
    one = desk.take(replace(proven(desk.shop.document(order_id)), body="ab"))
    desk.process(one)
    mail_id = receipt(stack, one, order_id)
    requests = Requests(desk.shop.client, desk.shop.tables["requests"])
    (held,) = export(desk.shop.orders, desk.shop.refunds, stack.mails, stack.withdrawals, requests, customer)
    assert [row["mail_id"] for row in held["mails"]] == [mail_id]
    assert held["withdrawals"][0]["statement"]["statement"]["name"] == "Anna Andersson"
    assert list(erase_mails(stack.dynamodb, stack.mails, [order_id])) == [
        f"{order_id}: erased the address of 1 mail(s)."
    ]
    assert list(erase_mails(stack.dynamodb, stack.mails, [order_id])) == []
