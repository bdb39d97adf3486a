from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from local.event_sources.schedule import Timer
from local.runtime.function import Result
from tests.local.event_sources.worker import running, until


def test_a_schedule_sends_eventbridges_event() -> None:
    events: list[Any] = []

    def invoke(event: Any) -> Result:
        events.append(event)
        return Result(b"null", None, "r")

    with running(Timer("Rule", 0.1, "eu-north-1", invoke)):
        until(lambda: len(events) == 2)
    assert (events[0]["source"], events[0]["detail-type"], events[0]["detail"]) == ("aws.events", "Scheduled Event", {})
    assert datetime.fromisoformat(events[0]["time"]).tzinfo == UTC
    assert events[0]["resources"] == ["arn:aws:events:eu-north-1:123456789012:rule/Rule"]
