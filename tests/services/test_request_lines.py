"""What the log says of a request that can't be dealt with: whose it is, for the operator looks for it by that."""

from __future__ import annotations

import logging

import pytest
from cancel_core.adapters.dynamodb.requests import Requests
from cancel_core.services.cancel import cancel_order
from cancel_core.services.process_requests import Desk, OrderSeen, Record, RowSeen, process_requests

from tests.support.orders import paid
from tests.support.tables import NOW, Heard, Shop, request


def test_the_order_or_the_request_is_named(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.configure(approval="always")
    order_id = shop.put(paid())
    cancel_order(shop.orders, shop.policies(), request(order_id), lambda: NOW)
    desk = Desk(Requests(shop.client, "no-such-table"), shop.orders, shop.policies(), Heard())
    records: list[Record] = [("1", OrderSeen(None, shop.stored(order_id))), ("2", RowSeen("req_1"))]
    with caplog.at_level(logging.ERROR, "cancel-core"):
        assert process_requests(desk, records, lambda: NOW) == ["1", "2"]
    first, second = (vars(line) for line in caplog.records)
    assert first["message"] == second["message"] == "a request could not be dealt with"
    assert first["order_id"] == order_id
    assert second["cancellation_request_id"] == "req_1"
