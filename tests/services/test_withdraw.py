"""A statement of withdrawal is stored before it is answered, once for each key, and nothing is asked before."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import boto3
import pytest
import rfc8785
from botocore.config import Config
from cancel_core.adapters.dynamodb.withdrawals import Withdrawals
from cancel_core.domain.caller import Customer
from cancel_core.domain.withdrawal import WithdrawalRequest
from cancel_core.errors import (
    AddressMissing,
    IdempotencyKeyReused,
    OrderNotFound,
    ServiceUnavailable,
    WithdrawalDisabled,
)
from cancel_core.services.withdraw import Register, Submitted, submit_withdrawal, withdraw_order

from tests.support import proxy as faults
from tests.support.metering import Meter
from tests.support.orders import paid
from tests.support.proxy import FaultProxy
from tests.support.tables import NOW, Aws, Calls, Shop

ON = {"enabled": True}
SAID: dict[str, Any] = {"name": "Anna", "email": "anna@example.com", "order": "#4711"}


@pytest.fixture
def register(shop: Shop) -> Register:
    shop.configure(withdrawal=ON)
    return Register(Withdrawals(shop.client, shop.tables["withdrawals"]), shop.policies(), 1095)


def request(given: dict[str, Any], key: str | None = None, after: float = 0) -> WithdrawalRequest:
    return WithdrawalRequest(given, NOW + timedelta(milliseconds=17, seconds=after), f"request-{uuid4()}", key)


def said(shop: Shop, **more: Any) -> dict[str, Any]:
    """With an address of this test's own: a key belongs to it."""
    return SAID | {"store_id": shop.store_id, "email": f"{shop.store_id}@example.com"} | more


def submit(shop: Shop, register: Register, key: str | None = None, after: float = 0, **more: Any) -> Submitted:
    return submit_withdrawal(register, request(said(shop, **more), key, after))


def placed(shop: Shop, **more: Any) -> str:
    """An order of a customer of this test's own. Its id."""
    return shop.put(paid(**{"customer_id": shop.store_id} | more))


def withdraw(shop: Shop, register: Register, order_id: str, key: str | None = None, **given: Any) -> Submitted:
    return withdraw_order(shop.orders, register, request(given, key), order_id, Customer(shop.store_id))


# --- anybody's


def test_it_is_stored_as_it_was_said_and_the_receipt_is_its_hash(shop: Shop, register: Register) -> None:
    made = submit(shop, register, items=[{"item": "Rope", "qty": 1.5}], message="Zu kurz.\n€ 👟").statement

    stored = register.withdrawals.get(made.withdrawal_id)
    assert stored == made
    assert stored.received_at == "2026-11-22T10:00:00.017Z"
    document: dict[str, Any] = {
        "withdrawal_id": stored.withdrawal_id,
        "received_at": stored.received_at,
        "statement": said(shop, items=[{"item": "Rope", "qty": 1.5}], message="Zu kurz.\n€ 👟"),
    }
    assert stored.statement == document["statement"]
    assert stored.receipt == hashlib.sha256(rfc8785.dumps(document)).hexdigest()
    assert (stored.store_id, stored.customer_id, stored.order_id, stored.body) == (shop.store_id, None, None, None)
    assert stored.expires_at == int((NOW + timedelta(days=1095)).timestamp())


def test_it_takes_one_round_trip_and_a_customers_two(shop: Shop) -> None:
    shop.configure(withdrawal=ON)
    policies = shop.policies(cache_seconds=60)
    policies.get(shop.store_id)
    register = Register(Withdrawals(shop.client, shop.tables["withdrawals"]), policies, 1095)
    order_id = placed(shop)
    calls = Calls(shop.client)

    for key in (None, "k", "k"):
        submit(shop, register, key)
    assert calls.made == ["PutItem"] * 3
    calls.made.clear()
    for key in (None, "k", "k"):
        withdraw(shop, register, order_id, key)
    assert calls.made == ["Query", "PutItem"] * 3


def test_without_a_key_each_is_one_of_its_own(shop: Shop, register: Register) -> None:
    first, second = submit(shop, register), submit(shop, register)

    assert first.statement.withdrawal_id != second.statement.withdrawal_id
    assert not first.replayed
    assert not second.replayed


def test_the_same_key_and_body_is_the_same_statement(shop: Shop, register: Register) -> None:
    first = submit(shop, register, "k")
    again = submit(shop, register, "k", after=3600)

    assert (first.replayed, again.replayed) == (False, True)
    assert again.statement == first.statement


def test_the_same_key_and_another_body_is_refused(shop: Shop, register: Register) -> None:
    submit(shop, register, "k")

    with pytest.raises(IdempotencyKeyReused):
        submit(shop, register, "k", message="")


def test_a_key_belongs_to_the_address_whatever_its_capitals(shop: Shop, register: Register) -> None:
    mine = submit(shop, register, "k", name="Me")

    others = submit(shop, register, "k", email=f"other-{shop.store_id}@example.com", name="You")
    assert others.statement.withdrawal_id != mine.statement.withdrawal_id
    with pytest.raises(IdempotencyKeyReused):
        submit(shop, register, "k", email=f"{shop.store_id}@EXAMPLE.com", name="Me")


def test_of_twenty_at_once_with_one_key_one_is_stored(shop: Shop, register: Register) -> None:
    with ThreadPoolExecutor(20) as pool:
        # In the same millisecond, some of them.
        made = list(pool.map(lambda after: submit(shop, register, "k", after=after % 2), range(20)))

    assert len({one.statement.receipt for one in made}) == 1
    assert [one.replayed for one in made].count(False) == 1


