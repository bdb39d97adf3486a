"""Mails of requests to the shop: sent once, with what the order says of the request, whatever has happened since."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal
from uuid import uuid4

import pytest
from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.domain.events import Event, canceled
from cancel_core.domain.request_events import declined, requested
from cancel_core.domain.request_row import AskedAbout
from cancel_core.errors import MailPostponed

from tests.support import proxy as faults
from tests.support.mails import PostOffice
from tests.support.orders import asked, decided, paid
from tests.support.tables import Aws, Calls, Shop

NOTE = "Packed already.\n<b>Sorry</b> & bye"


@pytest.fixture
def office(shop: Shop, aws: Aws) -> Iterator[PostOffice]:
    with PostOffice.opened(shop, aws) as office:
        yield office


def put(office: PostOffice, order: StoredOrder) -> None:
    office.shop.client.put_item(TableName=office.shop.tables["orders"], Item=order.raw)


def ask(office: PostOffice, **more: Any) -> StoredOrder:
    """An order of this shop's that it is asked to cancel."""
    source = {"order_id": f"o-{uuid4()}", "store_id": office.shop.store_id, "customer_email": f"{uuid4()}@example.com"}
    order = asked(paid(**source | more))
    put(office, order)
    return order


def decide(
    office: PostOffice, order: StoredOrder, status: Literal["approved", "declined", "lapsed"], note: str | None = None
) -> Event:
    """The shop's decision, carried out; and its event."""
    after = decided(order, status, note)
    put(office, after)
    return event_of(after)


def event_of(order: StoredOrder) -> Event:
    assert order.request
    if order.cancellation:
        return canceled(order.state, order.cancellation)
    about = AskedAbout(order.order_id, order.placed_at, order.store_id, "c1", order.currency)
    return (requested if order.request.is_open else declined)(about, order.request)


def sent(office: PostOffice, event: Event) -> list[str]:
    return sorted(mail["kind"] for mail in office.sent(event))


def mail_of(office: PostOffice, event: Event, kind: str) -> dict[str, Any]:
    (mail,) = (mail for mail in office.sent(event) if mail["kind"] == kind)
    return mail


def test_the_shop_is_told_of_a_request_once(office: PostOffice) -> None:
    order = ask(office)
    event = event_of(order)
    assert [office.send(event) for _ in range(3)] == [1, 0, 0]
    mail = mail_of(office, event, "request_received_notice")
    assert mail["to"] == "orders@example.com"
    assert order.request
    for told in (
        order.request.request_id,
        order.order_id,
        "Other (other)",
        "> Bought two by mistake",
        "SEK\N{NO-BREAK SPACE}100.00",
    ):
        assert told in mail["text"], told
    assert office.rows(event)["request_received_notice"]["status"] == "sent"


@pytest.mark.parametrize(
    ("status", "told"), [("declined", "decided not to cancel"), ("lapsed", "can no longer be cancelled")]
)
def test_the_customer_is_told_of_a_refusal_once_with_the_note(
    status: Literal["declined", "lapsed"], told: str, office: PostOffice
) -> None:
    event = decide(office, ask(office), status, NOTE)
    assert [office.send(event) for _ in range(3)] == [1, 0, 0]
    mail = mail_of(office, event, "request_decided")
    assert told in mail["text"]
    assert "> Packed already.\n> <b>Sorry</b> & bye\n" in mail["text"]
    assert "&lt;b&gt;Sorry&lt;/b&gt; &amp; bye" in mail["html"]


def test_an_approval_is_told_with_the_cancel_and_each_once(office: PostOffice) -> None:
    event = decide(office, ask(office), "approved", "Gladly.")
    assert [office.send(event) for _ in range(3)] == [3, 0, 0]
    assert sent(office, event) == ["order_canceled", "order_canceled_notice", "request_decided"]
    mail = mail_of(office, event, "request_decided")
    assert "We have agreed, and the order is cancelled." in mail["text"]
    assert "> Gladly." in mail["text"]


