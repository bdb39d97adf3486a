"""A cancel keeps its reason in the customer's language; everything else has the code."""

from __future__ import annotations

from typing import Any

import pytest
from cancel_core.domain.events import transitions
from cancel_core.domain.times import iso
from cancel_core.errors import InvalidCancellationReason
from cancel_core.services.cancel import cancel_order

from tests.support.orders import paid
from tests.support.tables import NOW, Shop, request

REASONS = [{"code": "other", "description": "Other", "descriptions": {"sv": "Annat", "de": "Anderes"}}]


def kept(shop: Shop, order_id: str) -> tuple[str, str, str]:
    """What the order has of the reason: the code, the words, the history's line."""
    document = shop.document(order_id)
    reason = document["cancellation"]["reason"]
    assert reason.keys() == {"code", "description"}
    return reason["code"], reason["description"], document["history"][-1]["comment"]


@pytest.mark.parametrize(
    ("order", "accepted", "words"),
    [
        ({}, (), "Other"),
        ({"language": "sv"}, (), "Annat"),
        ({"language": "sv-FI"}, ("de",), "Annat"),
        ({"language": " SV "}, ("de",), "Annat"),
        ({"language": "en"}, ("sv",), "Other"),
        # The order says which language, and the reason is not there in it.
        ({"language": "fi"}, ("sv",), "Other"),
        ({}, ("de-at", "sv"), "Anderes"),
        ({}, ("fi", "sv"), "Annat"),
        ({}, ("en", "sv"), "Other"),
        # No language at all.
        ({"language": ""}, ("sv",), "Annat"),
        ({"language": None}, ("sv",), "Annat"),
        ({"language": 7}, ("sv",), "Annat"),
        ({"language": "Swedish, I think"}, ("de",), "Anderes"),
    ],
)
def test_a_cancel_keeps_the_words_of_the_orders_language(
    shop: Shop, order: dict[str, Any], accepted: tuple[str, ...], words: str
) -> None:
    shop.configure(reasons=REASONS)
    order_id = shop.put(paid() | order)
    canceled = cancel_order(shop.orders, shop.policies(), request(order_id, languages=accepted), lambda: NOW)
    assert kept(shop, order_id) == ("other", words, f"Cancelled by the customer: {words}")
    assert canceled.stored.document == shop.stored(order_id).document


def test_the_stores_own_language_is_that_of_its_mails(shop: Shop) -> None:
    reasons = [{"code": "other", "description": "Annat", "descriptions": {"en": "Other"}}]
    shop.configure(reasons=reasons, mail={"language": "sv"})
    for accepted, words in ((("sv", "en"), "Annat"), (("en", "sv"), "Other"), (("fi",), "Annat")):
        order_id = shop.put(paid())
        cancel_order(shop.orders, shop.policies(), request(order_id, languages=accepted), lambda: NOW)
        assert kept(shop, order_id)[1] == words


@pytest.mark.parametrize("words", ["Annat", "Other", "sv", "Anderes"])
def test_words_are_no_code(shop: Shop, words: str) -> None:
    shop.configure(reasons=REASONS)
    order_id = shop.put(paid() | {"language": "sv"})
    with pytest.raises(InvalidCancellationReason):
        cancel_order(shop.orders, shop.policies(), request(order_id, reason=words), lambda: NOW)
    assert "cancellation" not in shop.document(order_id)


def test_a_repeat_has_the_words_of_the_first_time(shop: Shop) -> None:
    shop.configure(reasons=REASONS)
    order_id = shop.put(paid())
    for accepted in (("sv",), ("de",), ()):
        asked = request(order_id, key="k", languages=accepted)
        canceled = cancel_order(shop.orders, shop.policies(), asked, lambda: NOW)
        cancellation = canceled.stored.order.cancellation
        assert cancellation
        assert (cancellation.reason.code, cancellation.reason.description) == ("other", "Annat")
    shop.configure(reasons=[{"code": "other", "description": "New", "descriptions": {"sv": "Nytt"}}])
    assert kept(shop, order_id)[1] == "Annat"


def test_events_have_the_code(shop: Shop) -> None:
    shop.configure(reasons=REASONS)
    order_id = shop.put(paid() | {"language": "sv"})
    before = shop.stored(order_id)
    cancel_order(shop.orders, shop.policies(), request(order_id), lambda: NOW)
    (event,) = transitions(before.state, shop.stored(order_id).state, iso(NOW))
    assert event.detail["reason"] == "other"
    assert "Annat" not in str(event.detail)
