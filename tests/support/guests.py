"""A guest's way through the queues, on an engine: the real tables, queues and SES of this machine."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from cancel_core.adapters.dynamodb.access import Access
from cancel_core.adapters.dynamodb.attributes import plain
from cancel_core.adapters.sqs import Outbox
from cancel_core.domain.access import Token
from cancel_core.domain.caller import Guest
from cancel_core.services.guest_access import CodeDesk, redeem_code, request_code, send_code
from cancel_core.services.guest_mails import send_code_mail

from local.stack import PARAMETERS
from tests.support.mails import MAIL, PostOffice
from tests.support.orders import paid
from tests.support.tables import Aws, Shop

IDENTITY = PARAMETERS["MailIdentityArn"]
PAGE = "https://shop.example.com/guest.html"
ADDRESS = "guest@example.com"
PLACED = "2026-11-20T10:00:00Z"


@dataclass
class Guests:
    """`asked` and `to_mail`: the URLs of the two queues. The clock is the post office's."""

    shop: Shop
    office: PostOffice
    desk: CodeDesk
    sqs: Any
    asked: str
    to_mail: str
    page: str = PAGE
    taken: list[dict[str, Any]] = field(default_factory=list)

    @staticmethod
    @contextmanager
    def opened(shop: Shop, aws: Aws) -> Iterator[Guests]:
        sqs = aws.client("sqs")
        asked, to_mail = (sqs.create_queue(QueueName=f"{name}-{uuid4()}")["QueueUrl"] for name in ("asked", "mail"))
        with PostOffice.opened(shop, aws) as office:
            access = Access(shop.client, shop.tables["access"])
            desk = CodeDesk(shop.orders, shop.policies(), access, Outbox(sqs, to_mail), IDENTITY)
            shop.configure(mail=MAIL, guest_access=True)
            yield Guests(shop, office, desk, sqs, asked, to_mail)

    @property
    def access(self) -> Access:
        return self.desk.access

    def place(self, **attributes: Any) -> str:
        """An order of a guest."""
        source = paid(customer_email=ADDRESS, placed_at=PLACED, customer_name="Anna")
        del source["customer_id"]
        return self.shop.put(source | attributes)

    def later(self, **time: float) -> None:
        self.office.clock += timedelta(**time)

    def ask(self, order_id: str, email: str = ADDRESS) -> None:
        """As the route does."""
        request_code(Outbox(self.sqs, self.asked), order_id, email, str(uuid4()), self.office.clock)

    def requests(self) -> list[dict[str, Any]]:
        """What lies in the first queue, taken out of it."""
        return self._take(self.asked)

    def send(self, message: dict[str, Any]) -> bool:
        """As the function behind the first queue does."""
        return send_code(self.desk, message, lambda: self.office.clock)

    def mails(self) -> list[dict[str, Any]]:
        """What lies in the second queue, taken out of it."""
        return self._take(self.to_mail)

    def mail(self, message: dict[str, Any], *, seconds: float = 30) -> int:
        """As the mail function does."""
        deadline = self.office.clock + timedelta(seconds=seconds)
        return send_code_mail(self.office.post, self.access, self.page, message, deadline, lambda: self.office.clock)

    def get_code(self, order_id: str, email: str = ADDRESS) -> str | None:
        """Asks for a code, has all be done, and reads the mail. None where none came."""
        before = len(self.sent(order_id))
        self.ask(order_id, email)
        for message in self.requests():
            self.send(message)
        for message in self.mails():
            self.mail(message)
        sent = self.sent(order_id)
        return code_in(sent[0]) if len(sent) > before else None

    def redeem(self, order_id: str, code: str) -> Token:
        return redeem_code(self.shop.orders, self.access, order_id, code, self.office.clock)

    def guest(self, token: Token) -> Guest:
        found = self.access.guest(token.token, self.office.clock)
        assert found
        return found

    def sent(self, order_id: str) -> list[dict[str, Any]]:
        """The mails with codes of an order that SES took, newest first."""
        with urllib.request.urlopen(f"{self.office.endpoint_url}/local/mails") as answer:
            mails: list[dict[str, Any]] = json.load(answer)["mails"]
        return [mail for mail in mails if order_id in mail["subject"] and mail["kind"] == "guest_code"]

    def rows(self, order_id: str) -> list[dict[str, Any]]:
        """The mails table's rows about an order."""
        mails = self.office.post.mails
        return [row for mail_id in mails.about(order_id) if (row := mails.get(mail_id))]

    def kept(self, order_id: str) -> list[dict[str, Any]]:
        """The access table's rows of an order."""
        pages = self.shop.client.get_paginator("scan").paginate(TableName=self.access.table, ConsistentRead=True)
        rows = [plain(item) for page in pages for item in page["Items"]]
        return [row for row in rows if row["order_id"] == order_id]

    def with_queue(self, send: Callable[[dict[str, Any]], None]) -> Guests:
        """The same, where what is sent to the mail function goes another way."""
        return replace(self, desk=self.desk._replace(queue=_Other(send)))

    def _take(self, url: str) -> list[dict[str, Any]]:
        found = []
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found


class _Other(Outbox):
    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self.send = send  # type: ignore[assignment,method-assign]  # the same, but for Mapping


def code_in(mail: dict[str, Any]) -> str:
    found = re.search(r"^\s+([0-9]{6})$", mail["text"], re.MULTILINE)
    assert found
    return found[1]


def wrong(code: str) -> str:
    """Another code."""
    return f"{(int(code) + 1) % 10**6:06}"
