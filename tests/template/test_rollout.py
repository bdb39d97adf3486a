"""How a new version goes out, and what takes it back."""

from __future__ import annotations

import copy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.template import Template, read
from tests.support.machine import ROOT
from tests.template.conftest import transform

Json = dict[str, Any]

TAKE_BACK = ("ReleaseInternalErrorAlarm", "ReleaseFunctionErrorsAlarm")


def _of_type(deployed: Json, kind: str) -> dict[str, Json]:
    return {name: one for name, one in deployed["Resources"].items() if one["Type"] == kind}


def _functions(deployed: Json) -> set[str]:
    return set(_of_type(deployed, "AWS::Lambda::Function"))


def _versions(deployed: Json) -> set[str]:
    return set(_of_type(deployed, "AWS::Lambda::Version"))


def test_whatever_invokes_a_function_invokes_its_alias(deployed: Json) -> None:
    aliases = {f"{name}Aliaslive" for name in _functions(deployed)}
    assert set(_of_type(deployed, "AWS::Lambda::Alias")) == aliases
    sources = _of_type(deployed, "AWS::Lambda::EventSourceMapping").values()
    rules = [
        target["Arn"]["Ref"]
        for rule in _of_type(deployed, "AWS::Events::Rule").values()
        for target in rule["Properties"]["Targets"]
        if "Lambda" in target["Id"]
    ]
    permissions = _of_type(deployed, "AWS::Lambda::Permission").values()
    invoked = [one["Properties"]["FunctionName"]["Ref"] for one in (*sources, *permissions)] + rules
    assert invoked
    # The routes: tests/template/test_routes.py. The seed is invoked by CloudFormation, while the aliases come to be.
    assert set(invoked) == aliases - {"SeedConfigFunctionAliaslive"}


def test_a_version_goes_out_by_steps_and_these_alarms_take_it_back(deployed: Json) -> None:
    aliases = _of_type(deployed, "AWS::Lambda::Alias").values()
    groups = _of_type(deployed, "AWS::CodeDeploy::DeploymentGroup")
    updated = [one["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"]["Ref"] for one in aliases]
    assert sorted(updated) == sorted(groups)
    for group in groups.values():
        properties = group["Properties"]
        assert "DEPLOYMENT_STOP_ON_ALARM" in properties["AutoRollbackConfiguration"]["Events"]
        alarms = [alarm["Name"]["Ref"] for alarm in properties["AlarmConfiguration"]["Alarms"]]
        assert alarms == list(TAKE_BACK)
        assert properties["DeploymentConfigName"] == {
            "Fn::Sub": ["CodeDeployDefault.Lambda${ConfigName}", {"ConfigName": "Canary10Percent5Minutes"}]
        }


def test_gradual_deployment_can_be_switched_off_to_go_back_or_to_bring_out_a_fix(template: Json) -> None:
    at_once = transform(template, GradualDeployment="false")
    assert not [name for name, one in at_once["Resources"].items() if one["Type"].startswith("AWS::CodeDeploy::")]
    aliases = _of_type(at_once, "AWS::Lambda::Alias").values()
    assert aliases
    # Without this CloudFormation sets the alias itself, whatever moved it before, and asks no alarm.
    assert not [one for one in aliases if "UpdatePolicy" in one]


def _dimensions(alarm: Json) -> list[dict[str, Any]]:
    metrics = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    return [{one["Name"]: one["Value"] for one in metric["Dimensions"]} for metric in metrics or [alarm]]


def test_an_alarm_that_takes_back_looks_at_the_new_version_alone(template: Json, deployed: Json) -> None:
    (of_release,) = _dimensions(deployed["Resources"]["ReleaseInternalErrorAlarm"]["Properties"])
    assert of_release["release"] == template["Globals"]["Function"]["Environment"]["Variables"]["RELEASE"]
    of_functions = _dimensions(deployed["Resources"]["ReleaseFunctionErrorsAlarm"]["Properties"])
    assert of_functions
    for one in of_functions:
        function = one["FunctionName"]["Ref"]
        assert one["Resource"] == {"Fn::Sub": f"${{{function}}}:live"}
        version, attribute = one["ExecutedVersion"]["Fn::GetAtt"]
        assert attribute == "Version"
        assert deployed["Resources"][version]["Properties"]["FunctionName"] == {"Ref": function}


