"""Which order and which items a statement is about, and what the shop and its systems are told of it."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from cancel_core.domain.caller import Owner
from cancel_core.domain.policy import Policy
from cancel_core.domain.rules import decide
from cancel_core.domain.withdrawal_note import MOST_NOTED, note
from cancel_core.domain.withdrawal_outcome import (
    Found,
    Match,
    find_out,
    how_it_matches,
    named_order,
    read_outcome,
    received,
    withdrawn,
)
from cancel_core.domain.withdrawal_settings import WithdrawalSettings

from tests.support.orders import AT, DISABLED, ENABLED, document, item, order
from tests.support.tables import NOW
from tests.support.withdrawals import ADDRESS, proven, statement

OWNER = Owner("2026-11-20T10:00:00Z", "c1")
TWO = order(items=[item("i1", ordered=2), item("i2", ordered="1.5", name="Blue  Mug")])


def found(match: Match = "email", *, is_guests: bool = False, **more: Any) -> Found:
    return Found(match, order(**more), "sv", is_guests=is_guests)


# ------------------------------------------------------------------------------------------------------- which order


@pytest.mark.parametrize("said", ["1007", "#1007", "  # 1007 ", "#1007\n"])
def test_a_number_is_found_with_blanks_and_a_hash_before_it(said: str) -> None:
    assert named_order(statement(said)) == "1007"


def test_of_two_hashes_one_belongs_to_the_number() -> None:
    assert named_order(statement("##1007")) == "#1007"


@pytest.mark.parametrize(
    ("said", "orders", "match"),
    [
        ("anna@example.com", "Anna@Example.com ", "email"),
        (" ANNA@example.com", "anna@example.com", "email"),
        ("anna@example.com", "ann@example.com", "none"),
        ("anna@example.com", "", "none"),
        ("", "", "none"),
    ],
)
def test_an_address_is_compared_trimmed_and_without_regard_to_case(said: str, orders: str, match: str) -> None:
    assert how_it_matches(statement("1", email=said), OWNER, orders) == match


def test_a_customers_own_statement_is_proven_while_it_is_the_same_order() -> None:
    made = proven(document())
    assert how_it_matches(made, OWNER, "") == "proven"
    # Placed again under the same number, or somebody else's by now. The address proves nothing then.
    for owner in (OWNER._replace(placed_at="2026-11-21T10:00:00Z"), OWNER._replace(customer_id="c2")):
        assert how_it_matches(made, owner, ADDRESS) == "none"


# ------------------------------------------------------------------------------------------------------- which items


@pytest.mark.parametrize(
    ("named", "taken", "whole"),
    [
        (None, {"i1": 2, "i2": 1.5}, True),
        ([], {"i1": 2, "i2": 1.5}, True),
        ([{"item": "i1"}, {"item": "i2"}], {"i1": 2, "i2": 1.5}, True),
        ([{"item": "i1", "qty": 2}, {"item": "SKU-I2", "qty": 1.5}], {"i1": 2, "i2": 1.5}, True),
        ([{"item": " blue mug "}, {"item": "thing I1", "qty": 9}], {"i1": 2, "i2": 1.5}, True),
        ([{"item": "i1", "qty": 1}, {"item": "i1", "qty": 1}, {"item": "i2"}], {"i1": 2, "i2": 1.5}, True),
        ([{"item": "i1", "qty": 1}, {"item": "i2"}], {"i1": 1, "i2": 1.5}, False),
        ([{"item": "i1"}, {"item": "i2", "qty": 1.4}], {"i1": 2, "i2": 1.4}, False),
        ([{"item": "i1"}], {"i1": 2}, False),
        ([{"item": "something else"}], {}, False),
        ([{"item": "i1"}, {"item": "something else"}], {"i1": 2}, False),
    ],
)
def test_items_are_found_by_id_sku_or_name_and_all_of_them_are_the_whole_order(
    named: list[dict[str, Any]] | None, taken: dict[str, float], *, whole: bool
) -> None:
    rows, is_whole = withdrawn(TWO, named)
    assert {row.item_id: float(qty) for row, qty in rows} == taken
    assert is_whole is whole


def test_an_id_goes_before_an_sku_and_an_sku_before_a_name() -> None:
    odd = order(items=[item("i1", sku="i2"), item("i2", sku="x", name="i1"), item("i3", sku="x", name="y")])
    for said, ids in (("i1", ["i1"]), ("i2", ["i2"]), ("x", ["i2", "i3"]), ("y", ["i3"])):
        assert [row.item_id for row, _ in withdrawn(odd, [{"item": said}])[0]] == ids


def test_a_quantity_of_a_name_that_two_rows_have_goes_to_the_first_and_then_the_second() -> None:
    twins = order(items=[item("i1", name="Mug", ordered=1), item("i2", name="mug", ordered=3)])
    rows, whole = withdrawn(twins, [{"item": "Mug", "qty": 2}])
    assert [(row.item_id, qty) for row, qty in rows] == [("i1", Decimal(1)), ("i2", Decimal(1))]
    assert not whole
    assert withdrawn(twins, [{"item": "Mug", "qty": 4}])[1]


def test_what_was_cancelled_or_given_back_before_is_no_part_of_the_whole() -> None:
    partly = order(items=[item("i1", ordered=3, qty_canceled=1, qty_refunded=1), item("i2", qty_canceled=1)])
    rows, whole = withdrawn(partly, [{"item": "i1"}])
    assert [(row.item_id, qty) for row, qty in rows] == [("i1", Decimal(1))]
    assert whole
    assert withdrawn(partly, None)[0] == rows


# ------------------------------------------------------------------------------------------------- what is found out


def test_time_is_counted_from_delivery_and_is_null_where_that_is_not_known() -> None:
    policy = ENABLED._replace(withdrawal=WithdrawalSettings(enabled=True))
    told = {
        delivered: find_out(statement("o1"), found(delivered_at=delivered), policy, AT)
        for delivered in (None, "2026-11-10T10:00:00Z", "2026-11-01T10:00:00Z")
    }
    assert [(one.in_time, one.until) for one in told.values()] == [
        (None, None),
        (True, "2026-11-24"),
        (False, "2026-11-16"),
    ]


def test_exempt_items_are_named_where_they_are_withdrawn_from() -> None:
    items = [item("i1"), item("i2", withdrawal_exempt="c", name="Engraved spoon")]
    whole = find_out(statement("o1"), found(items=items), ENABLED, AT)
    assert whole.exempt_items == ({"item_id": "i2", "name": "Engraved spoon", "letter": "c"},)
    part = find_out(statement("o1", items=[{"item": "i1"}]), found(items=items), ENABLED, AT)
    assert (part.exempt_items, part.whole) == ((), False)


@pytest.mark.parametrize(
    ("asked", "offer"),
    [
        (found(), "sign_in"),
        (found("proven"), None),
        (found(status="complete"), None),
        (found(items=[item(qty_shipped=1)]), None),
    ],
)
def test_cancelling_is_offered_where_only_the_address_is_known_and_it_still_can_be(
    asked: Found, offer: str | None
) -> None:
    assert find_out(statement("o1"), asked, ENABLED, AT).offer == offer


def test_cancelling_is_not_offered_for_a_part_nor_where_it_is_off() -> None:
    assert find_out(statement("o1", items=[{"item": "nothing"}]), found(), ENABLED, AT).offer is None
    assert find_out(statement("o1"), found(), DISABLED, AT).offer is None


@pytest.mark.parametrize("access", [True, False])
def test_a_guest_is_offered_the_code_where_the_store_lets_guests_in(*, access: bool) -> None:
    policy = ENABLED._replace(guest_access=access)
    outcome = find_out(statement("o1"), found(is_guests=True, customer_id=None), policy, AT)
    assert outcome.offer == ("code" if access else None)
    assert outcome.customer_id is None


def test_an_outcome_is_read_as_it_was_written() -> None:
    for asked in (found(items=[item("i1", withdrawal_exempt="c")], delivered_at=AT), None):
        outcome = find_out(statement("o1"), asked, ENABLED if asked else None, AT)
        assert read_outcome(outcome.to_item() | {"something": "newer"}) == outcome


def test_without_a_match_the_statements_own_store_holds() -> None:
    outcome = find_out(replace(statement("o1"), store_id="se"), None, None, AT)
    assert (outcome.match, outcome.store_id, outcome.order_id, outcome.in_time) == ("none", "se", None, None)


def test_the_event_has_the_contracts_attributes_and_no_free_text() -> None:
    made = statement("#o1", items=[{"item": "SKU-i1", "qty": 1}, {"item": "my blue one"}], message="It is broken")
    event = received(find_out(made, found(), ENABLED, AT))
    assert event.detail_type == "WithdrawalReceived"
    assert event.detail == {
        "schema_version": 1,
        "withdrawal_id": made.withdrawal_id,
        "order_id": "o1",
        "store_id": "default",
        "match": "email",
        "in_time": None,
        "items": [{"item_id": "i1", "sku": "sku-i1", "qty": 1}],
        "received_at": "2026-11-22T09:30:00.017Z",
        "occurred_at": "2026-11-22T09:30:00.017Z",
    }
    told = json.dumps(event.detail)
    for text in ("blue", "broken", "Anna", ADDRESS, "Thing", "#o1"):
        assert text not in told
    assert received(find_out(made, None, None, AT)).detail["items"] == []


# -------------------------------------------------------------------------------- what is judged, and what is noted


def test_a_withdrawal_is_judged_by_status_and_shipment_alone() -> None:
    assert decide(order(), DISABLED, NOW, "withdrawal").eligible
    assert not decide(order(), DISABLED, NOW).eligible
    for blocked in (order(status="complete"), order(items=[item(qty_shipped=1)])):
        assert (
            decide(blocked, Policy(enabled=True), NOW, "withdrawal").blockers == decide(blocked, ENABLED, NOW).blockers
        )


def test_statements_are_noted_once_each_and_ten_at_most() -> None:
    first = note(None, "w1", "T1", whole=False)
    assert first
    assert first.to_document() == {
        "withdrawal_id": "w1",
        "received_at": "T1",
        "whole": False,
        "count": 1,
        "ids": ["w1"],
    }
    second = note(first.to_document(), "w2", "T2", whole=True)
    assert second
    assert tuple(second) == ("T1", True, ("w1", "w2"))
    assert note(second.to_document(), "w1", "T1", whole=False) is None
    third = note(second.to_document(), "w3", "T3", whole=False)
    assert third
    assert third.whole
    full = second._replace(ids=tuple(f"w{number}" for number in range(MOST_NOTED)))
    assert note(full.to_document(), "new", "T", whole=True) is None


@pytest.mark.parametrize("odd", ["text", 7, [], {}, {"ids": "w1"}, {"ids": [7]}, {"whole": True, "withdrawal_id": "x"}])
def test_what_is_not_ours_counts_as_absent(odd: object) -> None:
    assert note(odd, "w1", "T1", whole=False) == ("T1", False, ("w1",))
