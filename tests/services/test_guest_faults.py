"""A guest's code, whatever ends in between: each line that talks to the outside may be the last one that ran."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from cancel_core.errors import MailPostponed, ServiceUnavailable
from cancel_core.services.guest_mails import DEAD

from tests.support import proxy as faults
from tests.support.guests import Guests, code_in
from tests.support.tables import Aws, Shop

SES = "POST /v2/email/outbound-emails"


class Killed(BaseException):
    """The function's process ended here."""


@pytest.fixture
def guests(shop: Shop, aws: Aws) -> Iterator[Guests]:
    with Guests.opened(shop, aws) as guests:
        yield guests


def asked(guests: Guests) -> tuple[str, dict[str, Any]]:
    """An order, and the message that asks for its code."""
    order_id = guests.place()
    guests.ask(order_id)
    (message,) = guests.requests()
    return order_id, message


def on_its_way(guests: Guests) -> tuple[str, dict[str, Any]]:
    """An order, and the message that has its code mailed."""
    order_id, message = asked(guests)
    assert guests.send(message)
    (message,) = guests.mails()
    return order_id, message


def mailed(guests: Guests, order_id: str) -> int:
    (row,) = [row for row in guests.kept(order_id) if "code_id" in row]
    return len(row["mailed"])


# --------------------------------------------------------------------------------------- from the request to the code


def test_killed_between_the_row_and_the_queue_the_mail_is_not_lost(guests: Guests) -> None:
    order_id, message = asked(guests)

    def killed(_: dict[str, Any]) -> None:
        raise Killed

    with pytest.raises(Killed):
        guests.with_queue(killed).send(message)
    assert mailed(guests, order_id) == 1
    assert guests.send(message)
    (to_mail,) = guests.mails()
    assert guests.mail(to_mail) == 1
    assert mailed(guests, order_id) == 1, "it counts once"
    assert guests.redeem(order_id, message["code"])


def test_a_request_that_comes_again_is_the_same_code_counted_and_mailed_once(guests: Guests) -> None:
    order_id, message = asked(guests)
    for _ in range(3):
        assert guests.send(message)
    for to_mail in guests.mails():
        guests.mail(to_mail)
    (mail,) = guests.sent(order_id)
    assert code_in(mail) == message["code"]
    assert mailed(guests, order_id) == 1


def test_a_request_that_comes_again_after_its_code_was_used_sends_nothing(guests: Guests) -> None:
    order_id, message = asked(guests)
    guests.send(message)
    guests.redeem(order_id, message["code"])
    assert not guests.send(message)


def test_the_same_request_twice_at_once_is_one_mail(guests: Guests) -> None:
    order_id, message = asked(guests)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(guests.send, [message, message]))
    to_mail = guests.mails()

    def mail(one: dict[str, Any]) -> None:
        with suppress(MailPostponed):
            guests.mail(one)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(mail, to_mail))
    assert len(guests.sent(order_id)) == 1
    assert mailed(guests, order_id) == 1


def test_a_request_that_is_found_too_late_sends_nothing(guests: Guests) -> None:
    order_id, message = asked(guests)
    guests.later(minutes=15)
    assert not guests.send(message)
    assert guests.kept(order_id) == []


# -------------------------------------------------------------------------------------------- from the code to the mail


def test_a_message_that_comes_again_sends_nothing(guests: Guests) -> None:
    order_id, message = on_its_way(guests)
    assert [guests.mail(message) for _ in range(3)] == [1, 0, 0]
    assert len(guests.sent(order_id)) == 1


def test_the_row_knows_neither_code_nor_link(guests: Guests) -> None:
    order_id, message = on_its_way(guests)
    guests.mail(message)
    (row,) = guests.rows(order_id)
    assert (row["kind"], row["status"], row["to"]) == ("guest_code", "sent", "guest@example.com")
    assert row["event"] == {
        "detail_type": "GuestCode",
        "detail": {"order_id": order_id, "store_id": guests.shop.store_id},
    }
    assert message["code"] not in str(sorted(row["event"].items()))


def test_while_ses_throttles_the_code_waits_and_then_is_sent(guests: Guests) -> None:
    order_id, message = on_its_way(guests)
    guests.office.to_ses.plan(SES, faults.fail(429, b"{}", **{"x-amzn-errortype": "TooManyRequestsException"}))
    with pytest.raises(MailPostponed):
        guests.mail(message)
    assert guests.rows(order_id)[0]["status"] == "waiting"
    assert guests.mail(message) == 1
    assert len(guests.sent(order_id)) == 1


def test_a_code_that_has_ended_meanwhile_is_not_mailed_and_its_row_says_so(guests: Guests) -> None:
    order_id, message = on_its_way(guests)
    guests.office.to_ses.plan(SES, faults.fail(429, b"{}", **{"x-amzn-errortype": "TooManyRequestsException"}))
    with pytest.raises(MailPostponed):
        guests.mail(message)
    guests.later(minutes=15)
    assert guests.mail(message) == 0
    (row,) = guests.rows(order_id)
    assert (row["status"], row["error"]) == ("failed", DEAD)
    assert row["mail_id"] not in set(guests.office.post.mails.unsent()), "there is nothing to be done about it"
    assert guests.sent(order_id) == []


def test_a_code_that_was_replaced_meanwhile_is_not_mailed(guests: Guests) -> None:
    order_id, message = on_its_way(guests)
    guests.later(seconds=1)
    newer = guests.get_code(order_id)
    assert guests.mail(message) == 0
    (mail,) = guests.sent(order_id)
    assert code_in(mail) == newer


def test_killed_after_ses_a_code_that_was_used_is_taken_for_sent(guests: Guests) -> None:
    order_id, message = on_its_way(guests)
    guests.office.to_database.plan("UpdateItem", faults.refuse, times=9)
    with pytest.raises(ServiceUnavailable):
        guests.mail(message, seconds=0)
    guests.office.to_database.clear()
    guests.redeem(order_id, code_in(guests.sent(order_id)[0]))
    guests.later(minutes=2)
    assert guests.mail(message) == 0
    assert guests.rows(order_id)[0]["status"] == "sent"
    assert len(guests.sent(order_id)) == 1


# ------------------------------------------------------------------------------------------- from the code to the token


def test_killed_between_token_and_code_the_code_still_works(guests: Guests, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = guests.place()
    code = guests.get_code(order_id)
    assert code

    def killed(*_: Any) -> bool:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(guests.access, "use_code", killed)
        with pytest.raises(Killed):
            guests.redeem(order_id, code)
    assert guests.redeem(order_id, code)
