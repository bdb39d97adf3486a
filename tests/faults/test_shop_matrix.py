"""All that a shop may do to an order, at each moment of a cancel and its refund, on the running stack.

A section of docs/faults.md says what becomes of the money. `UPDATE_DOCS=1` writes it anew.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from tests.faults import deeds
from tests.faults.conftest import World, about
from tests.faults.deeds import DEEDS, HELD, OWED, Case, Deed
from tests.faults.page import assert_section, table
from tests.support import documents
from tests.support.aws import EventWatch
from tests.support.proxy import just_after, just_before
from tests.support.shop import Shop
from tests.support.waiting import wait_until

CANCEL, REFUND = "CancelOrderFunction", "RefundOrderFunction"
WHEN = ("between the cancel's read and its write", "between cancel and refund", "between two legs", "afterwards")
SECONDS = 120
AT_ONCE = 8
TITLE = "The shop works on the order meanwhile"
INTRODUCTION = f"""\
Two payments of 6000 and 4000 are captured, a third of {HELD} is authorized. Two rows of as much are invoiced, and a fee
of {HELD} is not. The customer cancels; while the function in question waits at the named line, the shop does the deed.

A cell says the order's status at the end, what was paid back by us and in which state its refund is. In each cell it
was checked, too: providers have given back no more than was invoiced, the shop's own refunds among it; the order's
payments say exactly what providers gave back; the refund document and the order agree; nothing is pending; a refund
that failed and a surplus are told by an event. Deeds in *italics* are against
[the rules for order systems](order-system.md). Made by [test_shop_matrix.py](../tests/faults/test_shop_matrix.py).
"""


@dataclass
class Cell:
    """One deed at one moment."""

    case: Case
    watch: EventWatch
    deed: Deed
    when: str
    impossible: str | None = None
    is_done: bool = False
    refund_id: str = ""
    refused: str = ""

    # --- the story

    def begin(self) -> Cell:
        """Cancels, and comes back when the deed is done and the refund has ended."""
        case, world = self.case, self.case.world
        if self.when == WHEN[0]:
            world.proxies[CANCEL].plan(about("UpdateItem", case.order_id), just_before(self._do))
        elif self.when == WHEN[2]:
            world.stripe.plan(about("POST /v1/refunds", case.intents["p1"]), just_after(self._do))
        world.proxies[REFUND].plan(about("BatchGetItem", case.order_id), just_before(self._refund_begins))
        answer = case.shop.cancel(case.order_id)
        if answer.status_code != 200:
            self.refused = f"{answer.status_code} `{answer.json()['code']}`"
            return self
        self.refund_id = answer.json()["cancellation"]["refund"]["refund_id"]
        if self.when == WHEN[3]:
            self.ended()
            self._do()
        wait_until(lambda: self.is_done, what=f"{self}: it is done", seconds=SECONDS)
        return self.ended()

    def _refund_begins(self) -> None:
        self.case.canceled = self.case.order()
        if self.when == WHEN[1]:
            self._do()

    def _do(self) -> None:
        self.impossible = self.deed.do(self.case)
        self.is_done = True

    def ended(self) -> Cell:
        def has_ended() -> bool:
            document = self._document()
            return bool(document and document["status"] != "pending")

        if not self.refused:
            wait_until(has_ended, what=f"{self}: the refund ends", seconds=SECONDS, every=0.5)
        return self

    def _document(self) -> dict[str, Any] | None:
        key = {"refund_id": self.refund_id}
        return self.case.shop.aws.refunds.get_item(Key=key, ConsistentRead=True).get("Item")

    # --- what became of it

    def _given(self) -> int:
        account = self.case.world.account
        return sum(sum(account.refunds(intent)) for intent in self.case.intents.values())

    def outcome(self) -> str:
        if self.refused:
            assert self._given() == self.case.given_by_shop, self
            return f"{self.refused}, nothing paid"
        if self.impossible:
            return self.impossible
        document = self._document()
        assert document
        given = self._given()
        ours = given - self.case.given_by_shop
        order = self.case.shop.aws.orders.get_item(Key={"order_id": self.case.order_id}, ConsistentRead=True).get(
            "Item"
        )
        invoiced = max(OWED, self._invoiced(order))
        assert given <= invoiced, f"{self}: {given} of {invoiced}"
        assert document.get("amount") == ours or document["status"] == "failed", f"{self}: {document}"
        status = str(order["status"]) if order else "no order"
        words = [f"{status}; paid {ours}, `{document['status']}`"]
        if document.get("credited_by_shop"):
            words.append(f"{document['credited_by_shop']} credited by the shop")
        if self.case.world.account.status(self.case.intents["p3"]) == "canceled":
            words.append("released")
        if surplus := self._surplus(document):
            words.append(f"surplus {surplus} told")
        if document["status"] == "failed":
            words.append(f"`{document['failure']['code']}` told")
            self.watch.wait_for(self.case.order_id, "OrderRefundFailed", seconds=SECONDS)
        self._agree(order, document, given)
        return ", ".join(words)

    def _surplus(self, document: dict[str, Any]) -> int:
        """As an event has told it."""
        surplus = int(document.get("surplus", 0))
        if not surplus and self.deed.do is not deeds.adds_a_payment:
            return 0

        def told() -> int:
            return max(int(event["detail"]["surplus"]) for event in self.watch.of(self.case.order_id))

        return wait_until(told, what=f"{self}: a surplus is told", seconds=SECONDS, every=0.5)

    @staticmethod
    def _invoiced(order: dict[str, Any] | None) -> int:
        rows = [*order["items"], *order["fees"]] if order else []
        return int(sum(row.get("amount_invoiced", 0) for row in rows))

    def _agree(self, order: dict[str, Any] | None, document: dict[str, Any], given: int) -> None:
        if not order:
            return
        booked = sum(one.get("amount_refunded", 0) for one in order["payments"])
        refund = (order.get("cancellation") or {}).get("refund")
        facts = json.dumps({"booked": booked, "given": given, "order": order, "document": document}, default=str)
        # An order that nobody can read is not written: a person is told, who has it mended and tries again.
        is_unreadable = document.get("failure", {}).get("code") == "INVALID_ORDER"
        assert booked == given or is_unreadable, f"{self}: {facts}"
        assert refund, f"{self}: {facts}"
        assert (refund["refund_id"], refund["status"]) == (document["refund_id"], document["status"]), (
            f"{self}: {facts}"
        )
        assert "refund_pending_since" not in order, f"{self}: {facts}"

    def __str__(self) -> str:
        return f"{self.deed.what}, {self.when} ({self.case.order_id})"


def quiet(shop: Shop) -> None:
    """What was published until now has been worked on, for what was published after it has been."""
    later = shop.put(**documents.paid())
    shop.canceled(later)
    shop.refunded(later)


@pytest.mark.timeout(900)
def test_whatever_the_shop_does_meanwhile_no_more_and_no_less_goes_back_than_is_owed(world: World, shop: Shop) -> None:
    told: dict[tuple[Deed, str], str] = {}
    wrong: list[str] = []
    with closing(EventWatch.open(world.aws)) as watch, ThreadPoolExecutor(AT_ONCE) as pool:
        for when in WHEN:
            cells = [Cell(Case(world, shop), watch, deed, when) for deed in DEEDS]
            begun = [pool.submit(cell.begin) for cell in cells]
            wrong += [str(error) for one in begun if (error := one.exception())]
            quiet(shop)
            for cell in cells:
                try:
                    told[cell.deed, when] = cell.ended().outcome()
                except AssertionError as error:
                    wrong.append(str(error))
    assert not wrong, "\n".join(wrong)
    rows = [
        (deed.what if deed.by_the_rules else f"*{deed.what}*", *(told[deed, when] for when in WHEN)) for deed in DEEDS
    ]
    assert_section(TITLE, f"{INTRODUCTION}\n{table(('the shop', *WHEN), *rows)}")


def test_every_deed_is_in_the_matrix() -> None:
    made = {
        name
        for name, what in vars(deeds).items()
        if callable(what) and getattr(what, "__module__", "") == deeds.__name__
    }
    others = {"Case", "Deed"} | {name for name in made if name.startswith("_")}
    assert made - others == {deed.do.__name__ for deed in DEEDS}
