"""Mails of requests to the shop on the running stack: of the request to the shop, of its decision to the customer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.stack.test_mails import ADDRESS, NAME, Mails, put
from tests.stack.test_requests import Desk, asked, take_back
from tests.support.mails import MAIL
from tests.support.shop import Shop
from tests.support.stack import Running
from tests.support.waiting import wait_until

NOTE = "It is packed already <sorry> & on its way."


@pytest.fixture
def mails(stack: Running, shop: Shop) -> Mails:
    shop.configure(approval="always", mail=MAIL)
    return Mails(stack, shop)


@pytest.fixture
def desk(shop: Shop) -> Desk:
    return Desk(shop)


def ask(shop: Shop, order_id: str, **named: Any) -> str:
    request_id: str = asked(shop, order_id, **named)["cancellation_request"]["request_id"]
    return request_id


def told(mails: Mails, order_id: str, kind: str) -> dict[str, Any]:
    """The one mail of a kind about an order, once it is there."""
    found: list[dict[str, Any]] = wait_until(
        lambda: [mail for mail in mails.about(order_id) if mail["kind"] == kind], what=f"{kind} of {order_id} is sent"
    )
    (mail,) = found
    return mail


def kinds(mails: Mails, order_id: str) -> list[str]:
    return sorted(mail["kind"] for mail in mails.about(order_id))


def test_the_shop_is_told_of_a_request_and_the_customer_that_it_is_declined(
    mails: Mails, desk: Desk, shop: Shop
) -> None:
    order_id = put(shop, language="de")
    request_id = ask(shop, order_id, reason="other", comment="Two of them")
    notice = told(mails, order_id, "request_received_notice")
    assert notice["to"] == "orders@example.com"
    for text in (order_id, request_id, "Another reason (other)", "> Two of them", "Refund if approved: SEK"):
        assert text in notice["text"], text
    assert NAME not in notice["text"] + notice["html"]
    desk.decide(request_id, "declined", note=NOTE)
    mail = told(mails, order_id, "request_decided")
    assert mail["to"] == ADDRESS
    assert f"Guten Tag {NAME}," in mail["text"]
    assert "entschieden, sie nicht zu stornieren" in mail["text"]
    assert f"> {NOTE}" in mail["text"]
    assert "&lt;sorry&gt; &amp; on its way." in mail["html"]
    mails.brought("CancellationDeclined", order_id)
    assert kinds(mails, order_id) == ["request_decided", "request_received_notice"]


def test_an_approval_is_told_beside_the_cancel_and_its_refund(mails: Mails, desk: Desk, shop: Shop) -> None:
    order_id = put(shop)
    request_id = ask(shop, order_id)
    desk.decide(request_id, "approved", note="Gladly.")
    mail = told(mails, order_id, "request_decided")
    assert "We have agreed, and the order is cancelled." in mail["text"]
    assert "> Gladly." in mail["text"]
    shop.refunded(order_id)
    mails.about(order_id, 5)
    mails.brought("OrderRefunded", order_id)
    assert kinds(mails, order_id) == [
        *("order_canceled", "order_canceled_notice", "order_refunded"),
        *("request_decided", "request_received_notice"),
    ]


def test_what_has_left_meanwhile_is_told_as_lapsed(mails: Mails, desk: Desk, shop: Shop) -> None:
    order_id = put(shop)
    request_id = ask(shop, order_id)
    desk.waiting(request_id)
    shop.aws.orders.put_item(Item=shop.stored(order_id) | {"status": "complete"})
    desk.decide(request_id, "approved")
    mail = told(mails, order_id, "request_decided")
    assert "It can no longer be cancelled." in mail["text"]
    assert "Our message to you" not in mail["text"]


def test_what_the_customer_takes_back_is_no_decision(mails: Mails, shop: Shop) -> None:
    order_id = put(shop)
    ask(shop, order_id)
    assert take_back(shop, order_id).status_code == 200
    told(mails, order_id, "request_received_notice")
    mails.brought("CancellationRequested", order_id)
    assert kinds(mails, order_id) == ["request_received_notice"]


def test_an_operator_shows_them_and_sends_them_again(mails: Mails, desk: Desk, shop: Shop) -> None:
    order_id = put(shop)
    request_id = ask(shop, order_id)
    told(mails, order_id, "request_received_notice")
    shop.configure(approval="always", mail={**MAIL, "from": "shop@not-verified.org"})
    desk.decide(request_id, "declined", note=NOTE)

    def line() -> str:
        lines = mails.operator("list").stdout.splitlines()
        return next((line for line in lines if order_id in line and "request_decided" in line), "")

    mail_id = str(wait_until(line, what="the mail is in the list")).split()[0]
    row = json.loads(mails.operator("show", mail_id).stdout)
    assert (row["status"], row["event"]["detail"]["request_id"]) == ("failed", request_id)
    assert NOTE not in mails.operator("show", order_id).stdout
    shop.configure(approval="always", mail=MAIL)
    assert mails.operator("resend", mail_id).returncode == 0
    mail = told(mails, order_id, "request_decided")
    assert (mail["mail_id"], NOTE in mail["text"]) == (mail_id, True)


def test_nothing_of_a_request_is_in_logs_events_or_metrics(
    mails: Mails, desk: Desk, shop: Shop, stack: Running
) -> None:
    order_id = put(shop)
    request_id = ask(shop, order_id, comment="A secret comment")
    desk.decide(request_id, "declined", note="A secret note")
    told(mails, order_id, "request_decided")
    said = stack.said()
    for text in (ADDRESS, NAME, "orders@example.com", "A secret comment", "A secret note"):
        assert text not in said, text
