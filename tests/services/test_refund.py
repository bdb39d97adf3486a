"""The refund against a real engine: broken off before each line that talks to the outside, run twice, run at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import count
from threading import Barrier
from typing import Any

import pytest
from cancel_core.adapters.dynamodb.attributes import plain
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.adapters.dynamodb.refunds import Refunds
from cancel_core.adapters.eventbridge import Bus
from cancel_core.errors import CancellationErased, ProviderUnavailable
from cancel_core.services.announce import Change, publish_changes
from cancel_core.services.cancel import cancel_order
from cancel_core.services.refund import RefundContended, refund_order

from tests.support.bank import Bank, Crash, broken_off, canceled, crash, run, three_payments
from tests.support.orders import document, item, paid, payment
from tests.support.tables import NOW, Aws, Calls, Shop, impatient, request


def assert_settled(shop: Shop, order_id: str, bank: Bank) -> None:
    after, refund = shop.document(order_id), shop.refund_document(order_id)
    assert bank.amounts == {"ref-p1": 4000, "ref-p2": 6000, "ref-p3": 700}
    assert [row.get("amount_refunded", 0) for row in after["payments"]] == [4000, 6000, 0]
    assert after["payments"][2]["amount_voided"] == 700
    assert (after["items"][0]["qty_refunded"], after["items"][0]["amount_refunded"]) == (1, 10000)
    assert (after["items"][0]["colour"], after["shops_own"]) == ("red", {"a", "b"})
    assert after["status"] == "closed"
    assert after["cancellation"]["refund"]["status"] == refund["status"] == "succeeded"
    assert [leg["reference"] for leg in refund["payments"]] == ["re_ref-p1", "re_ref-p2", "re_ref-p3"]
    assert_same_legs(shop, order_id)
    assert "refund_pending_since" not in after
    assert [entry["comment"] for entry in after["history"]].count("Refund completed.") == 1


def assert_same_legs(shop: Shop, order_id: str) -> None:
    """The document says more of a leg than the order does, and nothing else."""
    on_order = shop.document(order_id)["cancellation"]["refund"]["payments"]
    for leg, known in zip(on_order, shop.refund_document(order_id)["payments"], strict=True):
        assert leg.items() <= known.items()


def test_one_payment_takes_three_round_trips(shop: Shop) -> None:
    order_id = canceled(shop, paid())
    calls = Calls(shop.client)

    run(shop, order_id, Bank())

    # The first read is the test's own.
    assert calls.made[1:] == ["BatchGetItem", "TransactWriteItems", "TransactWriteItems"]


def test_each_further_payment_takes_one_round_trip_more(shop: Shop) -> None:
    order_id = canceled(shop, three_payments())
    calls = Calls(shop.client)

    run(shop, order_id, Bank())

    assert calls.made[1:] == ["BatchGetItem", *["TransactWriteItems"] * 4]


def test_the_offline_provider_completes_by_being_booked(shop: Shop) -> None:
    order_id = canceled(shop, paid())

    run(shop, order_id)

    (leg,) = shop.document(order_id)["cancellation"]["refund"]["payments"]
    assert leg["status"] == "succeeded"
    assert leg["reference"].startswith("offline_")


def test_every_leg_is_done_and_booked(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, three_payments())

    refund = run(shop, order_id, bank)

    assert refund
    assert refund.status == "succeeded"
    assert_settled(shop, order_id, bank)
    assert run(shop, order_id, bank) is None
    assert bank.asked == 3


def lines_of(shop: Shop) -> int:
    """How many times a refund of three payments talks to the database."""
    order_id = canceled(shop, three_payments())
    calls = Calls(shop.client)
    run(shop, order_id, Bank())
    return len(calls.made)


def test_broken_off_before_and_after_any_line_it_ends_the_same_when_it_comes_again(shop: Shop, aws: Aws) -> None:
    for line in range(1, lines_of(shop)):
        for arrives in (False, True):
            bank, order_id = Bank(), canceled(shop, three_payments())
            crashing = aws.client("dynamodb", retries={"mode": "standard", "total_max_attempts": 1})
            break_off_at(crashing, line, arrives=arrives)
            orders = Orders(crashing, shop.tables["orders"])
            cancellation = shop.order(order_id).cancellation
            assert cancellation

            with pytest.raises(Crash):
                refund_order(
                    Refunds(crashing, shop.tables["refunds"], orders),
                    {"offline": bank},
                    order_id,
                    cancellation.cancellation_id,
                    lambda: NOW,
                )
            run(shop, order_id, bank)

            assert_settled(shop, order_id, bank)


def break_off_at(client: Any, line: int, *, arrives: bool) -> None:
    """Ends the process at the client's call number `line`: before it is sent, or once it has taken effect."""
    numbers = count(1)

    def crash(**_: Any) -> None:
        if next(numbers) == line:
            raise Crash

    client.meta.events.register("response-received.*.*" if arrives else "before-send.*.*", crash)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("leg", [1, 2, 3])
