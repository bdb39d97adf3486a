"""MiniStack: an AWS on this machine that nobody here wrote, with IAM enforced."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.guard import Guard

REGION = "eu-north-1"
# The account's root user, as the emulator knows it. Functions get sessions of their own roles.
ROOT_USER = "test"


@dataclass(frozen=True)
class Emulator:
    """`programs`: the environment's folder of programs. `started_in`: seconds until it answered."""

    url: str
    programs: Path
    started_in: float

    @property
    def environment(self) -> dict[str, str]:
        """What points any AWS tool at it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": ROOT_USER,
            "AWS_SECRET_ACCESS_KEY": ROOT_USER,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }


@contextmanager
def emulator(programs: Path, folder: Path) -> Iterator[Emulator]:
    """Started on a free port of the loopback, stopped with all that it has started. What it says is in
    folder/emulator.log."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PATH": f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ROOT_USER,
        "AWS_SECRET_ACCESS_KEY": ROOT_USER,
        # Functions are processes of this machine, each under its own role.
        "LAMBDA_EXECUTOR": "local",
        "AUTH": "true",
        # It would listen on a port of its own for devices.
        "IOT_MTLS_ENABLED": "0",
    }
    began = time.monotonic()
    # Whatever ends the tests ends the emulator too.
    guard = Guard()
    with (folder / "emulator.log").open("wb") as log:
        process = subprocess.Popen(
            [programs / "ministack"], cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    guard.watch(process.pid)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url, process)
        yield Emulator(url, programs, time.monotonic() - began)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        guard.stop()
        process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}/_ministack/health", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the emulator did not start: {process.returncode}")
