"""Demo customers, orders and config: one for every case. In the documented form of the tables.

Amounts are minor units (cents, öre) and add up: ``total`` is items + shipping + fees, and what was invoiced is what the
payments hold, except in the two orders whose very point is that it is not.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from local.demo_request import STORE_ID, requested

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

ANNA, BJORN, CELINE = "demo-anna", "demo-bjorn", "demo-celine"
GUEST = "guest@example.com"
"""Customers without an account."""

CONFIG: list[dict[str, Any]] = [
    {
        "scope": "default",
        "enabled": True,
        "reasons": [
            {"code": "no_longer_needed", "description": "I no longer need it"},
            {"code": "ordered_by_mistake", "description": "I ordered it by mistake"},
            {"code": "not_in_time", "description": "It will not arrive in time"},
            {"code": "better_price", "description": "I found a better price"},
            {"code": "other", "description": "Other"},
        ],
        "mail": {
            "from": "shop@example.com",
            "reply_to": "help@example.com",
            "shop_name": "Demo Shop",
            "support_url": "https://shop.example.com/help",
            "customer": True,
            "merchant": ["orders@example.com"],
        },
    },
    # Only these stores; a store that inherits settings has not enabled it.
    {
        "scope": "store:default",
        "withdrawal": {"enabled": True, "days": 14, "time_zone": "Europe/Stockholm", "country": "SE"},
    },
    {
        "scope": "store:se",
        "reasons": [
            {
                "code": "no_longer_needed",
                "description": "Jag behöver den inte längre",
                "descriptions": {"en": "I no longer need it", "de": "Ich brauche es nicht mehr"},
            },
            {
                "code": "ordered_by_mistake",
                "description": "Jag beställde av misstag",
                "descriptions": {"en": "I ordered it by mistake", "de": "Ich habe es versehentlich bestellt"},
            },
            {"code": "other", "description": "Annat", "descriptions": {"en": "Other", "de": "Anderer Grund"}},
        ],
        "mail": {"from": "butik@example.com", "shop_name": "Demobutiken", "language": "sv", "customer": True},
        "withdrawal": {"enabled": True, "days": 30, "time_zone": "Europe/Stockholm", "country": "SE"},
        "guest_access": True,
    },
    {"scope": "store:outlet", "enabled": False},
    # The shop decides each cancel.
    {"scope": f"store:{STORE_ID}", "approval": "always"},
    # Customers need not sign in here. All other settings are the default's.
    {
        "scope": "store:guests",
        "guest_access": True,
        "withdrawal": {"enabled": True, "time_zone": "Europe/Stockholm", "country": "SE"},
    },
]


def _item(number: int, sku: str, name: str, qty: Any, amount: int, **rest: Any) -> dict[str, Any]:
    return {"item_id": str(number), "sku": sku, "name": name, "qty_ordered": qty, "amount": amount, **rest}


def _invoiced(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "qty_invoiced": item["qty_ordered"], "amount_invoiced": item["amount"]}


def _charge(amount: int, *, invoiced: bool, **rest: Any) -> dict[str, Any]:
    return {"amount": amount, "amount_invoiced": amount if invoiced else 0, "amount_refunded": 0, **rest}


def _payment(number: int, captured: int = 0, authorized: int = 0, **rest: Any) -> dict[str, Any]:
    amounts = {
        "amount_authorized": authorized or captured,
        "amount_captured": captured,
        "amount_refunded": 0,
        "amount_voided": 0,
    }
    return {
        "payment_id": f"pay-{number}",
        "provider": "offline",
        "reference": f"INV-{1000 + number}",
        **amounts,
        **rest,
    }


def _order(
    order_id: str, customer: str, day: int, status: str, items: list[dict[str, Any]], **rest: Any
) -> dict[str, Any]:
    placed = f"2026-11-{day:02d}T09:30:00Z"
    rows = [*items, *([rest["shipping"]] if "shipping" in rest else []), *rest.get("fees", [])]
    return {
        "order_id": order_id,
        "store_id": "default",
        "customer_id": customer,
        "customer_email": f"{customer.removeprefix('demo-')}@example.com",
        "customer_name": customer.removeprefix("demo-").capitalize(),
        "status": status,
        "currency": "EUR",
        "placed_at": placed,
        "total": sum(row["amount"] for row in rows),
        "items": items,
        "history": [{"at": placed, "status": "pending", "comment": "Order placed", "visible_to_customer": True}],
        **rest,
    }


def _guest_order(order_id: str, day: int, status: str, items: list[dict[str, Any]], **rest: Any) -> dict[str, Any]:
    """An order without a customer."""
    made = _order(order_id, "", day, status, items, customer_email=GUEST, customer_name="Gwen", **rest)
    del made["customer_id"]
    return made


def demo_orders() -> list[dict[str, Any]]:
    """The demo orders as the order system writes them; numbers are int or Decimal."""
    mug, tea = _item(1, "MUG-01", "Blue mug", 2, 2400), _item(2, "TEA-07", "Green tea, 100 g", 1, 890)
    coffee = _item(1, "COF-15", "Coffee beans, by weight", Decimal("1.5"), 2985)
    lamp = _item(1, "LMP-33", "Desk lamp", 1, 5900)
    wrap = {"fee_id": "gift-wrap", "name": "Gift wrap"}
    delivered = (datetime.now(UTC) - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return [
        # Nothing paid: canceled at once, without a refund.
        _order("demo-unpaid", ANNA, 21, "pending", [mug, tea], shipping=_charge(490, invoiced=False), payments=[]),
        # Paid: the main case, with shipping and a fee.
        _order(
            "demo-paid",
            ANNA,
            20,
            "processing",
            [_invoiced(mug), _invoiced(tea)],
            shipping=_charge(490, invoiced=True),
            fees=[_charge(300, invoiced=True, **wrap)],
            payments=[_payment(1, 4080)],
            gift_message="Happy birthday!",  # the shop's own attribute: it survives
        ),
        # One of two rows is invoiced; the other is only canceled.
        _order(
            "demo-partly-invoiced",
            ANNA,
            19,
            "processing",
            [_invoiced(mug), tea],
            shipping=_charge(490, invoiced=True),
            payments=[_payment(2, 2890)],
        ),
        # One mug was refunded before; it is not refunded again.
        _order(
            "demo-partly-refunded",
            ANNA,
            18,
            "processing",
            [_invoiced(mug) | {"qty_refunded": 1, "amount_refunded": 1200}, _invoiced(tea)],
            payments=[_payment(3, 3290, amount_refunded=1200)],
        ),
        # One of two mugs has shipped.
        _order(
            "demo-partly-shipped",
            ANNA,
            17,
            "processing",
            [_invoiced(mug) | {"qty_shipped": 1}, _invoiced(tea)],
            payments=[_payment(4, 3290)],
        ),
        _order("demo-on-hold", ANNA, 16, "holded", [_invoiced(lamp)], payments=[_payment(5, 5900)]),
        _order(
            "demo-complete", ANNA, 10, "complete", [_invoiced(lamp) | {"qty_shipped": 1}], payments=[_payment(6, 5900)]
        ),
        # Delivered two days ago: the withdrawal period is still open.
        _order(
            "demo-delivered",
            ANNA,
            11,
            "complete",
            [_invoiced(lamp) | {"qty_shipped": 1, "delivered_at": delivered}],
            payments=[_payment(16, 5900)],
        ),
        _order(
            "demo-closed",
            ANNA,
            9,
            "closed",
            [_invoiced(lamp) | {"qty_refunded": 1, "amount_refunded": 5900}],
            payments=[_payment(7, 5900, amount_refunded=5900)],
        ),
        # There is an open request to the shop to cancel it.
        requested(_order("demo-requested", ANNA, 12, "processing", [_invoiced(lamp)], payments=[_payment(22, 5900)])),
        _order("demo-canceled", ANNA, 8, "canceled", [lamp | {"qty_canceled": 1}], payments=[]),
        # Only authorized: the amount is released, nothing is refunded.
        _order("demo-authorized", BJORN, 20, "pending", [lamp], payments=[_payment(8, authorized=5900)]),
        # Paid with a gift card and another payment: refunded to both, in this order.
        _order(
            "demo-two-payments",
            BJORN,
            19,
            "processing",
            [_invoiced(lamp)],
            shipping=_charge(490, invoiced=True),
            payments=[_payment(9, 2000), _payment(10, 4390)],
        ),
        _order(
            "demo-by-weight",
            BJORN,
            18,
            "processing",
            [_invoiced(coffee)],
            shipping=_charge(490, invoiced=True),
            payments=[_payment(11, 3475)],
        ),
        # The payments hold less than is invoiced: canceled, and the refund fails, for a person to resolve.
        _order("demo-short-payment", BJORN, 17, "processing", [_invoiced(lamp)], payments=[_payment(12, 4000)]),
        # They hold more: the invoiced amount is refunded, and the surplus is reported.
        _order("demo-surplus", BJORN, 16, "processing", [_invoiced(lamp)], payments=[_payment(13, 7900)]),
        # Another store: its own reasons and currency. And one where cancelling is disabled.
        _order(
            "demo-se",
            CELINE,
            20,
            "processing",
            [_invoiced(_item(1, "MUG-01", "Blå mugg", 2, 27800))],
            store_id="se",
            currency="SEK",
            shipping=_charge(5900, invoiced=True),
            payments=[_payment(14, 33700)],
        ),
        _order(
            "demo-outlet", CELINE, 19, "processing", [_invoiced(lamp)], store_id="outlet", payments=[_payment(15, 5900)]
        ),
        # Guests' orders: found by number and address, seen and cancelled with the code that is mailed.
        _guest_order(
            "demo-guest-paid",
            20,
            "processing",
            [_invoiced(mug), _invoiced(tea)],
            store_id="guests",
            shipping=_charge(490, invoiced=True),
            payments=[_payment(19, 3780)],
        ),
        _guest_order(
            "demo-guest-shipped",
            15,
            "complete",
            [_invoiced(lamp) | {"qty_shipped": 1}],
            store_id="guests",
            payments=[_payment(20, 5900)],
        ),
        # In Swedish, the language of the order's store.
        _guest_order(
            "demo-guest-se",
            19,
            "processing",
            [_invoiced(_item(1, "MUG-01", "Blå mugg", 1, 13900))],
            store_id="se",
            currency="SEK",
            payments=[_payment(21, 13900)],
        ),
    ]


def stripe_orders(url: str) -> list[dict[str, Any]]:
    """Orders that were paid at the Stripe of ``url``: in full, invoiced in part, and only authorized."""
    import stripe

    from local.aws.services import STRIPE_KEY

    client = stripe.StripeClient(STRIPE_KEY, base_addresses={"api": url})

    def paid(amount: int, capture: Literal["automatic", "manual"] = "automatic") -> str:
        method = client.v1.payment_methods.create(
            {"type": "card", "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2040, "cvc": "123"}}
        )
        intent = client.v1.payment_intents.create(
            {
                "amount": amount,
                "currency": "eur",
                "payment_method": method.id,
                "capture_method": capture,
                "confirm": True,
            }
        )
        return intent.id

    mug, lamp = _item(1, "MUG-01", "Blue mug", 2, 2400), _item(2, "LMP-33", "Desk lamp", 1, 5900)
    return [
        _order(
            "demo-stripe-paid",
            BJORN,
            15,
            "processing",
            [_invoiced(mug), _invoiced(lamp)],
            shipping=_charge(490, invoiced=True),
            payments=[_payment(16, 8790, reference=paid(8790), provider="stripe")],
        ),
        # Paid in advance in full, but only the mugs are invoiced so far: these are refunded.
        _order(
            "demo-stripe-partial",
            BJORN,
            14,
            "processing",
            [_invoiced(mug), lamp],
            payments=[_payment(17, 8300, reference=paid(8300), provider="stripe")],
        ),
        _order(
            "demo-stripe-authorized",
            BJORN,
            13,
            "pending",
            [lamp],
            payments=[_payment(18, authorized=5900, reference=paid(5900, "manual"), provider="stripe")],
        ),
    ]


def seed(
    dynamodb: DynamoDBClient, orders_table: str, config_table: str, more_orders: list[dict[str, Any]] | None = None
) -> None:
    """Writes the demo config and orders to the tables."""
    from boto3.dynamodb.types import TypeSerializer

    serialize = TypeSerializer().serialize
    for table, documents in ((config_table, CONFIG), (orders_table, demo_orders() + (more_orders or []))):
        for document in documents:
            dynamodb.put_item(TableName=table, Item={name: serialize(value) for name, value in document.items()})