def test_broken_off_around_the_provider_it_pays_once(shop: Shop, moment: str, leg: int) -> None:
    bank, order_id = Bank(), canceled(shop, three_payments())

    def crash() -> None:
        if bank.asked == leg:
            raise Crash

    setattr(bank, moment, crash)
    with pytest.raises(Crash):
        run(shop, order_id, bank)
    setattr(bank, moment, lambda: None)

    run(shop, order_id, bank)

    assert_settled(shop, order_id, bank)


def test_run_at_once_it_pays_once(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, three_payments())
    together = Barrier(4)
    first = count()

    def meet() -> None:
        # All four are past the intent, and about to ask for the same leg.
        if next(first) < 4:
            together.wait(timeout=20)

    bank.before = meet
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: run(shop, order_id, bank), range(4)))

    assert_settled(shop, order_id, bank)
    assert any(refund and refund.status == "succeeded" for refund in results)


def test_a_provider_that_is_away_is_asked_again_later(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, three_payments())

    def away() -> None:
        if bank.asked == 2:
            raise ProviderUnavailable("try later")

    bank.before = away
    with pytest.raises(ProviderUnavailable):
        run(shop, order_id, bank)
    between = shop.document(order_id)
    assert [row.get("amount_refunded", 0) for row in between["payments"]] == [4000, 0, 0]
    assert between["cancellation"]["refund"]["status"] == "pending"
    assert "refund_pending_since" in between

    run(shop, order_id, bank)

    assert_settled(shop, order_id, bank)


def test_a_declined_leg_fails_the_refund_and_says_why(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, three_payments())
    bank.declines["ref-p2"] = "charge is disputed"

    refund = run(shop, order_id, bank)

    assert refund
    assert refund.status == "failed"
    after, refund_document = shop.document(order_id), shop.refund_document(order_id)
    assert bank.amounts == {"ref-p1": 4000, "ref-p3": 700}
    assert refund_document["failure"] == {"code": "PROVIDER_DECLINED", "message": "p2: charge is disputed"}
    assert [leg["status"] for leg in refund_document["payments"]] == ["succeeded", "failed", "succeeded"]
    assert after["cancellation"]["refund"]["failure"] == {"code": "PROVIDER_DECLINED"}
    assert [row.get("amount_refunded", 0) for row in after["payments"]] == [4000, 0, 0]
    assert after["items"][0].get("amount_refunded", 0) == 0
    assert after["status"] == "canceled"
    assert "refund_pending_since" not in after


def test_a_provider_that_is_not_there_is_a_failure_that_names_it(shop: Shop) -> None:
    order_id = canceled(shop, paid(payments=[payment(captured=10000, provider="klarna")]))

    run(shop, order_id)

    failure = shop.refund_document(order_id)["failure"]
    assert failure["code"] == "INVALID_ORDER"
    assert "klarna" in failure["message"]


def test_a_shortfall_pays_nothing_releases_and_fails(shop: Shop) -> None:
    source = paid(payments=[payment("p1", captured=9998), payment("p2", authorized=700)])
    bank, order_id = Bank(), canceled(shop, source)

    run(shop, order_id, bank)

    assert bank.amounts == {"ref-p2": 700}
    assert shop.refund_document(order_id)["failure"]["code"] == "INSUFFICIENT_CAPTURED_AMOUNT"
    assert shop.document(order_id)["status"] == "canceled"


