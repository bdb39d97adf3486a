"""The shop's side of a request: the item in the requests table, as an admin edits it."""

from __future__ import annotations

from typing import Any

from tests.support.shop import Shop
from tests.support.waiting import wait_until


def request_of(shop: Shop, order_id: str) -> dict[str, Any]:
    """The newest request about the order, as the customer gets it."""
    request: dict[str, Any] = shop.order(order_id)["cancellation_request"]
    return request


def decide(shop: Shop, order_id: str, decision: str, note: str = "") -> None:
    """Decides the open request, and waits until that is carried out."""
    request_id = request_of(shop, order_id)["request_id"]
    key = {"request_id": request_id}
    wait_until(
        lambda: "Item" in shop.aws.requests.get_item(Key=key, ConsistentRead=True), what="the request is in the table"
    )
    shop.aws.requests.update_item(
        Key=key,
        UpdateExpression="SET decision = :decision" + (", note = :note" if note else ""),
        ExpressionAttributeValues={":decision": decision} | ({":note": note} if note else {}),
    )
    wait_until(lambda: request_of(shop, order_id)["status"] != "open", what="the decision is carried out")
