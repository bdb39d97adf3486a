"""Deploys the stack: asks for the parameters, builds for that architecture, and has sam show and make the changes.

  python -m ops deploy
  python -m ops deploy --keep AlarmEmail=ann@shop.example Architecture=x86_64

What is proposed is what the live stack has; for a stack that is not there yet, what was answered last (deploy.toml,
which git ignores), else the template's default. So another checkout, or a change in CloudFormation's console, makes
nobody lose a parameter. From make: make deploy ASK=no SET='AlarmEmail=ann@shop.example'
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.template import read
from ops.command import Command
from ops.faults import Exit
from ops.output import Out
from ops.settlement import Refused
from ops.stacks import session_of

ROOT = Path(__file__).resolve().parent.parent
ANSWERS = ROOT / "deploy.toml"
# Disabled for one deployment, to roll back or to deploy a fix: never remembered.
FOR_ONCE = {"GradualDeployment"}

Parameters = Mapping[str, Mapping[str, Any]]


def live_values(cloudformation: Any, stack: str) -> dict[str, str] | None:
    """The parameters of the live stack; None if there is no such stack."""
    try:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    # A change set that was never executed leaves a stack without resources.
    if found["StackStatus"] == "REVIEW_IN_PROGRESS":
        return None
    return {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", [])}


def proposals(parameters: Parameters, live: Mapping[str, str] | None, saved: Mapping[str, str]) -> dict[str, str]:
    """The proposed value of each parameter of the template."""
    known = saved if live is None else live
    defaults = {name: str(parameter.get("Default", "")) for name, parameter in parameters.items()}
    return {name: defaults[name] if name in FOR_ONCE else known.get(name, defaults[name]) for name in parameters}


def fault(parameter: Mapping[str, Any], value: str) -> str | None:
    """Why CloudFormation would reject a value, in a few words."""
    if allowed := parameter.get("AllowedValues"):
        return None if value in map(str, allowed) else f"one of {', '.join(map(str, allowed))}"
    if parameter["Type"] == "Number":
        low, high = parameter.get("MinValue", 0), parameter.get("MaxValue", sys.maxsize)
        if not value.isdigit() or not low <= int(value) <= high:
            return f"a number from {low}" + (f" to {high}" if "MaxValue" in parameter else "")
    if len(value) < parameter.get("MinLength", 0):
        return "something"
    if (pattern := parameter.get("AllowedPattern")) and not re.fullmatch(pattern, value):
        return f"something of the form {pattern}"
    return None


def asked(parameters: Parameters, proposed: Mapping[str, str], ask: Callable[[str], str]) -> dict[str, str]:
    """A person's answer. Empty input keeps the proposed value, and a space empties it."""
    answers = {}
    for name, parameter in parameters.items():
        print(f"\n{parameter.get('Description', '')}")
        while True:
            typed = ask(f"{name} [{proposed[name]}]: ")
            value = typed.strip() if typed else proposed[name]
            if not (wrong := fault(parameter, value)):
                break
            print(f"  That has to be {wrong}.")
        answers[name] = value
    return answers


def overrides(values: Mapping[str, str]) -> list[str]:
    """For sam's --parameter-overrides: all parameters, because it keeps the stack's value of one that is left out."""
    return [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]


def load(path: Path) -> dict[str, dict[str, str]]:
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def save(path: Path, answers: Mapping[str, Mapping[str, str]]) -> None:
    """A table for each stack."""
    lines = ["# What was answered to `make deploy`, for each stack. Proposed only while the stack is not there yet."]
    for stack, values in answers.items():
        lines += ["", f"[{json.dumps(stack)}]"]
        lines += [f"{name} = {json.dumps(value)}" for name, value in values.items() if name not in FOR_ONCE]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def commands(stack: str, values: Mapping[str, str], *, confirm: bool, sam: Sequence[str]) -> list[list[str]]:
    """Build, stamp, deploy: all for the same processor."""
    return [
        ["make", "--no-print-directory", "build", f"ARCHITECTURE={values['Architecture']}"],
        ["make", "--silent", "--no-print-directory", "stamp"],
        [
            *(*sam, "deploy", "--stack-name", stack, "--no-fail-on-empty-changeset"),
            "--confirm-changeset" if confirm else "--no-confirm-changeset",
            *("--parameter-overrides", *overrides(values)),
        ],
    ]


def settings(words: Iterable[str], parameters: Parameters) -> dict[str, str]:
    """Values given on the command line. Raises ValueError for unknown parameters and invalid values."""
    found = dict(word.split("=", 1) for word in words)
    for name, value in found.items():
        if name not in parameters:
            raise ValueError(f"the template has no parameter {name}")
        if wrong := fault(parameters[name], value):
            raise ValueError(f"{name} has to be {wrong}")
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--answers", type=Path, default=ANSWERS, help="the file with the answers (default: %(default)s)"
    )
    parser.add_argument("--keep", action="store_true", help="do not ask: accept the proposed values")
    parser.add_argument("--dry-run", action="store_true", help="only show the commands and parameters")
    parser.add_argument(
        "set", nargs="*", metavar="Name=value", help="a parameter, in place of what is proposed (or in SET)"
    )


def run(given: argparse.Namespace, _: Out) -> int:
    parameters: dict[str, dict[str, Any]] = read(ROOT / "template.yaml")["Parameters"]
    try:
        chosen = settings([*shlex.split(os.environ.get("SET", "")), *given.set], parameters)
    except ValueError as error:
        raise Refused(str(error)) from error
    live = live_values(session_of(given).client("cloudformation"), given.stack)
    saved = load(given.answers)
    proposed = proposals(parameters, live, saved.get(given.stack, {})) | chosen
    told = "as it stands" if live is not None else "is not there yet"
    print(f"The stack {given.stack} {told}; Enter keeps what is proposed, a blank empties it.")
    values = proposed if given.keep else asked(parameters, proposed, input)
    save(given.answers, saved | {given.stack: values})
    sam = [str(ROOT / ".venv-sam" / "bin" / "sam")]
    path = f"{ROOT / '.venv-sam' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    where = {"AWS_PROFILE": given.profile, "AWS_REGION": given.region, "AWS_DEFAULT_REGION": given.region}
    environment = {**os.environ, "PATH": path} | {name: value for name, value in where.items() if value}
    for command in commands(given.stack, values, confirm=not given.keep, sam=sam):
        if given.dry_run:
            print(json.dumps(command))
            continue
        if done := subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:  # noqa: S603 - what this file itself has made
            return done
    return Exit.DONE


COMMAND = Command("deploy", "build and deploy the stack", __doc__, add_arguments, run, deployed_only=True)
