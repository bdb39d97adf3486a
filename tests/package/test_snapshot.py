"""SnapStart: what a function holds when Lambda takes its snapshot, and what one does that has started from it."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from pathlib import Path

import pytest

from local.demo import seed
from local.runtime.runtime import Runtime
from local.template import read
from tests.conftest import Aws
from tests.package.conftest import alone, payload, payload_of
from tests.support.builds import Build
from tests.support.machine import ROOT
from tests.support.proxy import FaultProxy, Request, fail

SNAPPED = [
    name
    for name, resource in read(ROOT / "template.yaml")["Resources"].items()
    if "SnapStart" in resource.get("Properties", {})
]
SEED = 1
# The snapshot's random state, as every environment finds it; and a look at what one draws.
PROBE = f"""\
import random
random.seed({SEED})
from app import handler as function
def handler(event, context):
    return random.random() if event == "draw" else function(event, context)
"""
GIVEN = dict.fromkeys(("AccessKeyId", "SecretAccessKey", "Token"), "GIVEN") | {"Expiration": "2999-01-01T00:00:00Z"}


def _asks_for_credentials(request: Request) -> bool:
    return request.path == "/credentials"


def _sockets(pid: int) -> list[str]:
    """What the process has open that is a connection, or a socket that waits for one."""
    links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
    return [link for link in links if link.startswith("socket:")]


ANSWERS = {
    "RequestGuestCodeFunction": 202,
    # No code was sent.
    "RedeemGuestCodeFunction": 401,
    "SubmitWithdrawalFunction": 201,
    "WithdrawOrderFunction": 201,
}
"""Where it is not 200."""


@pytest.mark.parametrize("name", SNAPPED)
def test_a_snapshot_holds_nothing_that_must_be_fresh(
    name: str, build: Build, aws: Aws, runtime_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "probe.py").write_text(PROBE)
    dynamodb = aws.client("dynamodb")
    seed(dynamodb, aws.tables["orders"], aws.tables["config"])
    if name == "GetCancellationFunction":
        image = payload("publish_events")["Records"][0]["dynamodb"]["NewImage"]
        dynamodb.put_item(TableName=aws.tables["orders"], Item=image)
    at_snapshot: list[tuple[list[str], list[str]]] = []
    said: list[str] = []
    with FaultProxy(aws.environment["AWS_ENDPOINT_URL"]) as around:
        around.plan(_asks_for_credentials, fail(200, json.dumps(GIVEN).encode()), times=math.inf)
        function = alone(build, build.layer, aws, runtime_folder)[name]
        function = replace(
            function,
            handler="probe.handler",
            path=(*function.path, tmp_path),
            at_snapshot=lambda pid: at_snapshot.append((_sockets(pid), around.operations())),
            environment={
                **function.environment,
                **{variable: around.url for variable in aws.environment if variable.startswith("AWS_ENDPOINT_URL")},
                # Lambda's way to give them under SnapStart, in place of variables.
                "AWS_ACCESS_KEY_ID": "",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{around.url}/credentials",
            },
        )
        with Runtime([function], log=lambda _, line: said.append(line)) as runtime:
            drawn = runtime.invoke(name, "draw").json()
            answer = runtime.invoke(name, payload_of(name)).json()

        ((sockets, asked),) = at_snapshot
        # The one over which it has asked the Runtime API to be restored.
        assert len(sockets) == 1
        assert asked == []
        assert drawn != random.Random(SEED).random()
        assert answer["statusCode"] == ANSWERS.get(name, 200), [answer, *said]
        # Credentials were asked for once, and only then the database, with them.
        assert _asks_for_credentials(around.seen[0].request)
        requests = [one.request for one in around.seen[1:]]
        assert requests
        assert all("Credential=GIVEN/" in request.headers.get("authorization", "") for request in requests)
