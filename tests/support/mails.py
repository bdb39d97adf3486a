"""What the tests of mails share: where their texts are, and a mail's facts of every sort."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import boto3
from botocore.config import Config
from cancel_core.adapters.dynamodb.mails import Mails
from cancel_core.adapters.mail_templates import Templates
from cancel_core.adapters.ses import Sender
from cancel_core.domain.events import Event, transitions
from cancel_core.domain.money import Money
from cancel_core.domain.withdrawal_mails import LocalTime
from cancel_core.services.mails import Post, send_mails

from tests.support.machine import ROOT
from tests.support.orders import AT, canceled, paid, stored
from tests.support.proxy import FaultProxy
from tests.support.tables import NOW, Aws, Shop

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
        "reason_code": "better_price",
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
        "code": "012345",
        "code_link": "https://shop.example.com/guest.html#order_id=100000007&code=012345",
        "minutes": 15,
        "shop": "Corner Shop",
        "support_url": "https://shop.example.com/help",
        **request_facts(),
        **withdrawal_facts(),
    } | more


def request_facts() -> dict[str, Any]:
    """Everything that a mail about a request to the shop can tell, beside what it has in common with others."""
    return {
        "request_id": "req_3d0e2f6b8a714c5d9e0f1a2b3c4d5e6f",
        "requested_on": datetime(2026, 11, 21, 18, 5, tzinfo=UTC),
        "request_status": "declined",
        "request_comment": ["I ordered twice.", "", "The other one is enough."],
        "owed": Money(407000, "EUR"),
        "note": ["It is packed already.", "You can send it back to us."],
    }


def withdrawal_facts() -> dict[str, Any]:
    """Everything that a mail about a withdrawal can tell, beside what it has in common with others."""
    return {
        "withdrawal_id": "wdr_0a5bc6ff9a1f0e7d3b6f1f4f2c8e4d21",
        "receipt": "5f2b" * 16,
        "record": '{"received_at":"2026-11-22T22:30:05.017Z","statement":{"name":"Anna Andersson"}}',
        "reference": "100000007",
        "said": {
            "name": "Anna Andersson",
            "email": "anna@example.com",
            "order": "#100000007",
            "items": [{"name": "The mug", "qty": Decimal(2)}, {"name": "BEANS-1", "qty": None}],
            "message": ["The colour is another one.", "", "Regards, Anna"],
        },
        "received": LocalTime(datetime(2026, 11, 22, 22, 30, 5, tzinfo=UTC), "Europe/Stockholm"),
        "due": date(2026, 12, 6),
        "match": "email",
        "time": "late",
        "until": date(2026, 11, 20),
        "exempt": [{"name": "Engraved spoon", "letter": "c"}],
        "letter": "c",
        "business": True,
        "canceled": False,
        "offer": "code",
        "guest_url": "https://shop.example.com/guest.html#order_id=100000007",
    }


@dataclass
class PostOffice:
    """What `send_mails` works with, on an engine: the real tables, and moto's SES, which shows what it took.

    `to_database` and `to_ses`: proxies that both are reached by.
    """

    shop: Shop
    post: Post
    endpoint_url: str
    dynamodb: Any
    ses: Any
    to_database: FaultProxy
    to_ses: FaultProxy
    clock: datetime = NOW

    @staticmethod
    @contextmanager
    def opened(shop: Shop, aws: Aws) -> Iterator[PostOffice]:
        endpoint: str = aws.client("sesv2").meta.endpoint_url
        with ExitStack() as until_then:
            to_database, to_ses = (
                until_then.enter_context(FaultProxy(url)) for url in (shop.client.meta.endpoint_url, endpoint)
            )
            dynamodb, ses = (
                boto3.client(
                    service,  # type: ignore[call-overload]  # any service, by name: the overloads know constants alone
                    endpoint_url=proxy.url,
                    region_name=shop.client.meta.region_name,
                    aws_access_key_id="local",
                    aws_secret_access_key="local",
                    config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
                )
                for service, proxy in (("dynamodb", to_database), ("sesv2", to_ses))
            )
            until_then.callback(dynamodb.close)
            until_then.callback(ses.close)
            mails, sender = Mails(dynamodb, shop.tables["mails"]), Sender(ses, "configuration-set")
            post = Post(shop.orders, shop.policies(), mails, TEMPLATES, sender, timedelta(days=365))
            shop.configure(mail=MAIL)
            yield PostOffice(shop, post, endpoint, dynamodb, ses, to_database, to_ses)

    def canceled(self, **more: Any) -> Event:
        """An order of this shop that was cancelled just now, and the event of it."""
        source = paid(**{"customer_email": f"{uuid4()}@example.com", "customer_name": "Anna"} | more)
        order_id = f"o-{uuid4()}"
        source |= {"order_id": order_id, "store_id": self.shop.store_id}
        after = canceled(source)
        self.shop.client.put_item(TableName=self.shop.tables["orders"], Item=after.raw)
        (event,) = transitions(stored(source).state, after.state, AT)
        return event

    def send(self, event: Event, *, seconds: float = 30) -> int:
        """As the function does, which has so many seconds left."""
        deadline = self.clock + timedelta(seconds=seconds)
        return send_mails(self.post, event.detail_type, event.detail, deadline, lambda: self.clock)

    def sent(self, event: Event) -> list[dict[str, Any]]:
        """What SES took about an order, newest first."""
        with urllib.request.urlopen(f"{self.endpoint_url}/local/mails") as answer:
            mails: list[dict[str, Any]] = json.load(answer)["mails"]
        return [mail for mail in mails if event.detail["order_id"] in mail["subject"]]

    def rows(self, event: Event) -> dict[str, dict[str, Any]]:
        """The mails table's rows about an order, by kind."""
        rows = [self.post.mails.get(mail_id) for mail_id in self.post.mails.about(event.detail["order_id"])]
        return {row["kind"]: row for row in rows if row}
