"""Nothing personal in logs. Answers are searched, each of them, by tests/support/client.py."""

from __future__ import annotations

from typing import Any

from tests.support import documents
from tests.support.client import PRIVATE_COMMENT, PRIVATE_EMAIL, PRIVATE_REFERENCE, Client
from tests.support.openapi import body_of
from tests.support.shop import CANCELLATION, ORDER, Shop, refused, token_of
from tests.support.stack import Running
from tests.support.waiting import wait_until


def test_logs_hold_no_token_no_address_no_comment_and_no_reference(shop: Shop, stack: Running) -> None:
    order_id = shop.put(**documents.paid())
    shop.canceled(order_id, comment=PRIVATE_COMMENT, key="private-key-of-a-client")
    shop.refunded(order_id)
    failing = shop.put(**documents.paid(payments=[documents.captured(1)]))
    shop.canceled(failing, comment=PRIVATE_COMMENT)
    shop.refunded(failing, "failed")

    # Refused bodies, a token with an address in it, documents that cannot be read: all of it private.
    headers = {"content-type": "application/json"}
    broken = f'{{"reason": "other", "comment": "{PRIVATE_COMMENT}"'.encode()
    refused(shop.client.post(CANCELLATION, order_id=order_id, headers=headers, content=broken), 400, "INVALID_REQUEST")
    refused(shop.cancel(order_id, comment=[PRIVATE_COMMENT]), 422, "INVALID_REQUEST")
    client = Client(stack.endpoint, token=token_of(stack.endpoint, shop.customer_id, email=PRIVATE_EMAIL))
    client.get(ORDER, order_id=order_id)
    client.close()
    damages: tuple[dict[str, Any], ...] = (
        {"payments": [{"provider": "offline", "reference": PRIVATE_REFERENCE}]},
        {"payments": PRIVATE_REFERENCE},
        {"total": PRIVATE_EMAIL},
        {"history": [{"at": documents.timestamp(), "comment": PRIVATE_COMMENT}]},
        {"items": [{"sku": PRIVATE_EMAIL, "name": PRIVATE_EMAIL}]},
        {"cancellation": {"comment": PRIVATE_COMMENT}},
    )
    for number, damage in enumerate(damages):
        document = documents.order(f"{shop.mark}-damaged-{number}", shop.customer_id, shop.store_id)
        shop.put_exactly(document | damage, valid=False)
        answer = shop.client.get(ORDER, order_id=document["order_id"])
        refused(answer, 500, "INTERNAL_ERROR")
    shop.client.get("/orders")

    # The last request has come into the log, so the others have too.
    request_id = answer.headers["x-request-id"]
    wait_until(lambda: request_id in stack.said(), what="the functions' lines are in the stack's output")
    said = stack.said()
    for private in (PRIVATE_EMAIL, PRIVATE_COMMENT, PRIVATE_REFERENCE, "private-key-of-a-client"):
        assert private not in said, private
    tokens = [held.token for held in (shop.client, client)]
    for token in tokens:
        assert token
        assert token not in said
        assert token.split(".")[1] not in said


def test_logs_hold_no_comment_and_no_note_of_a_request(shop: Shop, stack: Running) -> None:
    shop.configure(approval="always")
    order_id = shop.put(**documents.paid())
    asked = shop.cancel(order_id, comment=PRIVATE_COMMENT)
    assert asked.status_code == 202
    request_id = body_of(asked)["cancellation_request"]["request_id"]

    def row() -> dict[str, Any]:
        return next((one for one in shop.aws.rows("requests") if one["request_id"] == request_id), {})

    wait_until(row, what="the request stands in the table")
    for decision in (PRIVATE_EMAIL, "declined"):
        shop.aws.requests.update_item(
            Key={"request_id": request_id},
            UpdateExpression="SET decision = :decision, note = :note",
            ExpressionAttributeValues={":decision": decision, ":note": PRIVATE_COMMENT},
        )
        wait_until(lambda: row().get("outcome"), what="the outcome is written")
    wait_until(
        lambda: any("a request has ended" in line and request_id in line for line in stack.said().splitlines()),
        what="the functions' lines are in the stack's output",
    )
    assert shop.order(order_id)["cancellation_request"]["note"] == PRIVATE_COMMENT
    for private in (PRIVATE_COMMENT, PRIVATE_EMAIL):
        assert private not in stack.said(), private


def test_a_comment_is_shown_to_its_customer_alone(shop: Shop) -> None:
    order_id = shop.put()
    shop.canceled(order_id, comment="Between us")
    assert shop.cancellation(order_id)["comment"] == "Between us"
    assert "Between us" not in shop.another_customer().get(CANCELLATION, order_id=order_id).text
