"""The figures as the tables of docs/performance.md, and as its picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.bench.capacity import Units
from tests.bench.cold import BOTO3, NOTHING, Cold
from tests.bench.growth import Cost, Growth, same_units
from tests.bench.measure import Ratio, Spread
from tests.bench.memory import Taken
from tests.bench.page_shares import MEGABYTE, memory_table, refund_tables
from tests.bench.pages import Loaded
from tests.bench.plot import Group, svg
from tests.bench.refunds import Refunds
from tests.bench.sizes import Size, Sizes
from tests.bench.tables import ms, table
from tests.bench.throughput import Throughput
from tests.bench.warm import PAGE, ROUTES, Warm
from tests.load.customers import REQUESTS

BEGIN, END = "<!-- made by make bench -->\n", "<!-- until here -->\n"
BEGIN_PAGES = "<!-- made by make bench: pages -->\n"
CANCEL_FUNCTION = "CancelOrderFunction"
# The budgets: round trips, ratios, bytes.
TRIPS = {"reasons": 0, "list": 1, "eligibility": 1, "cancel": 2, "refund": 4}
WARM_RATIO = 1.15
COLD_CANCEL, COLD = 1.0, 1.1
OTHER_CLIENT_FUNCTIONS = {
    *("ListReasonsFunction", "ListOrdersFunction", "GetOrderFunction", "CheckEligibilityFunction"),
    *("GetCancellationFunction", "TakeBackRequestFunction", "SubmitWithdrawalFunction", "WithdrawOrderFunction"),
    *("RequestGuestCodeFunction", "RedeemGuestCodeFunction"),
}
"""Beside the cancel's, those that a client waits for."""
CLIENT_FUNCTIONS = OTHER_CLIENT_FUNCTIONS | {CANCEL_FUNCTION}
LAYER = 5 * MEGABYTE
LIST, CANCEL = (kind for kind in REQUESTS if kind in ("list orders", "cancel"))


@dataclass(frozen=True)
class Figures:
    """All that one run has measured. `machine` says on what."""

    machine: str
    cold: Sequence[Cold]
    imports: Mapping[str, float]
    instructions: Mapping[str, float]
    warm: Sequence[Warm]
    capacity: Mapping[int, Mapping[str, Units]]
    growth: Growth
    throughput: Sequence[Throughput]
    memory: Sequence[Taken]
    refunds: Refunds
    sizes: Sizes


def put_into(page: str, tables: str, begin: str = BEGIN) -> str:
    """The page with what stands between `begin` and END replaced."""
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(END)
    assert found, f"the page lacks {begin!r} or {END!r}"
    return f"{before}{begin}\n{tables}\n{END}{after}"


def pages_text(machine: str, rows: Sequence[Loaded]) -> str:
    """The section about the pages, which is measured by itself as well."""
    lines = table(
        "page | requests | of them to the API | KB | seconds until the button",
        [(one.page, f"{one.requests}", f"{one.api}", f"{one.sent / 1024:.1f}", f"{one.seconds:.1f}") for one in rows],
    )
    return f"Measured on {machine}.\n\n" + "\n".join(lines) + "\n"


def instructions_text(ratios: Mapping[str, float]) -> list[str]:
    """Nothing, where nothing could be counted."""
    rows = [f"{name} {ratio:.2f}" for name, ratio in ratios.items() if name != BOTO3]
    told = "Instructions that an init executes, as a ratio to boto3 with one client, counted by valgrind"
    return [f"{told}: {', '.join(rows)}."] if rows else []


def text(figures: Figures) -> str:
    parts = [
        f"Measured on {figures.machine}. Ratios compare measurements taken alternately: median with quartiles.",
        "### Budgets",
        *table("what | budget | measured | ", _budgets(figures)),
        "![Ratios to the baseline](pictures/bench.svg)",
        "### Cold starts",
        *cold_table(figures.cold),
        f"Import time of `{CANCEL_FUNCTION}` by package, in milliseconds (measured with `-X importtime`, including its "
        "overhead; `app` is the client that is created at init): "
        + ", ".join(f"{name} {seconds * 1000:.0f}" for name, seconds in figures.imports.items() if seconds >= 0.0015)
        + ".",
        *instructions_text(figures.instructions),
        "### Warm requests",
        *warm_table(figures.warm),
        "### Round trips and capacity units",
        "Round trips / read units / write units.",
        *_capacity(figures.capacity),
        "### Growth with the number of orders",
        *_growth(figures.growth),
        "### Concurrent clients",
        *_throughput(figures.throughput),
        "### Memory sizes",
        *memory_table(figures.memory),
        "### Refunds",
        *refund_tables(figures.refunds),
        "### Sizes",
        *_sizes(figures.sizes),
    ]
    # Rows of one table stand together, all else apart.
    lines: list[str] = []
    for part in parts:
        if lines and not (part.startswith("|") and lines[-1].startswith("|")):
            lines.append("")
        lines.append(part)
    return "\n".join(lines) + "\n"


