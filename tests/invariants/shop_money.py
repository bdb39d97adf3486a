"""The shop's order system at work on money: credits, webhooks, late captures and invoices, and rows that change.

It keeps its books right by itself: never above what was invoiced, captured or authorized.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.invariants.acts import Dice, act
from tests.invariants.bank import SHOP, Account, Kind
from tests.invariants.money import has_left, number, payments, rows
from tests.invariants.shop import Shop
from tests.invariants.world import Known

Order = dict[str, Any]


class ShopMoney(Shop):
    """`known.not_booked` is what it gave back at a provider and has yet to book, `known.elsewhere` what it booked on a
    payment, but gave back by other means.
    """

    # ------------------------------------------------------------------ giving back

    @act
    def the_shop_credits_a_row(self, known: Known, dice: Dice) -> None:
        """With or without giving the money back at the provider; booked on the payment, on another one, or not."""
        order = self.order(known)
        if order is None:
            return
        there = rows(order)
        open_rows = {name: left for name, row in there.items() if (left := _creditable(row)) > 0}
        if not open_rows:
            return
        name = dice.pick(list(open_rows))
        amount = dice.part_of(open_rows[name])
        credited = _credited(there[name], amount)
        changes = _with_row(order, name, credited)
        known.given_by_shop += amount
        paid = self._give_back(known, order, amount, dice, booked=dice.pick(["", "first", "last", "later"]))
        self.tell(known.order_id, f"the shop credits {amount} on {name}")
        self.shop_writes(known, changes | paid)
        self.refresh(known)

    @act
    def the_shop_gives_money_back(self, known: Known, dice: Dice) -> None:
        """Booked on the payment alone, at once or once the provider tells."""
        order = self.order(known)
        if order is None or not payments(order):
            return
        amount = max(1, sum(account.held for _, account in self.accounts(known)) // dice.pick([1, 2, 4]))
        booked = dice.pick(["first", "first", "last", "later"])
        before = sum(account.given() for _, account in self.accounts(known))
        paid = self._give_back(known, order, amount, dice, booked=booked, elsewhere=False)
        known.given_by_shop += sum(account.given() for _, account in self.accounts(known)) - before
        if paid:
            self.shop_writes(known, paid)
            self.refresh(known)

    def _give_back(
        self, known: Known, order: Order, amount: int, dice: Dice, *, booked: str, elsewhere: bool | None = None
    ) -> Order:
        """The attributes to be written, where it is booked: on the first payment that holds as much, or the last."""
        places = list(enumerate(payments(order)))
        if booked == "last":
            places.reverse()
        if elsewhere is None:
            elsewhere = booked != "later" and dice.pick([False, True])
        known.shop_moved_money = True
        for place, payment in places:
            reference = known.references[payment["payment_id"]]
            account = self.bank.accounts[reference]
            left = number(payment, "amount_captured") - number(payment, "amount_refunded")
            if account.kind == "offline":
                # What is booked is given back, and nothing else is. Where some of it has been undone, it waits.
                is_whole = number(payment, "amount_refunded") == account.given()
                if booked not in {"first", "last"} or amount > left or not is_whole:
                    continue
                account.move(SHOP, "", "refund", amount, "succeeded", "succeeded")
            elif elsewhere and booked:
                if amount > left:
                    continue
                known.elsewhere[reference] += amount
            elif not elsewhere and booked:
                if self.bank.is_away or reference in self.bank.unknown or amount > min(left, account.held):
                    continue
                account.move(SHOP, "", "refund", amount, "succeeded", "succeeded")
                self.tell(known.order_id, f"the shop gives back {amount} of {reference}, booked: {booked}")
            else:
                return {}
            if booked == "later":
                known.not_booked[reference] += amount
                return {}
            refunded = number(payment, "amount_refunded") + amount
            return {"payments": _with_payment(order, place, {"amount_refunded": refunded})}
        return {}

    @act
    def the_shop_books_what_the_provider_says(self, known: Known, dice: Dice) -> None:
        """From the provider's webhooks, of whatever anybody did there; on the rows, too, or on the payments alone."""
        self.tell(known.order_id, "the shop books what the provider says")
        self.book_webhooks(known, with_rows=dice.pick([True, False]))

    def book_webhooks(self, known: Known, *, with_rows: bool = False) -> None:
        order = self.order(known)
        if order is None:
            return
        changes: Order = {}
        told = [dict(one) for one in payments(order)]
        for reference, account in self.accounts(known):
            if account.kind == "offline" or reference in self.bank.unknown:
                continue
            mine = [one for one in told if known.references[one["payment_id"]] == reference]
            _share(mine, "amount_captured", account.captured, "amount_authorized")
            _share(mine, "amount_refunded", account.given() + known.elsewhere[reference], "amount_captured")
            _share(mine, "amount_voided", account.released(), "amount_authorized")
            known.not_booked.pop(reference, None)
            known.shop_moved_money |= bool(account.given() or account.released())
            # What is booked of a refund that then fails was booked without effect.
            known.misled |= any(one.is_ours and one.ends == "failed" for one in account.movements)
        if told != payments(order):
            changes["payments"] = told
        if with_rows and known.base:
            changes |= self._book_rows(known, order)
        if changes:
            self.shop_writes(known, changes)

    def _book_rows(self, known: Known, order: Order) -> Order:
        """What has arrived of ours, on the first rows that have room for it."""
        assert known.base
        missing = self.ours(known, settled=True) - known.base.raised_on_rows(order)
        changed = order
        for name in known.base.rows:
            row = rows(order).get(name)
            if row is not None and missing > 0 and (room := _creditable(row)) > 0:
                amount = min(missing, room)
                missing -= amount
                changed = changed | _with_row(changed, name, _credited(row, amount))
        return {name: changed[name] for name in ("items", "fees", "shipping") if changed.get(name) != order.get(name)}

    # ------------------------------------------------------------------ taking

    @act
    def the_shop_captures(self, known: Known, dice: Dice) -> None:
        """An authorization, all of it or a part, booked at once or once the provider tells."""
        order = self.order(known)
        if order is None or self.bank.is_away:
            return
        for place, payment in enumerate(payments(order)):
            account = self.bank.accounts[known.references[payment["payment_id"]]]
            if (left := account.capturable) > 0 and not number(payment, "amount_voided"):
                amount = dice.part_of(left)
                at_once = account.kind == "offline" or dice.pick([True, False])
                if at_once:
                    captured = {"amount_captured": number(payment, "amount_captured") + amount}
                    self.shop_writes(known, {"payments": _with_payment(order, place, captured)})
                account.captured += amount
                self.tell(known.order_id, f"the shop captures {amount} of {payment['payment_id']}, booked: {at_once}")
                self.refresh(known)
                return

    @act
    def the_shop_invoices(self, known: Known, dice: Dice) -> None:
        """A row, shipping or a fee that was there, or all of them; with what is captured for it, or without."""
        order = self.order(known)
        if order is None:
            return
        there = {
            name: left
            for name, row in rows(order).items()
            if (left := number(row, "amount") - number(row, "amount_invoiced")) > 0
        }
        if not there:
            return
        names = list(there) if dice.pick([False, True]) else [dice.pick(list(there))]
        changed = order
        for name in names:
            changed = changed | _with_row(changed, name, _invoiced(rows(changed)[name]))
        changes: Order = {name: changed[name] for name in ("items", "fees", "shipping") if changed.get(name)}
        more = int(sum(there[name] for name in names))
        paid = [(place, one) for place, one in enumerate(payments(order)) if number(one, "amount_captured")]
        if dice.pick([True, True, False]) and paid:
            place, first = paid[0]
            account = self.bank.accounts[known.references[first["payment_id"]]]
            account.captured += more
            account.authorized = max(account.authorized, account.captured)
            captured = number(first, "amount_captured") + more
            authorized = max(number(first, "amount_authorized"), captured)
            numbers = {"amount_captured": captured, "amount_authorized": authorized}
            changes["payments"] = _with_payment(order, place, numbers)
        self.shop_writes(known, changes)
        self.refresh(known)

    @act
    def the_shop_adds_a_payment(self, known: Known, dice: Dice) -> None:
        """Captured or authorized, under a reference of its own or under one that another payment has."""
        order = self.order(known)
        if order is None or len(payments(order)) > 4:
            return
        payment_id, amount = f"p{10 + self.next()}", dice.pick([100, 1500])
        shared = dice.pick([False, True])
        captured = amount if shared or dice.pick([True, False]) else 0
        others = [one for one in payments(order) if number(one, "amount_captured")]
        if shared and others:
            reference = known.references[others[0]["payment_id"]]
            account = self.bank.accounts[reference]
            account.captured += captured
            account.authorized += captured
        else:
            reference = f"{known.order_id}-{payment_id}"
            kind: Kind = dice.pick(["intent", "charge", "offline"])
            account = self.bank.accounts[reference] = Account(captured, amount, kind)
        made = {
            "payment_id": payment_id,
            "provider": "offline" if account.kind == "offline" else "stripe",
            "reference": reference,
            "amount_authorized": amount,
            "amount_captured": captured,
        }
        known.references[payment_id] = reference
        self.shop_writes(known, {"payments": [*payments(order), made]})
        self.refresh(known)

    # ------------------------------------------------------------------ rows

    @act
    def the_shop_rearranges_rows(self, known: Known, dice: Dice) -> None:
        """Appends one, takes one away, makes two of one, or turns their order round."""
        order = self.order(known)
        if order is None:
            return
        attribute = dice.pick(["items", "items", "fees"])
        key = "item_id" if attribute == "items" else "fee_id"
        listed: list[Order] = [dict(one) for one in order.get(attribute) or []]
        fresh = f"n{self.next()}"
        more = {key: fresh, "sku": fresh, "name": "Another", "amount": 250, "amount_invoiced": dice.pick([0, 250])}
        if attribute == "items":
            more |= {"qty_ordered": Decimal(1), "qty_invoiced": Decimal(1 if more["amount_invoiced"] else 0)}
        match dice.pick(["append", "first", "reverse", "remove", "split"]):
            case "append":
                listed.append(more)
            case "first":
                listed.insert(0, more)
            case "reverse":
                listed.reverse()
            case "remove" if len(listed) > 1 and not has_left(order):
                listed.pop(0)
            case "split" if listed and number(listed[0], "amount_refunded") == 0 and listed[0]["amount"] > 1:
                listed[:1] = _split(listed[0], key, fresh)
        if listed != (order.get(attribute) or []):
            self.shop_writes(known, {attribute: listed})
            self.refresh(known)


