"""From the stream's records to the bus, and again from the orders that have been pending for too long."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from cancel_core.adapters.dynamodb.attributes import plain
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.adapters.eventbridge import Bus
from cancel_core.adapters.providers.registry import providers
from cancel_core.errors import PublishFailed
from cancel_core.services.announce import Change, publish_changes
from cancel_core.services.cancel import cancel_order
from cancel_core.services.reconcile import reannounce
from cancel_core.services.refund import refund_order
from cancel_core.telemetry import flush

from tests.support import bank as provider
from tests.support.orders import canceled, item, paid, payment, refunded, stored
from tests.support.tables import NOW, Aws, Calls, Reply, Shop, Watched, fake_service, impatient, request


@pytest.fixture
def watched(aws: Aws) -> Watched:
    return Watched(aws)


def changes(number: int) -> list[Change]:
    """So many cancels, each of an order of its own."""
    orders = [paid(order_id=f"o{position}") for position in range(number)]
    return [Change(str(position), stored(order), canceled(order)) for position, order in enumerate(orders)]


def test_subscribers_receive_the_events(shop: Shop, watched: Watched) -> None:
    happened = [
        *changes(11),
        Change("11", canceled(paid()), refunded(canceled(paid()))),
        Change("12", None, stored(paid())),
    ]

    assert publish_changes(shop.orders, shop.refunds, watched.bus, happened, NOW) == []

    seen = watched.seen()
    assert {event["source"] for event in seen} == {"cancel-core"}
    kinds = [(event["detail-type"], event["detail"]["order_id"]) for event in seen]
    assert sorted(kinds) == sorted(
        [("OrderCanceled", f"o{number}") for number in range(11)] + [("OrderRefunded", "o1")]
    )


def test_a_record_that_cannot_be_read_does_not_hold_up_the_others(shop: Shop, watched: Watched) -> None:
    first, poison, last = changes(3)
    assert poison.after
    broken = StoredOrder(poison.after.raw | {"cancellation": {"S": "poison"}})

    failed = publish_changes(shop.orders, shop.refunds, watched.bus, [first, poison._replace(after=broken), last], NOW)

    assert failed == ["1"]
    assert [event["detail"]["order_id"] for event in watched.seen()] == ["o0", "o2"]


def test_an_event_that_would_be_too_large_goes_without_its_rows(shop: Shop, watched: Watched) -> None:
    rows = [item(f"{number:05}" + "x" * 40, invoiced=1, amount=1) for number in range(2500)]
    source = paid(items=rows)

    publish_changes(shop.orders, shop.refunds, watched.bus, [Change("1", stored(source), canceled(source))], NOW)

    (event,) = watched.seen()
    assert event["detail"]["items"] == []
    assert event["detail"]["refund"] == {"amount": 2500, "currency": "SEK"}


def every_other(request: dict[str, Any]) -> Reply:
    """A bus that takes every other entry, and answers 200 all the same."""
    entries = [
        {"EventId": str(number)} if number % 2 else {"ErrorCode": "ThrottlingException", "ErrorMessage": "busy"}
        for number in range(len(request["Entries"]))
    ]
    return 200, {"FailedEntryCount": (len(entries) + 1) // 2, "Entries": entries}


@pytest.fixture
def refusing() -> Iterator[Bus]:
    with fake_service(every_other) as port:
        yield Bus(impatient("events", port), "bus")


def test_entries_that_the_bus_refused_are_given_again(shop: Shop, refusing: Bus) -> None:
    assert publish_changes(shop.orders, shop.refunds, refusing, changes(13), NOW) == [
        "0",
        "2",
        "4",
        "6",
        "8",
        "10",
        "12",
    ]


def test_a_bus_that_is_not_there_loses_nothing(shop: Shop) -> None:
    assert publish_changes(shop.orders, shop.refunds, Bus(impatient("events", 1), "bus"), changes(2), NOW) == ["0", "1"]


def plenty() -> float:
    """The seconds that are left to a run."""
    return 600


def test_what_has_been_pending_too_long_is_announced_again(shop: Shop, watched: Watched) -> None:
    order_id = shop.put(paid())
    cancel_order(shop.orders, shop.policies(), request(order_id), lambda: NOW)

    reannounce(shop.orders, shop.refunds, watched.bus, NOW + timedelta(seconds=29), timedelta(seconds=30), plenty)
    assert order_id not in [event["detail"]["order_id"] for event in watched.seen()]
    reannounce(shop.orders, shop.refunds, watched.bus, NOW + timedelta(seconds=30), timedelta(seconds=30), plenty)
    (event,) = [event for event in watched.seen() if event["detail"]["order_id"] == order_id]

    assert event["detail-type"] == "OrderCanceled"
    assert event["detail"]["items"] == [{"item_id": "i1", "sku": "sku-i1", "qty_canceled": 0, "qty_refunded": 1}]


def test_what_was_announced_is_not_announced_at_every_run(shop: Shop, watched: Watched) -> None:
    order_id = shop.put(paid())
    cancel_order(shop.orders, shop.policies(), request(order_id), lambda: NOW)
    seen = []

    for seconds in (30, 45, 60, 75):
        reannounce(
            shop.orders, shop.refunds, watched.bus, NOW + timedelta(seconds=seconds), timedelta(seconds=30), plenty
        )
        seen.append([event["detail"]["order_id"] for event in watched.seen()].count(order_id))

    assert seen == [1, 0, 1, 0]


def erased(shop: Shop, source: dict[str, Any], *, refunded: bool = False, **more: Any) -> tuple[str, Change]:
    """An order that was cancelled (and refunded), and then put blindly as it was before; and the stream's record."""
    order_id = shop.put(source)
    cancel_order(shop.orders, shop.policies(), request(order_id), lambda: NOW)
    if refunded:
        cancellation_id = shop.stored(order_id).cancellation_id
        refund_order(shop.refunds, providers(), order_id, cancellation_id, lambda: NOW)
    before = shop.stored(order_id)
    shop.write(source | {"order_id": order_id, "store_id": shop.store_id} | more)
    return order_id, Change("1", before, shop.stored(order_id))


