"""What each function is there for: its own process does it under its own role, and something comes of it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import boto3

from local.aws.services import Services
from local.demo import ANNA, BJORN, CONFIG, seed, stripe_orders
from local.event_sources.queues import QueueSource
from local.event_sources.stream import StreamSource
from local.guard import Guard
from local.runtime.function import Result
from local.runtime.runtime import Runtime
from local.stack import PARAMETERS, functions_of
from local.template import Template
from tests.package.conftest import payload, payload_of
from tests.package.test_payloads import answers
from tests.security import guest_jobs as guests
from tests.security import request_jobs as requests
from tests.security import withdrawal_jobs as withdrawals
from tests.security.iam_server import Right
from tests.support import proxy as faults
from tests.support.aws import attribute_values
from tests.support.documents import offered
from tests.support.machine import ROOT
from tests.support.openapi import content_of
from tests.support.stripe_servers import Account
from tests.support.waiting import wait_until
from tests.template import test_permissions as permissions
from tests.template.test_permissions import ORDERS, REFUNDS

QUICK = {
    "ConfigCacheSeconds": "0",
    "ReconcileAfterSeconds": "1",
    "RefundRetrySeconds": "1",
    "MailRetrySeconds": "1",
    "CommentRetentionDays": "1",
}
MOMENT = 2.0
PAID, AT_STRIPE = "demo-paid", "demo-stripe-paid"
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


@dataclass
class World:
    """The template's tables, queues and bus where policies are in force; the functions, each with credentials of its
    own role; and the demo shop. The clients of `services` may do everything.

    `stripe`: before the payment provider. `credentials`: by function.
    """

    template: Template
    services: Services
    runtime: Runtime
    stripe: faults.FaultProxy
    credentials: Mapping[str, Mapping[str, str]]
    refusals: Path
    _clients: dict[tuple[str, str | None], Any] = field(default_factory=dict, repr=False)

    # --- roles

    def listed(self, function: str) -> list[dict[str, Any]]:
        """The statements of a function's policy in the template."""
        (policy,) = self.template.functions()[function]["Policies"]
        statements: list[dict[str, Any]] = policy["Statement"]
        return statements

    def rights(self, function: str) -> set[Right]:
        """The same, one by one."""
        listed = self.listed(function)
        assert all(statement["Effect"] == "Allow" for statement in listed)
        return {
            Right(action, resource)
            for statement in listed
            for action in _list(statement["Action"])
            for resource in _list(statement["Resource"])
        }

    def right(self, named: tuple[str, str]) -> Right:
        """A right in the words of `test_permissions.py`."""
        action, resource = named
        if "${" in resource:
            resource = self.template.resolve({"Fn::Sub": resource})
        elif "." in resource:
            resource = self.template.resolve({"Fn::GetAtt": resource.split(".")})
        elif resource != "*":
            resource = self.template.resolve({"Ref": resource})
        return Right(action, resource)

    def put_policy(self, function: str, statements: list[dict[str, Any]]) -> None:
        """In force from the next request on."""
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self.hands("iam").put_role_policy(RoleName=function, PolicyName="own", PolicyDocument=document)

    def refused(self) -> set[tuple[str, Right]]:
        """(role, right) of all that was refused since the last `forget`."""
        told = map(json.loads, self.refusals.read_text().splitlines())
        return {(role, Right(action, resource)) for role, action, resource in told}

    def forget(self) -> None:
        self.refusals.write_text("")

    def hands(self, service: str, function: str | None = None) -> Any:
        """A boto3 client with the credentials of a function's role; of nobody, who may do everything."""
        if (service, function) not in self._clients:
            credentials = self.credentials[function] if function else {}
            self._clients[service, function] = _client(self.services, service, credentials)
        return self._clients[service, function]

    # --- functions

    def invoke(self, function: str, event: Any) -> Any:
        result = self.runtime.invoke(self.template.name(function), event)
        assert result.error is None, result.payload.decode()
        return result.json()

    def ask(self, function: str, order_id: str = PAID, customer_id: str = ANNA) -> Any:
        """The body that one of the API's functions answers to its payload of `events/`."""
        event = payload_of(function)
        if "pathParameters" in event:
            event["pathParameters"]["order_id"] = order_id
        if "authorizer" in event["requestContext"]:
            event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = customer_id
        answer = self.invoke(function, event)
        assert answer["statusCode"] == 200, answer
        return json.loads(content_of(answer))

    def refund(self, message: Mapping[str, Any]) -> Any:
        return self.invoke("RefundOrderFunction", {"Records": [message]})

    def mapping(self, logical_id: str) -> dict[str, Any]:
        return self.template.resources("AWS::Lambda::EventSourceMapping")[logical_id]

    # --- the shop

    def reset(self) -> None:
        """The demo shop as it was at the beginning."""
        tables = [self.template.name(f"{name}Table") for name in ("Orders", "Config", "Refunds")]
        dynamodb, sqs = self.services.dynamodb, self.services.sqs
        seed(dynamodb, tables[0], tables[1], stripe_orders(self.services.stripe_url))
        for item in dynamodb.scan(TableName=tables[2])["Items"]:
            dynamodb.delete_item(TableName=tables[2], Key={"refund_id": item["refund_id"]})
        history = self.template.name("ConfigHistoryTable")
        for item in dynamodb.scan(TableName=history)["Items"]:
            dynamodb.delete_item(TableName=history, Key={name: item[name] for name in ("scope", "version")})
        for url in self.services.queues.values():
            # Also what a job has received and left, which would be there again in the midst of another.
            sqs.purge_queue(QueueUrl=url)

    def order(self, order_id: str = PAID) -> Any:
        return self.item("OrdersTable", "order_id", order_id)

    def put(self, order: Any) -> None:
        self.services.dynamodb.put_item(TableName=self.template.name("OrdersTable"), Item=order)

    def refund_of(self, order_id: str) -> Any:
        """The refund document of a cancelled order."""
        refund_id = self.order(order_id)["cancellation"]["M"]["refund"]["M"]["refund_id"]["S"]
        return self.item("RefundsTable", "refund_id", refund_id)

    def item(self, table: str, key: str, value: str) -> Any:
        answer = self.services.dynamodb.get_item(
            TableName=self.template.name(table), Key={key: {"S": value}}, ConsistentRead=True
        )
        assert "Item" in answer, f"{table} has no {value}"
        return answer["Item"]

    def received(self, queue: str) -> list[Any]:
        """What is in a queue, not to be seen again for the queue's visibility timeout."""
        answer = self.services.sqs.receive_message(QueueUrl=self.services.queues[queue], MaxNumberOfMessages=10)
        return list(answer.get("Messages", []))

    def announced(self) -> list[str]:
        """The orders whose `OrderCanceled` the rule has brought to the refund queue since the last look."""
        events = (json.loads(message["Body"]) for message in self.received("RefundQueue"))
        return [event["detail"]["order_id"] for event in events if event.get("detail-type") == "OrderCanceled"]

    def wait(self, probe: Callable[[], Any], what: str) -> Any:
        """Waits until something comes of a job; once something was refused, for a moment more."""
        refused_at: float | None = None

        def look() -> Any:
            nonlocal refused_at
            found = probe()
            if not found and self.refused():
                refused_at = refused_at or time.monotonic()
                assert time.monotonic() < refused_at + MOMENT, f"{what}: not with {self.refused()} refused"
            return found

        return wait_until(look, what=what)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@contextmanager
