"""The receipt of a withdrawal is always sent, and what was lost on the way is found again by the schedule."""

from __future__ import annotations

import json
import logging
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from cancel_core.domain.withdrawal import Statement
from cancel_core.domain.withdrawal_mails import receipt_mail_id
from cancel_core.errors import MailPostponed
from cancel_core.services.mails import Post
from cancel_core.services.reconcile_withdrawals import Second, reconcile_withdrawals
from cancel_core.services.withdrawal_mails import Counter, send_withdrawal_mails

from tests.support import proxy as faults
from tests.support.mails import MAIL, PostOffice
from tests.support.orders import paid
from tests.support.tables import Aws, Shop
from tests.support.withdrawals import ON, RECEIVED, WithdrawalDesk, statement

IDENTITY = "arn:aws:ses:eu-north-1:123456789012:identity/example.com"
SEND = "POST /v2/email/outbound-emails"
AFTER = timedelta(minutes=15)
RECEIPT, NOTICE = "withdrawal_receipt", "withdrawal_notice"


@dataclass
class Queue:
    """What was put into the mail queue."""

    messages: list[Mapping[str, Any]] = field(default_factory=list)

    def send(self, message: Mapping[str, Any]) -> None:
        json.dumps(message)
        self.messages.append(message)


@dataclass
class Office:
    """Mails about withdrawals on an engine, from the statement to SES."""

    office: PostOffice
    desk: WithdrawalDesk
    identity: str = IDENTITY
    now: datetime = RECEIVED + timedelta(seconds=5)
    queue: Queue = field(default_factory=Queue)

    def configure(self, **more: Any) -> None:
        self.desk.shop.configure(withdrawal=ON, **{"mail": MAIL} | more)

    @property
    def post(self) -> Post:
        return self.office.post

    def taken(self, order: str | None = None, **said: Any) -> Statement:
        """A statement that was stored and dealt with."""
        one = replace(statement(order or "no-such-order", **said), store_id=self.desk.shop.store_id)
        self.desk.take(one)
        self.desk.process(one, self.now)
        return one

    def send(self, one: Statement) -> int:
        counter = Counter(self.desk.withdrawals, self.identity, "https://shop.example.com/guest.html")
        detail = self.desk.events(one)[-1].detail
        return send_withdrawal_mails(self.post, counter, detail, self.now + timedelta(seconds=20), lambda: self.now)

    def sent(self, one: Statement) -> list[dict[str, Any]]:
        """What SES took, newest first."""
        with urllib.request.urlopen(f"{self.office.endpoint_url}/local/mails") as answer:
            mails: list[dict[str, Any]] = json.load(answer)["mails"]
        return [mail for mail in mails if one.withdrawal_id in mail["text"]]

    def row(self, one: Statement) -> dict[str, Any]:
        return self.post.mails.get(receipt_mail_id(one.withdrawal_id)) or {}

    def again(self, seconds_left: float = 60) -> int:
        second = Second(self.post.mails, self.queue)  # type: ignore[arg-type]  # a queue that remembers
        return reconcile_withdrawals(self.desk.desk, second, self.now, AFTER, lambda: seconds_left)

    def brought(self) -> list[str]:
        """The ids of the withdrawals whose event was put into the mail queue by the schedule."""
        return [message["detail"]["withdrawal_id"] for message in self.queue.messages]


@pytest.fixture
def office(shop: Shop, aws: Aws) -> Iterator[Office]:
    with PostOffice.opened(shop, aws) as opened:
        made = Office(opened, WithdrawalDesk(shop))
        made.configure()
        yield made


# ------------------------------------------------------------------------------------------------------ what is sent


def test_the_receipt_goes_to_the_consumer_and_a_notice_to_each_of_the_shop(office: Office) -> None:
    office.configure(mail=MAIL | {"customer": False, "merchant": ["a@example.com", "b@example.com"]})
    order_id = office.desk.shop.put(paid(language="fi"))
    one = office.taken(order_id, message="Too large")
    assert office.send(one) == 3
    assert [office.send(one) for _ in range(2)] == [0, 0]
    sent = {mail["to"]: mail for mail in office.sent(one)}
    assert set(sent) == {"someone@example.com", "a@example.com", "b@example.com"}
    assert sent["someone@example.com"]["subject"] == "Olemme vastaanottaneet peruuttamisilmoituksesi"
    for text in (one.receipt, "Anna Andersson", order_id, "> Too large"):
        assert text in sent["someone@example.com"]["text"]
    row = office.row(one)
    assert (row["status"], row["about"], row["kind"]) == ("sent", order_id, RECEIPT)
    assert not {"items", "name"} & row["event"]["detail"].keys()