def _split(row: Order, key: str, fresh: str) -> list[Order]:
    """A row with half of its amounts, and another with the rest. Its quantities stay."""
    halves = {name: int(number(row, name)) // 2 for name in ("amount", "amount_invoiced")}
    rest = {name: number(row, name) - half for name, half in halves.items()}
    return [row | halves, row | rest | {key: fresh}]


def _creditable(row: Any) -> int:
    return int(number(row, "amount_invoiced") - number(row, "amount_refunded"))


def _credited(row: Any, amount: int) -> Order:
    """A row with so much more refunded; all of its quantity, once all of its amount is."""
    refunded = number(row, "amount_refunded") + amount
    numbers: Order = {"amount_refunded": refunded}
    if "qty_invoiced" in row and refunded == number(row, "amount_invoiced"):
        numbers["qty_refunded"] = number(row, "qty_invoiced")
    return dict(row) | numbers


def _invoiced(row: Any) -> Order:
    numbers = {"amount_invoiced": row["amount"]}
    return dict(row) | numbers | ({"qty_invoiced": row["qty_ordered"]} if "qty_ordered" in row else {})


def _with_row(order: Order, name: str, row: Order) -> Order:
    """The attribute of an order that has this row, with the row in it."""
    kind, _, row_id = name.partition(" ")
    if kind == "shipping":
        return {"shipping": row}
    attribute, key = ("items", "item_id") if kind == "item" else ("fees", "fee_id")
    return {attribute: [row if one[key] == row_id else one for one in order[attribute]]}


def _with_payment(order: Order, place: int, numbers: Order) -> list[Any]:
    return [dict(one) | numbers if at == place else one for at, one in enumerate(payments(order))]


def _share(mine: list[Order], name: str, total: int, limit: str) -> None:
    """Has the payments of one reference say so much in all: raised where there is room, or lowered from the last."""
    missing = total - int(sum(number(one, name) for one in mine))
    for one in mine if missing > 0 else reversed(mine):
        before = number(one, name)
        now = min(max(before + missing, 0), max(before, number(one, limit)))
        missing -= int(now - before)
        if now != before:
            one[name] = now
