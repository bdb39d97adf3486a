"""Requests whose way is broken off, found again by the streams and the schedule: one outcome, and money back once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from cancel_core.domain.cancellation_request import CancellationRequest
from cancel_core.domain.request_row import Decided
from cancel_core.errors import OrderNotCancellable
from cancel_core.services.process_requests import OrderSeen, RowSeen, process_requests

from tests.support.bank import Bank, run
from tests.support.requests import AFTER, RequestDesk
from tests.support.tables import Aws, Calls, Shop

LONG = timedelta(hours=1)


@pytest.fixture
def desk(shop: Shop) -> RequestDesk:
    return RequestDesk(shop)


@pytest.fixture
def own(shop: Shop) -> Iterator[RequestDesk]:
    """With a requests table of its own: the schedule looks at all that is open."""
    name = f"requests-{uuid4()}"
    known: Any = shop.client.describe_table(TableName=shop.tables["requests"])["Table"]
    index = {part: known["GlobalSecondaryIndexes"][0][part] for part in ("IndexName", "KeySchema", "Projection")}
    shop.client.create_table(
        TableName=name,
        KeySchema=known["KeySchema"],
        AttributeDefinitions=known["AttributeDefinitions"],
        GlobalSecondaryIndexes=[index],  # type: ignore[list-item]  # as it was described
        BillingMode="PAY_PER_REQUEST",
    )
    shop.client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    yield RequestDesk(shop, table=name)
    shop.client.delete_table(TableName=name)


# --- broken off -------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process's end: nothing of ours catches it."""


def killed(aws: Aws, number: int, *, before: bool) -> Any:
    """A client whose process ends before the call of this number goes out, or after its work was done."""
    client, made = aws.client("dynamodb"), [0]

    def sent(**_: Any) -> None:
        made[0] += 1
        if before and made[0] == number:
            raise Killed

    def answered(**_: Any) -> None:
        if not before and made[0] == number:
            raise Killed

    client.meta.events.register_first("before-send.dynamodb.*", sent)
    client.meta.events.register_first("after-call.dynamodb.*", answered)
    return client


ENDS = {
    # The decision that is carried out, and so many calls: the row, the claim, the order, the end on it, the row's end.
    # A cancel reads the order once more.
    "approved": ("approved", {}, 6),
    "declined": ("declined", {}, 5),
    "lapsed": ("approved", {"status": "complete"}, 7),
}


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(
    ("end", "number", "again"),
    [
        (end, number, again)
        for end, (_, _, calls) in ENDS.items()
        for number in range(1, calls + 1)
        for again in ("redelivered", "by the schedule")
        # Both lead to the same line: once is enough.
        if again == "redelivered" or end == "approved"
    ],
)
def test_a_decision_that_is_broken_off_anywhere_is_carried_out_once(
    end: str, number: int, before: bool, again: str, own: RequestDesk, aws: Aws
) -> None:
    desk, (decision, meanwhile, _) = own, ENDS[end]
    request = desk.asked()
    desk.decide(request.request_id, decision)
    if meanwhile:
        desk.set(**meanwhile)
    broken = desk.on(killed(aws, number, before=before))
    with pytest.raises(Killed):
        desk.carry_out(request.request_id, broken)
    desk.note()
    if again == "redelivered":
        desk.carry_out(request.request_id)
    else:
        # Without the row's stream, and before the order's.
        desk.now += LONG
        desk.reconcile()
    desk.follow()
    desk.settled(request.request_id, end, end[1:])
    for record in desk.records():
        desk.process(record)
    desk.carry_out(request.request_id)
    desk.now += LONG
    assert desk.reconcile() == 0
    desk.settled(request.request_id, end, end[1:])
    assert desk.heard.of(desk.order_id).count("CancellationDeclined") >= (end != "approved")
    bank = Bank()
    if end == "approved":
        for _ in range(2):
            run(desk.shop, desk.order_id, bank)
    assert bank.amounts == ({"ref-p1": 10000} if end == "approved" else {})


