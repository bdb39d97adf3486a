"""The orders and config tables: what is written, on which condition, and what the database's errors become."""

from __future__ import annotations

from decimal import Decimal
from itertools import chain
from types import SimpleNamespace
from typing import Any

import pytest
from boto3.dynamodb.types import Binary
from botocore.credentials import DeferredRefreshableCredentials
from botocore.exceptions import CredentialRetrievalError
from botocore.session import get_session
from cancel_core.adapters.dynamodb.attributes import plain
from cancel_core.adapters.dynamodb.config import ConfigTables, Policies
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.domain.caller import Customer, Guest, address_hash
from cancel_core.domain.order import HistoryEntry
from cancel_core.domain.order_change import DECIDED_ON, OrderChange, RowChange
from cancel_core.domain.policy import Policy
from cancel_core.errors import OrderChanged, OrderNotFound, OrderTooLarge, ServiceUnavailable
from cancel_core.services.cancel import cancel_order
from cancel_core.services.queries import get_order

from tests.support.orders import canceled, document, item, paid, payment
from tests.support.tables import NOW, Calls, Shop, fake_service, impatient, request

CONFIG = ConfigTables("config", "history")
CANCELLATION = canceled(paid()).cancellation
assert CANCELLATION
CHANGE = OrderChange(
    CANCELLATION,
    rows=(RowChange("items", "a", {"qty_canceled": Decimal("1.5")}),),
    attributes={"status": "canceled"},
    history=HistoryEntry(at="2026-11-22T10:00:00Z", status="canceled", comment="Cancelled"),
)
SHOPS_OWN: dict[str, Any] = {
    "notes": {"deep": [{"er": None}, True, Decimal("1E+20"), Decimal("0.10"), ""]},
    "tags": {"a", "b"},
    "numbers": {Decimal(1), Decimal("2.5")},
    "label": Binary(b"\x00\xff"),
    "precise": Decimal(12345678901234567890123456789012345678),
}


def test_a_write_changes_what_it_says_and_nothing_else(shop: Shop) -> None:
    source = paid(items=[item("a", ordered=2, **SHOPS_OWN), item("b")], **SHOPS_OWN)
    order_id = shop.put(source)

    written = shop.orders.write(shop.stored(order_id), CHANGE)

    after = shop.document(order_id)
    assert isinstance(written, StoredOrder)
    assert plain(written.raw) == after
    assert after["status"] == "canceled"
    assert after["items"][0]["qty_canceled"] == Decimal("1.5")
    assert [entry["comment"] for entry in after["history"]] == ["Placed", "Cancelled"]
    expected = source | {"order_id": order_id, "store_id": shop.store_id}
    expected["items"][0]["qty_canceled"] = Decimal("1.5")
    for name in expected.keys() - {"status", "history"}:
        assert after[name] == expected[name], name


CHANGED: dict[str, Any] = {
    "status": "complete",
    "placed_at": "2026-11-20T10:00:00.000Z",
    "customer_id": "c2",
    "customer_group": "wholesale",
    "total": 1,
    "cancellation_request": {"request_id": "req_other"},
    "store_id": "other",
    "currency": "EUR",
    "items": [item("a", ordered=2, qty_shipped=1)],
    "shipping": {"amount_invoiced": 1},
    "fees": [{"fee_id": "f", "name": "Fee"}],
    "payments": [payment(captured=1)],
    "cancellation": {"cancellation_id": "can_other"},
}


@pytest.mark.parametrize("attribute", DECIDED_ON)
def test_a_write_fails_once_anything_that_was_decided_on_has_changed(shop: Shop, attribute: str) -> None:
    order_id = shop.put(document(items=[item("a", ordered=2)]))
    read = shop.stored(order_id)
    shop.set(order_id, **{attribute: CHANGED[attribute]})
    before = shop.document(order_id)

    with pytest.raises(OrderChanged) as conflict:
        shop.orders.write(read, CHANGE)

    assert conflict.value.current
    assert plain(conflict.value.current.raw) == before == shop.document(order_id)


