"""The operator's moves, at any time."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.invariants.acts import Dice, faults, only_meanwhile, which
from tests.invariants.passes import Passes
from tests.invariants.product import REFUSED_TO_OPERATORS
from tests.invariants.wire import Fault
from tests.invariants.world import Known


class Operators(Passes):
    """As `make refunds` makes them; an operator finds the refund's id in the list, or has the order's from a mail."""

    @rule(
        number=which,
        what=st.sampled_from(["retry", "retry", "settle", "give-up", "give-up and retry"]),
        by_order=st.booleans(),
        fault=faults(6),
    )
    def the_operator_moves(self, number: int, what: str, by_order: bool, fault: Fault | None) -> None:
        if self.dead:
            self.publish_the_dead()
        known = self.one(number)
        for one in what.split(" and "):
            self._move(known, one, fault, by_order=by_order)

    @only_meanwhile()
    def the_operator_moves_meanwhile(self, known: Known, dice: Dice) -> None:
        self._move(known, dice.pick(["retry", "give-up", "settle"]), None, by_order=dice.pick([True, False]))

    def _move(self, known: Known, what: str, fault: Fault | None, *, by_order: bool) -> None:
        some_id = known.order_id if by_order or not known.refund_ids else known.refund_ids[-1]
        known.operated = True
        self.tell(known.order_id, f"the operator: {what} {some_id}, {fault}")
        with self.making(f"operator {what}", fault, known.order_id):
            try:
                # A move whose answer is lost may have been made.
                known.settled |= what == "settle"
                known.given_up |= what == "give-up"
                said = self.product.operate(what, self.client(fault), some_id, self.now)
            except REFUSED_TO_OPERATORS as error:
                self.tell(known.order_id, f"... {error!r}")
                return
        self.tell(known.order_id, f"... {said}")