def test_a_shortfall_with_nothing_to_release_fails_at_once(shop: Shop) -> None:
    order_id = canceled(shop, paid(payments=[]))

    run(shop, order_id)

    assert shop.refund_document(order_id)["status"] == "failed"
    assert shop.document(order_id)["cancellation"]["refund"]["status"] == "failed"


@pytest.mark.parametrize("crash_at", [0, 1, 2])
def test_what_the_shop_gave_back_by_itself_meanwhile_is_not_paid_again(shop: Shop, crash_at: int) -> None:
    bank, order_id = Bank(), canceled(shop, paid())
    shop.set(order_id, payments=[payment(captured=10000, amount_refunded=1)])
    if crash_at:
        calls = Calls(shop.client)
        calls.before(
            "TransactWriteItems", crash if crash_at == 1 else lambda: calls.before("TransactWriteItems", crash)
        )
        with pytest.raises(Crash):
            run(shop, order_id, bank)
        assert len(bank.moved) == crash_at - 1

    run(shop, order_id, bank)

    assert bank.amounts == {"ref-p1": 9999}
    refund, after = shop.refund_document(order_id), shop.document(order_id)
    assert (refund["status"], refund["amount"], refund["credited_by_shop"]) == ("succeeded", 9999, 1)
    assert after["payments"][0]["amount_refunded"] == 10000
    assert after["items"][0]["amount_refunded"] == 10000


def test_what_was_shipped_after_the_cancel_is_not_refunded_and_a_person_is_told(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, three_payments())
    shop.set(order_id, items=[item("a", invoiced=1, colour="red", qty_canceled=0, qty_shipped=1)])

    refund = run(shop, order_id, bank)

    assert refund
    assert refund.status == "failed"
    assert bank.moved == {}
    failure = shop.refund_document(order_id)["failure"]
    assert failure["code"] == "INVALID_ORDER"
    assert "shipped" in failure["message"]
    assert "refund_pending_since" not in shop.document(order_id)


def test_the_order_system_may_write_while_the_refund_is_booked(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, three_payments())

    def note() -> None:
        shop.set(order_id, items=[item("a", invoiced=1, colour="red", qty_canceled=0, note="seen")])

    bank.after = note
    run(shop, order_id, bank)

    assert_settled(shop, order_id, bank)
    assert shop.document(order_id)["items"][0]["note"] == "seen"


def test_an_order_that_never_stands_still_is_left_for_later(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, paid())
    shelves = count()
    calls = Calls(shop.client)
    stands_still = False

    def move() -> None:
        if not stands_still:
            shop.set(order_id, items=[item(invoiced=1, shelf=Decimal(next(shelves)))])
            calls.before("TransactWriteItems", move)

    calls.before("TransactWriteItems", move)
    with pytest.raises(RefundContended):
        run(shop, order_id, bank)

    stands_still = True
    run(shop, order_id, bank)
    assert bank.amounts == {"ref-p1": 10000}
    assert shop.document(order_id)["payments"][0]["amount_refunded"] == 10000


@pytest.mark.parametrize(
    "broken", [{"items": "gone"}, {"payments": [payment("p1"), payment("p1")]}, {"history": "gone"}]
)
def test_an_order_that_can_no_longer_be_read_ends_failed_and_says_so(shop: Shop, broken: dict[str, Any]) -> None:
    bank, order_id = Bank(), canceled(shop, paid())
    shop.set(order_id, **broken)

    refund = run(shop, order_id, bank)

    assert refund
    assert refund.status == "failed"
    assert bank.moved == {}
    after = shop.document(order_id)
    assert after["cancellation"]["refund"]["failure"] == {"code": "INVALID_ORDER"}
    assert "refund_pending_since" not in after
    assert {name: after[name] for name in broken} == broken


def test_an_erased_cancellation_is_not_acted_upon(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, paid())
    cancellation = shop.order(order_id).cancellation
    assert cancellation
    shop.write(paid(order_id=order_id, store_id=shop.store_id))

    with pytest.raises(CancellationErased):
        refund_order(shop.refunds, {"offline": bank}, order_id, cancellation.cancellation_id, lambda: NOW)

    assert bank.moved == {}


