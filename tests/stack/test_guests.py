"""Guests on the running stack: from the order's number and address to the cancelled order."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support import documents
from tests.support.client import PLAIN, PRIVATE_EMAIL, Client
from tests.support.machine import ROOT
from tests.support.mails import MAIL
from tests.support.openapi import body_of
from tests.support.shop import CANCELLATION, ORDER, Shop, refused
from tests.support.stack import Running
from tests.support.waiting import wait_until

ASK, TOKEN = "/guest-access", "/guest-access/token"
GUEST = "/guest/order"
QUIET = {**MAIL, "customer": False, "merchant": []}


class Guests:
    """What guests of a shop do."""

    def __init__(self, stack: Running, shop: Shop, anyone: Client) -> None:
        self.stack, self.shop, self.anyone = stack, shop, anyone
        self._clients: list[Client] = []

    def place(self, **attributes: Any) -> str:
        order_id = f"{self.shop.mark}-guest-{len(self._clients)}-{len(attributes)}"
        document = documents.order(order_id, "nobody", self.shop.store_id, **documents.paid(**attributes))
        del document["customer_id"]
        self.shop.put_exactly(document | {"customer_email": PRIVATE_EMAIL} | attributes)
        return order_id

    def ask(self, order_id: str, email: str = PRIVATE_EMAIL) -> httpx.Response:
        return self.anyone.post(ASK, json={"order_id": order_id, "email": email})

    def mails(self, order_id: str) -> list[dict[str, Any]]:
        mails = httpx.get(f"{self.stack.endpoint}/local/mails", verify=PLAIN).json()["mails"]
        return [mail for mail in mails if order_id in mail["subject"] and mail["kind"] == "guest_code"]

    def code(self, order_id: str) -> str:
        before = len(self.mails(order_id))
        assert self.ask(order_id).status_code == 202
        wait_until(lambda: len(self.mails(order_id)) > before, what="the code is mailed")
        found = re.search(r"^ {4}([0-9]{6})$", self.mails(order_id)[0]["text"], re.MULTILINE)
        assert found
        return found[1]

    def redeem(self, order_id: str, code: str) -> httpx.Response:
        return self.anyone.post(TOKEN, json={"order_id": order_id, "code": code})

    def client(self, order_id: str) -> Client:
        answer = self.redeem(order_id, self.code(order_id))
        assert answer.status_code == 200, answer.text
        made = Client(self.stack.endpoint, token=answer.json()["token"])
        self._clients.append(made)
        return made

    def settled(self) -> None:
        """Waits until all that was asked for has been found out and mailed."""
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        sqs, queues = self.shop.aws.sqs, self.shop.aws.info.queues

        def is_empty() -> bool:
            told = [
                sqs.get_queue_attributes(QueueUrl=queues[name], AttributeNames=names)["Attributes"]
                for name in ("GuestCodeQueue", "GuestMailQueue")
            ]
            return all(one[name] == "0" for one in told for name in names)

        wait_until(is_empty, what="the guests' queues are empty")

    def close(self) -> None:
        for client in self._clients:
            client.close()


@pytest.fixture
def guests(stack: Running, shop: Shop, anyone: Client) -> Iterator[Guests]:
    shop.configure(mail=QUIET, guest_access=True)
    guests = Guests(stack, shop, anyone)
    yield guests
    guests.close()


def test_a_guest_finds_sees_and_cancels_the_order(guests: Guests) -> None:
    order_id = guests.place()
    guest = guests.client(order_id)
    order = body_of(guest.get(GUEST))
    assert (order["order_id"], order["available_actions"]) == (order_id, ["CANCEL"])
    assert body_of(guest.get(f"{GUEST}/cancellation-eligibility"))["eligible"] is True
    refused(guest.get(f"{GUEST}/cancellation"), 404, "CANCELLATION_NOT_FOUND")
    headers = {"idempotency-key": "guest-key"}
    body = {"reason": "no_longer_needed", "comment": "mine"}
    refused(guest.post(f"{GUEST}/cancellation", json={"reason": ""}), 422, "INVALID_REQUEST")
    refused(guest.post(f"{GUEST}/cancellation", json={"reason": "none"}), 422, "INVALID_CANCELLATION_REASON")
    canceled = guest.post(f"{GUEST}/cancellation", json=body, headers=headers)
    assert (canceled.status_code, body_of(canceled)["order"]["status"]) == (200, "canceled")
    # The next token is another one, and the key is still the order's.
    again = guests.client(order_id).post(f"{GUEST}/cancellation", json=body, headers=headers)
    assert again.headers["idempotency-replayed"] == "true"
    wait_until(
        lambda: body_of(guest.get(f"{GUEST}/cancellation"))["refund"]["status"] == "succeeded", what="it is refunded"
    )
    etag = guest.get(GUEST).headers["etag"]
    assert guest.get(GUEST, headers={"if-none-match": etag}).status_code == 304


def test_a_guests_address_may_cancel_so_many_orders_a_day(guests: Guests, shop: Shop) -> None:
    shop.configure(mail=QUIET, guest_access=True, max_cancels_per_day=1)
    statuses, body = [], {"reason": "no_longer_needed"}
    for written in (PRIVATE_EMAIL, PRIVATE_EMAIL.title()):
        guest = guests.client(guests.place(customer_email=written))
        statuses.append((answer := guest.post(f"{GUEST}/cancellation", json=body)).status_code)
    assert statuses == [200, 429]
    assert refused(answer, 429, "TOO_MANY_CANCELLATIONS")["order"]["available_actions"] == ["CANCEL"]
    assert not [row for row in shop.aws.rows("limits") if "@" in str(row)]


def test_a_guest_asks_the_shop_and_takes_it_back(guests: Guests, shop: Shop) -> None:
    shop.configure(mail=QUIET, guest_access=True, approval="always")
    guest = guests.client(guests.place())
    assert body_of(guest.get(f"{GUEST}/cancellation-eligibility"))["approval_required"] is True
    refused(guest.delete(f"{GUEST}/cancellation-request"), 404, "CANCELLATION_REQUEST_NOT_FOUND")
    asked = guest.post(f"{GUEST}/cancellation", json={"reason": "no_longer_needed"})
    assert (asked.status_code, body_of(asked)["order"]["available_actions"]) == (202, ["WITHDRAW_REQUEST"])
    assert body_of(guest.get(GUEST))["cancellation_request"] == body_of(asked)["cancellation_request"]
    for _ in range(2):
        taken_back = guest.delete(f"{GUEST}/cancellation-request")
        assert (taken_back.status_code, body_of(taken_back)["cancellation_request"]["status"]) == (200, "withdrawn")
    assert body_of(guest.get(GUEST))["available_actions"] == ["CANCEL"]


def test_the_answer_is_the_same_for_any_order_and_address(guests: Guests, shop: Shop) -> None:
    customers = shop.put(customer_email=PRIVATE_EMAIL)
    order_id = guests.place()
    told = []
    for asked, email in (
        (order_id, PRIVATE_EMAIL),
        (order_id, "somebody-else@example.com"),
        (customers, PRIVATE_EMAIL),
        ("no-such-order", PRIVATE_EMAIL),
    ):
        answer = guests.ask(asked, email)
        different = {"date", "x-request-id", "apigw-requestid"}
        told.append((answer.status_code, answer.text, {*answer.headers.items()} - _of(answer, different)))
    assert told[1:] == told[:1] * 3
    assert told[0][:2] == (202, '{"expires_in":900}')
    guests.settled()
    assert len(guests.mails(order_id)) == 1
    assert guests.mails(customers) == []


def _of(answer: httpx.Response, names: set[str]) -> set[tuple[str, str]]:
    return {(name, value) for name, value in answer.headers.items() if name in names}


def test_twenty_guesses_at_once_are_five(guests: Guests) -> None:
    order_id = guests.place()
    code = guests.code(order_id)
    answers: list[httpx.Response] = []

    def guess() -> None:
        answers.append(guests.redeem(order_id, f"{(int(code) + 1) % 10**6:06}"))

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {401}
    refused(guests.redeem(order_id, code), 401, "INVALID_ACCESS_CODE")
    rows = [row for row in guests.shop.aws.rows("access") if row["order_id"] == order_id]
    assert [row["tries"] for row in rows] == [5]


def test_what_is_wrong_is_refused_alike(guests: Guests) -> None:
    order_id = guests.place()
    code = guests.code(order_id)
    texts = set()
    for asked, guess in ((order_id, "x"), (order_id, f"{(int(code) + 1) % 10**6:06}"), ("no-such-order", code)):
        answer = guests.redeem(asked, guess)
        assert answer.headers["www-authenticate"].startswith("Bearer ")
        problem = answer.json()
        del problem["request_id"]
        texts.add(json.dumps(problem))
    assert len(texts) == 1
    assert guests.redeem(order_id, code).status_code == 200
    refused(guests.redeem(order_id, code), 401, "INVALID_ACCESS_CODE")
    for body in ({"order_id": order_id, "code": 123456}, {"order_id": order_id}, {"order_id": "", "code": "1"}):
        refused(guests.anyone.post(TOKEN, json=body), 422, "INVALID_REQUEST")
    refused(guests.anyone.post(ASK, json={"order_id": order_id, "email": "a b@c"}), 422, "INVALID_REQUEST")


def test_each_kind_of_token_works_on_its_own_routes(guests: Guests, shop: Shop, anyone: Client) -> None:
    order_id = guests.place()
    guest = guests.client(order_id)
    for path in (GUEST, f"{GUEST}/cancellation-eligibility", f"{GUEST}/cancellation"):
        refused(anyone.get(path), 401, "INVALID_ACCESS_TOKEN")
        refused(shop.client.get(path), 401, "INVALID_ACCESS_TOKEN")
    refused(anyone.post(f"{GUEST}/cancellation", content=b"no JSON"), 401, "INVALID_ACCESS_TOKEN")
    assert guest.get(ORDER, order_id=order_id).status_code == 401
    assert guest.get("/orders").status_code == 401
    assert guest.post(CANCELLATION, order_id=order_id, json={"reason": "no_longer_needed"}).status_code == 401
    refused(shop.client.get(ORDER, order_id=order_id), 404, "ORDER_NOT_FOUND")


def test_an_order_that_gets_a_customer_is_the_guests_no_longer(guests: Guests, shop: Shop) -> None:
    order_id = guests.place()
    guest = guests.client(order_id)
    shop.aws.orders.update_item(
        Key={"order_id": order_id},
        UpdateExpression="SET customer_id = :c",
        ExpressionAttributeValues={":c": shop.customer_id},
    )
    refused(guest.get(GUEST), 404, "ORDER_NOT_FOUND")
    refused(guest.post(f"{GUEST}/cancellation", json={"reason": "no_longer_needed"}), 404, "ORDER_NOT_FOUND")


def test_a_link_that_is_opened_changes_nothing(guests: Guests) -> None:
    order_id = guests.place()
    code = guests.code(order_id)
    found = re.search(r"https?://\S+guest\.html#\S+", guests.mails(order_id)[0]["text"])
    assert found
    assert found[0].endswith(f"#order_id={order_id}&code={code}")
    for _ in range(6):
        # A scanner sends no fragment, and some send it as a query.
        httpx.get(found[0], verify=PLAIN)
        httpx.get(found[0].replace("#", "?"), verify=PLAIN)
    assert guests.redeem(order_id, code).status_code == 200


def test_nothing_of_a_guest_is_logged_and_a_code_is_not_sent_again(guests: Guests, stack: Running) -> None:
    order_id = guests.place()
    code = guests.code(order_id)
    answer = guests.redeem(order_id, code)
    token = answer.json()["token"]
    wait_until(lambda: answer.headers["x-request-id"] in stack.said(), what="the line of the last request is there")
    said = stack.said()
    for private in (PRIVATE_EMAIL, token, f'"{code}"', f"code={code}"):
        assert private not in said
    mail_id = guests.mails(order_id)[0]["mail_id"]
    told = subprocess.run(
        [sys.executable, "-m", "ops", "mails", "--url", stack.endpoint, "resend", mail_id],
        cwd=ROOT,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr == (
        f"{mail_id} carried a guest's code, which is kept nowhere. The guest has to ask for a new one.\n"
    )


def test_a_page_elsewhere_may_send_the_token(anyone: Client) -> None:
    origin = {"origin": "https://shop.example.com"}
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    answer = anyone.raw("OPTIONS", f"{GUEST}/cancellation", headers=origin | asked)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "authorization" in answer.headers["access-control-allow-headers"]
    assert anyone.raw("GET", GUEST, headers=origin).headers["access-control-allow-origin"] == "*"
