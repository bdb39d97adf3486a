"""What `make deploy` proposes, and that it builds for what it deploys."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.template import read
from ops import deploy, stacks
from ops.__main__ import main as shell
from ops.faults import Exit, Unreachable
from tests.conftest import Aws, serve
from tests.support.machine import ROOT, sam_cli

PARAMETERS: dict[str, dict[str, Any]] = read(ROOT / "template.yaml")["Parameters"]
POOL = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    yield from serve("moto")


def cloudformation(aws: Aws) -> Any:
    return boto3.client(
        "cloudformation",
        endpoint_url=aws.endpoint_url,
        region_name="eu-north-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def stack(aws: Aws, name: str, **values: str) -> None:
    """A stack with these parameters, as somebody else has deployed it."""
    body = POOL | {"Parameters": {key: {"Type": "String"} for key in values}}
    cloudformation(aws).create_stack(
        StackName=name,
        TemplateBody=json.dumps(body),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
    )


def test_the_live_stack_is_proposed_whatever_the_checkout_remembers(aws: Aws) -> None:
    stack(aws, "live", StripeSecretArn="arn:aws:secretsmanager:x", JwtIssuer="https://login.example.com/")
    live = deploy.live_values(cloudformation(aws), "live")
    proposed = deploy.proposals(PARAMETERS, live, {"JwtIssuer": "", "LogRetentionDays": "1"})
    assert proposed["StripeSecretArn"] == "arn:aws:secretsmanager:x"
    assert proposed["JwtIssuer"] == "https://login.example.com/"
    # A parameter that is new since.
    assert proposed["LogRetentionDays"] == "90"
    assert set(proposed) == set(PARAMETERS)


def test_the_shell_finds_a_stack_by_its_name(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = {
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    resources = {name: {"Type": "AWS::DynamoDB::Table", "Properties": table} for name in ("Orders", "ConfigHistory")}
    body = {"Resources": {f"{name}Table": one for name, one in resources.items()}}
    body["Resources"]["RefundQueue"] = {"Type": "AWS::SQS::Queue"}
    body["Resources"]["EventBus"] = {"Type": "AWS::Events::EventBus", "Properties": {"Name": "found"}}
    cloudformation(aws).create_stack(StackName="found", TemplateBody=json.dumps(body))
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    found = stacks.deployed(boto3.Session(region_name="eu-north-1"), "found")
    assert found.dynamodb.describe_table(TableName=found.tables["orders"])
    assert "ConfigHistoryTable" in found.tables[stacks.HISTORY]
    assert "RefundQueue" in found.queues["RefundQueue"]
    with pytest.raises(Unreachable, match="The stack found has no requests: it is of another version"):
        found.tables["requests"]

    assert shell(["refunds", "list", "--stack", "no-such", "--region", "eu-north-1"]) == Exit.AWS
    assert capsys.readouterr().err == (
        "There is no stack no-such in eu-north-1, in the account of these credentials: "
        "use --stack, --region or --profile.\n"
    )


def test_a_first_deployment_is_proposed_what_was_answered_last(aws: Aws) -> None:
    live = deploy.live_values(cloudformation(aws), "nowhere")
    assert live is None
    proposed = deploy.proposals(PARAMETERS, live, {"JwtIssuer": "https://login.example.com/"})
    assert proposed["JwtIssuer"] == "https://login.example.com/"
    assert proposed["SnapStart"] == "None"


def test_gradual_deployment_is_off_for_one_deployment_alone(tmp_path: Path) -> None:
    proposed = deploy.proposals(PARAMETERS, {"GradualDeployment": "false"}, {"GradualDeployment": "false"})
    assert proposed["GradualDeployment"] == "true"
    deploy.save(tmp_path / "deploy.toml", {"cancel-core": {"GradualDeployment": "false"}})
    assert deploy.load(tmp_path / "deploy.toml") == {"cancel-core": {}}


def test_answers_come_back_as_they_were_given(tmp_path: Path) -> None:
    answers = {"a.b": {"ReconcileRate": "rate(5 minutes)", "JwtIssuer": ""}, "two": {"AlarmEmail": 'a"b@x.example'}}
    deploy.save(tmp_path / "deploy.toml", answers)
    assert deploy.load(tmp_path / "deploy.toml") == answers


def test_enter_keeps_a_blank_empties_and_what_is_wrong_is_asked_again() -> None:
    names = ("JwtIssuer", "ConfigCacheSeconds", "Architecture", "ReconcileRate")
    typed = iter([" ", "56", "x", "55", "x86-64", "x86_64", ""])
    proposed = {
        "JwtIssuer": "https://a",
        "ConfigCacheSeconds": "30",
        "Architecture": "arm64",
        "ReconcileRate": "rate(1 hour)",
    }
    answers = deploy.asked({name: PARAMETERS[name] for name in names}, proposed, lambda _: next(typed))
    assert answers == {
        "JwtIssuer": "",
        "ConfigCacheSeconds": "55",
        "Architecture": "x86_64",
        "ReconcileRate": "rate(1 hour)",
    }
    assert list(typed) == []


@pytest.mark.parametrize("word", ["Architecture=mips", "NoSuch=1", "RefundConcurrency=1", "StripeSecretArn=secret"])
def test_a_wrong_setting_is_refused_before_anything_is_built(word: str) -> None:
    with pytest.raises(ValueError, match=word.split("=", maxsplit=1)[0]):
        deploy.settings([word], PARAMETERS)


def test_every_default_is_a_value_that_is_allowed() -> None:
    assert {name: deploy.fault(one, str(one.get("Default", ""))) for name, one in PARAMETERS.items()} == dict.fromkeys(
        PARAMETERS
    )


def test_it_builds_for_the_processor_it_deploys_to(aws: Aws, tmp_path: Path) -> None:
    stack(aws, "on-intel", Architecture="x86_64", AlarmEmail="ann@shop.example")
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        "SET": "'ReconcileRate=rate(1 hour)'",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": "eu-north-1",
        "AWS_DEFAULT_REGION": "eu-north-1",
    }
    arguments = ["--stack", "on-intel", "--keep", "--dry-run", "--answers", str(tmp_path / "deploy.toml")]
    done = subprocess.run(
        [sys.executable, "-m", "ops", "deploy", *arguments, "LogLevel=DEBUG"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    build, _, sam = (json.loads(line) for line in done.stdout.splitlines() if line.startswith("["))
    assert build[-1] == "ARCHITECTURE=x86_64"
    assert 'Architecture="x86_64"' in sam
    assert 'AlarmEmail="ann@shop.example"' in sam
    assert 'LogLevel="DEBUG"' in sam
    assert 'ReconcileRate="rate(1 hour)"' in sam
    assert "--guided" not in sam
    # And the Makefile has sam build for it.
    said = subprocess.run(["make", "-n", *build[1:]], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "--parameter-overrides Architecture=x86_64" in said


def test_sam_reads_every_value_as_it_is_meant() -> None:
    values = {name: str(one.get("Default", "")) for name, one in PARAMETERS.items()} | {
        "AlarmEmail": 'o"x@shop.example'
    }
    program = (
        "import json, sys; from samcli.cli.types import CfnParameterOverridesType as T; "
        "print(json.dumps(T().convert(tuple(sys.argv[1:]), None, None)))"
    )
    python = sam_cli().with_name("python")
    done = subprocess.run(
        [python, "-c", program, *deploy.overrides(values)], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == values


def test_git_ignores_the_answers() -> None:
    assert "deploy.toml" in (ROOT / ".gitignore").read_text().splitlines()
