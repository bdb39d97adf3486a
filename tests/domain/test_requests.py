"""Cancels that the shop decides: who is asked when, what an admin's words mean, and which request is the newer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.domain.caller import Caller, Customer, Guest, Shop, address_hash
from cancel_core.domain.cancel import CancelRequest
from cancel_core.domain.cancellation import Reason
from cancel_core.domain.cancellation_request import (
    CancellationRequest,
    RequestStatus,
    has_ended,
    is_older_request,
    read_request,
    request_document,
)
from cancel_core.domain.order_change import OrderChange
from cancel_core.domain.policy import Policy
from cancel_core.domain.request_row import LONGEST_NOTE, AskedAbout, Decided, Row, new_row, read_decision
from cancel_core.domain.rule_settings import Exclusions
from cancel_core.domain.rules import Judged, decide
from cancel_core.entrypoints.http.documents import eligibility_view, order_view, summary_view
from cancel_core.errors import OrderNotCancellable
from cancel_core.services.cancel import Canceled, cancel_order
from hypothesis import given
from hypothesis import strategies as st

from tests.support.aws import attribute_values
from tests.support.orders import ENABLED, document, item, order, payment

PLACED = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
AT = "2026-11-22T10:00:00Z"
HOUR = ENABLED._replace(cancel_within=timedelta(minutes=60), approval="after_window")
END = PLACED + timedelta(minutes=60)
STATUSES: list[RequestStatus] = ["open", "approved", "declined", "withdrawn", "lapsed"]


def made(request_id: str = "req_1", status: RequestStatus = "open", at: str = AT, **more: Any) -> CancellationRequest:
    reason = Reason(code="other", description="Other")
    asked = CancellationRequest(
        request_id=request_id, status="open", reason=reason, amount=100, requested_at=at, made_by="r1", **more
    )
    return asked if status == "open" else asked.ended(status, at)


def row(**more: Any) -> Row:
    about = AskedAbout("o1", "2026-11-20T10:00:00Z", "default", "c1", "SEK")
    return Row.model_validate(new_row(about, made(comment="Please")) | more)


# --- what an admin writes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nothing", [None, "", "  ", "\u200b\n"])
def test_nothing_is_no_decision(nothing: object) -> None:
    assert read_decision(row(decision=nothing, note=7), AT) is None


@given(
    st.sampled_from(["approved", "declined"]),
    st.text(" \t\n\u00a0", max_size=3),
    st.sampled_from([str.lower, str.upper, str.title]),
    st.none() | st.text(max_size=LONGEST_NOTE),
)
def test_the_two_words_are_understood_however_they_are_written(
    word: str, blanks: str, written: Any, note: str | None
) -> None:
    said = read_decision(row(decision=f"{blanks}{written(word)}{blanks}", note=note), AT)
    assert isinstance(said, Decided)
    assert (said.decision, said.at) == (word, AT)
    assert said.note is None or (said.note in (note or "") and said.note == said.note.strip() != "")


@given(st.text(max_size=200) | st.booleans() | st.integers().map(Decimal) | st.lists(st.just("approved"), min_size=1))
def test_any_other_word_decides_nothing_and_is_told_without_harm(word: object) -> None:
    said = read_decision(row(decision=word), AT)
    if isinstance(word, str) and word.strip().lower() in {"approved", "declined"}:
        return
    assert not isinstance(said, Decided)
    if said:
        assert said.startswith("NOT CARRIED OUT: decision is ")
        assert said.isprintable()
        assert len(said) < 400


@pytest.mark.parametrize(
    ("note", "fault"),
    [
        (7, "note is no text"),
        (["Sorry"], "note is no text"),
        ("x" * (LONGEST_NOTE + 1), "note has more than 500 characters"),
    ],
)
def test_a_note_that_no_customer_could_be_told_decides_nothing(note: object, fault: str) -> None:
    said = read_decision(row(decision="approved", note=note), AT)
    assert isinstance(said, str)
    assert said.startswith(f"NOT CARRIED OUT: {fault}")


def test_a_row_says_what_the_order_said_and_nothing_that_is_absent() -> None:
    about = AskedAbout("o1", AT, "se", None, "SEK")
    values = new_row(about, made())
    assert {"customer_id", "comment"}.isdisjoint(values)
    assert (values["status"], values["open"]) == ("open", "open")
    assert row().request == made(comment="Please")


# --- which one is the newer -------------------------------------------------------------------------------------------

requests = st.builds(
    # An id tells one time from another.
    lambda number, status: made(f"req_{number}", status, f"2026-11-22T10:00:{number // 2:02}Z"),
    st.integers(0, 3),
    st.sampled_from(STATUSES),
)


@given(st.none() | requests, requests)
def test_of_two_requests_at_most_one_is_put_back_in_place_of_the_other(
    now: CancellationRequest | None, known: CancellationRequest
) -> None:
    if now is None:
        assert is_older_request(now, known)
        assert not has_ended(now, known)
        return
    # Else both would be put back for ever, by turns.
    assert not (is_older_request(now, known) and is_older_request(known, now))
    assert not is_older_request(known, known)


@pytest.mark.parametrize("status", STATUSES)
def test_an_end_follows_an_open_one_and_never_the_other_way(status: RequestStatus) -> None:
    ended, is_end = made(status=status), status != "open"
    assert not is_older_request(ended, made())
    assert is_older_request(made(), ended) is is_end
    assert has_ended(ended, made()) is is_end
    later = made("req_2", at="2026-11-22T10:00:09Z")
    assert (is_older_request(later, ended), is_older_request(ended, later)) == (False, True)
    assert (has_ended(later, ended), has_ended(ended, later)) == (True, False)


def test_an_approval_stands_against_every_other_end() -> None:
    approved = made(status="approved")
    for status in ("open", "declined", "withdrawn", "lapsed"):
        assert is_older_request(made(status=status), approved)
        assert not is_older_request(approved, made(status=status))


@pytest.mark.parametrize("value", [None, 7, "open", {}, {"request_id": "x"}, {**request_document(made()), "status": 1}])
def test_what_is_none_of_ours_counts_as_none(value: object) -> None:
    assert read_request(value) is None
    assert order(cancellation_request=value).cancellation_request is None


def test_what_a_newer_version_adds_is_kept() -> None:
    document = {**request_document(made()), "added": {"later": "x"}}
    read = read_request(document)
    assert read
    assert request_document(read.ended("withdrawn")) == document | {"status": "withdrawn"}


# --- the decision on an order -----------------------------------------------------------------------------------------


def test_the_shop_is_asked_from_the_second_after_the_window_on() -> None:
    last, after = decide(order(), HOUR, END), decide(order(), HOUR, END + timedelta(microseconds=1))
    assert (last.eligible, last.approval_required, last.until) == (True, False, END)
    assert (after.eligible, after.approval_required, after.until) == (True, True, None)
    closed = decide(order(), HOUR._replace(approval="never"), END + timedelta(microseconds=1))
    assert [blocker.code for blocker in closed.blockers] == ["CANCELLATION_WINDOW_CLOSED"]
    assert not closed.approval_required
    always = HOUR._replace(approval="always")
    assert decide(order(), always, END).approval_required
    assert decide(order(), always, END + timedelta(seconds=1)).blockers == closed.blockers


def test_nobody_knows_when_the_window_of_an_order_of_no_time_ended() -> None:
    assert decide(order(placed_at="2026-02-31T10:00:00Z"), HOUR, PLACED).approval_required


@dataclass
class Table:
    """The orders table, with one order in it, as the cancel uses it."""

    stored: StoredOrder
    MAX_ITEM_BYTES = Orders.MAX_ITEM_BYTES

    def of_caller(self, _: str, caller: Caller | Shop) -> StoredOrder | None:
        return self.stored if self.stored.belongs_to(caller) else None

    def write(self, read: StoredOrder, change: OrderChange) -> StoredOrder:
        assert read is self.stored
        self.stored = read.changed(change)
        return self.stored


@dataclass
class Policies:
    policy: Policy

    def get(self, _: str) -> Policy:
        return self.policy


def cancel(table: Table, policy: Policy, now: datetime, caller: Caller | Shop, **more: Any) -> Canceled:
    asked = CancelRequest("o1", caller, "other", None, more.pop("request_id", "r1"), None, **more)
    return cancel_order(table, Policies(policy), asked, lambda: now)  # type: ignore[arg-type]  # as far as it is used


EVERYTHING = Exclusions(skus=("MUG",), payment_providers=("invoice",))
policies = st.builds(
    Policy._replace,
    st.sampled_from([ENABLED, ENABLED._replace(enabled=False)]),
    cancel_within=st.none() | st.just(timedelta(minutes=60)),
    excluded=st.sampled_from([Exclusions(), Exclusions(), EVERYTHING]),
    approval=st.sampled_from(["never", "always", "after_window"]),
)
open_or_not: st.SearchStrategy[Any] = st.none() | st.sampled_from(STATUSES).map(
    lambda status: request_document(made(status=status))
)
sources = st.builds(
    lambda status, sku, shipped, request: document(
        status=status,
        items=[item(invoiced=1, sku=sku, qty_shipped=shipped)],
        payments=[payment(captured=10000)],
        cancellation_request=request,
    ),
    st.sampled_from(["pending", "processing", "processing", "complete"]),
    st.sampled_from(["MUG", "CUP"]),
    st.sampled_from([0, 0, 0, 1]),
    open_or_not,
)
times = st.sampled_from([END - timedelta(seconds=1), END, END + timedelta(seconds=1), END + timedelta(days=30)])
KEY = b"token"
GUEST = Guest("o1", "2026-11-20T10:00:00Z", address_hash("someone@example.com", KEY), KEY)


@given(sources, policies, times, st.booleans())
def test_the_list_the_page_the_eligibility_and_the_cancel_say_the_same(
    source: dict[str, Any], policy: Policy, now: datetime, guests: bool
) -> None:
    own = source | ({"customer_id": None} if guests else {})
    table, caller = Table(StoredOrder(attribute_values(own))), GUEST if guests else Customer("c1")
    judged = table.stored.order
    decision = decide(judged, policy, now)
    seen, listed = order_view(judged, policy, now), summary_view(judged, policy, now)
    asked_before = judged.cancellation_request is not None and judged.cancellation_request.is_open
    eligibility = eligibility_view(judged, decision)
    assert seen["available_actions"] == listed["available_actions"]
    assert ("CANCEL" in listed["available_actions"]) is eligibility["eligible"] is decision.eligible
    assert ("WITHDRAW_REQUEST" in listed["available_actions"]) is asked_before
    assert seen["cancellable_until"] == listed["cancellable_until"] == eligibility["cancellable_until"]
    assert not (asked_before and decision.eligible)
    if not decision.eligible:
        with pytest.raises(OrderNotCancellable) as refused:
            cancel(table, policy, now, caller)
        assert refused.value.code == eligibility["blockers"][0]["code"]
        return
    done = cancel(table, policy, now, caller)
    assert done.is_request is eligibility["approval_required"]
    after = done.stored.order
    if not done.is_request:
        assert after.status == "canceled"
        return
    assert (after.status, after.items, after.cancellation) == (judged.status, judged.items, None)
    made_now = after.cancellation_request
    assert made_now
    assert (made_now.status, made_now.amount) == ("open", eligibility["refund"]["amount"])
    assert order_view(after, policy, now)["available_actions"] == ["WITHDRAW_REQUEST"]
    assert [blocker.code for blocker in decide(after, policy, now).blockers] == ["CANCELLATION_REQUESTED"]
    # And the shop's yes is its cancel, by the same plan.
    approved = made_now.ended("approved", AT)
    by_shop = {"judged": "request", "approved": approved, "request_id": approved.request_id}
    carried_out = cancel(table, policy, now, Shop(after.placed_at), **by_shop)
    refund = carried_out.stored.order.cancellation
    assert refund
    assert refund.refund
    assert (refund.refund.amount, carried_out.stored.order.cancellation_request) == (made_now.amount, approved)


@given(sources, policies, times, st.sampled_from(["withdrawal", "request"]))
def test_only_what_the_order_has_become_stands_against_what_needs_no_leave(
    source: dict[str, Any], policy: Policy, now: datetime, judged: Judged
) -> None:
    about = order(source)
    decision = decide(about, policy, now, judged)
    assert decision == decide(about, ENABLED, now, judged)
    assert decision.eligible is (about.status != "complete" and not about.has_left)
    assert (decision.approval_required, decision.until) == (False, None)
    assert not {"CANCELLATION_REQUESTED", "NOT_CANCELLABLE"} & {blocker.code for blocker in decision.blockers}


@given(sources, policies, times)
def test_to_ask_the_shop_takes_no_more_than_to_cancel_would(
    source: dict[str, Any], policy: Policy, now: datetime
) -> None:
    about = order(source)
    asking, not_asking = decide(about, policy, now), decide(about, policy._replace(approval="never"), now)
    assert not not_asking.approval_required
    if policy.approval == "after_window":
        others = tuple(one for one in not_asking.blockers if one.code != "CANCELLATION_WINDOW_CLOSED")
        assert asking.blockers == others
        late = policy.cancel_within is not None and now > END
        assert asking.approval_required is late
    else:
        assert asking.blockers == not_asking.blockers
        assert asking.approval_required is (policy.approval == "always")
