"""The product in a world where everything goes wrong that may, one step at a time; and what must hold all the same.

| part | what is in it |
|---|---|
| `world` | tables, stream, clock, and what is known of each order beside them |
| `shop`, `shop_money` | the shop's order system at work |
| `provider`, `bank` | the payment providers: what happens there, and their accounts |
| `operators` | the operator's moves |
| `passes` | what the product does: cancel, publish, refund, reconcile |
| `wire`, `acts` | the faults of calls, and what others do in the midst of a pass |
| `checks`, `rest`, `money` | what must hold at any time, what once all is quiet, and the sums of both |
| `product` | the one place that knows the product's inside |
"""

from __future__ import annotations

import sys
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.invariants.acts import ACTS, Dice, faults
from tests.invariants.checks import brief
from tests.invariants.operators import Operators
from tests.invariants.orders import Placed, orders
from tests.invariants.provider import Provider
from tests.invariants.rest import Rest
from tests.invariants.wire import Fault
from tests.invariants.world import Known, Surroundings

MOST_ORDERS = 6


class Machine(Rest, Operators, Provider):
    """Each rule is one step of somebody; the product's own steps may meet a `Fault`."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self.wire.meanwhile = self._meanwhile
        around.on_warning = self._is_warned

    @initialize(placed=orders(), canceled=st.booleans(), key=st.sampled_from([None, "k1"]), fault=faults(4))
    def begins(self, placed: Placed, canceled: bool, key: str | None, fault: Fault | None) -> None:
        known = self._place(placed)
        if canceled:
            self.cancel(known, key, "other", fault)

    @precondition(lambda self: len(self.known) < MOST_ORDERS)
    @rule(placed=orders(), canceled=st.booleans(), key=st.sampled_from([None, "k1"]), fault=faults(4))
    def an_order_is_placed(self, placed: Placed, canceled: bool, key: str | None, fault: Fault | None) -> None:
        self.begins(placed, canceled, key, fault)

    def _place(self, placed: Placed) -> Known:
        # The same ids in each run, for the order in which a table is scanned depends on them.
        order_id, source = f"o{len(self.known) + 1}", placed.source | {"world": self.world}
        references = {}
        if payments := source["payments"]:
            payments = [one | {"reference": f"{order_id}-{one['reference']}"} for one in payments]
            references = {one["payment_id"]: one["reference"] for one in payments}
        for name, account in placed.accounts.items():
            self.bank.accounts[f"{order_id}-{name}"] = replace(account, movements=list(account.movements))
        self.known[order_id] = known = Known(order_id, source["placed_at"], source["status"], references)
        self.around.put("orders", source | {"order_id": order_id, "payments": payments})
        known.copy = self.order(known)
        kinds = [
            f"{name}: {account.kind}, {account.captured} of {account.authorized} {account.currency}"
            for name, account in self.accounts(known)
        ]
        self.tell(order_id, f"placed: {brief(known.copy)}, {kinds}")
        return known

    def _meanwhile(self, fault: Fault) -> None:
        self.interfered = True
        order_id = self.in_hand[-1] if self.in_hand and self.in_hand[-1] else next(reversed(self.known))
        self.tell(order_id, f"meanwhile: {fault.other}")
        ACTS[fault.other](self, self.known[order_id], Dice(fault.dice))

    def _is_warned(self, order_id: str) -> None:
        if order_id in self.known:
            self.known[order_id].warned = True

    def teardown(self) -> None:
        failed = sys.exc_info()[1]
        try:
            self.wire.end()
            if failed is self.outside:
                # Not where a step has just failed: that is what is to be told.
                self.come_to_rest()
                for known in self.known.values():
                    self.check_end(known)
                assert self.is_at_rest, "it never comes to rest"
            elif failed:
                self._tell_the_story(failed)
        except AssertionError as error:
            self._tell_the_story(error)
            raise
        finally:
            for known in self.known.values():
                self.around.remove("orders", order_id=known.order_id)
            self.product.forget_refunds(self.around.calm)

    def _tell_the_story(self, error: BaseException) -> None:
        order_id = self.judged.order_id if self.judged else ""
        lines = [line for about, line in self.story if about == order_id]
        error.add_note("\n".join([f"The story of {order_id}:", *lines]))
