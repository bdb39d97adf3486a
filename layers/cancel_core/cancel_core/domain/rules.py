"""The rules: may this order be cancelled, and what is given back if it is.

Source: Adobe Commerce, "Allow order cancellation". Off by default; only cancellable statuses; never once an item has
shipped; what has been paid is refunded, item by item.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from cancel_core.domain.order import Order
from cancel_core.domain.policy import Policy
from cancel_core.domain.refund_plan import RefundPlan, plan_refund

BlockerCode = Literal["ORDER_CANCELLATION_DISABLED", "INVALID_ORDER_STATUS", "PARTIAL_ORDER_ITEM_SHIPPED"]


class Blocker(NamedTuple):
    """Why an order can't be cancelled. `item_ids` names the shipped items, and is empty for the other codes."""

    code: BlockerCode
    message: str
    item_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """Every blocker that holds, in the order they are checked; or none, and the refund that a cancel owes."""

    blockers: tuple[Blocker, ...]
    refund: RefundPlan | None

    @property
    def eligible(self) -> bool:
        return not self.blockers


Judged = Literal["cancel", "withdrawal"]
"""What an order is judged for. A withdrawal is no favour of the shop's: only what the order has become stands against
it, not what the store says of cancelling."""


def decide(order: Order, policy: Policy, judged: Judged = "cancel") -> Decision:
    """The one decision, for the list's actions, for eligibility and for the cancel itself."""
    blockers: list[Blocker] = []
    if judged == "cancel" and not policy.enabled:
        blockers.append(Blocker("ORDER_CANCELLATION_DISABLED", "Cancelling orders is not enabled for this store."))
    if order.cancellation is not None:
        # Whatever the order system has made of the status since: an order is cancelled once.
        blockers.append(Blocker("INVALID_ORDER_STATUS", "The order has already been cancelled."))
    elif order.status not in policy.cancellable_statuses:
        blockers.append(
            Blocker("INVALID_ORDER_STATUS", f"An order with the status {order.status!r} can't be cancelled.")
        )
    if shipped := tuple(item.item_id for item in order.items if item.qty_shipped > 0):
        blockers.append(
            Blocker("PARTIAL_ORDER_ITEM_SHIPPED", "At least one item of the order has already shipped.", shipped)
        )
    return Decision(tuple(blockers), None if blockers else plan_refund(order, policy.refund_basis))
