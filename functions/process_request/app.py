"""The streams of the orders and requests tables: processes requests to the shop.

On a schedule: recovers lost requests and decisions.
"""

from typing import Any

from cancel_core import wiring
from cancel_core.entrypoints.background import background, batch_failures
from cancel_core.entrypoints.request_streams import read_request_records

process_requests = wiring.process_requests()


@background
def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    if "Records" in event:
        return batch_failures(process_requests(read_request_records(event["Records"]), wiring.now))
    wiring.reconcile_requests(lambda: context.get_remaining_time_in_millis() / 1000)
    return None
