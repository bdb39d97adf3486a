"""Cancels that the shop decides, over HTTP and through the table, as customers and admins do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cancel_core.domain.times import iso

from tests.stack.test_own_rules import listed, placed
from tests.support import documents
from tests.support.aws import EventWatch
from tests.support.openapi import body_of
from tests.support.shop import CANCELLATION, REQUEST, Shop, refused
from tests.support.waiting import wait_until

# Of an event, as docs/events.md has it.
TOLD = {"schema_version", "order_id", "store_id", "customer_id", "request_id", "reason", "refund", "occurred_at"}


class Desk:
    """What an admin sees and does in the requests table."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.table = shop, shop.aws.requests

    def rows(self, order_id: str) -> list[dict[str, Any]]:
        return [row for row in self.shop.aws.rows("requests") if row["order_id"] == order_id]

    def row(self, request_id: str) -> dict[str, Any]:
        return dict(self.table.get_item(Key={"request_id": request_id}, ConsistentRead=True).get("Item", {}))

    def waiting(self, request_id: str) -> dict[str, Any]:
        row: dict[str, Any] = wait_until(lambda: self.row(request_id), what="the request stands in the table")
        return row

    def decide(self, request_id: str, decision: Any, **attributes: Any) -> None:
        """Edits the item, as the console does: puts the attributes that were shown, with the new ones."""
        self.waiting(request_id)
        names = {"decision": decision} | attributes
        self.table.update_item(
            Key={"request_id": request_id},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in names),
            ExpressionAttributeNames={f"#{name}": name for name in names},
            ExpressionAttributeValues={f":{name}": value for name, value in names.items()},
        )

    def outcome(self, request_id: str) -> str:
        outcome = wait_until(lambda: self.row(request_id).get("outcome"), what="the outcome is written")
        return str(outcome)


@pytest.fixture
def desk(shop: Shop) -> Desk:
    return Desk(shop)


def asked(shop: Shop, order_id: str, **named: Any) -> dict[str, Any]:
    """A cancel that must become a request: the body."""
    answer = shop.cancel(order_id, **named)
    assert answer.status_code == 202, answer.text
    body: dict[str, Any] = body_of(answer)
    return body


def take_back(shop: Shop, order_id: str) -> Any:
    return shop.client.delete(REQUEST, order_id=order_id)


def test_the_shop_is_asked_and_the_order_stays_as_it_is(shop: Shop, desk: Desk, events: EventWatch) -> None:
    shop.configure(approval="always")
    order_id = shop.put(**documents.paid())
    eligibility = shop.eligibility(order_id)
    assert (eligibility["eligible"], eligibility["approval_required"]) == (True, True)
    before = shop.stored(order_id)
    body = asked(shop, order_id, reason="other", comment="Two of them", key="k")
    request = body["cancellation_request"]
    assert request == {
        "request_id": request["request_id"],
        "status": "open",
        "reason": {"code": "other", "description": "Another reason"},
        "comment": "Two of them",
        "requested_at": request["requested_at"],
        "decided_at": None,
        "note": None,
    }
    assert body["order"]["cancellation_request"] == shop.order(order_id)["cancellation_request"] == request
    assert body["order"]["available_actions"] == listed(shop, order_id)["available_actions"] == ["WITHDRAW_REQUEST"]
    stored = shop.stored(order_id)
    assert stored.pop("history")[:-1] == before.get("history", [])
    assert {name: value for name, value in stored.items() if name != "cancellation_request"} == {
        name: value for name, value in before.items() if name != "history"
    }
    row = desk.waiting(request["request_id"])
    names = ("order_id", "store_id", "reason", "comment", "amount", "currency", "requested_at", "status", "open")
    told = (order_id, shop.store_id, "other", "Two of them", 20000, "SEK", request["requested_at"], "open", "open")
    assert tuple(row[name] for name in names) == told
    detail = events.wait_for(order_id, "CancellationRequested")
    assert (detail["request_id"], detail["reason"]) == (request["request_id"], "other")
    assert detail["refund"] == {"amount": 20000, "currency": "SEK"}
    assert detail.keys() == TOLD
    again = shop.cancel(order_id, reason="other", comment="Two of them", key="k")
    assert (again.status_code, again.headers["idempotency-replayed"]) == (202, "true")
    assert body_of(again)["cancellation_request"] == request
    refused(shop.cancel(order_id, reason="other", key="k"), 422, "IDEMPOTENCY_KEY_REUSED")
    refused(shop.cancel(order_id, key="another"), 409, "CANCELLATION_REQUESTED")
    problem = refused(shop.cancel(order_id), 409, "CANCELLATION_REQUESTED")
    assert problem["order"]["cancellation_request"] == request
    assert [blocker["code"] for blocker in shop.eligibility(order_id)["blockers"]] == ["CANCELLATION_REQUESTED"]
    assert not events.of(order_id, "OrderCanceled")