def test_a_store_that_writes_to_nobody_sends_the_receipt(office: Office) -> None:
    office.configure(mail={"from": "shop@example.com"})
    one = office.taken()
    assert office.send(one) == 1
    assert office.row(one)["about"] == one.withdrawal_id


@pytest.mark.parametrize(
    ("orders", "said", "subject"),
    [
        ("sv", "de", "Vi har tagit emot ditt meddelande om ångerrätt"),
        ("ja", "de-AT", "Wir haben Ihren Widerruf erhalten"),
        ("", "xx", "Nous avons bien reçu votre rétractation"),
    ],
)
def test_the_receipts_language_is_the_orders_else_the_statements_else_the_stores(
    orders: str, said: str, subject: str, office: Office
) -> None:
    office.configure(mail=MAIL | {"language": "fr"})
    order_id = office.desk.shop.put(paid(language=orders))
    one = office.taken(order_id, language=said)
    office.send(one)
    by_address = {mail["to"]: mail["subject"] for mail in office.sent(one)}
    assert by_address["someone@example.com"] == subject
    assert by_address["orders@example.com"].startswith("Rétractation reçue")


def test_a_name_that_would_be_a_link_greets_nobody_and_stands_as_text(office: Office) -> None:
    one = office.taken(name="www.evil.example <b>Click</b>")
    office.send(one)
    receipt = next(mail for mail in office.sent(one) if mail["to"] == "someone@example.com")
    assert receipt["text"].startswith("Hello,\n")
    assert "Name: www.evil.example <b>Click</b>" in receipt["text"]
    assert "<b>Click" not in receipt["html"]


def test_a_receipt_that_an_operator_has_sent_again_is_the_same_one(office: Office) -> None:
    one = office.taken()
    office.send(one)
    row = office.row(one)
    assert office.post.mails.again(row["mail_id"], "2026-11-22T11:00:00Z")
    # By what is kept of its event.
    event = office.desk.events(one)[-1]
    office.desk.heard.events.append(event._replace(detail=row["event"]["detail"]))
    assert office.send(one) == 1
    receipts = [mail["text"] for mail in office.sent(one) if mail["to"] == "someone@example.com"]
    assert len(receipts) == 2
    assert len(set(receipts)) == 1


def test_one_that_was_erased_or_is_gone_is_written_about_no_more(office: Office) -> None:
    one = office.taken()
    key = {"withdrawal_id": {"S": one.withdrawal_id}, "part": {"S": "statement"}}
    table, client = office.desk.shop.tables["withdrawals"], office.desk.shop.client
    client.update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET erased_at = :at",
        ExpressionAttributeValues={":at": {"S": "2026-11-22T10:00:00Z"}},
    )
    assert office.send(one) == 0
    client.delete_item(TableName=table, Key=key)
    assert office.send(one) == 0
    assert office.row(one) == {}


