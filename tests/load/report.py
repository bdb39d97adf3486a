"""A load in plain text: throughput, latencies, answers, and the invariants."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from tests.load.customers import RACE, REQUESTS
from tests.load.driver import Result
from tests.load.order_system import WRITES
from tests.load.people import PEOPLE_REQUESTS
from tests.load.seen import UNTOLD

SHOWN = 5
"""Of what breaks an invariant, so many."""
PERCENTILES = (50, 95, 99, 100)


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The nearest rank: the least value that so many percent of all do not exceed."""
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]


def text(result: Result) -> str:
    return "\n".join(
        [
            *_head(result),
            *_arrivals(result),
            *_latencies(result),
            *_answers(result),
            *_told(result),
            *_invariants(result),
        ]
    )


def _head(result: Result) -> Iterator[str]:
    requests = result.load.answers.total()
    cancels = sum(bool(story.accepted) for story in result.log.stories)
    settings, seconds = result.settings, max(result.seconds, 0.001)
    yield f"{settings.customers} customers for {seconds:.0f} s, {result.engine}, seed {settings.seed}"
    yield (
        f"  {requests / seconds:.1f} requests/s, {cancels / seconds:.1f} cancels/s"
        f" ({requests} requests, {len(result.log.stories)} orders, {cancels} of them cancelled)"
    )
    raced = [sample.said == "200" for sample in result.log.samples if sample.kind == RACE]
    yield f"  of {len(raced)} races with a shipment the cancel won {sum(raced)}"
    yield f"  everything had been dealt with {result.settled_after:.1f} s after the last customer"


def _arrivals(result: Result) -> Iterator[str]:
    """Of those who come at a rate: how many were answered, and how long that took from when it was time."""
    rates = {"withdrawals": result.settings.withdrawals, "guests": result.settings.guests}
    yield _title("from a first request to its answer")
    for who, rate in rates.items():
        arrived = [one for one in result.crowd.arrived if one.who == who]
        answered = [one for one in arrived if one.said not in UNTOLD]
        if not arrived:
            continue
        spread = max(1.0, max(one.due for one in arrived) - min(one.due for one in arrived))
        later = sum(one.tries > 1 for one in answered)
        yield _row(f"{who}, answered", [one.seconds for one in answered] or [0.0])
        yield (
            f"    {rate:g} a second were to come, {len(arrived) / spread:.1f} did;"
            f" of {len(arrived)} {len(answered) - later} were answered at the first try, {later} later,"
            f" {len(arrived) - len(answered)} were turned away;"
            f" sent {max(one.late for one in arrived):.1f} s late at most"
        )
    if expired := sum(one.expired for one in result.crowd.accesses):
        yield f"    {expired} codes were not mailed while they lived"
    taken, received = result.crowd.taken_at, result.received
    waits = dict(result.crowd.waits)
    waits["from 201 to the receipt's mail"] = [
        max(0.0, received[one] - at) for one, at in taken.items() if one in received
    ]
    yield from (_row(name, seconds) for name, seconds in sorted(waits.items()) if seconds)


def _row(name: str, seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    figures = (f"{percentile(ordered, percent) * 1000:8.0f}" for percent in PERCENTILES)
    return f"  {name:34}{len(ordered):8}" + "".join(figures)


def _title(name: str) -> str:
    return f"\n{name:36}{'count':>8}{'p50':>8}{'p95':>8}{'p99':>8}{'max':>8}  ms"


def _latencies(result: Result) -> Iterator[str]:
    by_kind = defaultdict(list)
    for sample in result.log.samples:
        by_kind[sample.kind].append(sample.seconds)
    for title, kinds in (
        ("requests", REQUESTS),
        ("of those who come", PEOPLE_REQUESTS),
        ("the order system's writes", WRITES),
    ):
        yield _title(title)
        yield from (_row(kind, by_kind[kind]) for kind in kinds if by_kind[kind])


def _answers(result: Result) -> Iterator[str]:
    yield "\nanswers"
    for said, number in sorted((result.load.answers + result.load.arrived).items()):
        yield f"  {said:34}{number:8}"


def _told(result: Result) -> Iterator[str]:
    """From a cancel's answer to the event in a subscriber's queue."""
    waits: dict[str, list[float]] = defaultdict(list)
    for one in result.load.outcomes:
        accepted = [answer.at for answer in one.answers if answer.accepted]
        for kind in ("OrderCanceled", "OrderRefunded"):
            if accepted and (told := one.told(kind)):
                # The event may be quicker than the answer.
                waits[kind].append(max(0.0, min(event.at for event in told) - min(accepted)))
    yield _title("from a cancel to its event")
    yield from (_row(kind, seconds) for kind, seconds in waits.items())


def _invariants(result: Result) -> Iterator[str]:
    yield "\ninvariants"
    for name, breaches in result.found.items():
        yield f"  {'BROKEN' if breaches else 'holds':8}{name}"
        yield from (f"          {breach}" for breach in breaches[:SHOWN])
        if len(breaches) > SHOWN:
            yield f"          and {len(breaches) - SHOWN} more"
    kinds = Counter(event.detail_type for one in result.load.outcomes for event in one.events)
    for one in result.load.people.withdrawals:
        kinds["WithdrawalReceived"] += sum(map(len, one.events.values()))
    yield "\n" + ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
