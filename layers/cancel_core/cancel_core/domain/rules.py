"""The rules: whether an order may be cancelled, and the amount to refund.

Source: Adobe Commerce, "Allow order cancellation". Off by default; only cancellable statuses; never once an item has
shipped; what has been paid is refunded, item by item.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from cancel_core.domain.order import Order
from cancel_core.domain.policy import Policy
from cancel_core.domain.refund_plan import RefundPlan, plan_refund
from cancel_core.domain.rule_settings import Exclusions
from cancel_core.domain.times import iso, moment

BlockerCode = Literal[
    "ORDER_CANCELLATION_DISABLED",
    "INVALID_ORDER_STATUS",
    "CANCELLATION_REQUESTED",
    "CANCELLATION_WINDOW_CLOSED",
    "NOT_CANCELLABLE",
    "PARTIAL_ORDER_ITEM_SHIPPED",
]
Because = Literal["sku", "item_type", "payment_provider", "customer_group", "total"]


class Blocker(NamedTuple):
    """Why an order can't be cancelled. `item_ids` names the affected items, if the blocker is about items; `because` is
    the store's exclusion that makes an order NOT_CANCELLABLE.
    """

    code: BlockerCode
    message: str
    item_ids: tuple[str, ...] = ()
    because: Because | None = None


class Decision(NamedTuple):
    """Every blocker, in the order they are checked; or none, and the refund that a cancel owes.

    `until`: when the store's window closes, if it has one and there is no blocker. `approval_required`: a cancel is a
    request that the shop decides.
    """

    blockers: tuple[Blocker, ...]
    refund: RefundPlan | None
    until: datetime | None = None
    approval_required: bool = False

    @property
    def eligible(self) -> bool:
        return not self.blockers


Judged = Literal["cancel", "withdrawal", "request"]
"""The purpose of the check. A withdrawal is the customer's right, and the shop has already agreed to an approved
request: for these only the order's state can block a cancel, not the store's settings.
"""


def decide(order: Order, policy: Policy, now: datetime, judged: Judged = "cancel") -> Decision:
    """The one decision, for the list's actions, for eligibility and for the cancel itself."""
    blockers: list[Blocker] = []
    own_rules = judged == "cancel"
    if own_rules and not policy.enabled:
        blockers.append(Blocker("ORDER_CANCELLATION_DISABLED", "Cancelling orders is not enabled for this store."))
    if order.cancellation is not None:
        # Whatever status the order system has set since: an order is cancelled once.
        blockers.append(Blocker("INVALID_ORDER_STATUS", "The order has already been cancelled."))
    elif order.status not in policy.cancellable_statuses:
        blockers.append(
            Blocker("INVALID_ORDER_STATUS", f"An order with the status {order.status!r} can't be cancelled.")
        )
    if own_rules and order.cancellation_request and order.cancellation_request.is_open:
        blockers.append(Blocker("CANCELLATION_REQUESTED", "The shop has been asked to cancel the order."))
    until = window_end(order, policy) if own_rules else None
    approval_required = own_rules and policy.approval == "always"
    if until and now > until and policy.approval == "after_window":
        approval_required, until = True, None
    if until and now > until:
        blockers.append(Blocker("CANCELLATION_WINDOW_CLOSED", f"The order could be cancelled until {iso(until)}."))
    if own_rules:
        blockers += _exclusions(order, policy.excluded)
    if shipped := tuple(item.item_id for item in order.items if item.qty_shipped > 0):
        blockers.append(
            Blocker("PARTIAL_ORDER_ITEM_SHIPPED", "At least one item of the order has already shipped.", shipped)
        )
    if blockers:
        return Decision(tuple(blockers), None, approval_required=approval_required)
    return Decision((), plan_refund(order, policy.refund_basis), until, approval_required)


def window_end(order: Order, policy: Policy) -> datetime | None:
    """The last second in which the store allows cancelling this order; None if it has no window.

    The window of an order with an invalid `placed_at` is always closed.
    """
    if policy.cancel_within is None:
        return None
    placed_at = moment(order.placed_at)
    return placed_at.replace(microsecond=0) + policy.cancel_within if placed_at else datetime.min.replace(tzinfo=UTC)


def _exclusions(order: Order, excluded: Exclusions) -> Iterator[Blocker]:
    """Source: the contract, part 3: one blocker for each applicable cause."""

    def blocker(because: Because, message: str, item_ids: tuple[str, ...] = ()) -> Blocker:
        return Blocker("NOT_CANCELLABLE", message, item_ids, because)

    if named := tuple(item.item_id for item in order.items if item.sku in excluded.skus):
        yield blocker("sku", "The order has an item that can't be cancelled.", named)
    if named := tuple(item.item_id for item in order.items if item.type in excluded.item_types):
        yield blocker("item_type", "The order has an item of a kind that can't be cancelled.", named)
    if any(payment.provider in excluded.payment_providers for payment in order.payments):
        yield blocker("payment_provider", "An order that was paid for in this way can't be cancelled.")
    if order.customer_group in excluded.customer_groups:
        yield blocker("customer_group", "Orders of this customer group can't be cancelled.")
    if order.total > excluded.total_above.get(order.currency, order.total):
        yield blocker("total", "An order of this total can't be cancelled.")
