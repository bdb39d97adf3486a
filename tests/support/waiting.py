"""Waiting for what happens by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(probe: Callable[[], T], *, what: str, seconds: float = 60.0, every: float = 0.05) -> T:
    """Asks `probe` until it answers something true, and gives that. Fails after `seconds`.

    The longer it has waited, the longer it waits before it asks again, a tenth of that: asking takes the processor from
    what is waited for.
    """
    begin = time.monotonic()
    while True:
        if answer := probe():
            return answer
        waited = time.monotonic() - begin
        if waited >= seconds:
            raise AssertionError(f"{what}: not within {seconds} s; last seen: {answer!r}")
        time.sleep(max(every, waited / 10))