def test_cancelled_anew_after_it_was_erased_it_is_booked_again_and_not_paid_again(shop: Shop) -> None:
    bank, source = Bank(), three_payments()
    order_id = canceled(shop, source)
    run(shop, order_id, bank)
    shop.write(source | {"order_id": order_id, "store_id": shop.store_id})
    cancel_order(shop.orders, shop.policies(), request(order_id, request_id="request-2"), lambda: NOW)

    run(shop, order_id, bank)

    assert_settled(shop, order_id, bank)
    assert bank.asked == 3


@pytest.mark.parametrize("booked", [True, False])
def test_cancelled_anew_with_other_sums_the_difference_alone_is_paid(shop: Shop, booked: bool) -> None:
    bank, order_id = Bank(), canceled(shop, paid())
    if booked:
        run(shop, order_id, bank)
    else:
        broken_off(shop, order_id, bank)
    more = paid(order_id=order_id, store_id=shop.store_id, items=[item(invoiced=1, amount=20000)])
    shop.write(more | {"payments": [payment(captured=20000)]})
    cancel_order(shop.orders, shop.policies(), request(order_id, request_id="request-2"), lambda: NOW)

    refund = run(shop, order_id, bank)

    assert refund
    assert (refund.status, refund.amount, refund.credited_by_shop) == ("succeeded", 20000, 0)
    assert sorted(request.amount for request in bank.moved.values()) == [10000, 10000]
    told, after = shop.refund_document(order_id), shop.document(order_id)
    assert (told["status"], told["amount"]) == ("succeeded", 20000)
    assert "unsettled_since" not in told
    assert [(leg["amount"], leg["status"]) for leg in told["payments"]] == [(10000, "succeeded")] * 2
    assert_same_legs(shop, order_id)
    assert after["payments"][0]["amount_refunded"] == 20000
    assert after["items"][0]["amount_refunded"] == 20000
    assert run(shop, order_id, bank) is None


def test_cancelled_anew_with_other_sums_it_waits_for_what_is_pending_at_the_provider(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, paid())
    bank.thinking = True
    run(shop, order_id, bank)
    more = paid(order_id=order_id, store_id=shop.store_id, items=[item(invoiced=1, amount=20000)])
    shop.write(more | {"payments": [payment(captured=20000)]})
    cancel_order(shop.orders, shop.policies(), request(order_id, request_id="request-2"), lambda: NOW)

    first = run(shop, order_id, bank)
    bank.thinking = False
    then = run(shop, order_id, bank)

    assert first
    assert then
    assert (first.status, then.status) == ("pending", "succeeded")
    assert sorted(request.amount for request in bank.moved.values()) == [10000, 10000]
    assert shop.document(order_id)["payments"][0]["amount_refunded"] == 20000


def test_what_is_pending_at_the_provider_is_asked_for_again_later(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, three_payments())
    bank.thinking = True

    refund = run(shop, order_id, bank)

    assert refund
    assert refund.status == "pending"
    legs = shop.document(order_id)["cancellation"]["refund"]["payments"]
    assert [(leg["status"], leg["reference"]) for leg in legs] == [
        ("pending", f"re_ref-{payment_id}") for payment_id in ("p1", "p2", "p3")
    ]
    assert_same_legs(shop, order_id)
    assert "amount_refunded" not in shop.document(order_id)["payments"][0]
    bank.asked = 0
    calls = Calls(shop.client)
    assert run(shop, order_id, bank) == refund
    assert bank.asked == 3
    assert "TransactWriteItems" not in calls.made

    bank.thinking = False
    run(shop, order_id, bank)

    assert_settled(shop, order_id, bank)


