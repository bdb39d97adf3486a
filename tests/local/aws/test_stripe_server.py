"""The local stack's Stripe, as far as it is otherwise than localstripe itself."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.stripe_servers import Account, local_stripe


def test_it_leaves_no_file_and_listens_on_the_loopback_alone(tmp_path: Path) -> None:
    with local_stripe(tmp_path) as url:
        account = Account(url)
        intent = account.paid(700)
        assert account.status(intent) == "succeeded"
        with pytest.raises(OSError, match=r"refused|assign|family|unreachable"):
            # It would answer here, if it listened on every address.
            socket.create_connection(("::1", int(urlsplit(url).port or 0)), timeout=5).close()
    # There may be one of somebody else's.
    left = Path("/tmp/localstripe.pickle")
    assert not left.exists() or intent.encode() not in left.read_bytes()