def test_the_calls_are_no_more_than_these(own: RequestDesk, aws: Aws) -> None:
    for end, (decision, meanwhile, number) in ENDS.items():
        request = own.asked()
        own.decide(request.request_id, decision)
        if meanwhile:
            own.set(**meanwhile)
        client = aws.client("dynamodb")
        desk, calls = own.on(client), Calls(client)
        own.carry_out(request.request_id, desk)
        assert len(calls.made) == number, (end, calls.made)


@pytest.mark.parametrize("before", [True, False])
def test_a_request_whose_row_is_broken_off_is_put_before_the_admin(before: bool, desk: RequestDesk, aws: Aws) -> None:
    desk.place()
    asked = desk.cancel().stored.request
    assert asked
    (record,) = desk.records()
    with pytest.raises(Killed):
        desk.process(record, desk=desk.on(killed(aws, 1, before=before)))
    desk.follow()
    assert [row["request_id"] for row in desk.rows()] == [asked.request_id]
    assert desk.heard.of(desk.order_id) == ["CancellationRequested"]


# --- the schedule -----------------------------------------------------------------------------------------------------


def taken_back(desk: RequestDesk, _: CancellationRequest) -> None:
    desk.take_back()


def decided(desk: RequestDesk, request: CancellationRequest) -> None:
    desk.decide(request.request_id, "approved")


def claimed(desk: RequestDesk, request: CancellationRequest) -> None:
    desk.decide(request.request_id, "declined")
    row = desk.requests.get(request.request_id)
    assert row
    assert desk.requests.claim(row, Decided(decision="declined", at="2026-11-22T10:00:05Z", note="Sorry"))
    # What is written afterwards does not count.
    desk.decide(request.request_id, "approved", note="Yes")


def deleted(desk: RequestDesk, _: CancellationRequest) -> None:
    desk.delete()


def asked_anew(desk: RequestDesk, _: CancellationRequest) -> None:
    desk.take_back()
    desk.cancel()


def written_over(desk: RequestDesk, _: CancellationRequest) -> None:
    """And asked again, before it was put back."""
    desk.put(desk.images[0])
    desk.cancel()


@pytest.mark.parametrize(
    ("lost", "status", "outcome"),
    [
        (taken_back, "withdrawn", "Taken back by the customer."),
        (decided, "approved", "Approved, decided 2026-11-22T"),
        (claimed, "declined", "Declined, decided 2026-11-22T10:00:05Z."),
        (deleted, "lapsed", "Lapsed: there is no such order any more."),
        (asked_anew, "lapsed", "Lapsed: the customer has asked anew since."),
        (written_over, "lapsed", "Lapsed: the customer has asked anew since."),
    ],
)
def test_what_the_streams_have_lost_is_found(
    lost: Callable[[RequestDesk, CancellationRequest], Any], status: str, outcome: str, own: RequestDesk
) -> None:
    request = own.asked()
    lost(own, request)
    # Too young: the streams are to do it.
    assert own.reconcile() == 0
    assert own.row(request.request_id)["status"] == "open"
    own.now += AFTER
    assert own.reconcile() == 1
    row = own.row(request.request_id)
    assert (row["status"], row["outcome"].startswith(outcome), "open" in row) == (status, True, False)
    if lost in {taken_back, decided, claimed}:
        own.settled(request.request_id, status, outcome)
    assert own.reconcile() == 0


def test_a_wrong_word_is_told_by_the_schedule_too(own: RequestDesk) -> None:
    request = own.asked()
    own.decide(request.request_id, "approve", note=7)
    own.now += AFTER
    own.reconcile()
    row = own.row(request.request_id)
    assert (row["status"], row["outcome"].startswith("NOT CARRIED OUT")) == ("open", True)


def waiting(capsys: pytest.CaptureFixture[str]) -> float:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "RequestWaitingSeconds" in line]
    (seconds,) = lines[-1]["RequestWaitingSeconds"]
    return float(seconds)