@pytest.mark.parametrize("refunded", [False, True])
def test_an_erased_cancellation_is_put_back_with_its_sums(shop: Shop, watched: Watched, refunded: bool) -> None:
    source = paid(shipping={"amount_invoiced": 500}, fees=[{"fee_id": "f", "name": "F", "amount_invoiced": 70}])
    source |= {"payments": [payment("p1", captured=10570), payment("p2", authorized=700)], "shops_own": {"a"}}
    order_id, change = erased(shop, source, refunded=refunded)
    assert change.before

    for _ in range(2):
        # The stream gives a record again, and nothing more comes of it.
        assert publish_changes(shop.orders, shop.refunds, watched.bus, [change], NOW) == []

    after, was = shop.document(order_id), plain(change.before.raw)
    history = after.pop("history")
    assert history[-1]["comment"] == "The order system wrote over the cancellation; it has been put back."
    assert len(history) == len(source["history"]) + 1
    was.pop("history")
    assert after == was


def test_a_refund_that_was_under_way_goes_on_when_its_cancellation_is_back(shop: Shop, watched: Watched) -> None:
    order_id, change = erased(shop, paid())
    publish_changes(shop.orders, shop.refunds, watched.bus, [change], NOW)

    # The write that puts it back is in the stream as any other.
    publish_changes(shop.orders, shop.refunds, watched.bus, [Change("2", change.after, shop.stored(order_id))], NOW)

    (event,) = watched.seen()
    assert event["detail-type"] == "OrderCanceled"
    assert change.before
    assert event["detail"]["cancellation_id"] == change.before.cancellation_id


def test_what_the_order_system_has_booked_since_is_not_taken_back(shop: Shop, watched: Watched) -> None:
    order_id, change = erased(shop, paid(), payments=[payment(captured=10000, amount_refunded=9000)])

    publish_changes(shop.orders, shop.refunds, watched.bus, [change], NOW)

    assert shop.document(order_id)["payments"][0]["amount_refunded"] == 9000


