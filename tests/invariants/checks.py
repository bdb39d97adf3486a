"""What must hold at any time: after each write of an order, each event, and whenever money moves."""

from __future__ import annotations

from typing import Any

from hypothesis.stateful import invariant

from tests.invariants.around import images
from tests.invariants.bank import Account, Ask
from tests.invariants.money import Base, has_left, number, over_bounds, payments, rows, taken_from
from tests.invariants.orders import CANCELLABLE, shops_part, sums
from tests.invariants.product import CONFIGURED, PUT_BACK
from tests.invariants.world import Known, Stood, Surroundings, World

Order = dict[str, Any]


class Checks(World):
    """Reads the table's stream, and judges what it finds there."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self.bank.moves = self.money_moves
        self.seen_events = 0
        around.on_read = self._is_read

    def _is_read(self) -> None:
        if self.read_at:
            self.read_at[-1] = self.moment

    @invariant()
    def all_is_well(self) -> None:
        self.tally["steps"] += 1
        self.look()
        self.check_accounts()
        self.check_events()

    def look(self) -> None:
        """Every write of an order since the last look, in order."""
        for record in self.around.read_stream():
            old, new = images(record)
            either = new or old or {}
            if old == new or either["world"] != self.world:
                continue  # moto writes a record where nothing changed
            self.judged = known = self.known[either["order_id"]]
            is_products = bool(old and new and old["own_writes"] == new["own_writes"])
            if (now := brief(new)) != brief(old):
                self.tell(known.order_id, f"{'by us' if is_products else 'by the shop'}: {now}")
            if old and new and is_products:
                self.check_write(known, old, new)
            if new:
                self._check_bounds(new)
                self._remember(known, new)
            if self.around.stream.wanted(record):
                self.records.append(record)

    @staticmethod
    def _check_bounds(new: Order) -> None:
        faults = list(over_bounds(new))
        assert not faults, f"booked beyond what there is: {faults}"

    def _remember(self, known: Known, new: Order) -> None:
        if known.base:
            given = known.base.given_by_shop(new, self.ours(known))
            # What has been seen of it once stays, though our own refund may hide it later.
            known.shops = given if known.misled else max(known.shops, given)
            invoiced = known.base.invoiced(new)
            room = max(0, invoiced - known.shops)
            stops = self._stops(new, room - self.ours(known))
            known.stood.append(Stood(int(new["own_writes"]), invoiced, room, stops))

    def _stops(self, order: Order, missing: int) -> str:
        """What can be found out before anything is paid, so that nothing of the order is."""
        for one in taken_from(order, missing):
            if one["provider"] not in CONFIGURED:
                return f"{one['payment_id']} is of a provider that is not configured"
            reference = one["reference"]
            if self.bank.accounts[reference].currency != order["currency"] and reference not in self.bank.unknown:
                return f"{one['payment_id']} is in another currency"
        return ""

    # ------------------------------------------------------------------ a write of the product

    def check_write(self, known: Known, old: Order, new: Order) -> None:
        """A write of the product: no other leaves `own_writes` as it was."""
        assert shops_part(old) == shops_part(new), "what is the shop's was changed"
        history = old.get("history") or []
        assert (new.get("history") or [])[: len(history)] == history, "the history was changed"
        assert all(before <= after for before, after in zip(sums(old), sums(new), strict=True)), "a sum went down"
        was, now = old.get("cancellation"), new.get("cancellation")
        assert now, "the product took a cancellation away"
        refund = now.get("refund")
        is_pending = refund is not None and refund["status"] == "pending"
        assert ("refund_pending_since" in new) is is_pending, "pending, and no schedule looks at it; or the reverse"
        if has_left(old) and (old["status"], new["status"]) != ("canceled", "closed"):
            assert new["status"] == old["status"], "the status of an order that had shipped was changed"
        self._check_ids(known, was, now, new)
        self._book_offline(known, old, new)
        before = (was or {}).get("refund")
        if was is None:
            if new["history"][-1]["comment"] != PUT_BACK:
                self._check_cancel(old, new)
            return
        assert _chosen(was) == _chosen(now), "a cancellation changed"
        if before and before["status"] != "pending":
            came_back = known.misled and refund is not None and refund["status"] == "failed"
            went_on = known.operated or known.rewound or came_back
            assert refund == before or went_on, "a refund that had ended went on"
        if refund and refund["status"] == "succeeded" and before and before["status"] != "succeeded":
            self._check_success(known, new)

    def _check_ids(self, known: Known, was: Order | None, now: Order, new: Order) -> None:
        made = now["cancellation_id"]
        if was:
            assert was["cancellation_id"] == made, "a cancellation became another one"
        elif made not in known.cancellation_ids:
            assert known.erased or not known.cancellation_ids, "an order was cancelled again"
            known.cancellation_ids.append(made)
        if (refund := now.get("refund")) and refund["refund_id"] not in known.refund_ids:
            known.refund_ids.append(refund["refund_id"])
        if was is None and known.base is None:
            known.base = Base.of(new)
            known.given_by_shop = known.not_booked.total()
            known.shop_moved_money = bool(known.given_by_shop)

    @staticmethod
    def _check_cancel(old: Order, new: Order) -> None:
        assert not has_left(old), "an order that had shipped was cancelled"
        assert old["status"] in CANCELLABLE, "an order of another status was cancelled"
        # What was invoiced for nothing is returned with the cancel itself.
        ends = "closed" if old["status"] != new["status"] == "closed" else "canceled"
        assert new["status"] == ends, "cancelled, with another status"
        assert ends == "canceled" or "refund" not in new["cancellation"], "closed before its refund"

    def _check_success(self, known: Known, new: Order) -> None:
        """A refund has just succeeded: the customer has what is owed, by whomever, and the rows say so."""
        if known.settled or known.misled or known.base is None:
            return
        there = rows(new)
        mine = {name: there[name] for name in known.base.rows if name in there}
        # What is invoiced after the last payment was asked for need not be paid by this refund.
        since = [one.invoiced for one in known.since(known.asked_last)] + [known.base.invoiced(new)]
        owed, slack = min(since), len(mine)
        got = self.ours(known, settled=True) + known.given_by_shop
        assert got + slack >= owed, f"succeeded, but the customer got {got} of {owed}"
        booked = known.base.raised_on_rows(new)
        assert booked <= got + slack, f"{booked} booked on rows, but the customer got {got}"
        for name, row in mine.items() if len(set(since)) == 1 else ():
            invoiced = number(row, "amount_invoiced")
            refunded = number(row, "amount_refunded")
            assert invoiced <= 0 or refunded == invoiced, f"{name}: {refunded} booked of {invoiced}"
            quantities = number(row, "qty_refunded"), number(row, "qty_invoiced")
            assert quantities[0] == quantities[1], f"{name}: quantities {quantities}"

    def _book_offline(self, known: Known, old: Order, new: Order) -> None:
        """Offline payments are given back, or released, by being booked."""
        held = {
            one["payment_id"]: number(one, "amount_authorized") - number(one, "amount_captured")
            for one in payments(old)
        }
        for reference, account in self.accounts(known):
            if account.kind != "offline":
                continue
            booked = [one for one in payments(new) if known.references[one["payment_id"]] == reference]
            given = int(sum(number(one, "amount_refunded") for one in booked)) - account.given()
            released = int(sum(number(one, "amount_voided") for one in booked)) - account.released()
            refund_id = known.refund_ids[-1] if known.refund_ids else ""
            if given > 0:
                self._check_room(known, given, int(old["own_writes"]))
                account.move(refund_id, "", "refund", given, "succeeded", "succeeded")
            if released > 0:
                room = sum(held[one["payment_id"]] for one in booked)
                assert released <= room, f"{released} released where {room} was held and not captured"
                account.move(refund_id, "", "void", released, "succeeded", "succeeded")

    # ------------------------------------------------------------------ money

    def money_moves(self, ask: Ask, account: Account) -> None:
        """The product's money is about to move, as it was asked for at some time before."""
        known = self.of_payment(ask.payment)
        self.tell(known.order_id, f"money moves: {ask}")
        self.look()
        self.judged = known
        asked_at = self.asked_at[ask.key]
        assert known.shipped is None or known.shipped > asked_at, "what had shipped was refunded"
        if ask.action == "void" and not (account.kind == "charge" and account.captured):
            return
        assert ask.action == "refund", "a release gave money back that had been captured"
        assert ask.currency == account.currency, "given back in another currency"
        self._check_room(known, ask.amount, asked_at)
        stops = [one.stops for one in known.since(asked_at)]
        assert not stops or not all(stops), f"something is paid, though {stops[-1]}"

    def _check_room(self, known: Known, amount: int, asked_at: int) -> None:
        """Never more than is invoiced and not given back yet, as the order stood since that was decided on."""
        known.asked_last = max(known.asked_last, asked_at)
        room, ours = max((one.room for one in known.since(asked_at)), default=0), self.ours(known)
        assert ours + amount <= room, f"{amount} more is given, after {ours}, of {room} at most"

    def check_accounts(self) -> None:
        for reference, account in self.bank.accounts.items():
            assert account.given() <= account.captured, reference
            assert account.released() <= account.authorized, reference

    def check_events(self) -> None:
        """What was told since the last look."""
        told, self.seen_events = self.events.told[self.seen_events :], len(self.events.told)
        for kind, detail in told:
            self.judged = known = self.known[detail["order_id"]]
            assert detail["cancellation_id"] in known.cancellation_ids
            if kind == "OrderRefunded":
                ours = [one for one in self.our_movements(known) if one.action == "refund" and one.arrived]
                said, most = detail["refund"]["amount"], sum(one.amount for one in ours)
                # Of what came back later either may be said; and one of two refunds has but its part.
                least = sum(one.amount for one in ours if one.counts) if len(known.refund_ids) == 1 else 0
                assert least <= said <= most, f"{said} told, {most} given"


def brief(order: Order | None) -> str:
    """An order in a line, for a story."""
    if order is None:
        return "nothing"
    cancellation = order.get("cancellation")
    refund = (cancellation or {}).get("refund") or {}
    legs = [f"{leg['action']} {leg['amount']} {leg['status']}" for leg in refund.get("payments", [])]
    what = f"refund {refund.get('status')} {legs}" if cancellation else "not cancelled"
    booked = [
        f"{name} {number(row, 'amount_refunded')}/{number(row, 'amount_invoiced')}" for name, row in rows(order).items()
    ]
    paid = [
        f"{one['payment_id']} {number(one, 'amount_refunded')}/{number(one, 'amount_captured')}"
        f" voided {number(one, 'amount_voided')}/{number(one, 'amount_authorized')}"
        for one in payments(order)
    ]
    left = ", shipped" if has_left(order) else ""
    return f"{order['status']} {order['placed_at'][8:]}, {what}{left} | {', '.join(booked)} | {', '.join(paid)}"


def _chosen(cancellation: dict[str, Any]) -> dict[str, Any]:
    """What the customer chose, and what the cancel found. It stays; the refund and its sums go on."""
    return {name: value for name, value in cancellation.items() if name not in {"refund", "revision", "surplus"}}
