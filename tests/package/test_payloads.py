"""Each payload of events/ on the built artifacts, and what came of it in the tables and on the bus."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from local.demo import CONFIG, seed
from tests.conftest import Aws
from tests.package.conftest import Lambda, payload
from tests.support.documents import offered
from tests.support.machine import ROOT
from tests.support.openapi import content_of

ORDER = "demo-paid"


@dataclass(frozen=True)
class Shop:
    """The order of the payloads, and what becomes of it. Items are in DynamoDB's own JSON."""

    aws: Aws
    dynamodb: Any
    sqs: Any

    def order(self) -> Any:
        return self.item("orders", {"order_id": {"S": ORDER}})

    def cancellation(self) -> Any:
        return self.order()["cancellation"]["M"]

    def refund(self) -> Any:
        return self.item("refunds", {"refund_id": self.cancellation()["refund"]["M"]["refund_id"]})

    def item(self, table: str, key: Any) -> Any:
        return self.dynamodb.get_item(TableName=self.aws.tables[table], Key=key, ConsistentRead=True).get("Item")

    def put(self, order: Any) -> None:
        self.dynamodb.put_item(TableName=self.aws.tables["orders"], Item=order)

    def in_the_refund_queue(self) -> list[Any]:
        """The events that the bus's rule has brought there since the last look."""
        return self.received("RefundQueue")

    def received(self, queue: str) -> list[Any]:
        """What lies in a queue, taken out of it."""
        url, events = self.aws.queues[queue], []
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                events.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return events


@pytest.fixture
def shop(aws: Aws) -> Shop:
    opened = Shop(aws, aws.client("dynamodb"), aws.client("sqs"))
    seed(opened.dynamodb, aws.tables["orders"], aws.tables["config"])
    for item in opened.dynamodb.scan(TableName=aws.tables["refunds"])["Items"]:
        opened.dynamodb.delete_item(TableName=aws.tables["refunds"], Key={"refund_id": item["refund_id"]})
    opened.in_the_refund_queue()
    return opened


def record(name: str) -> Any:
    return payload(name)["Records"][0]["dynamodb"]


def body(answer: Any) -> Any:
    assert answer["statusCode"] == 200, answer
    return json.loads(content_of(answer))


def refund_event() -> Any:
    return json.loads(payload("refund_order")["Records"][0]["body"])


def test_every_function_has_its_payload() -> None:
    payloads = {path.stem for path in (ROOT / "events").glob("*.json")} - {"env"}
    assert payloads == {path.parent.name for path in ROOT.glob("functions/*/app.py")}


@pytest.mark.usefixtures("shop")
def test_list_reasons(functions: Lambda) -> None:
    answer = functions.invoke("ListReasonsFunction", payload("list_reasons"))
    assert body(answer) == {"enabled": True, "reasons": offered(CONFIG[0]["reasons"])}


@pytest.mark.usefixtures("shop")
def test_list_orders(functions: Lambda) -> None:
    orders = body(functions.invoke("ListOrdersFunction", payload("list_orders")))["orders"]
    assert {order["order_id"]: order["available_actions"] for order in orders}[ORDER] == ["CANCEL", "WITHDRAW"]
    assert len(orders) > 1


@pytest.mark.usefixtures("shop")
def test_get_order(functions: Lambda) -> None:
    order = body(functions.invoke("GetOrderFunction", payload("get_order")))
    assert (order["order_id"], order["cancellation"]) == (ORDER, None)
    assert order["items"]


@pytest.mark.usefixtures("shop")
def test_check_eligibility(functions: Lambda) -> None:
    eligibility = body(functions.invoke("CheckEligibilityFunction", payload("check_eligibility")))
    assert (eligibility["eligible"], eligibility["blockers"]) == (True, [])
    assert eligibility["refund"]["amount"] == refund_event()["detail"]["refund"]["amount"]


def test_cancel_order(functions: Lambda, shop: Shop) -> None:
    answer = body(functions.invoke("CancelOrderFunction", payload("cancel_order")))
    assert answer["order"]["status"] == "canceled"
    assert answer["cancellation"]["refund"]["status"] == "pending"
    assert shop.order()["status"] == {"S": "canceled"}


@pytest.mark.usefixtures("shop")
def test_cancel_order_again_with_its_key(functions: Lambda) -> None:
    first = functions.invoke("CancelOrderFunction", payload("cancel_order"))
    again = functions.invoke("CancelOrderFunction", payload("cancel_order"))
    assert again["headers"]["idempotency-replayed"] == "true"
    assert body(again) == body(first)


def test_get_cancellation(functions: Lambda, shop: Shop) -> None:
    shop.put(record("publish_events")["NewImage"])
    cancellation = body(functions.invoke("GetCancellationFunction", payload("get_cancellation")))
    assert cancellation["cancellation_id"] == refund_event()["detail"]["cancellation_id"]


