"""The orders table's stream: what happened to an order becomes events on the bus."""

from typing import Any

from cancel_core import clock, wiring
from cancel_core.announce import publish_changes, read_changes
from cancel_core.telemetry import background

wiring.orders()
wiring.bus()


@background
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    failed = publish_changes(wiring.orders(), wiring.bus(), read_changes(event["Records"]), clock.now())
    return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}
