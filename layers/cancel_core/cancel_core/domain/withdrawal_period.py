"""The withdrawal period of an order, and whether the order offers withdrawal.

Sources: Directive 2011/83/EU, Articles 9 and 16; Regulation (EEC, Euratom) 1182/71, Article 3. The period is shown and
recorded, but never enforced: a late statement is accepted and marked.
"""

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
    """The withdrawal state of an order. `until`: the last day, in the store's zone; None: not known (yet).

    `offers`: whether to offer it to the consumer; not after a statement about the whole order.
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
    """Whether there is anything to withdraw from: not for a business order, nor if no row counts."""
    return not order.business and bool(_rows(order))


def is_in_time(
    order: Order, settings: WithdrawalSettings, is_holiday: Callable[[date], bool], received: datetime
) -> bool | None:
    """Whether a statement received then is in time; None if that is not known. `received` has a time zone."""
    until = last_day(order, settings, is_holiday)
    return None if until is None else _day(received, settings) <= until


def last_day(order: Order, settings: WithdrawalSettings, is_holiday: Callable[[date], bool]) -> date | None:
    """The last day, until its end in the store's zone: the store's number of days after the last delivery.

    The day of delivery is not counted, and a last day that is a Saturday, a Sunday or a public holiday moves to the
    next working day. None if the delivery of an item is not known, or no item counts.
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
        # At the end of the calendar, beyond any real delivery.
        return None
    return day


def _rows(order: Order) -> list[Item]:
    """The rows that count: neither exempt under Article 16 nor cancelled nor refunded as a whole.

    An order that was cancelled before anything was shipped has no such rows, whatever its quantities say: they are
    booked when its refund ends, and a shop may set only the status.
    """
    is_canceled = order.cancellation is not None or order.status == "canceled"
    if is_canceled and not order.has_left and not order.delivered_at:
        return [item for item in order.items if item.delivered_at and not _is_out(item)]
    return [item for item in order.items if not _is_out(item)]


def _is_out(item: Item) -> bool:
    is_gone = item.qty_ordered > 0 and plus(item.qty_canceled, item.qty_refunded) >= item.qty_ordered
    return is_gone or item.withdrawal_exempt is not None


def _day(at: datetime, settings: WithdrawalSettings) -> date:
    """The day in the store's zone at that time."""
    return at.astimezone(_zone(settings.time_zone)).date()


def _zone(name: str) -> tzinfo:
    if name == DEFAULT_TIME_ZONE:
        return UTC
    # Imported only if a store names a zone.
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)
