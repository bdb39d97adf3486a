"""Each line of the documents that calls the AWS CLI is one that the CLI understands."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from functools import cache
from pathlib import Path

from tests.support.machine import ROOT, rehearsal_bin

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "local" / "README.md"]
BLOCK = re.compile(r"^( *)```sh\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(aws [a-z0-9-]+ [a-z0-9-]+[^`]*)`")
# The shell functions that the runbook has typed first.
RUNBOOK = ROOT / "docs" / "operating.md"
# Arguments end in a unit separator, calls in a record separator.
RECORDER = r"""#!/bin/sh
{ printf '%s\037' "$@"; printf '\036'; } >> "$RECORD"
case "$*" in *list-versions-by-function*) printf '1\t2\t3\t4\n' ;; *) echo the-name-of-it ;; esac
"""


def blocks(page: Path) -> list[str]:
    return [match[2] for match in BLOCK.finditer(page.read_text())]


def calls_aws(text: str) -> bool:
    return bool(re.search(r"\b(aws|said|found|name|output) ", text))


def scripts() -> list[tuple[str, str]]:
    """What a reader pastes, by the page it is on."""
    found = [(page, block) for page in PAGES for block in blocks(page) if calls_aws(block)]
    found += [(page, line) for page in PAGES for line in INLINE.findall(page.read_text())]
    return [(str(page.relative_to(ROOT)), text) for page, text in found]


def typed_first() -> str:
    """The runbook's block of shell functions, up to its first use."""
    (block,) = [one for one in blocks(RUNBOOK) if "said() {" in one]
    return block.partition("\n\n")[0]


@cache
def recorded(text: str, folder: Path) -> list[list[str]]:
    """The arguments of each call of `aws` in a block, as a real shell makes them."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    for name in ("aws", "make", "git", "curl"):
        program = programs / name
        program.write_text(RECORDER if name == "aws" else "#!/bin/sh\n")
        program.chmod(0o755)
    record = folder / "record"
    record.write_text("")
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "RECORD": str(record)}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{typed_first()}\n{text}"],
        env=environment | {"STRIPE_KEY": "a-key"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [call.split("\x1f")[:-1] for call in record.read_text().split("\x1e")[:-1]]


def faults(calls: list[list[str]]) -> list[tuple[str, str | None]]:
    """What the AWS CLI has against each call."""
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_DEFAULT_REGION": "eu-north-1",
        # Whatever still tried to ask somebody would find nobody there.
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_MAX_ATTEMPTS": "1",
    }
    done = subprocess.run(
        [rehearsal_bin() / "python", ROOT / "tests/support/aws_lines.py"],
        input="".join(json.dumps(call) + "\n" for call in calls),
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return [(shlex.join(call), wrong) for call, wrong in zip(calls, said, strict=True)]


def test_every_line_is_found() -> None:
    written = sum(len(re.findall(r"\baws [a-z0-9-]+ [a-z]", page.read_text())) for page in PAGES)
    taken = sum(len(re.findall(r"\baws [a-z0-9-]+ [a-z]", text)) for _, text in scripts())
    assert written == taken > 20


def test_the_cli_understands_every_line(tmp_path: Path) -> None:
    calls = {tuple(call): None for _, text in scripts() for call in recorded(text, tmp_path)}
    assert len(calls) > 30
    assert [(call, wrong) for call, wrong in faults([list(call) for call in calls]) if wrong] == []


# Version 2 alone has `logs tail`; the others are misspelt.
NOT_UNDERSTOOD = """\
aws logs tail group --since 1h
aws dynamodb wait table-there --table-name t
aws lambda invoke --function-name f --read-timeout 3 /dev/stdout
aws dynamodb describe-table --table-name t --query Tabel.TableName
aws cloudformation describe-stack-resource-drifts --stack-name s --stack-resource-drift-status-filters
aws dynamodb create-backup --table-name orders --backup-name before
aws sqs purge-queue
"""


def test_what_the_cli_does_not_understand_is_told() -> None:
    told = faults([shlex.split(line)[1:] for line in NOT_UNDERSTOOD.splitlines()])
    assert [bool(wrong) for _, wrong in told] == [True, True, True, True, True, False, True], told
