"""The product in a world where everything goes wrong that may, one step at a time; and what must hold all the same."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from cancel_core.adapters.dynamodb.attributes import plain
from cancel_core.adapters.dynamodb.config import ConfigTables, Policies
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.adapters.dynamodb.refunds import Refunds
from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.domain.cancel import CancelRequest
from cancel_core.domain.cancellation import Fingerprint
from cancel_core.domain.ids import cancellation_id, refund_id
from cancel_core.domain.provider import PaymentRequest
from cancel_core.entrypoints.http.documents import canceled_view
from cancel_core.entrypoints.order_stream import read_changes
from cancel_core.errors import (
    CancellationErased,
    ConcurrentUpdate,
    IdempotencyKeyReused,
    OrderNotCancellable,
    OrderNotFound,
    ProviderUnavailable,
    PublishFailed,
    ServiceUnavailable,
)
from cancel_core.services.announce import publish_changes
from cancel_core.services.cancel import cancel_order
from cancel_core.services.reconcile import reannounce
from cancel_core.services.refund import RefundContended, refund_order
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ops.settlement import Person, Refused, retry
from tests.conftest import Aws
from tests.invariants.around import Events, Message, Record, Stream, images
from tests.invariants.bank import SHOP, Account, Bank
from tests.invariants.orders import has_left, orders, shops_part, sums
from tests.invariants.wire import KINDS, Crash, Fault, Wire, attach
from tests.support.aws import attribute_values

RECONCILE_AFTER = timedelta(minutes=15)
REASONS = [{"code": "other", "description": "Other"}, {"code": "mistake", "description": "By mistake"}]
CANCELLABLE = ("pending", "processing")
MOST_ORDERS = 6
PUT_BACK = "The order system wrote over the cancellation; it has been put back."
ONCE = {"mode": "standard", "total_max_attempts": 1}

# What a pass may end with where something went wrong around it. Whatever else comes out of it is a defect.
REFUSALS = (OrderNotCancellable, IdempotencyKeyReused, ConcurrentUpdate, OrderNotFound)
PASSING = (ServiceUnavailable, ConcurrentUpdate, Crash)
TRY_AGAIN = (ProviderUnavailable, ServiceUnavailable, RefundContended, CancellationErased, Crash)

OTHERS = (
    "the message again",
    "the message again",
    "the message again",
    "the queue",
    "the stream",
    "the reconciler",
    "a note",
    "a row",
    "a shipment",
    "a shipment all the same",
    "a blind put",
    "the shop gives back",
    "a cancel",
    "what is pending ends",
)


def faults(calls: int, most: tuple[int, ...] = ()) -> st.SearchStrategy[Fault | None]:
    """None, or one among the first `calls` of a pass, above all at the ones of `most`. What others do in the midst of
    it comes as often as all else.
    """
    at, other = st.sampled_from([*range(1, calls + 1), *most]), st.sampled_from(OTHERS)
    lasting = st.builds(Fault, kind=st.sampled_from(KINDS), at=at, calls=st.integers(1, 4), other=st.just(""))
    meanwhile = st.builds(Fault, kind=st.just("meanwhile"), at=at, calls=st.just(1), other=other)
    return st.none() | lasting | meanwhile


which = st.integers(0, 59)
"""One of several, by its place."""


@dataclass
class Known:
    """What the world knows of an order beside what the table says."""

    order_id: str
    placed_at: str
    status: str
    references: list[str]
    shipped: int | None = None
    copy: dict[str, Any] | None = None
    erased: bool = False
    deleted: bool = False
    lost: bool = False
    told: bool = False
    first_view: dict[str, Any] | None = None
    reached_by: set[str] = field(default_factory=set)

    @property
    def cancellation_id(self) -> str:
        return cancellation_id(self.order_id, self.placed_at)


class Surroundings:
    """The engine and what is shared by all machines on it: clients are slow to make."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.wire = Wire()
        self.tables = aws.tables
        self.stream = Stream(aws)
        self.calm = aws.client("dynamodb")
        self.faulty = aws.client("dynamodb", retries=ONCE)
        attach(self.faulty, self.wire)
        self.numbers = count(1)
        self.tally: Counter[str] = Counter()
        self.put("config", {"scope": "default", "enabled": True, "reasons": REASONS})

    def put(self, table: str, source: dict[str, Any]) -> None:
        item = attribute_values(source)
        self.calm.put_item(TableName=self.tables[table], Item=item)

    def get(self, table: str, **key: str) -> dict[str, Any] | None:
        names = {name: {"S": value} for name, value in key.items()}
        item = self.calm.get_item(TableName=self.tables[table], Key=names, ConsistentRead=True).get("Item")
        return plain(item) if item else None

    def remove(self, table: str, **key: str) -> None:
        names = {name: {"S": value} for name, value in key.items()}
        self.calm.delete_item(TableName=self.tables[table], Key=names)


