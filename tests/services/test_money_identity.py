"""One refund for each payment of an order, over its whole life: whatever names, dates and writes come in between."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.domain.provider import Outcome
from cancel_core.errors import CancellationErased, OrderNotCancellable, ProviderUnavailable
from cancel_core.services.announce import Change, publish_changes
from cancel_core.services.cancel import cancel_order
from cancel_core.telemetry import flush

from ops.settlement import Person, give_up, retry, settle
from tests.support.bank import Acquirer, Bank, Crash, Held, broken_off, canceled, crash, run
from tests.support.orders import item, paid, payment
from tests.support.tables import NOW, Calls, Heard, Shop, request

ANN = Person("ann@shop.example", "seen to it")
CORRECTED = "2026-11-20T10:00:00.000Z"
"""The same moment as the orders' own, in another spelling."""


def one_reference() -> tuple[dict[str, Any], Acquirer]:
    payments = [payment("p1", captured=6000, reference="shared"), payment("p2", captured=4000, reference="shared")]
    return paid(payments=payments), Acquirer(shared=Held(10000))


def assert_both_were_paid(shop: Shop, order_id: str, bank: Acquirer) -> None:
    document = shop.refund_document(order_id)
    assert bank.given("shared") == 10000
    assert [row["amount_refunded"] for row in shop.document(order_id)["payments"]] == [6000, 4000]
    assert document["status"] == "succeeded"
    assert len({leg["reference"] for leg in document["payments"]}) == 2


@pytest.mark.parametrize("fault", [None, ProviderUnavailable("busy"), Crash(), Outcome("new_key", message="a 500")])
def test_two_payments_of_one_reference_are_paid_each_for_itself(shop: Shop, fault: Any) -> None:
    source, bank = one_reference()
    order_id = canceled(shop, source)
    bank.faults = [None, fault]
    if isinstance(fault, Crash | ProviderUnavailable):
        with pytest.raises(type(fault)):
            run(shop, order_id, bank)
        assert bank.given("shared") == 6000

    run(shop, order_id, bank)

    assert_both_were_paid(shop, order_id, bank)
    assert run(shop, order_id, bank) is None


def test_of_two_payments_of_one_reference_the_declined_one_is_not_taken_for_the_other(shop: Shop) -> None:
    source, bank = one_reference()
    order_id = canceled(shop, source)
    bank.faults = [None, Outcome("failed", message="400")]

    run(shop, order_id, bank)

    assert bank.given("shared") == 6000
    assert shop.refund_document(order_id)["status"] == "failed"
    assert [row.get("amount_refunded", 0) for row in shop.document(order_id)["payments"]] == [6000, 0]
    retry(shop.orders, shop.refunds, Heard(), order_id, ANN, NOW)
    run(shop, order_id, bank)
    assert_both_were_paid(shop, order_id, bank)


def test_a_placing_time_that_is_corrected_after_the_cancel_changes_nothing(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, paid())
    before = shop.stored(order_id)
    shop.set(order_id, placed_at=CORRECTED)

    refund = run(shop, order_id, bank)

    assert refund
    assert refund.status == "succeeded"
    assert bank.amounts == {"ref-p1": 10000}
    assert shop.stored(order_id).cancellation_id == before.cancellation_id
    assert shop.document(order_id)["placed_at"] == CORRECTED


@pytest.mark.parametrize("asked", [False, True])
def test_a_placing_time_that_is_corrected_while_the_refund_goes_on_changes_nothing(shop: Shop, *, asked: bool) -> None:
    bank, order_id = Bank(), canceled(shop, paid())
    if asked:
        broken_off(shop, order_id, bank)
    else:
        Calls(shop.client).before("TransactWriteItems", crash)
        with pytest.raises(Crash):
            run(shop, order_id, bank)
    shop.set(order_id, placed_at=CORRECTED)

    run(shop, order_id, bank)

    assert bank.amounts == {"ref-p1": 10000}
    assert shop.refund_document(order_id)["status"] == "succeeded"


def test_a_placing_time_that_is_corrected_between_a_cancels_read_and_its_write_is_read_anew(shop: Shop) -> None:
    bank, order_id = Bank(), shop.put(paid())
    calls = Calls(shop.client)
    calls.before("UpdateItem", lambda: shop.set(order_id, placed_at=CORRECTED))

    cancel_order(shop.orders, shop.policies(), request(order_id), lambda: NOW)
    run(shop, order_id, bank)

    assert bank.amounts == {"ref-p1": 10000}
    assert shop.document(order_id)["cancellation"]["refund"]["status"] == "succeeded"
    assert run(shop, order_id, bank) is None


def written_over(shop: Shop, order_id: str, source: dict[str, Any]) -> Change:
    """A blind put, and the stream's record of it."""
    before = shop.stored(order_id)
    shop.write(source | {"order_id": order_id, "store_id": shop.store_id})
    return Change("1", before, shop.stored(order_id))


