"""The limits table: for each customer and day, the orders that were cancelled or are being cancelled.

An item, under `counted`: `slots` (SS), one for each order; for each slot an attribute of its name (SS) with the
requests that hold it; `expires_at`, epoch seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cancel_core.adapters.dynamodb.database import database_errors, holds

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

    from cancel_core.domain.limits import Slot


class Limits:
    """The table. Every method raises `ServiceUnavailable`, and is safe to repeat."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self.table = table

    def take(self, slot: Slot, limit: int) -> bool:
        """Takes a slot, or shares one that is held already. False if that would exceed the limit.

        Counted and checked in one write, so that concurrent requests never take more than `limit` slots.
        """
        return self._update(
            slot,
            "ADD slots :slots, #slot :marks SET expires_at = :expires_at",
            "attribute_not_exists(slots) OR size(slots) < :limit OR contains(slots, :slot)",
            {
                ":slots": {"SS": [slot.slot]},
                ":marks": {"SS": [slot.mark]},
                ":expires_at": {"N": str(slot.expires_at)},
                ":limit": {"N": str(limit)},
                ":slot": {"S": slot.slot},
            },
        )

    def give_back(self, slot: Slot) -> None:
        """Releases a slot. It becomes free once no request holds it.

        The other requests that hold it may be about to cancel the order.
        """
        mark = {":marks": {"SS": [slot.mark]}, ":mark": {"S": slot.mark}}
        self._update(slot, "DELETE #slot :marks", "contains(#slot, :mark)", mark)
        # Also if the mark is not there: the first attempt may have removed it, and its answer may have been lost.
        condition = "contains(slots, :slot) AND attribute_not_exists(#slot)"
        self._update(slot, "DELETE slots :slots", condition, {":slots": {"SS": [slot.slot]}, ":slot": {"S": slot.slot}})

    def _update(self, slot: Slot, expression: str, condition: str, values: dict[str, Any]) -> bool:
        """False where the condition does not hold."""
        with database_errors():
            return holds(
                lambda: self._client.update_item(
                    TableName=self.table,
                    Key={"counted": {"S": slot.counted}},
                    UpdateExpression=expression,
                    ConditionExpression=condition,
                    ExpressionAttributeNames={"#slot": slot.slot},
                    ExpressionAttributeValues=values,
                )
            )
