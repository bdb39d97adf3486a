"""A function that does what the test tells it to."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

calls = 0


def handler(event: dict[str, Any], context: Any) -> Any:
    global calls  # noqa: PLW0603  # what stays between calls is what the tests want to see
    calls += 1
    do = event.get("do", "echo")
    if "begun" in event:
        Path(event["begun"]).write_text(os.environ["_X_AMZN_TRACE_ID"])
    if do == "echo":
        return {
            "event": event,
            "pid": os.getpid(),
            "calls": calls,
            "request_id": context.aws_request_id,
            "remaining": context.get_remaining_time_in_millis(),
            "environment": dict(os.environ),
        }
    if do == "sleep":
        time.sleep(event["seconds"])
        return "slept"
    if do == "wait":
        while not Path(event["until"]).exists():
            time.sleep(0.01)
        return "waited"
    if do == "print":
        print(event["text"])  # as a function would
        return None
    if do == "raise":
        raise ValueError("as told")
    if do == "return":
        return event["value"]
    os._exit(event["code"])
