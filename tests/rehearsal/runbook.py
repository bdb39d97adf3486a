"""The documents' lines, typed into a real shell, with the real AWS CLI, against the stack on the emulator."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.rehearsal.deployment import STACK, Deployment
from tests.template.test_aws_lines import scripts, typed_first

# What is not run here, by a part of its text, and why. tests/template/test_aws_lines.py parses these too.
NOT_HERE = {
    "cancel-update-stack": "nothing is being updated when it is typed",
}


def run(stack: Deployment, text: str, folder: Path) -> str | None:
    """What a block's shell says against it; None if it went through."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    for name in ("make", "git"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    path = os.pathsep.join([str(programs), str(stack.emulator.programs), os.environ["PATH"]])
    script = f"{typed_first()}\n{text}".replace("STACK=cancel-core", f"STACK={STACK}")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env={**os.environ, **stack.emulator.environment, "PATH": path, "STRIPE_KEY": "a-key", "AWS_MAX_ATTEMPTS": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return f"{text}\n{done.stderr[-1500:]}" if done.returncode else None


def typed() -> list[str]:
    """Every block of the documents that calls the AWS CLI and can be run here."""
    return [text for _, text in scripts() if not any(part in text for part in NOT_HERE)]
