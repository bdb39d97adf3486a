"""The withdrawals table: an item is put once, and what was there before stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from cancel_core.adapters.dynamodb.withdrawals import Withdrawals
from cancel_core.domain.withdrawal import Statement, expiry, read_statement
from cancel_core.errors import ServiceUnavailable

from tests.support.tables import Shop, fake_service, impatient

AT = datetime(2026, 11, 22, 10, 0, 0, 17000, tzinfo=UTC)
SAID = {
    "name": "Anna",
    "email": "anna@example.com",
    "order": "#4711",
    "items": [{"item": "Shoes", "qty": 1}, {"item": "Rope", "qty": 1.5}, {"item": "Cap"}],
    "message": "Too small\n👟",
}


def statement(**more: Any) -> Statement:
    made = Statement(f"wdr_{uuid4()}", "2026-11-22T10:00:00.017Z", "se", SAID, "ab" * 32, expiry(AT, 1095))
    return replace(made, **more)


@pytest.fixture
def withdrawals(shop: Shop) -> Withdrawals:
    return Withdrawals(shop.client, shop.tables["withdrawals"])


def test_a_statement_is_read_as_it_was_put(withdrawals: Withdrawals) -> None:
    anyones = statement()
    customers = statement(customer_id="c1", order_id="o1", placed_at="2026-11-20T10:00:00Z", body="cd")

    for one in (anyones, customers):
        assert withdrawals.put(one) == one
        read = withdrawals.get(one.withdrawal_id)
        assert read == one
        # As JSON has them, for the receipt's hash is of that.
        assert [type(row.get("qty")) for row in read.statement["items"]] == [int, float, type(None)]
    assert (anyones.is_proven, customers.is_proven) == (False, True)
    assert anyones.day == "2026-11-22"


def test_what_was_there_before_stays(withdrawals: Withdrawals) -> None:
    first = statement()
    second = replace(first, received_at="2026-11-23T00:00:00.000Z", receipt="ef" * 32)

    withdrawals.put(first)

    assert withdrawals.put(second) == first
    assert withdrawals.get(first.withdrawal_id) == first


def test_what_becomes_of_it_stands_beside_it(withdrawals: Withdrawals) -> None:
    one = statement()
    withdrawals.put(one)
    outcome = {"withdrawal_id": one.withdrawal_id, "part": "outcome", "match": "none", "expires_at": one.expires_at}

    assert withdrawals.put_part(outcome) is None
    before = withdrawals.put_part(outcome | {"match": "email"})

    assert before
    assert before["match"] == "none"
    parts = withdrawals.parts(one.withdrawal_id)
    assert sorted(parts) == ["outcome", "statement"]
    assert read_statement(parts["statement"]) == one
    assert parts["outcome"]["match"] == "none"
    assert withdrawals.parts("wdr_unknown") == {}
    assert withdrawals.get("wdr_unknown") is None


def test_a_table_that_throttles_is_unavailable() -> None:
    throttled = {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "slow down"}
    with fake_service(lambda _: (400, throttled)) as port:
        withdrawals = Withdrawals(impatient("dynamodb", port), "withdrawals")
        for call in (
            lambda: withdrawals.put(statement()),
            lambda: withdrawals.get("wdr_1"),
            lambda: withdrawals.parts("wdr_1"),
        ):
            with pytest.raises(ServiceUnavailable):
                call()