def test_a_number_deep_in_an_item_is_a_change_too(shop: Shop) -> None:
    order_id = shop.put(document(items=[item("a", picked={"by": [Decimal(1)]})]))
    read = shop.stored(order_id)
    shop.set(order_id, items=[item("a", picked={"by": [Decimal(2)]})])

    with pytest.raises(OrderChanged):
        shop.orders.write(read, CHANGE)


def test_what_the_order_system_does_meanwhile_to_the_rest_stays(shop: Shop) -> None:
    order_id = shop.put(document(items=[item("a")]))
    read = shop.stored(order_id)
    noted = {"at": "2026-11-22T09:59:59Z", "status": "pending", "comment": "Noted meanwhile"}
    shop.set(order_id, shelf="B4", history=[*shop.document(order_id)["history"], noted])

    shop.orders.write(read, CHANGE)

    after = shop.document(order_id)
    assert after["shelf"] == "B4"
    assert [entry["comment"] for entry in after["history"]] == ["Placed", "Noted meanwhile", "Cancelled"]


def test_an_order_of_somebody_elses_never_leaves_the_database(shop: Shop) -> None:
    """How long an answer takes would tell it from none: of a thousand items it is 200 KB."""
    order_id = shop.put(paid(items=[item(f"item-{number}", name="x" * 150) for number in range(1000)]))
    sizes: list[int] = []

    def received(http_response: Any, **_: Any) -> None:
        # But for the digits of the counts and a checksum.
        sizes.append(len(http_response.content))

    shop.client.meta.events.register("after-call.dynamodb.*", received)
    told = []
    for which, customer in ((order_id, "somebody-else"), ("no-such-order", "somebody-else"), ("no-such-order", "c1")):
        with pytest.raises(OrderNotFound) as shown:
            get_order(shop.orders, shop.policies(), which, Customer(customer))
        with pytest.raises(OrderNotFound) as canceled_by:
            cancel_order(shop.orders, shop.policies(), request(which, customer_id=customer), lambda: NOW)
        told += [str(shown.value), str(canceled_by.value)]

    assert len(set(told)) == 1
    assert max(sizes) < 200
    assert len(sizes) == 6
    assert get_order(shop.orders, shop.policies(), order_id, Customer("c1")).order.order_id == order_id


def test_who_is_nobody_has_no_order(shop: Shop) -> None:
    guests = {name: value for name, value in paid().items() if name != "customer_id"}
    for order_id in (shop.put(guests), shop.put(paid())):
        assert shop.orders.of_caller(order_id, Customer(None)) is None
        assert shop.orders.of_caller(order_id, Customer("")) is None
    assert shop.orders.of_caller("x" * 3000, Customer("c1")) is None


@pytest.mark.parametrize(
    ("changes", "is_reached"),
    [
        ({}, True),
        ({"customer_email": " GUEST@Example.com "}, True),
        ({"customer_email": "somebody-else@example.com"}, False),
        ({"customer_email": None}, False),
        ({"customer_id": "c1"}, False),
        ({"placed_at": "2026-11-21T10:00:00Z"}, False),
    ],
)
def test_a_guest_reaches_the_order_while_it_is_the_one_that_was_proven(
    shop: Shop, changes: dict[str, Any], is_reached: bool
) -> None:
    source = paid(customer_email="guest@example.com", placed_at="2026-11-20T10:00:00Z")
    del source["customer_id"]
    order_id = shop.put(source | changes)
    guest = Guest(order_id, "2026-11-20T10:00:00Z", address_hash("Guest@example.com", b"token"), b"token")

    assert (shop.orders.of_caller(order_id, guest) is not None) is is_reached
    assert shop.orders.of_caller(shop.put(paid()), guest) is None
    assert shop.orders.of_caller("no-such-order", guest) is None


def test_an_order_without_history_gets_one(shop: Shop) -> None:
    source = document(items=[item("a")])
    del source["history"]
    order_id = shop.put(source)

    shop.orders.write(shop.stored(order_id), CHANGE)

    assert len(shop.document(order_id)["history"]) == 1


