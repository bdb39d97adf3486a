"""Each alarm watches something that is really measured, under that very name and those dimensions."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from cancel_core.adapters.dynamodb.stored_order import StoredOrder

from local.runtime.runtime import Runtime
from local.stack import functions_of
from local.template import Template, read
from tests.operations.conftest import CUT_OFF, NOBODY_LISTENS, Json, Metric, Stage, emitted, metric, payload
from tests.support.machine import ROOT
from tests.support.waiting import wait_until

RAW = read(ROOT / "template.yaml")
ALARMS: dict[str, Json] = {
    name: resource["Properties"]
    for name, resource in RAW["Resources"].items()
    if resource["Type"] == "AWS::CloudWatch::Alarm"
}


# --- what the functions measure: how it comes to be ------------------------------------------------------------------


def cancelled() -> Json:
    """The order of the payloads, cancelled, its refund pending."""
    image: Json = copy.deepcopy(payload("publish_events")["Records"][0]["dynamodb"]["NewImage"])
    return image


def not_cancelled() -> Json:
    image: Json = copy.deepcopy(payload("publish_events")["Records"][0]["dynamodb"]["OldImage"])
    return image


def changed(before: Json, after: Json) -> Json:
    """What the orders table's stream reports of a change."""
    event: Json = payload("publish_events")
    event["Records"][0]["dynamodb"] |= {"OldImage": before, "NewImage": after}
    return event


def a_cancel(stage: Stage) -> None:
    stage.invoke("PublishEventsFunction", payload("publish_events"))


def a_refund_that_has_ended(status: str) -> Callable[[Stage], None]:
    def story(stage: Stage) -> None:
        after = cancelled()
        after["cancellation"]["M"]["refund"]["M"]["status"] = {"S": status}
        stage.invoke("PublishEventsFunction", changed(cancelled(), after))

    return story


def a_surplus(stage: Stage) -> None:
    after = cancelled()
    after["cancellation"]["M"]["surplus"] = {"N": "500"}
    stage.invoke("PublishEventsFunction", changed(not_cancelled(), after))


def an_order_put_over_its_cancellation(stage: Stage) -> None:
    stage.invoke("PublishEventsFunction", changed(cancelled(), not_cancelled()))


def a_canceled_order_with_another_status(stage: Stage) -> None:
    stage.invoke("PublishEventsFunction", changed(cancelled(), cancelled() | {"status": {"S": "processing"}}))


def an_order_too_full_to_be_booked(stage: Stage) -> None:
    (record,) = payload("refund_order")["Records"]
    order = cancelled()
    order["filler"] = {"S": "x" * (400 * 1024 - 20 - StoredOrder(order).size)}
    stage.put("orders", order)
    detail = {"order_id": order["order_id"]["S"], "cancellation_id": order["cancellation"]["M"]["cancellation_id"]["S"]}
    stage.invoke("RefundOrderFunction", {"Records": [record | {"body": json.dumps({"detail": detail})}]})


def a_typo_in_the_config(stage: Stage) -> None:
    stage.put("config", {"scope": {"S": "default"}, "enabled": {"S": "perhaps"}})
    # One environment tells it once a minute.
    stage.runtime.kill(stage.aws.template.name("ListReasonsFunction"))
    stage.invoke("ListReasonsFunction", payload("list_reasons"))


def an_order_that_cannot_be_read(stage: Stage) -> None:
    stage.put("orders", not_cancelled() | {"items": {"S": "gone"}})
    stage.invoke("GetOrderFunction", payload("get_order"))


def a_refund_nobody_has_carried_out(stage: Stage) -> None:
    order = cancelled() | {"refund_pending_since": {"S": "2026-01-01T00:00:00Z"}}
    # Announced again and again since: what counts is when the customer cancelled.
    order["cancellation"]["M"]["requested_at"] = {"S": "2025-12-31T00:00:00Z"}
    stage.put("orders", order)
    stage.invoke("ReconcileRefundsFunction", payload("reconcile_refunds"))


