"""docs/config.md, step by step through the table as an admin does it: what it says one sees is there to be seen."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from boto3.dynamodb.conditions import Key
from boto3.dynamodb.types import TypeDeserializer
from cancel_core.domain.policy import DEFAULT_REASONS
from cancel_core.domain.times import iso

from tests.support import documents
from tests.support.aws import Aws
from tests.support.schemas import DOCS
from tests.support.shop import Shop
from tests.support.stack import Running
from tests.support.waiting import wait_until

# A step stands under <!-- tested: … -->, what is to be seen after it under <!-- then … -->.
_BLOCK = re.compile(
    r"<!-- (?:tested: (?P<step>[^\n]*)|then (?P<seen>[^\n]*)) -->\n```(?:json)?\n(?P<text>.*?)```", re.DOTALL
)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
GUIDE = (DOCS / "config.md").read_text(encoding="utf-8")


def minor(text: str) -> int:
    return int(text.strip().replace(".", ""))


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    return {name: TypeDeserializer().deserialize(value) for name, value in item.items()}


class Admin:
    """The console: an item is read whole, changed in the JSON view, and put whole."""

    def __init__(self, aws: Aws, endpoint: str) -> None:
        self.aws, self.endpoint = aws, endpoint
        self.request_id = ""

    def edit(self, scope: str, change: Callable[[dict[str, Any]], None]) -> None:
        item = self.aws.config_item(scope)
        assert item is not None
        change(item)
        self.aws.config.put_item(Item=item)

    def do(self, step: str, text: str) -> None:
        """Does one step."""
        if step in {"put", "put where it is missing"}:
            item = _plain(json.loads(text))
            if step != "put":
                self.aws.config.delete_item(Key={"scope": item["scope"]})
            self.aws.config.put_item(Item=item)
            return
        match = re.fullmatch(r"(.*) (?:in|of) (\S+)", step)
        assert match, f"the guide has a step that is not known: {step}"
        verb, scope = match.groups()
        if verb == "set":
            self.edit(scope, lambda item: item.update(_plain(json.loads(f"{{{text}}}"))))
            return
        reason = _plain({"reason": json.loads(text)})["reason"]

        def change(item: dict[str, Any]) -> None:
            others = [other for other in item["reasons"] if other["code"] != reason["code"]]
            known = len(others) < len(item["reasons"])
            match verb:
                case "add to the reasons":
                    assert not known
                    item["reasons"] = [*others, reason]
                case "to the top of the reasons":
                    item["reasons"] = [reason, *others]
                case "out of the reasons":
                    assert known
                    item["reasons"] = others
                case "in place of that reason":
                    same = reason["code"]
                    item["reasons"] = [reason if other["code"] == same else other for other in item["reasons"]]
                case _:
                    raise AssertionError(f"the guide has a step that is not known: {verb}")

        self.edit(scope, change)

    def sees(self, what: str, text: str) -> bool:
        """Whether it is there to be seen by now."""
        if match := re.fullmatch(r"customers of (\S+)(?: store)?(?: who read (\S+))? see", what):
            asked = {"store_id": "default" if match[1] == "any" else match[1], "language": match[2] or ""}
            answer = httpx.get(f"{self.endpoint}/cancellation-reasons", params=asked, timeout=30, trust_env=False)
            return bool(answer.json() == json.loads(text))
        if match := re.fullmatch(r"the history of (\S+) says", what):
            rows = self.aws.history.query(KeyConditionExpression=Key("scope").eq(match[1]), ScanIndexForward=False)
            # As the guide says: on top what is the product's own, then the newest.
            assert rows["Items"][0]["version"] == "last_good"
            return bool(rows["Items"][1]["change"] == text.strip())
        if match := re.fullmatch(r"orders of (\S+) can be cancelled in", what):
            shop = Shop(self.aws, self.endpoint)
            shop.store_id = match[1]
            statuses = ("pending", "processing", "payment_review", "fraud", "complete")
            can = [status for status in statuses if shop.actions(shop.put(status=status))]
            shop.close()
            return can == text.strip().split(", ")
        if match := re.fullmatch(r"orders of (\S+) offer", what):
            shop = Shop(self.aws, self.endpoint)
            shop.store_id = match[1]
            offered = shop.actions(shop.put())
            shop.close()
            return offered == text.strip().split(", ")
        if match := re.fullmatch(r"an order of (\S+) with (\S+) invoiced and (\S+) paid gives back", what):
            return self.gives_back(match[1], minor(match[2]), minor(match[3])) == minor(text)
        if match := re.fullmatch(r"orders of (\S+) can be cancelled when they were placed so many minutes ago", what):
            return self.ages(match[1]) == text.strip()
        if match := re.fullmatch(r"an order of (\S+) that has all of it can't be cancelled because of", what):
            return self.because(match[1]) == text.strip()
        if match := re.fullmatch(r"a cancel in (\S+) for (\S+) needs", what):
            assert text.strip() == "a comment"
            return self.needs_a_comment(match[1], match[2])
        if match := re.fullmatch(r"of three orders of (\S+) one customer can cancel", what):
            return self.cancels(match[1]) == int(text)
        if "request" in what or "index" in what or "becomes" in what:
            return self.sees_of_requests(what, text)
        match = re.fullmatch(r"(\S+) says", what)
        assert match, f"the guide names something that is not known: {what}"
        item = self.aws.config_item(match[1]) or {}
        return bool(_TIME.sub("T", str(item.get("validation"))) == _TIME.sub("T", text.strip()))

    def ages(self, store_id: str) -> str:
        """Of orders that were placed 0, 59, 61 and 600 minutes ago: those that can be cancelled."""
        shop = Shop(self.aws, self.endpoint)
        shop.store_id = store_id
        now = datetime.now(UTC)
        can = [
            str(age)
            for age in (0, 59, 61, 600)
            if "CANCEL" in shop.actions(shop.put(placed_at=iso(now - timedelta(minutes=age))))
        ]
        shop.close()
        return ", ".join(can)

    def because(self, store_id: str) -> str:
        """Why an order with everything that the guide excludes can't be cancelled."""
        shop = Shop(self.aws, self.endpoint)
        shop.store_id = store_id
        items = [
            documents.invoiced("1", sku="ENGRAVED-MUG", amount=500001),
            documents.row("2", amount=0, type="download"),
        ]
        payments = [documents.captured(500001, provider="invoice")]
        now = iso(datetime.now(UTC))
        order_id = shop.put(items=items, payments=payments, customer_group="wholesale", total=500001, placed_at=now)
        blockers = shop.eligibility(order_id)["blockers"]
        shop.close()
        return ", ".join(blocker["because"] for blocker in blockers) or "nothing"

    def cancels(self, store_id: str) -> int:
        """Of three orders of one customer: how many can be cancelled today."""
        shop = Shop(self.aws, self.endpoint)
        shop.store_id = store_id
        orders = [shop.put(placed_at=iso(datetime.now(UTC))) for _ in range(3)]
        # With a comment, for the step before asks for one.
        answers = [shop.cancel(order_id, comment="Two of them").status_code for order_id in orders]
        shop.close()
        return answers.count(200)

    def needs_a_comment(self, store_id: str, reason: str) -> bool:
        """Whether it is refused without one, and taken with one."""
        shop = Shop(self.aws, self.endpoint)
        shop.store_id = store_id
        order_id = shop.put(placed_at=iso(datetime.now(UTC)))
        without = shop.cancel(order_id, reason).status_code
        taken = without == 422 and shop.cancel(order_id, reason, comment="Two of them").status_code == 200
        shop.close()
        return taken

    def sees_of_requests(self, what: str, text: str) -> bool:
        if what == "that request says":
            outcome = self.request().get("outcome", "")
            return _TIME.sub("T", str(outcome)) == _TIME.sub("T", text.strip())
        if what == "the index open has, but for ids and times":
            return self.has_request(json.loads(text))
        if match := re.fullmatch(r"a cancel in (\S+) becomes, so many minutes after the order was placed", what):
            told = [line.split(": ") for line in text.strip().splitlines()]
            return [self.becomes(match[1], int(age)) for age, _ in told] == [became for _, became in told]
        match = re.fullmatch(r"a cancel in (\S+) becomes", what)
        assert match, f"the guide names something that is not known: {what}"
        return self.becomes(match[1], 0) == text.strip()

    def becomes(self, store_id: str, age: int) -> str:
        """What a cancel becomes, so many minutes after its order was placed. A request is then the one to decide."""
        shop = Shop(self.aws, self.endpoint)
        shop.store_id = store_id
        order_id = shop.put(**documents.paid(placed_at=iso(datetime.now(UTC) - timedelta(minutes=age))))
        answer = shop.cancel(order_id, "other", comment="Two of them")
        shop.close()
        if answer.status_code == 202:
            self.request_id = answer.json()["cancellation_request"]["request_id"]
        return {200: "done at once", 202: "a request", 409: "refused"}[answer.status_code]

    def request(self) -> dict[str, Any]:
        """The item, once it is there."""
        key = {"request_id": self.request_id}
        found: dict[str, Any] = wait_until(
            lambda: dict(self.aws.requests.get_item(Key=key, ConsistentRead=True).get("Item") or {}),
            what="the request is there",
        )
        return found

    def has_request(self, shown: dict[str, Any]) -> bool:
        """Whether the request stands in the index as it is shown."""
        rows = self.aws.requests.query(IndexName="open", KeyConditionExpression=Key("open").eq("open"))["Items"]
        (row,) = [row for row in rows if row["request_id"] == self.request_id] or [{}]
        varies = ("request_id", "order_id", "placed_at", "customer_id", "requested_at", "made_by")
        return row | dict.fromkeys(varies) == _plain(shown) | dict.fromkeys(varies) and row.keys() == shown.keys()

    def decide(self, text: str) -> None:
        """In the JSON view of the request."""
        self.aws.requests.put_item(Item=self.request() | _plain(json.loads(f"{{{text}}}")))

    def gives_back(self, store_id: str, invoiced: int, paid: int) -> int:
        """What a customer is told beforehand; a cancel gives back as much."""
        shop = Shop(self.aws, self.endpoint)
        shop.store_id = store_id
        items = [documents.invoiced(amount=invoiced)]
        order_id = shop.put(status="processing", items=items, payments=[documents.captured(paid)])
        told = shop.eligibility(order_id)["refund"]["amount"]
        shop.close()
        return int(told)

    def changes_of(self, scope: str) -> int:
        return len(self.aws.history.query(KeyConditionExpression=Key("scope").eq(scope), ConsistentRead=True)["Items"])