def published(shop: Shop, *changes: Change) -> Heard:
    heard = Heard()
    assert publish_changes(shop.orders, shop.refunds, heard, changes, NOW) == []
    return heard


@pytest.mark.parametrize("refunded", [False, True])
def test_a_cancellation_that_was_put_over_with_another_placing_time_is_put_back(shop: Shop, *, refunded: bool) -> None:
    source = paid(payments=[payment(captured=20000)])
    bank, order_id = Bank(), canceled(shop, source)
    if refunded:
        run(shop, order_id, bank)
    change = written_over(shop, order_id, source | {"placed_at": CORRECTED})
    assert change.before

    published(shop, change)

    assert shop.stored(order_id).cancellation_id == change.before.cancellation_id
    with pytest.raises(OrderNotCancellable):
        cancel_order(shop.orders, shop.policies(), request(order_id, request_id="request-2"), lambda: NOW)
    run(shop, order_id, bank)
    assert bank.amounts == {"ref-p1": 10000}
    assert shop.document(order_id)["payments"][0]["amount_refunded"] == 10000


@pytest.mark.parametrize("so_far", ["booked", "asked", "pending there"])
@pytest.mark.parametrize("placed_at", ["2026-11-20T10:00:00Z", CORRECTED])
def test_cancelled_anew_before_its_cancellation_is_back_it_is_not_paid_twice(
    shop: Shop, so_far: str, placed_at: str
) -> None:
    source = paid(payments=[payment(captured=20000)])
    bank, order_id = Bank(), canceled(shop, source)
    first = shop.stored(order_id).cancellation_id
    if so_far == "asked":
        broken_off(shop, order_id, bank)
    else:
        bank.thinking = so_far == "pending there"
        run(shop, order_id, bank)
    change = written_over(shop, order_id, source | {"placed_at": placed_at})
    cancel_order(shop.orders, shop.policies(), request(order_id, request_id="request-2"), lambda: NOW)
    renewed = shop.document(order_id)["cancellation"]
    published(shop, change)
    assert shop.document(order_id)["cancellation"] == renewed

    if bank.thinking:
        waiting = run(shop, order_id, bank)
        assert waiting
        assert waiting.status == "pending"
        bank.thinking = False
    run(shop, order_id, bank)

    order = shop.document(order_id)
    assert bank.amounts == {"ref-p1": 10000}
    assert (order["payments"][0]["amount_refunded"], order["items"][0]["amount_refunded"]) == (10000, 10000)
    assert order["cancellation"]["refund"]["status"] == shop.refund_document(order_id)["status"] == "succeeded"
    assert (shop.stored(order_id).cancellation_id == first) is (placed_at == source["placed_at"])
    assert run(shop, order_id, bank) is None


def older(shop: Shop, order_id: str) -> dict[str, Any]:
    """The order as its system has read it now, to be put later on condition of the status."""
    return shop.stored(order_id).raw


def put_on_condition(shop: Shop, raw: dict[str, Any]) -> Change:
    before = shop.stored(raw["order_id"]["S"])
    shop.client.put_item(
        TableName=shop.tables["orders"],
        Item=raw,
        ConditionExpression="#status = :status",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": raw["status"]},
    )
    return Change("1", before, StoredOrder(raw))


def part_invoiced() -> dict[str, Any]:
    """An order whose status stays `canceled` when its refund is booked."""
    return paid(items=[item("a", invoiced=1), item("b", amount=500)])


def assert_they_agree(shop: Shop, order_id: str, status: str) -> None:
    order, document = shop.document(order_id), shop.refund_document(order_id)
    assert order["cancellation"]["refund"]["status"] == document["status"] == status
    assert order["cancellation"]["refund"]["amount"] == document["amount"]
    assert ("refund_pending_since" in order) is (status == "pending")
    listed = document["refund_id"] in set(shop.refunds.unsettled())
    assert listed is (status != "succeeded")


def test_an_older_state_that_was_put_after_the_booking_is_replaced_by_the_newer(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, part_invoiced())
    raw = older(shop, order_id)
    run(shop, order_id, bank)
    booked = shop.document(order_id)

    change = put_on_condition(shop, raw)
    published(shop, change)

    assert_they_agree(shop, order_id, "succeeded")
    after = shop.document(order_id)
    assert (after["items"], after["payments"]) == (booked["items"], booked["payments"])
    assert run(shop, order_id, bank) is None
    assert bank.amounts == {"ref-p1": 10000}


def test_an_older_state_is_booked_again_also_where_the_refund_comes_before_the_stream(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, part_invoiced())
    raw = older(shop, order_id)
    run(shop, order_id, bank)
    change = put_on_condition(shop, raw)

    run(shop, order_id, bank)
    published(shop, change)

    assert_they_agree(shop, order_id, "succeeded")
    assert shop.document(order_id)["payments"][0]["amount_refunded"] == 10000
    assert bank.amounts == {"ref-p1": 10000}


