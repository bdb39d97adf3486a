"""One event in an environment, and the ways it can end without a response."""

from __future__ import annotations

import json
import queue
from dataclasses import dataclass, field

from local.runtime.function import Result


def failure(request_id: str, kind: str, message: str) -> Result:
    """The error that Lambda returns to the caller instead of a result."""
    body = {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {message}"}
    return Result(json.dumps(body).encode(), "Unhandled", request_id)


@dataclass
class Invocation:
    """One event being processed by an environment.

    ``taken``: one of our threads has taken it for the process. ``sent``: the kernel has all of it. ``unread``: the
    process closed its connection without reading all of it, so it cannot have begun. ``outcome`` gets one Result, or
    None if the process ended before it began, so that another may take the event.
    """

    request_id: str
    payload: bytes
    timeout: float
    arn: str
    taken: bool = False
    sent: bool = False
    unread: bool = False
    outcome: queue.SimpleQueue[Result | None] = field(default_factory=queue.SimpleQueue)

    @property
    def begun(self) -> bool:
        """Whether the function may have seen it. This is final once its process has ended, not before."""
        return self.taken and not self.unread