def world(folder: Path) -> Iterator[World]:
    refusals = folder / "refusals"
    refusals.touch()
    template = Template(ROOT / "template.yaml", PARAMETERS | QUICK)
    with ExitStack() as until_then:
        guard = Guard()
        until_then.callback(guard.stop)
        services = Services(template, guard, moto=("-m", "tests.security.iam_server", str(refusals)))
        until_then.callback(services.stop)
        services.start(0)
        services.create()
        stripe = until_then.enter_context(faults.FaultProxy(services.stripe_url))
        functions = functions_of(template, services.environment() | {"STRIPE_API_URL": stripe.url})
        credentials = {name: _assumed(services, name) for name in functions}
        runtime = Runtime(
            [replace(function, concurrency=1) for function in functions.values()],
            extra_environment={function.name: credentials[name] for name, function in functions.items()},
            guard=guard,
        )
        until_then.callback(runtime.stop)
        made = World(template, services, runtime, stripe, credentials, refusals)
        for name in functions:
            made.put_policy(name, made.listed(name))
        yield made


def _assumed(services: Services, function: str) -> dict[str, str]:
    """A role for the function; its credentials, as Lambda puts them in the function's environment."""
    trust = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    role = _client(services, "iam", {}).create_role(RoleName=function, AssumeRolePolicyDocument=trust)["Role"]
    given = _client(services, "sts", {}).assume_role(RoleArn=role["Arn"], RoleSessionName=function)["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


def _client(services: Services, service: str, credentials: Mapping[str, str]) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]  # any service, by name: the overloads know constants alone
        endpoint_url=services.endpoint_url,
        region_name="eu-north-1",
        aws_access_key_id=credentials.get("AWS_ACCESS_KEY_ID", "local"),
        aws_secret_access_key=credentials.get("AWS_SECRET_ACCESS_KEY", "local"),
        aws_session_token=credentials.get("AWS_SESSION_TOKEN"),
    )


# --- the API ----------------------------------------------------------------------------------------------------------


def tells_the_reasons(world: World) -> None:
    assert world.ask("ListReasonsFunction") == {"enabled": True, "reasons": offered(CONFIG[0]["reasons"])}


