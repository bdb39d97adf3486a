"""Least privilege: what each function may do, to the letter. A wider right is a change of this list first."""

from __future__ import annotations

from fnmatch import fnmatchcase as fnmatch
from typing import Any

import pytest
from cancel_core.domain.order_change import DECIDED_ON

Json = dict[str, Any]

ORDERS, CONFIG, REFUNDS = "OrdersTable.Arn", "ConfigTable.Arn", "RefundsTable.Arn"
HISTORY, MAILS, ACCESS = "ConfigHistoryTable.Arn", "MailsTable.Arn", "AccessTable.Arn"
WITHDRAWALS, LIMITS, REQUESTS = "WithdrawalsTable.Arn", "LimitsTable.Arn", "RequestsTable.Arn"
OPEN_REQUESTS = "${RequestsTable.Arn}/index/open"
BY_DAY, UNSENT = "${WithdrawalsTable.Arn}/index/by_day", "${MailsTable.Arn}/index/unsent"
MAIL_CONFIGURATION_SET = (
    "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:configuration-set/${MailConfigurationSet}"
)
READ_CONFIG = {("dynamodb:BatchGetItem", CONFIG), ("dynamodb:BatchGetItem", HISTORY)}
FIND_GUEST = ("dynamodb:GetItem", ACCESS)
UNSETTLED = "${RefundsTable.Arn}/index/unsettled"
BY_CUSTOMER, REFUND_PENDING = "${OrdersTable.Arn}/index/by_customer", "${OrdersTable.Arn}/index/refund_pending"