def a_database_that_is_away(stage: Stage) -> None:
    for _ in range(5):
        stage.invoke(CUT_OFF, payload("list_orders"))


def a_message_that_is_none(stage: Stage) -> None:
    event = payload("refund_order")
    event["Records"][0]["body"] = "no event at all"
    stage.invoke("RefundOrderFunction", event)


def mail_message(received: int = 1, **body: Any) -> Json:
    """The mail function's payload, received so many times; `body`: in place of parts of its event."""
    (record,) = payload("send_mail")["Records"]
    event = json.loads(record["body"]) | body
    attributes = record["attributes"] | {"ApproximateReceiveCount": str(received)}
    return {"Records": [record | {"body": json.dumps(event), "attributes": attributes}]}


def forget_mails(stage: Stage) -> None:
    for row in stage.dynamodb.scan(TableName=stage.aws.tables["mails"])["Items"]:
        stage.dynamodb.delete_item(TableName=stage.aws.tables["mails"], Key={"mail_id": row["mail_id"]})


def mails_about_a_cancel(stage: Stage) -> None:
    forget_mails(stage)
    stage.put("orders", cancelled())
    stage.invoke("SendMailFunction", mail_message())


def a_mail_to_no_address(stage: Stage) -> None:
    forget_mails(stage)
    stage.put("orders", cancelled() | {"customer_email": {"S": "nobody"}})
    stage.invoke("SendMailFunction", mail_message())


def a_mail_that_comes_again_and_again(stage: Stage) -> None:
    stage.invoke("SendMailFunction", mail_message(received=5, detail={}))


def mails_that_bounce(stage: Stage) -> None:
    mails_about_a_cancel(stage)
    ids = [row["mail_id"]["S"] for row in stage.dynamodb.scan(TableName=stage.aws.tables["mails"])["Items"]]
    bounce = {"bounceType": "Permanent", "bounceSubType": "General", "timestamp": "2026-11-22T10:05:00.000Z"}
    event: Json = {"source": "aws.ses", "detail-type": "Email Bounced"}
    event["detail"] = {"bounce": bounce, "mail": {"tags": {"mail_id": [ids[0]]}}}
    for _ in range(10):
        stage.invoke("SendMailFunction", mail_message(**event))


def a_statement_of_withdrawal(stage: Stage) -> None:
    stage.put("withdrawals", payload("process_withdrawal")["Records"][0]["dynamodb"]["NewImage"])
    stage.invoke("ProcessWithdrawalFunction", payload("process_withdrawal"))


def a_receipt_that_settings_keep_from_going_out(stage: Stage) -> None:
    a_statement_of_withdrawal(stage)
    forget_mails(stage)
    detail = {"withdrawal_id": "wdr_0a5bc6ff9a1f0e7d3b6f1f4f2c8e4d21", "order_id": None, "store_id": "nowhere"}
    event: Json = {"detail-type": "WithdrawalReceived", "detail": detail}
    stage.put("config", {"scope": {"S": "store:nowhere"}, "mail": {"M": {}}})
    stage.invoke("SendMailFunction", mail_message(**event))


def a_statement_that_was_changed(stage: Stage) -> None:
    event = payload("process_withdrawal")
    changes = event["Records"][0]["dynamodb"]
    changes["OldImage"] = changes["NewImage"] | {"receipt": {"S": "another"}}
    stage.invoke("ProcessWithdrawalFunction", event)


REQUEST_ID = "req_5f2b1c6d7e8f90a1b2c3d4e5f6071829"


def asked_for(status: str) -> Json:
    """The order of the payloads, with a request to the shop."""
    reason = {"code": {"S": "other"}, "description": {"S": "Other"}}
    request = {"request_id": {"S": REQUEST_ID}, "status": {"S": status}, "reason": {"M": reason}, "amount": {"N": "0"}}
    times = {"requested_at": {"S": "2026-11-22T10:00:00Z"}, "decided_at": {"S": "2026-11-22T11:00:00Z"}}
    return not_cancelled() | {"cancellation_request": {"M": request | times | {"made_by": {"S": "gateway-1"}}}}


