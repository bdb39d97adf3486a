"""An order's whole life in memory, in random order: cancels, refunds, credits, captures, erasures, faults and persons.

The services are the real ones; the tables and the provider are kept here, so that thousands of lives take seconds. The
tables' own part is shown on real engines by the other tests.
"""

from __future__ import annotations

import copy
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast

from cancel_core.adapters.dynamodb.attributes import attribute_values, plain, present
from cancel_core.adapters.dynamodb.config import Policies
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.adapters.dynamodb.refunds import Opened, Refunds
from cancel_core.adapters.dynamodb.stored_order import StoredOrder
from cancel_core.domain.ids import ledger_id
from cancel_core.domain.order_change import OrderChange
from cancel_core.domain.provider import Outcome
from cancel_core.domain.refund_document import Ledger, RefundDocument, read_document, read_ledger, to_item
from cancel_core.errors import CancellationErased, OrderChanged, ProviderUnavailable, RefundChanged, Refusal
from cancel_core.services.announce import Change, publish_changes
from cancel_core.services.cancel import cancel_order
from cancel_core.services.refund import RefundContended, refund_order
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ops.settlement import Person, Refused, give_up, retry, settle
from tests.support.bank import Acquirer, Crash, Held
from tests.support.orders import ENABLED, item, paid, payment
from tests.support.tables import NOW, Heard, request

ANN = Person("ann@shop.example", "seen to it")
CORRECTED = "2026-11-20T10:00:00.000Z"


class Table:
    """One order in memory, what its stream says of it, and the items of the refunds table."""

    def __init__(self) -> None:
        self.raw: dict[str, Any] = {}
        self.items: dict[str, dict[str, Any]] = {}
        self.stream: list[Change] = []

    # --- the orders table

    def get(self, _order_id: str) -> StoredOrder:
        return StoredOrder(copy.deepcopy(self.raw))

    def put(self, raw: dict[str, Any]) -> None:
        """As the order system writes: no condition."""
        before = StoredOrder(self.raw) if self.raw else None
        self.raw = copy.deepcopy(raw)
        self.stream.append(Change(str(len(self.stream)), before, self.get("")))

    def write_order(self, read: StoredOrder, change: OrderChange) -> StoredOrder:
        self._check(read, change)
        after = read.changed(change)
        self._only_raises(after)
        self.put(after.raw)
        return after

    def _check(self, read: StoredOrder, change: OrderChange) -> None:
        if any(read.raw.get(name) != self.raw.get(name) for name in change.conditions):
            raise OrderChanged(self.get(""))

    def _only_raises(self, after: StoredOrder) -> None:
        """No write of the product lowers a sum, or takes one beyond its bound."""
        was, now = plain(self.raw), plain(after.raw)
        for name, bounds in (
            ("items", {"amount_refunded": "amount_invoiced"}),
            ("payments", {"amount_refunded": "amount_captured", "amount_voided": "amount_authorized"}),
        ):
            for before, row in zip(was[name], now[name], strict=True):
                for number, bound in bounds.items():
                    assert row.get(number, 0) >= before.get(number, 0)
                    assert row.get(number, 0) <= max(row[bound], before.get(number, 0))

    # --- the refunds table

    def open(self, order_id: str, refund_id: str) -> Opened:
        ledger = read_ledger(self.items[ledger_id(order_id)]) if ledger_id(order_id) in self.items else None
        others = [one for one in ledger.refunds if one != refund_id] if ledger else []
        return Opened(
            self.get(order_id), self.document(refund_id), ledger, [read_document(self.items[one]) for one in others]
        )

    def document(self, refund_id: str) -> RefundDocument | None:
        return read_document(self.items[refund_id]) if refund_id in self.items else None

    def write(
        self,
        before: RefundDocument | None,
        after: RefundDocument,
        ledger: tuple[Ledger | None, Ledger] | None = None,
        order: tuple[StoredOrder, OrderChange] | None = None,
    ) -> StoredOrder | None:
        known = self.document(after.refund_id)
        if (before is None) != (known is None):
            raise RefundChanged(after.refund_id)
        if before and known and (before.status, before.revision) != (known.status, known.revision):
            raise RefundChanged(after.refund_id)
        if ledger:
            was = self.items.get(ledger_id(after.order_id))
            if (ledger[0].version if ledger[0] else None) != (read_ledger(was).version if was else None):
                raise RefundChanged(after.refund_id)
        written = None
        if order:
            try:
                self._check(*order)
            except OrderChanged as error:
                raise RefundChanged(after.refund_id) from error
            written = order[0].changed(order[1])
            self._only_raises(written)
        self._keep(after)
        if ledger:
            self._keep(ledger[1])
        if written:
            self.put(written.raw)
        return written

    def _keep(self, document: RefundDocument | Ledger) -> None:
        self.items[document.refund_id] = present(attribute_values(to_item(document)))

    def nothing(self, *_: Any) -> None:
        """What is left for the operator to read: nothing that anybody here reads."""


