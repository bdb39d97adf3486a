"""What the product does: a customer cancels, the stream is published, refunds are carried out, pending ones announced
again. Each pass may meet a fault.
"""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.invariants.acts import Dice, faults, only_meanwhile, which
from tests.invariants.around import Message, images
from tests.invariants.checks import Checks
from tests.invariants.product import PASSING, REFUSALS, TRY_AGAIN
from tests.invariants.wire import Crash, Fault
from tests.invariants.world import Known


class Passes(Checks):
    """The product's functions, started as the template has them started."""

    # ------------------------------------------------------------------ the customer

    @rule(
        number=which,
        key=st.sampled_from([None, "k1", "k1", "k2"]),
        reason=st.sampled_from(["other", "other", "mistake"]),
        fault=faults(4),
    )
    def the_customer_cancels(self, number: int, key: str | None, reason: str, fault: Fault | None) -> None:
        self.cancel(self.one(number), key, reason, fault)

    @only_meanwhile()
    def a_cancel(self, known: Known, _dice: Dice) -> None:
        self.cancel(known, "k1", "other", None)

    def cancel(self, known: Known, key: str | None, reason: str, fault: Fault | None) -> None:
        request_id = f"request-{self.next()}"
        before = self.order(known)
        self.tell(known.order_id, f"the customer cancels, {fault}")
        with self.making("cancel", fault, known.order_id):
            try:
                view, is_replay = self.product.cancel(
                    self.client(fault), known.order_id, key, reason, request_id, self.now
                )
            except (*REFUSALS, *PASSING) as refusal:
                self.tally[f"cancel: {type(refusal).__name__}"] += 1
                if not isinstance(refusal, PASSING):
                    self._check_refused(known, request_id)
                return
        self.tally["cancel: replayed" if is_replay else "cancel: accepted"] += 1
        self.look()
        self.judged = known
        known.told = True
        assert view["cancellation_id"] in known.cancellation_ids, "another cancellation was shown than is there"
        was = (before or {}).get("cancellation")
        if was and not self.interfered:
            assert is_replay, "an order was cancelled twice"
            assert was.get("idempotency") == {"key": key, "body": reason}, "somebody else's cancel was replayed"
        stays = {name: view[name] for name in ("cancellation_id", "reason", "comment", "requested_at")}
        if not known.erased:
            assert known.first_view is None or known.first_view == stays, "a repeat showed another cancellation"
            known.first_view = stays

    def _check_refused(self, known: Known, request_id: str) -> None:
        cancellation = (self.order(known) or {}).get("cancellation")
        assert not cancellation or cancellation["request_id"] != request_id, "refused, and cancelled"

    # ------------------------------------------------------------------ the stream

    @precondition(lambda self: self.position < len(self.records))
    @rule(number=st.integers(1, 10), fault=faults(3), fate=st.sampled_from(["", "", "", "", "again", "dead", "lost"]))
    def the_stream_is_published(self, number: int, fault: Fault | None, fate: str) -> None:
        """Perhaps given again though it was done; or given up: for the operator, or for good."""
        if fate in {"dead", "lost"}:
            self._give_up(number, kept=fate == "dead")
            return
        self.publish(number, fault)
        if fate == "again":
            self.position = max(0, self.position - number)
            self.tally["fault: stream given again"] += 1

    @only_meanwhile()
    def the_stream(self, _known: Known, _dice: Dice) -> None:
        self.publish(10, None)

    def publish(self, number: int, fault: Fault | None) -> None:
        self.look()
        start = self.position
        batch = self.records[start : start + number]
        for record in batch:
            self.tell(record["dynamodb"]["Keys"]["order_id"]["S"], f"a record is published, {fault}")
        with self.making("publish", fault):
            try:
                failed = self.product.publish(self.client(fault), batch, self.now)
            except Crash:
                self.position = start
                return
        # As Lambda goes on from what a function reports: at the first record that failed. What was published in the
        # midst of this, too, is retried.
        numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
        self.position = start + min(map(numbers.index, failed), default=len(batch))

    def _give_up(self, number: int, *, kept: bool) -> None:
        """Into the dead-letter queue, where an operator finds it; or lost, where the order itself remembers.

        A write over a cancellation is not remembered by the order, so it is not lost.
        """
        for record in self.records[self.position : self.position + number]:
            old, new = images(record)
            was, now = (old or {}).get("cancellation"), (new or {}).get("cancellation")
            is_shops = not old or not new or old["own_writes"] != new["own_writes"]
            if kept or (was and was != now and is_shops):
                self.dead.append(record)
            else:
                self.known[(new or old or {})["order_id"]].lost = True
        self.position = min(self.position + number, len(self.records))
        self.tally["fault: stream gave up"] += 1

    def publish_the_dead(self) -> None:
        client = self.client(None)
        self.dead = [record for record in self.dead if self.product.publish(client, [record], self.now)]

    # ------------------------------------------------------------------ refunds

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
        done = self.refund(message, fault)
        if done and fate == "twice":
            self.tally["fault: message twice"] += 1
        elif done or message.received == Message.MOST_RECEIVED:
            self.drop(message)

    @only_meanwhile(3)
    def the_message_again(self, known: Known, _dice: Dice) -> None:
        for message in [one for one in self.events.queue if one.order_id == known.order_id][:1]:
            self.refund(message, None)

    @only_meanwhile()
    def the_queue(self, _known: Known, _dice: Dice) -> None:
        for message in self.events.queue[:2]:
            self.refund(message, None)

    def drop(self, message: Message) -> None:
        if message in self.events.queue:
            self.events.queue.remove(message)

    def refund(self, message: Message, fault: Fault | None) -> bool:
        """Whether the message is done with."""
        message.received += 1
        self.tell(message.order_id, f"the refund is carried out, {fault}")
        with self.making("refund", fault, message.order_id):
            try:
                self.product.refund(self.client(fault), message.order_id, message.cancellation_id, lambda: self.now)
            except TRY_AGAIN as error:
                self.tally[f"refund: {type(error).__name__}"] += 1
                self.tell(message.order_id, f"... {error!r}")
                return False
        return True

    @rule(refunds=st.sampled_from([True, True, False]))
    def all_goes_well_for_once(self, refunds: bool) -> None:
        while (at := self.position) < len(self.records):
            self.publish(10, None)
            if self.position == at:
                break
        for message in list(self.events.queue) if refunds else []:
            if self.refund(message, None) or message.received == Message.MOST_RECEIVED:
                self.drop(message)

    @rule(minutes=st.sampled_from([5, 16, 16, 60]), fault=faults(5))
    def the_reconciler_runs(self, minutes: int, fault: Fault | None) -> None:
        self.now += timedelta(minutes=minutes)
        self.reconcile(fault)

    @only_meanwhile()
    def the_reconciler(self, _known: Known, _dice: Dice) -> None:
        self.reconcile(None)

    def reconcile(self, fault: Fault | None) -> None:
        with self.making("reconcile", fault):
            try:
                self.product.reannounce(self.client(fault), self.now)
            except PASSING:
                return

    def goes_on(self, then: str) -> None:
        """What the product does after an act of somebody else, without a fault."""
        match then:
            case "the stream":
                self.publish(10, None)
            case "a message" if self.events.queue:
                message = self.events.queue[0]
                if self.refund(message, None) or message.received == Message.MOST_RECEIVED:
                    self.drop(message)
            case "all":
                self.all_goes_well_for_once(refunds=True)
            case "the reconciler":
                self.now += timedelta(minutes=16)
                self.reconcile(None)
