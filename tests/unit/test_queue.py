"""How long a refund that could not be carried out waits for its next try."""

from __future__ import annotations

from cancel_core.queue import delay


def test_the_delay_grows() -> None:
    assert [delay(received) for received in range(1, 7)] == [5, 20, 80, 320, 900, 900]
