"""Ports of this machine: finding free ones, and checking for a listener."""

from __future__ import annotations

import secrets
import socket
import subprocess
import time

from local.errors import StartError

PORTS = range(10_000, 32_768)


def require_free(port: int, setting: str) -> None:
    """Raises StartError if it is in use; ``setting`` is the setting with which the user can choose another."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise StartError(f"port {port} is in use: stop what uses it, or choose another with {setting}=") from error


def free_port() -> int:
    """A port for a server that can't choose one itself.

    It is chosen below the system's ephemeral range, so that no outgoing connection takes it first.
    """
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def wait_for(port: int, process: subprocess.Popen[str], name: str) -> None:
    """Returns once something listens there. StartError: the process ended before that, or half a minute is over."""
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise StartError(f"{name} did not start; see the lines above")
