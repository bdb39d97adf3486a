"""The server as a process of its own, as the local stack starts it."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.stripe_servers import Account, local_stripe


def test_it_listens_on_the_loopback_alone_and_says_nothing(tmp_path: Path) -> None:
    with local_stripe(tmp_path) as url:
        account = Account(url)
        intent = account.paid(700)
        assert account.status(intent) == "succeeded"
        with pytest.raises(OSError, match=r"refused|assign|family|unreachable"):
            # It would answer here, if it listened on every address.
            socket.create_connection(("::1", int(urlsplit(url).port or 0)), timeout=5).close()
        assert httpx.get(f"{url}/control/totals", trust_env=False).json()[intent]["captured"] == 700
    assert (tmp_path / "output.log").read_text() == ""
    assert [path.name for path in tmp_path.iterdir()] == ["output.log"]


def test_one_connection_serves_many_requests_without_a_pause(tmp_path: Path) -> None:
    with local_stripe(tmp_path) as url, httpx.Client(base_url=url, trust_env=False) as client:
        seconds = sorted(client.post("/control/pay", json={"captured": 100}).elapsed.total_seconds() for _ in range(50))

    # An answer in two packets waits 40 ms for the first to be acknowledged. On a busy machine a few are late anyway.
    assert seconds[5] < 0.03
