"""Each mail goes out once, whatever happens around it; and what became of it stands on its row."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.domain.events import Event
from cancel_core.errors import MailPostponed
from cancel_core.services.mails import Returned, note_returned

from tests.support import proxy as faults
from tests.support.mails import MAIL, PostOffice
from tests.support.metering import Meter
from tests.support.tables import Aws, Calls, Shop

SEND = "POST /v2/email/outbound-emails"
BOTH = {"order_canceled", "order_canceled_notice"}


@pytest.fixture
def office(shop: Shop, aws: Aws) -> Iterator[PostOffice]:
    with PostOffice.opened(shop, aws) as office:
        yield office


def kinds(office: PostOffice, event: Event) -> list[str]:
    return sorted(mail["kind"] for mail in office.sent(event))


def statuses(office: PostOffice, event: Event) -> dict[str, str]:
    return {kind: row["status"] for kind, row in office.rows(event).items()}


def answering(office: PostOffice, status: int, code: str) -> None:
    """Has SES answer with an error instead of taking the next mail."""
    body = b'{"message": "about somebody@example.com"}'
    office.to_ses.plan(SEND, faults.fail(status, body, **{"x-amzn-errortype": code}))


# ------------------------------------------------------------------------------------------------------ as it should be


def test_a_cancel_is_told_to_customer_and_shop_and_the_rows_say_so(office: PostOffice) -> None:
    event = office.canceled(language="sv", customer_name="Anna & Bo <3")
    assert office.send(event) == 2
    to_shop, to_customer = sorted(office.sent(event), key=lambda mail: mail["kind"], reverse=True)
    assert to_shop["to"] == "orders@example.com"
    assert to_customer["from"] == "shop@example.com"
    assert to_customer["from_name"] == "Corner Shop"
    assert to_customer["reply_to"] == "help@example.com"
    assert "avbeställd" in to_customer["subject"]
    assert "Hej" in to_customer["text"]
    row = office.rows(event)["order_canceled"]
    assert (row["status"], row["to"], row["attempts"]) == ("sent", to_customer["to"], 1)
    assert row["message_id"] == to_customer["message_id"]
    assert "unsent_since" not in row
    assert row["expires_at"] > 1_800_000_000
    # What it says is not kept.
    assert not {"subject", "text", "html", "name"} & row.keys()
    assert "customer_id" not in row["event"]["detail"]


def test_an_answer_of_ses_that_is_lost_is_as_a_crash_there(office: PostOffice) -> None:
    event = office.canceled()
    office.to_ses.plan(SEND, faults.drop_answer)
    with pytest.raises(MailPostponed):
        office.send(event)
    assert office.send(event) == 1
    assert kinds(office, event).count("order_canceled") == 2


def test_an_event_that_comes_again_sends_nothing(office: PostOffice) -> None:
    event = office.canceled()
    assert [office.send(event) for _ in range(3)] == [2, 0, 0]
    assert set(kinds(office, event)) == BOTH
    assert len(kinds(office, event)) == 2


def test_a_store_that_says_nothing_of_mail_writes_to_nobody_and_no_row(office: PostOffice) -> None:
    office.shop.configure()
    event = office.canceled()
    assert office.send(event) == 0
    assert office.to_database.seen == office.to_ses.seen == []


def test_a_guests_order_is_written_to_as_any_other(office: PostOffice) -> None:
    event = office.canceled()
    order = office.shop.stored(event.detail["order_id"]).raw
    office.shop.client.put_item(
        TableName=office.shop.tables["orders"], Item={name: order[name] for name in order if name != "customer_id"}
    )
    assert office.send(event) == 2


def test_two_round_trips_for_each_mail_and_one_for_the_order(office: PostOffice, aws: Aws) -> None:
    client = aws.client("dynamodb")
    calls, meter = Calls(client), Meter(client)
    mails = type(office.post.mails)(client, office.shop.tables["mails"])
    orders = Orders(client, office.shop.tables["orders"])
    office.post = office.post._replace(orders=orders, mails=mails, policies=office.shop.policies(60))
    office.post.policies.get(office.shop.store_id)
    event = office.canceled()
    meter.units()
    office.send(event)
    if office.shop.client.meta.endpoint_url != office.endpoint_url:
        # AWS's own engine counts as DynamoDB does; docs/costs.md is made of it.
        assert meter.units() == (5, Decimal(1), Decimal(10))
    assert calls.made == ["Query", "PutItem", "UpdateItem", "PutItem", "UpdateItem"]
    calls.made.clear()
    office.send(event)
    assert calls.made == ["Query", "PutItem", "PutItem"]


@pytest.mark.parametrize("damage", [{"customer_email": "not an address"}, {"customer_email": "a@b@c"}])
def test_what_is_no_address_fails_for_good_and_the_shop_hears_of_the_cancel(
    damage: dict[str, Any], office: PostOffice
) -> None:
    event = office.canceled(**damage)
    assert office.send(event) == 1
    row = office.rows(event)["order_canceled"]
    assert (row["status"], row["error"]) == ("failed", "NotAnAddress")
    assert kinds(office, event) == ["order_canceled_notice"]


@pytest.mark.parametrize(
    "odd",
    [{"customer_email": 7}, {"customer_email": None}, {"customer_name": ["x"]}, {"language": True}, {"language": "ja"}],
)
def test_what_an_order_says_of_its_customer_in_another_form_breaks_nothing(
    odd: dict[str, Any], office: PostOffice
) -> None:
    event = office.canceled(**odd)
    office.send(event)
    assert "order_canceled_notice" in kinds(office, event)


def test_an_order_that_is_gone_or_was_placed_anew_is_not_told_to_its_customer(office: PostOffice) -> None:
    event = office.canceled()
    office.dynamodb.delete_item(
        TableName=office.shop.tables["orders"], Key={"order_id": {"S": event.detail["order_id"]}}
    )
    office.send(event)
    assert kinds(office, event) == ["order_canceled_notice"]


def test_an_order_whose_rows_cannot_be_read_is_told_by_what_can(office: PostOffice) -> None:
    event = office.canceled()
    office.shop.set(event.detail["order_id"], items="gone")
    assert office.send(event) == 2
    assert "was cancelled" in office.sent(event)[0]["text"]


# ------------------------------------------------------------------------------------------------------ what goes wrong


@pytest.mark.parametrize(
    ("status", "code"),
    [(429, "TooManyRequestsException"), (400, "LimitExceededException"), (500, "InternalFailure"), (503, "Whatever")],
)
def test_a_throttled_mail_waits_and_goes_out_later_once(status: int, code: str, office: PostOffice) -> None:
    event = office.canceled()
    answering(office, status, code)
    with pytest.raises(MailPostponed) as postponed:
        office.send(event)
    assert str(postponed.value) == code
    # The other one went out all the same.
    assert statuses(office, event) == {"order_canceled": "waiting", "order_canceled_notice": "sent"}
    assert office.rows(event)["order_canceled"]["error"] == code
    assert office.send(event) == 1
    assert office.rows(event)["order_canceled"]["attempts"] == 2
    assert sorted(kinds(office, event)) == sorted(BOTH)


@pytest.mark.parametrize(
    "code",
    [
        *("MessageRejected", "MailFromDomainNotVerifiedException", "BadRequestException"),
        *("AccountSuspendedException", "AccessDeniedException"),
    ],
)
def test_what_ses_refuses_has_failed_and_is_not_tried_again(code: str, office: PostOffice) -> None:
    event = office.canceled()
    answering(office, 400, code)
    assert office.send(event) == 1
    row = office.rows(event)["order_canceled"]
    assert (row["status"], row["error"]) == ("failed", code)
    assert row["unsent_since"]
    assert office.send(event) == 0
    assert row["mail_id"] in list(office.post.mails.unsent())


def test_from_an_identity_that_is_not_verified_nothing_goes_out(office: PostOffice) -> None:
    office.shop.configure(mail={**MAIL, "from": "shop@not-verified.org"})
    event = office.canceled()
    assert office.send(event) == 0
    assert set(statuses(office, event).values()) == {"failed"}


def test_killed_before_ses_the_mail_goes_out_once_the_others_time_is_over(office: PostOffice) -> None:
    event = office.canceled()
    office.ses.meta.events.register_first("before-send.sesv2.SendEmail", _dies)
    with pytest.raises(Killed):
        office.send(event)
    office.ses.meta.events.unregister("before-send.sesv2.SendEmail", _dies)
    # Before the deadline another function cannot know that it crashed.
    with pytest.raises(MailPostponed):
        office.send(event)
    assert kinds(office, event) == ["order_canceled_notice"]
    office.clock += timedelta(seconds=32)
    assert office.send(event) == 1
    assert sorted(kinds(office, event)) == sorted(BOTH)


def test_killed_between_ses_and_the_row_a_mail_goes_out_twice_and_never_more(office: PostOffice) -> None:
    event = office.canceled()
    office.dynamodb.meta.events.register_first("before-send.dynamodb.UpdateItem", _dies)
    with pytest.raises(Killed):
        office.send(event)
    office.dynamodb.meta.events.unregister("before-send.dynamodb.UpdateItem", _dies)
    assert statuses(office, event) == {"order_canceled": "sending"}
    office.clock += timedelta(seconds=32)
    assert office.send(event) == 2
    assert office.send(event) == 0
    assert sorted(kinds(office, event)) == ["order_canceled", "order_canceled", "order_canceled_notice"]


class Killed(BaseException):
    """The process's end: nothing of ours catches it."""