def test_what_is_approved_is_cancelled_and_paid_back(shop: Shop, desk: Desk, events: EventWatch) -> None:
    shop.configure(approval="always")
    order_id = shop.put(**documents.paid())
    request_id = asked(shop, order_id, key="k", comment="Please")["cancellation_request"]["request_id"]
    # What comes later does not undo what the shop decides.
    shop.configure(enabled=False, approval="always", cancel_within_minutes=1, excluded={"total_above": {"SEK": 0}})
    desk.decide(request_id, "approved", note="Gladly.")
    assert desk.outcome(request_id).startswith("Approved")
    order = shop.order(order_id)
    # Closed, where the refund was faster than this look.
    assert (order["status"] in {"canceled", "closed"}, order["available_actions"]) == (True, [])
    request = order["cancellation_request"]
    assert (request["status"], request["note"]) == ("approved", "Gladly.")
    assert request["decided_at"]
    assert (order["cancellation"]["reason"]["code"], order["cancellation"]["comment"]) == ("no_longer_needed", "Please")
    shop.refunded(order_id)
    events.wait_for(order_id, "OrderCanceled")
    row = desk.row(request_id)
    assert (row["status"], row["decision"], "open" in row) == ("approved", "approved", False)
    # Nothing that is edited afterwards counts.
    desk.decide(request_id, "declined")
    again = shop.cancel(order_id, key="k", comment="Please")
    assert (again.status_code, body_of(again)["cancellation_request"]["status"]) == (202, "approved")
    refused(take_back(shop, order_id), 409, "CANCELLATION_REQUEST_DECIDED")
    assert len(events.of(order_id, "OrderCanceled")) == 1


def test_what_is_declined_is_told_and_may_be_asked_again(shop: Shop, desk: Desk, events: EventWatch) -> None:
    shop.configure(approval="always")
    order_id = shop.put(**documents.paid())
    first = asked(shop, order_id)["cancellation_request"]["request_id"]
    desk.decide(first, " Declined ", note="It is being packed.")
    assert desk.outcome(first).startswith("Declined")
    order = shop.order(order_id)
    assert (order["status"], order["available_actions"]) == ("processing", ["CANCEL"])
    request = order["cancellation_request"]
    assert (request["status"], request["note"]) == ("declined", "It is being packed.")
    detail = events.wait_for(order_id, "CancellationDeclined")
    assert (detail["request_id"], detail["status"]) == (first, "declined")
    assert detail.keys() == TOLD | {"status"}
    refused(take_back(shop, order_id), 409, "CANCELLATION_REQUEST_DECIDED")
    second = asked(shop, order_id)["cancellation_request"]["request_id"]
    assert second != first
    assert desk.waiting(second)["status"] == "open"
    desk.decide(first, "approved")
    desk.decide(second, "approved")
    assert desk.outcome(second).startswith("Approved")
    assert desk.row(first)["status"] == "declined"


def test_the_customer_takes_it_back(shop: Shop, desk: Desk) -> None:
    shop.configure(approval="always")
    order_id = shop.put(**documents.paid())
    refused(take_back(shop, order_id), 404, "CANCELLATION_REQUEST_NOT_FOUND")
    refused(shop.another_customer().delete(REQUEST, order_id=order_id), 404, "ORDER_NOT_FOUND")
    refused(take_back(shop, "nobodys"), 404, "ORDER_NOT_FOUND")
    request_id = asked(shop, order_id)["cancellation_request"]["request_id"]
    bodies = [body_of(take_back(shop, order_id)) for _ in range(2)]
    for body in bodies:
        assert (body["cancellation_request"]["status"], body["order"]["available_actions"]) == ("withdrawn", ["CANCEL"])
    assert desk.outcome(request_id).startswith("Taken back")
    desk.decide(request_id, "approved")
    other = asked(shop, order_id)["cancellation_request"]["request_id"]
    desk.decide(other, "declined")
    desk.outcome(other)
    assert (shop.order(order_id)["status"], desk.row(request_id)["status"]) == ("processing", "withdrawn")


@pytest.mark.parametrize("decision", ["yes", "approve", 1, True])
def test_a_wrong_word_changes_nothing_and_says_so(shop: Shop, desk: Desk, decision: object) -> None:
    shop.configure(approval="always")
    order_id = shop.put(**documents.paid())
    request_id = asked(shop, order_id)["cancellation_request"]["request_id"]
    desk.decide(request_id, decision)
    assert "set it to the word approved or declined" in desk.outcome(request_id)
    assert (desk.row(request_id)["status"], shop.actions(order_id)) == ("open", ["WITHDRAW_REQUEST"])
    desk.decide(request_id, "declined")
    wait_until(lambda: desk.row(request_id)["status"] == "declined", what="the right word is carried out")


