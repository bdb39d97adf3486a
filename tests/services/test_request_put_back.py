"""A cancellation that is put back, on an order that carries an open request."""

from __future__ import annotations

import pytest
from cancel_core.services.announce import Change, publish_changes

from tests.support.requests import RequestDesk
from tests.support.tables import Shop


@pytest.fixture
def desk(shop: Shop) -> RequestDesk:
    return RequestDesk(shop)


def put_back(desk: RequestDesk, written_over: Change) -> None:
    """Deals with the record of the order system's write, as the other function of the stream does."""
    assert publish_changes(desk.shop.orders, desk.shop.refunds, desk.heard, [written_over], desk.clock()) == []
    desk.note()


def test_what_was_asked_on_an_order_that_was_written_over_lapses(desk: RequestDesk) -> None:
    desk.shop.configure(approval="never")
    desk.place()
    canceled = desk.cancel().stored.cancellation
    assert canceled
    desk.put(desk.images[0])
    written_over = Change("1", *desk.images[-2:])
    desk.shop.configure(approval="always")
    request = desk.ask()
    put_back(desk, written_over)
    desk.follow()
    cancellation = desk.shop.order(desk.order_id).cancellation
    assert cancellation
    assert cancellation.cancellation_id == canceled.cancellation_id
    assert (desk.on_order.request_id, desk.on_order.status) == (request.request_id, "lapsed")
    row = desk.row(request.request_id)
    assert (row["status"], row["outcome"]) == ("lapsed", "Lapsed: the order was cancelled otherwise.")


def test_the_request_that_was_approved_is_so_in_the_write_that_puts_its_cancellation_back(desk: RequestDesk) -> None:
    request = desk.asked()
    asked = desk.images[-1]
    desk.decide(request.request_id, "approved")
    desk.carry_out(request.request_id)
    desk.put(asked)
    put_back(desk, Change("1", *desk.images[-2:]))
    cancellation = desk.shop.order(desk.order_id).cancellation
    assert cancellation
    assert cancellation.request_id == request.request_id
    assert (desk.on_order.request_id, desk.on_order.status) == (request.request_id, "approved")
