"""`python -m local` as a user starts and stops it. What it serves is tested end to end in tests/stack."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.local.processes import children, gone
from tests.support.machine import ROOT
from tests.support.stack import TABLES

COMMAND = [sys.executable, "-m", "local"]


def start(tmp_path: Path) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    ready = tmp_path / "ready.json"
    environment = {**os.environ, "PORT": "0", "AWS_PORT": "0", "CONFIG_CACHE_SECONDS": "7"}
    with (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(
            [*COMMAND, "--ready-file", str(ready)], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    end = time.monotonic() + 60
    while not ready.exists():
        assert process.poll() is None, (tmp_path / "output").read_text()
        assert time.monotonic() < end, (tmp_path / "output").read_text()
        time.sleep(0.05)
    described: dict[str, Any] = json.loads(ready.read_text())
    return process, described


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_it_starts_serves_and_leaves_no_process_behind(tmp_path: Path, how: signal.Signals) -> None:
    process, described = start(tmp_path)
    try:
        url = described.pop("url")
        assert httpx.get(f"{url}/local/stack").json() == described
        assert set(described["tables"]) == TABLES
        assert set(described["history_tables"]) == {"config"}
        token = httpx.post(f"{url}/local/tokens", json={"customer_id": "demo-anna"}).json()["token"]
        orders = httpx.get(f"{url}/orders", headers={"Authorization": f"Bearer {token}"}).json()["orders"]
        assert "demo-paid" in {order["order_id"] for order in orders}
        output = (tmp_path / "output").read_text()
        assert f"{url}/orders/demo-paid/cancellation" in output
        started = children(process.pid)
        assert len(started) > 5
    finally:
        process.send_signal(how)
        code = process.wait(10)
    assert code == (0 if how == signal.SIGINT else -signal.SIGKILL)
    assert gone(started, 5)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"PORT": "{taken}", "AWS_PORT": "0"}, "{taken} is in use: stop what uses it, or choose another with PORT="),
        (
            {"PORT": "0", "AWS_PORT": "{taken}"},
            "{taken} is in use: stop what uses it, or choose another with AWS_PORT=",
        ),
        ({"PORT": "many"}, "PORT=many is not a port number"),
        ({"DYNAMODB": "mysql"}, "DYNAMODB=mysql is not supported"),
        ({"CONFIG_CACHE_SECONDS": "-1"}, "CONFIG_CACHE_SECONDS=-1 is not a number of seconds"),
        ({"RECONCILE_AFTER_SECONDS": "soon"}, "RECONCILE_AFTER_SECONDS=soon is not a number of seconds"),
        ({"PORT": "0", "AWS_PORT": "0", "DYNAMODB": "local", "PATH": "/nowhere"}, "DYNAMODB=local needs Java"),
    ],
)
def test_what_keeps_it_from_starting_is_one_line(settings: dict[str, str], text: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        environment = {**os.environ, **{name: value.replace("{taken}", port) for name, value in settings.items()}}
        ended = subprocess.run(
            COMMAND, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=False
        )
    assert ended.returncode == 1
    assert text.replace("{taken}", port) in ended.stderr
    assert ended.stderr.count("\n") == 1
