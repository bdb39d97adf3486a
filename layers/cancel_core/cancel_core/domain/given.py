"""The amounts already refunded by the product and by the shop, regardless of who booked them.

What the product refunded is known from its own documents. The order's sums may include it or not: the shop may have
booked our refund first, from its provider's webhook; an overwrite may have erased our booking. Amounts are computed
from absolute sums: the order's sums before our first request to a provider, and its sums now.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cancel_core.domain.order import Order, Payment
from cancel_core.domain.refund_document import AskedLeg, Ledger, RefundDocument


@dataclass(frozen=True, slots=True)
class Given:
    """`refunded` and `voided`: by payment id, what was refunded and what was released. `by_us`: what the product
    refunded in total. `unseen`: the part of that, and of what a person settled by hand, that the order's rows do not
    include. `by_shop`: what the shop refunded itself since the cancel, on rows or on payments, the larger of both.
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
    """`counts` tells whether a leg has moved money: to decide what may be refunded, every leg that may have; for
    bookings, only those that have.
    """
    known = (leg for document in documents for leg in (*document.earlier_tries, *document.payments) if counts(leg))
    legs = sorted(known, key=lambda leg: leg.asked_at)
    refunds = [leg for leg in legs if leg.action == "refund"]
    voids = [leg for leg in legs if leg.action == "void"]
    refunded = _by_payment(order, refunds, lambda payment: payment.amount_refunded)
    by_us = sum(leg.amount for leg in refunds)
    by_hand = sum(document.settled_by_hand for document in documents)
    rows_now = order.rows_refunded
    # Without a request to a provider, settlements by hand are compared with the rows' initial sums.
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
    """The part of the given amounts that a sum does not include.

    `now` is the sum; `given` has for each payout the sum before it and its amount; `by_hand` came last. The growth of
    the sum between two payouts includes the first one, and possibly more; or it is the shop's own, because nobody books
    a part of a refund.
    """
    hidden = 0
    for position, (base, amount) in enumerate(given):
        is_last = position == len(given) - 1
        after = now if is_last else given[position + 1][0]
        ours = hidden + amount + (by_hand if is_last else 0)
        hidden = 0 if after - base >= ours else ours
    return hidden


def _by_payment(order: Order, legs: Sequence[AskedLeg], said: Callable[[Payment], int]) -> dict[str, int]:
    """By payment, the total that was refunded. A sum that was seen once is a minimum: sums never decrease."""
    sums = {payment.payment_id: said(payment) for payment in order.payments}
    for payment_id in dict.fromkeys(leg.payment_id for leg in legs):
        mine = [(leg.base, leg.amount) for leg in legs if leg.payment_id == payment_id]
        now = max(sums.get(payment_id, 0), mine[-1][0])
        sums[payment_id] = now + not_shown(now, mine)
    return sums
