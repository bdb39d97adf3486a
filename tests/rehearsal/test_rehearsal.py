"""From sources to a stack and to its end, on an AWS that nobody here wrote: `make rehearse`.

One story: each test goes on where the one before it has stopped. Each says what it has checked.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from local.template import read
from tests.rehearsal.deployment import QUICKLY, STACK, Deployment
from tests.rehearsal.runbook import run, typed
from tests.rehearsal.signin import sign_in
from tests.support.machine import ROOT
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(420)

Json = dict[str, Any]
TABLES = ("OrdersTable", "ConfigTable", "ConfigHistoryTable", "RefundsTable")
KEPT: dict[str, str] = {}


def told(what: str) -> None:
    print(f"  checked: {what}", flush=True)


def enabled(stack: Deployment, value: Json) -> None:
    item = stack.get("ConfigTable", scope="default")
    stack.put("ConfigTable", item | {"enabled": value})


def closed(stack: Deployment, order_id: str, seconds: float = 60) -> float:
    began = time.monotonic()
    wait_until(lambda: stack.status(order_id) == "closed", what=f"{order_id} is closed", seconds=seconds, every=0.2)
    return time.monotonic() - began


def test_it_deploys_with_a_change_set(stack: Deployment) -> None:
    assert "Waiting for changeset to be created" in stack.said
    found = stack.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    assert found["StackStatus"] == "CREATE_COMPLETE"
    resources = stack.resources()
    assert {row["ResourceStatus"] for row in resources.values()} == {"CREATE_COMPLETE"}
    aliases = [name for name, row in resources.items() if row["ResourceType"] == "AWS::Lambda::Alias"]
    declared = read(ROOT / "template.yaml")["Resources"].values()
    functions = [one for one in declared if one["Type"] == "AWS::Serverless::Function"]
    assert len(aliases) == len(functions)
    KEPT.update({name: stack.name(name) for name in TABLES})
    told(f"the emulator answers after {stack.emulator.started_in:.1f} s, with IAM enforced")
    told(f"sam deploy, with a change set: {len(resources)} resources in {stack.took[0]:.0f} s")


def test_the_config_is_seeded_switched_off(stack: Deployment) -> None:
    item = stack.get("ConfigTable", scope="default")
    assert item["enabled"] == {"BOOL": False}
    assert len(item["reasons"]["L"]) == 5
    assert stack.call("list_reasons") == (200, {"enabled": False, "reasons": []})
    told("the seed answered CloudFormation: five reasons, switched off")


def test_a_right_edit_is_in_force_and_a_wrong_one_is_not(stack: Deployment) -> None:
    sqs, sns = stack.client("sqs"), stack.client("sns")
    mailbox = sqs.create_queue(QueueName="an-admins-mailbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=mailbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=mailbox, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=stack.output("ConfigTopicArn"), Protocol="sqs", Endpoint=arn)

    enabled(stack, {"BOOL": True})
    wait_until(
        lambda: stack.get("ConfigHistoryTable", scope="default", version="last_good"),
        what="the edit is judged",
        every=0.2,
    )
    status, reasons = stack.call("list_reasons")
    assert (status, reasons["enabled"], len(reasons["reasons"])) == (200, True, 5)

    enabled(stack, {"S": "perhaps"})
    wait_until(
        lambda: "enabled" in str(stack.get("ConfigTable", scope="default").get("validation")),
        what="the item says what is wrong",
        every=0.2,
    )
    assert stack.call("list_reasons")[1]["enabled"] is True
    mail = wait_until(
        lambda: sqs.receive_message(QueueUrl=mailbox, WaitTimeSeconds=1).get("Messages"), what="the mail is there"
    )
    assert "something is wrong with it" in mail[0]["Body"]
    enabled(stack, {"BOOL": True})
    wait_until(
        lambda: "enabled" not in str(stack.get("ConfigTable", scope="default").get("validation", "")),
        what="it is corrected",
    )
    told("a right edit is in force, a wrong one is not, says why, and is mailed by rule and topic")


def test_a_cancel_by_the_alias_is_paid_back(stack: Deployment) -> None:
    stack.put_order("first", "anna")
    assert stack.call("cancel_order", "first", "somebody-else")[0] == 404
    status, answer = stack.call("cancel_order", "first", "anna")
    assert (status, answer["order"]["status"]) == (200, "canceled")
    seconds = closed(stack, "first")
    status, cancellation = stack.call("get_cancellation", "first", "anna")
    assert (status, cancellation["refund"]["status"]) == (200, "succeeded")
    told(f"a cancel with a token's claims goes over stream, bus, rule and queue to closed, {seconds:.1f} s later")


def test_a_customer_of_the_pool_cancels_in_a_browser(stack: Deployment) -> None:
    cognito, pool = stack.client("cognito-idp"), stack.output("UserPoolId")
    email, password = "anna@shop.example", "Correct-horse-Battery-9"
    made = cognito.admin_create_user(UserPoolId=pool, Username=email, MessageAction="SUPPRESS")["User"]
    cognito.admin_set_user_password(UserPoolId=pool, Username=email, Password=password, Permanent=True)
    client = stack.output("UserPoolClientId")
    (callback,) = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=client)["UserPoolClient"]["CallbackURLs"]
    customer = next(one["Value"] for one in made["Attributes"] if one["Name"] == "sub")
    stack.put_order("by-browser", customer)
    api = stack.make_routes()
    with stack.http() as http:
        tokens = sign_in(http, client, callback, email, password)
        assert http.get(f"{api}/cancellation-reasons").status_code == 200
        assert http.get(f"{api}/orders/by-browser").status_code == 401
        bad = {"authorization": f"Bearer {tokens['access_token'][:-8]}AAAAAAAA"}
        assert http.get(f"{api}/orders/by-browser", headers=bad).status_code == 401
        signed_in = {"authorization": f"Bearer {tokens['access_token']}"}
        named = {"authorization": f"Bearer {tokens['id_token']}"}
        assert http.get(f"{api}/orders/by-browser", headers=named).status_code == 403
        shown = http.get(f"{api}/orders/by-browser", headers=signed_in)
        assert (shown.status_code, shown.json()["available_actions"]) == (200, ["CANCEL"]), shown.text
        assert http.get(f"{api}/orders/first", headers=signed_in).status_code == 404
        done = http.post(f"{api}/orders/by-browser/cancellation", headers=signed_in, json={"reason": "other"})
        assert (done.status_code, done.json()["order"]["status"]) == (200, "canceled"), done.text
    closed(stack, "by-browser")
    told(
        "the pool's own pages, code flow with PKCE, JWT authorizer and routes of the OpenAPI body: 401, 404, 200, and "
        "403 for an ID token"
    )


def test_each_function_has_its_own_roles_rights_and_no_others(stack: Deployment) -> None:
    """Without its role's policy the very same call fails: what is allowed is allowed by the template alone."""
    iam, role = stack.client("iam"), stack.name("GetOrderFunctionRole")
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    assert stack.call("get_order", "first", "anna")[0] == 200
    iam.delete_role_policy(RoleName=role, PolicyName=policy)
    try:
        assert stack.call("get_order", "first", "anna")[0] in {500, 503}
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))
    assert stack.call("get_order", "first", "anna")[0] == 200
    told("each function under its own role: without its policy the same call is refused")


