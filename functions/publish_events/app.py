"""The orders table's stream: what happened to an order becomes events on the bus."""

from typing import Any

from cancel_core import wiring
from cancel_core.announce import publish_changes, read_changes
from cancel_core.telemetry import background

wiring.bus()


@background
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    failed = publish_changes(wiring.bus(), read_changes(event["Records"]))
    return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}
