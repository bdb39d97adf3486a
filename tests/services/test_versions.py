"""Two versions of the product on the same tables: during a deployment, after a rollback, and after an upgrade."""

from __future__ import annotations

from typing import Any

from cancel_core.adapters.eventbridge import Bus
from cancel_core.adapters.providers.registry import providers
from cancel_core.entrypoints.http.documents import cancellation_view, order_view
from cancel_core.services.announce import Change, publish_changes
from cancel_core.services.cancel import cancel_order
from cancel_core.services.refund import refund_order

from tests.support.orders import ENABLED, paid
from tests.support.tables import NOW, Shop, impatient, request

# What a version to come may add to what the product writes.
ADDED = {"note": "kept", "steps": [{"at": 1}], "labels": {"a", "b"}}


def canceled(shop: Shop) -> str:
    order_id = shop.put(paid())
    cancel_order(shop.orders, shop.policies(), request(order_id, key="key"), lambda: NOW)
    return order_id


def by_a_newer_version(shop: Shop) -> str:
    """A cancelled order, with more in each part of its cancellation than this version knows."""
    order_id = canceled(shop)
    cancellation = shop.document(order_id)["cancellation"]
    refund = cancellation["refund"] | ADDED
    refund["payments"] = [leg | ADDED for leg in refund["payments"]]
    parts = {name: cancellation[name] | ADDED for name in ("reason", "rows", "idempotency")}
    shop.set(order_id, cancellation=cancellation | ADDED | parts | {"refund": refund}, added_beside=ADDED)
    return order_id


def has_what_was_added(document: dict[str, Any]) -> bool:
    return document.items() >= ADDED.items()


def all_parts(order: dict[str, Any]) -> list[dict[str, Any]]:
    cancellation = order["cancellation"]
    inner = [cancellation[name] for name in ("reason", "rows", "idempotency", "refund")]
    return [order["added_beside"], cancellation, *inner, *cancellation["refund"]["payments"]]


def refund(shop: Shop, order_id: str) -> None:
    cancellation_id = shop.stored(order_id).cancellation_id
    refund_order(shop.refunds, providers(), order_id, cancellation_id, lambda: NOW)


def test_what_a_newer_version_has_added_survives_the_refund_of_this_one(shop: Shop) -> None:
    order_id = by_a_newer_version(shop)

    refund(shop, order_id)

    after = shop.document(order_id)
    assert after["cancellation"]["refund"]["status"] == "succeeded"
    assert all(has_what_was_added(part) for part in all_parts(after))


def test_what_a_newer_version_has_added_survives_being_put_back(shop: Shop) -> None:
    order_id = by_a_newer_version(shop)
    before = shop.stored(order_id)
    shop.write(paid(order_id=order_id, store_id=shop.store_id))

    publish_changes(
        shop.orders, shop.refunds, Bus(impatient("events", 1), "bus"), [Change("1", before, shop.stored(order_id))], NOW
    )

    after = shop.document(order_id) | {"added_beside": ADDED}
    assert all(has_what_was_added(part) for part in all_parts(after))


def test_what_a_newer_version_has_added_is_not_shown(shop: Shop) -> None:
    order = shop.order(by_a_newer_version(shop))
    assert order.cancellation

    shown = str([order_view(order, ENABLED, NOW), cancellation_view(order, order.cancellation)])

    assert "kept" not in shown
    assert "labels" not in shown


def test_a_repeat_finds_the_cancellation_of_a_newer_version(shop: Shop) -> None:
    order_id = by_a_newer_version(shop)

    assert cancel_order(shop.orders, shop.policies(), request(order_id, key="key"), lambda: NOW).replayed
