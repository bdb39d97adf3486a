"""What is owed for the rows of an order, and what of it the shop has given back itself since the cancel."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from cancel_core.services.announce import Change, publish_changes

from ops.settlement import Person, retry, settle
from tests.support.bank import Bank, Crash, broken_off, canceled, crash, run, three_payments
from tests.support.orders import document, item, paid, payment
from tests.support.tables import NOW, Heard, Shop

ANN = Person("ann@shop.example", "seen to it")


def ended(shop: Shop, order_id: str) -> tuple[str, int, int]:
    """The refund's status, what we paid and what the shop gave back itself, on order and document alike."""
    known, cancellation = shop.refund_document(order_id), shop.order(order_id).cancellation
    assert cancellation
    assert cancellation.refund
    refund = cancellation.refund
    told = (str(known["status"]), int(known["amount"]), int(known.get("credited_by_shop", 0)))
    assert told == (refund.status, refund.amount, refund.credited_by_shop)
    return told


def booked(shop: Shop, order_id: str, name: str = "amount_refunded") -> dict[str, int]:
    order = shop.document(order_id)
    rows = {row["item_id"]: row for row in order["items"]} | {row["payment_id"]: row for row in order["payments"]}
    return {row_id: int(row.get(name, 0)) for row_id, row in rows.items()}


@pytest.mark.parametrize("held", [19999, 19998])
def test_a_shortfall_of_one_minor_unit_for_each_row_is_rounding(shop: Shop, held: int) -> None:
    source = paid(items=[item("a", invoiced=1), item("b", invoiced=1)], payments=[payment(captured=held)])
    bank, order_id = Bank(), canceled(shop, source)

    run(shop, order_id, bank)

    assert bank.amounts == {"ref-p1": held}
    assert ended(shop, order_id) == ("succeeded", held, 0)
    assert shop.refund_document(order_id)["rounding"] == 20000 - held
    assert booked(shop, order_id) == {"a": 10000, "b": 10000, "p1": held}
    assert shop.document(order_id)["status"] == "closed"


def test_what_is_short_by_more_than_rounding_is_not_paid_in_part(shop: Shop) -> None:
    source = paid(items=[item("a", invoiced=1), item("b", invoiced=1)], payments=[payment(captured=19997)])
    bank, order_id = Bank(), canceled(shop, source)

    run(shop, order_id, bank)

    assert bank.moved == {}
    assert ended(shop, order_id)[0] == "failed"


