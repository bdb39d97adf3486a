"""EventBridge: the stack's own bus."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cancel_core.adapters import aws
from cancel_core.domain.events import MAX_DETAIL_BYTES, Event
from cancel_core.errors import PublishFailed

if TYPE_CHECKING:
    from types_boto3_events.client import EventBridgeClient


def client() -> EventBridgeClient:
    made: EventBridgeClient = aws.client("events")
    return made


class Bus:
    """The bus that consumers subscribe to."""

    ENTRIES_A_CALL = 10

    def __init__(self, client: EventBridgeClient, name: str) -> None:
        self._client = client
        self._name = name

    def publish(self, events: Sequence[Event]) -> None:
        """Publishes every event, in order. Raises `PublishFailed` with the positions of rejected ones."""
        failed: dict[int, str] = {}
        entries = [self._entry(event) for event in events]
        for start, size in _calls([len(entry["Detail"].encode()) for entry in entries]):
            try:
                answer = self._client.put_events(Entries=entries[start : start + size])
            except Exception as error:  # noqa: BLE001 - the other calls' events are still to be tried
                failed |= dict.fromkeys(range(start, start + size), type(error).__name__)
                continue
            # A 200 may still contain rejected entries.
            for offset, entry in enumerate(answer["Entries"]):
                if "EventId" not in entry:
                    failed[start + offset] = entry.get("ErrorCode", "unknown")
        if failed:
            raise PublishFailed(failed)

    def _entry(self, event: Event) -> Any:
        detail = _dump(event.detail)
        if len(detail.encode()) > MAX_DETAIL_BYTES:
            # Without its rows an event still triggers the refund and the mail. An event that is too large is not sent
            # at all.
            detail = _dump(event.detail | {"items": []})
        return {"EventBusName": self._name, "Source": event.source, "DetailType": event.detail_type, "Detail": detail}


def _dump(detail: dict[str, Any]) -> str:
    return json.dumps(detail, ensure_ascii=False, separators=(",", ":"))


def _calls(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """(start, number) of the entries of each call: at most ten, and in total no more bytes than one entry may have."""
    calls: list[tuple[int, int]] = []
    start = 0
    total = 0
    for position, size in enumerate(sizes):
        if position > start and (position - start == Bus.ENTRIES_A_CALL or total + size > MAX_DETAIL_BYTES):
            calls.append((start, position - start))
            start, total = position, 0
        total += size
    if sizes:
        calls.append((start, len(sizes) - start))
    return calls
