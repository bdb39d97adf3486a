"""What must hold once all has come to rest: every fault is over, everything is delivered, the shop has booked it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.invariants.bank import Account
from tests.invariants.money import has_left, held, number, payments
from tests.invariants.passes import Passes
from tests.invariants.product import RECONCILE_AFTER, Leg
from tests.invariants.shop_money import ShopMoney
from tests.invariants.world import Known

Order = dict[str, Any]
MOST_ROUNDS = 12


class Rest(Passes, ShopMoney):
    """Lets everything come to rest, and looks at each order."""

    def come_to_rest(self) -> None:
        """Time goes by, the providers get on, and what was lost is announced again; then the shop books it all."""
        bank, self.is_at_rest = self.bank, True
        bank.is_away, bank.thinks, bank.slow = False, None, 0
        bank.stumbles.clear()
        # An error that was saved with a key is said again for a day.
        self.a_day()
        if bank.unknown:
            self._wait_for_what_is_unknown()
        bank.unknown.clear()
        self._go_on()
        for known in self.known.values():
            self.judged = known
            self._check_books_before(known)
            self.book_webhooks(known)
        self._go_on()

    def _go_on(self) -> None:
        for _ in range(MOST_ROUNDS):
            if self._round(stubborn=False):
                return
        self.is_at_rest = False

    def _round(self, *, stubborn: bool) -> bool:
        """Whether nothing is left to be done. `stubborn`: some messages can't be done now."""
        self.bank.settle()
        self.look()
        while self.position < len(self.records):
            at = self.position
            self.publish(10, None)
            if self.position == at:
                self.judged = self.known[self.records[at]["dynamodb"]["Keys"]["order_id"]["S"]]
                raise AssertionError("the stream can't be published")
            self.look()
        self.publish_the_dead()
        for message in list(self.events.queue):
            assert self.refund(message, None) or self.dead or stubborn, "a message can't be done"
            self.drop(message)
        self.now += RECONCILE_AFTER + timedelta(minutes=1)
        self.reconcile(None)
        self.look()
        return not (self.events.queue or self.dead or self.position < len(self.records))

    def _wait_for_what_is_unknown(self) -> None:
        """A payment of which the provider can't say anything waits, and holds up no other one."""
        for _ in range(3):
            self._round(stubborn=True)
        for known in self.known.values():
            self.judged, order = known, self.order(known)
            refund = ((order or {}).get("cancellation") or {}).get("refund")
            if not refund or refund["status"] != "pending":
                continue
            waiting = [leg for leg in self.product.legs(refund) if leg.status == "pending"]
            held_up = [leg for leg in waiting if known.references[leg.payment_id] not in self.bank.unknown]
            assert not held_up, f"held up by another payment: {held_up}"

    # ------------------------------------------------------------------ the books

    def _check_books_before(self, known: Known) -> None:
        """Before the shop has booked what the provider says: nothing is booked twice, nor left out."""
        for reference, account, refunded, voided in self._books(known):
            given, released = account.given(settled=True), account.released(settled=True)
            most = given + known.elsewhere[reference] + account.failed("refund")
            assert refunded <= most, f"{reference}: {refunded} booked as refunded, {given} given back"
            most = released + account.failed("void")
            assert voided <= most, f"{reference}: {voided} booked as released, {released} released"
            if not known.shop_moved_money and not known.misled and not known.erased and not known.rewound:
                assert refunded >= given, f"{reference}: {refunded} booked as refunded, {given} given back"
                # A release that was declined, as of a reference under which more was captured meanwhile, was told to a
                # person. A first request for it may have arrived all the same.
                is_told = reference in self._declined_releases(known)
                assert is_told or voided >= released, f"{reference}: {voided} booked as released, {released} released"

    def _declined_releases(self, known: Known) -> set[str]:
        refund = ((self.order(known) or {}).get("cancellation") or {}).get("refund") or {}
        legs = refund.get("payments", ())
        return {
            known.references[leg["payment_id"]] for leg in legs if (leg["action"], leg["status"]) == ("void", "failed")
        }

    def _check_books(self, known: Known) -> None:
        for reference, account, refunded, voided in self._books(known):
            given = min(account.captured, account.given(settled=True) + known.elsewhere[reference])
            assert refunded == given, f"{reference}: {refunded} booked as refunded, {given} given back"
            released = account.released(settled=True)
            assert voided == released, f"{reference}: {voided} booked as released, {released} released"

    def _books(self, known: Known) -> list[tuple[str, Account, int, int]]:
        order = self.order(known)
        books = []
        for reference, account in self.accounts(known) if order else []:
            mine = [one for one in payments(order or {}) if known.references[one["payment_id"]] == reference]
            refunded, voided = (
                int(sum(number(one, name) for one in mine)) for name in ("amount_refunded", "amount_voided")
            )
            books.append((reference, account, refunded, voided))
        return books

    # ------------------------------------------------------------------ an order

    def check_end(self, known: Known) -> None:
        self.judged, order = known, self.order(known)
        found = [self.product.document(self.around.calm, refund_id) for refund_id in known.refund_ids]
        documents = [one for one in found if one]
        told = {kind for kind, detail in self.events.told if detail["order_id"] == known.order_id}
        for document in documents:
            assert document["status"] != "pending", "a refund is pending, and nobody looks at it"
        if order is None:
            self._check_deleted(known, documents, told)
            return
        cancellation = order.get("cancellation")
        assert cancellation or not known.base, "an order that was cancelled is shown as not cancelled"
        self._check_books(known)
        self._check_legs(known, documents)
        if not cancellation:
            return
        refund = cancellation.get("refund")
        self.tally[f"end: {refund['status'] if refund else 'nothing to pay'}"] += 1
        assert known.lost or "OrderCanceled" in told, "cancelled, and nobody was told"
        stands = has_left(order) or order["status"] in {"canceled", "closed"}
        assert stands or known.lost or known.warned, f"it is {order['status']} though cancelled, and nobody was told"
        if refund is None:
            assert "OrderRefunded" not in told, "a refund was told that never was"
        else:
            self._check_refund(known, order, refund, documents, told)
        if refund is None or refund["status"] == "succeeded":
            self._check_surplus(known, order, documents)

    def _check_refund(self, known: Known, order: Order, refund: Order, documents: list[Order], told: set[str]) -> None:
        assert refund["status"] != "pending", "a refund never ends"
        assert "refund_pending_since" not in order, "its refund has ended, and stands in the index of pending ones"
        mine = [one for one in documents if one["refund_id"] == refund["refund_id"]]
        assert mine, "the refund has no document"
        (document,) = mine
        assert refund["status"] == document["status"], "the order and the refund's document disagree"
        ends = self.product.legs(refund), self.product.legs(document)
        assert len(ends[0]) == len(ends[1]), f"the order and the refund's document disagree: {ends}"
        assert all(map(Leg.same_as, *ends)), f"the order and the refund's document disagree: {ends}"
        if refund["status"] == "succeeded":
            assert known.lost or "OrderRefunded" in told, "the refund has succeeded, and nobody was told"
            return
        assert known.lost or "OrderRefundFailed" in told, "the refund has failed, and nobody was told"
        assert document["failure"]["code"] == refund["failure"]["code"], "the order and the document disagree on why"
        assert document["failure"]["message"], "it does not say why it failed"
        assert "unsettled_since" in document, "a refund that failed is not listed"

    def _check_legs(self, known: Known, documents: list[Order]) -> None:
        """Each movement of ours is a leg that succeeded, and each such leg a movement. Of one that came back later
        either may be said.
        """
        legs = [leg for document in documents for leg in self.product.legs(document) if leg.status == "succeeded"]
        moved = [one for one in self.our_movements(known) if one.counts]
        ever = [one for one in self.our_movements(known) if one.counts or one.arrived]
        for action in ("refund", "void"):
            least, most = (sum(one.amount for one in some if one.action == action) for some in (moved, ever))
            said = sum(leg.amount for leg in legs if leg.action == action)
            # What an operator gives up may be carried out at the provider all the same.
            # A release lets go what is held, however much that is.
            is_right = (said <= most or action == "void") and (least <= said or known.given_up)
            assert is_right, f"{action}: {least} moved, the refund's document says {said}"
        if known.given_up or any(account.kind == "offline" for _, account in self.accounts(known)):
            return
        told = {leg.movement for leg in legs}
        assert {one.reference for one in moved} <= told <= {one.reference for one in ever}, (
            "a provider's id is forgotten"
        )

    def _check_surplus(self, known: Known, order: Order, documents: list[Order]) -> None:
        """What the payments still hold is reported by an event or in the refund document."""
        if known.settled or known.misled or known.lost or has_left(order) or not known.base:
            return
        left = held(order)
        told = [detail.get("surplus") for _, detail in self.events.told if detail["order_id"] == known.order_id]
        told += [document.get("surplus") for document in documents]
        assert left <= 0 or any(told), f"the payments still hold {left}, and nobody was told"

    def _check_deleted(self, known: Known, documents: list[Order], told: set[str]) -> None:
        self.tally["end: deleted"] += 1
        assert known.deleted, "an order is gone"
        was_told = known.lost or told & {"OrderRefunded", "OrderRefundFailed"}
        assert not documents or was_told, "the refund of a deleted order has ended, and nobody was told"
