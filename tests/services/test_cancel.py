"""The cancel against a real engine, with the races forced: the order system writes between our read and our write."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.entrypoints.http.documents import canceled_view
from cancel_core.errors import (
    ConcurrentUpdate,
    IdempotencyKeyReused,
    InvalidCancellationReason,
    OrderNotCancellable,
    OrderNotFound,
    OrderTooLarge,
    OrderUnreadable,
    Refusal,
)
from cancel_core.services.cancel import Canceled, cancel_order

from tests.support.orders import document, item, paid, payment
from tests.support.tables import NOW, Aws, Calls, Shop, request


def cancel(shop: Shop, order_id: str, **more: Any) -> Canceled:
    return cancel_order(shop.orders, shop.policies(), request(order_id, **more), lambda: NOW)


def test_a_cancel_takes_two_round_trips(shop: Shop) -> None:
    order_id = shop.put(paid())
    policies = shop.policies(cache_seconds=60)
    policies.get(shop.store_id)
    calls = Calls(shop.client)

    cancel_order(shop.orders, policies, request(order_id), lambda: NOW)

    assert calls.made == ["Query", "UpdateItem"]


def test_the_answer_is_what_the_table_holds(shop: Shop) -> None:
    order_id = shop.put(paid())

    canceled = cancel(shop, order_id)

    assert canceled.stored.document == shop.stored(order_id).document
    assert canceled_view(canceled, NOW)["order"]["status"] == "canceled"
    assert shop.document(order_id)["refund_pending_since"].startswith("2026-11-22T10:00:00Z#")


@pytest.mark.parametrize(
    ("meanwhile", "code"),
    [
        ({"items": [item(invoiced=1, qty_shipped=1)]}, "PARTIAL_ORDER_ITEM_SHIPPED"),
        ({"status": "complete"}, "INVALID_ORDER_STATUS"),
        ({"customer_id": "someone else"}, "ORDER_NOT_FOUND"),
    ],
)
def test_an_order_that_ships_between_read_and_write_is_not_cancelled(
    shop: Shop, meanwhile: dict[str, Any], code: str
) -> None:
    order_id = shop.put(paid())
    Calls(shop.client).before("UpdateItem", lambda: shop.set(order_id, **meanwhile))

    with pytest.raises(Refusal) as refused:
        cancel(shop, order_id)

    assert refused.value.code == code
    assert "cancellation" not in shop.document(order_id)


def test_a_capture_between_read_and_write_is_refunded(shop: Shop) -> None:
    order_id = shop.put(document(payments=[payment(authorized=10000)]))
    meanwhile = {"items": [item(invoiced=1)], "payments": [payment(captured=10000)]}
    Calls(shop.client).before("UpdateItem", lambda: shop.set(order_id, **meanwhile))

    refund = canceled_view(cancel(shop, order_id), NOW)["cancellation"]["refund"]

    assert (refund["amount"], [leg["action"] for leg in refund["payments"]]) == (10000, ["refund"])


def test_an_order_that_keeps_changing_is_given_up_after_a_while(shop: Shop, aws: Aws) -> None:
    order_id = shop.put(paid())
    writer = aws.client("dynamodb")
    busy = Orders(writer, shop.tables["orders"])
    amounts = iter(range(1, 100))
    calls = Calls(writer)

    def ship_more() -> None:
        shop.set(order_id, payments=[payment(captured=10000 + next(amounts))])
        calls.before("UpdateItem", ship_more)

    calls.before("UpdateItem", ship_more)

    with pytest.raises(ConcurrentUpdate) as refused:
        cancel_order(busy, shop.policies(), request(order_id), lambda: NOW)

    assert refused.value.order is not None
    assert calls.made.count("UpdateItem") == 5
    assert calls.made.count("Query") == 1


def lose_the_answer(shop: Shop, aws: Aws) -> tuple[Orders, Callable[[str], None]]:
    """Orders whose next write reaches the table and whose answer never comes back."""
    losing = aws.client("dynamodb", retries={"mode": "standard", "total_max_attempts": 2})
    sent: list[Any] = []

    def keep(params: dict[str, Any], **_: Any) -> None:
        sent.append(dict(params))

    losing.meta.events.register("provide-client-params.dynamodb.UpdateItem", keep)

    def arrive_and_fail() -> None:
        shop.client.update_item(**sent[-1])
        raise EndpointConnectionError(endpoint_url="lost")

    return Orders(losing, shop.tables["orders"]), lambda operation: Calls(losing).before(operation, arrive_and_fail)


def test_a_lost_answer_does_not_make_our_own_write_look_like_someone_elses(shop: Shop, aws: Aws) -> None:
    order_id = shop.put(paid())
    orders, lose = lose_the_answer(shop, aws)
    lose("UpdateItem")

    canceled = cancel_order(orders, shop.policies(), request(order_id), lambda: NOW)

    assert not canceled.replayed
    assert canceled.stored.order.status == "canceled"


@pytest.mark.parametrize("key", [None, "the same"])
def test_of_simultaneous_cancels_one_wins(shop: Shop, key: str | None) -> None:
    order_id = shop.put(paid())

    def one(number: int) -> str:
        try:
            canceled = cancel(shop, order_id, key=key, request_id=f"request-{number}")
        except Refusal as refusal:
            return refusal.code
        return "replayed" if canceled.replayed else "canceled"

    with ThreadPoolExecutor(20) as pool:
        answers = sorted(pool.map(one, range(20)))

    assert answers.count("canceled") == 1
    assert set(answers) - {"canceled"} == {"replayed" if key else "INVALID_ORDER_STATUS"}
    assert len(shop.document(order_id)["history"]) == 2


def code_of_refusal(shop: Shop, order_id: str, **asked: Any) -> str:
    with pytest.raises(OrderNotCancellable) as refused:
        cancel(shop, order_id, **asked)
    return refused.value.code


def test_a_repeat_is_replayed_and_another_body_refused(shop: Shop) -> None:
    order_id = shop.put(paid())
    first = cancel(shop, order_id, key="k")
    shop.configure(enabled=False)

    again = cancel(shop, order_id, key="k", request_id="request-2")

    assert again.replayed
    assert canceled_view(again, NOW)["cancellation"] == canceled_view(first, NOW)["cancellation"]
    with pytest.raises(IdempotencyKeyReused):
        cancel(shop, order_id, key="k", reason="mistake")
    assert code_of_refusal(shop, order_id, key="another") == "ORDER_CANCELLATION_DISABLED"


def test_refusals_come_in_the_order_they_are_checked(shop: Shop) -> None:
    order_id = shop.put(document(status="complete", items=[item(qty_shipped=1)]))
    shop.configure(enabled=False)
    with pytest.raises(OrderNotFound):
        cancel(shop, order_id, customer_id="c2", reason="none")
    assert code_of_refusal(shop, order_id, reason="none") == "ORDER_CANCELLATION_DISABLED"
    shop.configure()
    assert code_of_refusal(shop, order_id, reason="none") == "INVALID_ORDER_STATUS"
    shop.set(order_id, status="pending")
    with pytest.raises(OrderNotCancellable) as refused:
        cancel(shop, order_id, reason="none")
    assert (refused.value.code, refused.value.item_ids) == ("PARTIAL_ORDER_ITEM_SHIPPED", ("i1",))
    shop.set(order_id, items=[item()])
    with pytest.raises(InvalidCancellationReason):
        cancel(shop, order_id, reason="none")
    assert canceled_view(cancel(shop, order_id), NOW)["order"]["status"] == "canceled"


def test_a_guests_order_is_nobodys(shop: Shop) -> None:
    source = paid()
    del source["customer_id"]
    order_id = shop.put(source)

    for customer_id in (None, "", "None", "c1"):
        with pytest.raises(OrderNotFound):
            cancel(shop, order_id, customer_id=customer_id)


def test_an_order_that_cannot_be_read_is_refused_before_anything_is_written(shop: Shop) -> None:
    order_id = shop.put(paid(payments=[payment("same"), payment("same")]))

    with pytest.raises(OrderUnreadable):
        cancel(shop, order_id)

    assert "cancellation" not in shop.document(order_id)


def sized(size: int, source: dict[str, Any]) -> dict[str, Any]:
    return source | {"blob": "x" * size}


@pytest.mark.parametrize("size", [1, 300 * 1024 - 1000])
def test_an_order_of_300_kb_is_cancelled(shop: Shop, size: int) -> None:
    order_id = shop.put(sized(size, paid()))

    assert canceled_view(cancel(shop, order_id), NOW)["order"]["status"] == "canceled"


@pytest.mark.parametrize("invoiced", [0, 1])
def test_a_300_kb_order_of_many_rows_is_cancelled(shop: Shop, invoiced: int) -> None:
    rows = [item(f"item-{number:05}", invoiced=invoiced, amount=12900, name="Thing " * 20) for number in range(1340)]
    order_id = shop.put(paid(items=rows, payments=[payment(captured=12900 * invoiced * len(rows))]))
    assert 290 * 1024 < shop.stored(order_id).size < 310 * 1024

    order = cancel(shop, order_id).stored.order

    assert order.status == "canceled"
    assert order.cancellation
    assert (order.cancellation.refund is None) == (not invoiced)


@pytest.mark.parametrize("size", [392 * 1024, 397 * 1024])
def test_an_order_that_its_refund_would_make_too_large_is_refused_while_nothing_is_begun(shop: Shop, size: int) -> None:
    rows = [item(f"item-{number:05}", invoiced=1, amount=12900) for number in range(60)]
    source = paid(items=rows, payments=[payment(captured=12900 * len(rows))])
    smaller = shop.stored(shop.put(source)).size
    order_id = shop.put(sized(size - smaller, source))

    with pytest.raises(OrderTooLarge) as refused:
        cancel(shop, order_id)

    assert refused.value.order is not None
    assert "cancellation" not in shop.document(order_id)


def test_a_repeat_of_a_cancel_that_an_earlier_version_made_is_found(shop: Shop) -> None:
    """It kept a plain hash of the body."""
    order_id = shop.put(paid())
    cancel_order(shop.orders, shop.policies(), request(order_id, key="k"), lambda: NOW)
    again = request(order_id, key="k")
    assert again.fingerprint
    keyed = again._replace(fingerprint=again.fingerprint.model_copy(update={"body": "keyed"}), earlier_body="other")

    assert cancel_order(shop.orders, shop.policies(), keyed, lambda: NOW).replayed
    with pytest.raises(IdempotencyKeyReused):
        cancel_order(shop.orders, shop.policies(), keyed._replace(earlier_body="another"), lambda: NOW)
