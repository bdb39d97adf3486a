"""One local stack for all tests of a run, started as a user starts it. Each test has a shop of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract_support.aws import Aws, EventWatch, StackInfo
from tests.contract_support.client import PRIVATE_COMMENT, PRIVATE_EMAIL, PRIVATE_REFERENCE, Client
from tests.contract_support.schemas import ROOT
from tests.contract_support.shop import Shop
from tests.contract_support.waiting import wait_until

START_SECONDS = 60
STOP_SECONDS = 20


@dataclass(frozen=True)
class Running:
    """A running local stack: where its API is, what it has, and all it has said."""

    endpoint: str
    info: StackInfo
    output: Path
    pid: int

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("stack")
    output, ready = folder / "output.log", folder / "ready.json"
    # Config at once: what caches do is for the tests of the adapters.
    settings = {"PORT": "0", "AWS_PORT": "0", "CONFIG_CACHE_SECONDS": "0", "PYTHONUNBUFFERED": "1"}
    with output.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "--ready-file", str(ready)],
            cwd=ROOT,
            env=os.environ | settings,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C in the terminal is for pytest, which then stops the stack itself.
            start_new_session=True,
        )
    try:

        def is_ready() -> bool:
            assert process.poll() is None, f"the local stack ended by itself:\n{_tail(output)}"
            return ready.exists()

        wait_until(is_ready, what="the local stack is ready", seconds=START_SECONDS, every=0.2)
        told = json.loads(ready.read_text(encoding="utf-8"))
        yield Running(told["url"].rstrip("/"), StackInfo.of(told), output, process.pid)
    finally:
        code = _stop(process)
    assert code == 0, f"the local stack ended with {code}:\n{_tail(output)}"
    said = output.read_text(encoding="utf-8", errors="replace")
    for private in (PRIVATE_EMAIL, PRIVATE_REFERENCE, PRIVATE_COMMENT):
        assert private not in said, f"the local stack has logged {private}"


def _tail(output: Path) -> str:
    return output.read_text(encoding="utf-8", errors="replace")[-4000:]


def _stop(process: subprocess.Popen[bytes]) -> int:
    """Stops it as Ctrl-C does; by SIGTERM, for whoever runs pytest in the background has SIGINT ignored."""
    if process.poll() is None:
        process.terminate()
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait(5)


@pytest.fixture(scope="session")
def aws(stack: Running) -> Iterator[Aws]:
    clients = Aws(stack.info)
    yield clients
    clients.close()


@pytest.fixture(scope="session")
def events(aws: Aws) -> Iterator[EventWatch]:
    watch = EventWatch.open(aws)
    yield watch
    watch.drain()
    watch.close()


@pytest.fixture
def shop(stack: Running, aws: Aws) -> Iterator[Shop]:
    """A store that allows cancelling, with a customer."""
    opened = Shop(aws, stack.endpoint)
    opened.configure()
    yield opened
    opened.close()


@pytest.fixture
def anyone(stack: Running) -> Iterator[Client]:
    """A client without a token."""
    client = Client(stack.endpoint)
    yield client
    client.close()


@pytest.fixture
def default_config(aws: Aws) -> Iterator[Aws]:
    """For tests that change the config of every store: what was there is there again afterwards."""
    before = aws.config_item("default")
    assert before is not None
    yield aws
    aws.config.put_item(Item=before)