def lists_orders(world: World) -> None:
    orders = world.ask("ListOrdersFunction")["orders"]
    assert {order["order_id"]: order["available_actions"] for order in orders}[PAID] == ["CANCEL", "WITHDRAW"]


def shows_an_order(world: World) -> None:
    assert world.ask("GetOrderFunction")["available_actions"] == ["CANCEL", "WITHDRAW"]


def says_whether_it_can_be_cancelled(world: World) -> None:
    assert world.ask("CheckEligibilityFunction")["eligible"]


def cancels(world: World) -> None:
    assert world.ask("CancelOrderFunction")["order"]["status"] == "canceled"
    assert world.order()["status"] == {"S": "canceled"}


def cancels_where_a_day_has_a_limit(world: World) -> None:
    config = world.template.name("ConfigTable")
    limited = attribute_values({"scope": "store:default", "max_cancels_per_day": 1000})
    world.services.dynamodb.put_item(TableName=config, Item=limited)
    try:
        cancellation = world.ask("CancelOrderFunction")["cancellation"]["cancellation_id"]
    finally:
        world.services.dynamodb.delete_item(TableName=config, Key={"scope": limited["scope"]})
    days = world.services.dynamodb.scan(TableName=world.template.name("LimitsTable"), ConsistentRead=True)["Items"]
    assert any(cancellation in day["slots"]["SS"] for day in days)


def shows_a_cancellation(world: World) -> None:
    world.put(canceled_image())
    assert world.ask("GetCancellationFunction")["refund"]["status"] == "pending"


# --- publish_events ---------------------------------------------------------------------------------------------------


def canceled_image() -> Any:
    """`demo-paid` as its cancel leaves it."""
    return payload("publish_events")["Records"][0]["dynamodb"]["NewImage"]


def _statement(world: World, function: str) -> str:
    """Has the payload's statement of withdrawal taken. The id under which it is stored."""
    answer = world.invoke(function, payload_of(function))
    assert answer["statusCode"] == 201, answer
    withdrawal_id: str = json.loads(content_of(answer))["withdrawal_id"]
    return withdrawal_id


def _withdrawals_are_off(world: World) -> None:
    off = attribute_values({"scope": "store:default", "withdrawal": {"enabled": False}})
    world.services.dynamodb.put_item(TableName=world.template.name("ConfigTable"), Item=off)


def takes_a_statement(function: str) -> Callable[[World], None]:
    def take(world: World) -> None:
        withdrawal_id = _statement(world, function)
        key = {"withdrawal_id": {"S": withdrawal_id}, "part": {"S": "statement"}}
        table = world.template.name("WithdrawalsTable")
        assert "Item" in world.services.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)
        # For the next one: the payload has one key.
        world.services.dynamodb.delete_item(TableName=table, Key=key)

    return take


def answers_a_repeat_where_withdrawing_is_off(function: str) -> Callable[[World], None]:
    def answer(world: World) -> None:
        first = _statement(world, function)
        _withdrawals_are_off(world)
        assert _statement(world, function) == first

    return answer


def publishes(world: World) -> None:
    assert world.invoke("PublishEventsFunction", payload("publish_events")) == {"batchItemFailures": []}
    assert world.announced() == [PAID]


def puts_back_what_was_erased(world: World) -> None:
    event = payload("publish_events")
    images = event["Records"][0]["dynamodb"]
    images["OldImage"], images["NewImage"] = images["NewImage"], images["OldImage"]
    assert world.invoke("PublishEventsFunction", event) == {"batchItemFailures": []}
    cancellation = canceled_image()["cancellation"]
    # A comment is erased by an overwrite.
    cancellation["M"].pop("comment", None)
    assert world.order()["cancellation"] == cancellation


def lists_a_surplus(world: World) -> None:
    event = payload("publish_events")
    images = event["Records"][0]["dynamodb"]
    images["NewImage"]["cancellation"]["M"]["surplus"] = {"N": "500"}
    assert world.invoke("PublishEventsFunction", event) == {"batchItemFailures": []}
    assert world.item("RefundsTable", "refund_id", f"surplus:{PAID}")["surplus"] == {"N": "500"}


@contextmanager
def _reading_the_stream(world: World, function: str, mapping: Mapping[str, Any], answer: Result) -> Iterator[list[Any]]:
    """Lambda's poller, which reads a stream by the function's role; gives the batches it has brought so far."""
    batches, stop = list[Any](), threading.Event()

    def invoke(event: Any) -> Result:
        batches.append(event)
        return answer

    clients = world.hands("dynamodbstreams", function), world.hands("sqs", function)
    source = StreamSource(mapping, world.template.region, *clients, invoke, world.template.name(function))
    thread = threading.Thread(target=source.run, args=(stop,))
    thread.start()
    try:
        yield batches
    finally:
        stop.set()
        thread.join()


