"""How a new version goes out, and what takes it back."""

from __future__ import annotations

import copy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.template import Template, read
from tests.support.machine import ROOT
from tests.template.conftest import transform

Json = dict[str, Any]


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
        assert alarms == ["InternalErrorAlarm", "FunctionErrorsAlarm"]
        assert properties["DeploymentConfigName"] == {
            "Fn::Sub": ["CodeDeployDefault.Lambda${ConfigName}", {"ConfigName": "Canary10Percent5Minutes"}]
        }


@pytest.mark.parametrize("name", ["InternalErrorAlarm", "FunctionErrorsAlarm"])
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


def test_each_deployment_is_a_new_version_of_every_function(template: Json, deployed: Json, tmp_path: Path) -> None:
    built = tmp_path / "template.yaml"
    shutil.copy(ROOT / "template.yaml", built)
    subprocess.run(["make", "--silent", "stamp", f"BUILT={built}"], cwd=ROOT, check=True)

    stamped = read(built)

    release = stamped["Globals"]["Function"]["Environment"]["Variables"].pop("RELEASE")
    assert release.startswith("20")
    before = copy.deepcopy(template)
    assert before["Globals"]["Function"]["Environment"]["Variables"].pop("RELEASE") == "none"
    # Nothing else has changed.
    assert stamped == before
    after = _versions(transform(read(built)))
    assert len(after) == len(_functions(deployed))
    assert not after & _versions(deployed)