def test_an_order_that_is_gone_is_not_made_anew(shop: Shop) -> None:
    order_id = shop.put(document(items=[item("a")]))
    read = shop.stored(order_id)
    shop.client.delete_item(TableName=shop.tables["orders"], Key={"order_id": {"S": order_id}})

    with pytest.raises(OrderChanged) as conflict:
        shop.orders.write(read, CHANGE)

    assert conflict.value.current is None
    assert shop.orders.get(order_id) is None


def test_what_the_database_refuses_as_too_large_is_told_so(shop: Shop) -> None:
    order_id = shop.put(document(blob="x" * (396 * 1024)))
    large = OrderChange(CHANGE.cancellation, attributes={"more": "x" * 12000})

    with pytest.raises(OrderTooLarge):
        shop.orders.write(shop.stored(order_id), large)


@pytest.mark.parametrize("order_id", ["", "x" * 2049, "å" * 1025, "nobody's"])
def test_an_id_that_no_order_can_have_is_no_order(shop: Shop, order_id: str) -> None:
    assert shop.orders.get(order_id) is None


def test_pages_are_newest_first_and_hold_the_customers_orders_alone(shop: Shop) -> None:
    mine, theirs = f"c-{shop.store_id}", f"d-{shop.store_id}"
    ids = [
        shop.put(document(customer_id=customer, placed_at=f"2026-11-{day:02}T10:00:00Z"))
        for day, customer in enumerate([mine, theirs, mine, mine], start=1)
    ]

    first, after = shop.orders.page(mine, 2, None)
    second, end = shop.orders.page(mine, 2, after)

    assert [stored.order_id for stored in (*first, *second)] == [ids[3], ids[2], ids[0]]
    assert end is None


def test_pending_refunds_are_found_by_their_age(shop: Shop) -> None:
    old = shop.put(paid(refund_pending_since="2001-01-01T00:00:00Z"))
    young = shop.put(paid(refund_pending_since="2001-01-01T00:00:09Z"))
    shop.put(paid())

    found = dict(chain.from_iterable(shop.orders.pending_refunds(until="2001-01-01T00:00:05Z")))

    assert found[old] == "2001-01-01T00:00:00Z"
    assert young not in found


def test_the_config_is_read_once_in_a_while_for_each_store(shop: Shop) -> None:
    reported: list[Policy] = []
    seconds = [0.0]
    policies = Policies(shop.client, shop.config_tables, 30, reported.append, clock=lambda: seconds[0])
    assert policies.get(shop.store_id).enabled

    shop.configure(enabled="perhaps")
    assert policies.get(shop.store_id).enabled
    seconds[0] = 30
    assert not policies.get(shop.store_id).enabled
    assert not policies.get(shop.store_id).enabled

    (policy,) = reported
    assert [str(problem.scope) for problem in policy.problems] == [f"store:{shop.store_id}"]


def test_the_config_and_what_stands_in_for_it_are_read_in_one_round_trip_and_then_in_none(shop: Shop) -> None:
    policies = shop.policies(cache_seconds=60)
    calls = Calls(shop.client)

    for _ in range(2):
        policies.get(shop.store_id)

    assert calls.made == ["BatchGetItem"]


def test_made_up_stores_push_out_no_store_and_cost_one_small_read_each(shop: Shop) -> None:
    """Anyone may ask for the reasons of any store."""
    seconds = [0.0]
    policies = Policies(shop.client, shop.config_tables, 30, print, clock=lambda: seconds[0])
    calls = Calls(shop.client)
    expected = policies.get(shop.store_id)
    default = policies.get("made up")
    # Its own scope, in both tables: what default says is known.
    asked = [key["scope"]["S"] for table in calls.bodies[-1]["RequestItems"].values() for key in table["Keys"]]
    assert asked == ["store:made up"] * 2

    for number in range(Policies.CACHED_STORES + 200):
        assert policies.get(f"made-up-{number}") == default
    made = len(calls.made)
    assert policies.get(shop.store_id) is expected
    assert policies.get(f"made-up-{Policies.CACHED_STORES + 199}") == default
    assert len(calls.made) == made

    assert len(policies._unknown) == Policies.CACHED_STORES
    # Nothing is kept for longer than since its older half was read.
    shop.configure(enabled=False)
    seconds[0] = 29
    policies.get("late")
    seconds[0] = 30
    assert not policies.get(shop.store_id).enabled
    made = len(calls.made)
    policies.get("late")
    assert len(calls.made) == made + 1