@pytest.mark.parametrize(
    "left", [{"items": [documents.row("1", qty_shipped=1)], "status": "processing"}, {"status": "complete"}]
)
def test_what_has_left_meanwhile_lapses_and_says_why(
    shop: Shop, desk: Desk, events: EventWatch, left: dict[str, Any]
) -> None:
    shop.configure(approval="always")
    order_id = shop.put(**documents.paid())
    request_id = asked(shop, order_id)["cancellation_request"]["request_id"]
    now = shop.stored(order_id)
    shop.aws.orders.put_item(Item=now | left)
    desk.decide(request_id, "approved")
    assert desk.outcome(request_id).startswith("Lapsed: ")
    order = shop.order(order_id)
    assert (order["status"], order["cancellation_request"]["status"]) == (left["status"], "lapsed")
    assert events.wait_for(order_id, "CancellationDeclined")["status"] == "lapsed"
    refused(take_back(shop, order_id), 409, "CANCELLATION_REQUEST_DECIDED")


def test_after_the_window_the_shop_decides(shop: Shop) -> None:
    shop.configure(approval="after_window", cancel_within_minutes=60)
    late, early = shop.put(placed_at=placed(61)), shop.put(placed_at=(at := placed(10)))
    seen = shop.eligibility(late)
    assert (seen["eligible"], seen["approval_required"], seen["cancellable_until"]) == (True, True, None)
    assert (shop.actions(late), listed(shop, late)["cancellable_until"]) == (["CANCEL"], None)
    assert asked(shop, late)["order"]["status"] == "pending"
    seen = shop.eligibility(early)
    assert (seen["eligible"], seen["approval_required"]) == (True, False)
    assert seen["cancellable_until"] == iso(datetime.fromisoformat(at) + timedelta(minutes=60))
    assert shop.canceled(early)["order"]["status"] == "canceled"


def test_with_a_window_and_always_a_request_is_in_time_as_well(shop: Shop) -> None:
    shop.configure(approval="always", cancel_within_minutes=60)
    refused(shop.cancel(shop.put(placed_at=placed(61))), 409, "CANCELLATION_WINDOW_CLOSED")
    assert asked(shop, shop.put(placed_at=iso(datetime.now(UTC))))


def test_the_same_refusals_come_before_a_request(shop: Shop) -> None:
    shop.configure(approval="always", excluded={"skus": ["ENGRAVED"]}, comment_required_for=["other"])
    refused(shop.cancel(shop.put(items=[documents.row("1", sku="ENGRAVED")])), 409, "NOT_CANCELLABLE")
    refused(shop.cancel(shop.put(status="complete")), 409, "INVALID_ORDER_STATUS")
    refused(shop.cancel(shop.put(), "nobodys"), 422, "INVALID_CANCELLATION_REASON")
    refused(shop.cancel(shop.put(), "other"), 422, "COMMENT_REQUIRED")


def test_a_request_that_is_written_over_is_put_back(shop: Shop, desk: Desk) -> None:
    shop.configure(approval="always")
    order_id = shop.put(**documents.paid())
    before = shop.stored(order_id)
    request_id = asked(shop, order_id)["cancellation_request"]["request_id"]
    desk.waiting(request_id)
    shop.put_exactly(before)
    wait_until(lambda: "cancellation_request" in shop.stored(order_id), what="the request is put back")
    assert shop.order(order_id)["cancellation_request"]["request_id"] == request_id
    desk.decide(request_id, "approved")
    assert desk.outcome(request_id).startswith("Approved")
    assert len(desk.rows(order_id)) == 1


def test_an_open_row_that_is_deleted_comes_back(shop: Shop, desk: Desk) -> None:
    shop.configure(approval="always")
    order_id = shop.put(**documents.paid())
    request_id = asked(shop, order_id)["cancellation_request"]["request_id"]
    desk.waiting(request_id)
    desk.table.delete_item(Key={"request_id": request_id})
    desk.decide(request_id, "declined")
    assert desk.outcome(request_id).startswith("Declined")


def test_a_window_that_is_missing_is_told_and_not_in_force(shop: Shop) -> None:
    shop.configure(approval="never")
    shop.accepted()
    shop.configure(approval="after_window")
    told = wait_until(
        lambda: str((shop.aws.config_item(shop.scope) or {}).get("validation", "")), what="the edit is judged"
    )
    wait_until(
        lambda: "cancel_within_minutes is not set" in str((shop.aws.config_item(shop.scope) or {})["validation"]),
        what=f"the admin is told; it was {told}",
    )
    assert shop.canceled(shop.put())["order"]["status"] == "canceled"


def test_it_is_switched_off_again(shop: Shop) -> None:
    shop.configure(approval="always")
    waiting = shop.put()
    asked(shop, waiting)
    shop.configure()
    refused(shop.client.post(CANCELLATION, order_id=waiting, json={"reason": "other"}), 409, "CANCELLATION_REQUESTED")
    assert take_back(shop, waiting).status_code == 200
    assert shop.canceled(waiting)["order"]["status"] == "canceled"
