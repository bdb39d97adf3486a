"""The documents' lines, typed into a real shell, with the real AWS CLI, against the stack on the emulator."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

from tests.rehearsal.deployment import STACK, Deployment
from tests.template.test_aws_lines import scripts, typed_first

# Lines that are not run here, by a part of them, and why. tests/template/test_aws_lines.py parses these too.
NOT_HERE = {
    "cancel-update-stack": "nothing is being updated when it is typed",
    "service-quotas": "the emulator has no Service Quotas",
    "aws schemas ": "the emulator has no schema registries",
    "start-message-move-task": "the emulator cannot move messages back",
    "get-query-results": "it asks for the id that the line before it has answered",
}


def run(stack: Deployment, text: str, folder: Path) -> str | None:
    """What a block's shell says against it; None if it went through."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    # For SQS version 1 of the CLI asks AWS itself, whatever AWS_ENDPOINT_URL says.
    real = shlex.join([str(stack.emulator.programs / "aws"), "--endpoint-url", stack.emulator.url])
    for name, body in (("aws", f'exec {real} "$@"'), ("make", ""), ("git", "")):
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
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
    """Every block of the documents that calls the AWS CLI itself and can be run here. Those that only search the logs,
    by the runbook's own function, differ in what they search for: the one that makes the function stands for them."""
    kept = (
        "".join(line for line in text.splitlines(keepends=True) if not any(part in line for part in NOT_HERE))
        for _, text in scripts()
    )
    return [text for text in kept if "aws " in text]
