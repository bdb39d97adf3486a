"""What the order system says for withdrawals: read where it makes sense, and as good as absent where it does not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.support.orders import document, item, order

DELIVERED = "2026-11-20T10:00:00Z"


def test_they_are_read() -> None:
    read = order(
        document(
            items=[item(delivered_at=DELIVERED, withdrawal_exempt="c")],
            delivered_at="2026-11-21T10:00:00.5Z",
            business=True,
            withdrawal={"withdrawal_id": "wdr_1", "received_at": DELIVERED, "whole": True, "count": Decimal(2)},
        )
    )
    assert (read.items[0].delivered_at, read.items[0].withdrawal_exempt) == (DELIVERED, "c")
    assert (read.delivered_at, read.business) == ("2026-11-21T10:00:00.5Z", True)
    assert read.withdrawal
    assert read.withdrawal.model_dump() == {
        "withdrawal_id": "wdr_1",
        "received_at": DELIVERED,
        "whole": True,
        "count": 2,
    }


@pytest.mark.parametrize("nonsense", [True, Decimal(5), "", "soon", "2026-13-40T99:00:00Z", [], {}, {"S": "x"}, {"a"}])
def test_nonsense_counts_as_absent_and_makes_no_order_unreadable(nonsense: Any) -> None:
    read = order(
        document(
            items=[item(delivered_at=nonsense, withdrawal_exempt=nonsense)],
            delivered_at=nonsense,
            business="Yes" if nonsense is True else nonsense,
            withdrawal=nonsense,
        )
    )
    row = read.items[0]
    assert (row.delivered_at, row.withdrawal_exempt, read.delivered_at, read.withdrawal) == (None,) * 4
    assert read.business is False


@pytest.mark.parametrize("count", ["many", None, Decimal(-1), [], True])
def test_what_is_noted_needs_its_id_alone(count: Any) -> None:
    read = order(document(withdrawal={"withdrawal_id": "wdr_1", "whole": "Yes", "count": count})).withdrawal
    assert read
    assert (read.whole, read.count) == (False, 1)
    wrong_time = order(document(withdrawal={"withdrawal_id": "wdr_1", "received_at": Decimal(5)}))
    assert wrong_time.withdrawal
    assert order(document(withdrawal={"withdrawal_id": "", "whole": True})).withdrawal is None