@pytest.mark.usefixtures("shop")
def test_submit_withdrawal(functions: Lambda) -> None:
    first = functions.invoke("SubmitWithdrawalFunction", payload("submit_withdrawal"))
    # Another request with the same key.
    repeat = payload("submit_withdrawal")
    repeat["requestContext"]["requestId"] = "another"
    again = functions.invoke("SubmitWithdrawalFunction", repeat)
    assert (first["statusCode"], again["statusCode"]) == (201, 201)
    stored = json.loads(content_of(first))
    assert stored == json.loads(content_of(again))
    assert again["headers"]["idempotency-replayed"] == "true"
    assert stored["statement"] == json.loads(payload("submit_withdrawal")["body"])


@pytest.mark.usefixtures("shop")
def test_withdraw_order(functions: Lambda) -> None:
    answer = functions.invoke("WithdrawOrderFunction", payload("withdraw_order"))
    assert answer["statusCode"] == 201, answer
    stored = json.loads(content_of(answer))
    assert (stored["statement"]["order"], stored["statement"]["email"]) == ("demo-delivered", "a•••@example.com")


@pytest.mark.usefixtures("shop")
def test_what_can_be_withdrawn_from_needs_no_time_zones_of_the_machine(functions: Lambda) -> None:
    """Lambda's image has none: those of the layer do, and so does its list of holidays."""
    event = payload("get_order") | {"pathParameters": {"order_id": "demo-delivered"}}
    event["requestContext"]["timeEpoch"] = int(time.time() * 1000)
    order = json.loads(content_of(functions.invoke("GetOrderFunction", event)))
    assert order["available_actions"] == ["WITHDRAW"]
    assert order["withdrawal"]["open"] is True
    assert order["withdrawal"]["until"] > order["items"][0].get("delivered_at", "")


def test_process_withdrawal(functions: Lambda, aws: Aws, shop: Shop) -> None:
    image = record("process_withdrawal")["NewImage"]
    shop.dynamodb.put_item(TableName=aws.tables["withdrawals"], Item=image)
    event = payload("process_withdrawal")
    assert functions.invoke("ProcessWithdrawalFunction", event) == {"batchItemFailures": []}
    key = {"withdrawal_id": image["withdrawal_id"], "part": {"S": "outcome"}}
    outcome = shop.dynamodb.get_item(TableName=aws.tables["withdrawals"], Key=key, ConsistentRead=True)["Item"]
    assert (outcome["match"], outcome["order_id"]) == ({"S": "email"}, {"S": "demo-delivered"})
    # A tick of the schedule.
    assert functions.invoke("ProcessWithdrawalFunction", payload("reconcile_refunds")) is None


@pytest.mark.usefixtures("shop")
def test_take_back_request(functions: Lambda) -> None:
    answers = [body(functions.invoke("TakeBackRequestFunction", payload("take_back_request"))) for _ in range(2)]
    for answer in answers:
        assert (answer["order"]["order_id"], answer["order"]["available_actions"]) == ("demo-requested", ["CANCEL"])
        assert answer["cancellation_request"]["status"] == "withdrawn"


def test_process_request(functions: Lambda, aws: Aws, shop: Shop) -> None:
    image, table = record("process_request")["NewImage"], aws.tables["requests"]
    shop.dynamodb.put_item(TableName=table, Item=image)
    assert functions.invoke("ProcessRequestFunction", payload("process_request")) == {"batchItemFailures": []}
    order = shop.item("orders", {"order_id": {"S": "demo-requested"}})
    assert (order["status"], order["cancellation_request"]["M"]["note"]) == ({"S": "canceled"}, image["note"])
    row = shop.item("requests", {"request_id": image["request_id"]})
    assert (row["status"], row["outcome"]["S"].split(",")[0]) == ({"S": "approved"}, "Approved")
    # A tick of the schedule.
    assert functions.invoke("ProcessRequestFunction", payload("reconcile_refunds")) is None


def test_publish_events(functions: Lambda, shop: Shop) -> None:
    assert functions.invoke("PublishEventsFunction", payload("publish_events")) == {"batchItemFailures": []}
    (event,) = shop.in_the_refund_queue()
    assert (event["source"], event["detail-type"]) == ("cancel-core", "OrderCanceled")
    assert event["detail"]["order_id"] == ORDER


def test_refund_order(functions: Lambda, shop: Shop) -> None:
    shop.put(record("publish_events")["NewImage"])
    assert functions.invoke("RefundOrderFunction", payload("refund_order")) == {"batchItemFailures": []}
    assert shop.cancellation()["refund"]["M"]["status"] == {"S": "succeeded"}
    assert shop.refund()["status"] == {"S": "succeeded"}
    assert int(shop.refund()["amount"]["N"]) == refund_event()["detail"]["refund"]["amount"]


