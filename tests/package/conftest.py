"""The built artifacts, run as Lambda runs them: the artifact, the layer, what AWS's runtime has, and nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from local.runtime.function import Function
from local.runtime.packages import link_runtime
from local.runtime.runtime import Runtime
from local.stack import PARAMETERS, functions_of
from tests.conftest import Aws, serve
from tests.support.builds import Build
from tests.support.machine import ROOT


@pytest.fixture(scope="session")
def aws() -> Iterator[Aws]:
    """One engine will do: what is tested here is the packages."""
    yield from serve("moto")


@dataclass(frozen=True)
class Lambda:
    """Functions from their artifacts. `said`: the lines they have logged."""

    runtime: Runtime
    said: list[str]

    def invoke(self, function: str, event: Any) -> Any:
        """The function's answer to `event`. Fails where the function did."""
        result = self.runtime.invoke(function, event)
        assert result.error is None, "\n".join([result.payload.decode(), *self.said[-20:]])
        return result.json()


WITHOUT = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONTZPATH": ""}
MAIL_IDENTITY = {"MAIL_IDENTITY_ARN": PARAMETERS["MailIdentityArn"]}
"""The build's template has the parameters' defaults, and no identity to send from is among them."""


def _there(function: Function, variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name in function.environment}


def alone(build: Build, layer: Path, aws: Aws, runtime_folder: Path) -> dict[str, Function]:
    """The artifacts with the folder `layer` as their layer, by logical id."""
    return {
        name: replace(
            function,
            name=name,
            path=(layer / "python", runtime_folder),
            # As on Lambda's disk, nothing can be written beside the code.
            # And there are no time zones but those that are carried.
            environment={**function.environment, **_there(function, MAIL_IDENTITY), **WITHOUT},
            # Without `site`, nothing of this environment is seen but what `path` names.
            command=(sys.executable, "-S", "-m", "awslambdaric"),
            # A cold start under the load of other tests.
            timeout=30,
            concurrency=1,
        )
        for name, function in functions_of(build.template, aws.environment).items()
        if name in build.artifacts
    }


@contextmanager
def start(build: Build, layer: Path, aws: Aws, runtime_folder: Path) -> Iterator[Lambda]:
    """Runs the artifacts with the folder `layer` as their layer."""
    said: list[str] = []
    functions = alone(build, layer, aws, runtime_folder).values()
    with Runtime(functions, log=lambda name, line: said.append(f"{name} | {line}")) as runtime:
        yield Lambda(runtime, said)


@pytest.fixture(scope="session")
def runtime_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return link_runtime(tmp_path_factory.mktemp("runtime"))


@pytest.fixture(scope="session")
def functions(build: Build, aws: Aws, runtime_folder: Path) -> Iterator[Lambda]:
    with start(build, build.layer, aws, runtime_folder) as running:
        yield running


def run_by_itself(
    function: Function, *arguments: str, given: str = "", before: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Python, with these arguments, where it sees what the function of `alone` sees, but without a runtime client.

    `given` is its input. `before`: what stands before the command. Fails with what it says.
    """
    done = subprocess.run(
        [*before, sys.executable, "-S", *arguments],
        cwd=function.code,
        env={
            **function.environment,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(map(str, (function.code, *function.path))),
            "AWS_DEFAULT_REGION": function.region,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
        },
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def payload(name: str) -> Any:
    """events/<name>.json"""
    return json.loads((ROOT / "events" / f"{name}.json").read_text())


def payload_of(function: str) -> Any:
    """The payload of a function, by its logical id."""
    return payload(re.sub(r"\B(?=[A-Z])", "_", function.removesuffix("Function")).lower())