class Machine(RuleBasedStateMachine):
    """Each rule is one step of somebody; the product's own steps may meet a `Fault`."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__()
        self.around = around
        self.wire, self.tally = around.wire, around.tally
        self.bank = Bank(self.wire)
        self.bank.moved = self._money_moves
        self.events = Events(around.aws, self.wire)
        self.wire.meanwhile = self._meanwhile
        self.wire.a_day_goes_by = self._a_day_goes_by
        self.now = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
        self.known: dict[str, Known] = {}
        self.records: list[Record] = []
        self.position = 0
        self.dead: list[Record] = []
        self.story: list[tuple[str, str]] = []
        self.moment = 0
        self.read_at: list[int] = []
        self.in_hand: list[str] = []
        self.interfered = False
        self.outside = sys.exc_info()[1]
        around.stream.read()

    # ------------------------------------------------------------------ the order system

    @initialize(source=orders(), canceled=st.booleans(), key=st.sampled_from([None, "k1"]), fault=faults(4))
    def begins(self, source: dict[str, Any], canceled: bool, key: str | None, fault: Fault | None) -> None:
        known = self._place(source)
        if canceled:
            self._cancel(known, key, "other", fault)

    @precondition(lambda self: len(self.known) < MOST_ORDERS)
    @rule(source=orders(), canceled=st.booleans(), key=st.sampled_from([None, "k1"]), fault=faults(4))
    def an_order_is_placed(self, source: dict[str, Any], canceled: bool, key: str | None, fault: Fault | None) -> None:
        self.begins(source, canceled, key, fault)

    def _place(self, source: dict[str, Any]) -> Known:
        order_id = f"o{next(self.around.numbers)}"
        payments = [row | {"reference": f"{order_id}-{row['payment_id']}"} for row in source["payments"]]
        for row in payments:
            account = Account(row["amount_captured"], row["amount_authorized"])
            self.bank.accounts[row["reference"]] = account
            if before := int(row["amount_refunded"]):
                account.give_back(row["reference"], before)
        self.around.put("orders", source | {"order_id": order_id, "payments": payments})
        references = [row["reference"] for row in payments]
        self.known[order_id] = known = Known(order_id, source["placed_at"], source["status"], references)
        known.copy = self._order(known)
        return known

    @rule(number=which, opens=st.sampled_from([True, False, False, False]), ships=st.sampled_from([False, False, True]))
    def the_shop_puts_back_what_it_read(self, number: int, opens: bool, ships: bool) -> None:
        """An order that it has open is put blindly; otherwise it opens it."""
        known = self._one(number)
        if opens or known.copy is None:
            known.copy = self._order(known)
        else:
            self._put_blindly(known, ships=ships)

    def _put_blindly(self, known: Known, *, ships: bool) -> None:
        before = self._order(known)
        if known.copy is None or before is None:
            return
        copy = dict(known.copy)
        if ships:
            copy |= {"status": "complete", "items": [_shipped(row) for row in copy["items"]]}
            self._ships(known)
            known.copy = None
        self._tell(known.order_id, "the shop puts it blindly")
        self.around.put("orders", copy | {"own_writes": self._next()})
        if "cancellation" in before:
            known.erased = True
            self.tally["fault: put blindly over a cancellation"] += 1

    @rule(number=which, all_of_it=st.booleans(), mindful=st.sampled_from([True, True, False]))
    def the_shop_ships(self, number: int, all_of_it: bool, mindful: bool) -> None:
        """On condition of the status it read, as it must; or without."""
        self._ship(self._one(number), all_of_it=all_of_it, mindful=mindful)

    def _ship(self, known: Known, *, all_of_it: bool, mindful: bool) -> None:
        order = self._order(known)
        if order is None:
            return
        items = [_shipped(row) if all_of_it or not place else row for place, row in enumerate(order["items"])]
        status = "complete" if all_of_it else order["status"]
        if mindful:
            if known.status not in CANCELLABLE:
                return
            # It read the order when it was placed, and a customer may have cancelled since.
            status = "complete" if all_of_it else known.status
        if self._shop_writes(known, on=known.status if mindful else None, items=items, status=status):
            self._ships(known)
            known.status = status
            self._refresh(known)

    def _ships(self, known: Known) -> None:
        if known.shipped is None:
            self.moment += 1
            known.shipped = self.moment

    @rule(
        number=which,
        place=st.integers(0, 3),
        what=st.sampled_from(["invoices", "gives back", "gives back all", "note", "row", "history", "deletes"]),
        really=st.integers(0, 7),
    )
    def the_shop_works(self, number: int, place: int, what: str, really: int) -> None:
        known = self._one(number)
        match what:
            case "invoices":
                self._invoice(known)
            case "gives back":
                self._give_back(known, place, 4)
            case "gives back all":
                self._give_back(known, place, 1)
            case "deletes":
                if really == 0:
                    self._delete(known)
            case _:
                self._change(known, what)

    def _invoice(self, known: Known) -> None:
        """And captures the rest."""
        order = self._order(known)
        if order is None or known.status not in CANCELLABLE:
            return
        taking = [row for row in order["payments"] if row["amount_captured"]]
        more = sum(row["amount"] - row["amount_invoiced"] for row in order["items"])
        if not taking or not more:
            return
        items = [row | {"qty_invoiced": row["qty_ordered"], "amount_invoiced": row["amount"]} for row in order["items"]]
        first = taking[0]
        payments = [
            row | {"amount_captured": row["amount_captured"] + more} if row is first else row
            for row in order["payments"]
        ]
        if self._shop_writes(known, on=known.status, items=items, payments=payments):
            self.bank.accounts[first["reference"]].captured += int(more)
            self._refresh(known)

    def _give_back(self, known: Known, place: int, share: int) -> None:
        order = self._order(known)
        if order is None or not known.references:
            return
        place %= len(known.references)
        reference = known.references[place]
        amount = max(1, self.bank.accounts[reference].held // share)
        if not self.bank.give_back(reference, amount):
            return
        self._tell(known.order_id, f"the shop gives back {amount} of {reference}")
        payments = [dict(row) for row in order["payments"]]
        payments[place]["amount_refunded"] = payments[place].get("amount_refunded", 0) + amount
        assert self._shop_writes(known, on=order["status"], payments=payments)
        self._refresh(known)

    def _change(self, known: Known, what: str) -> None:
        order = self._order(known)
        if order is None:
            return
        number = self._next()
        if what == "note":
            self._shop_writes(known, note=f"gift {number}", customer_email=f"{number}@example.com")
        elif what == "row":
            first, *rest = order["items"]
            self._shop_writes(known, items=[first | {"shelf": number}, *rest])
        else:
            entry = {"at": "2026-11-22T10:00:00Z", "status": order["status"], "comment": f"Seen {number}"}
            self._shop_writes(known, history=[*order["history"], entry])

    def _delete(self, known: Known) -> None:
        self.around.remove("orders", order_id=known.order_id)
        known.deleted = True

    def _shop_writes(self, known: Known, *, on: str | None = None, **attributes: Any) -> bool:
        """UpdateItem, as the order system is told to change orders, on condition of a status where one is given."""
        attributes["own_writes"] = self._next()
        values = attribute_values({f":{name}": value for name, value in attributes.items()})
        names = {f"#{name}": name for name in attributes} | {"#order_id": "order_id", "#status": "status"}
        condition = "attribute_exists(#order_id)" + (" AND #status = :read" if on else "")
        if on:
            values[":read"] = {"S": on}
        else:
            condition += " AND attribute_exists(#status)"
        try:
            self.around.calm.update_item(
                TableName=self.around.tables["orders"],
                Key={"order_id": {"S": known.order_id}},
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
                ConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
            )
        except self.around.calm.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _refresh(self, known: Known) -> None:
        """What the shop booked itself it does not forget: a copy from before is of no use any more."""
        order = self._order(known)
        known.copy = order if known.copy and order and "cancellation" not in order else None

    # ------------------------------------------------------------------ the customer

    @rule(
        number=which,
        key=st.sampled_from([None, "k1", "k1", "k2"]),
        reason=st.sampled_from(["other", "other", "mistake"]),
        fault=faults(4),
    )
    def the_customer_cancels(self, number: int, key: str | None, reason: str, fault: Fault | None) -> None:
        self._cancel(self._one(number), key, reason, fault)

    def _cancel(self, known: Known, key: str | None, reason: str, fault: Fault | None) -> None:
        request = CancelRequest(
            order_id=known.order_id,
            customer_id="c1",
            reason=reason,
            comment=None,
            request_id=f"request-{self._next()}",
            fingerprint=Fingerprint(key=key, body=reason) if key else None,
        )
        before = self._order(known)
        client, orders = self._product(fault)
        tables = self.around.tables
        policies = Policies(client, ConfigTables(tables["config"], tables["history"]), 0, print)
        self._tell(known.order_id, f"the customer cancels, {fault}")
        with _Pass(self, "cancel", fault, known.order_id):
            try:
                canceled = cancel_order(orders, policies, request, self.now)
            except (*REFUSALS, *PASSING) as refusal:
                self.tally[f"cancel: {type(refusal).__name__}"] += 1
                if not isinstance(refusal, PASSING):
                    self._check_refused(known, request)
                return
        self.tally["cancel: replayed" if canceled.replayed else "cancel: accepted"] += 1
        view = canceled_view(canceled)["cancellation"]
        known.told = True
        assert view["cancellation_id"] == known.cancellation_id
        if before and "cancellation" in before and not self.interfered:
            was = before["cancellation"].get("idempotency")
            assert canceled.replayed, "an order was cancelled twice"
            assert was == {"key": key, "body": reason}, "somebody else's cancel was replayed"
        stays = {name: view[name] for name in ("cancellation_id", "reason", "comment", "requested_at")}
        stays["amount"] = view["refund"]["amount"] if view["refund"] else None
        if not known.erased:
            assert known.first_view is None or known.first_view == stays, "a repeat showed another cancellation"
            known.first_view = stays

    def _check_refused(self, known: Known, request: CancelRequest) -> None:
        order = self._order(known)
        cancellation = order.get("cancellation") if order else None
        assert not cancellation or cancellation["request_id"] != request.request_id, "refused, and cancelled"

    # ------------------------------------------------------------------ the product's functions

    @precondition(lambda self: self.position < len(self.records))
    @rule(number=st.integers(1, 10), fault=faults(3), fate=st.sampled_from(["", "", "", "", "again", "dead", "lost"]))
    def the_stream_is_published(self, number: int, fault: Fault | None, fate: str) -> None:
        """Perhaps given again though it was done; or given up: for the operator, or for good."""
        if fate in {"dead", "lost"}:
            self._give_up(number, kept=fate == "dead")
            return
        self._publish(number, fault)
        if fate == "again":
            self.position = max(0, self.position - number)
            self.tally["fault: stream given again"] += 1

    def _publish(self, number: int, fault: Fault | None) -> None:
        self._look()
        start = self.position
        batch = self.records[start : start + number]
        for record in batch:
            self._tell(record["dynamodb"]["Keys"]["order_id"]["S"], f"a record is published, {fault}")
        _, orders = self._product(fault)
        with _Pass(self, "publish", fault):
            try:
                failed = publish_changes(orders, self.events.bus, read_changes(batch), self.now)
            except Crash:
                self.position = start
                return
        # As Lambda goes on from what a function reports: at the first record that failed. What was published in the
        # midst of this, too, comes again.
        numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
        self.position = start + min(map(numbers.index, failed), default=len(batch))

    def _give_up(self, number: int, *, kept: bool) -> None:
        """Into the dead-letter queue, where an operator finds it; or lost, where the order itself remembers."""
        for record in self.records[self.position : self.position + number]:
            old, new = images(record)
            erased = old is not None and "cancellation" in old and "cancellation" not in (new or {})
            if kept or erased:
                self.dead.append(record)
            else:
                self.known[(new or old or {})["order_id"]].lost = True
        self.position = min(self.position + number, len(self.records))
        self.tally["fault: stream gave up"] += 1

    def _publish_the_dead(self) -> None:
        self.dead = [
            record
            for record in self.dead
            if publish_changes(self._orders(), self.events.bus, read_changes([record]), self.now)
        ]

    @precondition(lambda self: self.events.queue)
    @rule(
        number=which,
        fault=faults(6, most=(3, 3, 3, 4)),
        fate=st.sampled_from(["done", "done", "done", "twice", "lost"]),
    )
    def a_message_is_delivered(self, number: int, fault: Fault | None, fate: str) -> None:
        queue = self.events.queue
        message = queue[number % len(queue)]
        if fate == "lost":
            queue.remove(message)
            self.tally["fault: message lost"] += 1
            return
        done = self._refund(message, fault)
        if done and fate == "twice":
            self.tally["fault: message twice"] += 1
        elif done or message.received == Message.MOST_RECEIVED:
            self._drop(message)

    def _drop(self, message: Message) -> None:
        if message in self.events.queue:
            self.events.queue.remove(message)

    def _refund(self, message: Message, fault: Fault | None) -> bool:
        """Whether the message is done with."""
        message.received += 1
        self._tell(message.order_id, f"the refund is carried out, {fault}")
        client, orders = self._product(fault)
        refunds = Refunds(client, self.around.tables["refunds"], orders)
        with _Pass(self, "refund", fault, message.order_id):
            try:
                refund_order(
                    orders,
                    refunds,
                    {"stripe": self.bank},
                    message.order_id,
                    message.cancellation_id,
                    lambda: self.now,
                )
            except TRY_AGAIN as error:
                self.tally[f"refund: {type(error).__name__}"] += 1
                self._tell(message.order_id, f"... {error!r}")
                return False
        return True

    @rule(refunds=st.booleans())
    def all_goes_well_for_once(self, refunds: bool) -> None:
        while self.position < len(self.records):
            self._publish(10, None)
        for message in list(self.events.queue) if refunds else []:
            if self._refund(message, None) or message.received == Message.MOST_RECEIVED:
                self._drop(message)

    @rule(minutes=st.sampled_from([5, 16, 16, 60]), fault=faults(5))
    def the_reconciler_runs(self, minutes: int, fault: Fault | None) -> None:
        self.now += timedelta(minutes=minutes)
        self._reconcile(fault)

    def _reconcile(self, fault: Fault | None) -> None:
        _, orders = self._product(fault)
        with _Pass(self, "reconcile", fault):
            try:
                reannounce(orders, self.events.bus, self.now, RECONCILE_AFTER)
            except (PublishFailed, *PASSING):
                return

    @precondition(lambda self: self.dead or any(kind == "OrderRefundFailed" for kind, _ in self.events.told))
    @rule(number=which, fault=faults(5))
    def the_operator_tries_again(self, number: int, fault: Fault | None) -> None:
        known = self._one(number)
        if self.dead:
            self._publish_the_dead()
        client, orders = self._product(fault)
        refunds = Refunds(client, self.around.tables["refunds"], orders)
        known.reached_by.add("retry")
        self._tell(known.order_id, f"the operator tries again, {fault}")
        with _Pass(self, "operator", fault, known.order_id):
            try:
                said = retry(
                    orders, refunds, self.events.bus, known.order_id, Person("ann@shop.example", "asked"), self.now
                )
                self.tally["operator: tried again" if "tried again" in said else "operator: nothing to do"] += 1
            except (Refused, *PASSING):
                return
            finally:
                known.copy = None

    # ------------------------------------------------------------------ the bank

    @rule(number=which, what=st.sampled_from(["refuses", "thinks", "thinks and fails", "knows", "is away", "forgets"]))
    def at_the_bank(self, number: int, what: str) -> None:
        match what:
            case "refuses" if references := self._one(number).references:
                self.bank.refuses ^= {references[number % len(references)]}
            case "thinks":
                self.bank.thinks = None if self.bank.thinks else "succeeded"
            case "thinks and fails":
                self.bank.thinks = None if self.bank.thinks else "failed"
            case "knows":
                self.bank.settle()
            case "is away":
                self.bank.is_away = not self.bank.is_away
            case "forgets":
                self._a_day_goes_by()

    def _a_day_goes_by(self) -> None:
        self.now += timedelta(days=1)
        self.bank.forget()

    def _money_moves(self, request: PaymentRequest) -> None:
        known = self.known[request.payment_reference.rsplit("-", 1)[0]]
        self._tell(known.order_id, f"money moves: {request}")
        assert request.refund_id == refund_id(known.cancellation_id)
        assert known.shipped is None or known.shipped > self.read_at[-1], "what had shipped was refunded"

    # ------------------------------------------------------------------ what happens in the midst of a pass

    def _meanwhile(self, what: str) -> None:
        self.interfered = True
        order_id = self.in_hand[-1] if self.in_hand and self.in_hand[-1] else next(reversed(self.known))
        known = self.known[order_id]
        message = next((one for one in self.events.queue if one.order_id == order_id), None)
        acts: dict[str, Callable[[], Any]] = {
            "the message again": lambda: message and self._refund(message, None),
            "the queue": lambda: [self._refund(one, None) for one in self.events.queue[:2]],
            "the stream": lambda: self._publish(10, None),
            "the reconciler": lambda: self._reconcile(None),
            "a note": lambda: self._change(known, "note"),
            "a row": lambda: self._change(known, "row"),
            "a shipment": lambda: self._ship(known, all_of_it=True, mindful=True),
            "a shipment all the same": lambda: self._ship(known, all_of_it=False, mindful=False),
            "a blind put": lambda: self._put_blindly(known, ships=False),
            "the shop gives back": lambda: self._give_back(known, 0, 4),
            "a cancel": lambda: self._cancel(known, "k1", "other", None),
            "what is pending ends": self.bank.settle,
        }
        acts[what]()

    # ------------------------------------------------------------------ what must hold at any time

    @invariant()
    def all_is_well(self) -> None:
        self.tally["steps"] += 1
        self._look()
        self._check_accounts()
        self._check_events()

    def _look(self) -> None:
        for record in self.around.stream.read():
            old, new = images(record)
            if old == new:
                continue  # moto writes a record where nothing changed
            if old and new and old["own_writes"] == new["own_writes"]:
                self._check_write(self.known[new["order_id"]], old, new)
            self._tell((new or old or {})["order_id"], f"written: {_brief(old)} -> {_brief(new)}")
            if self.around.stream.wanted(record):
                self.records.append(record)

    def _check_write(self, known: Known, old: dict[str, Any], new: dict[str, Any]) -> None:
        """A write of the product: no other leaves `own_writes` as it was."""
        assert shops_part(old) == shops_part(new), "what is the shop's was changed"
        assert new["history"][: len(old["history"])] == old["history"]
        assert all(before <= after for before, after in zip(sums(old), sums(new), strict=True))
        was, cancellation = old.get("cancellation"), new.get("cancellation")
        assert cancellation, "the product took a cancellation away"
        assert cancellation["cancellation_id"] == known.cancellation_id
        refund = cancellation.get("refund")
        assert ("refund_pending_since" in new) is (refund is not None and refund["status"] == "pending")
        if has_left(old):
            assert new["status"] == old["status"], "an order that had shipped was cancelled"
        if was is None:
            if new["history"][-1]["comment"] != PUT_BACK:
                assert not has_left(old), "an order that had shipped was cancelled"
                assert old["status"] in CANCELLABLE
                assert new["status"] == "canceled"
            return
        assert {**was, "refund": None} == {**cancellation, "refund": None}, "a cancellation changed"
        before = was.get("refund")
        if before and before["status"] != "pending":
            assert refund == before or "retry" in known.reached_by, "a refund that had ended went on"

    def _check_accounts(self) -> None:
        for reference, account in self.bank.accounts.items():
            assert account.given() <= account.captured, reference
            assert account.released() <= account.authorized, reference
            ours = [m.action for m in account.movements if m.refund_id != SHOP and m.counts]
            assert len(ours) <= 1, f"paid back twice: {reference}"

    def _check_events(self) -> None:
        for kind, detail in self.events.told:
            known = self.known[detail["order_id"]]
            assert detail["cancellation_id"] == known.cancellation_id
            if kind == "OrderRefunded":
                assert self._given(known, settled=True) == detail["refund"]["amount"], "told before it was so"

    def _given(self, known: Known, *, settled: bool) -> int:
        movements = [m for reference in known.references for m in self.bank.movements(reference)]
        return sum(
            m.amount
            for m in movements
            if m.refund_id != SHOP and m.action == "refund" and (m.status == "succeeded" or (m.counts and not settled))
        )

    # ------------------------------------------------------------------ what must hold once all has come to rest

    def teardown(self) -> None:
        try:
            self.wire.end()
            if sys.exc_info()[1] is self.outside:
                # Not where a step has just failed: that is what is to be told.
                self._drain()
                for known in self.known.values():
                    try:
                        self._check_end(known)
                    except AssertionError as error:
                        error.add_note("\n".join(line for order_id, line in self.story if order_id == known.order_id))
                        raise
        finally:
            for known in self.known.values():
                self.around.remove("orders", order_id=known.order_id)
                self.around.remove("refunds", refund_id=refund_id(known.cancellation_id))

    def _drain(self) -> None:
        """Everything comes back and is delivered; the bank knows everything; time goes by."""
        self.bank.is_away, self.bank.thinks = False, None
        for _ in range(12):
            self.bank.settle()
            self._look()
            while self.position < len(self.records):
                at = self.position
                self._publish(10, None)
                assert self.position > at, "the stream can't be published"
                self._look()
            self._publish_the_dead()
            for message in list(self.events.queue):
                assert self._refund(message, None) or self.dead, "a message can't be done"
                self.events.queue.remove(message)
            self.now += RECONCILE_AFTER + timedelta(minutes=1)
            self._reconcile(None)
            self._look()
            if not (self.events.queue or self.dead or self.position < len(self.records)):
                return
        raise AssertionError("it never comes to rest")

    def _check_end(self, known: Known) -> None:
        order = self._order(known)
        document = self.around.get("refunds", refund_id=refund_id(known.cancellation_id))
        told = {kind for kind, detail in self.events.told if detail["order_id"] == known.order_id}
        if order is None:
            self._check_deleted(known, document, told)
            return
        cancellation = order.get("cancellation")
        assert cancellation or not known.told, "a cancellation that the customer was told of is lost"
        refund = cancellation.get("refund") if cancellation else None
        if cancellation:
            self.tally[f"end: {refund['status'] if refund else 'nothing to pay'}"] += 1
            assert known.lost or "OrderCanceled" in told
            assert has_left(order) or order["status"] in {"canceled", "closed"}
        for row in order["payments"]:
            account = self.bank.accounts[row["reference"]]
            booked = row.get("amount_refunded", 0), row.get("amount_voided", 0)
            assert booked == (account.given(settled=True), account.released(settled=True)), f"{row['reference']}: books"
        if refund is None:
            assert document is None
            assert "OrderRefunded" not in told
            return
        assert "refund_pending_since" not in order
        assert document
        assert refund["status"] == document["status"]
        for leg in document["payments"]:
            moved = [
                m.status
                for m in self.bank.movements(f"{known.order_id}-{leg['payment_id']}")
                if m.refund_id == refund["refund_id"] and m.counts
            ]
            assert moved == (["succeeded"] if leg["status"] == "succeeded" else []), leg
        if refund["status"] == "succeeded":
            assert known.lost or "OrderRefunded" in told
            assert self._given(known, settled=True) == refund["amount"]
            assert "unsettled_since" not in document
            if not known.erased:
                rows = [*order["items"], *order.get("fees", []), order.get("shipping", {})]
                assert all(row.get("amount_refunded", 0) >= row.get("amount_invoiced", 0) for row in rows)
                assert all(row["qty_refunded"] == row["qty_invoiced"] for row in order["items"] if row["qty_invoiced"])
        else:
            assert refund["status"] == "failed", "a refund never ends"
            assert known.lost or "OrderRefundFailed" in told
            assert document["failure"]["code"] == refund["failure"]["code"]
            assert document["failure"]["message"]
            assert "unsettled_since" in document

    def _check_deleted(self, known: Known, document: dict[str, Any] | None, told: set[str]) -> None:
        self.tally["end: deleted"] += 1
        assert known.deleted
        if document:
            assert document["status"] != "pending", "the refund of a deleted order never ends"
            assert known.lost or told & {"OrderRefunded", "OrderRefundFailed"}

    # ------------------------------------------------------------------ small things

    def _tell(self, order_id: str, line: str) -> None:
        """For whoever has to find out how it came to this."""
        self.story.append((order_id, f"{len(self.story)}. {line}"))

    def _one(self, number: int) -> Known:
        return list(self.known.values())[number % len(self.known)]

    def _order(self, known: Known) -> dict[str, Any] | None:
        return self.around.get("orders", order_id=known.order_id)

    def _next(self) -> int:
        self.moment += 1
        return self.moment

    def _orders(self) -> Orders:
        return Orders(self.around.calm, self.around.tables["orders"])

    def _product(self, fault: Fault | None) -> tuple[Any, Orders]:
        """The product's client and its orders: whoever meets a fault has a client of its own."""
        client = self.around.faulty if fault else self.around.calm
        return client, _Watched(client, self.around.tables["orders"], self)


