from __future__ import annotations

from cancel_core.domain.policy import DEFAULT_REASONS

from local.demo import CONFIG, demo_orders


def _rows(order: dict[str, object], *names: str) -> list[dict[str, int]]:
    found: list[dict[str, int]] = []
    for name in names:
        value = order.get(name, [])
        found += value if isinstance(value, list) else [value]  # type: ignore[list-item]  # shipping is one row
    return found


def test_the_demo_begins_with_the_reasons_of_a_new_installation() -> None:
    assert CONFIG[0]["reasons"] == list(DEFAULT_REASONS)


def test_the_amounts_add_up() -> None:
    for order in demo_orders():
        rows = _rows(order, "items", "shipping", "fees")
        assert order["total"] == sum(row["amount"] for row in rows), order["order_id"]
        invoiced = sum(row.get("amount_invoiced", 0) for row in rows)
        captured = sum(payment["amount_captured"] for payment in order["payments"])
        if order["order_id"] not in ("demo-short-payment", "demo-surplus"):
            assert invoiced == captured, order["order_id"]
        refunded = sum(row.get("amount_refunded", 0) for row in rows)
        assert refunded == sum(payment["amount_refunded"] for payment in order["payments"]), order["order_id"]


def test_every_order_has_its_own_id_and_time() -> None:
    orders = demo_orders()
    assert len({order["order_id"] for order in orders}) == len(orders)
    assert len({(order["customer_id"], order["placed_at"]) for order in orders}) == len(orders)


def test_every_store_of_an_order_can_be_read_from_the_config() -> None:
    scopes = {config["scope"] for config in CONFIG}
    assert "default" in scopes
    assert {f"store:{order['store_id']}" for order in demo_orders()} <= scopes
