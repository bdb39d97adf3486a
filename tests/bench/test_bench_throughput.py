"""The figures of throughput are there, and are those of a load that was whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.throughput import throughput
from tests.load.customers import REQUESTS


def test_throughput(tmp_path: Path) -> None:
    told: list[str] = []

    (found,) = throughput(tmp_path, seconds=2, clients=[8], tell=told.append)

    assert found.clients == 8
    assert found.broken == ()
    assert list(found.latencies) == list(REQUESTS)
    assert all(0 < latency.p50 <= latency.p95 for latency in found.latencies.values())
    requests = sum(latency.count for latency in found.latencies.values())
    assert found.requests_a_second * found.seconds == pytest.approx(requests)
    assert 0 < found.cancels_a_second < found.requests_a_second
    assert told[0] == "8 clients"