def test_send_mail(functions: Lambda, aws: Aws, shop: Shop) -> None:
    shop.put(record("publish_events")["NewImage"])
    assert functions.invoke("SendMailFunction", payload("send_mail")) == {"batchItemFailures": []}
    with urllib.request.urlopen(f"{aws.endpoint_url}/local/mails") as answer:
        mails = json.load(answer)["mails"]
    assert {(mail["kind"], mail["to"]) for mail in mails} >= {
        ("order_canceled", "anna@example.com"),
        ("order_canceled_notice", "orders@example.com"),
    }
    rows = shop.dynamodb.scan(TableName=aws.tables["mails"], ConsistentRead=True)["Items"]
    assert {row["status"]["S"] for row in rows if row["about"]["S"] == ORDER} == {"sent"}


@pytest.mark.usefixtures("shop")
def test_a_guests_code_from_the_request_to_the_token(functions: Lambda, aws: Aws, shop: Shop) -> None:
    answer = functions.invoke("RequestGuestCodeFunction", payload("request_guest_code"))
    assert (answer["statusCode"], json.loads(answer["body"])) == (202, {"expires_in": 900})
    (sent,) = shop.received("GuestCodeQueue")
    (message,) = payload("send_guest_code")["Records"]
    asked = json.loads(message["body"])
    assert sent.keys() == asked.keys()
    assert (sent["code_id"], sent["order_id"]) == (asked["code_id"], asked["order_id"])

    # The payload's own is long past.
    message |= {"body": json.dumps(asked | {"at": sent["at"]})}
    assert functions.invoke("SendGuestCodeFunction", {"Records": [message]}) == {"batchItemFailures": []}
    (to_mail,) = shop.received("GuestMailQueue")
    assert to_mail == {"order_id": "demo-guest-paid", "code_id": asked["code_id"], "code": "012345"}

    arn = message["eventSourceARN"].replace("GuestCodeQueue", "GuestMailQueue")
    message |= {"body": json.dumps(to_mail), "eventSourceARN": arn}
    assert functions.invoke("SendMailFunction", {"Records": [message]}) == {"batchItemFailures": []}
    with urllib.request.urlopen(f"{aws.endpoint_url}/local/mails") as answer:
        mail = json.load(answer)["mails"][0]
    assert (mail["kind"], mail["to"]) == ("guest_code", "guest@example.com")
    assert "012345" in mail["text"]

    answers = [functions.invoke("RedeemGuestCodeFunction", payload("redeem_guest_code")) for _ in range(2)]
    assert [answer["statusCode"] for answer in answers] == [200, 401]
    asked = payload("get_order") | {"routeKey": "GET /guest/order", "rawPath": "/guest/order"}
    del asked["pathParameters"], asked["requestContext"]["authorizer"]
    asked["headers"]["authorization"] = f"Bearer {body(answers[0])['token']}"
    assert body(functions.invoke("GetOrderFunction", asked))["order_id"] == "demo-guest-paid"


def test_reconcile_refunds(functions: Lambda, shop: Shop) -> None:
    order = record("publish_events")["NewImage"]
    shop.put(order | {"refund_pending_since": {"S": "2026-01-01T00:00:00Z"}})
    functions.invoke("ReconcileRefundsFunction", payload("reconcile_refunds"))
    (event,) = shop.in_the_refund_queue()
    assert event["detail"] == refund_event()["detail"]


def test_erase_comments(functions: Lambda) -> None:
    # It keeps all of them unless the stack says otherwise; tests/services has what it does then.
    assert functions.invoke("EraseCommentsFunction", payload("erase_comments")) is None


def test_validate_config(functions: Lambda, aws: Aws, shop: Shop) -> None:
    change = record("validate_config")
    shop.dynamodb.put_item(TableName=aws.tables["config"], Item=change["NewImage"])

    assert functions.invoke("ValidateConfigFunction", payload("validate_config")) == {"batchItemFailures": []}

    rows = shop.dynamodb.query(
        TableName=aws.tables["history"],
        KeyConditionExpression="#scope = :scope",
        ExpressionAttributeNames={"#scope": "scope"},
        ExpressionAttributeValues={":scope": {"S": "default"}},
    )["Items"]
    kept, last_good = rows
    assert kept["version"]["S"].endswith(change["SequenceNumber"])
    assert last_good["settings"]["M"] == {name: change["OldImage"][name] for name in ("enabled", "reasons", "mail")}
    item = shop.dynamodb.get_item(TableName=aws.tables["config"], Key=change["Keys"], ConsistentRead=True)["Item"]
    assert "scope default: reason 6 has no description; give it one" in item["validation"]["S"]


