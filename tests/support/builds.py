"""The built artifacts, as `make build` makes them, for the processor of this machine."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.template import Template

MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Build:
    """What was built. `artifacts`: folder of each function, by logical id. `layer`: the layer's folder."""

    template: Template
    artifacts: Mapping[str, Path]
    layer: Path


def build_for_this_machine(tree: Path, sam: Path, folder: Path) -> Build:
    """Builds the checkout `tree` into `folder`, only what has changed. Fails with what the tools say."""
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0", "PATH": f"{sam.parent}{os.pathsep}{os.environ['PATH']}"}
    built = folder / "build"
    commands = [
        [
            *(str(sam), "build", "--build-dir", str(built), "--cache-dir", str(folder / "cache")),
            *("--parameter-overrides", f"Architecture={MACHINES[platform.machine().lower()]}"),
        ]
    ]
    # Versions up to 0.1.0 carry no bytecode.
    if "\ncompile:" in (tree / "Makefile").read_text():
        programs = [f"COMPILER={sam.parent / 'python3.13'}", f"TRIMMER={sys.executable}"]
        commands.append(["make", "--silent", "compile", f"ARTIFACTS={built}", *programs])
    for command in commands:
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    template = Template(built / "template.yaml")
    layer = template.resources("AWS::Serverless::LayerVersion")["CancelCoreLayer"]
    return Build(
        template=template,
        artifacts={name: built / properties["CodeUri"] for name, properties in template.functions().items()},
        layer=built / layer["ContentUri"],
    )