@pytest.mark.parametrize(
    "left", [{"status": "complete"}, {"items": [item(invoiced=1, qty_shipped=1)], "status": "processing"}]
)
def test_an_order_that_has_left_keeps_its_status_and_a_person_is_told(
    shop: Shop, watched: Watched, left: dict[str, Any]
) -> None:
    order_id, change = erased(shop, paid(), **left)
    assert change.before

    publish_changes(shop.orders, shop.refunds, watched.bus, [change], NOW)

    assert shop.document(order_id)["status"] == left["status"]
    refund_order(shop.refunds, providers(), order_id, change.before.cancellation_id, lambda: NOW)
    refund = shop.order(order_id).cancellation
    assert refund
    assert refund.refund
    assert refund.refund.status == "failed"
    assert "amount_refunded" not in shop.document(order_id)["payments"][0]


def test_a_cancellation_is_put_back_on_an_order_that_cannot_be_read(shop: Shop, watched: Watched) -> None:
    order_id, change = erased(shop, paid(), items="gone")

    publish_changes(shop.orders, shop.refunds, watched.bus, [change], NOW)

    after = shop.document(order_id)
    assert after["items"] == "gone"
    assert after["cancellation"]["refund"]["status"] == "pending"
    assert "refund_pending_since" in after


def test_cancelled_anew_there_is_nothing_to_put_back(shop: Shop, watched: Watched) -> None:
    order_id, change = erased(shop, paid())
    cancel_order(shop.orders, shop.policies(), request(order_id, request_id="request-2"), lambda: NOW)
    before = shop.document(order_id)

    publish_changes(shop.orders, shop.refunds, watched.bus, [change], NOW)

    assert shop.document(order_id) == before


def test_a_cancellation_is_put_back_also_while_the_order_changes(shop: Shop, watched: Watched) -> None:
    order_id, change = erased(shop, paid())
    Calls(shop.client).before("UpdateItem", lambda: shop.set(order_id, payments=[payment(captured=10001)]))

    assert publish_changes(shop.orders, shop.refunds, watched.bus, [change], NOW) == []

    after = shop.document(order_id)
    assert after["status"] == "canceled"
    assert after["payments"][0]["amount_captured"] == 10001


def test_a_deleted_order_is_not_made_anew_and_its_refund_is_told_as_failed(shop: Shop, watched: Watched) -> None:
    order_id, change = erased(shop, paid())
    shop.client.delete_item(TableName=shop.tables["orders"], Key={"order_id": {"S": order_id}})

    publish_changes(shop.orders, shop.refunds, watched.bus, [change._replace(after=None)], NOW)

    assert shop.orders.get(order_id) is None
    (event,) = watched.seen()
    assert event["detail-type"] == "OrderRefundFailed"


def test_a_table_that_throttles_has_the_record_given_again(shop: Shop, watched: Watched) -> None:
    _, change = erased(shop, paid())
    busy: Reply = (400, {"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"})
    with fake_service(lambda _: busy) as port:
        throttled = Orders(impatient("dynamodb", port), shop.tables["orders"])
        assert publish_changes(throttled, shop.refunds, watched.bus, [*changes(1), change], NOW) == ["1"]

    assert len(watched.seen()) == 1


def test_an_order_that_is_not_pending_any_more_is_not_announced(shop: Shop, watched: Watched) -> None:
    # The index may lag behind the table; here the attribute was left behind altogether.
    order_id = shop.put(paid(refund_pending_since="2001-01-01T00:00:00Z"))

    reannounce(shop.orders, shop.refunds, watched.bus, NOW, timedelta(seconds=30), plenty)

    assert order_id not in [event["detail"]["order_id"] for event in watched.seen()]


def measured(text: str) -> float:
    """The age of the oldest pending refund, as the run has told it."""
    lines = [json.loads(line) for line in text.splitlines() if '"RefundPendingSeconds"' in line]
    return float(max(value for line in lines for value in line["RefundPendingSeconds"]))


