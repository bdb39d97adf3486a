"""The config table's stream: what an admin edited is looked at, kept when it is right, and told when it is wrong."""

from typing import Any

from cancel_core import wiring
from cancel_core.config_changes import read_config_changes, take_in
from cancel_core.telemetry import background

wiring.configs()
wiring.bus()


@background
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    failed = take_in(wiring.configs(), wiring.bus(), read_config_changes(event["Records"]))
    return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}
