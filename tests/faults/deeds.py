"""What a shop does to an order and its payments while the product works on them.

Each writes by `UpdateItem`, or as its name says, and keeps the shop's books right. What cannot be done at that moment
is told in words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import stripe
from boto3.dynamodb.conditions import Attr

from tests.faults.conftest import World
from tests.support import documents
from tests.support.shop import Shop

Document = dict[str, Any]

INTENTS = {"p1": 6000, "p2": 4000}
HELD = 1500
OWED = sum(INTENTS.values())
IDS = {"items": "item_id", "fees": "fee_id", "payments": "payment_id"}
LATER = "2026-01-02T03:04:05.678Z"


@dataclass
class Case:
    """One order at work: two PaymentIntents are captured, a third is authorized, and all but a fee is invoiced."""

    world: World
    shop: Shop
    intents: dict[str, str] = field(default_factory=dict)
    given_by_shop: int = 0
    before: Document = field(default_factory=dict)
    canceled: Document = field(default_factory=dict)
    """The order as it was right after the cancel."""

    def __post_init__(self) -> None:
        account = self.world.account
        self.intents = {name: account.paid(amount) for name, amount in INTENTS.items()}
        self.intents["p3"] = account.authorized(HELD)
        payments = [
            documents.captured(amount, name, provider="stripe", reference=self.intents[name])
            for name, amount in INTENTS.items()
        ]
        payments.append(documents.authorized(HELD, "p3", provider="stripe", reference=self.intents["p3"]))
        self.order_id = self.shop.put(
            status="processing",
            items=[
                documents.invoiced("i1", qty_ordered=1, amount=6000),
                documents.invoiced("i2", qty_ordered=2, amount=4000),
            ],
            fees=[{"fee_id": "wrap", "name": "Gift wrap", "amount": HELD}],
            payments=payments,
        )
        self.before = self.order()

    def order(self) -> Document:
        return self.shop.aws.order(self.order_id)

    def write(self, **attributes: Any) -> None:
        names = {f"#{name}": name for name in attributes}
        self.shop.aws.orders.update_item(
            Key={"order_id": self.order_id},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={f":{name}": value for name, value in attributes.items()},
        )

    def change(self, attribute: str, key: str, **numbers: Any) -> None:
        """Changes one row or one payment, whatever else it says now."""
        listed = self.order()[attribute]
        self.write(**{attribute: [one | numbers if one[IDS[attribute]] == key else one for one in listed]})

    def one(self, attribute: str, key: str) -> Document:
        (found,) = [one for one in self.order()[attribute] if one[IDS[attribute]] == key]
        return dict(found)


Outcome = str | None
"""Why it could not be done."""


def corrects_placed_at(case: Case) -> Outcome:
    case.write(placed_at=LATER)
    return None


def credits_from_the_second_payment(case: Case) -> Outcome:
    row, payment = case.one("items", "i1"), case.one("payments", "p2")
    if row.get("amount_refunded", 0) + 1500 > row["amount_invoiced"]:
        return "nothing is left to credit"
    case.world.account.refund(case.intents["p2"], 1500)
    case.given_by_shop += 1500
    case.change("items", "i1", amount_refunded=row.get("amount_refunded", 0) + 1500)
    case.change("payments", "p2", amount_refunded=payment.get("amount_refunded", 0) + 1500)
    return None


def credits_by_a_gift_card(case: Case) -> Outcome:
    row = case.one("items", "i2")
    if row.get("amount_refunded", 0) + 1500 > row["amount_invoiced"]:
        return "nothing is left to credit"
    case.change("items", "i2", amount_refunded=row.get("amount_refunded", 0) + 1500)
    return None


def books_what_the_provider_says(case: Case) -> Outcome:
    """From its webhooks, on the payments and, in their order, on the rows."""
    given = {name: sum(case.world.account.refunds(case.intents[name])) for name in INTENTS}
    if not any(given.values()):
        return "nothing has been refunded yet"
    for name, amount in given.items():
        case.change("payments", name, amount_refunded=amount)
    left = sum(given.values())
    for row in case.order()["items"]:
        booked = min(left, int(row["amount_invoiced"]))
        left -= booked
        whole = {"qty_refunded": row["qty_invoiced"]} if booked == row["amount_invoiced"] else {}
        case.change("items", row["item_id"], amount_refunded=booked, **whole)
    return None


def _capture(case: Case, amount: int) -> Outcome:
    try:
        case.world.account.capture(case.intents["p3"], amount)
    except stripe.InvalidRequestError:
        return "refused by the provider: already released"
    return None


def captures_the_authorization(case: Case) -> Outcome:
    refused = _capture(case, HELD)
    if not refused:
        case.change("payments", "p3", amount_captured=HELD)
    return refused


def captures_a_part(case: Case) -> Outcome:
    refused = _capture(case, 500)
    if not refused:
        case.change("payments", "p3", amount_captured=500)
    return refused


def captures_and_does_not_book(case: Case) -> Outcome:
    return _capture(case, HELD)


def invoices_the_fee_unpaid(case: Case) -> Outcome:
    case.change("fees", "wrap", amount_invoiced=HELD)
    return None


def appends_an_invoiced_row(case: Case) -> Outcome:
    case.write(items=[*case.order()["items"], documents.invoiced("i3", qty_ordered=1, amount=700)])
    return None


def puts_a_row_first(case: Case) -> Outcome:
    case.write(items=[documents.row("i0", qty_ordered=1, amount=700), *case.order()["items"]])
    return None


def removes_a_row(case: Case) -> Outcome:
    case.write(items=[row for row in case.order()["items"] if row["item_id"] != "i2"])
    return None


def turns_the_rows_round(case: Case) -> Outcome:
    case.write(items=case.order()["items"][::-1])
    return None


def splits_a_row(case: Case) -> Outcome:
    first, second = case.order()["items"]
    halves = {name: int(second.get(name, 0)) // 2 for name in ("amount", "amount_invoiced", "amount_refunded")}
    pieces = {name: int(second.get(name, 0)) // 2 for name in ("qty_ordered", "qty_invoiced", "qty_refunded")}
    part = second | halves | {name: number for name, number in pieces.items() if name in second}
    case.write(items=[first, part, part | {"item_id": "i2b"}])
    return None


def adds_a_payment(case: Case) -> Outcome:
    case.intents["p4"] = case.world.account.paid(700)
    added = documents.captured(700, "p4", provider="stripe", reference=case.intents["p4"])
    case.write(payments=[*case.order()["payments"], added])
    return None


def corrects_a_reference(case: Case) -> Outcome:
    """The second payment was made with another PaymentIntent."""
    case.intents["p5"] = case.world.account.paid(INTENTS["p2"])
    case.change("payments", "p2", reference=case.intents["p5"])
    return None


def names_one_reference_twice(case: Case) -> Outcome:
    case.change("payments", "p2", reference=case.intents["p1"])
    return None


def puts_on_condition(case: Case) -> Outcome:
    """What it read right after the cancel, on condition of the status that it read."""
    orders = case.shop.aws.orders
    if not case.canceled:
        return "not applicable: nothing to read yet"
    try:
        orders.put_item(Item=case.canceled, ConditionExpression=Attr("status").eq(case.canceled["status"]))
    except orders.meta.client.exceptions.ConditionalCheckFailedException:
        return "its condition fails"
    return None


def puts_blind(case: Case) -> Outcome:
    case.shop.aws.orders.put_item(Item=case.before)
    return None


def puts_blind_with_another_placed_at(case: Case) -> Outcome:
    case.shop.aws.orders.put_item(Item=case.before | {"placed_at": LATER})
    return None


def sets_the_status_back(case: Case) -> Outcome:
    case.write(status="processing")
    return None


def ships(case: Case) -> Outcome:
    """Against the rule, without a look at the cancellation."""
    case.change("items", "i1", qty_shipped=1)
    return None


def writes_null(case: Case) -> Outcome:
    case.write(cancellation=None)
    return None


def writes_a_currency_in_lower_case(case: Case) -> Outcome:
    case.write(currency="sek")
    return None


def deletes_the_order(case: Case) -> Outcome:
    case.shop.aws.orders.delete_item(Key={"order_id": case.order_id})
    return None


class Deed(NamedTuple):
    what: str
    do: Callable[[Case], Outcome]
    by_the_rules: bool = True
    """Whether docs/order-system.md allows it."""


DEEDS = (
    Deed("corrects `placed_at`", corrects_placed_at),
    Deed("credits 1500 of a row, from the second payment", credits_from_the_second_payment),
    Deed("credits 1500 of a row with a gift card", credits_by_a_gift_card),
    Deed("books the product's refund from the provider's webhook", books_what_the_provider_says),
    Deed("captures the authorization", captures_the_authorization),
    Deed("captures 500 of the authorization", captures_a_part),
    Deed("captures the authorization without booking it", captures_and_does_not_book),
    Deed("invoices the fee, which is unpaid", invoices_the_fee_unpaid),
    Deed("appends an invoiced row", appends_an_invoiced_row),
    Deed("inserts a row before the others", puts_a_row_first),
    Deed("removes a row", removes_a_row),
    Deed("reverses the order of the rows", turns_the_rows_round),
    Deed("splits a row", splits_a_row),
    Deed("adds a payment of 700", adds_a_payment),
    Deed("corrects the second payment's reference", corrects_a_reference),
    Deed("sets the first payment's reference on the second payment", names_one_reference_twice),
    Deed("puts the order as read after the cancel, if the status is unchanged", puts_on_condition),
    Deed("puts the order as read before the cancel, without a condition", puts_blind, by_the_rules=False),
    Deed("the same with another `placed_at`", puts_blind_with_another_placed_at, by_the_rules=False),
    Deed("sets the status back to `processing`", sets_the_status_back, by_the_rules=False),
    Deed("ships a row", ships, by_the_rules=False),
    Deed("writes NULL in place of the cancellation", writes_null, by_the_rules=False),
    Deed("writes the currency in lower case", writes_a_currency_in_lower_case, by_the_rules=False),
    Deed("deletes the order", deletes_the_order, by_the_rules=False),
)
