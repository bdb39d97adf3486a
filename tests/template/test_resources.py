"""Tables, queues and alarms: nothing is lost without a sound."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from cancel_core.domain.events import CONFIG_SOURCE
from cancel_core.domain.mails import TO_THE_CUSTOMER, TO_THE_SHOP
from cancel_core.domain.withdrawal_mails import WITHDRAWAL_RECEIVED
from cancel_core.entrypoints.mail_queue import RETURNED

from tests.support.machine import ROOT

Json = dict[str, Any]

TABLES = [
    *("OrdersTable", "ConfigTable", "ConfigHistoryTable", "RefundsTable", "MailsTable", "AccessTable"),
    *("WithdrawalsTable", "LimitsTable", "RequestsTable"),
]
WEEK = 7 * 24 * 3600


def _of_type(resources: dict[str, Json], kind: str) -> dict[str, Json]:
    return {name: resource["Properties"] for name, resource in resources.items() if resource["Type"] == kind}


def _queue(reference: Any) -> str:
    name: str = reference["Fn::GetAtt"][0]
    return name


# ------------------------------------------------------------------------------------------------------------- tables


def test_these_are_all_the_tables(resources: dict[str, Json]) -> None:
    assert sorted(_of_type(resources, "AWS::DynamoDB::Table")) == sorted(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_safe(name: str, resources: dict[str, Json]) -> None:
    table = resources[name]
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
    properties = table["Properties"]
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    # A name of its own would keep a second stack out of the account.
    assert "TableName" not in properties


def test_deletion_protection_is_on_unless_someone_says_otherwise(template: Json) -> None:
    assert template["Parameters"]["DeletionProtection"]["Default"] == "true"


def test_the_orders_keys_indexes_and_stream(resources: dict[str, Json]) -> None:
    properties = resources["OrdersTable"]["Properties"]
    assert properties["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert _keys(properties) == ["order_id"]
    assert {index["IndexName"]: _keys(index) for index in properties["GlobalSecondaryIndexes"]} == {
        "by_customer": ["customer_id", "placed_at"],
        "refund_pending": ["refund_pending_since"],
    }


def _keys(table: Json) -> list[str]:
    return [key["AttributeName"] for key in table["KeySchema"]]


def test_the_other_tables_keys(resources: dict[str, Json]) -> None:
    config, history = (resources[name]["Properties"] for name in ("ConfigTable", "ConfigHistoryTable"))
    assert _keys(config) == ["scope"]
    assert config["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert _keys(history) == ["scope", "version"]
    assert history["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert _keys(resources["RefundsTable"]["Properties"]) == ["refund_id"]
    mails = resources["MailsTable"]["Properties"]
    assert _keys(mails) == ["mail_id"]
    assert {index["IndexName"]: _keys(index) for index in mails["GlobalSecondaryIndexes"]} == {
        "unsent": ["unsent_since"],
        "by_subject": ["about", "created_at"],
    }
    assert mails["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    withdrawals = resources["WithdrawalsTable"]["Properties"]
    assert _keys(withdrawals) == ["withdrawal_id", "part"]
    assert [_keys(index) for index in withdrawals["GlobalSecondaryIndexes"]] == [["day", "received_at"]]
    assert withdrawals["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert withdrawals["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    requests = resources["RequestsTable"]["Properties"]
    assert _keys(requests) == ["request_id"]
    assert [_keys(index) for index in requests["GlobalSecondaryIndexes"]] == [["open", "requested_at"]]
    assert requests["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    for name, key in (("AccessTable", "access_id"), ("LimitsTable", "counted")):
        table = resources[name]["Properties"]
        assert _keys(table) == [key]
        assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


# ------------------------------------------------------------------------------------------------------------- e-mail


def test_without_an_identity_nothing_of_the_mails_runs_or_has_a_price(resources: dict[str, Json]) -> None:
    mails = {name: one for name, one in resources.items() if name.startswith(("Mail", "SendMail"))}
    # The function, its queues and its table cost nothing while nobody uses them. What brings a withdrawal there and
    # tells that its receipt waits is there always, and brings nothing else.
    always = {"SendMailFunction", "MailQueue", "MailDeadLetterQueue", "MailsTable"}
    always |= {"SendMailSource", "MailRule", "MailQueuePolicy"}
    always |= {"MailDelayedAlarm", "MailFunctionErrorsAlarm", "MailDeadLetterAlarm"}
    with_identity, without = resources["MailRule"]["Properties"]["EventPattern"]["detail-type"]["Fn::If"][1:]
    assert without == [WITHDRAWAL_RECEIVED]
    assert set(with_identity) == {*TO_THE_CUSTOMER, *TO_THE_SHOP, WITHDRAWAL_RECEIVED}
    assert {name for name, one in mails.items() if "Condition" not in one} == always
    assert {one.get("Condition", "SendMail") for one in mails.values()} == {"SendMail"}


def test_what_comes_back_is_that_of_this_stacks_own_mails(resources: dict[str, Json]) -> None:
    destination = resources["MailEventDestination"]["Properties"]["EventDestination"]
    assert destination["MatchingEventTypes"] == ["BOUNCE", "COMPLAINT"]
    rule = resources["MailReturnedRule"]["Properties"]
    assert "EventBusName" not in rule, "SES knows the account's default bus alone"
    tags = rule["EventPattern"]["detail"]["mail"]["tags"]
    assert tags == {"ses:configuration-set": [{"Ref": "MailConfigurationSet"}]}
    assert rule["EventPattern"]["detail-type"] == list(RETURNED)


# ------------------------------------------------------------------------------------------------------------- queues


def test_what_is_consumed_ends_in_a_dead_letter_queue(resources: dict[str, Json]) -> None:
    sources = _of_type(resources, "AWS::Lambda::EventSourceMapping")
    assert len(sources) == 9
    for source in sources.values():
        origin = _queue(source["EventSourceArn"])
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        if resources[origin]["Type"] == "AWS::SQS::Queue":
            redrive = resources[origin]["Properties"]["RedrivePolicy"]
            assert resources[_queue(redrive["deadLetterTargetArn"])]["Type"] == "AWS::SQS::Queue"
            assert redrive["maxReceiveCount"] >= 3
        else:
            assert (
                resources[_queue(source["DestinationConfig"]["OnFailure"]["Destination"])]["Type"] == "AWS::SQS::Queue"
            )
            assert source["BisectBatchOnFunctionError"] is True
            assert 1 <= source["MaximumRetryAttempts"] <= 10


def test_what_a_rule_cannot_deliver_is_kept(resources: dict[str, Json]) -> None:
    for rule in _of_type(resources, "AWS::Events::Rule").values():
        for target in rule["Targets"]:
            assert resources[_queue(target["DeadLetterConfig"]["Arn"])]["Type"] == "AWS::SQS::Queue"


def test_the_admins_mail_is_made_of_what_the_event_has(resources: dict[str, Json]) -> None:
    rule = resources["ConfigInvalidRule"]["Properties"]
    assert rule["EventPattern"] == {"source": [CONFIG_SOURCE], "detail-type": ["ConfigInvalid"]}
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Ref": "ConfigTopic"}
    paths, template = (target["InputTransformer"][name] for name in ("InputPathsMap", "InputTemplate"))
    schema = json.loads((ROOT / "docs/schemas/events/ConfigInvalid.json").read_text())
    known = schema["$defs"]["ConfigInvalidDetail"]["required"]
    assert {path.removeprefix("$.detail.") for path in paths.values()} <= set(known)
    assert set(re.findall(r"<(\w+)>", template)) == set(paths)
    # EventBridge takes a text for text when each of its lines stands between quotation marks.
    assert all(re.fullmatch(r'"[^"]+"', line) for line in template.splitlines())


def test_a_message_stays_hidden_while_its_refund_is_tried(resources: dict[str, Json], template: Json) -> None:
    for source in _of_type(resources, "AWS::Lambda::EventSourceMapping").values():
        queue = resources[_queue(source["EventSourceArn"])]
        if queue["Type"] == "AWS::SQS::Queue":
            function = resources[source["FunctionName"]["Ref"].removesuffix(".Alias")]["Properties"]
            timeout = function.get("Timeout", template["Globals"]["Function"]["Timeout"])
            assert queue["Properties"]["VisibilityTimeout"] >= 6 * timeout


def test_queues_are_encrypted_and_dead_letters_are_kept_longest(resources: dict[str, Json]) -> None:
    queues = _of_type(resources, "AWS::SQS::Queue")
    assert all(queue["SqsManagedSseEnabled"] is True for queue in queues.values())
    dead = {name: queue for name, queue in queues.items() if "DeadLetter" in name}
    alive = {name: queue for name, queue in queues.items() if name not in dead}
    assert min(q["MessageRetentionPeriod"] for q in dead.values()) >= 2 * WEEK
    assert max(q["MessageRetentionPeriod"] for q in alive.values()) <= WEEK


# ------------------------------------------------------------------------------------------------------------- alarms


def _alarms(resources: dict[str, Json]) -> dict[str, Json]:
    return _of_type(resources, "AWS::CloudWatch::Alarm")


def test_each_dead_letter_queue_is_watched(resources: dict[str, Json]) -> None:
    watched = {
        _queue(alarm["Dimensions"][0]["Value"])
        for alarm in _alarms(resources).values()
        if alarm.get("Namespace") == "AWS/SQS" and alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    }
    assert watched == {name for name in _of_type(resources, "AWS::SQS::Queue") if "DeadLetter" in name}


def test_silence_is_told_after_an_hour_not_after_several(resources: dict[str, Json]) -> None:
    """CloudWatch looks for data up to some periods before those that count: with long periods that is hours."""
    alarm = _alarms(resources)["ReconcilerSilentAlarm"]
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["Period"] <= 300
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 3600
    assert alarm["DatapointsToAlarm"] == alarm["EvaluationPeriods"]


def test_each_table_and_index_has_its_throttles_watched(resources: dict[str, Json]) -> None:
    watched = set()
    alarms = _alarms(resources)
    watching = (
        *("TableThrottlesAlarm", "MailTableThrottlesAlarm", "WithdrawalTableThrottlesAlarm"),
        *("RequestTableThrottlesAlarm", "AccessTableThrottlesAlarm"),
    )
    for query in (query for name in watching for query in alarms[name]["Metrics"]):
        if "MetricStat" in query:
            metric = query["MetricStat"]["Metric"]
            dimensions = {one["Name"]: one["Value"] for one in metric["Dimensions"]}
            watched.add(
                (dimensions["TableName"]["Ref"], dimensions.get("GlobalSecondaryIndexName"), metric["MetricName"])
            )
    for name, table in _of_type(resources, "AWS::DynamoDB::Table").items():
        assert name in {table for table, _, _ in watched} | {"ConfigHistoryTable"}
        for index in table.get("GlobalSecondaryIndexes", []):
            for metric_name in ("ReadThrottleEvents", "WriteThrottleEvents"):
                assert (name, index["IndexName"], metric_name) in watched


def test_the_dashboards_name_is_not_another_regions_and_its_search_quotes_the_namespace(
    resources: dict[str, Json],
) -> None:
    dashboard = _of_type(resources, "AWS::CloudWatch::Dashboard")["Dashboard"]
    assert dashboard["DashboardName"] == {"Fn::Sub": "${AWS::StackName}-${AWS::Region}"}
    schemas = re.findall(r"SEARCH\('\{([^}]+)\}", dashboard["DashboardBody"]["Fn::Sub"])
    # A name with anything but letters, digits and underscores stands between quotation marks, in JSON's own spelling.
    assert schemas == [r"\"cancel-core\",code,service"]


# ---------------------------------------------------------------------------------------------------------- functions


def test_nothing_is_measured_for_a_price_that_no_alarm_looks_at(resources: dict[str, Json], template: Json) -> None:
    assert "DetailedMetricsEnabled" not in resources["HttpApi"]["Properties"]["DefaultRouteSettings"]
    assert template["Parameters"]["Tracing"]["Default"] == "PassThrough"


def test_a_seed_that_cannot_start_does_not_hold_a_deployment_for_an_hour(resources: dict[str, Json]) -> None:
    seed = resources["ConfigSeed"]["Properties"]
    timeout = resources[seed["ServiceToken"]["Fn::GetAtt"][0]]["Properties"]["Timeout"]
    assert timeout < seed["ServiceTimeout"] <= 300


def test_the_pool_that_is_made_can_sign_a_browser_in(resources: dict[str, Json], template: Json) -> None:
    pool, client, domain = (resources[name]["Properties"] for name in ("UserPool", "UserPoolClient", "UserPoolDomain"))
    assert pool["DeletionProtection"] == {"Fn::If": ["Protect", "ACTIVE", "INACTIVE"]}
    assert pool["UserAttributeUpdateSettings"] == {"AttributesRequireVerificationBeforeUpdate": ["email"]}
    assert domain["UserPoolId"] == {"Ref": "UserPool"}
    assert client["AllowedOAuthFlowsUserPoolClient"] is True
    assert client["AllowedOAuthFlows"] == ["code"]
    # A client without a secret: only PKCE shows that who began is who comes back.
    assert client["GenerateSecret"] is False
    assert "openid" in client["AllowedOAuthScopes"]
    assert client["SupportedIdentityProviders"] == ["COGNITO"]
    assert client["CallbackURLs"] == client["LogoutURLs"] == {"Fn::Split": [",", {"Ref": "CallbackUrls"}]}
    # What Cognito takes: https, and http on localhost alone.
    urls = template["Parameters"]["CallbackUrls"]
    assert re.match(urls["AllowedPattern"], urls["Default"])
    assert re.match(urls["AllowedPattern"], "https://shop.example/,http://localhost:3000/")
    assert not re.match(urls["AllowedPattern"], "http://shop.example/")


def test_functions_run_on_what_the_layer_is_built_for(resources: dict[str, Json], template: Json) -> None:
    function = template["Globals"]["Function"]
    layer = resources["CancelCoreLayer"]
    assert function["Runtime"] == layer["Metadata"]["BuildMethod"] == "python3.13"
    assert layer["Properties"]["CompatibleRuntimes"] == ["python3.13"]
    assert function["Architectures"] == layer["Properties"]["CompatibleArchitectures"] == [{"Ref": "Architecture"}]
    assert layer["Metadata"]["BuildArchitecture"] == {"Ref": "Architecture"}
    assert template["Parameters"]["Architecture"]["Default"] == "arm64"
    assert function["Layers"] == [{"Ref": "CancelCoreLayer"}]


def test_every_log_forgets(resources: dict[str, Json]) -> None:
    groups = _of_type(resources, "AWS::Logs::LogGroup")
    assert groups
    assert all(group["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in groups.values())