def _is_brought_a_stream(world: World, function: str, source: str) -> None:
    done = Result(b"{}", None, "1")
    with _reading_the_stream(world, function, world.mapping(source), done) as batches:
        world.wait(lambda: batches, "the stream is read")


def _leaves_a_batch(world: World, function: str, source: str, queue: str) -> None:
    """The function fails, and there is no further try."""
    mapping = world.mapping(source) | {"MaximumRetryAttempts": 0}
    with _reading_the_stream(world, function, mapping, Result(b"", "Unhandled", "1")):
        world.wait(lambda: world.received(queue), "the failure is told")


def is_brought_the_stream(world: World) -> None:
    world.put(canceled_image())
    _is_brought_a_stream(world, "PublishEventsFunction", "PublishEventsSource")


def leaves_what_it_can_not_publish(world: World) -> None:
    world.put(canceled_image())
    _leaves_a_batch(world, "PublishEventsFunction", "PublishEventsSource", "PublishDeadLetterQueue")


# --- refund_order -----------------------------------------------------------------------------------------------------


def _message(world: World, order_id: str) -> dict[str, Any]:
    """What the refund function is given for an order that was cancelled just now."""
    customer_id = BJORN if order_id == AT_STRIPE else ANNA
    cancellation = world.ask("CancelOrderFunction", order_id, customer_id)["cancellation"]
    message: dict[str, Any] = payload("refund_order")["Records"][0]
    detail = {"order_id": order_id, "cancellation_id": cancellation["cancellation_id"]}
    return message | {"body": json.dumps({"detail": detail})}


def refunds(world: World) -> None:
    assert world.refund(_message(world, PAID)) == {"batchItemFailures": []}
    assert world.refund_of(PAID)["status"] == {"S": "succeeded"}
    assert world.order()["status"] == {"S": "closed"}


def refunds_at_stripe(world: World) -> None:
    # It keeps the provider's key for minutes.
    world.runtime.kill(world.template.name("RefundOrderFunction"))
    message = _message(world, AT_STRIPE)
    assert world.refund(message) == {"batchItemFailures": []}
    payment = world.order(AT_STRIPE)["payments"]["L"][0]["M"]
    assert Account(world.services.stripe_url).refunds(payment["reference"]["S"]) == [8790]


def waits_for_a_provider_that_is_away(world: World) -> None:
    message, queue = _message(world, AT_STRIPE), "RefundQueue"
    url = world.services.queues[queue]
    sent = world.services.sqs.send_message(QueueUrl=url, MessageBody=message["body"])["MessageId"]

    def received() -> list[str]:
        return [one["ReceiptHandle"] for one in world.received(queue) if one["MessageId"] == sent]

    message |= {"messageId": sent, "receiptHandle": world.wait(received, "the message is there")[0]}
    world.stripe.plan(lambda _: True, faults.refuse, times=float("inf"))
    try:
        assert world.refund(message) == {"batchItemFailures": [{"itemIdentifier": sent}]}
    finally:
        world.stripe.clear()
    assert "last_error" in world.refund_of(AT_STRIPE)
    world.wait(received, "the message is delivered again, and not in six minutes")


def closes_the_refund_of_an_order_that_is_gone(world: World) -> None:
    message = _message(world, PAID)
    refund_id = world.order()["cancellation"]["M"]["refund"]["M"]["refund_id"]["S"]
    table = world.template.name("OrdersTable")
    world.services.dynamodb.delete_item(TableName=table, Key={"order_id": {"S": PAID}})
    assert world.refund(message) == {"batchItemFailures": []}
    assert world.item("RefundsTable", "refund_id", refund_id)["status"] == {"S": "failed"}


def is_brought_its_messages(world: World) -> None:
    body = _message(world, PAID)["body"]
    _is_brought(world, "Refund", "RefundOrder", body, lambda: bool(world.order()["status"] == {"S": "closed"}))


def _is_brought(
    world: World, queue: str, function: str, body: str, is_done: Callable[[], bool], mapping: str = ""
) -> None:
    """Lambda's poller, which receives and deletes by the function's role, brings it a message."""
    url, sqs = world.services.queues[f"{queue}Queue"], world.services.sqs

    def left() -> int:
        told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return int(told["ApproximateNumberOfMessages"]) + int(told["ApproximateNumberOfMessagesNotVisible"])

    before = left()
    sqs.send_message(QueueUrl=url, MessageBody=body)
    name, stop = f"{function}Function", threading.Event()
    source = QueueSource(
        world.mapping(mapping or f"{function}Source"),
        world.template.region,
        world.hands("sqs", name),
        lambda event: world.runtime.invoke(world.template.name(name), event),
        concurrency=1,
    )
    thread = threading.Thread(target=source.run, args=(stop,))
    thread.start()
    try:
        world.wait(is_done, "the message is taken")
        world.wait(lambda: left() <= before, "and deleted")
    finally:
        stop.set()
        thread.join()