def test_an_older_state_that_was_put_after_a_settlement_is_replaced_by_the_newer(shop: Shop) -> None:
    bank = Bank()
    bank.declines["ref-p1"] = "no"
    order_id = canceled(shop, part_invoiced())
    run(shop, order_id, bank)
    raw = older(shop, order_id)
    settle(shop.orders, shop.refunds, order_id, ANN, NOW)

    published(shop, put_on_condition(shop, raw))

    assert_they_agree(shop, order_id, "succeeded")
    assert shop.document(order_id)["items"][0]["amount_refunded"] == 10000
    assert shop.document(order_id)["cancellation"]["refund"]["settled_by_hand"] == 10000


@pytest.mark.parametrize("stream_first", [True, False])
def test_an_older_state_that_was_put_after_a_retry_does_not_end_it(shop: Shop, *, stream_first: bool) -> None:
    bank = Bank()
    bank.declines["ref-p1"] = "no"
    order_id = canceled(shop, part_invoiced())
    run(shop, order_id, bank)
    raw = older(shop, order_id)
    retry(shop.orders, shop.refunds, Heard(), order_id, ANN, NOW)
    change = put_on_condition(shop, raw)
    bank.declines.clear()

    if stream_first:
        published(shop, change)
        assert_they_agree(shop, order_id, "pending")
    run(shop, order_id, bank)
    published(shop, change)

    assert_they_agree(shop, order_id, "succeeded")
    assert bank.amounts == {"ref-p1": 10000}


@pytest.mark.parametrize("asked", ["short", "declined", "never", "landed", "found there"])
@pytest.mark.parametrize("placed_at", ["2026-11-20T10:00:00Z", CORRECTED])
def test_what_a_person_has_settled_by_hand_is_not_paid_when_the_order_is_cancelled_anew(
    shop: Shop, placed_at: str, asked: str
) -> None:
    source = paid(payments=[payment(captured=20000)])
    bank, order_id = Acquirer(**{"ref-p1": Held(20000)}), canceled(shop, source)
    if asked == "short":
        shop.set(order_id, payments=[payment(captured=5000)])
        run(shop, order_id, bank)
    elif asked == "declined":
        bank.faults = [Outcome("failed", message="no")]
        run(shop, order_id, bank)
    else:
        bank.faults = [Acquirer.LATE]
        with pytest.raises(ProviderUnavailable):
            run(shop, order_id, bank)
        give_up(shop.orders, shop.refunds, order_id, ANN, NOW)
    settle(shop.orders, shop.refunds, order_id, ANN, NOW)
    if asked == "landed":
        bank.land()
    written_over(shop, order_id, source | {"placed_at": placed_at})
    cancel_order(shop.orders, shop.policies(), request(order_id, request_id="request-2"), lambda: NOW)

    for at in (NOW, NOW + timedelta(hours=3)):
        with suppress(ProviderUnavailable):
            run(shop, order_id, bank, at=at)
        if asked == "found there":
            bank.land()

    assert len(bank.asked) == (0 if asked == "short" else 1)
    order = shop.document(order_id)
    assert order["cancellation"]["refund"]["status"] == shop.refund_document(order_id)["status"] == "succeeded"
    assert order["items"][0]["amount_refunded"] == 10000
    if placed_at == CORRECTED:
        assert order["payments"][0].get("amount_refunded", 0) == (10000 if asked in {"landed", "found there"} else 0)


def test_a_refund_is_not_carried_out_while_its_cancellation_is_gone(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, paid())
    cancellation_id = shop.stored(order_id).cancellation_id
    change = written_over(shop, order_id, paid())

    with pytest.raises((CancellationErased, AssertionError)):
        run(shop, order_id, bank)
    published(shop, change)
    run(shop, order_id, bank)

    assert bank.amounts == {"ref-p1": 10000}
    assert shop.stored(order_id).cancellation_id == cancellation_id


@pytest.mark.parametrize("status", ["processing", "complete", "archived"])
def test_a_cancelled_order_that_gets_another_status_is_counted_and_told(
    shop: Shop, status: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    order_id = canceled(shop, paid())
    before = shop.stored(order_id)
    shop.set(order_id, status=status)
    flush()
    capsys.readouterr()

    published(shop, Change("1", before, shop.stored(order_id)))
    flush()

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["CanceledOrderReopened"] for line in lines if "CanceledOrderReopened" in line] == [[1.0]]
    told = [vars(record)["order_id"] for record in caplog.records if "another status" in record.message]
    assert told == [order_id]


@pytest.mark.parametrize(("status", "more"), [("canceled", {"note": "seen"}), ("closed", {})])
def test_a_cancelled_order_that_stays_cancelled_is_not_told(
    shop: Shop, status: str, more: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    order_id = canceled(shop, paid())
    before = shop.stored(order_id)
    shop.set(order_id, status=status, **more)
    flush()
    capsys.readouterr()

    published(shop, Change("1", before, shop.stored(order_id)))
    flush()

    assert "CanceledOrderReopened" not in capsys.readouterr().out
