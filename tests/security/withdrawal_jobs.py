"""What the functions behind a statement of withdrawal are there for, as `jobs.py` has it for the others."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cancel_core.domain.times import iso, iso_milliseconds
from cancel_core.domain.withdrawal_mails import receipt_mail_id

from tests.package.conftest import payload
from tests.support.aws import attribute_values

if TYPE_CHECKING:
    from tests.security.jobs import World

FUNCTION, ANNA, ORDER = "ProcessWithdrawalFunction", "demo-anna", "demo-paid"


def _forget(world: World) -> None:
    for table, keys in (("WithdrawalsTable", ("withdrawal_id", "part")), ("MailsTable", ("mail_id",))):
        name = world.template.name(table)
        for row in world.services.dynamodb.scan(TableName=name)["Items"]:
            world.services.dynamodb.delete_item(TableName=name, Key={key: row[key] for key in keys})


def said(world: World, *, ago: timedelta = timedelta(0)) -> dict[str, Any]:
    """The stream's record of a customer's statement about all of `demo-paid`, which nothing has processed yet."""
    _forget(world)
    (record,) = payload("process_withdrawal")["Records"]
    received = iso_milliseconds(datetime.now(UTC) - ago)
    order = world.order(ORDER)
    image = record["dynamodb"]["NewImage"] | attribute_values({"received_at": received, "day": received[:10]})
    image |= {name: order[name] for name in ("order_id", "customer_id", "placed_at")}
    record["dynamodb"]["NewImage"] = image
    world.services.dynamodb.put_item(TableName=world.template.name("WithdrawalsTable"), Item=image)
    return dict(record)


def _parts(world: World) -> set[str]:
    rows = world.services.dynamodb.scan(TableName=world.template.name("WithdrawalsTable"), ConsistentRead=True)["Items"]
    return {row["part"]["S"] for row in rows}


def deals_with_a_statement(world: World) -> None:
    assert world.invoke(FUNCTION, {"Records": [said(world)]}) == {"batchItemFailures": []}
    assert _parts(world) == {"statement", "outcome", "cancel"}
    assert world.order(ORDER)["status"] == {"S": "canceled"}


def finds_a_statement_that_was_lost(world: World) -> None:
    said(world, ago=timedelta(minutes=5))
    world.invoke(FUNCTION, payload("reconcile_refunds"))
    assert _parts(world) == {"statement", "outcome", "cancel"}
    # And once more: of its receipt there is no row yet.
    world.invoke(FUNCTION, payload("reconcile_refunds"))


def has_a_receipt_tried_again(world: World) -> None:
    record = said(world)
    withdrawal_id = record["dynamodb"]["Keys"]["withdrawal_id"]["S"]
    tried, mail_id = iso(datetime.now(UTC) - timedelta(hours=5)), receipt_mail_id(withdrawal_id)
    row = {"mail_id": mail_id, "kind": "withdrawal_receipt", "about": withdrawal_id, "store_id": "default"}
    row |= {"to": "anna@example.com", "language": "en", "status": "waiting", "error": "MailFromMissing", "attempts": 1}
    row |= {"created_at": tried, "updated_at": tried, "unsent_since": tried}
    row |= {"event": {"detail_type": "WithdrawalReceived", "detail": {"withdrawal_id": withdrawal_id}}}
    world.services.dynamodb.put_item(TableName=world.template.name("MailsTable"), Item=attribute_values(row))
    world.invoke(FUNCTION, payload("reconcile_refunds"))
    world.wait(lambda: any(withdrawal_id in one["Body"] for one in world.received("MailQueue")), "it is sent again")


def acknowledges_a_statement(world: World) -> None:
    record = said(world)
    withdrawal_id = record["dynamodb"]["Keys"]["withdrawal_id"]["S"]
    detail = {"withdrawal_id": withdrawal_id, "order_id": None, "store_id": "default"}
    (message,) = payload("send_mail")["Records"]
    event = {"source": "cancel-core", "detail-type": "WithdrawalReceived", "detail": detail}
    message |= {"body": json.dumps(event)}
    assert world.invoke("SendMailFunction", {"Records": [message]}) == {"batchItemFailures": []}
    row = world.item("MailsTable", "mail_id", receipt_mail_id(withdrawal_id))
    assert row["status"] == {"S": "sent"}