def test_it_is_measured_how_long_the_oldest_has_been_waiting(
    own: RequestDesk, capsys: pytest.CaptureFixture[str]
) -> None:
    own.reconcile()
    assert waiting(capsys) == 0
    first = own.asked()
    own.now += timedelta(minutes=5)
    own.asked()
    own.reconcile()
    assert 300 < waiting(capsys) < 320
    own.now += timedelta(days=1)
    own.decide(first.request_id, "wait")
    own.reconcile()
    assert 86_700 < waiting(capsys) < 86_800
    own.decide(first.request_id, "declined")
    # What it carries out itself waits for the last time; then the younger one is the oldest.
    own.reconcile()
    own.reconcile()
    assert 86_400 < waiting(capsys) < 86_450


def test_one_that_cannot_be_dealt_with_holds_up_nobody(own: RequestDesk, capsys: pytest.CaptureFixture[str]) -> None:
    broken, others = own.asked(), []
    own.decide(broken.request_id, "approved", requested_at="1 week ago", order_id="")
    for _ in range(2):
        others.append((own.asked(), own.order_id))
        own.decide(others[-1][0].request_id, "approved")
    # One of them lies on an order that nobody can write any more.
    own.choose(others[0][1])
    own.set(cancellation={"nonsense": True})
    own.now += LONG
    own.reconcile()
    own.choose(others[1][1])
    own.settled(others[1][0].request_id, "approved", "Approved")
    waiting(capsys)


def test_a_run_that_has_no_time_left_measures_all_the_same(
    own: RequestDesk, capsys: pytest.CaptureFixture[str]
) -> None:
    request = own.asked()
    own.decide(request.request_id, "approved")
    own.now += LONG
    assert own.reconcile(seconds_left=lambda: 5) == 0
    assert 3600 < waiting(capsys) < 3620
    assert own.reconcile() == 1
    own.settled(request.request_id, "approved", "Approved")


# --- again, and too late ----------------------------------------------------------------------------------------------


def _approved(desk: RequestDesk, row_id: str) -> None:
    desk.decide(row_id, "approved")
    desk.carry_out(row_id)


def _declined(desk: RequestDesk, row_id: str) -> None:
    desk.decide(row_id, "declined")
    desk.carry_out(row_id)


@pytest.mark.parametrize("end", [_approved, _declined, lambda desk, _: desk.take_back()])
def test_what_the_streams_bring_again_after_the_end_changes_nothing(
    end: Callable[[RequestDesk, str], Any], desk: RequestDesk
) -> None:
    request = desk.asked()
    open_row = desk.shop.client.get_item(TableName=desk.requests.table, Key={"request_id": {"S": request.request_id}})[
        "Item"
    ]
    end(desk, request.request_id)
    desk.follow()
    before = desk.row(request.request_id), desk.shop.document(desk.order_id)
    old = [*desk.records(), ("row", RowSeen(request.request_id)), ("deleted", RowSeen(request.request_id, open_row))]
    for record in (*old, *reversed(old)):
        desk.process(record)
    desk.decide(request.request_id, "declined")
    desk.carry_out(request.request_id)
    after = desk.row(request.request_id) | {"decision": before[0].get("decision")}
    assert ({name: value for name, value in after.items() if value}, desk.shop.document(desk.order_id)) == before


def test_a_decision_waits_for_a_bus_and_a_table_that_are_busy(desk: RequestDesk, aws: Aws) -> None:
    request = desk.asked()
    with pytest.raises(OrderNotCancellable):
        desk.cancel()
    desk.decide(request.request_id, "declined")
    client = aws.client("dynamodb")
    calls = Calls(client)
    seconds = iter(range(1, 60))

    def changes() -> None:
        # What the end of a request is on condition of.
        desk.put(desk.images[-1], placed_at=f"2026-11-20T10:00:{next(seconds):02}Z")
        calls.before("UpdateItem", changes)

    calls.before("UpdateItem", lambda: calls.before("UpdateItem", changes))
    record = ("1", RowSeen(request.request_id))
    assert process_requests(desk.on(client), [record], desk.clock) == ["1"]
    assert desk.row(request.request_id)["status"] == "open"
    desk.process(record)
    desk.settled(request.request_id, "declined", "Declined")
    assert isinstance(desk.records()[0][1], OrderSeen)