def test_a_store_that_gets_an_item_is_known_and_one_that_loses_it_is_not(shop: Shop) -> None:
    seconds = [0.0]
    policies = Policies(shop.client, shop.config_tables, 30, print, clock=lambda: seconds[0])
    key = {"scope": {"S": f"store:{shop.store_id}"}}
    for number, present in enumerate((True, False, True)):
        seconds[0] = 30.0 * number
        if present:
            shop.configure()
        else:
            shop.client.delete_item(TableName=shop.tables["config"], Key=key)
        assert policies.get(shop.store_id).enabled == present
        assert (shop.store_id in policies._known) == present


def test_a_problem_is_reported_once_a_minute_for_all_callers(shop: Shop) -> None:
    reported: list[Policy] = []
    seconds = [0.0]
    shop.configure(enabled="perhaps")
    policies = Policies(shop.client, shop.config_tables, 0, reported.append, clock=lambda: seconds[0])

    for now in (0.0, 1.0, 59.9):
        seconds[0] = now
        for _ in range(3):
            assert not policies.get(shop.store_id).enabled
    assert len(reported) == 1
    # Another one is told at once, by itself.
    shop.configure(enabled="perhaps", refund_basis="captured")
    policies.get(shop.store_id)
    assert [problem.attribute for problem in reported[1].problems] == ["refund_basis"]
    seconds[0] = 60.0
    policies.get(shop.store_id)
    assert [problem.attribute for problem in reported[2].problems] == ["enabled"]
    assert len(reported) == 3


def test_a_store_id_that_no_scope_can_have_has_the_default_policy(shop: Shop) -> None:
    assert shop.policies().get("x" * 3000) == shop.policies().get("no such store")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "ProvisionedThroughputExceededException"),
        (400, "ThrottlingException"),
        (400, "RequestLimitExceeded"),
        (500, "InternalServerError"),
        (503, "ServiceUnavailable"),
    ],
)
def test_a_throttling_database_is_told_as_unavailable(status: int, code: str) -> None:
    with fake_service(lambda _: (status, {"__type": f"x#{code}"})) as port:
        client = impatient("dynamodb", port)

        with pytest.raises(ServiceUnavailable):
            Orders(client, "orders").get("o1")
        with pytest.raises(ServiceUnavailable):
            Policies(client, CONFIG, 0, print).get("default")


def test_config_that_was_throttled_away_is_unavailable_not_absent() -> None:
    answer = {"Responses": {}, "UnprocessedKeys": {"config": {"Keys": [{"scope": {"S": "default"}}]}}}

    with fake_service(lambda _: (200, answer)) as port, pytest.raises(ServiceUnavailable):
        Policies(impatient("dynamodb", port), CONFIG, 0, print).get("default")


def test_a_database_that_is_not_there_is_told_as_unavailable() -> None:
    with pytest.raises(ServiceUnavailable):
        Orders(impatient("dynamodb", 1), "orders").get("o1")


def test_a_function_that_can_get_no_credentials_just_now_is_unavailable() -> None:
    def refresh() -> dict[str, str]:
        raise CredentialRetrievalError(provider="container-role", error_msg="the endpoint is busy")

    # As botocore has them where Lambda gives them by an endpoint.
    credentials = DeferredRefreshableCredentials(refresh, "container-role")
    session = get_session()
    session.register_component("credential_provider", SimpleNamespace(load_credentials=lambda: credentials))
    client: Any = session.create_client("dynamodb", region_name="eu-north-1", endpoint_url="http://127.0.0.1:1")

    with pytest.raises(ServiceUnavailable):
        Orders(client, "orders").get("o1")


def test_what_does_not_pass_by_itself_is_a_defect(shop: Shop) -> None:
    with pytest.raises(shop.client.exceptions.ResourceNotFoundException):
        Orders(shop.client, "no-such-table").get("o1")
