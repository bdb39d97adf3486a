"""Mails on the running stack, as customers, the shop, an admin and an operator see them."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from itertools import pairwise
from typing import Any, NamedTuple

import httpx
import pytest

from ops.__main__ import main as shell
from tests.support import documents
from tests.support.client import PLAIN
from tests.support.mails import MAIL
from tests.support.shop import Shop
from tests.support.stack import Running
from tests.support.waiting import wait_until

ADDRESS = "private.person@example.com"
NAME = "Private Person"


@pytest.fixture
def mails(stack: Running, shop: Shop) -> Mails:
    shop.configure(mail=MAIL)
    return Mails(stack, shop)


class Mails:
    """What was sent about this shop's orders."""

    def __init__(self, stack: Running, shop: Shop) -> None:
        self.stack, self.shop = stack, shop

    def about(self, order_id: str, number: int = 0) -> list[dict[str, Any]]:
        """All about an order, newest first, once there are so many."""

        def told() -> list[dict[str, Any]]:
            answer = httpx.get(f"{self.stack.endpoint}/local/mails", verify=PLAIN)
            found = [mail for mail in answer.json()["mails"] if order_id in mail["subject"]]
            return found if len(found) >= number else []

        wait_until(lambda: not number or told(), what=f"there are {number} mails about {order_id}")
        return told()

    def brought(self, event: str, order_id: str) -> None:
        """Waits until an event was published and the mail function has taken in all that there was."""

        def is_published() -> bool:
            return any(event in line and order_id in line for line in self.stack.said().splitlines())

        wait_until(is_published, what=f"{event} is published")
        sqs, url = self.shop.aws.sqs, self.shop.aws.info.queues["MailQueue"]
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

        def is_empty() -> bool:
            told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            return all(told[name] == "0" for name in names)

        wait_until(is_empty, what="the mail queue is empty")

    def operator(self, *arguments: str) -> Answer:
        said = io.StringIO()
        with redirect_stdout(said):
            code = shell(["mails", "--url", self.stack.endpoint, *arguments])
        return Answer(code, said.getvalue())


class Answer(NamedTuple):
    """Of the operator's command."""

    returncode: int
    stdout: str


def put(shop: Shop, **more: Any) -> str:
    return shop.put(**documents.paid(**{"customer_email": ADDRESS, "customer_name": NAME} | more))


def test_a_cancel_and_its_refund_are_told(mails: Mails, shop: Shop) -> None:
    order_id = put(shop, language="sv")
    shop.canceled(order_id)
    shop.refunded(order_id)
    told = mails.about(order_id, 3)
    assert sorted((mail["kind"], mail["to"]) for mail in told) == [
        ("order_canceled", ADDRESS),
        ("order_canceled_notice", "orders@example.com"),
        ("order_refunded", ADDRESS),
    ]
    fields = {"mail_id", "kind", "from", "reply_to", "to", "subject", "text", "html", "sent_at"}
    assert all(fields <= mail.keys() for mail in told)
    assert {mail["from"] for mail in told} == {"shop@example.com"}
    refunded = next(mail for mail in told if mail["kind"] == "order_refunded")
    assert "återbetalat" in refunded["text"] or "betalat tillbaka" in refunded["text"]
    assert f"Hej {NAME}!" in refunded["text"]


def test_without_the_setting_nobody_is_written_to(mails: Mails, shop: Shop) -> None:
    shop.configure(mail={**MAIL, "customer": False, "merchant": []})
    order_id = put(shop)
    shop.canceled(order_id)
    shop.refunded(order_id)
    mails.brought("OrderRefunded", order_id)
    assert mails.about(order_id) == []


def test_an_operator_lists_shows_and_sends_again(mails: Mails, shop: Shop) -> None:
    shop.configure(mail={**MAIL, "from": "shop@not-verified.org", "merchant": []})
    order_id = shop.put(customer_email=ADDRESS)
    shop.canceled(order_id)
    wait_until(lambda: order_id in mails.operator("list").stdout, what="the mail is in the list")
    listed = mails.operator("list").stdout
    (line, below) = next(pair for pair in pairwise(listed.splitlines()) if order_id in pair[0])
    mail_id, about, _, state, *_ = line.split()
    assert (about, state, below.strip()) == (order_id, "failed", "MessageRejected")
    assert line.endswith(" s  mend mail.from, or leave the sandbox of SES, then resend")
    assert ADDRESS not in listed

    shop.configure(mail={**MAIL, "merchant": []})
    sent = mails.operator("resend", mail_id)
    assert (sent.returncode, sent.stdout) == (0, f"{mail_id} is on its way again.\n")
    (mail,) = mails.about(order_id, 1)
    assert mail["mail_id"] == mail_id
    row = json.loads(mails.operator("show", mail_id).stdout)
    assert (row["status"], row["to"], row["attempts"]) == ("sent", ADDRESS, 2)
    assert json.loads(mails.operator("show", order_id).stdout) == row
    assert mails.operator("show", "no-such-order").returncode == 1
    assert mails.operator("resend", "mail_none").returncode == 1


