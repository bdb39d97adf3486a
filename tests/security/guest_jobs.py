"""What the functions of guests are there for, as `jobs.py` has it for the others."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from tests.package.conftest import payload

if TYPE_CHECKING:
    from tests.security.jobs import World

ORDER, CODE = "demo-guest-paid", "012345"


def _forget(world: World) -> None:
    for table, key in (("AccessTable", "access_id"), ("MailsTable", "mail_id")):
        name = world.template.name(table)
        for row in world.services.dynamodb.scan(TableName=name)["Items"]:
            world.services.dynamodb.delete_item(TableName=name, Key={key: row[key]})


def asked_for(world: World) -> dict[str, Any]:
    """The message of a guest who has just asked for a code, of whom nothing is known yet."""
    _forget(world)
    (message,) = payload("send_guest_code")["Records"]
    body = json.loads(message["body"]) | {"at": int(time.time() * 1000)}
    return {**message, "body": json.dumps(body)}


def _send(world: World) -> Any:
    return world.invoke("SendGuestCodeFunction", {"Records": [asked_for(world)]})


def _emptied(world: World, queue: str) -> list[dict[str, Any]]:
    found = []
    while messages := world.received(queue):
        for message in messages:
            found.append(json.loads(message["Body"]))
            url = world.services.queues[queue]
            world.services.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def code_to_mail(world: World) -> str:
    """The body of the message by which the mail function learns of a code, which is kept."""
    assert _send(world) == {"batchItemFailures": []}
    (body,) = _emptied(world, "GuestMailQueue")
    return json.dumps(body)


def mail_statuses(world: World) -> set[str]:
    rows = world.services.dynamodb.scan(TableName=world.template.name("MailsTable"), ConsistentRead=True)["Items"]
    return {row["status"]["S"] for row in rows}


def takes_a_request(world: World) -> None:
    assert world.invoke("RequestGuestCodeFunction", payload("request_guest_code"))["statusCode"] == 202
    assert [one["order_id"] for one in _emptied(world, "GuestCodeQueue")] == [ORDER]


def has_a_code_mailed(world: World) -> None:
    assert json.loads(code_to_mail(world))["code"] == CODE


def mails_a_code(world: World) -> None:
    (message,) = payload("send_guest_code")["Records"]
    arn = message["eventSourceARN"].replace("GuestCodeQueue", "GuestMailQueue")
    message |= {"body": code_to_mail(world), "eventSourceARN": arn}
    assert world.invoke("SendMailFunction", {"Records": [message]}) == {"batchItemFailures": []}
    assert mail_statuses(world) == {"sent"}


def redeems_a_code(world: World) -> None:
    code_to_mail(world)
    answer = world.invoke("RedeemGuestCodeFunction", payload("redeem_guest_code"))
    assert answer["statusCode"] == 200, answer


def as_a_guest(world: World, function: str, route: str, body: Any = None) -> Any:
    """Has a function answer a guest who has just got a token."""
    code_to_mail(world)
    event = payload("redeem_guest_code")
    token = json.loads(world.invoke("RedeemGuestCodeFunction", event)["body"])["token"]
    event["headers"]["authorization"] = f"Bearer {token}"
    event |= {"routeKey": route, "rawPath": route.split(" ")[1], "body": json.dumps(body) if body else None}
    event["requestContext"]["http"]["method"] = route.split(" ", maxsplit=1)[0]
    answer = world.invoke(function, event)
    assert answer["statusCode"] == 200, answer
    return answer


def shows_a_guests_order(world: World) -> None:
    as_a_guest(world, "GetOrderFunction", "GET /guest/order")


def says_whether_a_guest_can_cancel(world: World) -> None:
    as_a_guest(world, "CheckEligibilityFunction", "GET /guest/order/cancellation-eligibility")


def cancels_a_guests_order(world: World) -> None:
    as_a_guest(world, "CancelOrderFunction", "POST /guest/order/cancellation", {"reason": "other"})


def shows_a_guests_cancellation(world: World) -> None:
    cancels_a_guests_order(world)
    as_a_guest(world, "GetCancellationFunction", "GET /guest/order/cancellation")
