"""A function as a source sees it, and a source that runs."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from local.event_sources.queues import QueueSource
from local.event_sources.schedule import Timer
from local.event_sources.stream import StreamSource
from local.runtime.function import Result

Event = dict[str, Any]
PARTIAL = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}


class Function:
    """A function that answers what `behave` says, and remembers the keys (or bodies) of each batch it was given."""

    def __init__(self, behave: Callable[[list[str]], Any] = lambda _: None) -> None:
        self.behave = behave
        self.batches: list[list[str]] = []
        self.events: list[Event] = []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> Result:
        names = [one["body"] if "body" in one else one["dynamodb"]["Keys"]["id"]["S"] for one in event["Records"]]
        with self._lock:
            self.batches.append(names)
            self.events.append(event)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return Result(json.dumps(self.behave(names)).encode(), None, "r")
        except ValueError as error:
            return Result(json.dumps({"errorMessage": str(error)}).encode(), "Unhandled", "r")
        finally:
            with self._lock:
                self.at_once -= 1


def until(holds: Callable[[], Any], seconds: float = 8) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@contextmanager
def running(source: StreamSource | QueueSource | Timer) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=source.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
