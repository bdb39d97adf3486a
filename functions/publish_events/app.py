"""The orders table's stream: publishes the changes of orders as events on the bus."""

from typing import Any

from cancel_core import wiring
from cancel_core.entrypoints.background import background, batch_failures
from cancel_core.entrypoints.order_stream import read_changes

publish_changes = wiring.publish_changes()


@background
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return batch_failures(publish_changes(read_changes(event["Records"]), wiring.now()))