def test_a_bounce_stands_on_the_row(mails: Mails, shop: Shop) -> None:
    order_id = put(shop)
    shop.canceled(order_id)
    mail = next(one for one in mails.about(order_id, 2) if one["kind"] == "order_canceled")
    bounce = {"bounceType": "Permanent", "bounceSubType": "General", "timestamp": "2026-11-22T10:05:00.000Z"}
    bounce["bouncedRecipients"] = [{"emailAddress": ADDRESS}]  # type: ignore[assignment]  # as SES has it
    tags = {"mail_id": [mail["mail_id"]], "ses:configuration-set": ["cancel-core-MailConfigurationSet"]}
    detail = {"eventType": "Bounce", "bounce": bounce, "mail": {"destination": [ADDRESS], "tags": tags}}
    # As SES tells the account's default bus.
    shop.aws.events.put_events(
        Entries=[{"Source": "aws.ses", "DetailType": "Email Bounced", "Detail": json.dumps(detail)}]
    )
    wait_until(lambda: mail["mail_id"] in mails.operator("list", "--returned").stdout, what="the bounce is on the row")
    row = json.loads(mails.operator("show", mail["mail_id"]).stdout)
    assert row["delivery"] == {"status": "bounced", "at": bounce["timestamp"], "reason": "Permanent General"}


@pytest.mark.usefixtures("mails")
def test_an_admin_is_told_where_no_mail_can_leave(shop: Shop) -> None:
    def validation() -> str:
        item = shop.aws.config_item(f"store:{shop.store_id}") or {}
        return str(item.get("validation", ""))

    wait_until(lambda: validation().startswith("In force since"), what="the item says that it is in force")
    assert "But no mail" not in validation()
    shop.configure(mail={**MAIL, "from": "shop@elsewhere.org"})
    wait_until(lambda: "But no mail leaves: mail.from is not an address of" in validation(), what="the admin is told")
    shop.configure(mail={**MAIL, "form": "shop@example.com"})
    wait_until(lambda: "mail has 'form'" in validation(), what="the admin is told")


def test_nothing_of_a_person_is_in_logs_events_or_metrics(mails: Mails, shop: Shop, stack: Running) -> None:
    orders = [put(shop), put(shop, customer_email="private@person@example.com"), put(shop, language=NAME)]
    orders.append(put(shop, items=documents.paid()["items"], customer_name=f"{NAME} <{ADDRESS}>"))
    for order_id in orders:
        shop.canceled(order_id)
    shop.configure(mail={**MAIL, "from": "private.shop@not-verified.org"})
    refused = put(shop)
    shop.canceled(refused)
    wait_until(lambda: refused in mails.operator("list").stdout, what="the mail was refused")
    said = stack.said()
    private = (
        ADDRESS,
        NAME,
        "private@person",
        "private.shop",
        "orders@example.com",
        "help@example.com",
        "has been cancelled",
    )
    for text in private:
        assert text not in said, text


def test_the_page_shows_a_mail_to_a_person_and_runs_nothing(mails: Mails, shop: Shop) -> None:
    order_id = put(shop, customer_name="Anna & Bo")
    shop.canceled(order_id)
    mail = next(one for one in mails.about(order_id, 2) if one["kind"] == "order_canceled")
    page = httpx.get(f"{mails.stack.endpoint}/local/mails/", params={"mail": mail["message_id"]}, verify=PLAIN)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script" not in page.headers["content-security-policy"]
    assert mail["subject"] in page.text
    assert "Anna &amp; Bo" in page.text
    inner = httpx.get(f"{mails.stack.endpoint}/local/mails/{mail['message_id']}", verify=PLAIN)
    assert inner.text.replace('<base target="_blank">', "") == mail["html"]
    assert "sandbox" in inner.headers["content-security-policy"]
    assert httpx.get(f"{mails.stack.endpoint}/local/mails/none", verify=PLAIN).status_code == 404