class _Watched(Orders):
    """Orders that remember when the pass that is being made has last read one."""

    def __init__(self, client: Any, table: str, machine: Machine) -> None:
        super().__init__(client, table)
        self._machine = machine

    def get(self, order_id: str) -> StoredOrder | None:
        if self._machine.read_at:
            self._machine.read_at[-1] = self._machine.moment
        return super().get(order_id)


class _Pass:
    """One pass of the product, and the fault that it meets. Another may be made in its midst."""

    def __init__(self, machine: Machine, what: str, fault: Fault | None, order_id: str = "") -> None:
        machine.tally[f"pass: {what}"] += 1
        self._machine, self._fault, self._order_id = machine, fault, order_id

    def __enter__(self) -> None:
        machine = self._machine
        if not machine.in_hand:
            machine.interfered = False
            machine.wire.begin(self._fault)
        machine.in_hand.append(self._order_id)
        machine.read_at.append(machine.moment)

    def __exit__(self, *_: object) -> None:
        machine = self._machine
        machine.in_hand.pop()
        machine.read_at.pop()
        if not machine.in_hand:
            machine.wire.end()


def _brief(order: dict[str, Any] | None) -> str:
    if order is None:
        return "nothing"
    refund = order.get("cancellation", {}).get("refund", {})
    legs = [f"{leg['action']} {leg['amount']} {leg['status']}" for leg in refund.get("payments", [])]
    booked = [f"{row.get('amount_refunded', 0)}/{row.get('amount_voided', 0)}" for row in order["payments"]]
    what = f"{refund.get('status', 'no refund')} {legs}" if "cancellation" in order else "not cancelled"
    return f"{order['status']}, {what}, booked {booked}, shipped {has_left(order)}"


def _shipped(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"qty_shipped": row["qty_ordered"]}
