"""What the machine of requests acts in: one order of a store that decides its cancels, and everybody's hands on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from cancel_core.adapters.dynamodb.refunds import Refunds
from cancel_core.services.announce import Change, publish_changes
from cancel_core.services.process_requests import Desk, Record, RowSeen, process_requests
from hypothesis.stateful import RuleBasedStateMachine

from tests.conftest import Aws
from tests.invariants.wire import Wire, attach
from tests.support.orders import item
from tests.support.requests import RequestDesk
from tests.support.tables import open_shop

WRITES = {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"}


class Asked:
    """The engine, and what is shared by all machines on it."""

    def __init__(self, aws: Aws) -> None:
        self.wire, self.tally = Wire(), Counter[str]()
        self.shop = open_shop(aws)
        self.faulty = aws.client("dynamodb", retries={"mode": "standard", "total_max_attempts": 1})
        self.on_warning: Callable[[str], None] = lambda _: None
        self.on_write: Callable[[], None] = lambda: None
        for client in (self.shop.client, self.faulty):
            # Before the fault of the same call: a write whose answer is lost is in the stream, too.
            client.meta.events.register_first("response-received.*.*", self._called)
        attach(self.faulty, self.wire)

    def _called(self, event_name: str, **_: Any) -> None:
        if event_name.rpartition(".")[2] in WRITES:
            self.on_write()


class RequestWorld(RuleBasedStateMachine):
    """`ids`: of all requests, in order. `seen`, `published`: up to where the stream's two functions have come.

    `deleted`: open rows that were deleted, and whose records are on their way; `tidied`: rows that were deleted after
    their end.
    """

    def __init__(self, asked: Asked) -> None:
        super().__init__()
        self.asked, self.wire, self.tally = asked, asked.wire, asked.tally
        self.desk = RequestDesk(asked.shop)
        self.ids: list[str] = []
        self.deleted: list[RowSeen] = []
        self.tidied: set[str] = set()
        self.published = 1
        self.held = self.written_over = False
        asked.on_write = self.desk.note

    # ------------------------------------------------------------------ the streams

    def follow(self, number: int, desk: Desk | None = None) -> None:
        """In order, and not beyond one that is to be retried."""
        for _ in range(number):
            if self.desk.seen >= len(self.desk.images):
                return
            record: Record = self.desk.records()[self.desk.seen - 1]
            if process_requests(desk or self.desk.desk, [record], self.desk.clock):
                return
            self.desk.seen += 1

    def publish(self, number: int, desk: Desk) -> None:
        refunds = Refunds(self.desk.shop.client, self.desk.shop.tables["refunds"], desk.orders)
        for _ in range(number):
            if self.published >= len(self.desk.images):
                return
            change = Change("1", *self.desk.images[self.published - 1 : self.published + 1])
            if publish_changes(desk.orders, refunds, self.desk.heard, [change], self.desk.clock()):
                return
            self.published += 1

    def deliver(self, row_ids: list[str], desk: Desk) -> None:
        seen = [*(RowSeen(row_id) for row_id in row_ids), *self.deleted]
        failed = process_requests(desk, [(str(at), one) for at, one in enumerate(seen)], self.desk.clock)
        # More may have been deleted meanwhile.
        self.deleted = [one for one in self.deleted if one not in seen or str(seen.index(one)) in failed]

    def row(self, number: int) -> dict[str, Any]:
        """The row of one of the requests, by its place; empty where there is none."""
        known = self.ids[number:][:1]
        return self.desk.row(known[0]) if known else {}

    # ------------------------------------------------------------------ the customer

    def asks(self) -> None:
        """In a second of its own, as ids and their order are told apart by it."""
        self.desk.now += timedelta(seconds=2)
        self.desk.cancel()

    def takes_back(self) -> None:
        self.desk.take_back()

    def takes_back_and_asks(self) -> None:
        self.desk.take_back()
        self.asks()

    # ------------------------------------------------------------------ the admin

    def decides(self, number: int, word: object) -> None:
        if found := self.row(number):
            self.desk.decide(found["request_id"], word)

    def approves(self) -> None:
        self.decides(-1, "approved")

    def declines(self) -> None:
        self.decides(-1, "declined")

    def approves_at_once(self) -> None:
        """And the product carries it out."""
        self.approves()
        self.the_rows()

    def declines_at_once(self) -> None:
        self.declines()
        self.the_rows()

    def changes_its_mind(self) -> None:
        self.decides(-1, "declined" if self.row(-1).get("decision") == "approved" else "approved")

    def approves_the_one_before(self) -> None:
        """The table may not have been told yet that it has ended."""
        self.decides(-2, "approved")
        self.deliver(self.ids[-2:-1], self.desk.desk)

    def says_nonsense(self) -> None:
        self.decides(-1, "yes")

    def deletes_the_row(self) -> None:
        for row_id in self.ids[-1:]:
            key: Any = {"request_id": {"S": row_id}}
            gone = self.desk.shop.client.delete_item(
                TableName=self.desk.requests.table, Key=key, ReturnValues="ALL_OLD"
            ).get("Attributes", {})
            if "open" in gone:
                self.deleted.append(RowSeen(row_id, deleted=gone))
            elif gone:
                self.tidied.add(row_id)

    # ------------------------------------------------------------------ the shop

    def asks_nobody(self) -> None:
        """The shop lets customers cancel by themselves for a moment, and one does."""
        self.desk.shop.configure(approval="never")
        try:
            self.asks()
        finally:
            self.desk.shop.configure(approval="always")

    def ships(self) -> None:
        """By the rules: on condition that it is not cancelled. Seldom, for little is left to be done then."""
        if len(self.desk.images) % 8 == 0 and self.desk.shop.order(self.desk.order_id).cancellation is None:
            self.desk.set(items=[item(invoiced=1, qty_shipped=1)])

    def writes_over(self) -> None:
        """Against the rules: what it read before it was asked, or before the request's end."""
        if len(self.desk.images) > 1:
            self.desk.put(self.desk.images[-2 if len(self.desk.images) % 2 else 0])
            self.written_over = True
            self.tally["fault: written over"] += 1

    def writes_over_and_it_is_taken_back(self) -> None:
        self.writes_over()
        self.desk.take_back()

    def holds(self) -> None:
        self.held = not self.held
        self.desk.set(status="hold" if self.held else "processing")

    def corrects(self) -> None:
        self.desk.set(placed_at=f"2026-11-20T10:00:{self.desk.now.second:02}Z")

    # ------------------------------------------------------------------ the product, without a fault

    def the_streams(self) -> None:
        self.follow(3)
        self.publish(3, self.desk.desk)

    def the_rows(self) -> None:
        self.deliver(self.ids[-2:], self.desk.desk)