class Life(RuleBasedStateMachine):
    """What may become of one order. The provider never gives back more than a payment holds; here it holds plenty."""

    @initialize(
        rows=st.lists(st.integers(0, 900), min_size=1, max_size=3),
        held=st.lists(st.integers(0, 900), min_size=1, max_size=3),
        holds=st.lists(st.sampled_from([0, 0, 300]), min_size=3, max_size=3),
        shares=st.booleans(),
        basis=st.sampled_from(["invoiced", "invoiced", "paid"]),
    )
    def placed(self, rows: list[int], held: list[int], holds: list[int], basis: str, *, shares: bool) -> None:
        items = [item(f"i{at}", invoiced=1, amount=amount) for at, amount in enumerate(rows)]
        payments = [
            payment(f"p{at}", captured=amount, authorized=amount + more, reference="shared" if shares else f"ref-p{at}")
            for at, (amount, more) in enumerate(zip(held, holds, strict=False))
        ]
        self.source = paid(items=items, payments=payments)
        self.basis = basis
        self.bank = Acquirer(**{row["reference"]: Held(10**6) for row in payments})
        self.tables = Table()
        self.tables.put(attribute_values(self.source))
        self.orders = cast("Orders", _Orders(self.tables))
        self.refunds = cast("Refunds", _Refunds(self.tables))
        self.policies = cast("Policies", _Policies(basis))
        self.heard = Heard()
        self.read_before: list[dict[str, Any]] = []
        self.told = 0
        self.cancels = 0
        self.hours = 0
        self.invoiced, self.captured = sum(rows), sum(held)
        self.credited = 0
        self.is_settled = False

    @property
    def now(self) -> Any:
        return NOW + timedelta(hours=self.hours)

    def order(self) -> dict[str, Any]:
        return plain(copy.deepcopy(self.tables.raw))

    # --- the customer

    @rule()
    def cancels_it(self) -> None:
        self.cancels += 1
        asked = request("o1", request_id=f"request-{self.cancels}")
        with suppress(Refusal):
            cancel_order(self.orders, self.policies, asked, lambda: self.now)

    # --- the product

    @rule(
        faults=st.lists(
            st.sampled_from(["", "", "away", "late", "no", "saved", "thinks", "crash", "crash after"]), max_size=3
        )
    )
    def refunds_it(self, faults: list[str]) -> None:
        kinds: dict[str, Any] = {
            "": None,
            "away": ProviderUnavailable("busy"),
            "late": Acquirer.LATE,
            "no": Outcome("failed", message="no"),
            "saved": Outcome("new_key", message="a 500"),
            "crash": Crash(),
        }
        self.bank.thinking = "thinks" in faults
        if "crash after" in faults:
            self.bank.after = _crash
        self.bank.faults = [kinds.get(fault) for fault in faults]
        with suppress(Crash):
            self._carry_out()
        self.bank.faults, self.bank.thinking, self.bank.after = [], False, lambda: None

    def _carry_out(self) -> None:
        stored = self.tables.get("o1")
        cancellation = stored.cancellation
        if cancellation is None:
            return
        with suppress(ProviderUnavailable, CancellationErased, RefundContended):
            refund_order(self.refunds, {"offline": self.bank}, "o1", cancellation.cancellation_id, lambda: self.now)

    @rule()
    def tells_the_next_change(self) -> None:
        if self.told < len(self.tables.stream):
            change = self.tables.stream[self.told]
            if not publish_changes(self.orders, self.refunds, self.heard, [change], self.now):
                self.told += 1

    # --- the provider

    @rule()
    def lands_what_was_late(self) -> None:
        with suppress(ProviderUnavailable):
            self.bank.land()

    @rule()
    def time_goes_by(self) -> None:
        self.hours += 2

    # --- the order system

    def _write(self, order: dict[str, Any]) -> None:
        self.tables.put(attribute_values(order))

    @rule(at=st.integers(0, 2), part=st.integers(1, 900), where=st.sampled_from(["rows", "payments", "both"]))
    def the_shop_credits(self, at: int, part: int, where: str) -> None:
        order = self.order()
        row, held = order["items"][at % len(order["items"])], order["payments"][at % len(order["payments"])]
        part = min(
            part,
            row["amount_invoiced"] - row.get("amount_refunded", 0) if where != "payments" else part,
            held["amount_captured"] - held.get("amount_refunded", 0) if where != "rows" else part,
        )
        if part <= 0:
            return
        if where != "payments":
            row["amount_refunded"] = row.get("amount_refunded", 0) + part
        if where != "rows":
            held["amount_refunded"] = held.get("amount_refunded", 0) + part
        self.credited += int(part)
        self._write(order)

    @rule()
    def the_shop_books_what_the_provider_gave(self) -> None:
        order = self.order()
        given: dict[str, int] = {}
        for made in self.bank.made.values():
            if made.action == "refund":
                given[made.payment_id] = given.get(made.payment_id, 0) + made.amount
        for held in order["payments"]:
            sums = max(held.get("amount_refunded", 0), given.get(held["payment_id"], 0))
            held["amount_refunded"] = min(sums, held["amount_captured"])
        self._write(order)

    @rule(part=st.integers(1, 500))
    def the_shop_captures_more(self, part: int) -> None:
        order = self.order()
        held = order["payments"][-1]
        held["amount_captured"] += part
        held["amount_authorized"] = max(held["amount_authorized"], held["amount_captured"])
        self.captured += part
        self._write(order)

    @rule(part=st.integers(1, 500))
    def the_shop_invoices_more(self, part: int) -> None:
        order = self.order()
        order["items"][0]["amount_invoiced"] += part
        self.invoiced += part
        self._write(order)

    @rule()
    def the_shop_sorts_its_rows(self) -> None:
        order = self.order()
        self._write(order | {"items": order["items"][::-1]})

    @rule(corrected=st.booleans())
    def the_shop_puts_the_order_as_it_was_placed(self, *, corrected: bool) -> None:
        self._write(self.source | ({"placed_at": CORRECTED} if corrected else {}))

    @rule()
    def the_shop_reads_the_order(self) -> None:
        self.read_before.append(copy.deepcopy(self.tables.raw))

    @precondition(lambda self: self.read_before)
    @rule()
    def the_shop_puts_what_it_had_read(self) -> None:
        raw = self.read_before.pop()
        if raw["status"] == self.tables.raw["status"]:
            self.tables.put(raw)

    # --- a person

    @rule(what=st.sampled_from(["retry", "give up", "settle"]))
    def a_person_acts(self, what: str) -> None:
        with suppress(Refused):
            match what:
                case "retry":
                    retry(self.orders, self.refunds, self.heard, "o1", ANN, self.now)
                case "give up":
                    give_up(self.orders, self.refunds, "o1", ANN, self.now)
                case "settle":
                    settle(self.orders, self.refunds, "o1", ANN, self.now)
                    self.is_settled = True

    # --- what always holds

    @invariant()
    def no_more_is_given_than_was_ever_owed(self) -> None:
        if not hasattr(self, "tables"):
            return
        given = sum(made.amount for made in self.bank.made.values() if made.action == "refund")
        assert given <= (self.captured if self.basis == "paid" else self.invoiced)

    def teardown(self) -> None:
        """Once all faults are over, order and document agree, and nothing that was begun is left hanging."""
        if not hasattr(self, "tables"):
            return
        for _ in range(4):
            self.lands_what_was_late()
            while self.told < len(self.tables.stream):
                self.tells_the_next_change()
            self._carry_out()
            self.hours += 2
        self.no_more_is_given_than_was_ever_owed()
        cancellation = self.tables.get("o1").cancellation
        if cancellation is None or cancellation.refund is None:
            return
        document = self.tables.document(cancellation.refund.refund_id)
        assert document
        assert cancellation.refund.status == document.status != "pending"
        assert cancellation.refund.amount == document.amount
        assert "refund_pending_since" not in self.order()
        # What was refused stays an operator's until it is settled.
        assert (document.unsettled_since is None) is (document.status == "succeeded")


class _Orders:
    """The orders table's side, under the names of its adapter."""

    MAX_ITEM_BYTES = Orders.MAX_ITEM_BYTES

    def __init__(self, table: Table) -> None:
        self.get, self.write = table.get, table.write_order
        self.of_caller = lambda order_id, _caller: table.get(order_id)


class _Refunds:
    """The refunds table's side."""

    def __init__(self, table: Table) -> None:
        self.open, self.write, self.get = table.open, table.write, table.document
        self.note = self.list_surplus = table.nothing


class _Policies:
    def __init__(self, basis: str) -> None:
        self._policy = ENABLED._replace(refund_basis=cast("Any", basis))

    def get(self, _store_id: str) -> Any:
        return self._policy


def _crash() -> None:
    raise Crash


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=200, stateful_step_count=14, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