# --- send_mail --------------------------------------------------------------------------------------------------------


def _mail_message(world: World) -> dict[str, Any]:
    """What the mail function is given for `demo-paid`, cancelled just now, of which nobody was told."""
    world.put(canceled_image())
    table = world.template.name("MailsTable")
    for row in world.services.dynamodb.scan(TableName=table)["Items"]:
        world.services.dynamodb.delete_item(TableName=table, Key={"mail_id": row["mail_id"]})
    (message,) = payload("send_mail")["Records"]
    return dict(message)


def _mail_statuses(world: World) -> set[str]:
    rows = world.services.dynamodb.scan(TableName=world.template.name("MailsTable"), ConsistentRead=True)["Items"]
    return {row["status"]["S"] for row in rows}


def sends_mails(world: World) -> None:
    message = _mail_message(world)
    assert world.invoke("SendMailFunction", {"Records": [message]}) == {"batchItemFailures": []}
    assert _mail_statuses(world) == {"sent"}


def has_a_message_come_again_that_it_can_not_read(world: World) -> None:
    _has_come_again(world, "MailQueue", "SendMailFunction")


def has_a_code_come_again(world: World) -> None:
    _has_come_again(world, "GuestMailQueue", "SendMailFunction")


def has_a_request_come_again(world: World) -> None:
    _has_come_again(world, "GuestCodeQueue", "SendGuestCodeFunction")


def _has_come_again(world: World, queue: str, function: str) -> None:
    url = world.services.queues[queue]
    sent = world.services.sqs.send_message(QueueUrl=url, MessageBody="no event at all")["MessageId"]

    def received() -> list[str]:
        return [one["ReceiptHandle"] for one in world.received(queue) if one["MessageId"] == sent]

    (message,) = payload("send_mail")["Records"]
    arn = message["eventSourceARN"].replace("MailQueue", queue)
    message |= {"messageId": sent, "body": "no event at all", "eventSourceARN": arn}
    message["receiptHandle"] = world.wait(received, "the message is there")[0]
    failed = {"batchItemFailures": [{"itemIdentifier": sent}]}
    assert world.invoke(function, {"Records": [message]}) == failed
    world.wait(received, "the message is delivered again, and not in two minutes")


def is_brought_codes(world: World) -> None:
    body = guests.code_to_mail(world)
    _is_brought(world, "GuestMail", "SendMail", body, lambda: _mail_statuses(world) == {"sent"}, "GuestMailSource")


def is_brought_who_asks_for_codes(world: World) -> None:
    body, table = guests.asked_for(world)["body"], world.template.name("AccessTable")
    _is_brought(
        world, "GuestCode", "SendGuestCode", body, lambda: bool(world.services.dynamodb.scan(TableName=table)["Items"])
    )


def is_brought_its_events(world: World) -> None:
    body = _mail_message(world)["body"]
    _is_brought(world, "Mail", "SendMail", body, lambda: _mail_statuses(world) == {"sent"})


# --- reconcile_refunds ------------------------------------------------------------------------------------------------


def announces_again(world: World) -> None:
    long_ago = {"S": "2026-01-01T00:00:00Z"}
    world.put(canceled_image() | {"refund_pending_since": long_ago})
    # One that the order system has taken out of the orders' index; the refunds table remembers it.
    begun = canceled_image() | {"order_id": {"S": "begun"}}
    world.put(begun)
    cancellation = begun["cancellation"]["M"]
    world.services.dynamodb.put_item(
        TableName=world.template.name("RefundsTable"),
        Item={
            "refund_id": cancellation["refund"]["M"]["refund_id"],
            "cancellation_id": cancellation["cancellation_id"],
            **{name: {"S": value} for name, value in {"order_id": "begun", "status": "pending"}.items()},
            **dict.fromkeys(("updated_at", "unsettled_since"), long_ago),
        },
    )
    world.invoke("ReconcileRefundsFunction", payload("reconcile_refunds"))
    world.services.dynamodb.delete_item(TableName=world.template.name("OrdersTable"), Key={"order_id": {"S": "begun"}})
    assert sorted(world.announced()) == sorted([PAID, "begun"])
    assert world.order()["refund_pending_since"] != long_ago


# --- erase_comments ---------------------------------------------------------------------------------------------------


def erases_an_old_comment(world: World) -> None:
    world.put(canceled_image())
    assert "comment" in world.order()["cancellation"]["M"]
    for hour in range(24):
        world.invoke("EraseCommentsFunction", payload("erase_comments") | {"time": f"2026-11-26T{hour:02}:00:00Z"})
    assert "comment" not in world.order()["cancellation"]["M"]


# --- validate_config, seed_config -------------------------------------------------------------------------------------