def _budgets(figures: Figures) -> Iterator[Sequence[str]]:
    for route, budget in TRIPS.items():
        trips = max(rows[route][0] for rows in figures.capacity.values())
        yield f"round trips, warm, {route}", f"{budget}", f"{trips}", _met(trips <= budget)
    yield from _warm_budgets(figures.warm)
    yield from _cold_budgets(figures.cold)
    layer = figures.sizes.layer.zipped
    yield "layer, zipped", "5 MB", f"{layer / MEGABYTE:.2f} MB", _met(layer <= LAYER)
    growth = figures.growth
    first, last = growth.steps[0], growth.steps[-1]
    for what, costs in (
        (f"a cancel, {first.orders} to {last.orders:,} orders", growth.cancels),
        (f"a page, {first.orders} to {last.orders:,} orders", growth.pages),
        ("a page, by the customer's orders", [one.first for one in growth.full]),
    ):
        same = same_units(costs)
        ratios = ", ".join(f"{cost.cpu.ratio.median:.2f}" for cost in costs)
        yield f"growth: {what}", "flat", f"the same units; CPU {ratios} x" if same else "other units", _met(same)


def _warm_budgets(warm: Sequence[Warm]) -> Iterator[Sequence[str]]:
    for route in dict.fromkeys(one.route for one in warm if one.trips):
        of_route = [one for one in warm if one.route == route]
        rows = ", ".join(f"{one.rows}" for one in of_route)
        ratios = [one.cpu.ratio.median for one in of_route]
        measured = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        yield f"warm CPU of `{route}`, {rows} rows", f"{WARM_RATIO} x", f"{measured} x", _met(max(ratios) <= WARM_RATIO)
    # A route without a call has no floor to compare with. It may take what the others may take beside their calls.
    read = min(one.cpu.floor.median for one in warm if one.trips)
    for one in warm:
        if not one.trips:
            share, most = one.cpu.ours.median / read, WARM_RATIO - 1
            yield f"warm CPU of `{one.route}`", f"{most:.2f} x one read", f"{share:.2f} x", _met(share <= most)


def _cold_budgets(rows: Sequence[Cold]) -> Iterator[Sequence[str]]:
    def row(what: str, budget: float, ratio: Spread) -> Sequence[str]:
        return f"cold start of {what}", f"{budget} x", f"{ratio.text()} x", _met(ratio.median <= budget)

    (cancel,) = (one for one in rows if one.name == CANCEL_FUNCTION)
    yield row("a cancel, import and init, time", COLD_CANCEL, cancel.init_ratio)
    yield row("a cancel, import and init, CPU", COLD_CANCEL, cancel.init_cpu_ratio)
    others = [one for one in rows if one.name in OTHER_CLIENT_FUNCTIONS]
    by_time = max(others, key=lambda one: one.init_ratio.median)
    by_cpu = max(others, key=lambda one: one.init_cpu_ratio.median)
    yield row(f"the slowest other client route ({by_time.name}), time", COLD, by_time.init_ratio)
    yield row(f"the slowest other client route ({by_cpu.name}), CPU", COLD, by_cpu.init_cpu_ratio)


def _met(is_met: bool) -> str:
    return "met" if is_met else "**not met**"


def cold_table(rows: Sequence[Cold]) -> Iterator[str]:
    yield from table(
        "function | init, ms | its CPU, ms | init, ratio | its CPU, ratio | first answer, ms | its CPU, ratio",
        [
            (
                one.name,
                ms(one.init.median),
                ms(one.init_cpu.median),
                "" if one.name == NOTHING else one.init_ratio.text(),
                "" if one.name == NOTHING else one.init_cpu_ratio.text(),
                ms(one.answer.median),
                one.answer_cpu_ratio.text(),
            )
            for one in rows
        ],
    )


