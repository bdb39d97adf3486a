"""The demo orders that were paid at the local stack's own Stripe: in full, in part, and only authorized."""

from __future__ import annotations

import httpx
import pytest

from tests.support.aws import Aws
from tests.support.client import Client
from tests.support.shop import CANCELLATION, ORDER, token_of
from tests.support.stack import Running
from tests.support.stripe_servers import Account
from tests.support.waiting import wait_until


@pytest.mark.parametrize(
    ("order_id", "action", "given_back", "ends"),
    [
        ("demo-stripe-paid", "refund", 8790, "closed"),
        ("demo-stripe-partial", "refund", 2400, "canceled"),
        ("demo-stripe-authorized", "void", 0, "canceled"),
    ],
)
def test_a_demo_order_is_paid_back_at_stripe(
    stack: Running, aws: Aws, order_id: str, action: str, given_back: int, ends: str
) -> None:
    told = httpx.get(f"{stack.endpoint}/local/stack", trust_env=False).json()
    account, intent = Account(told["stripe_url"]), aws.order(order_id)["payments"][0]["reference"]
    client = Client(stack.endpoint, token=token_of(stack.endpoint, "demo-bjorn"))

    assert client.post(CANCELLATION, order_id=order_id, json={"reason": "other"}).status_code == 200

    def ended() -> dict[str, object] | None:
        refund: dict[str, object] = client.get(CANCELLATION, order_id=order_id).json()["refund"]
        return refund if refund["status"] != "pending" else None

    refund = wait_until(ended, what=f"the refund of {order_id} ends")
    assert refund
    assert (refund["status"], refund["amount"]) == ("succeeded", given_back)
    assert account.refunds(intent) == ([given_back] if given_back else [])
    assert (account.status(intent) == "canceled") is (action == "void")
    after = aws.order(order_id)
    assert after["status"] == ends
    assert [leg["action"] for leg in after["cancellation"]["refund"]["payments"]] == [action]
    # What the payment is called at Stripe is not for customers.
    for path in (ORDER, CANCELLATION):
        assert intent not in client.get(path, order_id=order_id).text
    client.close()
