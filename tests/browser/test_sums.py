"""What a customer reads about their money: what comes back, what the shop sees to, and what it has seen to itself."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from ops.__main__ import main as operate
from tests.browser.visit import ORDERS, Visit, Visits, order_page
from tests.support import documents
from tests.support.shop import Shop

WHO = ("--by", "ann@shop.example", "--why", "seen to it")
HOW = "It is paid back the way you paid. When it reaches you depends on your bank, usually within a few working days."
AUTUMN = documents.invoiced("2", name="Autumn discount", qty_ordered=1, amount=-5000)
IN_ADVANCE: dict[str, Any] = {"status": "processing", "payments": [documents.captured(20000)]}


def text_of(place: Locator) -> str:
    return (
        place.inner_text().replace("\xa0", " ").replace("\N{MINUS SIGN}", "-").replace("\N{MULTIPLICATION SIGN}", "x")
    )


def lines_of(place: Locator) -> list[str]:
    return [line for line in text_of(place).split("\n") if line]


CASES: dict[str, tuple[str, dict[str, Any], list[str], list[str]]] = {
    # What it is called: the store's basis, the order, what the dialog says before, what it says after.
    "captured-not-invoiced": (
        "invoiced",
        IN_ADVANCE,
        ["You have paid SEK 200.00 that was not invoiced. The shop will see to it."],
        ["You have paid SEK 200.00 that was not invoiced. The shop will see to it."],
    ),
    "captured-beyond-the-invoice": (
        "invoiced",
        documents.paid(payments=[documents.captured(25000)]),
        [
            "What you get back",
            "2 x Item 1",
            "SEK 200.00",
            "Total",
            "SEK 200.00",
            "You have paid SEK 50.00 that was not invoiced. The shop will see to it.",
            HOW,
        ],
        [
            "SEK 200.00 has been paid back.",
            "You have paid SEK 50.00 that was not invoiced. The shop will see to it.",
        ],
    ),
    "captured-and-reserved": (
        "invoiced",
        IN_ADVANCE | {"payments": [documents.captured(8000), documents.authorized(12000, "p2")]},
        ["You have paid SEK 80.00 that was not invoiced. The shop will see to it."],
        [
            "The reserved amount has been released.",
            "You have paid SEK 80.00 that was not invoiced. The shop will see to it.",
        ],
    ),
    "all-that-was-paid": (
        "paid",
        documents.paid(payments=[documents.captured(25000)]),
        [
            "What you get back",
            "2 x Item 1",
            "SEK 200.00",
            "Paid, not invoiced",
            "SEK 50.00",
            "Total",
            "SEK 250.00",
            HOW,
        ],
        ["SEK 250.00 has been paid back."],
    ),
    "all-that-was-paid-in-advance": (
        "paid",
        IN_ADVANCE,
        [
            "What you get back",
            "Paid, not invoiced",
            "SEK 200.00",
            "Total",
            "SEK 200.00",
            HOW,
        ],
        ["SEK 200.00 has been paid back."],
    ),
    "a-discount": (
        "invoiced",
        {
            "status": "processing",
            "items": [documents.invoiced("1"), AUTUMN],
            "payments": [documents.captured(15000)],
        },
        [
            "What you get back",
            "2 x Item 1",
            "SEK 200.00",
            "1 x Autumn discount",
            "-SEK 50.00",
            "Total",
            "SEK 150.00",
            HOW,
        ],
        ["SEK 150.00 has been paid back."],
    ),
    "nothing-charged": (
        "invoiced",
        {},
        ["Nothing has been charged for this order, so there is nothing to pay back."],
        ["There is nothing to pay back automatically."],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_said_before_the_cancel_and_after_it(visit: Visit, shop: Shop, case: str) -> None:
    basis, attributes, before, after = CASES[case]
    shop.configure(refund_basis=basis)
    order_id = shop.put(**attributes)
    visit.go(order_page(order_id))
    visit.open(order_id)
    assert lines_of(visit.dialog.locator('[part="refund"]')) == before
    visit.look(f"sums-{case}-dialog")
    visit.choose()
    visit.confirm.click()
    visit.done(order_id)
    progress = visit.dialog.locator('[part="progress"]')
    expect(progress).not_to_contain_text("on its way")
    expect(progress).not_to_contain_text("being released")
    assert lines_of(progress) == after
    visit.look(f"sums-{case}-done")
    visit.close()
    visit.look(f"sums-{case}-order")


def test_after_a_cancel_without_a_refund_nothing_is_said_of_what_was_charged(visit: Visit, shop: Shop) -> None:
    """The order does not tell whether its payments hold anything."""
    order_id = shop.put(**IN_ADVANCE)
    shop.canceled(order_id)
    for path in (ORDERS, order_page(order_id)):
        visit.go(path)
        if path == ORDERS:
            expect(visit.row(order_id)).to_contain_text("Cancelled")
        else:
            expect(visit.status).to_have_text("Cancelled.")
        assert "charged" not in visit.page.locator("main").inner_text()


def test_what_the_shop_gave_back_itself_is_a_line_of_its_own(visit: Visit, shop: Shop) -> None:
    """A refund has failed; the shop gives back 150.00 in its own system, and the rest is tried again."""
    order_id = shop.put(**documents.paid(payments=[documents.captured(1)]))
    shop.canceled(order_id)
    shop.refunded(order_id, "failed")
    visit.go(order_page(order_id))
    expect(visit.status).to_contain_text("could not be paid back automatically.")
    shop.aws.orders.update_item(
        Key={"order_id": order_id},
        UpdateExpression="SET payments = :payments, #items[0].amount_refunded = :credited",
        ExpressionAttributeNames={"#items": "items"},
        ExpressionAttributeValues={
            ":payments": [documents.captured(20000, amount_refunded=15000)],
            ":credited": 15000,
        },
    )
    assert operate(["refunds", "--local", "--url", shop.endpoint, "retry", order_id, *WHO]) == 0
    shop.refunded(order_id)
    visit.go(order_page(order_id))
    expect(visit.status).to_contain_text("has been paid back.")
    assert lines_of(visit.status) == [
        "Cancelled. SEK 50.00 has been paid back.",
        "The shop has paid back SEK 150.00.",
    ]
    shown = lines_of(visit.page.get_by_role("region", name="Cancellation"))
    assert shown[-4:] == ["Refund", "SEK 50.00 · paid back", "Paid back by the shop", "SEK 150.00"]
    assert pairs(visit, "Items")["Paid back"] == "SEK 200.00"
    visit.look("sums-credited-by-the-shop")


def test_what_a_person_settled_is_a_line_of_its_own(visits: Visits, visit: Visit, shop: Shop) -> None:
    order_id = shop.put(**documents.paid(payments=[documents.captured(1)]))
    shop.canceled(order_id)
    shop.refunded(order_id, "failed")
    assert operate(["refunds", "--local", "--url", shop.endpoint, "settle", order_id, *WHO]) == 0
    visit.go(order_page(order_id))
    expect(visit.status).to_have_text("Cancelled. The shop has settled SEK\xa0200.00 with you.")
    assert pairs(visit, "Cancellation")["Settled by the shop"] == "SEK 200.00"
    visit.look("sums-settled-by-hand")
    swedish = visits.signed_in(lang="sv-SE", phone=True, dark=True)
    swedish.go(order_page(order_id))
    expect(swedish.status).to_have_text("Avbeställd. Butiken har gjort upp om 200,00\xa0kr med dig.")
    assert pairs(swedish, "Avbeställning")["Uppgjort av butiken"] == "200,00 kr"
    swedish.look("sums-settled-by-hand-swedish")


def test_all_that_was_paid_counts_as_paid_back_on_the_order_page(visit: Visit, shop: Shop) -> None:
    shop.configure(refund_basis="paid")
    order_id = shop.put(**documents.paid(payments=[documents.captured(25000)]))
    shop.canceled(order_id)
    shop.refunded(order_id)
    visit.go(order_page(order_id))
    assert pairs(visit, "Items")["Paid back"] == "SEK 250.00"
    assert pairs(visit, "Cancellation")["Refund"] == "SEK 250.00 · paid back"
    assert "Paid, not invoiced" not in pairs(visit, "Cancellation")


def test_a_surplus_is_a_line_of_its_own_on_the_order_page(visits: Visits, shop: Shop) -> None:
    order_id = shop.put(**documents.paid(payments=[documents.captured(25000)]))
    shop.canceled(order_id)
    shop.refunded(order_id)
    for lang, region, name, amount in (
        ("en-GB", "Cancellation", "Paid, not invoiced", "SEK 50.00"),
        ("sv-SE", "Avbeställning", "Betalt, inte fakturerat", "50,00 kr"),
    ):
        visit = visits.signed_in(lang=lang, phone=True)
        visit.go(order_page(order_id))
        assert pairs(visit, region)[name] == amount
        assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        visit.look(f"sums-surplus-order-{lang}")


def test_the_same_in_swedish(visits: Visits, shop: Shop) -> None:
    visit = visits.signed_in(lang="sv-SE", phone=True)
    first = shop.put(**IN_ADVANCE)
    visit.go(order_page(first))
    visit.page.get_by_role("button", name=f"Avbeställ order {first}").click()
    words = "Du har betalat 200,00\xa0kr som inte har fakturerats. Butiken tar hand om det."
    expect(visit.dialog.locator('[part="refund"]')).to_have_text(words)
    visit.look("sums-swedish-dialog")
    visit.choose()
    visit.confirm.click()
    expect(visit.dialog.locator('[part="progress"]')).to_have_text(words)
    visit.look("sums-swedish-done")

    shop.configure(refund_basis="paid")
    second = shop.put(
        status="processing",
        items=[documents.invoiced("1"), AUTUMN | {"name": "Höstrabatt"}],
        payments=[documents.captured(18000)],
    )
    visit.go(order_page(second))
    visit.page.get_by_role("button", name=f"Avbeställ order {second}").click()
    expect(visit.dialog.locator('[part="refund"]')).to_be_visible()
    assert lines_of(visit.dialog.locator('[part="refund"] dl')) == [
        "2 x Item 1",
        "200,00 kr",
        "1 x Höstrabatt",
        "-50,00 kr",
        "Betalt, inte fakturerat",
        "30,00 kr",
        "Summa",
        "180,00 kr",
    ]
    visit.look("sums-swedish-paid-dialog")
    visit.choose()
    visit.confirm.click()
    expect(visit.dialog.locator('[part="progress"]')).to_have_text("180,00\xa0kr har betalats tillbaka.")


def pairs(visit: Visit, region: str) -> dict[str, str]:
    """The names and values of a part of the order's page."""
    place = visit.page.get_by_role("region", name=region)
    expect(place).to_be_visible()
    return dict(text_of(row).split("\n") for row in place.locator("dl > div").all())