def test_of_eight_cancels_at_once_one_wins(stack: Deployment) -> None:
    stack.put_order("contended", "anna")

    def cancel(number: int) -> str:
        body = json.dumps({"reason": "other", "comment": str(number)})
        status, answer = stack.call("cancel_order", "contended", "anna", body=body)
        return "won" if status == 200 else str(answer["code"])

    with ThreadPoolExecutor(8) as pool:
        began = time.monotonic()
        answers = list(pool.map(cancel, range(8)))
    seconds = time.monotonic() - began
    assert answers.count("won") == 1, answers
    assert set(answers) <= {"won", "IDEMPOTENCY_KEY_REUSED", "INVALID_ORDER_STATUS", "CONCURRENT_UPDATE"}
    closed(stack, "contended")
    told(f"of eight cancels at once one wins ({seconds:.1f} s)")


def test_a_poisoned_message_ends_in_the_dead_letter_queue(stack: Deployment) -> None:
    sqs, queue = stack.client("sqs"), stack.name("RefundQueue")
    dead = stack.name("RefundDeadLetterQueue")
    redrive = json.loads(
        sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"]
    )
    assert str(redrive["maxReceiveCount"]) == "5"
    # Five tries take six minutes, even with RefundRetrySeconds 1. Two are the same way.
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": json.dumps(redrive | {"maxReceiveCount": 2})})
    sqs.send_message(QueueUrl=queue, MessageBody="no event at all")
    stack.put_order("behind-it", "anna")
    stack.call("cancel_order", "behind-it", "anna")
    closed(stack, "behind-it")
    message = wait_until(
        lambda: sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=2).get("Messages"),
        what="it is put aside",
        seconds=90,
    )
    assert message[0]["Body"] == "no event at all"
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": json.dumps(redrive)})
    told("a poisoned message ends in the dead-letter queue and holds up no other refund")