def a_request_to_the_shop(stage: Stage) -> None:
    stage.invoke("ProcessRequestFunction", changed(not_cancelled(), asked_for("open")))


def a_request_that_the_shop_declines(stage: Stage) -> None:
    stage.invoke("ProcessRequestFunction", changed(asked_for("open"), asked_for("declined")))


def a_request_nobody_has_decided(stage: Stage) -> None:
    order = asked_for("open")
    stage.put("orders", order)
    request = order["cancellation_request"]["M"]
    row = {name: request[name] for name in ("request_id", "status", "amount", "made_by")}
    row |= {name: order[name] for name in ("order_id", "placed_at", "store_id", "customer_id", "currency")}
    row |= {name: {"S": name} for name in ("open", "reason", "description")}
    stage.put("requests", row | {"requested_at": {"S": "2025-12-31T00:00:00Z"}})
    stage.invoke("ProcessRequestFunction", payload("reconcile_refunds"))
    stage.dynamodb.delete_item(TableName=stage.aws.tables["requests"], Key={"request_id": {"S": REQUEST_ID}})


STORIES: dict[str, Callable[[Stage], None]] = {
    "CancellationRequested": a_request_to_the_shop,
    "CancellationDeclined": a_request_that_the_shop_declines,
    "RequestWaitingSeconds": a_request_nobody_has_decided,
    "MailSent": mails_about_a_cancel,
    "MailFailed": a_mail_to_no_address,
    "MailDelayed": a_mail_that_comes_again_and_again,
    "MailReturned": mails_that_bounce,
    "WithdrawalReceived": a_statement_of_withdrawal,
    "WithdrawalMailWaiting": a_receipt_that_settings_keep_from_going_out,
    "WithdrawalTampered": a_statement_that_was_changed,
    "OrderCanceled": a_cancel,
    "RefundSucceeded": a_refund_that_has_ended("succeeded"),
    "RefundFailed": a_refund_that_has_ended("failed"),
    "RefundRetried": a_message_that_is_none,
    "PaymentSurplus": a_surplus,
    "CancellationErased": an_order_put_over_its_cancellation,
    "CanceledOrderReopened": a_canceled_order_with_another_status,
    "RefundUnbookable": an_order_too_full_to_be_booked,
    "ConfigInvalid": a_typo_in_the_config,
    "InternalError": an_order_that_cannot_be_read,
    "RefundPendingSeconds": a_refund_nobody_has_carried_out,
    "Refused": a_database_that_is_away,
}
PENDING = metric("cancel-core", "RefundPendingSeconds", {"service": "cancel-core"})
OWN = sorted(name for name, alarm in ALARMS.items() if alarm.get("Namespace") == "cancel-core")
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
}
STATISTICS: dict[str, Callable[[list[float]], float]] = {"Sum": sum, "Maximum": max, "SampleCount": len}


def watched(alarm: Json) -> Metric:
    return metric(
        alarm["Namespace"],
        alarm["MetricName"],
        {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]},
    )


def goes_off(alarm: Json, values: list[float]) -> bool:
    statistic = STATISTICS[alarm["Statistic"]](values)
    return COMPARISONS[alarm["ComparisonOperator"]](statistic, float(alarm["Threshold"]))


@pytest.mark.parametrize("name", OWN)
def test_an_alarm_goes_off_by_what_the_functions_write(name: str, resolved: Template, stage: Stage) -> None:
    alarm = resolved.resources("AWS::CloudWatch::Alarm")[name]
    story = STORIES.get(alarm["MetricName"])
    assert story, f"{name}: no story makes a function measure {alarm['MetricName']}"
    silence = alarm["TreatMissingData"] == "breaching"

    story(stage)

    # What a process prints is read by a thread.
    def is_so() -> bool:
        values = stage.emitted.get(watched(alarm))
        return bool(values) and goes_off(alarm, values or []) is not silence

    wait_until(is_so, what=f"{watched(alarm)} is in the log", seconds=10)