def test_a_run_that_is_killed_has_told_how_long_customers_wait(
    shop: Shop, watched: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    order_id = shop.put(paid())
    cancel_order(shop.orders, shop.policies(), request(order_id), lambda: NOW - timedelta(days=800))
    flush()
    capsys.readouterr()

    class Killed(BaseException):
        pass

    def killed() -> float:
        # The index is read part by part, and which part has this order comes from its id.
        if order_id in [event["detail"]["order_id"] for event in watched.seen()]:
            raise Killed
        return plenty()

    with pytest.raises(Killed):
        reannounce(shop.orders, shop.refunds, watched.bus, NOW, timedelta(minutes=15), killed)

    assert measured(capsys.readouterr().out) > 0


def test_a_run_without_time_ends_and_the_next_begins_elsewhere(shop: Shop, watched: Watched) -> None:
    order_ids = [shop.put(paid()) for _ in range(40)]
    for order_id in order_ids:
        cancel_order(shop.orders, shop.policies(), request(order_id), lambda: NOW)
    seen: set[str] = set()

    for minute in range(60, 60 + 40):
        now = NOW + timedelta(minutes=minute)
        reannounce(shop.orders, shop.refunds, watched.bus, now, timedelta(hours=1), lambda: 0)
        seen |= {event["detail"]["order_id"] for event in watched.seen()}

    assert set(order_ids) <= seen


def test_what_only_the_refunds_table_remembers_is_announced(shop: Shop, watched: Watched) -> None:
    order_id = provider.canceled(shop, paid())
    bank = provider.Bank()
    bank.thinking = True
    provider.run(shop, order_id, bank)
    shop.client.update_item(
        TableName=shop.tables["orders"],
        Key={"order_id": {"S": order_id}},
        UpdateExpression="REMOVE refund_pending_since",
    )

    reannounce(shop.orders, shop.refunds, watched.bus, NOW + timedelta(hours=1), timedelta(minutes=15), plenty)

    assert order_id in [event["detail"]["order_id"] for event in watched.seen()]


def test_the_oldest_pending_refund_is_told_by_the_age_of_its_cancel(
    shop: Shop, watched: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    # Long before whatever else is pending in these tables.
    order_id = shop.put(paid())
    cancel_order(shop.orders, shop.policies(), request(order_id), lambda: NOW - timedelta(days=900))
    ages = []
    # What other tests have counted in this process.
    flush()
    capsys.readouterr()

    for minutes in (0, 15):
        now = NOW + timedelta(minutes=minutes)
        # The second time it stands in the index since the first.
        reannounce(shop.orders, shop.refunds, watched.bus, now, timedelta(minutes=15), plenty)
        flush()
        ages.append(measured(capsys.readouterr().out))

    day = 24 * 3600
    assert ages == [900 * day, 900 * day + 900]
    shop.client.delete_item(TableName=shop.tables["orders"], Key={"order_id": {"S": order_id}})


def test_a_cancel_whose_time_cannot_be_read_does_not_hold_up_the_others(shop: Shop, watched: Watched) -> None:
    order_ids = [shop.put(paid()) for _ in range(2)]
    for order_id in order_ids:
        cancel_order(shop.orders, shop.policies(), request(order_id), lambda: NOW)
    broken = shop.document(order_ids[0])["cancellation"] | {"requested_at": "last week"}
    shop.set(order_ids[0], cancellation=broken)

    reannounce(shop.orders, shop.refunds, watched.bus, NOW + timedelta(hours=1), timedelta(seconds=30), plenty)

    assert {event["detail"]["order_id"] for event in watched.seen()} >= set(order_ids)
    for order_id in order_ids:
        shop.client.delete_item(TableName=shop.tables["orders"], Key={"order_id": {"S": order_id}})


def test_what_could_not_be_announced_fails_the_run(shop: Shop, refusing: Bus) -> None:
    order_id = shop.put(paid())
    cancel_order(shop.orders, shop.policies(), request(order_id), lambda: NOW)

    with pytest.raises(PublishFailed):
        reannounce(shop.orders, shop.refunds, refusing, NOW + timedelta(hours=1), timedelta(seconds=30), plenty)
