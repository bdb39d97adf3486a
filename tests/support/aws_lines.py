"""Holds lines of the AWS CLI against the CLI's own models, without asking anybody.

Run by the Python of the environment that has the CLI: argument lists as JSON lines on standard input, and for each a
line with what is wrong with it (null if nothing) on standard output.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
from typing import Any


class Answer:
    """What stands in for the service: the emptiest answer that its model allows, with one of everything."""

    def __init__(self) -> None:
        self.status_code = 200
        self.headers: dict[str, str] = {}


def sample(model: Any) -> dict[str, Any]:
    from botocore.utils import ArgumentGenerator

    if model.output_shape is None:
        return {}
    made: dict[str, Any] = ArgumentGenerator().generate_skeleton(model.output_shape)
    if "Payload" in made:
        made["Payload"] = io.BytesIO(b"{}")
    made.pop("NextToken", None)
    for token in ("nextToken", "NextMarker", "NextPageToken", "LastEvaluatedBackupArn"):
        made.pop(token, None)
    if model.name == "DescribeTable":
        made["Table"]["TableStatus"] = "ACTIVE"
    if model.name == "ListObjectsV2":
        # The CLI would go on and fetch them.
        made = {"IsTruncated": False}
    return made


def cli() -> tuple[Any, list[Any]]:
    """The CLI, answered by ourselves, and the models of what it asks for."""
    from awscli.clidriver import create_clidriver

    driver = create_clidriver()
    asked: list[Any] = []

    def answer(model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
        asked.append(model)
        return Answer(), sample(model)

    driver.session.register("before-call.*.*", answer)
    return driver, asked


def fault(driver: Any, asked: list[Any], arguments: list[str]) -> str | None:
    """What the CLI has against the arguments: an unknown command, option or value, or a query for what is not there."""
    asked.clear()
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = driver.main(arguments)
    except SystemExit as stopped:
        code = stopped.code
    if code or not asked:
        return f"exit code {code}: {said.getvalue().strip()[-600:]}"
    if "--query" in arguments:
        # A name that the answer does not have is no error to the CLI: it prints None.
        query = arguments[arguments.index("--query") + 1]
        first = re.match(r"\w+", query)
        if first and first[0] not in asked[-1].output_shape.members:
            return f"{asked[-1].name} answers nothing by the name of {first[0]}"
    return None


if __name__ == "__main__":
    driver, asked = cli()
    for line in sys.stdin:
        # Where a line has the CLI write a file, nothing of it belongs among our answers.
        arguments = ["/dev/null" if word == "/dev/stdout" else word for word in json.loads(line)]
        print(json.dumps(fault(driver, asked, arguments)), flush=True)
