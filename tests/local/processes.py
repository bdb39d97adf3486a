"""Which processes there are."""

from __future__ import annotations

import subprocess
import time


def children(pid: int) -> set[int]:
    """All processes started by this one, and by those."""
    table = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = [tuple(map(int, line.split())) for line in table.splitlines()]
    direct = {child for child, parent in parents if parent == pid}
    return direct.union(*map(children, direct))


def living(pids: set[int]) -> set[int]:
    table = subprocess.run(["ps", "-A", "-o", "pid=,stat="], capture_output=True, text=True, check=True).stdout
    alive = {int(line.split()[0]) for line in table.splitlines() if not line.split()[1].startswith("Z")}
    return pids & alive


def gone(pids: set[int], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while left := living(pids):
        if time.monotonic() > end:
            return not left
        time.sleep(0.05)
    return True
