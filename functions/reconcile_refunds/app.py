"""On a schedule: publishes OrderCanceled again for refunds that have been pending for too long."""

from typing import Any

from cancel_core import wiring
from cancel_core.entrypoints.background import background

reannounce = wiring.reannounce()


@background
def handler(_event: dict[str, Any], context: Any) -> None:
    reannounce(wiring.now(), wiring.reconcile_after(), lambda: context.get_remaining_time_in_millis() / 1000)
