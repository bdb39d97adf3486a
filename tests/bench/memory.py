"""What each route takes, and costs, with the memory sizes that a function may have: memory is the share of a processor.

The built artifacts, each request by itself after a pause, as customers come: the process has its whole share to begin
with. DynamoDB Local runs outside of the share; it answers within two milliseconds, as DynamoDB does in a region.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench.cold import events_of, start
from tests.bench.share import FULL, PERIOD, limited
from tests.bench.warm import ROUTES, Bench
from tests.conftest import Aws
from tests.load.report import percentile
from tests.package.conftest import alone
from tests.support.builds import Build

MEMORY = (256, 512, 1024, FULL)
ROWS = 10
GB_SECOND = 0.0000133334
"""US dollars, arm64, US East (N. Virginia), November 2026. Source: https://aws.amazon.com/lambda/pricing/"""


@dataclass(frozen=True)
class Taken:
    """A function with `memory` MB, in seconds: the init of a cold start, its first request after that, and a warm
    request's median and 95th percentile. `peak`: the most memory that a cold start used, in bytes.
    """

    function: str
    memory: int
    init: float
    first: float
    warm: float
    warm_p95: float
    peak: int

    @property
    def price(self) -> float:
        """US dollars for the time of a million warm requests, billed by the millisecond."""
        return price(self.warm, self.memory)


def price(seconds: float, memory: int) -> float:
    """US dollars for a million invocations of `seconds` each, each billed by the millisecond."""
    return math.ceil(seconds * 1000) / 1000 * memory / 1024 * GB_SECOND * 1e6


def memory(
    build: Build,
    aws: Aws,
    runtime_folder: Path,
    rounds: int = 5,
    requests: int = 60,
    sizes: Sequence[int] = MEMORY,
    routes: Sequence[str] = tuple(ROUTES),
    tell: Callable[[str], None] = lambda _: None,
) -> list[Taken]:
    """`rounds`: cold starts. `requests`: warm ones. Needs `share.can_limit()`. `tell` is given a line now and then."""
    return list(_measured(build, aws, runtime_folder, rounds, requests, sizes, routes, tell))


def _measured(
    build: Build,
    aws: Aws,
    runtime_folder: Path,
    rounds: int,
    requests: int,
    sizes: Sequence[int],
    routes: Sequence[str],
    tell: Callable[[str], None],
) -> Iterator[Taken]:
    functions = alone(build, build.layer, aws, runtime_folder)
    for name in routes:
        for megabytes in sizes:
            tell(f"{name}, {megabytes} MB")
            with limited(megabytes) as before, events_of(aws) as event_of:
                function = replace(functions[name], command=(*before, *functions[name].command))
                starts = [start(function, event_of(name)) for _ in range(rounds)]
                bench = Bench(build, aws, runtime_folder, before)
                warm = sorted(one["ours"][0] for one in bench.ask(name, ROWS, requests, warm=5, pause=2 * PERIOD))
            yield Taken(
                name,
                megabytes,
                statistics.median(one.init for one in starts),
                statistics.median(one.answer - one.init for one in starts),
                statistics.median(warm),
                percentile(warm, 95),
                max(one.peak for one in starts),
            )
