"""The shop's order system at work on what is no money: it corrects, ships, and puts whole orders back.

What it does with money is in shop_money.
"""

from __future__ import annotations

from typing import Any

from tests.invariants.acts import Dice, act, only_meanwhile
from tests.invariants.orders import CANCELLABLE
from tests.invariants.world import Known, World
from tests.support.aws import attribute_values

Order = dict[str, Any]


class Shop(World):
    """What it does not know it does not change: each write touches what it means, but for those that put an order."""

    # ------------------------------------------------------------------ corrections

    @act
    def the_shop_corrects_the_order(self, known: Known, dice: Dice) -> None:
        """Any attribute that it may, but for money and status."""
        order = self.order(known)
        if order is None:
            return
        number = self.next()
        what = dice.pick(["when", "when", "total", "e-mail", "name", "mark", "note", "history", "NULL"])
        match what:
            case "when":
                self.shop_writes(known, {"placed_at": self._another_time(order, dice)})
            case "total":
                self.shop_writes(known, {"total": order["total"] + dice.pick([1, -1, 100])})
            case "e-mail":
                self.shop_writes(known, {"customer_email": f"{number}@example.com"})
            case "name":
                self._change_row(known, order, "name", f"Better thing {number}")
            case "mark":
                self._change_row(known, order, "shelf", number)
            case "note":
                self.shop_writes(known, {"note": f"gift {number}"})
            case "history":
                entry = {"at": "2026-11-22T10:00:00.500Z", "status": order["status"], "comment": f"Seen {number}"}
                self.shop_writes(known, {"history": [*(order.get("history") or []), entry]})
            case _:
                absent = [name for name in ("fees", "shipping", "payments", "note") if not order.get(name)]
                if absent:
                    self.shop_writes(known, {dice.pick(absent): None})

    @staticmethod
    def _another_time(order: Order, dice: Dice) -> str:
        """Of the same moment, or of another."""
        day, _, time = order["placed_at"].partition("T")
        seconds = time[:8]
        return dice.pick(
            [f"{day}T{seconds}Z", f"{day}T{seconds}.000Z", f"{day}T{seconds[:6]}07Z", "2026-11-19T08:00:00Z"]
        )

    def _change_row(self, known: Known, order: Order, name: str, value: Any) -> None:
        if order["items"]:
            first, *rest = order["items"]
            self.shop_writes(known, {"items": [first | {name: value}, *rest]})

    @act
    def the_shop_sets_the_status_back(self, known: Known, dice: Dice) -> None:
        """As if it had not been cancelled."""
        order = self.order(known)
        if order and order.get("cancellation") and order["status"] in {"canceled", "closed"}:
            self.shop_writes(known, {"status": dice.pick(["processing", "processing", "pending", "hold"])})

    # ------------------------------------------------------------------ whole orders

    @act
    def the_shop_opens_the_order(self, known: Known, _dice: Dice) -> None:
        """And puts it back later, as it then was."""
        known.copy = self.order(known)

    @act
    def the_shop_puts_what_it_read(self, known: Known, dice: Dice) -> None:
        """On condition of the status that it read, as it may; or blindly, and perhaps with something corrected."""
        known.copy = known.copy or self.order(known)
        if known.copy is None:
            return
        mindful = dice.pick([True, False])
        change = dice.pick(["", "", "when", "NULL", "ships"])
        self._put(known, mindful=mindful, change=change, dice=dice)

    @only_meanwhile(2)
    def a_blind_put(self, known: Known, dice: Dice) -> None:
        self._put(known, mindful=False, change="", dice=dice)

    def _put(self, known: Known, *, mindful: bool, change: str, dice: Dice) -> None:
        before = self.order(known)
        if known.copy is None or before is None:
            return
        copy, status = dict(known.copy), known.copy["status"] if mindful else None
        if change == "when":
            copy["placed_at"] = self._another_time(copy, dice)
        if change == "NULL" and not copy.get("cancellation"):
            copy["cancellation"] = None
        ships = change == "ships" and not copy.get("cancellation")
        if ships:
            copy |= {"status": "complete", "items": [_shipped(row) for row in copy["items"]]}
        how = "on condition" if mindful else "blindly"
        self.tell(known.order_id, f"the shop puts what it read, {how} {change}")
        if not self.around.put("orders", copy | {"own_writes": self.next()}, status):
            return
        if ships:
            self._ships(known)
            known.copy = None
        was, now = before.get("cancellation"), copy.get("cancellation")
        if was and not now:
            known.erased = True
            self.tally["fault: put over a cancellation"] += 1
        elif was != now:
            known.rewound = True
            self.tally["fault: an older cancellation put back"] += 1

    # ------------------------------------------------------------------ shipping

    @act
    def the_shop_ships(self, known: Known, dice: Dice) -> None:
        """On condition of the status it read, as it must; or without."""
        self._ship(known, all_of_it=dice.pick([True, False]), mindful=dice.pick([True, True, False]))

    @only_meanwhile()
    def a_shipment(self, known: Known, _dice: Dice) -> None:
        self._ship(known, all_of_it=True, mindful=True)

    @only_meanwhile()
    def a_shipment_all_the_same(self, known: Known, _dice: Dice) -> None:
        self._ship(known, all_of_it=False, mindful=False)

    def _ship(self, known: Known, *, all_of_it: bool, mindful: bool) -> None:
        order = self.order(known)
        if order is None or not order["items"]:
            return
        items = [_shipped(row) if all_of_it or not place else row for place, row in enumerate(order["items"])]
        # It read the order when that was placed, and a customer may have cancelled since.
        read = known.read_status
        if mindful and (read not in CANCELLABLE or order.get("cancellation")):
            return
        status = "complete" if all_of_it else read if mindful else order["status"]
        changes = {"items": items, "status": status}
        if self.shop_writes(known, changes, on=read if mindful else None, uncancelled=mindful):
            self._ships(known)
            known.read_status = status
            self.refresh(known)

    def _ships(self, known: Known) -> None:
        if known.shipped is None:
            known.shipped = self.next()

    @act
    def the_shop_deletes_the_order(self, known: Known, dice: Dice) -> None:
        if dice.pick(range(8)) == 7:
            self.around.remove("orders", order_id=known.order_id)
            known.deleted = True

    # ------------------------------------------------------------------ its writes

    def shop_writes(self, known: Known, changes: Order, *, on: str | None = None, uncancelled: bool = False) -> bool:
        """UpdateItem, as the order system is told to change orders, on condition of a status where one is given."""
        self.tell(known.order_id, f"the shop writes {sorted(changes)}")
        attributes = changes | {"own_writes": self.next()}
        values = attribute_values({f":{name}": value for name, value in attributes.items()})
        names = {f"#{name}": name for name in attributes} | {"#status": "status"}
        conditions = ["attribute_exists(#status)"]
        if on:
            conditions.append("#status = :read")
            values[":read"] = {"S": on}
        if uncancelled:
            conditions.append("attribute_not_exists(cancellation)")
        try:
            self.around.calm.update_item(
                TableName=self.around.tables["orders"],
                Key={"order_id": {"S": known.order_id}},
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
                ConditionExpression=" AND ".join(conditions),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
            )
        except self.around.calm.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def refresh(self, known: Known) -> None:
        """What the shop booked itself it does not forget: a copy from before is of no use any more."""
        order = self.order(known) if known.copy else None
        known.copy = order if order and not order.get("cancellation") and not known.base else None


def _shipped(row: Order) -> Order:
    return row | {"qty_shipped": row["qty_ordered"]}