@pytest.fixture
def admin(stack: Running, aws: Aws) -> Iterator[Admin]:
    """At a table as a new installation has it; afterwards it is as it was."""
    before = aws.rows("config")
    for item in before:
        aws.config.delete_item(Key={"scope": item["scope"]})
    aws.config.put_item(Item={"scope": "default", "enabled": False, "reasons": list(DEFAULT_REASONS)})
    yield Admin(aws, stack.endpoint)
    for item in aws.rows("config"):
        aws.config.delete_item(Key={"scope": item["scope"]})
    for item in before:
        aws.config.put_item(Item=item)


def test_each_step_does_what_the_guide_says(admin: Admin) -> None:
    blocks = [match.groupdict() for match in _BLOCK.finditer(GUIDE)]
    assert len(blocks) == GUIDE.count("<!-- ") > 20
    assert blocks[0]["step"]
    for block in blocks:
        if block["step"] == "set on that request":
            admin.decide(block["text"])
        elif block["step"]:
            scope = re.search(r"default|store:\w+", block["step"] + block["text"])
            assert scope
            known = partial(admin.changes_of, scope[0])
            before = known()
            admin.do(block["step"], block["text"])
            # It is over when it has been looked at, which the admin sees by the time in `validation`.
            wait_until(partial(_more_than, before, known), what=f"{block} is in the history")
        else:
            wait_until(partial(admin.sees, block["seen"], block["text"]), what=str(block))


def _more_than(number: int, known: Callable[[], int]) -> bool:
    return known() > number


def test_the_json_to_begin_with_has_the_reasons_that_a_new_installation_has() -> None:
    (block,) = (b for b in re.findall(r"```json\n(\{.*?)```", GUIDE, re.DOTALL) if '"scope": {"S": "default"}' in b)
    assert _plain(json.loads(block)) == {"scope": "default", "enabled": True, "reasons": list(DEFAULT_REASONS)}
