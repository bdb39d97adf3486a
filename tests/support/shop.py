"""One store with one customer, made for one test: its config, its orders, and the customer's client."""

from __future__ import annotations

import itertools
import time
from typing import Any
from uuid import uuid4

import httpx

from tests.support import documents
from tests.support.aws import Aws
from tests.support.client import PLAIN, Client
from tests.support.openapi import body_of
from tests.support.schemas import assert_valid
from tests.support.waiting import wait_until

ORDER = "/orders/{order_id}"
ELIGIBILITY = "/orders/{order_id}/cancellation-eligibility"
CANCELLATION = "/orders/{order_id}/cancellation"
REQUEST = "/orders/{order_id}/cancellation-request"
REASONS = "/cancellation-reasons"


class Shop:
    """Nothing of it is shared with another test: store, customer and orders have ids of their own."""

    def __init__(self, aws: Aws, endpoint: str) -> None:
        self.aws = aws
        self.endpoint = endpoint
        self.mark = uuid4().hex[:10]
        self.store_id = f"store-{self.mark}"
        self.scope = f"store:{self.store_id}"
        self._customers: dict[str, Client] = {}
        self._numbers = itertools.count(1)
        self.customer_id = f"customer-{self.mark}"
        self.client = self.client_of(self.customer_id)

    def close(self) -> None:
        for client in self._customers.values():
            client.close()

    # --- customers

    def client_of(self, customer_id: str) -> Client:
        if customer_id not in self._customers:
            self._customers[customer_id] = Client(self.endpoint, token=token_of(self.endpoint, customer_id))
        return self._customers[customer_id]

    def another_customer(self) -> Client:
        return self.client_of(f"other-{self.mark}")

    # --- what the admin does

    def configure(self, **attributes: Any) -> None:
        """Puts the store's own scope; enabled with two reasons unless told otherwise."""
        self.aws.config.put_item(
            Item={"scope": self.scope, "enabled": True, "reasons": documents.REASONS, **attributes}
        )

    def configure_exactly(self, **attributes: Any) -> None:
        self.aws.config.put_item(Item={"scope": self.scope} | attributes)

    def accepted(self) -> None:
        """Waits until what the admin has put is known as the version to fall back to."""

        def is_known() -> bool:
            item = self.aws.config_item(self.scope)
            return item is not None and str(item.get("validation", "")).startswith("In force since ")

        wait_until(is_known, what=f"{self.scope} is in force")

    # --- what the order system does

    def put(self, **attributes: Any) -> str:
        """Puts an order of the customer in this store, and gives its id."""
        order_id = str(attributes.pop("order_id", f"{self.mark}-{next(self._numbers)}"))
        document = documents.order(order_id, self.customer_id, self.store_id, **attributes)
        self.put_exactly(document)
        return order_id

    def put_exactly(self, document: dict[str, Any], *, valid: bool = True) -> None:
        """Puts a document; `valid` ones are held against docs/schemas/order.json first."""
        if valid:
            assert_valid("order", document)
        self.aws.orders.put_item(Item=document)

    def stored(self, order_id: str) -> dict[str, Any]:
        """The order as it lies in the table, held against docs/schemas/order.json."""
        document = self.aws.order(order_id)
        assert_valid("order", document)
        return document

    # --- what the customer does

    def order(self, order_id: str) -> dict[str, Any]:
        return self._ok(self.client.get(ORDER, order_id=order_id))

    def eligibility(self, order_id: str) -> dict[str, Any]:
        return self._ok(self.client.get(ELIGIBILITY, order_id=order_id))

    def cancellation(self, order_id: str) -> dict[str, Any]:
        return self._ok(self.client.get(CANCELLATION, order_id=order_id))

    def actions(self, order_id: str) -> list[str]:
        actions: list[str] = self.order(order_id)["available_actions"]
        return actions

    def cancel(
        self, order_id: str, reason: str = "no_longer_needed", *, key: str | None = None, **body: Any
    ) -> httpx.Response:
        headers = {"idempotency-key": key} if key is not None else None
        return self.client.post(CANCELLATION, order_id=order_id, headers=headers, json={"reason": reason} | body)

    def canceled(self, order_id: str, **named: Any) -> dict[str, Any]:
        """A cancel that must succeed: its body."""
        return self._ok(self.cancel(order_id, **named))

    def refunded(self, order_id: str, status: str = "succeeded") -> dict[str, Any]:
        """Waits until the refund has ended, which must be with `status`; the cancellation."""

        def ended() -> dict[str, Any] | None:
            cancellation = self.cancellation(order_id)
            return cancellation if cancellation["refund"]["status"] != "pending" else None

        cancellation = wait_until(ended, what=f"the refund of {order_id} ends")
        assert cancellation is not None
        assert cancellation["refund"]["status"] == status, cancellation
        return cancellation

    @staticmethod
    def _ok(response: httpx.Response) -> dict[str, Any]:
        assert response.status_code == 200, response.text
        body: dict[str, Any] = body_of(response)
        return body


def refused(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem of an answer that must be this refusal."""
    answered = (response.status_code, response.headers["content-type"])
    assert answered == (status, "application/problem+json"), response.text
    problem: dict[str, Any] = body_of(response)
    assert problem["code"] == code, problem
    return problem


def session_of(token: str, name: str = "Kim") -> dict[str, Any]:
    """What the storefront keeps of who is signed in, for an hour."""
    return {"token": token, "name": name, "until": (time.time() + 3600) * 1000}


def token_of(endpoint: str, customer_id: str, **claims: str) -> str:
    """A token as the local stack issues it to every caller."""
    answer = httpx.post(
        f"{endpoint}/local/tokens",
        json={"customer_id": customer_id} | claims,
        timeout=30,
        trust_env=False,
        verify=PLAIN,
    )
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["token"]
    return token
