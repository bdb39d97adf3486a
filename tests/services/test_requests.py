"""Requests that the shop decides, with the races forced: one outcome, on the order and in the row alike."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from cancel_core.domain.request_row import Decided
from cancel_core.errors import RequestDecided

from tests.support.orders import item, paid
from tests.support.requests import RequestDesk
from tests.support.tables import Aws, Calls, Shop
from tests.support.withdrawals import LATER, WithdrawalDesk, proven

SHIPPED = {"items": [item(invoiced=1, qty_shipped=1)]}
_TIME = re.compile(r"2026-11-22T10:\d\d:\d\dZ")


@pytest.fixture
def desk(shop: Shop) -> RequestDesk:
    return RequestDesk(shop)


# --- what follows what --------------------------------------------------------------------------------------------


def test_what_is_asked_stands_in_the_table_and_is_told(desk: RequestDesk) -> None:
    request = desk.asked()
    row = desk.row(request.request_id)
    assert {name: row[name] for name in ("status", "open", "reason", "comment", "amount", "currency")} == {
        "status": "open",
        "open": "open",
        "reason": "other",
        "comment": "Please",
        "amount": 10000,
        "currency": "SEK",
    }
    assert desk.heard.of(desk.order_id) == ["CancellationRequested"]
    assert desk.shop.document(desk.order_id)["status"] == "processing"


def test_an_approved_one_is_cancelled_with_what_was_chosen(desk: RequestDesk) -> None:
    request = desk.asked()
    desk.shop.configure(enabled=False, reasons=[{"code": "new", "description": "New"}], comment_required_for=["other"])
    desk.decide(request.request_id, "approved", note=" Gladly. ")
    desk.carry_out(request.request_id)
    desk.settled(request.request_id, "approved", "the order is cancelled")
    cancellation = desk.shop.order(desk.order_id).cancellation
    assert cancellation
    assert (cancellation.reason.description, cancellation.comment) == ("Other", "Please")
    assert desk.on_order.note == "Gladly."
    desk.follow()
    assert desk.heard.of(desk.order_id) == ["CancellationRequested"]


def test_a_declined_one_is_told_once(desk: RequestDesk) -> None:
    request = desk.asked()
    desk.decide(request.request_id, "declined", note="It is packed.")
    desk.carry_out(request.request_id)
    desk.follow()
    desk.carry_out(request.request_id)
    desk.follow()
    desk.settled(request.request_id, "declined", "Declined, decided 2026-")
    assert desk.heard.of(desk.order_id) == ["CancellationRequested", "CancellationDeclined"]
    assert desk.heard.events[-1].detail["request_id"] == request.request_id


def test_a_wrong_word_is_told_once_and_waits(desk: RequestDesk) -> None:
    request = desk.asked()
    desk.decide(request.request_id, "ok")
    desk.carry_out(request.request_id)
    said = desk.row(request.request_id)
    assert said["outcome"].startswith("NOT CARRIED OUT: decision is 'ok'")
    calls = Calls(desk.shop.client)
    # Its own word comes back to it by the stream.
    desk.carry_out(request.request_id)
    assert "UpdateItem" not in calls.made
    assert (desk.row(request.request_id), desk.on_order.status) == (said, "open")
    desk.decide(request.request_id, "approved")
    desk.carry_out(request.request_id)
    desk.settled(request.request_id, "approved", "Approved")


# --- two admins -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "second"), [("approved", "declined"), ("declined", "approved")])
@pytest.mark.parametrize("call", range(5))
def test_of_two_admins_one_counts_wherever_the_other_writes(
    call: int, first: str, second: str, desk: RequestDesk, aws: Aws
) -> None:
    request = desk.asked()
    desk.decide(request.request_id, first, note="First")
    client = aws.client("dynamodb")
    calls, slow = Calls(client), desk.on(client)

    def the_other() -> None:
        claimed = "decided" in desk.row(request.request_id)
        desk.decide(request.request_id, second, note="Second")
        if not claimed:
            # The other's own stream record is dealt with at the same time, and is faster.
            desk.carry_out(request.request_id)

    # Not before the row is read: then the second word alone was ever there.
    calls.before_number(call + 1, the_other)
    desk.carry_out(request.request_id, slow)
    desk.follow()
    claimed_first = desk.row(request.request_id)["decided"]["note"] == "First"
    assert claimed_first is (call > 0)
    desk.settled(request.request_id, first if claimed_first else second, (first if claimed_first else second)[1:])
    assert desk.on_order.note == ("First" if claimed_first else "Second")
    before = desk.row(request.request_id), desk.shop.document(desk.order_id)
    # And it is delivered again.
    desk.carry_out(request.request_id)
    desk.follow()
    assert (desk.row(request.request_id), desk.shop.document(desk.order_id)) == before


def test_a_note_that_changes_between_read_and_claim_is_the_one_that_is_told(desk: RequestDesk, aws: Aws) -> None:
    request = desk.asked()
    desk.decide(request.request_id, "declined", note="A draft")
    client = aws.client("dynamodb")
    Calls(client).before("UpdateItem", lambda: desk.decide(request.request_id, "declined", note="The final words"))
    desk.carry_out(request.request_id, desk.on(client))
    assert desk.on_order.note == "The final words"


# --- an admin and the customer ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("decision", ["approved", "declined"])
@pytest.mark.parametrize("call", range(5))
def test_of_a_decision_and_a_taking_back_one_counts_wherever_it_comes(
    call: int, decision: str, desk: RequestDesk, aws: Aws
) -> None:
    request = desk.asked()
    desk.decide(request.request_id, decision)
    client = aws.client("dynamodb")
    calls, slow = Calls(client), desk.on(client)
    came: list[bool] = []
    refused: list[str] = []

    def the_customer() -> None:
        came.append(True)
        try:
            desk.take_back()
        except RequestDecided as refusal:
            refused.append(refusal.code)

    calls.before_number(call, the_customer)
    desk.carry_out(request.request_id, slow)
    desk.follow()
    if desk.on_order.status == "withdrawn":
        assert refused == []
        desk.settled(request.request_id, "withdrawn", "Taken back by the customer.")
        assert desk.heard.of(desk.order_id) == ["CancellationRequested"]
    else:
        assert not came or refused
        desk.settled(request.request_id, decision, decision[1:])


@pytest.mark.parametrize("decision", ["approved", "declined"])
def test_of_a_taking_back_and_a_decision_that_is_faster_the_decision_counts(decision: str, desk: RequestDesk) -> None:
    request = desk.asked()
    desk.decide(request.request_id, decision)
    Calls(desk.shop.client).before("UpdateItem", lambda: desk.carry_out(request.request_id, desk.desk))
    with pytest.raises(RequestDecided):
        desk.take_back()
    desk.follow()
    desk.settled(request.request_id, decision, decision[1:])


def test_a_decision_that_another_run_has_stored_stays_the_one_that_counts(desk: RequestDesk, aws: Aws) -> None:
    request = desk.asked()
    desk.decide(request.request_id, "approved")
    row = desk.requests.get(request.request_id)
    assert row
    first = Decided(decision="approved", at="2026-11-22T10:00:05Z")
    client = aws.client("dynamodb")
    # It breaks off then, so that the row stays open.
    Calls(client).before("UpdateItem", lambda: desk.requests.claim(row, first))
    desk.carry_out(request.request_id, desk.on(client))
    assert desk.row(request.request_id)["decided"] == first.model_dump(exclude_none=True)
    assert desk.on_order.decided_at == first.at


@pytest.mark.parametrize("decision", ["approved", "declined"])
def test_one_that_was_taken_back_never_cancels_what_is_asked_anew(decision: str, desk: RequestDesk) -> None:
    first = desk.asked()
    desk.take_back()
    second = desk.cancel().stored.request
    assert second
    # The admin decides before the stream tells the table of any of it.
    desk.decide(first.request_id, decision)
    desk.carry_out(first.request_id)
    assert (desk.on_order, desk.cancels()) == (second, 0)
    assert desk.row(first.request_id)["outcome"] == "Lapsed: the customer has asked anew since."
    desk.follow()
    assert desk.row(first.request_id)["status"] == "lapsed"
    desk.decide(second.request_id, "approved")
    desk.carry_out(second.request_id)
    desk.settled(second.request_id, "approved", "Approved")


# --- a decision and what else happens to the order --------------------------------------------------------------------


@pytest.mark.parametrize("call", range(7))
def test_of_an_approval_and_a_shipment_one_counts_wherever_it_comes(call: int, desk: RequestDesk, aws: Aws) -> None:
    request = desk.asked()
    desk.decide(request.request_id, "approved")
    client = aws.client("dynamodb")
    calls, slow = Calls(client), desk.on(client)

    def ships() -> None:
        if desk.shop.order(desk.order_id).cancellation is None:
            # By the rules: what is cancelled is not shipped.
            desk.set(**SHIPPED)

    calls.before_number(call, ships)
    desk.carry_out(request.request_id, slow)
    desk.follow()
    if desk.shop.order(desk.order_id).has_left:
        desk.settled(request.request_id, "lapsed", "Lapsed: At least one item of the order has already shipped.")
        assert desk.heard.of(desk.order_id)[-1] == "CancellationDeclined"
        assert desk.heard.events[-1].detail["status"] == "lapsed"
    else:
        desk.settled(request.request_id, "approved", "Approved")


@pytest.mark.parametrize(
    ("decision", "order", "outcome"),
    [
        ("approved", {"notes": "x"}, "Approved, decided T: the order is cancelled."),
        ("declined", {"notes": "x"}, "Declined, decided T."),
        ("approved", SHIPPED, "Lapsed: At least one item of the order has already shipped."),
    ],
    ids=["approved", "declined", "lapsed"],
)
@pytest.mark.parametrize("call", range(7))
def test_the_outcome_is_the_same_wherever_the_stream_tells_of_the_order(
    call: int, decision: str, order: dict[str, Any], outcome: str, desk: RequestDesk, aws: Aws
) -> None:
    request = desk.asked()
    desk.set(**order)
    desk.decide(request.request_id, decision)
    client = aws.client("dynamodb")
    Calls(client).before_number(call, desk.follow)
    desk.carry_out(request.request_id, desk.on(client))
    desk.follow()
    assert _TIME.sub("T", desk.row(request.request_id)["outcome"]) == outcome


def test_a_withdrawal_cancels_whatever_is_asked_and_the_request_lapses(desk: RequestDesk) -> None:
    request = desk.asked()
    desk.shop.configure(approval="always", withdrawal={"enabled": True})
    withdrawals = WithdrawalDesk(desk.shop)
    statement = withdrawals.take(proven(desk.shop.document(desk.order_id)))
    withdrawals.process(statement, LATER)
    desk.decide(request.request_id, "approved")
    desk.carry_out(request.request_id)
    desk.follow()
    row = desk.row(request.request_id)
    assert (desk.on_order.status, row["status"]) == ("lapsed", "lapsed")
    assert row["outcome"] == "Lapsed: the order was cancelled otherwise."
    assert desk.cancels() == 1
    assert "CancellationDeclined" not in desk.heard.of(desk.order_id)


@pytest.mark.parametrize("decision", ["approved", "declined"])
@pytest.mark.parametrize("call", range(6))
def test_what_the_order_system_writes_over_is_put_back_wherever_it_comes(
    call: int, decision: str, desk: RequestDesk, aws: Aws
) -> None:
    request = desk.asked()
    before_it, asked = desk.images[-2], desk.images[-1]
    desk.decide(request.request_id, decision)
    client = aws.client("dynamodb")
    calls, slow = Calls(client), desk.on(client)

    def writes_over() -> None:
        desk.note()
        if desk.shop.order(desk.order_id).cancellation is None:
            # What it read before there was a request. A cancellation that is written over is another function's.
            desk.put(before_it)

    calls.before_number(call, writes_over)
    desk.carry_out(request.request_id, slow)
    desk.follow()
    desk.settled(request.request_id, decision, decision[1:])
    assert desk.heard.of(desk.order_id).count("CancellationDeclined") >= (decision == "declined")
    # And once more, with the request still open, after the end.
    if decision == "declined":
        desk.put(asked)
        desk.follow()
        desk.settled(request.request_id, decision, "Declined")


def test_one_that_was_written_over_does_not_come_back_open_to_an_order_that_was_cancelled(desk: RequestDesk) -> None:
    request = desk.asked()
    desk.put(desk.images[0])
    desk.shop.configure(approval="never")
    assert not desk.cancel().is_request
    desk.follow()
    row = desk.row(request.request_id)
    assert (desk.on_order.status, row["status"], desk.cancels()) == ("lapsed", "lapsed", 1)


def test_an_approval_that_was_written_over_counts_more_than_a_taking_back_of_what_was_put(desk: RequestDesk) -> None:
    request = desk.asked()
    open_one = desk.images[-1]
    desk.decide(request.request_id, "approved")
    desk.carry_out(request.request_id)
    # Against the rule; and the customer is quick.
    desk.put(open_one)
    desk.take_back()
    desk.follow()
    assert (desk.on_order.status, desk.row(request.request_id)["status"]) == ("approved", "approved")


def test_a_placing_time_that_is_corrected_changes_nothing(desk: RequestDesk) -> None:
    request = desk.asked()
    desk.set(placed_at="2026-11-20T10:00:01Z")
    desk.follow()
    assert desk.reconcile(timedelta(0)) >= 1
    assert desk.row(request.request_id)["status"] == "open"
    desk.decide(request.request_id, "approved")
    desk.carry_out(request.request_id)
    desk.settled(request.request_id, "approved", "Approved")


def test_another_order_of_the_same_number_gets_nothing_of_it(desk: RequestDesk) -> None:
    request = desk.asked()
    desk.decide(request.request_id, "approved")
    another = paid(order_id=desk.order_id, store_id=desk.shop.store_id, placed_at="2026-11-21T10:00:00Z")
    desk.shop.write(another)
    desk.follow()
    desk.carry_out(request.request_id)
    assert desk.shop.document(desk.order_id) == another
    assert desk.row(request.request_id)["outcome"] == "Lapsed: there is no such order any more."