def test_nothing_of_a_person_is_logged_at_debug(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    order_id = office.desk.shop.put(paid(customer_name="Anna Andersson"))
    one = office.taken(order_id, message="A private message", items=[{"item": "A private thing"}])
    for fault in (None, faults.fail(429), faults.fail(400, b"{}", **{"x-amzn-errortype": "MessageRejected"})):
        if fault:
            one = office.taken(order_id, message="A private message")
            office.office.to_ses.plan(SEND, fault)
        with suppress(MailPostponed):
            office.send(one)
    office.again()
    said = "\n".join(json.dumps(record.__dict__, default=str) for record in caplog.records)
    assert one.withdrawal_id in said
    for private in ("Anna", "someone@example.com", "private", "example.com"):
        assert private not in said


# -------------------------------------------------------------------------------------------------------- what waits


@pytest.mark.parametrize(
    ("identity", "mail", "error"),
    [
        ("", MAIL, "MailIdentityArnEmpty"),
        (IDENTITY, None, "MailFromMissing"),
        (IDENTITY, MAIL | {"from": "shop@elsewhere.org"}, "MailFromNotOfIdentity"),
    ],
)
def test_what_settings_keep_from_going_out_waits_and_goes_out_once_they_are_mended(
    identity: str, mail: dict[str, Any] | None, error: str, office: Office
) -> None:
    office.identity = identity
    office.desk.shop.configure(**{"withdrawal": ON} | ({"mail": mail} if mail else {}))
    one = office.taken()
    assert office.send(one) == 0
    row = office.row(one)
    assert (row["status"], row["error"]) == ("waiting", error)
    assert row["mail_id"] in list(office.post.mails.unsent())
    # Not at once: nothing has changed.
    office.again()
    assert one.withdrawal_id not in office.brought()
    office.now += AFTER
    office.again()
    assert office.brought().count(one.withdrawal_id) == (2 if mail else 1)
    # It keeps why, and waits as long again.
    assert office.row(one)["error"] == error
    office.again()
    assert office.brought().count(one.withdrawal_id) == (2 if mail else 1)
    office.identity = IDENTITY
    office.configure()
    assert office.send(one) == 2
    assert office.row(one)["status"] == "sent"
    office.now += timedelta(days=1)
    office.queue.messages.clear()
    office.again()
    assert one.withdrawal_id not in office.brought()


def test_a_throttled_receipt_comes_again_by_its_message_and_by_the_schedule(office: Office) -> None:
    one = office.taken()
    headers: dict[str, Any] = {"x-amzn-errortype": "TooManyRequestsException"}
    office.office.to_ses.plan(SEND, faults.fail(429, **headers))
    with pytest.raises(MailPostponed):
        office.send(one)
    office.now += AFTER
    office.again()
    assert one.withdrawal_id not in office.brought()
    office.now += 3 * AFTER
    office.again()
    assert one.withdrawal_id in office.brought()
    office.send(one)
    assert len(office.sent(one)) == 2


def test_what_ses_refused_is_tried_again_each_day_for_a_week(office: Office) -> None:
    one = office.taken()
    headers: dict[str, Any] = {"x-amzn-errortype": "MessageRejected"}

    def refused() -> None:
        office.office.to_ses.plan(SEND, faults.fail(400, **headers))
        office.send(one)
        assert office.row(one)["status"] == "failed"

    refused()
    for hours, times in ((1, 0), (22, 0), (1, 1)):
        office.now += timedelta(hours=hours)
        office.queue.messages.clear()
        office.again()
        assert office.brought().count(one.withdrawal_id) == times
    assert office.row(one)["status"] == "waiting"
    refused()
    office.now += timedelta(days=7)
    office.queue.messages.clear()
    office.again()
    assert one.withdrawal_id not in office.brought()


def test_mails_about_orders_are_left_to_their_own_messages(office: Office) -> None:
    event = office.office.canceled()
    headers: dict[str, Any] = {"x-amzn-errortype": "TooManyRequestsException"}
    office.office.to_ses.plan(SEND, faults.fail(429, **headers), times=2)
    with pytest.raises(MailPostponed):
        office.office.send(event)
    office.now += timedelta(days=2)
    office.again()
    assert event.detail["order_id"] not in [message["detail"].get("order_id") for message in office.queue.messages]


# --------------------------------------------------------------------------------------------------- what was lost


def test_a_statement_whose_record_was_lost_is_dealt_with_by_the_schedule(office: Office) -> None:
    order_id = office.desk.shop.put(paid())
    one = office.desk.take(replace(statement(order_id), store_id=office.desk.shop.store_id))
    office.again()
    assert office.desk.events(one) == []
    for days in (0, 6):
        office.now = RECEIVED + AFTER + timedelta(days=days)
        office.again()
    assert "outcome" in office.desk.parts(one)
    assert office.desk.events(one)
    office.send(one)
    assert office.row(one)["status"] == "sent"


def test_an_event_that_was_lost_is_sent_again_until_the_mails_have_it(office: Office) -> None:
    one = office.taken()
    assert len(office.desk.events(one)) == 1
    office.now += AFTER
    office.again()
    assert len(office.desk.events(one)) == 2
    office.send(one)
    office.again()
    assert len(office.desk.events(one)) == 2


def test_what_is_old_erased_or_has_no_time_left_is_let_be(office: Office) -> None:
    one = office.desk.take(statement("x"))
    office.now += timedelta(days=9)
    office.again()
    office.now = RECEIVED + AFTER
    office.again(seconds_left=1)
    assert office.desk.events(one) == []
    office.desk.shop.client.update_item(
        TableName=office.desk.shop.tables["withdrawals"],
        Key={"withdrawal_id": {"S": one.withdrawal_id}, "part": {"S": "statement"}},
        UpdateExpression="SET erased_at = :at",
        ExpressionAttributeValues={":at": {"S": "2026-11-22T10:00:00Z"}},
    )
    office.again()
    assert office.desk.events(one) == []