def test_the_schedule_announces_again_what_was_lost(stack: Deployment) -> None:
    events, bus = stack.client("events"), stack.name("EventBus")
    # The physical id of a rule on a bus of its own is bus|rule.
    rule = stack.name("RefundRule").split("|")[-1]
    events.disable_rule(Name=rule, EventBusName=bus)
    stack.put_order("lost", "anna")
    stack.call("cancel_order", "lost", "anna")
    time.sleep(5)
    assert stack.status("lost") == "canceled"
    events.enable_rule(Name=rule, EventBusName=bus)
    seconds = closed(stack, "lost", seconds=150)
    told(f"a refund whose event was lost is announced again by the schedule, {seconds:.0f} s later")


def test_the_documents_lines_run(stack: Deployment, tmp_path: Path) -> None:
    lines = typed()
    # The administrator's own, for exports.
    stack.client("s3").create_bucket(
        Bucket="my-bucket", CreateBucketConfiguration={"LocationConstraint": stack.emulator.environment["AWS_REGION"]}
    )
    assert [wrong for line in lines if (wrong := run(stack, line, tmp_path))] == []
    told(f"{len(lines)} blocks of the documents that call the AWS CLI, as they are typed")


def versions(stack: Deployment) -> dict[str, str]:
    """The version that each alias stands at, by its logical id."""
    client, found = stack.client("lambda"), {}
    for name, row in stack.resources().items():
        if row["ResourceType"] == "AWS::Lambda::Alias":
            function = row["PhysicalResourceId"].removesuffix(":live").split(":")[-1]
            alias = client.get_alias(FunctionName=function, Name="live")
            assert not alias.get("RoutingConfig", {}).get("AdditionalVersionWeights")
            found[name] = alias["FunctionVersion"]
    return found


def test_an_update_moves_the_aliases_and_leaves_the_tables_alone(stack: Deployment) -> None:
    before, shown = versions(stack), stack.call("get_order", "first", "anna")
    source = stack.tree / "functions/get_order/app.py"
    source.write_text(source.read_text() + "\n\nCHANGED = True\n")

    stack.deploy(ConfigCacheSeconds="1")

    found = stack.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    assert found["StackStatus"] == "UPDATE_COMPLETE"
    after = versions(stack)
    assert {name for name in before if after[name] == before[name]} == set()
    function = stack.name("GetOrderFunction")
    live = stack.client("lambda").get_function_configuration(FunctionName=function, Qualifier="live")
    assert live["Environment"]["Variables"]["CONFIG_CACHE_SECONDS"] == "1"
    # What was not said again has stayed: the parameters are those of the live stack.
    values = {one["ParameterKey"]: one["ParameterValue"] for one in found["Parameters"]}
    assert (QUICKLY | {"ConfigCacheSeconds": "1"}).items() <= values.items()
    assert {name: stack.name(name) for name in TABLES} == KEPT
    assert stack.call("get_order", "first", "anna") == shown
    stack.put_order("after-the-update", "anna")
    assert stack.call("cancel_order", "after-the-update", "anna")[0] == 200
    closed(stack, "after-the-update")
    told(
        f"an update ({stack.took[1]:.0f} s): a new version of each function, aliases moved, tables and items untouched"
    )


def test_deleting_the_stack_keeps_the_tables(stack: Deployment) -> None:
    cloudformation, dynamodb = stack.client("cloudformation"), stack.client("dynamodb")
    cloudformation.delete_stack(StackName=STACK)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 2, "MaxAttempts": 60}
    )
    for name in TABLES:
        table = dynamodb.describe_table(TableName=KEPT[name])["Table"]
        assert table["TableStatus"] == "ACTIVE"
        # A text here, a truth value in AWS.
        assert str(table["DeletionProtectionEnabled"]).lower() == "true"
    item = dynamodb.get_item(TableName=KEPT["OrdersTable"], Key={"order_id": {"S": "first"}})["Item"]
    assert item["status"] == {"S": "closed"}
    gone = [
        one["FunctionName"]
        for one in stack.client("lambda").list_functions()["Functions"]
        if STACK in one["FunctionName"]
    ]
    assert gone == []
    told("the stack is deleted; its tables, protected, and what is in them are kept")
