from __future__ import annotations

from pathlib import Path

import pytest

from local.template import Template, TemplateError, rate_seconds
from tests.support.machine import ROOT

SMALL = """
Parameters:
  Name: {Type: String, Default: ""}
  Many: {Type: CommaDelimitedList, Default: "a,b"}
Conditions:
  Named: !Not [!Equals [!Ref Name, ""]]
Globals:
  Function:
    Timeout: 9
    Environment: {Variables: {SHARED: one, LEVEL: low}}
    Layers: [!Ref Layer]
Resources:
  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer/}}
  Table: {Type: AWS::DynamoDB::Table, Properties: {}}
  Queue: {Type: AWS::SQS::Queue, Properties: {}}
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: !Ref AWS::StackName}}
  Source: {Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: !Ref One.Alias}}
  Api:
    Type: AWS::Serverless::HttpApi
    Properties: {Auth: {DefaultAuthorizer: Jwt, Authorizers: {Jwt: {AuthorizationScopes: [s]}}}}
  Hidden: {Type: AWS::SQS::Queue, Condition: Named}
  One:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 3
      Environment: {Variables: {LEVEL: high, TABLE: !Ref Table, ARN: !Sub "${Table.Arn}/index/*", Q: !GetAtt Queue.Arn}}
      Maybe: !If [Named, !Ref Name, !Ref AWS::NoValue]
      List: [!If [Named, !Ref Name, !Ref AWS::NoValue], !Select [1, !Split [",", !Join [",", !Ref Many]]]]
      Literal: !Sub "${!keep} ${AWS::Region}"
      Events:
        Open: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: get, Path: /a, Auth: {Authorizer: NONE}}}
        Closed: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: POST, Path: "/a/{id}"}}
        Timer: {Type: Schedule, Properties: {Schedule: rate(2 minutes)}}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "template.yaml"
    file.write_text(SMALL)
    return file


def test_functions_have_globals_merged_in_and_everything_resolved(path: Path) -> None:
    template = Template(path, stack="st", region="eu-north-1")
    one = template.functions()["One"]
    assert one["Timeout"] == 3
    assert one["Layers"] == ["st-Layer"]
    assert one["Environment"]["Variables"] == {
        "SHARED": "one",
        "LEVEL": "high",
        "TABLE": "st-Table",
        "ARN": "arn:aws:dynamodb:eu-north-1:123456789012:table/st-Table/index/*",
        "Q": "arn:aws:sqs:eu-north-1:123456789012:st-Queue",
    }
    assert one["Literal"] == "${keep} eu-north-1"


def test_a_condition_decides_what_exists_and_novalue_leaves_nothing(path: Path) -> None:
    without = Template(path)
    assert set(without.resources("AWS::SQS::Queue")) == {"Queue"}
    assert "Maybe" not in without.functions()["One"]
    assert without.functions()["One"]["List"] == ["b"]
    named = Template(path, {"Name": "x", "Many": "p,q"})
    assert set(named.resources("AWS::SQS::Queue")) == {"Queue", "Hidden"}
    assert named.functions()["One"]["Maybe"] == "x"
    assert named.functions()["One"]["List"] == ["x", "q"]


def test_a_functions_alias_is_the_function(path: Path) -> None:
    template = Template(path)
    (source,) = template.resources("AWS::Lambda::EventSourceMapping").values()
    assert template.logical_id(source["FunctionName"]) == "One"
    with pytest.raises(TemplateError, match="Nobody"):
        template.resolve({"Ref": "Nobody.Alias"})


def test_routes_and_schedules(path: Path) -> None:
    template = Template(path)
    found = {(route.method, route.path, route.authorized, route.scopes) for route in template.routes()}
    assert found == {("GET", "/a", False, ()), ("POST", "/a/{id}", True, ("s",))}
    assert [(timer.function, timer.seconds) for timer in template.schedules()] == [("One", 120)]


def test_a_queues_arn_stays_an_arn_once_its_url_is_known(path: Path) -> None:
    template = Template(path, stack="st")
    template.attributes["Queue", "Ref"] = "http://127.0.0.1:1/123456789012/st-Queue"
    assert template.resolve({"Ref": "Queue"}).startswith("http://")
    assert template.resolve({"Fn::GetAtt": ["Queue", "Arn"]}).endswith(":st-Queue")
    assert template.logical_id(template.resolve({"Fn::GetAtt": ["Queue", "Arn"]})) == "Queue"


def test_what_is_not_understood_is_an_error_that_names_it(path: Path) -> None:
    template = Template(path)
    with pytest.raises(TemplateError, match="Fn::ImportValue"):
        template.resolve({"Fn::ImportValue": "x"})
    with pytest.raises(TemplateError, match="Nobody"):
        template.resolve({"Ref": "Nobody"})
    with pytest.raises(TemplateError, match="Typo"):
        Template(path, {"Typo": "x"})
    with pytest.raises(TemplateError, match="cron"):
        rate_seconds("cron(0 12 * * ? *)")


def test_the_products_own_template_resolves_completely() -> None:
    template = Template(ROOT / "template.yaml", {"JwtIssuer": "https://issuer.localhost"})
    template.attributes["OrdersTable", "StreamArn"] = "arn:aws:dynamodb:eu-north-1:123456789012:table/t/stream/1"
    for function in template.functions().values():
        assert (template.root / function["CodeUri"] / "app.py").is_file()
        values = function["Environment"]["Variables"].values()
        assert not [value for value in values if not isinstance(value, str) or "AWS only" in value]
    assert all(
        template.logical_id(one["FunctionName"])
        for one in template.resources("AWS::Lambda::EventSourceMapping").values()
    )
    # The guests' routes ask for a token of ours themselves.
    open_to_all = {route.path for route in template.routes() if not route.authorized}
    assert {path for path in open_to_all if not path.startswith("/guest")} == {"/cancellation-reasons", "/withdrawals"}