ALLOWED: dict[str, set[tuple[str, str]]] = {
    "ListReasonsFunction": READ_CONFIG,
    "ListOrdersFunction": {("dynamodb:Query", BY_CUSTOMER), *READ_CONFIG},
    "GetOrderFunction": {("dynamodb:Query", ORDERS), FIND_GUEST, *READ_CONFIG},
    "CheckEligibilityFunction": {("dynamodb:Query", ORDERS), FIND_GUEST, *READ_CONFIG},
    "CancelOrderFunction": {
        ("dynamodb:Query", ORDERS),
        ("dynamodb:UpdateItem", ORDERS),
        ("dynamodb:UpdateItem", LIMITS),
        FIND_GUEST,
        *READ_CONFIG,
    },
    "TakeBackRequestFunction": {
        ("dynamodb:Query", ORDERS),
        ("dynamodb:UpdateItem", ORDERS),
        FIND_GUEST,
        *READ_CONFIG,
    },
    # What anybody sends is taken by a function that can't tell what orders there are.
    "SubmitWithdrawalFunction": {
        ("dynamodb:GetItem", WITHDRAWALS),
        ("dynamodb:PutItem", WITHDRAWALS),
        *READ_CONFIG,
    },
    "WithdrawOrderFunction": {
        ("dynamodb:Query", ORDERS),
        ("dynamodb:GetItem", WITHDRAWALS),
        ("dynamodb:PutItem", WITHDRAWALS),
        *READ_CONFIG,
    },
    "GetCancellationFunction": {("dynamodb:Query", ORDERS), FIND_GUEST},
    # It can read nothing, and so tell nothing.
    "RequestGuestCodeFunction": {("sqs:SendMessage", "GuestCodeQueue.Arn")},
    "SendGuestCodeFunction": {
        ("dynamodb:Query", ORDERS),
        *READ_CONFIG,
        ("dynamodb:GetItem", ACCESS),
        ("dynamodb:PutItem", ACCESS),
        ("sqs:SendMessage", "GuestMailQueue.Arn"),
        ("sqs:ReceiveMessage", "GuestCodeQueue.Arn"),
        ("sqs:DeleteMessage", "GuestCodeQueue.Arn"),
        ("sqs:GetQueueAttributes", "GuestCodeQueue.Arn"),
        ("sqs:ChangeMessageVisibility", "GuestCodeQueue.Arn"),
    },
    "RedeemGuestCodeFunction": {
        ("dynamodb:Query", ORDERS),
        ("dynamodb:UpdateItem", ACCESS),
        ("dynamodb:PutItem", ACCESS),
    },
    "PublishEventsFunction": {
        ("dynamodb:Query", ORDERS),
        ("dynamodb:UpdateItem", ORDERS),
        ("dynamodb:UpdateItem", REFUNDS),
        ("events:PutEvents", "EventBus.Arn"),
        ("dynamodb:DescribeStream", "OrdersTable.StreamArn"),
        ("dynamodb:GetRecords", "OrdersTable.StreamArn"),
        ("dynamodb:GetShardIterator", "OrdersTable.StreamArn"),
        ("dynamodb:ListStreams", "*"),
        ("sqs:SendMessage", "PublishDeadLetterQueue.Arn"),
    },
    "RefundOrderFunction": {
        ("dynamodb:BatchGetItem", ORDERS),
        ("dynamodb:UpdateItem", ORDERS),
        ("dynamodb:BatchGetItem", REFUNDS),
        ("dynamodb:PutItem", REFUNDS),
        ("dynamodb:UpdateItem", REFUNDS),
        ("sqs:ReceiveMessage", "RefundQueue.Arn"),
        ("sqs:DeleteMessage", "RefundQueue.Arn"),
        ("sqs:GetQueueAttributes", "RefundQueue.Arn"),
        ("sqs:ChangeMessageVisibility", "RefundQueue.Arn"),
        ("secretsmanager:GetSecretValue", "StripeSecretArn"),
    },
    "SendMailFunction": {
        ("dynamodb:Query", ORDERS),
        *READ_CONFIG,
        ("dynamodb:PutItem", MAILS),
        ("dynamodb:UpdateItem", MAILS),
        ("dynamodb:Query", WITHDRAWALS),
        ("dynamodb:GetItem", ACCESS),
        ("sqs:ReceiveMessage", "GuestMailQueue.Arn"),
        ("sqs:DeleteMessage", "GuestMailQueue.Arn"),
        ("sqs:GetQueueAttributes", "GuestMailQueue.Arn"),
        ("sqs:ChangeMessageVisibility", "GuestMailQueue.Arn"),
        ("sqs:ReceiveMessage", "MailQueue.Arn"),
        ("sqs:DeleteMessage", "MailQueue.Arn"),
        ("sqs:GetQueueAttributes", "MailQueue.Arn"),
        ("sqs:ChangeMessageVisibility", "MailQueue.Arn"),
        # From the one identity alone; SES asks for the configuration set's leave as well.
        ("ses:SendEmail", "MailIdentityArn"),
        ("ses:SendEmail", MAIL_CONFIGURATION_SET),
    },
    "ValidateConfigFunction": {
        *READ_CONFIG,
        ("dynamodb:Scan", CONFIG),
        ("dynamodb:UpdateItem", CONFIG),
        ("dynamodb:PutItem", HISTORY),
        ("dynamodb:UpdateItem", HISTORY),
        ("events:PutEvents", "EventBus.Arn"),
        ("dynamodb:DescribeStream", "ConfigTable.StreamArn"),
        ("dynamodb:GetRecords", "ConfigTable.StreamArn"),
        ("dynamodb:GetShardIterator", "ConfigTable.StreamArn"),
        ("dynamodb:ListStreams", "*"),
        ("sqs:SendMessage", "ConfigDeadLetterQueue.Arn"),
    },
    "SeedConfigFunction": {("dynamodb:PutItem", CONFIG)},
    "EraseCommentsFunction": {
        *(("dynamodb:Scan", table) for table in (ORDERS, REQUESTS)),
        *(("dynamodb:UpdateItem", table) for table in (ORDERS, REQUESTS)),
    },
    "ReconcileRefundsFunction": {
        ("dynamodb:Scan", REFUND_PENDING),
        ("dynamodb:Scan", UNSETTLED),
        ("dynamodb:BatchGetItem", ORDERS),
        ("dynamodb:BatchGetItem", REFUNDS),
        ("dynamodb:UpdateItem", ORDERS),
        ("events:PutEvents", "EventBus.Arn"),
    },
}
ALLOWED["ProcessWithdrawalFunction"] = {
    ("dynamodb:Query", ORDERS),
    ("dynamodb:UpdateItem", ORDERS),
    *READ_CONFIG,
    # What was said is added to, and neither changed nor deleted.
    ("dynamodb:Query", WITHDRAWALS),
    ("dynamodb:PutItem", WITHDRAWALS),
    ("dynamodb:Query", BY_DAY),
    ("dynamodb:Scan", UNSENT),
    ("dynamodb:BatchGetItem", MAILS),
    ("dynamodb:UpdateItem", MAILS),
    ("sqs:SendMessage", "MailQueue.Arn"),
    ("events:PutEvents", "EventBus.Arn"),
    ("dynamodb:DescribeStream", "WithdrawalsTable.StreamArn"),
    ("dynamodb:GetRecords", "WithdrawalsTable.StreamArn"),
    ("dynamodb:GetShardIterator", "WithdrawalsTable.StreamArn"),
    ("dynamodb:ListStreams", "*"),
    ("sqs:SendMessage", "WithdrawalDeadLetterQueue.Arn"),
}
ALLOWED["ProcessRequestFunction"] = {
    ("dynamodb:Query", ORDERS),
    ("dynamodb:UpdateItem", ORDERS),
    *READ_CONFIG,
    ("dynamodb:GetItem", REQUESTS),
    ("dynamodb:PutItem", REQUESTS),
    ("dynamodb:UpdateItem", REQUESTS),
    ("dynamodb:Query", OPEN_REQUESTS),
    ("events:PutEvents", "EventBus.Arn"),
    *(
        (f"dynamodb:{action}", f"{table}.StreamArn")
        for action in ("DescribeStream", "GetRecords", "GetShardIterator")
        for table in ("OrdersTable", "RequestsTable")
    ),
    ("dynamodb:ListStreams", "*"),
    ("sqs:SendMessage", "RequestDeadLetterQueue.Arn"),
}
EVENTS = {"OrderCanceled", "OrderRefunded", "OrderRefundFailed", "OrderPaymentSurplus"}
WRITTEN = {"order_id", "status", "history", "cancellation", "refund_pending_since", *DECIDED_ON}
# Logs and traces, from AWS's own lists.
MANAGED = {"service-role/AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess"}
TRACES = {
    f"xray:{action}"
    for action in (
        "PutTraceSegments",
        "PutTelemetryRecords",
        "GetSamplingRules",
        "GetSamplingTargets",
        "GetSamplingStatisticSummaries",
    )
}
# Moves the aliases from version to version; the transform makes it.
CODE_DEPLOY = "CodeDeployServiceRole"
# ListStreams knows no resource.
ON_EVERYTHING = {"dynamodb:ListStreams"}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _resource(value: Any) -> str:
    if isinstance(value, str):
        return value
    ((intrinsic, argument),) = value.items()
    return ".".join(argument) if intrinsic == "Fn::GetAtt" else str(argument)


