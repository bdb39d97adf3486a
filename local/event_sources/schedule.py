"""A schedule, which invokes its function at fixed intervals."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime

from local.event_sources.answers import Invoke
from local.runtime.function import TooManyRequests
from local.template import ACCOUNT


class Timer:
    """A schedule's rule: the function gets EventBridge's scheduled event every ``seconds``, once the first have gone
    by."""

    def __init__(self, name: str, seconds: float, region: str, invoke: Invoke) -> None:
        self._rule = f"arn:aws:events:{region}:{ACCOUNT}:rule/{name}"
        self._seconds, self._region, self._invoke = seconds, region, invoke

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(self._seconds):
            event = {
                "version": "0",
                "id": str(uuid.uuid4()),
                "detail-type": "Scheduled Event",
                "source": "aws.events",
                "account": ACCOUNT,
                "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "region": self._region,
                "resources": [self._rule],
                "detail": {},
            }
            try:
                self._invoke(event)
            except TooManyRequests:
                continue