@pytest.mark.parametrize("status", ["declined", "lapsed", "withdrawn"])
def test_a_cancel_after_a_request_that_was_not_approved_is_told_as_any_other(
    status: Literal["declined", "lapsed", "withdrawn"], office: PostOffice
) -> None:
    event = office.canceled()
    order = ask(office)
    assert order.request
    office.shop.client.update_item(
        TableName=office.shop.tables["orders"],
        Key={"order_id": {"S": event.detail["order_id"]}},
        UpdateExpression="SET cancellation_request = :request",
        ExpressionAttributeValues={":request": order.raw["cancellation_request"] | _status(order, status)},
    )
    office.send(event)
    assert sent(office, event) == ["order_canceled", "order_canceled_notice"]


def _status(order: StoredOrder, status: str) -> dict[str, Any]:
    return {"M": order.raw["cancellation_request"]["M"] | {"status": {"S": status}}}


@pytest.mark.parametrize("odd", [{"S": "gone"}, {"M": {}}, {"M": {"request_id": {"N": "7"}}}, {"NULL": True}])
def test_an_order_whose_request_is_gone_is_not_told_to_its_customer_and_to_the_shop_by_the_event(
    odd: dict[str, Any], office: PostOffice
) -> None:
    order = ask(office)
    put(office, StoredOrder(order.raw | {"cancellation_request": odd}))
    event = event_of(order)
    assert office.send(event) == 1
    mail = mail_of(office, event, "request_received_notice")
    assert "Reason: other\n" in mail["text"]
    assert "Bought two" not in mail["text"]
    refusal = event_of(decided(order, "declined", NOTE))
    assert office.send(refusal) == 0
    assert "request_decided" not in office.rows(refusal)


def test_a_refusal_is_not_told_where_the_customer_has_asked_once_more_or_the_order_is_gone(office: PostOffice) -> None:
    order = ask(office)
    event = event_of(decided(order, "declined", NOTE))
    table = office.shop.tables["orders"]
    other = {"M": order.raw["cancellation_request"]["M"] | {"request_id": {"S": "req_other"}}}
    put(office, StoredOrder(order.raw | {"cancellation_request": other}))
    assert office.send(event) == 0
    office.shop.client.delete_item(TableName=table, Key={"order_id": {"S": order.order_id}})
    assert office.send(event) == 0
    assert office.rows(event) == {}


def test_an_approval_is_told_though_the_orders_rows_cannot_be_read(office: PostOffice) -> None:
    event = decide(office, ask(office), "approved", "Gladly.")
    office.shop.set(event.detail["order_id"], items="gone")
    assert office.send(event) == 3


def test_a_decision_that_ses_has_no_time_for_goes_out_later_once(office: PostOffice) -> None:
    event = decide(office, ask(office), "declined", NOTE)
    answer = faults.fail(429, b"{}", **{"x-amzn-errortype": "TooManyRequestsException"})
    office.to_ses.plan("POST /v2/email/outbound-emails", answer)
    with pytest.raises(MailPostponed):
        office.send(event)
    assert [office.send(event) for _ in range(2)] == [1, 0]
    assert sent(office, event) == ["request_decided"]


@pytest.mark.parametrize("status", ["approved", "declined", "lapsed"])
def test_what_a_row_keeps_of_the_event_sends_it_again(
    status: Literal["approved", "declined", "lapsed"], office: PostOffice
) -> None:
    event = decide(office, ask(office), status, "Gladly.")
    office.send(event)
    row = office.rows(event)["request_decided"]
    assert not {"customer_id", "note", "comment"} & row["event"]["detail"].keys()
    assert office.post.mails.again(row["mail_id"], "2026-11-22T11:00:00Z")
    assert office.send(event._replace(detail=row["event"]["detail"])) == 1
    assert sent(office, event).count("request_decided") == 2


def test_a_request_takes_the_round_trips_of_any_mail(office: PostOffice, aws: Aws) -> None:
    calls = Calls(client := aws.client("dynamodb"))
    office.post = office.post._replace(
        orders=type(office.post.orders)(client, office.shop.tables["orders"]), policies=office.shop.policies(60)
    )
    office.post.policies.get(office.shop.store_id)
    office.send(event_of(ask(office)))
    assert calls.made == ["Query"]