def _allowed(role: Json) -> set[tuple[str, str]]:
    allowed = set()
    for policy in role["Properties"].get("Policies", []):
        for stated in policy["PolicyDocument"]["Statement"]:
            # One that is there on a condition: what it allows then.
            statement = stated["Fn::If"][1] if "Fn::If" in stated else stated
            assert statement["Effect"] == "Allow"
            assert not {"NotAction", "NotResource"} & set(statement)
            allowed |= {
                (action, _resource(resource))
                for action in _list(statement["Action"])
                for resource in _list(statement["Resource"])
            }
    return allowed


def _roles(deployed: Json) -> dict[str, Json]:
    """The functions' roles, by function."""
    return {
        name.removesuffix("Role"): resource
        for name, resource in deployed["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role" and name != CODE_DEPLOY
    }


def test_nothing_changes_or_deletes_a_statement_of_withdrawal(deployed: Json) -> None:
    """Items of that table are put, and read. Whatever else a role may do there is a defect."""
    harmless = {"PutItem", "GetItem", "Query", "DescribeStream", "GetRecords", "GetShardIterator"}
    for function, role in _roles(deployed).items():
        for action, resource in _allowed(role):
            if "WithdrawalsTable" in resource or (resource == "*" and action.startswith("dynamodb:")):
                assert action.removeprefix("dynamodb:") in harmless | {"ListStreams"}, (function, action)


def test_each_function_may_do_just_what_it_does(deployed: Json) -> None:
    assert {function: _allowed(role) for function, role in _roles(deployed).items()} == ALLOWED


def test_each_function_has_a_role_of_its_own(deployed: Json) -> None:
    functions = {
        name: resource["Properties"]["Role"]
        for name, resource in deployed["Resources"].items()
        if resource["Type"] == "AWS::Lambda::Function"
    }
    assert functions == {name: {"Fn::GetAtt": [f"{name}Role", "Arn"]} for name in ALLOWED}


def test_nothing_else_comes_along_from_managed_policies(deployed: Json) -> None:
    for role in _roles(deployed).values():
        arns = role["Properties"]["ManagedPolicyArns"]
        assert {arn.split(":policy/")[-1] for arn in arns} == MANAGED


def test_the_boundary_lets_all_of_that_through_and_no_log_but_the_functions_own(deployed: Json) -> None:
    """SAM's managed policy for logs names all of the account's: what a role can do is what both allow."""
    assert {role["Properties"]["PermissionsBoundary"]["Ref"] for role in _roles(deployed).values()} == {
        "FunctionsBoundary"
    }
    statements = deployed["Resources"]["FunctionsBoundary"]["Properties"]["PolicyDocument"]["Statement"]
    anywhere = [
        action
        for statement in statements
        if _resource(statement["Resource"]) == "*"
        for action in _list(statement["Action"])
    ]
    on_one = {
        (action, _resource(statement["Resource"]))
        for statement in statements
        if _resource(statement["Resource"]) != "*"
        for action in _list(statement["Action"])
    }
    assert on_one == {(f"logs:{action}", "FunctionsLogGroup.Arn") for action in ("CreateLogStream", "PutLogEvents")}
    assert not [action for action in anywhere if action.startswith(("logs:", "iam:", "sts:", "*"))]
    for action in {action for allowed in ALLOWED.values() for action, _ in allowed} | TRACES:
        assert any(fnmatch(action, pattern) for pattern in anywhere), action


def test_who_moves_the_aliases_is_code_deploy_with_its_own_policy(deployed: Json) -> None:
    role = deployed["Resources"][CODE_DEPLOY]["Properties"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": ["codedeploy.amazonaws.com"]}
    assert [arn.split(":policy/")[-1] for arn in role["ManagedPolicyArns"]] == [
        "service-role/AWSCodeDeployRoleForLambda"
    ]
    assert "Policies" not in role


def test_nobody_may_delete_an_order_and_no_action_is_a_pattern(deployed: Json) -> None:
    for role in _roles(deployed).values():
        for action, resource in _allowed(role):
            assert "*" not in action
            assert action not in {"dynamodb:DeleteItem", "dynamodb:BatchWriteItem", "dynamodb:PartiQLDelete"}
            assert resource != "*" or action in ON_EVERYTHING


def _conditions(role: Json, action: str, resource: str) -> list[Any]:
    return [
        statement.get("Condition")
        for policy in role["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if "Fn::If" not in statement
        and action in _list(statement["Action"])
        and resource in map(_resource, _list(statement["Resource"]))
    ]


@pytest.mark.parametrize(
    ("function", "source", "detail_types"),
    [
        ("PublishEventsFunction", "cancel-core", EVENTS),
        ("ReconcileRefundsFunction", "cancel-core", EVENTS),
        ("ProcessWithdrawalFunction", "cancel-core", {"WithdrawalReceived"}),
        ("ProcessRequestFunction", "cancel-core", {"CancellationRequested", "CancellationDeclined"}),
        ("ValidateConfigFunction", "cancel-core.config", {"ConfigInvalid"}),
    ],
)
def test_each_announces_its_own_events_and_no_other(
    deployed: Json, function: str, source: str, detail_types: set[str]
) -> None:
    (condition,) = _conditions(_roles(deployed)[function], "events:PutEvents", "EventBus.Arn")
    assert set(condition["StringEquals"].pop("events:detail-type")) == detail_types
    assert condition == {
        "ForAllValues:StringEquals": {"events:source": source},
        "StringEquals": {},
        "Null": {"events:source": "false"},
    }


@pytest.mark.parametrize(
    ("function", "attributes"),
    [
        ("CancelOrderFunction", WRITTEN),
        ("PublishEventsFunction", WRITTEN),
        ("RefundOrderFunction", WRITTEN),
        ("ProcessWithdrawalFunction", {*WRITTEN, "withdrawal"}),
        ("ProcessRequestFunction", WRITTEN),
        (
            "TakeBackRequestFunction",
            {"order_id", "placed_at", "history", "cancellation", "cancellation_request"},
        ),
        ("ReconcileRefundsFunction", {"order_id", "refund_pending_since"}),
        # The comment is one of the cancellation; whether IAM looks at it as well is not documented.
        ("EraseCommentsFunction", {"order_id", "cancellation", "cancellation_request", "comment"}),
    ],
)
def test_of_an_order_no_more_is_written_than_the_product_knows(
    deployed: Json, function: str, attributes: set[str]
) -> None:
    """`dynamodb:Attributes` are all that a request names, in its condition, too."""
    (condition,) = _conditions(_roles(deployed)[function], "dynamodb:UpdateItem", ORDERS)
    ((operator, keys),) = condition.items()
    assert operator == "ForAllValues:StringEquals"
    assert set(keys.pop("dynamodb:Attributes")) == attributes
    assert not keys


def test_the_reasons_read_the_config_and_nothing_else(deployed: Json) -> None:
    assert {resource for _, resource in _allowed(_roles(deployed)["ListReasonsFunction"])} == {CONFIG, HISTORY}


@pytest.mark.parametrize(
    ("policy", "rules", "action"),
    [
        ("QueuePolicy", ["RefundRule"], "sqs:SendMessage"),
        ("MailQueuePolicy", ["MailRule", "MailReturnedRule"], "sqs:SendMessage"),
        ("ConfigQueuePolicy", ["ConfigInvalidRule"], "sqs:SendMessage"),
    ],
)
def test_only_its_own_rules_may_send_to_a_queue(policy: str, rules: list[str], action: str, deployed: Json) -> None:
    kinds = {"AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"}
    policies = {name: r["Properties"] for name, r in deployed["Resources"].items() if r["Type"] in kinds}
    assert policies.keys() == {"QueuePolicy", "MailQueuePolicy", "ConfigQueuePolicy", "ConfigTopicPolicy"}
    (statement,) = policies[policy]["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Action"] == action
    assert statement["Condition"].keys() == {"ArnEquals"}
    sources = _list(statement["Condition"]["ArnEquals"]["aws:SourceArn"])
    named = [source["Fn::If"][1] if "Fn::If" in source else source for source in sources]
    assert named == [{"Fn::GetAtt": [rule, "Arn"]} for rule in rules]


def test_the_topics_policy_has_no_condition_which_event_bridge_would_not_meet(deployed: Json) -> None:
    """Source: EventBridge user guide, Troubleshooting: no Condition blocks in policies of SNS topics."""
    (statement,) = deployed["Resources"]["ConfigTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": {"Ref": "ConfigTopic"},
    }


def test_only_its_route_or_the_schedule_calls_a_function(deployed: Json) -> None:
    callers = {
        resource["Properties"]["FunctionName"]["Ref"].removesuffix("Aliaslive"): (
            resource["Properties"]["Principal"],
            _resource(resource["Properties"]["SourceArn"]),
        )
        for resource in deployed["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Permission"
    }
    on_a_schedule: tuple[str, ...] = ("ReconcileRefundsFunction", "EraseCommentsFunction", "ProcessWithdrawalFunction")
    on_a_schedule += ("ProcessRequestFunction",)
    for function in on_a_schedule:
        assert callers.pop(function) == ("events.amazonaws.com", f"{function}Timer.Arn")
    # Those that read a stream or a queue are called by Lambda itself.
    assert callers.keys() == ALLOWED.keys() - {
        *on_a_schedule,
        "PublishEventsFunction",
        "RefundOrderFunction",
        "SendMailFunction",
        "SendGuestCodeFunction",
        "ValidateConfigFunction",
        # CloudFormation, with the permissions of the deploying identity.
        "SeedConfigFunction",
    }
    for principal, source in callers.values():
        assert principal == "apigateway.amazonaws.com"
        assert "'__ApiId__': {'Ref': 'HttpApi'}" in source


def test_nothing_is_opened_to_other_accounts(deployed: Json) -> None:
    for name, resource in deployed["Resources"].items():
        kind, properties = resource["Type"], resource.get("Properties", {})
        # A managed policy says who may do what by being attached, here as the boundary of the functions' roles.
        assert not kind.endswith("Policy") or kind in {
            "AWS::IAM::ManagedPolicy",
            "AWS::SQS::QueuePolicy",
            "AWS::SNS::TopicPolicy",
        }
        assert not {"ResourcePolicy", "Policy"} & set(properties)
        assert "ResourcePolicy" not in properties.get("StreamSpecification", {})
        if kind == "AWS::IAM::Role":
            (trust,) = properties["AssumeRolePolicyDocument"]["Statement"]
            service = "codedeploy" if name == CODE_DEPLOY else "lambda"
            assert trust["Principal"] == {"Service": [f"{service}.amazonaws.com"]}
