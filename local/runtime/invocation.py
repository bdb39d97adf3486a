"""One event in an environment, and how it can end without an answer."""

from __future__ import annotations

import json
import queue
from dataclasses import dataclass, field

from local.runtime.function import Result


def failure(request_id: str, kind: str, message: str) -> Result:
    """What Lambda tells the caller in place of an answer."""
    body = {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {message}"}
    return Result(json.dumps(body).encode(), "Unhandled", request_id)


@dataclass
class Invocation:
    """One event on its way through an environment.

    ``taken``: a thread of ours has it for the process. ``sent``: it is with the kernel, whole. ``unread``: the process
    let go of its connection and had not read all of it, so it cannot have begun.
    ``outcome`` gets one Result, or None when the process ended before it began, so that another may have the event.
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
        """Whether the function may have seen it. Once its process has ended, and not before, this is the last word."""
        return self.taken and not self.unread