def edit_config(world: World) -> None:
    """As the admin of the payload does, who forgets a description."""
    image = payload("validate_config")["Records"][0]["dynamodb"]["NewImage"]
    world.services.dynamodb.put_item(TableName=world.template.name("ConfigTable"), Item=image)


def says_what_is_wrong_in_the_config(world: World) -> None:
    edit_config(world)
    assert world.invoke("ValidateConfigFunction", payload("validate_config")) == {"batchItemFailures": []}
    assert "reason 6 has no description" in world.item("ConfigTable", "scope", "default")["validation"]["S"]


def is_brought_the_edits(world: World) -> None:
    edit_config(world)
    _is_brought_a_stream(world, "ValidateConfigFunction", "ValidateConfigSource")


def leaves_what_it_can_not_look_at(world: World) -> None:
    edit_config(world)
    _leaves_a_batch(world, "ValidateConfigFunction", "ValidateConfigSource", "ConfigDeadLetterQueue")


def is_brought_statements(world: World) -> None:
    withdrawals.said(world)
    _is_brought_a_stream(world, "ProcessWithdrawalFunction", "ProcessWithdrawalSource")


def leaves_what_it_can_not_deal_with(world: World) -> None:
    withdrawals.said(world)
    _leaves_a_batch(world, "ProcessWithdrawalFunction", "ProcessWithdrawalSource", "WithdrawalDeadLetterQueue")


def is_brought_orders_with_requests(world: World) -> None:
    requests.asked(world)
    _is_brought_a_stream(world, "ProcessRequestFunction", "RequestedOrdersSource")


def is_brought_decisions(world: World) -> None:
    requests.decided(world)
    _is_brought_a_stream(world, "ProcessRequestFunction", "DecisionsSource")


def leaves_what_it_can_not_carry_out(world: World) -> None:
    requests.decided(world)
    _leaves_a_batch(world, "ProcessRequestFunction", "DecisionsSource", "RequestDeadLetterQueue")


def seeds_the_config(world: World) -> None:
    table = world.template.name("ConfigTable")
    world.services.dynamodb.delete_item(TableName=table, Key={"scope": {"S": "default"}})
    with answers() as (url, given):
        world.invoke("SeedConfigFunction", payload("seed_config") | {"ResponseURL": url})
    assert [answer["Status"] for answer in given] == ["SUCCESS"]
    assert world.item("ConfigTable", "scope", "default")["enabled"] == {"BOOL": False}


class Job(NamedTuple):
    """`needs`: the rights, in the words of `test_permissions.py`, without any of which it can't be done."""

    function: str
    do: Callable[[World], None]
    needs: tuple[tuple[str, str], ...]


READ_CONFIG = tuple(sorted(permissions.READ_CONFIG))
READ, UPDATE = ("dynamodb:Query", ORDERS), ("dynamodb:UpdateItem", ORDERS)
GET_STATEMENT, PUT_STATEMENT = ((f"dynamodb:{action}", permissions.WITHDRAWALS) for action in ("GetItem", "PutItem"))
QUERY_STATEMENT = ("dynamodb:Query", permissions.WITHDRAWALS)
UPDATE_REQUEST = ("dynamodb:UpdateItem", permissions.REQUESTS)
READ_BATCH = ("dynamodb:BatchGetItem", ORDERS)
READ_REFUND = (READ_BATCH, ("dynamodb:BatchGetItem", REFUNDS))
PUT_EVENTS = ("events:PutEvents", "EventBus.Arn")


GET_ACCESS, PUT_ACCESS, UPDATE_ACCESS = (
    (f"dynamodb:{action}Item", permissions.ACCESS) for action in ("Get", "Put", "Update")
)


def receiving(queue: str) -> tuple[tuple[str, str], ...]:
    return (("sqs:ReceiveMessage", f"{queue}.Arn"), ("sqs:DeleteMessage", f"{queue}.Arn"))


def read_stream(table: str) -> tuple[tuple[str, str], ...]:
    actions = ("DescribeStream", "GetShardIterator", "GetRecords")
    return tuple((f"dynamodb:{action}", f"{table}.StreamArn") for action in actions)


