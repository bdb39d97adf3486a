"""The amounts already refunded by the product and by the shop, whichever of them has booked them.

What we gave is known from our own documents. What the order says may have that in it or not: the shop may have booked
our refund before us, from its provider's webhook; a blind write may have erased what we booked. Sums are absolute:
from what the order said when we first asked a provider, and what it says now.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cancel_core.domain.order import Order, Payment
from cancel_core.domain.refund_document import AskedLeg, Ledger, RefundDocument


@dataclass(frozen=True, slots=True)
class Given:
    """`refunded` and `voided`: what has gone back of each payment, by its id, and what was released. `by_us`: what we
    gave in all. `unseen`: what of that, and of what a person has settled by hand, the order's rows do not say.
    `by_shop`: what the shop gave back itself since the cancel, on rows or on payments, whichever is more.
    """

    refunded: dict[str, int]
    voided: dict[str, int]
    by_us: int
    unseen: int
    by_shop: int
    rows_since: int
    payments_since: int


def given(
    order: Order, ledger: Ledger, documents: Sequence[RefundDocument], counts: Callable[[AskedLeg], bool]
) -> Given:
    """`counts` says of a leg whether it has given something: for what may be paid, all that may have; for what is
    booked, only what has."""
    known = (leg for document in documents for leg in (*document.earlier_tries, *document.payments) if counts(leg))
    legs = sorted(known, key=lambda leg: leg.asked_at)
    refunds = [leg for leg in legs if leg.action == "refund"]
    voids = [leg for leg in legs if leg.action == "void"]
    refunded = _by_payment(order, refunds, lambda payment: payment.amount_refunded)
    by_us = sum(leg.amount for leg in refunds)
    by_hand = sum(document.settled_by_hand for document in documents)
    rows_now = order.rows_refunded
    # With nothing asked of a provider, what a person settled is compared with what the rows said at first.
    on_rows = [(leg.rows_base, leg.amount) for leg in refunds] or [(ledger.rows_before, 0)]
    unseen = not_shown(rows_now, on_rows, by_hand)
    rows = rows_now + unseen
    rows_since = rows - ledger.rows_before
    payments_since = sum(refunded.values()) - ledger.payments_before
    return Given(
        refunded=refunded,
        voided=_by_payment(order, voids, lambda payment: payment.amount_voided),
        by_us=by_us,
        unseen=unseen,
        by_shop=max(0, rows_since - by_us, payments_since - by_us),
        rows_since=rows_since,
        payments_since=payments_since,
    )


def not_shown(now: int, given: Sequence[tuple[int, int]], by_hand: int = 0) -> int:
    """What of that which was given a sum does not show.

    `now` is the sum; `given` says of each time what the sum was before it, and how much it was; `by_hand` came last.
    What a sum grows by from one time to the next is what was given, and perhaps more; or else it is the shop's own, for
    nobody books a part of a refund.
    """
    hidden = 0
    for position, (base, amount) in enumerate(given):
        is_last = position == len(given) - 1
        after = now if is_last else given[position + 1][0]
        ours = hidden + amount + (by_hand if is_last else 0)
        hidden = 0 if after - base >= ours else ours
    return hidden


def _by_payment(order: Order, legs: Sequence[AskedLeg], said: Callable[[Payment], int]) -> dict[str, int]:
    """By payment, what has gone back of it in all. What it once said has gone back has: sums do not go down."""
    sums = {payment.payment_id: said(payment) for payment in order.payments}
    for payment_id in dict.fromkeys(leg.payment_id for leg in legs):
        mine = [(leg.base, leg.amount) for leg in legs if leg.payment_id == payment_id]
        now = max(sums.get(payment_id, 0), mine[-1][0])
        sums[payment_id] = now + not_shown(now, mine)
    return sums
