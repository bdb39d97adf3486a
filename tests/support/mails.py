"""What the tests of mails share: where their texts are, and a mail's facts of every sort."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cancel_core.adapters.mail_templates import Templates
from cancel_core.domain.mail_facts import Money

from tests.support.machine import ROOT

FOLDER = ROOT / "functions" / "send_mail" / "templates"
TEMPLATES = Templates(FOLDER)
MAIL = {
    "from": "shop@example.com",
    "reply_to": "help@example.com",
    "shop_name": "Corner Shop",
    "customer": True,
    "merchant": ["orders@example.com"],
}
"""The config's `mail` of a store that writes to customers and to itself."""


def facts(**more: Any) -> dict[str, Any]:
    """Everything that a mail about an order can tell."""
    euros = [Money(amount, "EUR") for amount in (408000, 5900, 2000, 150)]
    return {
        "order_id": "100000007",
        "store_id": "default",
        "name": "Anna Andersson",
        "canceled_on": datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
        "reason": "I found a better price",
        "comment": "Please cancel it, I ordered twice.",
        "items": [
            {"name": "Blue mug", "qty": Decimal(2)},
            {"name": "Coffee beans, by weight, roasted on Tuesdays", "qty": Decimal("1.5")},
        ],
        "paid_back": euros[0],
        "released": euros[1],
        "by_hand": euros[2],
        "surplus": euros[3],
        "refund_id": "ref_78ef9ddedbbefaf5a632d31c2f3206cb",
        "failure": "PROVIDER_DECLINED",
        "charges": [
            {"name": "Blue mug", "qty": Decimal(2), "amount": Money(240000, "EUR")},
            {"label": "shipping", "name": None, "qty": None, "amount": Money(138000, "EUR")},
            {"label": "fees", "name": "Gift wrap", "qty": None, "amount": Money(30000, "EUR")},
        ],
        "shop": "Corner Shop",
        "support_url": "https://shop.example.com/help",
    } | more
