"""What follows a statement of withdrawal on the running stack: outcome, cancel, event, mails, the operator's view."""

from __future__ import annotations

import hashlib
import json
from html import unescape
from typing import Any

import httpx
import pytest

from tests.support import documents
from tests.support.aws import EventWatch
from tests.support.client import PLAIN, Client
from tests.support.mails import MAIL
from tests.support.shop import Shop
from tests.support.stack import Running
from tests.support.waiting import wait_until

ON = {"enabled": True, "time_zone": "Europe/Stockholm", "country": "SE"}
NAME = "Private Person"
MESSAGE = "It does not suit my living room"


class Consumers:
    """Statements about a shop's orders, and what was sent about them."""

    def __init__(self, stack: Running, shop: Shop, anyone: Client) -> None:
        self.stack, self.shop, self.anyone = stack, shop, anyone
        self.email = f"{shop.mark}@example.com"
        shop.configure(withdrawal=ON, mail=MAIL | {"shop_name": f"Shop {shop.mark}"})

    def put(self, **more: Any) -> str:
        return self.shop.put(**{"customer_email": self.email} | more)

    def guests_order(self) -> str:
        order = documents.order(f"{self.shop.mark}-guest", "", self.shop.store_id, customer_email=self.email)
        self.shop.put_exactly({name: value for name, value in order.items() if name != "customer_id"})
        return str(order["order_id"])

    def say(self, order: str, **more: Any) -> dict[str, Any]:
        body = {"name": NAME, "email": self.email, "order": order, "store_id": self.shop.store_id} | more
        answer = self.anyone.post("/withdrawals", json=body)
        assert answer.status_code == 201, answer.text
        taken: dict[str, Any] = answer.json()
        return taken

    def withdraw(self, order_id: str, **body: Any) -> dict[str, Any]:
        answer = self.shop.client.post("/orders/{order_id}/withdrawal", order_id=order_id, json=body)
        assert answer.status_code == 201, answer.text
        taken: dict[str, Any] = answer.json()
        return taken

    def mails(self, taken: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Receipt and notice, by kind, once both are there."""

        def told() -> dict[str, dict[str, Any]]:
            answer = httpx.get(f"{self.stack.endpoint}/local/mails", verify=PLAIN)
            return {mail["kind"]: mail for mail in answer.json()["mails"] if taken["withdrawal_id"] in mail["text"]}

        wait_until(lambda: len(told()) == 2, what=f"there are two mails about {taken['withdrawal_id']}")
        return told()

    def parts(self, taken: dict[str, Any]) -> dict[str, dict[str, Any]]:
        answer = self.shop.aws.withdrawals.query(
            KeyConditionExpression="withdrawal_id = :id",
            ExpressionAttributeValues={":id": taken["withdrawal_id"]},
            ConsistentRead=True,
        )
        return {str(item["part"]): dict(item) for item in answer["Items"]}


@pytest.fixture
def consumers(stack: Running, shop: Shop, anyone: Client) -> Consumers:
    return Consumers(stack, shop, anyone)


def event_of(events: EventWatch, taken: dict[str, Any]) -> dict[str, Any]:
    def found() -> list[dict[str, Any]]:
        events.drain()
        return [one for one in events.seen if one["detail"].get("withdrawal_id") == taken["withdrawal_id"]]

    wait_until(lambda: bool(found()), what=f"{taken['withdrawal_id']} is on the bus")
    detail: dict[str, Any] = found()[0]["detail"]
    return detail


def test_the_story_of_a_customers_withdrawal(consumers: Consumers, events: EventWatch) -> None:
    shop = consumers.shop
    order_id = consumers.put(**documents.paid(), language="sv")
    taken = consumers.withdraw(order_id, message=MESSAGE)

    receipt, notice = (consumers.mails(taken)[kind] for kind in ("withdrawal_receipt", "withdrawal_notice"))
    assert receipt["to"] == consumers.email
    assert receipt["subject"] == "Vi har tagit emot ditt meddelande om ångerrätt"
    for form in ("text", "html"):
        for text in (taken["receipt"], MESSAGE, order_id, "Europe/Stockholm"):
            assert text in receipt[form]
    # The reader of the mail can compute the checksum.
    record = next(line for line in receipt["text"].splitlines() if line.startswith('{"'))
    assert hashlib.sha256(record.encode()).hexdigest() == taken["receipt"]
    assert record in unescape(receipt["html"])
    assert notice["to"] == "orders@example.com"
    assert "The order was cancelled automatically" in notice["text"]
    detail = event_of(events, taken)
    assert (detail["order_id"], detail["match"], detail["in_time"]) == (order_id, "proven", None)
    assert len(detail["items"]) == len(shop.order(order_id)["items"])
    # By the write of any cancel, and refunded as after any.
    assert shop.refunded(order_id)["refund"]["status"] == "succeeded"
    assert shop.cancellation(order_id)["reason"] == {
        "code": "withdrawal",
        "description": "Withdrawal from the contract",
    }
    order = shop.order(order_id)
    assert order["withdrawal"]["withdrawal_id"] == taken["withdrawal_id"]
    assert "WITHDRAW" not in order["available_actions"]
    assert "Statement of withdrawal received" in [entry["comment"] for entry in order["history"]]
    assert events.wait_for(order_id, "OrderCanceled")["reason"] == "withdrawal"


def test_a_statement_by_mail_cancels_nothing_and_offers_to(consumers: Consumers, events: EventWatch) -> None:
    consumers.shop.configure(withdrawal=ON, mail=MAIL, guest_access=True)
    of_customer = consumers.put(delivered_at="2026-10-01T10:00:00Z")
    taken = consumers.say(f" #{of_customer}", email=consumers.email.upper())
    mails = consumers.mails(taken)
    assert "If you sign in to our shop" in mails["withdrawal_receipt"]["text"]
    assert "It came in late" in mails["withdrawal_notice"]["text"]
    assert "not proven" in mails["withdrawal_notice"]["text"]
    detail = event_of(events, taken)
    assert (detail["match"], detail["in_time"], detail["order_id"]) == ("email", False, of_customer)
    assert consumers.shop.order(of_customer)["cancellation"] is None

    of_guest = consumers.guests_order()
    offered = consumers.mails(consumers.say(of_guest))["withdrawal_receipt"]
    assert f"guest.html#order_id={of_guest}" in offered["text"]
    assert f"guest.html#order_id={of_guest}" in offered["html"]


def test_what_matches_nothing_is_received_all_the_same(consumers: Consumers, events: EventWatch) -> None:
    taken = consumers.say("what I bought in May", items=[{"item": "The lamp"}], message=MESSAGE, language="de-AT")
    mails = consumers.mails(taken)
    assert mails["withdrawal_receipt"]["subject"] == "Wir haben Ihren Widerruf erhalten"
    assert "No order has this number" in mails["withdrawal_notice"]["text"]
    assert "The lamp" in mails["withdrawal_notice"]["text"]
    detail = event_of(events, taken)
    assert (detail["match"], detail["order_id"], detail["items"]) == ("none", None, [])
    assert set(consumers.parts(taken)) == {"statement", "outcome"}


def test_a_store_that_cannot_send_has_its_receipts_wait_and_they_go_out_by_themselves(consumers: Consumers) -> None:
    shop = consumers.shop
    shop.configure(withdrawal=ON, mail={"from": "shop@elsewhere.org", "shop_name": "Shop"})
    taken = consumers.say("1007")

    def row() -> dict[str, Any]:
        found = shop.aws.mails.query(
            IndexName="by_subject",
            KeyConditionExpression="about = :about",
            ExpressionAttributeValues={":about": taken["withdrawal_id"]},
        )["Items"]
        return dict(shop.aws.mails.get_item(Key={"mail_id": found[0]["mail_id"]})["Item"]) if found else {}

    wait_until(lambda: row().get("status") == "waiting", what="the receipt waits")
    assert row()["error"] == "MailFromNotOfIdentity"
    shop.configure(withdrawal=ON, mail={"from": "shop@example.com", "shop_name": "Shop"})
    wait_until(lambda: row().get("status") == "sent", what="the receipt goes out", seconds=90)


def test_nothing_of_a_person_is_in_the_log_a_metric_or_an_event(consumers: Consumers, events: EventWatch) -> None:
    order_id = consumers.put(items=[documents.row("1", name="Secret lamp")])
    taken = consumers.say(order_id, message=MESSAGE, items=[{"item": "Secret lamp"}])
    consumers.mails(taken)
    detail = event_of(events, taken)
    for private in (NAME, MESSAGE, consumers.email, "Secret lamp"):
        assert private not in consumers.stack.said()
        assert private not in json.dumps(detail, default=str)
