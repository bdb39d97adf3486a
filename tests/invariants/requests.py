"""Requests to the shop, where everybody does what they may at any time, and calls fail; what must hold all the same.

One order, and one request after the other. Customer, admin and shop act between the product's passes and in the midst
of them; each write of the order is a record of its stream, which comes late, again, or to two at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any

from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.domain.caller import Customer
from cancel_core.errors import PublishFailed, Refusal
from cancel_core.services.cancel import cancel_order
from cancel_core.services.process_requests import Desk, process_requests
from cancel_core.services.reconcile_requests import reconcile_requests
from cancel_core.services.take_back import take_back_request
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.invariants.request_world import Asked, RequestWorld
from tests.invariants.wire import Crash, Fault
from tests.support.bank import Bank, run
from tests.support.requests import AFTER
from tests.support.tables import request

OTHERS = (
    *(RequestWorld.approves, RequestWorld.approves, RequestWorld.approves_at_once),
    *(RequestWorld.declines, RequestWorld.declines_at_once, RequestWorld.approves_the_one_before),
    *(RequestWorld.changes_its_mind, RequestWorld.says_nonsense, RequestWorld.deletes_the_row),
    *(RequestWorld.asks, RequestWorld.takes_back, RequestWorld.takes_back),
    *(RequestWorld.takes_back_and_asks, RequestWorld.takes_back_and_asks, RequestWorld.asks_nobody),
    *(RequestWorld.writes_over, RequestWorld.writes_over_and_it_is_taken_back, RequestWorld.ships),
    *(RequestWorld.holds, RequestWorld.corrects, RequestWorld.the_streams, RequestWorld.the_rows),
)
"""What others do, and the product without a fault, also in the midst of a pass. Twice: it comes twice as often."""
ACTS = {act.__name__: act for act in OTHERS}
KINDS = ["crash before", "crash after", "throttled", "answer lost", "sent twice"]
PASSING = (Refusal, PublishFailed, Crash)

others = st.integers(0, 2**16).map(lambda number: Random(number).choice(OTHERS).__name__)
"""All as often: of what is sampled from a list the first is drawn most."""
lasting = st.builds(Fault, kind=st.sampled_from(KINDS), at=st.integers(1, 5), calls=st.integers(1, 2))
meanwhile = st.builds(Fault, kind=st.just("meanwhile"), at=st.integers(1, 5), other=others)
faults = st.none() | lasting | meanwhile | meanwhile


class RequestMachine(RequestWorld):
    """`ends`, `decided`: what was seen of each row. `shown`: of each request on the order; `refused`: by the shop."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked)
        self.ends: dict[str, str] = {}
        self.decided: dict[str, Any] = {}
        self.shown: dict[str, set[str]] = {}
        self.refused: set[str] = set()
        self.looked_at = 0
        self.wire.meanwhile = lambda fault: self.does(fault.other)

    @initialize(told=st.booleans())
    def begins(self, told: bool) -> None:
        self.desk.place(cancellation=None)
        self.asks()
        if told:
            self.follow(9)

    @rule(what=others, then=st.sampled_from(["", "the streams", "all", "all"]))
    def somebody(self, what: str, then: str) -> None:
        """And what the product does next, without a fault."""
        self.does(what)
        if then:
            self.follow(9)
            self.publish(9, self.desk.desk)
        if then == "all":
            self.deliver(self.ids[-2:], self.desk.desk)
            self.follow(9)

    def does(self, what: str) -> None:
        self.tally[f"act: {what}"] += 1
        with suppress(Refusal):
            ACTS[what](self)

    # ------------------------------------------------------------------ the product

    def making(self, fault: Fault | None, run: Callable[[Desk], object]) -> None:
        """A pass of the product, by a client that may meet a fault."""
        desk = self.desk.on(self.asked.faulty) if fault else self.desk.desk
        self.wire.begin(fault)
        try:
            with suppress(*PASSING):
                run(desk)
        finally:
            self.wire.end()

    @precondition(lambda self: self.desk.seen < len(self.desk.images))
    @rule(number=st.integers(1, 4), fault=faults, again=st.sampled_from([False, False, True]))
    def the_orders_stream(self, number: int, fault: Fault | None, again: bool) -> None:
        self.making(fault, lambda desk: self.follow(number, desk))
        if again:
            self.desk.seen = max(1, self.desk.seen - number)

    @precondition(lambda self: self.published < len(self.desk.images))
    @rule(number=st.integers(1, 4), fault=faults)
    def the_other_function_of_the_stream(self, number: int, fault: Fault | None) -> None:
        """It puts cancellations back."""
        self.making(fault, lambda desk: self.publish(number, desk))

    @precondition(lambda self: self.ids)
    @rule(number=st.integers(0, 2), fault=faults)
    def the_rows_stream(self, number: int, fault: Fault | None) -> None:
        """The row that was written last, or one before: once more, or late."""
        row_ids = self.ids[-1 - number :][:1]
        self.making(fault, lambda desk: self.deliver(row_ids, desk))

    @rule(fault=faults, minutes=st.sampled_from([1, 16, 60]))
    def the_schedule(self, fault: Fault | None, minutes: int) -> None:
        self.desk.now += timedelta(minutes=minutes)
        self.making(fault, lambda desk: reconcile_requests(desk, self.desk.clock, AFTER, lambda: 600))

    @rule(takes_back=st.sampled_from([False, False, True]), fault=faults)
    def the_customer(self, takes_back: bool, fault: Fault | None) -> None:
        caller, order_id = Customer("c1"), self.desk.order_id
        self.desk.now += timedelta(seconds=2)
        asks = request(order_id, request_id=f"request-{self.desk.now.isoformat()}")

        def deals(desk: Desk) -> None:
            if takes_back:
                take_back_request(desk.orders, desk.policies, order_id, caller, self.desk.clock)
            else:
                cancel_order(desk.orders, desk.policies, asks, self.desk.clock)

        self.making(fault, deals)

    # ------------------------------------------------------------------ what must hold

    @invariant()
    def all_holds(self) -> None:
        self.tally["steps"] += 1
        for image in self.desk.images[self.looked_at :]:
            self.check_image(image)
        self.looked_at = len(self.desk.images)
        for row in filter(None, (self.desk.row(row_id) for row_id in self.ids if row_id not in self.tidied)):
            row_id, status, decided = row["request_id"], row["status"], row.get("decided")
            assert self.ends.setdefault(row_id, status) in {status, "open"}, f"{row_id} ended twice"
            self.ends[row_id] = status
            assert ("open" in row) is (status == "open"), f"{row_id} is {status}, and its index says otherwise"
            before = self.decided.get(row_id)
            assert before is None or before == decided, f"{row_id}: another decision counts than before"
            self.decided[row_id] = decided or before

    def check_image(self, image: StoredOrder | None) -> None:
        assert image
        made, cancellation = image.request, image.cancellation
        if made:
            if made.request_id not in self.shown:
                self.ids.append(made.request_id)
            seen = self.shown.setdefault(made.request_id, set())
            seen.add(made.status)
            if made.status in {"declined", "lapsed"} and made.decided_at:
                self.refused.add(made.request_id)
            # An order system that puts an open request back gives everybody another say, until ours is back.
            assert self.written_over or len(seen - {"open"}) <= 1, f"{made.request_id} was {seen} on its order"
            if not self.written_over:
                assert not (cancellation and made.is_open), "cancelled, and its request is still open"
        if cancellation and cancellation.request_id in self.shown:
            by, row = cancellation.request_id, self.desk.row(cancellation.request_id)
            assert not row or row["decided"]["decision"] == "approved", "cancelled, and nobody had approved"
            if not self.written_over:
                assert self.shown[by] <= {"open", "approved"}, f"cancelled by one that was {self.shown[by]}"
                assert made, "cancelled by a request, which is gone"
                assert (made.request_id, made.status) == (by, "approved"), "cancelled by one that does not say so"

    def teardown(self) -> None:
        try:
            if self.desk.images:
                self.come_to_rest()
                self.all_holds()
                self.check_end()
        finally:
            self.asked.on_write = lambda: None
            for row_id in self.ids:
                key: Any = {"request_id": {"S": row_id}}
                self.desk.shop.client.delete_item(TableName=self.desk.requests.table, Key=key)

    def come_to_rest(self) -> None:
        """What was lost of the rows' stream the schedule finds; nothing is delivered of it any more but what failed."""
        for _ in range(3):
            self.follow(1000)
            self.publish(1000, self.desk.desk)
            self.deliver([], self.desk.desk)
            self.desk.now += timedelta(hours=1)
            self.desk.reconcile()
        self.all_holds()
        assert self.desk.seen == self.published == len(self.desk.images), "it never comes to rest"

    def check_end(self) -> None:
        stored = self.desk.stored()
        assert stored
        assert not (stored.cancellation and stored.request and stored.request.is_open), "cancelled, and still asked for"
        for row_id in self.ids:
            self.check_row(row_id, stored)
        bank = Bank()
        if stored.cancellation:
            for _ in range(2):
                run(self.desk.shop, self.desk.order_id, bank)
        assert bank.amounts == ({"ref-p1": 10000} if stored.cancellation else {})
        assert self.desk.cancels() <= 1
        before = self.all_there_is()
        process_requests(self.desk.desk, self.desk.records()[:5], self.desk.clock)
        after = self.all_there_is()
        assert before == after, "an old record has changed something"

    def all_there_is(self) -> Any:
        """But for rows that were deleted after their end: an old record adds them again, until the schedule looks."""
        rows = [self.desk.row(row_id) for row_id in self.ids if row_id not in self.tidied]
        return rows, self.desk.shop.document(self.desk.order_id)

    def check_row(self, row_id: str, stored: StoredOrder) -> None:
        row = self.desk.row(row_id)
        if row_id in self.tidied:
            return
        assert row, f"{row_id} has no row"
        status = row["status"]
        self.tally[f"end: {status}"] += 1
        if stored.request and stored.request.request_id == row_id:
            ends = {stored.request.status, status}
            # Of two ends that are none of them an approval the order may keep the later one, once it was written over.
            is_lost = self.written_over and not ends & {"open", "approved"}
            assert len(ends) == 1 or is_lost, f"order and row have two ends: {ends}"
        else:
            assert status != "open", "it waits, and its order knows nothing of it"
        readable = row.get("decision") in {"approved", "declined"}
        assert status != "open" or not readable, "decided, and not carried out"
        by = stored.cancellation.request_id if stored.cancellation else None
        assert (status == "approved") is (by == row_id), f"it is {status}, and the order is cancelled by {by}"
        if status in {"approved", "declined"}:
            assert row["decided"]["decision"] == status, "it has ended otherwise than it was decided"
        told = Counter(
            event.detail_type for event in self.desk.heard.events if event.detail.get("request_id") == row_id
        )
        assert told["CancellationRequested"], "asked for, and nobody was told"
        # One that lapsed because the order was cancelled otherwise is not the shop's doing: that cancel is told.
        assert bool(told["CancellationDeclined"]) is (row_id in self.refused), f"{status}, and {dict(told)} was told"