def test_seed_config(functions: Lambda, aws: Aws, shop: Shop) -> None:
    key = {"scope": {"S": "default"}}
    shop.dynamodb.delete_item(TableName=aws.tables["config"], Key=key)

    def default() -> Any:
        return shop.dynamodb.get_item(TableName=aws.tables["config"], Key=key, ConsistentRead=True).get("Item")

    with answers() as (url, given):
        create = payload("seed_config") | {"ResponseURL": url}
        functions.invoke("SeedConfigFunction", create)
        seeded = default()
        assert seeded["enabled"] == {"BOOL": False}
        assert [reason["M"]["code"]["S"] for reason in seeded["reasons"]["L"]] == [
            reason["code"] for reason in CONFIG[0]["reasons"]
        ]
        # An admin's edit stays, whatever the stack goes through; and so does a deletion.
        shop.dynamodb.put_item(TableName=aws.tables["config"], Item=key | {"enabled": {"BOOL": True}})
        functions.invoke("SeedConfigFunction", create)
        assert default() == key | {"enabled": {"BOOL": True}}
        shop.dynamodb.delete_item(TableName=aws.tables["config"], Key=key)
        for later in ("Update", "Delete"):
            functions.invoke("SeedConfigFunction", create | {"RequestType": later, "PhysicalResourceId": "config-seed"})
        assert default() is None
    same = {name: create[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    assert given == [same | {"Status": "SUCCESS", "Reason": "", "PhysicalResourceId": "config-seed"}] * 4


def test_a_seed_that_fails_is_answered(functions: Lambda) -> None:
    broken = {name: value for name, value in payload("seed_config").items() if name != "RequestType"}
    with answers() as (url, given):
        functions.invoke("SeedConfigFunction", broken | {"ResponseURL": url})
    (answer,) = given
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", "config-seed")
    assert "KeyError" in answer["Reason"]


@contextmanager
def answers() -> Iterator[tuple[str, list[Any]]]:
    """Where CloudFormation would take the answers of a resource: a URL, and what has come to it."""
    given: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            # The real URL is signed for no content type.
            assert self.headers["content-type"] == ""
            given.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/answer?signed=1", given
        server.shutdown()
        thread.join()


# --- a payload that nothing really sends would prove nothing ---------------------------------------------------------


def test_the_payload_of_validate_config_starts_from_the_demo_config(aws: Aws, shop: Shop) -> None:
    item = shop.dynamodb.get_item(TableName=aws.tables["config"], Key={"scope": {"S": "default"}}, ConsistentRead=True)
    assert record("validate_config")["OldImage"] == item["Item"]


def test_the_payload_of_publish_events_starts_from_the_demo_order(shop: Shop) -> None:
    assert record("publish_events")["OldImage"] == shop.order()


def test_the_payload_of_process_request_starts_from_the_demo_order(functions: Lambda, shop: Shop) -> None:
    image = record("process_request")["OldImage"]
    key = {"request_id": image["request_id"]}
    shop.dynamodb.delete_item(TableName=shop.aws.tables["requests"], Key=key)
    seen = payload("publish_events")
    order = shop.item("orders", {"order_id": {"S": "demo-requested"}})
    seen["Records"][0]["dynamodb"] |= {"Keys": {"order_id": order["order_id"]}, "NewImage": order}
    del seen["Records"][0]["dynamodb"]["OldImage"]
    assert functions.invoke("ProcessRequestFunction", seen) == {"batchItemFailures": []}
    assert shop.item("requests", key) == image


def test_the_payload_of_publish_events_is_what_a_cancel_writes(functions: Lambda, shop: Shop) -> None:
    functions.invoke("CancelOrderFunction", payload("cancel_order"))
    image = record("publish_events")["NewImage"]
    moments = _moments(shop.order()), _moments(image)
    assert moments[0][0] == moments[1][0]
    assert len(moments[0][1]) == len(moments[1][1])


def _moments(order: Any) -> tuple[Any, list[str]]:
    """The order with its cancel's moment taken out, and the places where that stood."""
    at = order["cancellation"]["M"]["requested_at"]["S"]
    text = json.dumps(order, sort_keys=True)
    return json.loads(text.replace(at, "(then)")), [at] * text.count(at)


def test_the_payload_of_refund_order_is_what_publish_events_sends(functions: Lambda, shop: Shop) -> None:
    functions.invoke("PublishEventsFunction", payload("publish_events"))
    (sent,) = shop.in_the_refund_queue()
    assert sent["detail"] == refund_event()["detail"]
    # moto's envelope lacks some of what AWS's has.
    assert set(sent) <= set(refund_event())


def test_the_payload_of_send_mail_is_that_same_event() -> None:
    (message,) = payload("send_mail")["Records"]
    assert json.loads(message["body"]) == refund_event()
