"""Ends all processes with the stack, even if the stack itself is killed.

A guard is one small process that holds the reading end of a pipe. It is told the ids of processes; when the pipe ends,
for whatever reason, it kills those that are left. (Linux's PR_SET_PDEATHSIG is bound to the *thread* that started a
process, so it would kill an environment when the request that started it is over; and macOS has no such thing.)
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading


class Guard:
    """Each process it watches must lead a session of its own (``start_new_session``): the whole group is killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-S", __file__], stdin=subprocess.PIPE, start_new_session=True
        )

    def watch(self, pid: int) -> None:
        self._tell(f"+{pid}\n")

    def forget(self, pid: int) -> None:
        self._tell(f"-{pid}\n")

    def stop(self) -> None:
        """Kill what is left, and wait until that is done."""
        with self._lock, contextlib.suppress(OSError):
            assert self._process.stdin
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        with self._lock, contextlib.suppress(OSError, ValueError):  # stopped already
            assert self._process.stdin
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()


def _main() -> None:
    living: set[int] = set()
    for line in sys.stdin:
        (living.add if line[0] == "+" else living.discard)(int(line[1:]))
    for pid in living:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    _main()
