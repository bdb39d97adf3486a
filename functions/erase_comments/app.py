"""On a schedule: erases the comments on orders after the shop's retention period."""

from datetime import datetime
from typing import Any

from cancel_core import wiring
from cancel_core.entrypoints.background import background

erase_old_comments = wiring.erase_old_comments()


@background
def handler(event: dict[str, Any], context: Any) -> None:
    # The hour for which the schedule started it, even if it is delivered late.
    hour = datetime.fromisoformat(event["time"]).hour
    erase_old_comments(wiring.now(), hour, lambda: context.get_remaining_time_in_millis() / 1000)