@pytest.mark.parametrize("name", TAKE_BACK)
def test_an_alarm_that_takes_back_knows_within_the_first_step(name: str, resources: dict[str, Json]) -> None:
    alarm = resources[name]["Properties"]
    periods = [query["MetricStat"]["Period"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    assert alarm["EvaluationPeriods"] * max(periods or [alarm["Period"]]) <= 60


def test_versions_that_were_live_can_be_gone_back_to(deployed: Json) -> None:
    assert all(one["DeletionPolicy"] == "Retain" for one in _of_type(deployed, "AWS::Lambda::Version").values())


def test_the_same_template_makes_no_new_version(template: Json, deployed: Json) -> None:
    assert _versions(transform(template)) == _versions(deployed)


def test_a_change_of_the_layer_is_a_new_version_of_every_function(template: Json, deployed: Json) -> None:
    after = transform(template, layer="another")
    assert len(_versions(after)) == len(_functions(deployed))
    assert not _versions(after) & _versions(deployed)


@pytest.mark.parametrize("value", ["PublishedVersions", "None"])
def test_what_answers_clients_starts_from_a_snapshot_where_that_is_wanted(
    value: str, template: Json, deployed: Json
) -> None:
    wanted = {} if value == template["Parameters"]["SnapStart"]["Default"] else {"SnapStart": value}
    asked = Template(ROOT / "template.yaml", wanted)
    snap_start = {name: function.get("SnapStart") for name, function in asked.functions().items()}
    routed = {route.function for route in asked.routes()}
    assert snap_start == {name: {"ApplyOn": value} if name in routed else None for name in snap_start}
    # The transform leaves it to CloudFormation, and has a version of each for Lambda to take the snapshot of.
    functions = _of_type(deployed, "AWS::Lambda::Function")
    kept = {name for name, one in functions.items() if one["Properties"].get("SnapStart")}
    assert kept == routed
    assert all(functions[name]["Properties"]["SnapStart"] == {"ApplyOn": {"Ref": "SnapStart"}} for name in kept)
    versions = _of_type(deployed, "AWS::Lambda::Version").values()
    assert kept <= {version["Properties"]["FunctionName"]["Ref"] for version in versions}


PAGES_CALL = {
    "ListReasonsFunction",
    "ListOrdersFunction",
    "GetOrderFunction",
    "CheckEligibilityFunction",
    "CancelOrderFunction",
}


@pytest.mark.parametrize("number", ["0", "2"])
def test_environments_are_kept_for_what_a_customers_pages_call(number: str, deployed: Json) -> None:
    asked = Template(ROOT / "template.yaml", {"ProvisionedConcurrency": number})
    kept = {name: one.get("ProvisionedConcurrencyConfig") for name, one in asked.functions().items()}
    wanted = {"ProvisionedConcurrentExecutions": number} if number != "0" else None
    assert kept == {name: wanted if name in PAGES_CALL else None for name in kept}
    # They are those of the alias, which everything invokes.
    aliases = _of_type(deployed, "AWS::Lambda::Alias").values()
    with_them = [one["Properties"] for one in aliases if "ProvisionedConcurrencyConfig" in one["Properties"]]
    assert {one["FunctionName"]["Ref"] for one in with_them} == PAGES_CALL


def test_one_cure_for_cold_starts_excludes_the_other(template: Json) -> None:
    (rule,) = template["Rules"].values()
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "SnapStart"}, "PublishedVersions"]}
    (assertion,) = rule["Assertions"]
    assert assertion["Assert"] == {"Fn::Equals": [{"Ref": "ProvisionedConcurrency"}, "0"]}


def test_the_same_release_stands_in_the_functions_and_in_the_alarm(tmp_path: Path) -> None:
    built = tmp_path / "template.yaml"
    # As `sam build` writes it: every list and mapping on lines of their own.
    built.write_text(yaml.dump({"RELEASE": "unreleased", "Dimensions": [{"Name": "release", "Value": "unreleased"}]}))
    subprocess.run(["make", "--silent", "stamp", f"BUILT={built}"], cwd=ROOT, check=True)
    stamped = yaml.safe_load(built.read_text())
    assert stamped["RELEASE"] == stamped["Dimensions"][0]["Value"] != "unreleased"


def test_each_deployment_is_a_new_version_of_every_function(template: Json, deployed: Json, tmp_path: Path) -> None:
    built = tmp_path / "template.yaml"
    shutil.copy(ROOT / "template.yaml", built)
    subprocess.run(["make", "--silent", "stamp", f"BUILT={built}"], cwd=ROOT, check=True)

    stamped = read(built)

    release = stamped["Globals"]["Function"]["Environment"]["Variables"].pop("RELEASE")
    assert release.startswith("20")
    before = copy.deepcopy(template)
    assert before["Globals"]["Function"]["Environment"]["Variables"].pop("RELEASE") == "unreleased"
    alarms = (one["Resources"]["ReleaseInternalErrorAlarm"]["Properties"]["Dimensions"] for one in (stamped, before))
    assert [alarm.pop() for alarm in alarms] == [
        {"Name": "release", "Value": release},
        {"Name": "release", "Value": "unreleased"},
    ]
    # Nothing else has changed.
    assert stamped == before
    after = _versions(transform(read(built)))
    assert len(after) == len(_functions(deployed))
    assert not after & _versions(deployed)
