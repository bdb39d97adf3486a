"""The output of the local stack's threads."""

from __future__ import annotations

import sys
from typing import TextIO


def say(line: str, to: TextIO | None = None) -> None:
    """A line to `to`, by default standard output, in one write: `print` writes a line and its end one after the other,
    and another thread's line may come between.
    """
    out = to or sys.stdout
    out.write(f"{line}\n")
    out.flush()