@pytest.mark.parametrize("name", OWN)
def test_an_alarm_watches_its_own_stack_alone(name: str) -> None:
    variables = RAW["Globals"]["Function"]["Environment"]["Variables"]
    (service,) = [one["Value"] for one in ALARMS[name]["Dimensions"] if one["Name"] == "service"]
    assert service == variables["POWERTOOLS_SERVICE_NAME"] == {"Ref": "AWS::StackName"}
    assert ALARMS[name]["Namespace"] == variables["POWERTOOLS_METRICS_NAMESPACE"]


def test_a_run_that_finds_nothing_pending_says_so(stage: Stage) -> None:
    stage.invoke("ReconcileRefundsFunction", payload("reconcile_refunds"))

    wait_until(lambda: stage.emitted.get(PENDING) == [0], what="the run is in the log", seconds=10)


def test_a_run_that_could_not_look_is_as_silent_as_none(stage: Stage) -> None:
    functions = functions_of(stage.aws.template, {**stage.aws.environment, "AWS_ENDPOINT_URL_DYNAMODB": NOBODY_LISTENS})
    lines: list[str] = []
    with Runtime([functions["ReconcileRefundsFunction"]], log=lambda _, line: lines.append(line)) as runtime:
        answer = runtime.invoke(functions["ReconcileRefundsFunction"].name, payload("reconcile_refunds"))

        assert answer.error
        failed = metric("cancel-core", "InternalError", {"service": "cancel-core"})
        wait_until(lambda: failed in emitted(lines), what="the run is in the log", seconds=10)
    assert PENDING not in emitted(lines)


# --- what AWS measures -----------------------------------------------------------------------------------------------


class Known(NamedTuple):
    """A metric of AWS's: its one dimension, what kind of resource that names, and where AWS says so."""

    dimension: str
    kind: str
    source: str


LAMBDA = "Lambda developer guide, Types of metrics for Lambda functions"
SQS = "SQS developer guide, Available CloudWatch metrics for Amazon SQS"
HTTP_API = "API Gateway developer guide, Monitor CloudWatch metrics for HTTP APIs"
DYNAMODB = "DynamoDB developer guide, DynamoDB metrics and dimensions"
BY_AWS: dict[tuple[str, str], Known] = {
    **{
        ("AWS/Lambda", name): Known("FunctionName", "AWS::Serverless::Function", LAMBDA)
        for name in ("Errors", "Throttles", "Duration", "IteratorAge")
    },
    **{
        ("AWS/SQS", name): Known("QueueName", "AWS::SQS::Queue", SQS)
        for name in ("ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage")
    },
    **{
        ("AWS/ApiGateway", name): Known("ApiId", "AWS::Serverless::HttpApi", HTTP_API)
        for name in ("4xx", "5xx", "Count", "Latency")
    },
    **{
        ("AWS/DynamoDB", name): Known("TableName", "AWS::DynamoDB::Table", DYNAMODB)
        for name in (
            "ReadThrottleEvents", "WriteThrottleEvents", "ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits",
        )
    },
}  # fmt: skip


def metrics_of(alarm: Json) -> list[Json]:
    """The metrics an alarm looks at: its one, or those of its expression."""
    if "Metrics" not in alarm:
        return [alarm]
    return [query["MetricStat"]["Metric"] for query in alarm["Metrics"] if "MetricStat" in query]


def resource_of(value: Any) -> str:
    """The resource that gives a dimension its value."""
    if isinstance(value, str):
        return value
    ((function, argument),) = value.items()
    if function == "Fn::GetAtt" and "." in argument[1]:
        return ".".join(argument)
    return str(argument if function in {"Ref", "Fn::Sub"} else argument[0])


