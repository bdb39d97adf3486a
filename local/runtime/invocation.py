"""One event in an environment, and the ways it can end without a response."""

from __future__ import annotations

import json
import queue
import time
import uuid
from dataclasses import dataclass, field

from local.runtime.function import Result


def failure(request_id: str, kind: str, message: str) -> Result:
    """The error that Lambda returns to the caller instead of a result."""
    body = {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {message}"}
    return Result(json.dumps(body).encode(), "Unhandled", request_id)


def _trace() -> str:
    identifier = uuid.uuid4().hex
    return f"Root=1-{int(time.time()):08x}-{identifier[:24]};Parent={identifier[16:]};Sampled=0"


@dataclass
class Invocation:
    """One event being processed by an environment.

    ``trace``: the X-Ray header, which botocore sends with each request to AWS that the function makes meanwhile.
    ``taken``: one of our threads has taken it for the process. ``sent``: the kernel has all of it. ``unread``: the
    process closed its connection without reading all of it, so it cannot have begun. ``outcome`` gets one Result, or
    None if the process ended before it began, so that another may take the event.
    """

    request_id: str
    payload: bytes
    timeout: float
    arn: str
    trace: str = field(default_factory=_trace)
    taken: bool = False
    sent: bool = False
    unread: bool = False
    outcome: queue.SimpleQueue[Result | None] = field(default_factory=queue.SimpleQueue)

    @property
    def begun(self) -> bool:
        """Whether the function may have seen it. This is final once its process has ended, not before."""
        return self.taken and not self.unread
