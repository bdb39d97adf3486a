"""What a guest consumes in the database, as AWS counts it. docs/costs.md is made of these numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from cancel_core.adapters.dynamodb.access import Access
from cancel_core.adapters.dynamodb.config import Policies
from cancel_core.adapters.dynamodb.mails import Mails
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.services.cancel import cancel_order
from cancel_core.services.queries import get_order

from tests.support.guests import ADDRESS, PLACED, Guests
from tests.support.machine import ROOT
from tests.support.metering import Meter, order_of
from tests.support.tables import NOW, Aws, Shop, request

EXPECTED = {
    "the code is found out about": (3, 2, 1),
    "it is mailed": (4, 2, 5),
    "it becomes a token": (4, 1, 3),
    "one order": (2, 2, 0),
    "cancel": (3, 2, 3),
}
"""Round trips, units read, units written, of an order of one row."""


@pytest.mark.parametrize("aws", ["dynamodb-local"], indirect=True)
def test_what_a_guest_consumes(shop: Shop, aws: Aws) -> None:
    with Guests.opened(shop, aws) as guests:
        meter = Meter(aws.client("dynamodb"))
        orders, access = Orders(meter.client, shop.tables["orders"]), Access(meter.client, shop.tables["access"])
        policies = Policies(meter.client, shop.config_tables, 60, print)
        guests.desk = guests.desk._replace(orders=orders, access=access, policies=policies)
        post = guests.office.post
        mails = Mails(meter.client, post.mails.table)
        guests.office.post = post._replace(orders=orders, policies=policies, mails=mails)
        source = order_of(1) | {"customer_email": ADDRESS, "placed_at": PLACED}
        del source["customer_id"]
        order_id = shop.put(source)
        policies.get(shop.store_id)
        told: dict[str, tuple[int, Decimal, Decimal]] = {}

        guests.ask(order_id)
        meter.units()
        (asked,) = guests.requests()
        assert guests.send(asked)
        told["the code is found out about"] = meter.units()
        (message,) = guests.mails()
        assert guests.mail(message) == 1
        told["it is mailed"] = meter.units()
        guests.shop.orders = orders
        token = guests.redeem(order_id, asked["code"])
        told["it becomes a token"] = meter.units()
        guest = guests.guest(token)
        get_order(orders, policies, order_id, guest)
        told["one order"] = meter.units()
        guest = guests.guest(token)
        cancel_order(orders, policies, request(order_id, key="k")._replace(caller=guest), lambda: NOW)
        told["cancel"] = meter.units()

    measured = {name: (trips, float(read), int(written)) for name, (trips, read, written) in told.items()}
    assert measured == EXPECTED


def test_the_costs_page_has_these_numbers() -> None:
    page = (ROOT / "docs" / "costs.md").read_text()
    row = [f"{trips} / {read:g} / {written}" for trips, read, written in EXPECTED.values()]
    assert "| " + " | ".join(row) + " |" in page
