"""A guest's proof: what a code opens, for whom, how often, and what nobody learns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from cancel_core.domain.access import MOST_TRIES
from cancel_core.errors import GuestCodePostponed, InvalidAccessCode, OrderNotFound
from cancel_core.services.cancel import cancel_order
from cancel_core.services.queries import get_order

from tests.support.guests import ADDRESS, PLACED, Guests, wrong
from tests.support.mails import MAIL
from tests.support.orders import paid
from tests.support.tables import Aws, Calls, Shop, request


@pytest.fixture
def guests(shop: Shop, aws: Aws) -> Iterator[Guests]:
    with Guests.opened(shop, aws) as guests:
        yield guests


def code_of(guests: Guests, order_id: str) -> str:
    code = guests.get_code(order_id)
    assert code
    return code


def is_refused(guests: Guests, order_id: str, code: str) -> bool:
    try:
        guests.redeem(order_id, code)
    except InvalidAccessCode:
        return True
    return False


# ------------------------------------------------------------------------------------------------------ as it should be


def test_a_code_opens_its_order_and_cancels_it(guests: Guests) -> None:
    order_id = guests.place()
    token = guests.redeem(order_id, code_of(guests, order_id))
    guest = guests.guest(token)

    assert token.expires_at == guests.office.clock + timedelta(minutes=30)
    assert get_order(guests.shop.orders, guests.shop.policies(), order_id, guest).order.order_id == order_id
    asked = request(order_id, key="k")._replace(caller=guest)
    canceled = cancel_order(guests.shop.orders, guests.shop.policies(), asked, lambda: guests.office.clock)
    assert canceled.stored.status == "canceled"
    again = guests.guest(guests.redeem(order_id, code_of(guests, order_id)))
    asked = asked._replace(caller=again, request_id="another")
    assert cancel_order(guests.shop.orders, guests.shop.policies(), asked, lambda: guests.office.clock).replayed


def test_the_mail_goes_to_the_orders_address_in_its_language_with_a_link(guests: Guests) -> None:
    order_id = guests.place(customer_email=" Guest@Example.com ", language="sv")
    code = guests.get_code(order_id, "gUEST@example.COM  ")
    (mail,) = guests.sent(order_id)
    assert mail["to"] == "Guest@Example.com"
    assert "Din kod" in mail["subject"]
    assert f"https://shop.example.com/guest.html#order_id={order_id}&code={code}" in mail["text"]


def test_without_a_page_there_is_no_link(guests: Guests) -> None:
    guests.page = ""
    order_id = guests.place()
    assert guests.get_code(order_id)
    assert "http" not in guests.sent(order_id)[0]["text"]


def test_what_stands_in_the_link_is_percent_encoded(guests: Guests) -> None:
    order_id = f"{guests.place()}=,+&x"
    guests.shop.write(guests.shop.document(order_id[:-5]) | {"order_id": order_id})
    assert guests.get_code(order_id)
    assert f"#order_id={order_id[:-5]}%3D%2C%2B%26x&code=" in guests.sent(order_id)[0]["text"]


def test_neither_code_nor_token_nor_address_is_kept(guests: Guests) -> None:
    order_id = guests.place()
    code = code_of(guests, order_id)
    token = guests.redeem(order_id, code)
    rows = guests.kept(order_id)
    assert len(rows) == 2
    text = json.dumps([rows, guests.rows(order_id)], default=str)
    for secret in (f'"{code}"', f"code={code}", token.token):
        assert secret not in text
    assert ADDRESS not in json.dumps(rows, default=str)
    assert len({row["address"] for row in rows}) == 2, "the same address has another hash in each row"


def test_no_queue_holds_an_address(guests: Guests) -> None:
    order_id = guests.place()
    guests.ask(order_id)
    (message,) = guests.requests()
    guests.send(message)
    assert ADDRESS not in json.dumps([message, guests.mails()])


# -------------------------------------------------------------------------------------------------- who gets no code


@pytest.mark.parametrize(
    ("config", "attributes", "email"),
    [
        ({}, {}, "somebody-else@example.com"),
        ({}, {"customer_id": "c1"}, ADDRESS),
        ({}, {"customer_email": None}, ADDRESS),
        ({}, {"customer_email": "not an address"}, "not an address"),
        ({"guest_access": False}, {}, ADDRESS),
        ({"guest_access": None}, {}, ADDRESS),
        ({"mail": {}}, {}, ADDRESS),
        ({"mail": MAIL | {"from": "shop@elsewhere.example"}}, {}, ADDRESS),
    ],
)
def test_nobody_else_gets_a_code(
    guests: Guests, config: dict[str, Any], attributes: dict[str, Any], email: str
) -> None:
    guests.shop.configure(**{"mail": MAIL, "guest_access": True} | config)
    order_id = guests.place(**attributes)
    assert guests.get_code(order_id, email) is None
    assert guests.get_code(f"{order_id}-none", email) is None
    assert guests.kept(order_id) == guests.rows(order_id) == []


def test_without_an_identity_nobody_gets_a_code(guests: Guests) -> None:
    guests.desk = guests.desk._replace(identity="")
    assert guests.get_code(guests.place()) is None


def test_a_customers_order_is_out_of_reach_however_the_code_was_got(guests: Guests) -> None:
    order_id = guests.place()
    code = code_of(guests, order_id)
    guests.shop.set(order_id, customer_id="c1")
    assert is_refused(guests, order_id, code)


@pytest.mark.parametrize(
    "change",
    [{"customer_id": "c1"}, {"customer_email": "new@example.com"}, {"placed_at": "2026-11-21T10:00:00Z"}],
)
def test_a_code_and_a_token_end_with_what_they_were_given_for(guests: Guests, change: dict[str, Any]) -> None:
    order_id = guests.place()
    guest = guests.guest(guests.redeem(order_id, code_of(guests, order_id)))
    code = code_of(guests, order_id)
    guests.shop.set(order_id, **change)
    assert is_refused(guests, order_id, code)
    with pytest.raises(OrderNotFound):
        get_order(guests.shop.orders, guests.shop.policies(), order_id, guest)
    asked = request(order_id)._replace(caller=guest)
    with pytest.raises(OrderNotFound):
        cancel_order(guests.shop.orders, guests.shop.policies(), asked, lambda: guests.office.clock)


def test_an_address_that_the_shop_changes_meanwhile_gets_no_mail_and_the_old_one_neither(guests: Guests) -> None:
    order_id = guests.place()
    guests.ask(order_id)
    (asked,) = guests.requests()
    guests.send(asked)
    guests.shop.set(order_id, customer_email="new@example.com")
    (message,) = guests.mails()
    assert guests.mail(message) == 0
    assert guests.sent(order_id) == []


# ------------------------------------------------------------------------------------------------------ tries and time


def test_a_code_works_once(guests: Guests) -> None:
    order_id = guests.place()
    code = code_of(guests, order_id)
    guests.redeem(order_id, code)
    assert is_refused(guests, order_id, code)


def test_of_many_at_once_with_the_right_code_one_gets_a_token(guests: Guests) -> None:
    order_id = guests.place()
    code = code_of(guests, order_id)
    with ThreadPoolExecutor(8) as pool:
        refused = list(pool.map(lambda _: is_refused(guests, order_id, code), range(8)))
    assert refused.count(False) == 1


def test_a_code_dies_after_five_wrong_tries(guests: Guests) -> None:
    order_id = guests.place()
    code = code_of(guests, order_id)
    for guess in (wrong(code), "", "12345", "abcdef", "\uff11\uff12\uff13\uff14\uff15\uff16"):
        assert is_refused(guests, order_id, guess)
    assert is_refused(guests, order_id, code)


def test_four_wrong_tries_leave_one(guests: Guests) -> None:
    order_id = guests.place()
    code = code_of(guests, order_id)
    for _ in range(MOST_TRIES - 1):
        assert is_refused(guests, order_id, wrong(code))
    assert guests.redeem(order_id, code)


def test_twenty_guesses_at_once_are_five(guests: Guests) -> None:
    order_id = guests.place()
    code = code_of(guests, order_id)
    with ThreadPoolExecutor(20) as pool:
        assert all(pool.map(lambda _: is_refused(guests, order_id, wrong(code)), range(20)))
    (row,) = guests.kept(order_id)
    assert row["tries"] == MOST_TRIES
    assert is_refused(guests, order_id, code)


def test_a_code_lives_for_a_quarter_of_an_hour_and_a_token_for_half_of_one(guests: Guests) -> None:
    order_id = guests.place()
    code = code_of(guests, order_id)
    guests.later(minutes=15, seconds=-1)
    token = guests.redeem(order_id, code)
    guests.later(minutes=30, seconds=-1)
    assert guests.access.guest(token.token, guests.office.clock)
    guests.later(seconds=1)
    assert guests.access.guest(token.token, guests.office.clock) is None
    code = code_of(guests, order_id)
    guests.later(minutes=15)
    assert is_refused(guests, order_id, code)


def test_a_newer_code_kills_the_older_and_has_its_own_tries(guests: Guests) -> None:
    order_id = guests.place()
    old = code_of(guests, order_id)
    for _ in range(3):
        is_refused(guests, order_id, wrong(old))
    guests.later(seconds=1)
    new = code_of(guests, order_id)
    while new == old:
        guests.later(hours=1)
        new = code_of(guests, order_id)
    assert is_refused(guests, order_id, old)
    for _ in range(3):
        is_refused(guests, order_id, old)
    assert guests.redeem(order_id, new)


def test_a_request_that_is_late_does_not_replace_a_newer_one(guests: Guests) -> None:
    order_id = guests.place()
    guests.ask(order_id)
    (first,) = guests.requests()
    guests.later(seconds=1)
    newer = code_of(guests, order_id)
    assert not guests.send(first)
    assert guests.redeem(order_id, newer)


def test_the_fourth_mail_within_an_hour_is_left_out(guests: Guests) -> None:
    order_id = guests.place()
    codes = []
    for _ in range(3):
        codes.append(code_of(guests, order_id))
        guests.later(minutes=10)
    assert guests.get_code(order_id) is None
    assert guests.redeem(order_id, codes[-1]), "what is left out replaces nothing"
    # An hour after the first there is room for one.
    guests.later(minutes=30)
    assert guests.get_code(order_id)
    assert guests.get_code(order_id) is None


def test_of_many_requests_at_once_three_are_mailed(guests: Guests) -> None:
    order_id = guests.place()
    for _ in range(8):
        guests.ask(order_id)
    asked = guests.requests()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda message: _again(guests, message), asked))
    (row,) = guests.kept(order_id)
    assert len(row["mailed"]) <= 3
    assert len(guests.mails()) <= 3


def _again(guests: Guests, message: dict[str, Any]) -> None:
    for _ in range(10):
        try:
            guests.send(message)
        except GuestCodePostponed:
            continue
        return
    raise AssertionError("never came through")


# ----------------------------------------------------------------------------------------------------- what is learned


def test_until_a_code_is_right_the_work_is_the_same_for_any_order(guests: Guests, shop: Shop) -> None:
    order_id, customers = guests.place(), shop.put(paid(customer_email=ADDRESS, placed_at=PLACED))
    code = code_of(guests, order_id)
    calls = Calls(shop.client)
    told = set()
    for asked, guess in ((order_id, wrong(code)), (order_id, "x"), (customers, code), ("no-such-order", code)):
        calls.made.clear()
        with pytest.raises(InvalidAccessCode) as refusal:
            guests.redeem(asked, guess)
        told.add((tuple(calls.made), str(refusal.value)))
    assert told == {(("UpdateItem",), "The code is not valid. Ask for a new one.")}


def test_asking_is_one_message_of_one_size_and_reads_nothing(guests: Guests, shop: Shop) -> None:
    order_id = guests.place()
    calls = Calls(shop.client)
    guests.ask(order_id)
    guests.ask(order_id, "somebody-who-has-a-much-longer-address@example.com")
    guests.ask("x" * len(order_id))
    assert calls.made == []
    sizes = {len(json.dumps(message)) for message in guests.requests()}
    assert len(sizes) == 1
