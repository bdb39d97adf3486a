"""The config table's stream: validates each edit, keeps the last valid version, and reports errors."""

from typing import Any

from cancel_core import wiring
from cancel_core.entrypoints.background import background, batch_failures
from cancel_core.entrypoints.config_stream import read_config_changes

take_in = wiring.take_in_config_edits()


@background
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return batch_failures(take_in(read_config_changes(event["Records"])))
