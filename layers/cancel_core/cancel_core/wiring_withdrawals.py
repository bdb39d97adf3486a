"""What follows a statement of withdrawal, put together of the parts that `wiring` makes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from cancel_core import wiring
from cancel_core.wiring import _bus, _mails, _orders, _outbox, _policies, _post, _withdrawals

if TYPE_CHECKING:
    from pathlib import Path

    from cancel_core.services.process_withdrawals import Desk, Record


def send_mails(templates: Path) -> Callable[[str, Mapping[str, Any], datetime, Callable[[], datetime]], int]:
    """Sends the mails that tell of an event, of a withdrawal or of anything else. `templates`: the mails' texts."""
    from cancel_core.domain.withdrawal_mails import WITHDRAWAL_RECEIVED
    from cancel_core.services.withdrawal_mails import Counter, send_withdrawal_mails

    counter = Counter(_withdrawals(), os.environ["MAIL_IDENTITY_ARN"], os.environ["GUEST_PAGE_URL"])
    of_orders = wiring.send_mails(templates)

    def send(detail_type: str, detail: Mapping[str, Any], deadline: datetime, clock: Callable[[], datetime]) -> int:
        if detail_type == WITHDRAWAL_RECEIVED:
            return send_withdrawal_mails(_post(templates), counter, detail, deadline, clock)
        return of_orders(detail_type, detail, deadline, clock)

    return send


def process_withdrawals() -> Callable[[Sequence[Record], datetime], list[str]]:
    from cancel_core.services.process_withdrawals import process_all

    return partial(process_all, _desk())


def reconcile_withdrawals() -> Callable[[datetime, timedelta, Callable[[], float]], int]:
    from cancel_core.services.reconcile_withdrawals import Second, reconcile_withdrawals

    return partial(reconcile_withdrawals, _desk(), Second(_mails(), _outbox(os.environ["MAIL_QUEUE_URL"])))


@cache
def _desk() -> Desk:
    from cancel_core.services.process_withdrawals import Desk

    return Desk(_withdrawals(), _orders(), _policies(), _bus())
