"""The local stack as a user starts and stops it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.aws import StackInfo
from tests.support.schemas import ROOT
from tests.support.waiting import wait_until

TABLES = frozenset({"orders", "config", "refunds", "mails", "withdrawals", "access", "requests", "limits"})
"""What the stack says about its tables, by name."""
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


@contextmanager
def local_stack(folder: Path, *options: str, **settings: str) -> Iterator[Running]:
    """`python -m local` with these options and environment variables, on free ports, until it is no longer needed.

    Its output goes to a file in `folder`. Fails where it does not start, or does not end as it should.
    """
    output, ready = folder / "output.log", folder / "ready.json"
    with output.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "--ready-file", str(ready), *options],
            cwd=ROOT,
            env=os.environ | {"PORT": "0", "AWS_PORT": "0", "PYTHONUNBUFFERED": "1"} | settings,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C in the terminal goes to the parent process, which then stops this one.
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


def _tail(output: Path) -> str:
    return output.read_text(encoding="utf-8", errors="replace")[-4000:]


def _stop(process: subprocess.Popen[bytes]) -> int:
    """Stops it as Ctrl-C does; by SIGTERM, because a pytest in the background ignores SIGINT."""
    if process.poll() is None:
        process.terminate()
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait(5)
