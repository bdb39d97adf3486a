"""The right of withdrawal over HTTP: statements, what an order says of it, and what nobody gets to see."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import rfc8785

from tests.support import documents
from tests.support.aws import Aws
from tests.support.client import PRIVATE_COMMENT, PRIVATE_EMAIL, Client
from tests.support.machine import ROOT, need
from tests.support.openapi import body_of
from tests.support.shop import ORDER, Shop, refused
from tests.support.stack import Running
from tests.support.waiting import wait_until

ANYBODY, WITHDRAWAL = "/withdrawals", "/orders/{order_id}/withdrawal"
ON: dict[str, Any] = {"enabled": True, "time_zone": "Europe/Stockholm", "country": "SE"}


@pytest.fixture
def open_shop(shop: Shop) -> Shop:
    shop.configure(withdrawal=ON)
    return shop


def statement(shop: Shop, **more: Any) -> dict[str, Any]:
    return {
        "name": "Anna",
        "email": f"{shop.mark}@example.com",
        "order": f"#{shop.mark}-1",
        "store_id": shop.store_id,
    } | more


def submit(anyone: Client, body: Any, key: str | None = None) -> httpx.Response:
    return anyone.post(ANYBODY, json=body, headers={"idempotency-key": key} if key else None)


def withdraw(shop: Shop, order_id: str, body: Any, key: str | None = None) -> httpx.Response:
    headers = {"idempotency-key": key} if key else None
    return shop.client.post(WITHDRAWAL, order_id=order_id, json=body, headers=headers)


def taken(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = body_of(answer)
    return body


def stored(shop: Shop, withdrawal_id: str) -> dict[str, Any]:
    item: dict[str, Any] = shop.aws.withdrawals.get_item(Key={"withdrawal_id": withdrawal_id, "part": "statement"})[
        "Item"
    ]
    return item


def days_ago(days: float) -> str:
    return documents.timestamp(days * 24 * 60)


# --- statements


def test_anybodys_statement_is_stored_and_its_receipt_can_be_worked_out(open_shop: Shop, anyone: Client) -> None:
    body = statement(open_shop, items=[{"item": "Mug", "qty": 1.5}], message="Zu klein 👋")
    before = datetime.now(UTC)
    answer = taken(submit(anyone, body))

    assert answer["statement"] == json.loads(json.dumps(body), parse_float=type(answer["statement"]["items"][0]["qty"]))
    document = {"withdrawal_id": answer["withdrawal_id"], "received_at": answer["received_at"], "statement": body}
    assert answer["receipt"] == hashlib.sha256(rfc8785.dumps(document)).hexdigest()
    assert before - timedelta(seconds=1) <= datetime.fromisoformat(answer["received_at"]) <= datetime.now(UTC)
    assert answer["acknowledgement"] == {"channel": "email", "to": f"{body['email'][0]}•••@example.com"}
    item = stored(open_shop, answer["withdrawal_id"])
    assert (item["receipt"], item["received_at"]) == (answer["receipt"], answer["received_at"])


def test_it_is_the_same_answer_whatever_there_is(open_shop: Shop, anyone: Client) -> None:
    late = open_shop.put(status="complete", delivered_at=days_ago(300))
    bodies = [statement(open_shop, order=text) for text in (late, late, "no such order", "🙂", late)]
    answers = [submit(anyone, body) for body in bodies]
    assert [answer.status_code for answer in answers] == [201] * 5
    assert len({tuple(sorted(body_of(answer))) for answer in answers}) == 1
    assert len({body_of(answer)["withdrawal_id"] for answer in answers}) == 5


def test_a_repeat_with_its_key(open_shop: Shop, anyone: Client) -> None:
    body = statement(open_shop)
    first, again = (submit(anyone, body, "k") for _ in range(2))
    assert taken(again) == taken(first)
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
    refused(submit(anyone, body | {"message": "x"}, "k"), 422, "IDEMPOTENCY_KEY_REUSED")
    # Null equals none, and a key is an address's own.
    assert taken(submit(anyone, body | {"message": None}, "k")) == taken(first)
    assert taken(submit(anyone, body | {"email": "x@example.com"}, open_shop.mark)) != taken(first)


def test_twenty_at_once_with_one_key_are_one_statement(open_shop: Shop, anyone: Client) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: submit(anyone, statement(open_shop), "k"), range(20)))
    assert len({taken(answer)["receipt"] for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1


def test_off_is_told(shop: Shop, anyone: Client) -> None:
    order_id = shop.put()
    settings: list[dict[str, Any]] = [{}, {"withdrawal": {}}, {"withdrawal": ON | {"enabled": "No"}}]
    for off in settings:
        shop.configure(**off)
        refused(submit(anyone, statement(shop)), 409, "WITHDRAWAL_DISABLED")
        problem = refused(withdraw(shop, order_id, {}), 409, "WITHDRAWAL_DISABLED")
        assert "order" not in problem


def test_a_customers_own(open_shop: Shop) -> None:
    order_id = open_shop.put(customer_name="Anna", language="sv")
    answer = taken(withdraw(open_shop, order_id, {"items": [{"item": "SKU-1", "qty": 1}]}, "k"))

    masked = f"{PRIVATE_EMAIL[0]}•••@example.com"
    assert answer["statement"] == {
        "name": "Anna",
        "email": masked,
        "order": order_id,
        "language": "sv",
        "items": [{"item": "SKU-1", "qty": 1}],
    }
    assert answer["acknowledgement"]["to"] == masked
    item = stored(open_shop, answer["withdrawal_id"])
    assert item["statement"]["email"] == PRIVATE_EMAIL
    assert (item["order_id"], item["customer_id"]) == (order_id, open_shop.customer_id)
    document = {name: item[name] for name in ("withdrawal_id", "received_at")}
    said = item["statement"] | {"items": [{"item": "SKU-1", "qty": 1}]}
    assert answer["receipt"] == hashlib.sha256(rfc8785.dumps(document | {"statement": said})).hexdigest()
    again = withdraw(open_shop, order_id, {"items": [{"item": "SKU-1", "qty": 1}]}, "k")
    assert taken(again) == answer


def test_an_order_without_an_address(open_shop: Shop) -> None:
    order_id = open_shop.put(customer_email="")
    problem = refused(withdraw(open_shop, order_id, {}), 422, "INVALID_REQUEST")
    assert [error["pointer"] for error in problem["errors"]] == ["#/email"]
    own = taken(withdraw(open_shop, order_id, {"email": "me@example.com"}))
    assert own["statement"] == {"email": "me@example.com", "order": order_id}


def test_nobody_elses(open_shop: Shop) -> None:
    order_id = open_shop.put()
    for asked in (order_id, "no-such-order"):
        answer = open_shop.another_customer().post(WITHDRAWAL, order_id=asked, json={})
        refused(answer, 404, "ORDER_NOT_FOUND")
    # What is wrong in the body is told first, whosever order it is.
    refused(open_shop.another_customer().post(WITHDRAWAL, order_id=order_id, json={"x": 1}), 422, "INVALID_REQUEST")
    assert httpx.post(f"{open_shop.endpoint}/orders/{order_id}/withdrawal", json={}, trust_env=False).status_code == 401


def test_an_order_that_can_not_be_read(open_shop: Shop) -> None:
    document = documents.order(f"{open_shop.mark}-damaged", open_shop.customer_id, open_shop.store_id, items="none")
    open_shop.put_exactly(document | {"total": 1}, valid=False)
    refused(open_shop.client.get(ORDER, order_id=document["order_id"]), 500, "INTERNAL_ERROR")
    assert taken(withdraw(open_shop, document["order_id"], {}))["statement"]["order"] == document["order_id"]


def test_the_line_of_the_clients_guide(default_config: Aws, stack: Running) -> None:
    need(shutil.which("curl"), "curl is not installed.")
    default_config.config.put_item(Item={"scope": "default", "enabled": False, "withdrawal": ON})
    guide = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"<!-- tested: withdrawal -->\n```sh\n(.*?)```", guide, re.DOTALL)
    environment = os.environ | {"API": stack.endpoint, "KEY": uuid4().hex}
    done = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["acknowledgement"]["to"] == "a•••@example.com"


# --- what an order says


def of_order(shop: Shop, **attributes: Any) -> tuple[list[str], bool, str | None]:
    order = shop.order(shop.put(**attributes))
    return order["available_actions"], order["withdrawal"]["open"], order["withdrawal"]["until"]


def test_what_an_order_offers(open_shop: Shop) -> None:
    assert of_order(open_shop) == (["CANCEL", "WITHDRAW"], True, None)
    shipped = {"status": "complete", "items": [documents.invoiced(qty_shipped=2)]}
    assert of_order(open_shop, **shipped) == (["WITHDRAW"], True, None)
    actions, is_open, until = of_order(open_shop, **shipped, delivered_at=days_ago(2))
    assert (actions, is_open) == (["WITHDRAW"], True)
    assert until
    assert until > (datetime.now(UTC) + timedelta(days=11)).date().isoformat()
    actions, is_open, until = of_order(open_shop, **shipped, delivered_at="2026-01-07T10:00:00Z")
    assert (actions, is_open, until) == ([], False, "2026-01-21")
    assert of_order(open_shop, **shipped, business=True) == ([], False, None)
    exempt = [documents.invoiced(qty_shipped=2, withdrawal_exempt="c")]
    assert of_order(open_shop, status="complete", items=exempt) == ([], False, None)


def test_a_cancelled_order_offers_nothing(open_shop: Shop) -> None:
    order_id = open_shop.put(**documents.paid())
    order = open_shop.canceled(order_id)["order"]
    assert (order["available_actions"], order["withdrawal"]["open"]) == ([], False)


def test_what_is_noted_on_an_order(open_shop: Shop) -> None:
    noted = {"withdrawal_id": "wdr_1", "received_at": days_ago(1), "count": 1}
    part, whole = (open_shop.put(withdrawal=noted | {"whole": is_whole}) for is_whole in (False, True))
    assert open_shop.actions(part) == ["CANCEL", "WITHDRAW"]
    assert open_shop.actions(whole) == ["CANCEL"]
    assert open_shop.order(whole)["withdrawal"] == {"open": True, "until": None, "withdrawal_id": "wdr_1"}
    listed = body_of(open_shop.client.get("/orders"))["orders"]
    assert {order["order_id"]: order["available_actions"] for order in listed} == {
        part: ["CANCEL", "WITHDRAW"],
        whole: ["CANCEL"],
    }
    open_shop.configure()
    assert open_shop.order(whole)["withdrawal"] == {"open": False, "until": None, "withdrawal_id": "wdr_1"}
    assert open_shop.actions(part) == ["CANCEL"]


def test_a_refusal_of_a_cancel_shows_it_too(open_shop: Shop) -> None:
    order_id = open_shop.put(status="complete")
    problem = refused(open_shop.cancel(order_id), 409, "INVALID_ORDER_STATUS")
    assert problem["order"]["available_actions"] == ["WITHDRAW"]


# --- what is private


def test_no_log_has_a_name_an_address_or_a_text(open_shop: Shop, anyone: Client, stack: Running) -> None:
    private = {"name": PRIVATE_COMMENT, "order": PRIVATE_COMMENT, "message": PRIVATE_COMMENT}
    body = statement(open_shop, **private, items=[{"item": PRIVATE_COMMENT}])
    taken(submit(anyone, body, "private-key-of-a-consumer"))
    # The client refuses an answer that has the address, so that it is told to none.
    raw = anyone.raw("POST", ANYBODY, json=body | {"email": PRIVATE_EMAIL}, headers={"idempotency-key": "private-key"})
    assert raw.status_code == 201
    refused(
        submit(anyone, body | {"message": [PRIVATE_COMMENT], "email": f"{PRIVATE_COMMENT}@"}), 422, "INVALID_REQUEST"
    )
    taken(withdraw(open_shop, open_shop.put(customer_name=PRIVATE_COMMENT), {"message": "x"}))
    last = submit(anyone, statement(open_shop))
    wait_until(lambda: last.headers["x-request-id"] in stack.said(), what="the functions' lines are in the output")
    for text in (PRIVATE_COMMENT, PRIVATE_EMAIL, "private-key"):
        assert text not in stack.said(), text
