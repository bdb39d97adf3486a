"""The figures become the page: each of them, in its table, and a budget that is missed says so."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from local.template import Template
from tests.bench import page
from tests.bench.capacity import capacity
from tests.bench.cold import BOTO3, NOTHING, Cold, bare, cold, imports
from tests.bench.growth import Cost, Customer, Growth, Step
from tests.bench.instructions import can_count, instructions
from tests.bench.measure import Ratio, Spread
from tests.bench.memory import Taken
from tests.bench.page import Figures
from tests.bench.pages import Loaded
from tests.bench.refunds import Announced, Refunds
from tests.bench.sizes import Size, Sizes
from tests.bench.throughput import Latency, Throughput
from tests.bench.warm import ROUTES, Bench, Warm
from tests.conftest import Aws
from tests.package.conftest import alone
from tests.support.builds import Build
from tests.support.machine import ROOT

SPREAD = Spread(1.25, 1.2, 1.3)
RATIO = Ratio(Spread(0.0125, 0.012, 0.013), Spread(0.01, 0.01, 0.01), SPREAD)
COST = Cost(RATIO, RATIO, 2, Decimal(1), Decimal(5))
CANCEL, _ = ROUTES["CancelOrderFunction"]
REASONS, _ = ROUTES["ListReasonsFunction"]
# Of a call the first takes the floor's 10 ms and a tenth more, the second a tenth of it.
WARM = Ratio(Spread(0.011, 0.01, 0.012), RATIO.floor, Spread(1.1, 1.05, 1.15))
NO_CALL = Ratio(Spread(0.001, 0.001, 0.001), Spread(0.0001, 0.0001, 0.0001), Spread(10, 10, 10))


def figures() -> Figures:
    """Figures of one machine, all of them within the budgets."""
    names = (NOTHING, BOTO3, "CancelOrderFunction", "GetOrderFunction", "RefundOrderFunction")
    fast = Spread(0.95, 0.9, 1.0)
    return Figures(
        machine="a machine",
        cold=[Cold(name, *([SPREAD] * 4), *([fast] * 4)) for name in names],
        imports={"botocore": 0.045, "six": 0.0001},
        instructions={BOTO3: 1.0, "CancelOrderFunction": 0.984},
        warm=[Warm(REASONS, 1, 0, NO_CALL, NO_CALL), *(Warm(CANCEL, rows, 2, RATIO, WARM) for rows in (1, 400))],
        capacity={
            1: {
                "reasons": (0, 0, 0),
                "list": (1, 0.5, 0),
                "eligibility": (1, 1, 0),
                "cancel": (2, 1, 5),
                "refund": (3, 1, 16),
            }
        },
        growth=Growth(
            (Step(100, 1, COST, COST), Step(10_000, 2, COST, COST)),
            (Customer(10, COST, COST), Customer(100, COST, COST)),
        ),
        throughput=[Throughput(8, 30, 50.4, 9.25, dict.fromkeys(("list orders", "cancel"), Latency(9, 0.1, 0.2)), ())],
        memory=[Taken("CancelOrderFunction", 512, 0.6, 0.05, 0.0123, 0.02, 60 * 1024**2)],
        refunds=Refunds(0.9, 3, 10, 512, True, (Announced(1_000, 1_000, 4.0, 120),)),
        sizes=Sizes(
            Size(4_800_000, 13_000_000), {"CancelOrderFunction": Size(1024, 2048)}, {"pydantic": Size(9000, 9999)}
        ),
    )


@pytest.mark.parametrize(
    "line",
    [
        "| round trips, warm, cancel | 2 | 2 | met |",
        "| warm CPU of `POST /orders/{order_id}/cancellation`, 1, 400 rows | 1.15 x | 1.10, 1.10 x | met |",
        "| warm CPU of `GET /cancellation-reasons` | 0.15 x one read | 0.10 x | met |",
        "| layer, zipped | 5 MB | 4.58 MB | met |",
        "| growth: a cancel, 100 to 10,000 orders | flat | the same units; CPU 1.25, 1.25 x | met |",
        "| 1 | 0 / 0 / 0 | 1 / 0.5 / 0 | 1 / 1 / 0 | 2 / 1 / 5 | 3 / 1 / 16 |",
        "| cancel | 10,000 in the table | 2 / 1 / 5 | 12 | 1.25 (1.20..1.30) | 1.25 (1.20..1.30) |",
        "| 8 | 50 | 9.2 | 100, 200 | 100, 200 | hold |",
        "| CancelOrder | 512 | 600 | 50 | 12 | 20 | 0.09 |",
        "| 10,000 | 15.0 | 3.0 | 1.5 |",
        "| 1,000 | 1,000 | 4.0 | 120 | 250 |",
        "| of it pydantic | 9 | 10 |",
    ],
)
def test_each_figure_has_its_line(line: str) -> None:
    assert line in page.text(figures()).splitlines()


def test_a_budget_that_is_missed_says_so() -> None:
    slow = Spread(1.51, 1.5, 1.6)
    wrong = figures()
    wrong = replace(
        wrong,
        cold=[replace(one, init_ratio=slow, init_cpu_ratio=Spread(1.09, 1.0, 1.2)) for one in wrong.cold],
        warm=[replace(one, cpu=replace(one.cpu, ours=slow, ratio=slow)) for one in wrong.warm],
        capacity={1: {**wrong.capacity[1], "cancel": (3, 1, 5)}},
        growth=replace(
            wrong.growth,
            steps=(wrong.growth.steps[0], replace(wrong.growth.steps[1], page=replace(COST, read=Decimal(2)))),
        ),
        sizes=replace(wrong.sizes, layer=Size(6_000_000, 6_000_000)),
    )
    missed = [line.split(" | ")[0] for line in page.text(wrong).splitlines() if "**not met**" in line]
    assert missed == [
        "| round trips, warm, cancel",
        "| warm CPU of `POST /orders/{order_id}/cancellation`, 1, 400 rows",
        "| warm CPU of `GET /cancellation-reasons`",
        "| cold start of a cancel, import and init, time",
        "| cold start of a cancel, import and init, CPU",
        "| cold start of the slowest other client route (GetOrderFunction), time",
        "| layer, zipped",
        "| growth: a page, 100 to 10,000 orders",
    ]


def test_the_page_keeps_what_is_written_by_hand() -> None:
    written = (ROOT / "docs" / "performance.md").read_text()
    for begin in (page.BEGIN, page.BEGIN_PAGES):
        before, _, rest = written.partition(begin)
        after = rest.partition(page.END)[2]
        assert page.put_into(written, "| new |\n", begin) == f"{before}{begin}\n| new |\n\n{page.END}{after}"
    with pytest.raises(AssertionError):
        page.put_into("no such place", "")


def test_each_page_of_the_slow_phone_has_its_line() -> None:
    told = page.pages_text("a machine", [Loaded("My Account", 12, 1, 27_443, ("/storefront.css",), 3.46)])
    assert "| My Account | 12 | 1 | 26.8 | 3.5 |" in told.splitlines()


def test_the_picture_has_each_row_and_is_one() -> None:
    texts = [element.text for element in ET.fromstring(page.picture(figures())).iter() if element.text]
    assert {"CancelOrder", "1", "400", "100", "10,000", "1.25"} <= set(texts)


def test_cold_and_warm_and_units_are_measured(build: Build, aws: Aws, runtime_folder: Path, tmp_path: Path) -> None:
    starts = {one.name: one for one in cold({"": build}, aws, runtime_folder, tmp_path, rounds=1)}
    assert starts.keys() == {NOTHING, BOTO3, *build.artifacts}
    assert all(0 < one.init_cpu.median <= one.answer_cpu.median for one in starts.values())
    assert starts[BOTO3].init_ratio.median == starts[BOTO3].answer_ratio.median == 1
    assert {"cancel_core", "pydantic", "botocore"} <= imports(build, aws, runtime_folder, runs=1).keys()

    warm = Bench(build, aws, runtime_folder).measure("CancelOrderFunction", 1, pairs=2, warm=1)
    assert (warm.route, warm.rows, warm.trips) == (CANCEL, 1, 2)
    assert 0 < warm.cpu.ours.low <= warm.latency.ours.high

    units = capacity(aws)
    assert json.dumps(units[1]["cancel"]) == "[2, 1.0, 5]"


def test_instructions_are_counted(build: Build, aws: Aws, runtime_folder: Path, tmp_path: Path) -> None:
    if not can_count():
        pytest.skip("valgrind is not installed.")
    nothing = bare(alone(build, build.layer, aws, runtime_folder), tmp_path)[NOTHING]
    more = tmp_path / "more"
    more.mkdir()
    (more / "app.py").write_text("sum(range(1_000_000))\n")
    counted = instructions({BOTO3: nothing, "the same": nothing, "more": replace(nothing, code=more)})
    assert counted["the same"] == pytest.approx(1, rel=0.2)
    assert counted["more"] > 10
    assert page.instructions_text({}) == []
    (told,) = page.instructions_text({BOTO3: 1, "CancelOrderFunction": 0.984})
    assert told.endswith(": CancelOrderFunction 0.98.")


def test_the_budget_of_cold_starts_is_of_every_client_route() -> None:
    functions = {route.function for route in Template(ROOT / "template.yaml").routes()}
    assert functions == page.CLIENT_FUNCTIONS