def references(value: Any) -> Iterator[str]:
    """The resources that some part of the template refers to."""
    if isinstance(value, list):
        for one in value:
            yield from references(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name == "Ref":
                yield one.split(".")[0]
            elif name == "Fn::GetAtt":
                yield one[0]
            elif name == "Fn::Sub":
                text = one if isinstance(one, str) else one[0]
                yield from (found.split(".")[0] for found in re.findall(r"\$\{([^}!]+)\}", text))
            else:
                yield from references(one)


def in_use() -> set[str]:
    """The resources that others work with, and the functions that something invokes."""
    used = set()
    for name, resource in RAW["Resources"].items():
        if not resource["Type"].startswith("AWS::CloudWatch::"):
            used |= set(references(resource)) - {name}
            if resource.get("Properties", {}).get("Events"):
                used.add(name)
    return used


def check_by_aws(namespace: str, name: str, dimensions: dict[str, str]) -> None:
    """`dimensions`: by the dimension's name, the resource that gives its value; of an index, its name."""
    known = BY_AWS.get((namespace, name))
    assert known, f"{namespace} {name} is not among the metrics that were looked up"
    resource = dimensions.pop(known.dimension)
    if index := dimensions.pop("GlobalSecondaryIndexName", None):
        indexes = RAW["Resources"][resource]["Properties"]["GlobalSecondaryIndexes"]
        assert index in [one["IndexName"] for one in indexes]
    if "ExecutedVersion" in dimensions:
        assert namespace == "AWS/Lambda"
        assert dimensions.pop("ExecutedVersion") == f"{resource}.Version.Version"
        assert dimensions.pop("Resource") == f"${{{resource}}}:live"
    assert not dimensions
    assert RAW["Resources"][resource]["Type"] == known.kind
    assert resource in in_use(), f"nothing has to do with {resource}"
    if name == "IteratorAge":
        streams = [
            resource_of(one["Properties"]["FunctionName"]).split(".")[0]
            for one in RAW["Resources"].values()
            if one["Type"] == "AWS::Lambda::EventSourceMapping"
            and one["Properties"]["EventSourceArn"]["Fn::GetAtt"][1] == "StreamArn"
        ]
        assert resource in streams


@pytest.mark.parametrize("name", sorted(set(ALARMS) - set(OWN)))
def test_an_alarm_watches_what_aws_measures_of_a_resource_that_is_in_use(name: str) -> None:
    for one in metrics_of(ALARMS[name]):
        check_by_aws(
            one["Namespace"],
            one["MetricName"],
            {dimension["Name"]: resource_of(dimension["Value"]) for dimension in one["Dimensions"]},
        )


@pytest.mark.parametrize("name", sorted(name for name, alarm in ALARMS.items() if "Metrics" in alarm))
def test_an_expression_adds_up_each_of_its_metrics(name: str) -> None:
    (total,) = [query for query in ALARMS[name]["Metrics"] if "Expression" in query]
    parts = [query for query in ALARMS[name]["Metrics"] if query is not total]
    # What AWS takes in one alarm.
    assert len(parts) <= 10
    assert total["Expression"] == " + ".join(f"FILL({part['Id']}, 0)" for part in parts)
    assert all(part["ReturnData"] is False for part in parts)
    assert len({part["MetricStat"]["Period"] for part in parts}) == 1


# --- the dashboard ---------------------------------------------------------------------------------------------------


def dashboard() -> Json:
    text = RAW["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    document: Json = json.loads(text)
    return document


def rows() -> Iterator[list[Any]]:
    """The metrics of each widget, with what the short forms leave out."""
    for widget in dashboard()["widgets"]:
        yield from widget["properties"].get("metrics", [])


SEARCH = re.compile(r"SEARCH\('\{([^}]+)\} MetricName=\"(\w+)\" service=\"([^\"]+)\"', '(\w+)', 300\)")


def test_the_dashboard_shows_what_is_measured(stage: Stage) -> None:
    for row in rows():
        if isinstance(row[0], dict):
            schema, name, service, _ = SEARCH.fullmatch(row[0]["expression"]).groups()  # type: ignore[union-attr]  # None fails as it should
            namespace, *dimensions = schema.replace('"', "").split(",")
            wanted = (namespace, name, {*dimensions})
            assert service == "${AWS::StackName}"
        elif row[0].startswith("AWS/"):
            namespace, name = row[:2]
            pairs = [one for one in row[2:] if isinstance(one, str)]
            names = {
                key: value[2:-1].split(".")[0] if value.startswith("${") else value
                for key, value in zip(pairs[::2], pairs[1::2], strict=True)
            }
            check_by_aws(namespace, name, names)
            continue
        else:
            namespace, name, dimension, service = row[:4]
            wanted = (namespace, name, {dimension})
            assert service == "${AWS::StackName}"
        stage.clear()
        STORIES[name](stage)

        def is_there(wanted: tuple[str, str, set[str]] = wanted) -> bool:
            return wanted in [(one.namespace, one.name, {key for key, _ in one.dimensions}) for one in stage.emitted]

        wait_until(is_there, what=f"{wanted} is in the log", seconds=10)


def test_the_dashboard_shows_each_metric_that_an_alarm_watches() -> None:
    shown = {tuple(row[:2]) for row in rows() if isinstance(row[0], str)} | {("cancel-core", "Refused")}
    assert {(one["Namespace"], one["MetricName"]) for alarm in ALARMS.values() for one in metrics_of(alarm)} <= shown


def test_widgets_do_not_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for widget in dashboard()["widgets"]:
        columns = range(widget["x"], widget["x"] + widget["width"])
        lines = range(widget["y"], widget["y"] + widget["height"])
        cells = {(column, line) for column in columns for line in lines}
        assert not cells & taken, widget["properties"].get("title")
        assert max(columns) < 24
        taken |= cells


def test_the_dashboard_can_be_left_out(resolved: Template) -> None:
    assert set(resolved.resources("AWS::CloudWatch::Dashboard")) == {"Dashboard"}
    without = Template(ROOT / "template.yaml", {"ShowDashboard": "false"})
    assert not without.resources("AWS::CloudWatch::Dashboard")


# --- the runbook -----------------------------------------------------------------------------------------------------

RUNBOOK = (ROOT / "docs" / "operating.md").read_text()
COSTS = (ROOT / "docs" / "costs.md").read_text()


def entries() -> dict[str, str]:
    """The runbook's text on each alarm, by the heading."""
    parts = re.split(r"^### `(\w+Alarm)`\n", RUNBOOK, flags=re.MULTILINE)
    return {
        name: re.split(r"^#", text, maxsplit=1, flags=re.MULTILINE)[0]
        for name, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def test_the_runbook_has_these_alarms_and_no_other() -> None:
    assert set(entries()) == set(ALARMS)


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_has_a_meaning_an_action_and_commands(name: str) -> None:
    entry = entries()[name]
    assert re.search(r"^\*\*Meaning:\*\* \w", entry, re.MULTILINE), entry
    assert re.search(r"^\*\*Action:\*\* \w", entry, re.MULTILINE), entry
    assert re.search(r"^```sh\n.+\n```$", entry, re.MULTILINE | re.DOTALL), entry
    # The mail that comes has this and a link.
    assert len(ALARMS[name]["AlarmDescription"]) > 20


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_tells_someone(name: str) -> None:
    assert ALARMS[name]["AlarmActions"] == [{"Ref": "AlarmTopic"}]


def test_the_documents_count_what_watching_costs() -> None:
    looked_at = sum(len(metrics_of(alarm)) for alarm in ALARMS.values())
    assert f"the {looked_at} metrics that the {len(ALARMS)} alarms look at ({looked_at / 10:.2f})" in RUNBOOK
    assert f"| {looked_at} metrics that alarms look at, 0.10 each | {looked_at / 10:.2f} |" in COSTS