def _dies(**_: Any) -> None:
    raise Killed


def test_of_two_at_once_one_sends_and_the_other_comes_again(office: PostOffice) -> None:
    event = office.canceled()
    start = threading.Barrier(4)

    def run(_: int) -> None:
        start.wait()
        # Who finds somebody else at a mail has its event delivered again.
        with suppress(MailPostponed):
            office.send(event)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    assert office.send(event) == 0
    assert sorted(kinds(office, event)) == sorted(BOTH)


def test_a_database_that_throttles_the_note_is_asked_again_at_once(office: PostOffice) -> None:
    event = office.canceled()
    office.to_database.plan("UpdateItem", faults.aws_error("ThrottlingException"), times=2)
    assert office.send(event) == 2
    assert set(statuses(office, event).values()) == {"sent"}


def test_without_the_database_nothing_goes_out(office: PostOffice) -> None:
    event = office.canceled()

    office.to_database.plan("PutItem", faults.refuse, times=2)
    with pytest.raises(MailPostponed):
        office.send(event)
    assert office.sent(event) == []


# ------------------------------------------------------------------------------------------------------ what comes back


def test_a_bounce_and_a_complaint_stand_on_the_row(office: PostOffice) -> None:
    event = office.canceled()
    office.send(event)
    mail_id = office.rows(event)["order_canceled"]["mail_id"]
    for status, reason in (("bounced", "Permanent General"), ("complained", "abuse")):
        note_returned(office.post.mails, Returned(mail_id, status, "2026-11-22T10:05:00Z", reason), office.clock)
        row = office.rows(event)["order_canceled"]
        assert row["delivery"] == {"status": status, "at": "2026-11-22T10:05:00Z", "reason": reason}
    assert mail_id in list(office.post.mails.returned())


