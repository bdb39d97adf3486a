"""On a schedule: announces again the orders whose refund has been pending for too long, whatever was lost."""

import os
from datetime import timedelta
from typing import Any

from cancel_core import clock, wiring
from cancel_core.announce import reannounce
from cancel_core.telemetry import background, logger

wiring.orders()
wiring.bus()


@background
def handler(_event: dict[str, Any], _context: Any) -> None:
    after = timedelta(seconds=float(os.environ["RECONCILE_AFTER_SECONDS"]))
    announced = reannounce(wiring.orders(), wiring.bus(), clock.now(), after)
    logger.info("reconciled", extra={"announced": announced})
