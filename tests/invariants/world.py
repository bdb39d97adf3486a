"""The world around the product: its tables and its stream, the clock, and what is known of each order beside them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

from hypothesis.stateful import RuleBasedStateMachine

from tests.conftest import Aws
from tests.invariants.around import Events, Record, Stream
from tests.invariants.bank import Account, Ask, Bank, Movement
from tests.invariants.money import Base
from tests.invariants.product import Product, plain
from tests.invariants.wire import Fault, Wire, attach
from tests.support.aws import attribute_values

REASONS = [{"code": "other", "description": "Other"}, {"code": "mistake", "description": "By mistake"}]
READING = {"GetItem", "BatchGetItem", "TransactGetItems", "Query", "Scan"}
MARK = "a mark in the stream"
ONCE = {"mode": "standard", "total_max_attempts": 1}


class Stood(NamedTuple):
    """An order after a write, in the shop's moment: what is invoiced of the rows that were there at the cancel, and how
    much of it the product may have given in all. `stops` says what keeps any of it from being paid.
    """

    moment: int
    invoiced: int
    room: int
    stops: str


@dataclass
class Known:
    """What the world knows of an order beside what the table says.

    `read_status` is what the shop's shipping read when the order was placed, `copy` an order that the shop has open.
    `stood` is how the order stood after each write, `shops` what it has shown so far of what the shop gave back itself,
    `asked_last` the moment of which the last payment was decided on.
    """

    order_id: str
    placed_at: str
    read_status: str
    references: dict[str, str]
    base: Base | None = None
    stood: list[Stood] = field(default_factory=list)
    asked_last: int = 0
    shops: int = 0
    cancellation_ids: list[str] = field(default_factory=list)
    refund_ids: list[str] = field(default_factory=list)
    shipped: int | None = None
    copy: dict[str, Any] | None = None
    erased: bool = False
    rewound: bool = False
    deleted: bool = False
    lost: bool = False
    told: bool = False
    operated: bool = False
    settled: bool = False
    warned: bool = False
    first_view: dict[str, Any] | None = None
    # What the shop did with money by itself, since the cancel.
    given_by_shop: int = 0
    shop_moved_money: bool = False
    not_booked: Counter[str] = field(default_factory=Counter)
    elsewhere: Counter[str] = field(default_factory=Counter)
    misled: bool = False
    given_up: bool = False

    def since(self, moment: int) -> list[Stood]:
        """How the order stood in a moment, and in all that came after."""
        return [one for one in self.stood if one.moment <= moment][-1:] + [
            one for one in self.stood if one.moment > moment
        ]


class Surroundings:
    """The engine and what is shared by all machines on it: clients are slow to make."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.wire = Wire()
        self.tables = aws.tables
        self.stream = Stream(aws)
        self.calm = aws.client("dynamodb")
        # The product's, without a fault and with one.
        self.sound = aws.client("dynamodb")
        self.faulty = aws.client("dynamodb", retries=ONCE)
        attach(self.faulty, self.wire)
        self.on_read: Callable[[], None] = lambda: None
        self.on_warning: Callable[[str], None] = lambda _: None
        self._is_unread = True
        # moto's stream has a write as soon as it is made; another engine's may lag behind.
        self._marks = None if aws.dynamodb_endpoint_url == aws.endpoint_url else count(1)
        self._marker = aws.client("dynamodb")
        for client in (self.calm, self.sound, self.faulty):
            client.meta.events.register_first("response-received.*.*", self._is_called)
        for client in (self.sound, self.faulty):
            client.meta.events.register("before-parameter-build.dynamodb.GetItem", self._is_read)
        self.worlds = count(1)
        self.tally: Counter[str] = Counter()
        self.put("config", {"scope": "default", "enabled": True, "reasons": REASONS})

    def _is_called(self, event_name: str, **_: Any) -> None:
        if event_name.rpartition(".")[2] not in READING:
            self._is_unread = True

    def _is_read(self, params: Any, **_: Any) -> None:
        if params["TableName"] == self.tables["orders"]:
            self.on_read()

    def read_stream(self) -> list[Record]:
        """What was written since the last time, in order; without a call where nobody has written."""
        if not self._is_unread:
            return []
        self._is_unread = False
        if self._marks is None:
            return self.stream.read()
        return self._read_up_to(str(next(self._marks)))

    def _read_up_to(self, mark: str) -> list[Record]:
        """How far a stream lags behind must not decide what happens next: it is read up to a write of our own."""
        item = {"order_id": {"S": MARK}, "mark": {"S": mark}}
        self._marker.put_item(TableName=self.tables["orders"], Item=item)
        records: list[Record] = []
        while not records or records[-1]["dynamodb"].get("NewImage") != item:
            records += self.stream.read()
        return [record for record in records if record["dynamodb"]["Keys"] != {"order_id": {"S": MARK}}]

    def put(self, table: str, source: dict[str, Any], status: str | None = None) -> bool:
        """Blindly, or on condition of a status. False where that is another one."""
        on: dict[str, Any] = {}
        if status:
            on = {
                "ConditionExpression": "#status = :read",
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": {":read": {"S": status}},
            }
        try:
            self.calm.put_item(TableName=self.tables[table], Item=attribute_values(source), **on)
        except self.calm.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def get(self, table: str, **key: str) -> dict[str, Any] | None:
        names = {name: {"S": value} for name, value in key.items()}
        item = self.calm.get_item(TableName=self.tables[table], Key=names, ConsistentRead=True).get("Item")
        return plain(item) if item else None

    def remove(self, table: str, **key: str) -> None:
        names = {name: {"S": value} for name, value in key.items()}
        self.calm.delete_item(TableName=self.tables[table], Key=names)


