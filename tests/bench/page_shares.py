"""The page's tables of memory sizes and of refunds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.bench.memory import Taken, price
from tests.bench.refunds import PROVIDER, Refunds
from tests.bench.tables import ms, table

MEGABYTE = 1024 * 1024
MORE_CONCURRENCY = (50, 100)


def memory_table(rows: Sequence[Taken]) -> Iterator[str]:
    if not rows:
        yield "Not measured: this machine does not let a process be given a share of a processor."
        return
    peak = max(one.peak for one in rows) / MEGABYTE
    yield (
        f"The most memory that a function used is {peak:.0f} MB. Prices are for the time of a million warm requests, "
        "in US dollars."
    )
    yield from table(
        "function | MB | init, ms | first request, ms | warm, ms | warm, p95, ms | price",
        [
            (
                one.function.removesuffix("Function"),
                f"{one.memory}",
                *map(ms, (one.init, one.first, one.warm, one.warm_p95)),
                f"{one.price:.2f}",
            )
            for one in rows
        ],
    )


def refund_tables(refunds: Refunds) -> Iterator[str]:
    share = f"with the share of {refunds.memory} MB" if refunds.limited else "with a whole processor"
    yield (
        f"A warm refund takes {refunds.seconds:.2f} s {share} and a provider that takes {PROVIDER} s for each of "
        f"{refunds.calls:g} calls: {1 / refunds.seconds:.1f} refunds a second for each environment, and "
        f"{price(refunds.seconds, refunds.memory):.2f} USD for the time of a million."
    )
    concurrencies = (refunds.concurrency, *MORE_CONCURRENCY)
    yield from table(
        "refunds in the queue | " + " | ".join(f"minutes with `RefundConcurrency` {one}" for one in concurrencies),
        [
            (f"{waiting:,}", *(f"{refunds.minutes(waiting, one):.1f}" for one in concurrencies))
            for waiting in (1_000, 10_000, 100_000)
        ],
    )
    yield "One run of the reconciler, which ends ten seconds before its timeout, with so many pending refunds:"
    yield from table(
        "pending refunds | announced again by one run | seconds | of | a second",
        [
            (
                f"{run.pending:,}",
                f"{run.announced:,}",
                f"{run.seconds:.1f}",
                f"{run.limit:.0f}",
                f"{run.announced / run.seconds:.0f}",
            )
            for run in refunds.runs
        ],
    )