def warm_table(rows: Sequence[Warm]) -> Iterator[str]:
    yield from table(
        "route | rows | round trips | ms | ratio | CPU, ms | CPU, ratio",
        [
            (
                f"`{one.route}`",
                f"{one.rows}",
                f"{one.trips}",
                ms(one.latency.ours.median),
                _beside(one.latency),
                ms(one.cpu.ours.median),
                _beside(one.cpu),
            )
            for one in rows
        ],
    )


def _beside(ratio: Ratio) -> str:
    # Without a call the floor is a line of JSON, and a ratio to it says nothing.
    return ratio.ratio.text() if ratio.floor.median > 0.0005 else ""


def _capacity(rows: Mapping[int, Mapping[str, Units]]) -> Iterator[str]:
    routes = list(next(iter(rows.values())))
    yield from table(
        "rows | " + " | ".join(routes),
        [
            [f"{number}", *(f"{trips} / {read:g} / {written}" for trips, read, written in units.values())]
            for number, units in rows.items()
        ],
    )


def _growth(growth: Growth) -> Iterator[str]:
    def row(what: str, orders: str, cost: Cost) -> Sequence[str]:
        units = f"{cost.trips} / {cost.read:g} / {cost.written:g}"
        return what, orders, units, ms(cost.latency.ours.median), cost.latency.ratio.text(), cost.cpu.ratio.text()

    rows = [row("cancel", f"{step.orders:,} in the table", step.cancel) for step in growth.steps]
    rows += [row("page", f"{step.orders:,} in the table", step.page) for step in growth.steps]
    rows += [row("first page", f"{one.orders:,} of the customer", one.first) for one in growth.customers]
    rows += [row("last page", f"{one.orders:,} of the customer", one.last) for one in growth.customers]
    yield from table("what | orders | round trips / read units / write units | ms | ratio | CPU, ratio", rows)


def _throughput(rows: Sequence[Throughput]) -> Iterator[str]:
    yield from table(
        "clients | requests a second | cancels a second | list, p50 and p95, ms | cancel, p50 and p95, ms | invariants",
        [
            (
                f"{one.clients}",
                f"{one.requests_a_second:.0f}",
                f"{one.cancels_a_second:.1f}",
                _percentiles(one, LIST),
                _percentiles(one, CANCEL),
                "hold" if not one.broken else "**" + ", ".join(one.broken) + "**",
            )
            for one in rows
        ],
    )


def _percentiles(one: Throughput, kind: str) -> str:
    return f"{one.latencies[kind].p50 * 1000:.0f}, {one.latencies[kind].p95 * 1000:.0f}"


def _sizes(sizes: Sizes) -> Iterator[str]:
    def row(name: str, size: Size) -> Sequence[str]:
        return name, f"{size.zipped / 1024:,.0f}", f"{size.unzipped / 1024:,.0f}"

    rows = [row("the layer", sizes.layer)]
    rows += [row(f"of it {name}", size) for name, size in sizes.dependencies.items()]
    rows += [row(f"{name}", size) for name, size in sizes.functions.items()]
    yield from table("artifact | zipped, KB | unzipped, KB", rows)


def picture(figures: Figures) -> str:
    def of_route(warm: Warm) -> tuple[str, Spread]:
        return f"{warm.route.replace('{order_id}', '…')}, {warm.rows}", warm.cpu.ratio

    cancel, _ = ROUTES[CANCEL_FUNCTION]
    growth = figures.growth
    starts = [one for one in figures.cold if one.name not in (BOTO3, NOTHING)]
    return svg(
        [
            Group(
                "Cold start: CPU of import and init, to boto3 with one client",
                [(one.name.removesuffix("Function"), one.init_cpu_ratio) for one in starts],
                COLD,
            ),
            Group(
                "Warm: CPU of a cancel by rows, to its DynamoDB calls alone",
                [(f"{one.rows}", one.cpu.ratio) for one in figures.warm if one.route == cancel],
                WARM_RATIO,
            ),
            Group(
                "Warm: CPU of the other routes by rows, to their DynamoDB calls alone",
                [of_route(one) for one in figures.warm if one.route != cancel and one.trips],
                WARM_RATIO,
            ),
            Group(
                "Growth: CPU of a cancel by orders in the table",
                [(f"{step.orders:,}", step.cancel.cpu.ratio) for step in growth.steps],
            ),
            Group(
                f"Growth: CPU of a page of {PAGE} by orders of the customer",
                [(f"{one.orders:,}", one.first.cpu.ratio) for one in growth.full],
            ),
        ]
    )
