"""The withdrawals table's stream: processes statements. On a schedule: recovers lost ones."""

from typing import Any

from cancel_core import wiring
from cancel_core.entrypoints.background import background, batch_failures
from cancel_core.entrypoints.withdrawal_stream import read_records

process_withdrawals = wiring.process_withdrawals()


@background
def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    if "Records" in event:
        return batch_failures(process_withdrawals(read_records(event["Records"]), wiring.now()))
    wiring.reconcile_withdrawals(wiring.now(), lambda: context.get_remaining_time_in_millis() / 1000)
    return None
