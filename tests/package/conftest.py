"""The built artifacts, run as Lambda runs them: the artifact, the layer, what AWS's runtime has, and nothing else."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from local.runtime import Runtime, link_runtime
from local.stack import functions_of
from local.template import Template
from tests.conftest import Aws, serve
from tests.machine import ROOT, functions_python, sam_cli

BUILT = ROOT / ".aws-sam-test"
MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Build:
    """What `sam build` made. `artifacts`: folder of each function, by logical id. `layer`: the layer's folder."""

    template: Template
    artifacts: Mapping[str, Path]
    layer: Path


@pytest.fixture(scope="session")
def build() -> Build:
    """Built for this machine's processor, since it is run here. sam builds anew only what has changed."""
    functions_python()
    sam = sam_cli()
    folder = BUILT / "build"
    done = subprocess.run(
        [
            *(sam, "build", "--build-dir", folder, "--cache-dir", BUILT / "cache"),
            *("--parameter-overrides", f"Architecture={MACHINES[platform.machine().lower()]}"),
        ],
        cwd=ROOT,
        env={**os.environ, "SAM_CLI_TELEMETRY": "0", "PATH": f"{sam.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    template = Template(folder / "template.yaml")
    layer = template.resources("AWS::Serverless::LayerVersion")["CancelCoreLayer"]
    return Build(
        template=template,
        artifacts={name: folder / properties["CodeUri"] for name, properties in template.functions().items()},
        layer=folder / layer["ContentUri"],
    )


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


@contextmanager
def start(build: Build, layer: Path, aws: Aws, runtime_folder: Path) -> Iterator[Lambda]:
    """Runs the artifacts with the folder `layer` as their layer."""
    said: list[str] = []
    functions = [
        replace(
            function,
            name=name,
            path=(layer / "python", runtime_folder),
            # Without `site`, nothing of this environment is seen but what `path` names.
            command=(sys.executable, "-S", "-m", "awslambdaric"),
            # A cold start under the load of other tests.
            timeout=30,
            concurrency=1,
        )
        for name, function in functions_of(build.template, aws.environment).items()
    ]
    with Runtime(functions, log=lambda name, line: said.append(f"{name} | {line}")) as runtime:
        yield Lambda(runtime, said)


@pytest.fixture(scope="session")
def runtime_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return link_runtime(tmp_path_factory.mktemp("runtime"))


@pytest.fixture(scope="session")
def functions(build: Build, aws: Aws, runtime_folder: Path) -> Iterator[Lambda]:
    with start(build, build.layer, aws, runtime_folder) as running:
        yield running


def payload(name: str) -> Any:
    """events/<name>.json"""
    return json.loads((ROOT / "events" / f"{name}.json").read_text())