JOBS = (
    Job("ListReasonsFunction", tells_the_reasons, READ_CONFIG),
    Job("ListOrdersFunction", lists_orders, (("dynamodb:Query", permissions.BY_CUSTOMER), *READ_CONFIG)),
    Job("GetOrderFunction", shows_an_order, (READ, *READ_CONFIG)),
    Job("CheckEligibilityFunction", says_whether_it_can_be_cancelled, (READ, *READ_CONFIG)),
    Job("CancelOrderFunction", cancels, (READ, UPDATE, *READ_CONFIG)),
    Job("CancelOrderFunction", cancels_where_a_day_has_a_limit, (("dynamodb:UpdateItem", permissions.LIMITS),)),
    Job("GetCancellationFunction", shows_a_cancellation, (READ,)),
    Job("TakeBackRequestFunction", requests.takes_a_request_back, (READ, UPDATE, *READ_CONFIG)),
    Job("TakeBackRequestFunction", requests.takes_a_guests_request_back, (permissions.FIND_GUEST,)),
    Job("GetOrderFunction", guests.shows_a_guests_order, (permissions.FIND_GUEST,)),
    Job("CheckEligibilityFunction", guests.says_whether_a_guest_can_cancel, (permissions.FIND_GUEST,)),
    Job("CancelOrderFunction", guests.cancels_a_guests_order, (permissions.FIND_GUEST,)),
    Job("GetCancellationFunction", guests.shows_a_guests_cancellation, (permissions.FIND_GUEST,)),
    Job("RequestGuestCodeFunction", guests.takes_a_request, (("sqs:SendMessage", "GuestCodeQueue.Arn"),)),
    Job(
        "SendGuestCodeFunction",
        guests.has_a_code_mailed,
        (READ, *READ_CONFIG, GET_ACCESS, PUT_ACCESS, ("sqs:SendMessage", "GuestMailQueue.Arn")),
    ),
    Job("SendGuestCodeFunction", is_brought_who_asks_for_codes, receiving("GuestCodeQueue")),
    Job("SendGuestCodeFunction", has_a_request_come_again, (("sqs:ChangeMessageVisibility", "GuestCodeQueue.Arn"),)),
    Job("RedeemGuestCodeFunction", guests.redeems_a_code, (READ, UPDATE_ACCESS, PUT_ACCESS)),
    Job("SendMailFunction", guests.mails_a_code, (GET_ACCESS,)),
    Job("SendMailFunction", is_brought_codes, receiving("GuestMailQueue")),
    Job("SendMailFunction", has_a_code_come_again, (("sqs:ChangeMessageVisibility", "GuestMailQueue.Arn"),)),
    Job("SubmitWithdrawalFunction", takes_a_statement("SubmitWithdrawalFunction"), (PUT_STATEMENT, *READ_CONFIG)),
    Job(
        "SubmitWithdrawalFunction",
        answers_a_repeat_where_withdrawing_is_off("SubmitWithdrawalFunction"),
        (GET_STATEMENT,),
    ),
    Job("WithdrawOrderFunction", takes_a_statement("WithdrawOrderFunction"), (READ, PUT_STATEMENT, *READ_CONFIG)),
    Job("WithdrawOrderFunction", answers_a_repeat_where_withdrawing_is_off("WithdrawOrderFunction"), (GET_STATEMENT,)),
    Job(
        "ProcessWithdrawalFunction",
        withdrawals.deals_with_a_statement,
        (READ, UPDATE, *READ_CONFIG, QUERY_STATEMENT, PUT_STATEMENT, PUT_EVENTS),
    ),
    Job(
        "ProcessWithdrawalFunction",
        withdrawals.finds_a_statement_that_was_lost,
        (("dynamodb:Query", permissions.BY_DAY), ("dynamodb:BatchGetItem", permissions.MAILS)),
    ),
    Job(
        "ProcessWithdrawalFunction",
        withdrawals.has_a_receipt_tried_again,
        (
            ("dynamodb:Scan", permissions.UNSENT),
            ("dynamodb:UpdateItem", permissions.MAILS),
            ("sqs:SendMessage", "MailQueue.Arn"),
        ),
    ),
    Job("ProcessWithdrawalFunction", is_brought_statements, read_stream("WithdrawalsTable")),
    Job(
        "ProcessWithdrawalFunction",
        leaves_what_it_can_not_deal_with,
        (("sqs:SendMessage", "WithdrawalDeadLetterQueue.Arn"),),
    ),
    Job("SendMailFunction", withdrawals.acknowledges_a_statement, (QUERY_STATEMENT,)),
    Job(
        "ProcessRequestFunction",
        requests.puts_a_request_before_the_shop,
        (("dynamodb:PutItem", permissions.REQUESTS), PUT_EVENTS),
    ),
    Job(
        "ProcessRequestFunction",
        requests.carries_out_a_decision,
        (READ, UPDATE, *READ_CONFIG, ("dynamodb:GetItem", permissions.REQUESTS), UPDATE_REQUEST),
    ),
    Job(
        "ProcessRequestFunction",
        requests.finds_a_decision_that_was_lost,
        (("dynamodb:Query", permissions.OPEN_REQUESTS),),
    ),
    Job("ProcessRequestFunction", is_brought_orders_with_requests, read_stream("OrdersTable")),
    Job("ProcessRequestFunction", is_brought_decisions, read_stream("RequestsTable")),
    Job(
        "ProcessRequestFunction", leaves_what_it_can_not_carry_out, (("sqs:SendMessage", "RequestDeadLetterQueue.Arn"),)
    ),
    Job("PublishEventsFunction", publishes, (PUT_EVENTS,)),
    Job("PublishEventsFunction", puts_back_what_was_erased, (READ, UPDATE)),
    Job("PublishEventsFunction", lists_a_surplus, (("dynamodb:UpdateItem", REFUNDS), PUT_EVENTS)),
    Job("PublishEventsFunction", is_brought_the_stream, read_stream("OrdersTable")),
    Job("PublishEventsFunction", leaves_what_it_can_not_publish, (("sqs:SendMessage", "PublishDeadLetterQueue.Arn"),)),
    Job(
        "RefundOrderFunction",
        refunds,
        (*READ_REFUND, UPDATE, ("dynamodb:PutItem", REFUNDS), ("dynamodb:UpdateItem", REFUNDS)),
    ),
    Job("RefundOrderFunction", refunds_at_stripe, (("secretsmanager:GetSecretValue", "StripeSecretArn"),)),
    Job(
        "RefundOrderFunction",
        waits_for_a_provider_that_is_away,
        (("dynamodb:UpdateItem", REFUNDS), ("sqs:ChangeMessageVisibility", "RefundQueue.Arn")),
    ),
    Job(
        "RefundOrderFunction",
        closes_the_refund_of_an_order_that_is_gone,
        (*READ_REFUND, ("dynamodb:UpdateItem", REFUNDS)),
    ),
    Job(
        "RefundOrderFunction",
        is_brought_its_messages,
        (("sqs:ReceiveMessage", "RefundQueue.Arn"), ("sqs:DeleteMessage", "RefundQueue.Arn")),
    ),
    Job(
        "SendMailFunction",
        sends_mails,
        (
            READ,
            *READ_CONFIG,
            ("dynamodb:PutItem", permissions.MAILS),
            ("dynamodb:UpdateItem", permissions.MAILS),
            ("ses:SendEmail", "MailIdentityArn"),
            ("ses:SendEmail", permissions.MAIL_CONFIGURATION_SET),
        ),
    ),
    Job(
        "SendMailFunction",
        has_a_message_come_again_that_it_can_not_read,
        (("sqs:ChangeMessageVisibility", "MailQueue.Arn"),),
    ),
    Job(
        "SendMailFunction",
        is_brought_its_events,
        (("sqs:ReceiveMessage", "MailQueue.Arn"), ("sqs:DeleteMessage", "MailQueue.Arn")),
    ),
    Job(
        "ReconcileRefundsFunction",
        announces_again,
        (
            ("dynamodb:Scan", permissions.REFUND_PENDING),
            ("dynamodb:Scan", permissions.UNSETTLED),
            *READ_REFUND,
            UPDATE,
            PUT_EVENTS,
        ),
    ),
    Job("EraseCommentsFunction", erases_an_old_comment, (("dynamodb:Scan", ORDERS), UPDATE)),
    Job(
        "EraseCommentsFunction",
        requests.erases_an_old_comment_of_a_request,
        (("dynamodb:Scan", permissions.REQUESTS), UPDATE_REQUEST),
    ),
    Job(
        "ValidateConfigFunction",
        says_what_is_wrong_in_the_config,
        (
            *READ_CONFIG,
            ("dynamodb:Scan", permissions.CONFIG),
            ("dynamodb:UpdateItem", permissions.CONFIG),
            ("dynamodb:PutItem", permissions.HISTORY),
            ("dynamodb:UpdateItem", permissions.HISTORY),
            PUT_EVENTS,
        ),
    ),
    Job("ValidateConfigFunction", is_brought_the_edits, read_stream("ConfigTable")),
    Job("ValidateConfigFunction", leaves_what_it_can_not_look_at, (("sqs:SendMessage", "ConfigDeadLetterQueue.Arn"),)),
    Job("SeedConfigFunction", seeds_the_config, (("dynamodb:PutItem", permissions.CONFIG),)),
)

LAMBDA_ITSELF = {
    "PublishEventsFunction": {("dynamodb:ListStreams", "*")},
    "ValidateConfigFunction": {("dynamodb:ListStreams", "*")},
    "ProcessWithdrawalFunction": {("dynamodb:ListStreams", "*")},
    "ProcessRequestFunction": {("dynamodb:ListStreams", "*")},
    "RefundOrderFunction": {("sqs:GetQueueAttributes", "RefundQueue.Arn")},
    "SendMailFunction": {("sqs:GetQueueAttributes", f"{name}.Arn") for name in ("MailQueue", "GuestMailQueue")},
    "SendGuestCodeFunction": {("sqs:GetQueueAttributes", "GuestCodeQueue.Arn")},
}
"""What AWS's Lambda asks of a role that reads a stream or a queue, and the pollers here have no use for. Source: Lambda
developer guide, "Process DynamoDB records with Lambda" and "Creating and configuring an Amazon SQS event source
mapping": without them the mapping is not even made."""
