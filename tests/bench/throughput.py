"""What the local stack serves to 1, 8 and 32 clients at once, on AWS's DynamoDB Local.

One machine is all of it: gateway, functions, tables, queues, Stripe and the customers share its processors. So these
are no figures of AWS. They tell how far it goes on such a machine, and that the invariants hold meanwhile. A customer
who waits for three refunds makes a pause until one has come, so with many customers refunds set the pace, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.load import driver
from tests.load.customers import REQUESTS
from tests.load.report import percentile
from tests.support.stack import local_stack

CLIENTS = (1, 8, 32)


@dataclass(frozen=True)
class Latency:
    """Of the requests of one kind: how many there were, and seconds."""

    count: int
    p50: float
    p95: float


@dataclass(frozen=True)
class Throughput:
    """What so many clients were served in so many seconds. `latencies`: by kind of request, in the order of REQUESTS.

    `broken`: the names of the invariants that did not hold.
    """

    clients: int
    seconds: float
    requests_a_second: float
    cancels_a_second: float
    latencies: Mapping[str, Latency]
    broken: tuple[str, ...]


def throughput(
    folder: Path,
    seconds: float = 60,
    clients: Sequence[int] = CLIENTS,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[Throughput, ...]:
    """Loads one stack, which is started for it, with one number of clients after the other, for `seconds` each or
    until each kind of visit was made.

    Before the next come, the refunds of the last have ended. The stack's output goes to a file in `folder`. `tell` is
    given a line now and then.
    """
    with local_stack(folder, "--no-demo", DYNAMODB="local") as stack:
        measured = []
        for number in clients:
            tell(f"{number} clients")
            result = driver.run(stack.endpoint, stack.info, driver.Settings(number, seconds), tell)
            measured.append(_told(result))
        return tuple(measured)


def _told(result: driver.Result) -> Throughput:
    by_kind = defaultdict(list)
    for sample in result.log.samples:
        by_kind[sample.kind].append(sample.seconds)
    return Throughput(
        clients=result.settings.customers,
        seconds=result.seconds,
        requests_a_second=result.load.answers.total() / result.seconds,
        cancels_a_second=sum(story.accepted for story in result.log.stories) / result.seconds,
        latencies={kind: _latency(sorted(by_kind[kind])) for kind in REQUESTS if by_kind[kind]},
        broken=tuple(name for name, breaches in result.found.items() if breaches),
    )


def _latency(ordered: Sequence[float]) -> Latency:
    return Latency(len(ordered), percentile(ordered, 50), percentile(ordered, 95))
