"""Counts cancels and requests: from plain orders and plain rows of the requests table to a report.

Every item that is read is accounted for: it is counted, is outside the period or the store, was never cancelled, or
can't be read, and each of these has its number. Amounts of different currencies are never added.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date
from typing import Any, NamedTuple, get_args

from cancel_core.domain.cancellation import RefundStatus
from cancel_core.domain.cancellation_request import RequestStatus
from cancel_core.domain.policy import DEFAULT_STORE
from cancel_core.domain.times import moment
from cancel_core.domain.values import Amount, Document
from pydantic import ValidationError

STATUSES: tuple[RequestStatus, ...] = get_args(RequestStatus)
SUMS: Mapping[RefundStatus, str] = {
    "succeeded": "refunded",
    "pending": "refund_pending",
    "failed": "refund_failed",
}
"""The measure that a refund's amount is added to."""
COUNTS = ("cancels", "requests", *STATUSES)
MONEY = (*SUMS.values(), "requested_amount")
"""In minor units. `requested_amount`: what cancels would have refunded at the time of the request."""
MEASURES = (*COUNTS, *MONEY)


class Key(NamedTuple):
    """The dimensions of the count. `day`: the UTC day of the cancel or request (ISO 8601)."""

    day: str
    store_id: str
    reason: str
    currency: str


class Period(NamedTuple):
    """From one day to another, both included."""

    first: date
    last: date


@dataclass
class Report:
    """`rows`: the measures by key. `outside`: of another period or store. `unreadable`: ids of orders and requests."""

    rows: dict[Key, Counter[str]] = field(default_factory=dict)
    orders: int = 0
    requests: int = 0
    not_cancelled: int = 0
    outside: int = 0
    unreadable: list[str] = field(default_factory=list)

    def by(self, *names: str) -> dict[tuple[str, ...], Counter[str]]:
        """The measures by these parts of the key and the currency, sorted."""
        places = [Key._fields.index(name) for name in (*names, "currency")]
        found: dict[tuple[str, ...], Counter[str]] = {}
        for key, measures in self.rows.items():
            found.setdefault(tuple(key[place] for place in places), Counter()).update(measures)
        return dict(sorted(found.items()))

    def add(self, key: Key, measures: Mapping[str, int]) -> None:
        """Sums may be negative, and are kept as they are."""
        self.rows.setdefault(key, Counter()).update(measures)


class _Code(Document):
    code: str


class _Refund(Document):
    status: RefundStatus
    currency: str
    amount: Amount


class _Cancel(Document):
    """The data of an order's cancellation that is counted."""

    reason: _Code
    requested_at: str
    refund: _Refund | None = None


class _Request(Document):
    """The data of a row of the requests table that is counted."""

    store_id: str
    reason: str
    status: RequestStatus
    requested_at: str
    currency: str = ""
    amount: Amount = 0


def count(
    orders: Iterable[Mapping[str, Any]],
    requests: Iterable[Mapping[str, Any]],
    period: Period,
    store_id: str | None = None,
) -> Report:
    """Counts the cancels and requests of the period, in one store or in all. Attributes that are NULL are absent."""
    report = Report()
    for order in orders:
        report.orders += 1
        if order.get("cancellation") is None:
            report.not_cancelled += 1
        else:
            _add(report, _cancels(order), order, "order_id", period, store_id)
    for row in requests:
        report.requests += 1
        _add(report, _asked(row), row, "request_id", period, store_id)
    return report


def _add(
    report: Report,
    counted: tuple[Key, Mapping[str, int]] | None,
    source: Mapping[str, Any],
    id_name: str,
    period: Period,
    store_id: str | None,
) -> None:
    at = source.get("cancellation", source)
    day = counted[0].day if counted else _day(at.get("requested_at") if isinstance(at, Mapping) else None)
    other_store = store_id is not None and _store(source) != store_id
    # What can't be read is reported, unless it is known to be of another period or store.
    if other_store or (day is not None and not period.first.isoformat() <= day <= period.last.isoformat()):
        report.outside += 1
    elif counted is None:
        report.unreadable.append(str(source.get(id_name, "?")))
    else:
        report.add(*counted)


def _cancels(order: Mapping[str, Any]) -> tuple[Key, Mapping[str, int]] | None:
    try:
        cancel = _Cancel.model_validate(order["cancellation"])
    except ValidationError:
        return None
    day, refund = _day(cancel.requested_at), cancel.refund
    if day is None:
        return None
    currency = refund.currency if refund else order.get("currency")
    key = Key(day, _store(order), cancel.reason.code, currency if isinstance(currency, str) else "")
    return key, {"cancels": 1} | ({SUMS[refund.status]: refund.amount} if refund else {})


def _asked(row: Mapping[str, Any]) -> tuple[Key, Mapping[str, int]] | None:
    try:
        request = _Request.model_validate(row)
    except ValidationError:
        return None
    day = _day(request.requested_at)
    if day is None:
        return None
    key = Key(day, request.store_id, request.reason, request.currency)
    return key, {"requests": 1, request.status: 1, "requested_amount": request.amount}


def _store(source: Mapping[str, Any]) -> str:
    """As everywhere, an order without a store belongs to the default store."""
    store_id = source.get("store_id")
    return store_id if isinstance(store_id, str) and store_id else DEFAULT_STORE


def _day(at: object) -> str | None:
    read = moment(at) if isinstance(at, str) else None
    return read.astimezone(UTC).date().isoformat() if read else None


def days(period: Period) -> Iterator[str]:
    """Each day of a period."""
    for number in range(period.first.toordinal(), period.last.toordinal() + 1):
        yield date.fromordinal(number).isoformat()