def test_a_mail_that_came_back_was_sent_whatever_its_row_says(office: PostOffice) -> None:
    event = office.canceled()
    office.dynamodb.meta.events.register_first("before-send.dynamodb.UpdateItem", _dies)
    with pytest.raises(Killed):
        office.send(event)
    office.dynamodb.meta.events.unregister("before-send.dynamodb.UpdateItem", _dies)
    mail_id = office.rows(event)["order_canceled"]["mail_id"]
    note_returned(office.post.mails, Returned(mail_id, "bounced", "", ""), office.clock)
    office.clock += timedelta(seconds=32)
    office.send(event)
    assert kinds(office, event).count("order_canceled") == 1


def test_a_bounce_of_a_mail_that_nobody_knows_makes_no_row(office: PostOffice) -> None:
    note_returned(office.post.mails, Returned("mail_unknown", "bounced", "", ""), office.clock)
    assert office.post.mails.get("mail_unknown") is None


def test_a_mail_that_is_to_go_out_again_does_when_its_event_comes_again(office: PostOffice) -> None:
    event = office.canceled()
    office.send(event)
    row = office.rows(event)["order_canceled"]
    assert office.post.mails.again(row["mail_id"], "2026-11-22T11:00:00Z")
    kept = event._replace(detail=row["event"]["detail"])
    assert office.send(kept) == 1
    assert kinds(office, event).count("order_canceled") == 2
    assert office.rows(event)["order_canceled"]["attempts"] == Decimal(2)