def test_what_waits_at_one_provider_does_not_hold_up_the_others(shop: Shop) -> None:
    bank = Bank()
    source = paid(payments=[payment("p1", captured=4000, provider="slow"), payment("p2", captured=6000)])
    order_id = canceled(shop, source)
    slow = Bank()
    slow.thinking = True
    cancellation = shop.order(order_id).cancellation
    assert cancellation

    refund_order(
        shop.refunds,
        {"offline": bank, "slow": slow},
        order_id,
        cancellation.cancellation_id,
        lambda: NOW,
    )

    assert bank.amounts == {"ref-p2": 6000}
    assert [row.get("amount_refunded", 0) for row in shop.document(order_id)["payments"]] == [0, 6000]
    assert shop.refund_document(order_id)["status"] == "pending"


def test_what_the_provider_did_before_the_order_was_shipped_is_booked_and_nothing_more(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, three_payments())
    broken_off(shop, order_id, bank)
    shop.set(order_id, status="complete")

    refund = run(shop, order_id, bank)

    assert refund
    assert refund.status == "failed"
    assert bank.amounts == {"ref-p1": 4000}
    assert [row.get("amount_refunded", 0) for row in shop.document(order_id)["payments"]] == [4000, 0, 0]
    document = shop.refund_document(order_id)
    assert [(leg["payment_id"], leg["status"]) for leg in document["payments"]] == [("p1", "succeeded")]
    assert (document["failure"]["code"], document["amount"]) == ("INVALID_ORDER", 10000)
    assert "unsettled_since" in document
    assert_same_legs(shop, order_id)


def test_what_the_shop_has_booked_of_our_refund_is_not_booked_twice(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, paid())
    # The provider told the shop's own ears before we could book.
    bank.after = lambda: shop.set(order_id, payments=[payment(captured=10000, amount_refunded=10000)])

    run(shop, order_id, bank)

    assert shop.document(order_id)["payments"][0]["amount_refunded"] == 10000


def test_a_deleted_order_ends_its_refund_as_failed_and_tells_the_operator(shop: Shop) -> None:
    for begun in (False, True):
        bank, order_id = Bank(), canceled(shop, paid())
        cancellation = shop.order(order_id).cancellation
        assert cancellation
        assert cancellation.refund
        if begun:
            broken_off(shop, order_id, bank)
        shop.client.delete_item(TableName=shop.tables["orders"], Key={"order_id": {"S": order_id}})

        for _ in range(2):
            arguments = (order_id, cancellation.cancellation_id, lambda: NOW)
            assert refund_order(shop.refunds, {"offline": bank}, *arguments) is None

        key = {"refund_id": {"S": cancellation.refund.refund_id}}
        refund = plain(shop.client.get_item(TableName=shop.tables["refunds"], Key=key, ConsistentRead=True)["Item"])
        assert refund["status"] == "failed"
        assert refund["failure"]["code"] == "INVALID_ORDER"
        assert "no longer in the table" in refund["failure"]["message"]
        assert refund["unsettled_since"] == "2026-11-22T10:00:00Z"
        assert (len(bank.moved) == 1) is begun


@pytest.mark.parametrize("begun", [False, True])
def test_a_deleted_order_that_is_put_back_has_its_refund_taken_up_again(shop: Shop, *, begun: bool) -> None:
    bank, order_id = Bank(), canceled(shop, paid())
    stored = shop.stored(order_id)
    if begun:
        broken_off(shop, order_id, bank)
    shop.client.delete_item(TableName=shop.tables["orders"], Key={"order_id": {"S": order_id}})
    refund_order(shop.refunds, {"offline": bank}, order_id, stored.cancellation_id, lambda: NOW)
    shop.client.put_item(TableName=shop.tables["orders"], Item=stored.raw)

    run(shop, order_id, bank)

    refund = shop.refund_document(order_id)
    assert bank.amounts == {"ref-p1": 10000}
    assert shop.document(order_id)["cancellation"]["refund"]["status"] == refund["status"] == "succeeded"
    assert not {"failure", "order_gone", "unsettled_since"} & refund.keys()
    assert "taken up again, since its order is there" in [line["entry"] for line in refund["log"]]


