"""Each function under its own role's policy: it can do its whole job, and nothing else.

The roles are made in moto with the very policies of the template, and each function's process has the credentials of
its own role. `iam_server.py` has moto refuse what a role's policy does not list, and says how it knows what a request
asks for. Three proofs, together: with its policy as it stands every job is done and nothing is refused; with any one
right taken away some job fails, by the refusal of just that right; and of all that any function may do, and more, each
role can do exactly what its policy lists. That the policies deployed are these is `tests/template/test_permissions.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.security.iam_server import Right
from tests.security.jobs import JOBS, LAMBDA_ITSELF, Job, World
from tests.security.jobs import world as make_world
from tests.template.test_permissions import (
    ACCESS,
    ALLOWED,
    CONFIG,
    HISTORY,
    LIMITS,
    MAILS,
    OPEN_REQUESTS,
    ORDERS,
    REFUNDS,
    REQUESTS,
)

Named = tuple[str, str]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with make_world(tmp_path_factory.mktemp("roles")) as made:
        yield made


@pytest.fixture
def shop(world: World) -> World:
    """The world, with the demo shop as it was at the beginning."""
    world.reset()
    world.forget()
    return world


@pytest.mark.parametrize("job", JOBS, ids=lambda job: f"{job.function} {job.do.__name__}")
def test_a_function_does_its_job_under_its_role(shop: World, job: Job) -> None:
    job.do(shop)
    assert shop.refused() == set()


def _each_right() -> Iterator[Any]:
    for job in JOBS:
        for action, resource in job.needs:
            what = f"{job.function} {job.do.__name__} {action} {resource}"
            yield pytest.param(job, (action, resource), id=re.sub(r"[^\w. ]", " ", what))


@pytest.mark.parametrize(("job", "needed"), list(_each_right()))
def test_without_one_right_the_job_fails(shop: World, job: Job, needed: Named) -> None:
    taken = shop.right(needed)
    # What anybody may, since a policy has to list something.
    left = shop.rights(job.function) - {taken} | {Right("sts:GetCallerIdentity", "*")}
    shop.put_policy(
        job.function, [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in left]
    )
    try:
        with pytest.raises(AssertionError):
            job.do(shop)
        assert shop.refused() == {(job.function, taken)}
    finally:
        shop.put_policy(job.function, shop.listed(job.function))


@pytest.mark.parametrize("function", ALLOWED)
def test_no_right_is_there_for_nothing(world: World, function: str) -> None:
    needed = {named for job in JOBS if job.function == function for named in job.needs}
    assert needed | LAMBDA_ITSELF.get(function, set()) == ALLOWED[function]
    assert world.rights(function) == {world.right(named) for named in ALLOWED[function]}


def test_what_validates_the_config_can_not_announce_a_cancel(world: World) -> None:
    bus = world.template.name("EventBus")
    entry = {"EventBusName": bus, "Source": "cancel-core", "DetailType": "OrderCanceled", "Detail": "{}"}
    for function, more in (
        ("ValidateConfigFunction", {}),
        ("ValidateConfigFunction", {"Source": "cancel-core.config"}),
        ("ReconcileRefundsFunction", {"Source": "cancel-core.config", "DetailType": "ConfigInvalid"}),
    ):
        with pytest.raises(ClientError) as refused:
            world.hands("events", function).put_events(Entries=[entry | more])
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.parametrize("function", ["CancelOrderFunction", "ReconcileRefundsFunction"])
def test_no_attribute_of_the_shops_own_is_written(world: World, function: str) -> None:
    with pytest.raises(ClientError) as refused:
        world.hands("dynamodb", function).update_item(
            TableName=world.template.name("OrdersTable"),
            Key={"order_id": {"S": "none"}},
            UpdateExpression="SET customer_email = :mine",
            ExpressionAttributeValues={":mine": {"S": "mine@example.com"}},
        )
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


# --- everything that anybody may do, and more, tried with the credentials of each role --------------------------------

NOBODYS: set[Named] = {
    *(
        (f"dynamodb:{action}", table)
        for table in (ORDERS, CONFIG, HISTORY, REFUNDS)
        for action in ("BatchWriteItem", "DeleteItem", "Scan")
    ),
    *(("dynamodb:Query", table) for table in (CONFIG, HISTORY, REFUNDS)),
    ("dynamodb:GetItem", ORDERS),
    *((f"dynamodb:{action}", CONFIG) for action in ("GetItem", "PutItem", "UpdateItem")),
    *((f"dynamodb:{action}", REFUNDS) for action in ("GetItem", "BatchGetItem")),
    ("dynamodb:Scan", "${OrdersTable.Arn}/index/by_customer"),
    ("dynamodb:Query", "${OrdersTable.Arn}/index/refund_pending"),
    ("dynamodb:Scan", "${RefundsTable.Arn}/index/unsettled"),
    ("dynamodb:PutItem", ORDERS),
    ("dynamodb:BatchGetItem", ORDERS),
    ("events:PutEvents", "arn:aws:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"),
    ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:another"),
    *(("sqs:SendMessage", f"{queue}.Arn") for queue in ("RefundQueue", "RefundDeadLetterQueue", "RuleDeadLetterQueue")),
    ("sqs:ReceiveMessage", "RefundDeadLetterQueue.Arn"),
    ("sqs:PurgeQueue", "RefundQueue.Arn"),
    ("iam:PutRolePolicy", "*"),
    ("ses:SendEmail", "arn:aws:ses:${AWS::Region}:${AWS::AccountId}:identity/another.example"),
    ("sqs:SendMessage", "MailQueue.Arn"),
    *(("sqs:SendMessage", f"{queue}.Arn") for queue in ("GuestMailDeadLetterQueue", "GuestCodeDeadLetterQueue")),
    *((f"dynamodb:{action}", ACCESS) for action in ("BatchGetItem", "Query", "Scan", "DeleteItem", "BatchWriteItem")),
    *((f"dynamodb:{action}", LIMITS) for action in ("GetItem", "PutItem", "Query", "Scan", "DeleteItem")),
    *((f"dynamodb:{action}", MAILS) for action in ("GetItem", "BatchGetItem", "Query", "Scan", "DeleteItem")),
    *((f"dynamodb:{action}", REQUESTS) for action in ("BatchGetItem", "Query", "DeleteItem", "BatchWriteItem")),
    ("dynamodb:Scan", OPEN_REQUESTS),
}

# The wrong key: what is let through fails at once, and changes nothing.
KEY = {"no_such_key": {"S": "none"}}


def _table(resource: str) -> dict[str, Any]:
    table, _, index = resource.partition("/index/")
    return {"TableName": table.rpartition("/")[2]} | ({"IndexName": index} if index else {})


def _queue(world: World, resource: str) -> dict[str, Any]:
    return {"QueueUrl": world.services.queues[world.template.logical_id(resource)]}


def _mail(resource: str) -> dict[str, Any]:
    """From an identity; with a configuration set, from the identity that there is."""
    kind, _, name = resource.rpartition(":")[2].partition("/")
    text = {"Data": "none"}
    simple = {"Subject": text, "Body": {"Text": text, "Html": text}}
    mail = {"Destination": {"ToAddresses": ["nobody@example.com"]}, "Content": {"Simple": simple}}
    if kind == "identity":
        return mail | {"FromEmailAddress": f"shop@{name}"}
    return mail | {"FromEmailAddress": "shop@example.com", "ConfigurationSetName": name}


ASK: dict[str, Callable[[World, str], dict[str, Any]]] = {
    "dynamodb:BatchGetItem": lambda _, of: {"RequestItems": {_table(of)["TableName"]: {"Keys": [KEY]}}},
    "dynamodb:BatchWriteItem": lambda _, of: {
        "RequestItems": {_table(of)["TableName"]: [{"DeleteRequest": {"Key": KEY}}]}
    },
    "dynamodb:DeleteItem": lambda _, of: _table(of) | {"Key": KEY},
    "dynamodb:DescribeStream": lambda _, of: {"StreamArn": of},
    "dynamodb:GetItem": lambda _, of: _table(of) | {"Key": KEY},
    "dynamodb:GetRecords": lambda _, of: {"ShardIterator": f"{of}|1|none"},
    "dynamodb:GetShardIterator": lambda _, of: {
        "StreamArn": of,
        "ShardId": "shardId-00000000000000000000000",
        "ShardIteratorType": "LATEST",
    },
    "dynamodb:ListStreams": lambda _, __: {},
    "dynamodb:PutItem": lambda _, of: _table(of) | {"Item": KEY},
    "dynamodb:Query": lambda _, of: (
        _table(of)
        | {"KeyConditionExpression": "no_such_key = :none", "ExpressionAttributeValues": {":none": {"S": "none"}}}
    ),
    "dynamodb:Scan": lambda _, of: _table(of),
    # Of an order nearly everyone who writes may name these two; that the key is no string lets it fail.
    "dynamodb:UpdateItem": lambda _, of: (
        _table(of) | {"Key": {"order_id": {"N": "1"}}, "UpdateExpression": "REMOVE refund_pending_since"}
    ),
    # No rule waits for it.
    "events:PutEvents": lambda _, of: {
        "Entries": [{"EventBusName": of, "Source": "cancel-core", "DetailType": "OrderRefunded", "Detail": "{}"}]
    },
    "iam:PutRolePolicy": lambda _, __: {"RoleName": "none", "PolicyName": "none", "PolicyDocument": "{}"},
    "secretsmanager:GetSecretValue": lambda _, of: {"SecretId": of},
    "ses:SendEmail": lambda _, of: _mail(of),
    "sqs:ChangeMessageVisibility": lambda world, of: (
        _queue(world, of) | {"ReceiptHandle": "none", "VisibilityTimeout": 0}
    ),
    "sqs:DeleteMessage": lambda world, of: _queue(world, of) | {"ReceiptHandle": "none"},
    "sqs:GetQueueAttributes": _queue,
    "sqs:PurgeQueue": _queue,
    "sqs:ReceiveMessage": _queue,
    "sqs:SendMessage": lambda world, of: _queue(world, of) | {"MessageBody": "none"},
}


def _is_refused(world: World, function: str, right: Right, *, in_transaction: str = "") -> bool:
    service, operation = right.action.split(":")
    service = "dynamodbstreams" if "Stream" in operation or "Shard" in operation or "Records" in operation else service
    client = world.hands("sesv2" if service == "ses" else service, function)
    given = ASK[right.action](world, right.resource)
    if function == "ValidateConfigFunction" and operation == "PutEvents":
        given["Entries"][0] |= {"Source": "cancel-core.config", "DetailType": "ConfigInvalid"}
    if function == "ProcessWithdrawalFunction" and operation == "PutEvents":
        given["Entries"][0] |= {"DetailType": "WithdrawalReceived"}
    if function == "ProcessRequestFunction" and operation == "PutEvents":
        given["Entries"][0] |= {"DetailType": "CancellationRequested"}
    if function in {"EraseCommentsFunction", "TakeBackRequestFunction"} and operation == "UpdateItem":
        given["UpdateExpression"] = "REMOVE cancellation"
    if operation == "UpdateItem" and right == world.right((right.action, REQUESTS)):
        given |= {"Key": {"request_id": {"N": "1"}}, "UpdateExpression": "REMOVE comment"}
    if in_transaction:
        operation, given = "TransactWriteItems", {"TransactItems": [{in_transaction: given}]}
    ask = next(getattr(client, name) for name, known in client.meta.method_to_api_mapping.items() if known == operation)
    try:
        ask(**given)
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    return False


@pytest.mark.parametrize("function", ALLOWED)
def test_a_role_can_do_what_its_policy_lists_and_nothing_else(shop: World, function: str) -> None:
    everything = {shop.right(named) for named in NOBODYS.union(*ALLOWED.values())}
    assert {right for right in everything if not _is_refused(shop, function, right)} == shop.rights(function)


WRITES = {"Put": "dynamodb:PutItem", "Update": "dynamodb:UpdateItem", "Delete": "dynamodb:DeleteItem"}


@pytest.mark.parametrize("function", ALLOWED)
def test_a_transaction_is_no_way_around_it(shop: World, function: str) -> None:
    for kind, action in WRITES.items():
        for table in (ORDERS, CONFIG, HISTORY, REFUNDS, MAILS, ACCESS, LIMITS, REQUESTS):
            right = shop.right((action, table))
            assert _is_refused(shop, function, right, in_transaction=kind) == (right not in shop.rights(function))
