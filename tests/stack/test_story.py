"""One order is followed through the log of all functions, from the request to the refund, by its order_id."""

from __future__ import annotations

import json
from typing import Any

from local.template import read
from tests.support import documents
from tests.support.client import PRIVATE_COMMENT, PRIVATE_EMAIL, PRIVATE_REFERENCE
from tests.support.machine import ROOT
from tests.support.shop import Shop
from tests.support.stack import Running
from tests.support.waiting import wait_until


def lines_about(stack: Running, order_id: str) -> list[tuple[str, dict[str, Any]]]:
    """The function and the log line of each line that has this order_id, in the order of the time they bear.

    As the saved query does it: by the attribute, not by the text.
    """
    found = []
    for line in stack.said().splitlines():
        function, _, text = line.partition(" | ")
        if order_id in text and text.startswith("{"):
            told = json.loads(text)
            if told.get("order_id") == order_id:
                found.append((function, told))
    return sorted(found, key=lambda one: one[1]["timestamp"])


def test_one_id_tells_the_whole_story_in_order(shop: Shop, stack: Running) -> None:
    order_id = shop.put(**documents.paid(customer_email=PRIVATE_EMAIL))
    answer = shop.cancel(order_id, comment=PRIVATE_COMMENT)
    shop.refunded(order_id)
    cancellation_id = shop.cancellation(order_id)["cancellation_id"]

    # The end of the story, which comes last.
    wait_until(
        lambda: any(line.get("event") == "OrderRefunded" for _, line in lines_about(stack, order_id)),
        what="the refund is published",
    )

    lines = lines_about(stack, order_id)
    told = [
        (function, line["message"], line.get("event") or line.get("status"))
        for function, line in lines
        # Mails go out beside the refund, at any time.
        if function not in {"GetCancellationFunction", "GetOrderFunction", "SendMailFunction"}
    ]
    assert told == [
        ("CancelOrderFunction", "answered", 200),
        ("PublishEventsFunction", "published", "OrderCanceled"),
        ("RefundOrderFunction", "refund carried out", "succeeded"),
        ("PublishEventsFunction", "published", "OrderRefunded"),
    ]
    assert {line["cancellation_id"] for function, line in lines if function != "GetCancellationFunction"} == {
        cancellation_id
    }
    # From what the client was told to the order, and on.
    assert lines[0][1]["request_id"] == answer.headers["x-request-id"]
    for private in (PRIVATE_EMAIL, PRIVATE_COMMENT, PRIVATE_REFERENCE, shop.customer_id):
        assert private not in json.dumps([line for _, line in lines])


def test_a_refusal_is_in_the_story_with_its_code(shop: Shop, stack: Running) -> None:
    order_id = shop.put(status="complete")
    request_id = shop.cancel(order_id).headers["x-request-id"]

    wait_until(lambda: bool(lines_about(stack, order_id)), what="the refusal is in the log")

    ((function, line),) = lines_about(stack, order_id)
    assert (function, line["code"], line["request_id"]) == ("CancelOrderFunction", "INVALID_ORDER_STATUS", request_id)


def test_the_saved_query_asks_for_what_the_lines_have(shop: Shop, stack: Running) -> None:
    order_id = shop.put(**documents.paid())
    shop.canceled(order_id)
    shop.refunded(order_id)
    refused = shop.put(status="complete")
    shop.cancel(refused)
    wait_until(lambda: bool(lines_about(stack, refused)), what="the refusal is in the log")
    known = {name for one in (order_id, refused) for _, line in lines_about(stack, one) for name in line}

    query = read(ROOT / "template.yaml")["Resources"]["OrderStoryQuery"]["Properties"]["QueryString"]

    first, second, *_ = query.splitlines()
    asked = {name.strip() for name in first.removeprefix("fields ").split(",")}
    # What CloudWatch itself adds; and what only a line about an error, or about a request to the shop, has.
    others = {"exception", "cancellation_request_id"}
    assert {name for name in asked if not name.startswith("@")} - others <= known
    assert second.split()[2] == "order_id"
