"""The share of a processor that Lambda gives a function with so much memory, for a process on this machine.

By the kernel's CPU bandwidth control, in either version of control groups. It needs the right to make a group, which
root has on most machines. How Lambda itself spreads a share over time is not documented: PERIOD is what others have
measured there.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

FULL = 1769
"""MB of memory with which a function has one whole processor. Source: Lambda's developer guide, "Configure Lambda
function memory".
"""
PERIOD = 0.02
"""Seconds in which a share may be used at once; then the process waits for the next ones."""

_V1 = Path("/sys/fs/cgroup/cpu")
_V2 = Path("/sys/fs/cgroup")


@cache
def can_limit() -> bool:
    """Whether this machine lets us run a process in a control group with a CPU limit. It is tried: a folder that may be
    written is not enough.
    """
    if _parent() is None:
        return False
    try:
        # A size that nothing else uses.
        with limited(FULL - 1) as before:
            return subprocess.run([*before, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@contextmanager
def limited(memory: int) -> Iterator[tuple[str, ...]]:
    """Gives what to put before a command, so that it runs with the CPU share of `memory` MB."""
    parent = _parent()
    assert parent, "no control groups with CPU limits can be made here"
    group = parent / f"cancel-core-bench-{os.getpid()}-{memory}"
    group.mkdir()
    try:
        period = round(PERIOD * 1e6)
        quota = round(period * memory / FULL)
        if parent == _V1:
            (group / "cpu.cfs_period_us").write_text(f"{period}")
            (group / "cpu.cfs_quota_us").write_text(f"{quota}")
        else:
            (group / "cpu.max").write_text(f"{quota} {period}")
        yield "sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group / "cgroup.procs")
    finally:
        group.rmdir()


def _parent() -> Path | None:
    if os.access(_V1, os.W_OK) and (_V1 / "cpu.cfs_quota_us").exists():
        return _V1
    controllers = _V2 / "cgroup.subtree_control"
    if os.access(_V2, os.W_OK) and controllers.exists() and "cpu" in controllers.read_text().split():
        return _V2
    return None
