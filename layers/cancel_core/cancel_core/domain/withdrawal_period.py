"""The withdrawal period of an order, and whether the order offers withdrawal.

Sources: Directive 2011/83/EU, Articles 9 and 16; Regulation (EEC, Euratom) 1182/71, Article 3. It is shown and noted,
and never a gate: a statement that is late is taken and marked.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

from cancel_core.domain.order import Item, Order
from cancel_core.domain.policy import Policy
from cancel_core.domain.times import moment
from cancel_core.domain.values import plus
from cancel_core.domain.withdrawal_settings import DEFAULT_TIME_ZONE, WithdrawalSettings

_SATURDAY = 5


class Withdrawal(NamedTuple):
    """What an order says of withdrawing from it. `until`: the last day, in the store's zone; None: not known (yet).

    `offers`: whether a consumer is to be offered it; not once a statement about the whole order has come in.
    """

    open: bool
    until: date | None
    offers: bool


def withdrawal_of(order: Order, policy: Policy, now: datetime) -> Withdrawal:
    """`now` has a time zone."""
    if not policy.withdrawal.enabled or not is_offered(order):
        return Withdrawal(open=False, until=None, offers=False)
    until = last_day(order, policy.withdrawal, policy.is_holiday)
    is_open = until is None or _day(now, policy.withdrawal) <= until
    return Withdrawal(is_open, until, offers=is_open and not (order.withdrawal and order.withdrawal.whole))


def is_offered(order: Order) -> bool:
    """Whether there is anything to withdraw from: not for a business, nor where no row is left that counts."""
    return not order.business and bool(_rows(order))


def is_in_time(
    order: Order, settings: WithdrawalSettings, is_holiday: Callable[[date], bool], received: datetime
) -> bool | None:
    """Whether a statement that came in then is in time; None where it is not known. `received` has a time zone."""
    until = last_day(order, settings, is_holiday)
    return None if until is None else _day(received, settings) <= until


def last_day(order: Order, settings: WithdrawalSettings, is_holiday: Callable[[date], bool]) -> date | None:
    """The last day, to its end in the store's zone: the store's days after the last item was delivered.

    The day of delivery is not counted, and a last day that is a Saturday, a Sunday or a public holiday moves to the
    next working day. None where an item's delivery is not known, or there is none that counts.
    """
    deliveries = [moment(item.delivered_at or order.delivered_at or "") for item in _rows(order)]
    known = [at for at in deliveries if at is not None]
    if not known or len(known) < len(deliveries):
        return None
    try:
        day = _day(max(known), settings) + timedelta(days=settings.days)
        while day.weekday() >= _SATURDAY or is_holiday(day):
            day += timedelta(days=1)
    except OverflowError:
        # At the end of the calendar, where nothing is delivered.
        return None
    return day


def _rows(order: Order) -> list[Item]:
    """The rows that count: neither taken out by Article 16 nor cancelled nor given back as a whole.

    Of an order that was cancelled before anything left the house no row is left, whatever its quantities say: they are
    booked when its refund ends, and a shop may set its status alone.
    """
    is_canceled = order.cancellation is not None or order.status == "canceled"
    if is_canceled and not order.has_left and not order.delivered_at:
        return [item for item in order.items if item.delivered_at and not _is_out(item)]
    return [item for item in order.items if not _is_out(item)]


def _is_out(item: Item) -> bool:
    is_gone = item.qty_ordered > 0 and plus(item.qty_canceled, item.qty_refunded) >= item.qty_ordered
    return is_gone or item.withdrawal_exempt is not None


def _day(at: datetime, settings: WithdrawalSettings) -> date:
    """The day that it then is in the store's zone."""
    return at.astimezone(_zone(settings.time_zone)).date()


def _zone(name: str) -> tzinfo:
    if name == DEFAULT_TIME_ZONE:
        return UTC
    # Only a store that names a zone needs it.
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)