@pytest.mark.parametrize("begun", [False, True])
def test_an_event_with_the_cancellation_of_another_order_stops_no_refund(shop: Shop, *, begun: bool) -> None:
    bank, order_id = Bank(), canceled(shop, paid())
    if begun:
        broken_off(shop, order_id, bank)
    forged = ("no-such-order", shop.stored(order_id).cancellation_id)

    refund_order(shop.refunds, {"offline": bank}, *forged, lambda: NOW)

    assert not begun or shop.refund_document(order_id)["status"] == "pending"
    run(shop, order_id, bank)
    refund = shop.refund_document(order_id)
    assert bank.amounts == {"ref-p1": 10000}
    assert (refund["order_id"], refund["status"]) == (order_id, "succeeded")


def test_another_order_under_the_same_order_id_is_left_alone(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, paid())
    before = shop.stored(order_id)
    shop.client.delete_item(TableName=shop.tables["orders"], Key={"order_id": {"S": order_id}})
    replacement = paid(order_id=order_id, store_id=shop.store_id, placed_at="2026-11-22T09:00:00Z")
    shop.write(replacement)
    deleted = Change("1", before, None)
    assert publish_changes(shop.orders, shop.refunds, Bus(impatient("events", 1), "bus"), [deleted], NOW) == ["1"]

    refund_order(shop.refunds, {"offline": bank}, order_id, before.cancellation_id, lambda: NOW)

    assert bank.moved == {}
    assert shop.document(order_id) == replacement


def test_an_order_that_was_put_over_with_another_placing_time_is_the_same_order(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, paid())
    cancellation_id = shop.stored(order_id).cancellation_id
    shop.write(paid(order_id=order_id, store_id=shop.store_id, placed_at="2026-11-22T09:00:00Z"))

    with pytest.raises(CancellationErased):
        refund_order(shop.refunds, {"offline": bank}, order_id, cancellation_id, lambda: NOW)

    assert bank.moved == {}


def test_why_a_provider_could_not_be_asked_stands_in_the_refund(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, paid())

    def away() -> None:
        raise ProviderUnavailable("connection refused")

    bank.before = away
    with pytest.raises(ProviderUnavailable):
        run(shop, order_id, bank)

    refund = shop.refund_document(order_id)
    assert refund["last_error"] == {"at": "2026-11-22T10:00:00Z", "message": "connection refused"}
    assert refund["status"] == "pending"


def test_the_refund_document_keeps_a_log_and_is_unsettled_until_it_has_succeeded(shop: Shop) -> None:
    bank, order_id, unlucky = Bank(), canceled(shop, three_payments()), canceled(shop, paid())

    run(shop, order_id, bank)
    bank.declines["ref-p1"] = "no"
    run(shop, unlucky, bank)

    refund = shop.refund_document(order_id)
    assert "unsettled_since" not in refund
    assert [line["entry"] for line in refund["log"]] == [
        "p1: refund of 4000 SEK is asked for",
        "p1: refund of 4000 SEK succeeded, re_ref-p1 at offline",
        "p2: refund of 6000 SEK is asked for",
        "p2: refund of 6000 SEK succeeded, re_ref-p2 at offline",
        "p3: void of 700 SEK is asked for",
        "p3: void of 700 SEK succeeded, re_ref-p3 at offline",
        "succeeded",
    ]
    assert shop.refund_document(unlucky)["unsettled_since"] == "2026-11-22T10:00:00Z"


def test_the_refund_document_tells_the_operator_all_but_personal_data(shop: Shop) -> None:
    source = paid(
        items=[item("a", ordered=Decimal("1.5"), invoiced=Decimal("1.5"))],
        shipping={"amount_invoiced": 500},
        payments=[payment(captured=11000)],
    )
    order_id = canceled(shop, source, comment="my own words")
    run(shop, order_id)

    refund = shop.refund_document(order_id)

    assert (refund["amount"], refund["shipping"], refund["fees"], refund["surplus"]) == (10500, 500, 0, 500)
    assert refund["items"] == [{"item_id": "a", "sku": "sku-a", "qty": Decimal("1.5"), "amount": 10000}]
    assert refund["order_id"] == order_id
    assert "example.com" not in str(refund)
    assert "my own words" not in str(refund)


def test_an_order_with_nothing_to_give_back_has_no_refund(shop: Shop) -> None:
    order_id = canceled(shop, document())

    assert run(shop, order_id) is None
    assert shop.document(order_id)["cancellation"].get("refund") is None