def test_off_is_refused_and_a_repeat_is_still_answered(shop: Shop, register: Register) -> None:
    first = submit(shop, register, "k")
    order_id = placed(shop)
    customers = withdraw(shop, register, order_id, "k")
    shop.configure(withdrawal={"enabled": False})

    assert submit(shop, register, "k") == Submitted(first.statement, replayed=True)
    assert withdraw(shop, register, order_id, "k") == Submitted(customers.statement, replayed=True)
    with pytest.raises(IdempotencyKeyReused):
        submit(shop, register, "k", message="")
    for key in (None, "another"):
        with pytest.raises(WithdrawalDisabled):
            submit(shop, register, key)
        with pytest.raises(WithdrawalDisabled):
            withdraw(shop, register, order_id, key)


def test_it_is_taken_where_cancelling_is_off(shop: Shop, register: Register) -> None:
    shop.configure(enabled=False, withdrawal=ON)

    assert submit(shop, register).statement.store_id == shop.store_id


# --- a customer's


def test_what_is_not_given_is_the_orders(shop: Shop, register: Register) -> None:
    order_id = placed(shop, customer_email="a@example.com", customer_name="Anna Ask", language="sv-SE")

    made = withdraw(shop, register, order_id).statement
    assert made.statement == {"name": "Anna Ask", "email": "a@example.com", "order": order_id, "language": "sv-SE"}
    assert (made.customer_id, made.order_id, made.placed_at) == (shop.store_id, order_id, "2026-11-20T10:00:00Z")
    assert made.store_id == shop.store_id
    assert made.is_proven
    given = withdraw(shop, register, order_id, name="A. Ask", email="new@example.com", message="x").statement
    assert given.statement == dict(made.statement) | {"name": "A. Ask", "email": "new@example.com", "message": "x"}


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "A\x00", None, Decimal(5)])
def test_a_name_that_is_none_is_left_out(shop: Shop, register: Register, name: Any) -> None:
    order_id = placed(shop, customer_email="a@example.com", customer_name=name, language="no tag")

    assert withdraw(shop, register, order_id).statement.statement == {"email": "a@example.com", "order": order_id}


@pytest.mark.parametrize("address", ["", "nobody", None, Decimal(5), "a b@example.com"])
def test_an_order_without_an_address_needs_one(shop: Shop, register: Register, address: Any) -> None:
    order_id = placed(shop, customer_email=address)

    with pytest.raises(AddressMissing):
        withdraw(shop, register, order_id, "k")
    # A refusal records nothing.
    assert (
        withdraw(shop, register, order_id, "k", email="a@example.com").statement.statement["email"] == "a@example.com"
    )


def test_nobody_elses_order(shop: Shop, register: Register) -> None:
    order_id = placed(shop, customer_id="someone else")

    for one in (order_id, "unknown", "x" * 3000):
        with pytest.raises(OrderNotFound):
            withdraw(shop, register, one)


def test_an_order_that_can_not_be_read_can_be_withdrawn_from(shop: Shop, register: Register) -> None:
    order_id = placed(shop, currency="kronor", items="none")

    assert withdraw(shop, register, order_id).statement.order_id == order_id


def test_a_key_belongs_to_the_customer(shop: Shop, register: Register) -> None:
    first, second = placed(shop), placed(shop)
    key = f"key-{shop.store_id}"
    made = withdraw(shop, register, first, key)

    # Whatever became of the order's address since.
    shop.set(first, customer_email="other@example.com")
    assert withdraw(shop, register, first, key) == Submitted(made.statement, replayed=True)
    with pytest.raises(IdempotencyKeyReused):
        withdraw(shop, register, second, key)


# --- faults


def between(shop: Shop, register: Register, proxy: FaultProxy, attempts: int) -> Register:
    client = boto3.client(
        "dynamodb",
        endpoint_url=proxy.url,
        region_name=shop.client.meta.region_name,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"mode": "standard", "total_max_attempts": attempts}),
    )
    return register._replace(withdrawals=Withdrawals(client, shop.tables["withdrawals"]))


@pytest.mark.parametrize("key", [None, "k"])
def test_a_throttled_table_is_unavailable_and_a_repeat_is_stored_once(
    shop: Shop, register: Register, key: str | None
) -> None:
    with FaultProxy(shop.client.meta.endpoint_url) as proxy:
        proxied = between(shop, register, proxy, 1)
        proxy.plan("PutItem", faults.aws_error("ThrottlingException"))
        with pytest.raises(ServiceUnavailable):
            submit(shop, proxied, key)
        assert not submit(shop, proxied, key).replayed


def test_an_answer_that_was_lost_is_no_second_statement(shop: Shop, register: Register) -> None:
    with FaultProxy(shop.client.meta.endpoint_url) as proxy:
        # boto3 tries again by itself, and finds its own.
        proxy.plan("PutItem", faults.drop_answer)
        made = submit(shop, between(shop, register, proxy, 2))
        assert not made.replayed
        # The client tries again, with its key.
        alone = between(shop, register, proxy, 1)
        proxy.plan("PutItem", faults.drop_answer)
        with pytest.raises(ServiceUnavailable):
            submit(shop, alone, "k")
        again = submit(shop, alone, "k", after=5)
    assert again.replayed
    assert again.statement.received_at == "2026-11-22T10:00:00.017Z"


@pytest.mark.parametrize("aws", ["dynamodb-local"], indirect=True)
def test_what_a_statement_consumes(shop: Shop, aws: Aws) -> None:
    shop.configure(withdrawal=ON)
    meter = Meter(aws.client("dynamodb"))
    policies = shop.policies(cache_seconds=60)
    policies.get(shop.store_id)
    metered = Register(Withdrawals(meter.client, shop.tables["withdrawals"]), policies, 1095)

    submit(shop, metered, "k")
    # The table's item, and that of the index by_day.
    assert meter.units() == (1, Decimal(0), Decimal(2))