def credited(name: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """An order of 10 000 on payments that hold 15 000; what the shop writes as it credits 3 000 of it itself; and what
    of 10 000 it then says was given back.
    """
    payments = [payment("p1", captured=10000), payment("p2", captured=5000)]
    rows = {"items": [item(invoiced=1, qty_canceled=0, amount_refunded=3000)]}
    same = {"payments": [payment("p1", captured=10000, amount_refunded=3000), payment("p2", captured=5000)]}
    other = {"payments": [payment("p1", captured=10000), payment("p2", captured=5000, amount_refunded=3000)]}
    writes = {
        "the same payment": (rows | same, {"p1": 10000}),
        "another payment": (rows | other, {"p1": 7000, "p2": 3000}),
        "rows only": (rows, {"p1": 7000}),
        "the same payment only": (same, {"p1": 10000}),
        "another payment only": (other, {"p1": 7000, "p2": 3000}),
    }
    written, sums = writes[name]
    return paid(payments=payments), written, {"i1": 10000, "p1": 0, "p2": 0} | sums


CREDITS = ("the same payment", "another payment", "rows only", "the same payment only", "another payment only")


@pytest.mark.parametrize("name", CREDITS)
def test_what_the_shop_credits_between_cancel_and_refund_is_not_given_back_again(shop: Shop, name: str) -> None:
    source, write, sums = credited(name)
    bank, order_id = Bank(), canceled(shop, source)
    shop.set(order_id, **write)

    run(shop, order_id, bank)

    assert sum(bank.amounts.values()) == 7000
    assert ended(shop, order_id) == ("succeeded", 7000, 3000)
    assert booked(shop, order_id) == sums
    assert run(shop, order_id, bank) is None


@pytest.mark.parametrize("name", CREDITS)
def test_what_the_shop_credits_while_the_refund_is_asked_for_is_not_given_back_again(shop: Shop, name: str) -> None:
    source, write, _ = credited(name)
    source["payments"] = [payment("p1", captured=10000), payment("p2", captured=5000)]
    bank, order_id = Bank(), canceled(shop, source)
    # It is unknown whether the provider has been asked, when the shop writes; then it turns out it has not.
    bank.before = crash
    with pytest.raises(Crash):
        run(shop, order_id, bank)
    bank.before = lambda: None
    shop.set(order_id, **write)

    run(shop, order_id, bank)

    assert sum(bank.amounts.values()) == 7000
    assert ended(shop, order_id) == ("succeeded", 7000, 3000)


@pytest.mark.parametrize("what", ["rows", "payments", "both"])
@pytest.mark.parametrize("held", [10000, 15000])
def test_what_the_shop_has_given_back_in_full_ends_with_nothing_paid(shop: Shop, what: str, held: int) -> None:
    bank, order_id = Bank(), canceled(shop, paid(payments=[payment(captured=held)]))
    rows = {"items": [item(invoiced=1, qty_canceled=0, qty_refunded=1, amount_refunded=10000)]}
    payments = {"payments": [payment(captured=held, amount_refunded=10000)]}
    shop.set(order_id, **({} if what == "payments" else rows), **({} if what == "rows" else payments))

    refund = run(shop, order_id, bank)

    assert refund
    assert bank.asked == 0
    assert ended(shop, order_id) == ("succeeded", 0, 10000)
    assert booked(shop, order_id) == {"i1": 10000, "p1": 0 if what == "rows" else 10000}
    assert booked(shop, order_id, "qty_refunded")["i1"] == 1
    assert shop.document(order_id)["status"] == "closed"
    assert shop.refund_document(order_id)["refund_id"] not in set(shop.refunds.unsettled())


def test_a_shortfall_is_not_paid_beyond_what_is_invoiced_once_the_payments_are_corrected(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, paid(payments=[payment("p1", captured=4000)]))
    run(shop, order_id, bank)
    assert ended(shop, order_id)[0] == "failed"
    # The shop has paid a part by hand, and corrects the payments to more than is owed.
    rows = [item(invoiced=1, qty_canceled=0, amount_refunded=2500)]
    shop.set(order_id, items=rows, payments=[payment("p1", captured=4000), payment("p2", captured=30000)])

    retry(shop.orders, shop.refunds, Heard(), order_id, ANN, NOW)
    run(shop, order_id, bank)
    retry(shop.orders, shop.refunds, Heard(), order_id, ANN, NOW)
    run(shop, order_id, bank)

    assert bank.amounts == {"ref-p1": 4000, "ref-p2": 3500}
    assert ended(shop, order_id) == ("succeeded", 7500, 2500)
    assert booked(shop, order_id) == {"i1": 10000, "p1": 4000, "p2": 3500}


@pytest.mark.parametrize("held", [10000, 15000])
@pytest.mark.parametrize("what", ["rows", "payments", "both"])
def test_what_the_shop_books_of_our_refund_before_us_is_not_booked_twice(shop: Shop, held: int, what: str) -> None:
    bank, order_id = Bank(), canceled(shop, paid(payments=[payment(captured=held)]))
    rows = {"items": [item(invoiced=1, qty_canceled=0, qty_refunded=1, amount_refunded=10000)]}
    payments = {"payments": [payment(captured=held, amount_refunded=10000)]}
    # The provider tells the shop before it has answered us.
    written = ({} if what == "payments" else rows) | ({} if what == "rows" else payments)
    bank.after = lambda: shop.set(order_id, **written)

    run(shop, order_id, bank)

    assert bank.amounts == {"ref-p1": 10000}
    assert ended(shop, order_id) == ("succeeded", 10000, 0)
    assert booked(shop, order_id) == {"i1": 10000, "p1": 10000}


def test_a_release_that_the_shop_books_before_us_is_not_booked_twice(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, document(payments=[payment(authorized=5000)]))
    bank.after = lambda: shop.set(order_id, payments=[payment(authorized=5000, amount_voided=5000)])

    run(shop, order_id, bank)

    assert booked(shop, order_id, "amount_voided") == {"i1": 0, "p1": 5000}
    assert ended(shop, order_id) == ("succeeded", 0, 0)


def test_what_the_shop_books_between_two_payments_of_one_refund_is_not_booked_twice(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, three_payments())
    broken_off(shop, order_id, bank)
    held = [payment("p1", captured=4000, amount_refunded=4000), payment("p2", captured=6000)]
    rows = [item("a", invoiced=1, qty_canceled=0, amount_refunded=4000)]
    shop.set(order_id, items=rows, payments=[*held, payment("p3", authorized=700)])

    run(shop, order_id, bank)

    assert bank.amounts == {"ref-p1": 4000, "ref-p2": 6000, "ref-p3": 700}
    assert ended(shop, order_id) == ("succeeded", 10000, 0)
    assert booked(shop, order_id) == {"a": 10000, "p1": 4000, "p2": 6000, "p3": 0}


def test_a_settlement_books_nothing_twice_that_the_shop_has_booked(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, paid())
    bank.declines["ref-p1"] = "no"
    run(shop, order_id, bank)
    rows = [item(invoiced=1, qty_canceled=0, qty_refunded=1, amount_refunded=10000)]
    shop.set(order_id, items=rows, payments=[payment(captured=10000, amount_refunded=10000)])

    settle(shop.orders, shop.refunds, order_id, ANN, NOW)

    assert booked(shop, order_id) == {"i1": 10000, "p1": 10000}
    assert booked(shop, order_id, "qty_refunded")["i1"] == 1
    assert ended(shop, order_id)[:2] == ("succeeded", 0)


def fee(invoiced: int, fee_id: str = "wrap") -> dict[str, Any]:
    return {"fee_id": fee_id, "name": "Gift wrap", "amount": 700, "amount_invoiced": invoiced}


def test_a_fee_that_is_invoiced_after_the_cancel_is_paid_back_where_it_was_there(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, paid(fees=[fee(0)]))
    shop.set(order_id, fees=[fee(700)], payments=[payment(captured=10700)])

    run(shop, order_id, bank)

    assert bank.amounts == {"ref-p1": 10700}
    assert ended(shop, order_id) == ("succeeded", 10700, 0)
    assert shop.document(order_id)["fees"][0]["amount_refunded"] == 700


@pytest.mark.parametrize("added", ["a fee", "an item", "shipping"])
def test_what_is_added_after_the_cancel_is_not_the_refunds(shop: Shop, added: str) -> None:
    bank, order_id = Bank(), canceled(shop, paid())
    rows = [item(invoiced=1, qty_canceled=0)]
    writes: dict[str, dict[str, Any]] = {
        "a fee": {"fees": [fee(700)]},
        "an item": {"items": [*rows, item("new", invoiced=1, amount=700)]},
        "shipping": {"shipping": {"amount": 700, "amount_invoiced": 700}},
    }
    shop.set(order_id, **writes[added], payments=[payment(captured=10700)])

    run(shop, order_id, bank)

    after = shop.document(order_id)
    assert bank.amounts == {"ref-p1": 10000}
    assert ended(shop, order_id) == ("succeeded", 10000, 0)
    assert after["items"][0]["amount_refunded"] == 10000
    others = [*after["items"][1:], *after.get("fees", []), *([after["shipping"]] if "shipping" in after else [])]
    assert [row.get("amount_refunded", 0) for row in others] == [0]
    assert shop.refund_document(order_id)["surplus"] == 700


def test_captured_between_the_cancel_and_its_release_it_counts_as_captured(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, document(payments=[payment(authorized=5000)]))
    shop.set(order_id, payments=[payment(captured=5000)])

    run(shop, order_id, bank)

    assert bank.moved == {}
    assert booked(shop, order_id, "amount_voided") == {"i1": 0, "p1": 0}
    assert ended(shop, order_id) == ("succeeded", 0, 0)
    assert shop.refund_document(order_id)["surplus"] == 5000


def test_captured_and_invoiced_between_the_cancel_and_its_release_it_is_paid_back(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, document(payments=[payment(authorized=10000)]))
    shop.set(order_id, items=[item(invoiced=1, qty_canceled=1)], payments=[payment(captured=10000)])

    run(shop, order_id, bank)

    assert bank.amounts == {"ref-p1": 10000}
    assert ended(shop, order_id) == ("succeeded", 10000, 0)
    assert booked(shop, order_id) == {"i1": 10000, "p1": 10000}
    assert booked(shop, order_id, "amount_voided")["p1"] == 0


def test_of_a_payment_that_was_captured_in_part_the_rest_of_the_hold_is_released(shop: Shop) -> None:
    bank, order_id = Bank(), canceled(shop, paid(payments=[payment(captured=10000, authorized=12500)]))

    run(shop, order_id, bank)

    order = shop.document(order_id)
    assert [(leg["action"], leg["amount"]) for leg in shop.refund_document(order_id)["payments"]] == [
        ("refund", 10000),
        ("void", 2500),
    ]
    assert (order["payments"][0]["amount_refunded"], order["payments"][0]["amount_voided"]) == (10000, 2500)
    assert ended(shop, order_id) == ("succeeded", 10000, 0)


MOVED: dict[str, list[dict[str, Any]]] = {
    "appended": [item("a", invoiced=1, qty_canceled=0), item("b", invoiced=1, qty_canceled=0), item("c", invoiced=1)],
    "put in another order": [item("b", invoiced=1, qty_canceled=0), item("a", invoiced=1, qty_canceled=0)],
    "put before": [item("c", invoiced=1), item("a", invoiced=1, qty_canceled=0), item("b", invoiced=1, qty_canceled=0)],
}


@pytest.mark.parametrize("how", MOVED)
def test_rows_are_booked_and_told_by_their_ids_wherever_they_stand(shop: Shop, how: str) -> None:
    source = paid(items=[item("a", invoiced=1), item("b", invoiced=1)], payments=[payment(captured=30000)])
    bank, order_id = Bank(), canceled(shop, source)
    before = shop.stored(order_id)
    shop.set(order_id, items=MOVED[how])

    run(shop, order_id, bank)

    assert bank.amounts == {"ref-p1": 20000}
    assert booked(shop, order_id) == {row["item_id"]: 0 for row in MOVED[how]} | {"a": 10000, "b": 10000, "p1": 20000}
    heard = Heard()
    publish_changes(shop.orders, shop.refunds, heard, [Change("1", before, shop.stored(order_id))], NOW)
    (told,) = [event for event in heard.events if event.detail_type == "OrderRefunded"]
    assert {row["item_id"]: row["qty_refunded"] for row in told.detail["items"]} == {"a": 1, "b": 1}


def test_of_a_row_that_was_taken_out_nothing_is_paid(shop: Shop) -> None:
    source = paid(items=[item("a", invoiced=1), item("b", invoiced=1)], payments=[payment(captured=20000)])
    bank, order_id = Bank(), canceled(shop, source)
    shop.set(order_id, items=[item("b", invoiced=1, qty_canceled=0)])

    run(shop, order_id, bank)

    assert bank.amounts == {"ref-p1": 10000}
    assert booked(shop, order_id) == {"b": 10000, "p1": 10000}
    assert shop.refund_document(order_id)["surplus"] == 10000


def test_of_a_row_that_was_split_the_part_with_its_id_is_paid(shop: Shop) -> None:
    source = paid(items=[item("a", ordered=2, invoiced=2)])
    bank, order_id = Bank(), canceled(shop, source)
    halves = [item("a", invoiced=1, amount=5000, qty_canceled=0), item("a-2", invoiced=1, amount=5000)]
    shop.set(order_id, items=halves)

    run(shop, order_id, bank)

    assert bank.amounts == {"ref-p1": 5000}
    assert booked(shop, order_id) == {"a": 5000, "a-2": 0, "p1": 5000}
    assert shop.refund_document(order_id)["surplus"] == 5000


def test_a_discount_counts_with_its_sign_and_is_booked(shop: Shop) -> None:
    rows = [item("a", invoiced=1), item("coupon", ordered=0, amount=-1500, amount_invoiced=-1500)]
    bank, order_id = Bank(), canceled(shop, paid(items=rows, payments=[payment(captured=8500)]))

    run(shop, order_id, bank)

    assert bank.amounts == {"ref-p1": 8500}
    assert ended(shop, order_id) == ("succeeded", 8500, 0)
    assert booked(shop, order_id) == {"a": 10000, "coupon": -1500, "p1": 8500}


def test_a_discount_greater_than_the_rest_owes_nothing(shop: Shop) -> None:
    rows = [item("a", invoiced=1), item("coupon", ordered=0, amount=-15000, amount_invoiced=-15000)]
    order_id = canceled(shop, paid(items=rows, payments=[payment(captured=100)]))

    cancellation = shop.order(order_id).cancellation
    assert cancellation
    assert cancellation.refund is None
    assert cancellation.surplus == 100


def test_what_was_invoiced_for_nothing_is_returned_with_the_cancel(shop: Shop) -> None:
    free = item("free", ordered=2, invoiced=2, amount=0)
    gift, mixed = canceled(shop, paid(items=[free], payments=[])), canceled(shop, paid(items=[free, item("b")]))
    with_hold = canceled(shop, paid(items=[free], payments=[payment(authorized=100)]))

    run(shop, with_hold, Bank())

    for order_id, status in ((gift, "closed"), (mixed, "canceled"), (with_hold, "closed")):
        order = shop.document(order_id)
        assert (order["items"][0]["qty_refunded"], order["status"]) == (2, status)


def test_quantities_of_38_digits_stay_exact(shop: Shop) -> None:
    ordered, invoiced = Decimal("9" * 38), Decimal("1" + "0" * 36 + "1")
    row = item("a", amount=10000) | {"qty_ordered": ordered, "qty_invoiced": invoiced, "amount_invoiced": 10000}
    bank, order_id = Bank(), canceled(shop, paid(items=[row]))

    run(shop, order_id, bank)

    (after,) = shop.document(order_id)["items"]
    # Fewer digits than 38 would round the last one away.
    assert after["qty_canceled"] == Decimal("8" + "9" * 36 + "8")
    assert (after["qty_refunded"], after["amount_refunded"]) == (invoiced, 10000)