class World(RuleBasedStateMachine):
    """The state that all parts of the machine share. A moment is the number of one of the shop's writes.

    Each order has the number of its `world`, for what is written at the end of one shows in the stream of the next.
    """

    def __init__(self, around: Surroundings) -> None:
        super().__init__()
        self.around = around
        self.world = next(around.worlds)
        self.wire, self.tally = around.wire, around.tally
        self.bank = Bank()
        self.events = Events(around.aws, self.wire)
        self.product = Product(around.tables, self.events.bus, self.bank, self.wire)
        self.now = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
        self.known: dict[str, Known] = {}
        self.records: list[Record] = []
        self.position = 0
        self.dead: list[Record] = []
        self.story: list[tuple[str, str]] = []
        self.moment = 0
        self.read_at: list[int] = []
        self.in_hand: list[str] = []
        self.asked_at: dict[str, int] = {}
        self.interfered = False
        self.judged: Known | None = None
        self.outside = sys.exc_info()[1]
        self.bank.asked = self.is_asked
        self.wire.a_day_goes_by = self.a_day
        around.read_stream()

    def one(self, number: int) -> Known:
        return list(self.known.values())[number % len(self.known)]

    def order(self, known: Known) -> dict[str, Any] | None:
        return self.around.get("orders", order_id=known.order_id)

    def next(self) -> int:
        self.moment += 1
        return self.moment

    def tell(self, order_id: str, line: str) -> None:
        """Records a step, for the analysis of a failure."""
        self.story.append((order_id, f"{len(self.story)}. {line}"))

    def accounts(self, known: Known) -> Iterator[tuple[str, Account]]:
        for reference in dict.fromkeys(known.references.values()):
            yield reference, self.bank.accounts[reference]

    def ours(self, known: Known, *, settled: bool = False) -> int:
        """What the product has given the customer of this order, ever."""
        return sum(account.given(settled=settled, ours=True) for _, account in self.accounts(known))

    def our_movements(self, known: Known) -> list[Movement]:
        return [one for _, account in self.accounts(known) for one in account.movements if one.is_ours]

    def of_payment(self, reference: str) -> Known:
        return self.known[reference.rsplit("-", 1)[0]]

    def a_day(self) -> None:
        self.now += timedelta(days=1)
        self.bank.forget()

    def is_asked(self, ask: Ask) -> None:
        """The first time that a provider is asked for something: it may be carried out from now on, at any time."""
        self.asked_at.setdefault(ask.key, self.read_at[-1] if self.read_at else self.moment)

    def client(self, fault: Fault | None) -> Any:
        """The product's client. A faulted pass has its own client, which does not retry."""
        return self.around.faulty if fault else self.around.sound

    def making(self, what: str, fault: Fault | None, order_id: str = "") -> Pass:
        self.tally[f"pass: {what}"] += 1
        return Pass(self, fault, order_id)


class Pass:
    """One pass of the product, and the fault that it meets. Another may be made in its midst.

    It remembers the moment in which the product last read an order.
    """

    def __init__(self, world: World, fault: Fault | None, order_id: str) -> None:
        self._world, self._fault, self._order_id = world, fault, order_id

    def __enter__(self) -> None:
        world = self._world
        if not world.in_hand:
            world.interfered = False
            world.wire.begin(self._fault)
        world.in_hand.append(self._order_id)
        world.read_at.append(world.moment)

    def __exit__(self, *_: object) -> None:
        world = self._world
        world.in_hand.pop()
        world.read_at.pop()
        if not world.in_hand:
            world.wire.end()
