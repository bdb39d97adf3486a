"""``python -m tests.bench``: see docs/performance.md."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from local.runtime.packages import link_runtime
from tests.bench import page
from tests.bench.capacity import capacity
from tests.bench.cold import BOTO3, bare, cold, imports
from tests.bench.growth import growth
from tests.bench.instructions import can_count, instructions
from tests.bench.memory import memory
from tests.bench.pages import pages
from tests.bench.refunds import PENDING, refunds
from tests.bench.share import can_limit
from tests.bench.sizes import sizes
from tests.bench.throughput import throughput
from tests.bench.warm import LIST_FUNCTION, LONGEST_PAGE, ROUTES, Bench, Warm
from tests.conftest import Aws, serve
from tests.package.conftest import alone
from tests.support.builds import Build, build_for_this_machine
from tests.support.machine import ROOT

PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "pictures" / "bench.svg"
SAM = ROOT / ".venv-sam" / "bin" / "sam"


PAGES = "pages"


def main() -> None:
    options = _options()
    if options.only != PAGES:
        _functions(options)
    if not options.before:
        with tempfile.TemporaryDirectory() as folder:
            tables = page.pages_text(_machine(datetime.now(UTC)), pages(Path(folder)))
        _put(tables, options, begin=page.BEGIN_PAGES)


def _put(tables: str, options: argparse.Namespace, begin: str = page.BEGIN) -> None:
    print(tables)
    if options.write:
        PAGE.write_text(page.put_into(PAGE.read_text(), tables, begin))
        _tell(f"{PAGE.relative_to(ROOT)} is rewritten")


def _functions(options: argparse.Namespace) -> None:
    with ExitStack() as until_then:
        folder = Path(until_then.enter_context(tempfile.TemporaryDirectory()))
        runtime_folder = link_runtime(folder / "runtime")
        aws = until_then.enter_context(contextmanager(serve)("dynamodb-local"))

        def built(commit: str, name: str) -> Build:
            tree = until_then.enter_context(_checked_out(commit, folder / name))
            return build_for_this_machine(tree, SAM, folder / f"built-{name}")

        after = built(options.after, "after") if options.after else None
        build = after or build_for_this_machine(ROOT, SAM, ROOT / ".aws-sam-test")
        if options.before:
            _compare(build, built(options.before, "before"), aws, runtime_folder, folder, options)
            return
        figures = page.Figures(
            machine=_machine(datetime.now(UTC)),
            cold=cold({"": build}, aws, runtime_folder, folder, options.rounds),
            imports=imports(build, aws, runtime_folder),
            instructions=_counted({"": build}, page.CLIENT_FUNCTIONS, aws, runtime_folder, folder),
            warm=list(_warm([Bench(build, aws, runtime_folder)], options.pairs)),
            capacity=capacity(aws),
            growth=growth(build, aws, runtime_folder, options.orders, options.pairs, _tell),
            throughput=throughput(folder, options.seconds, tell=_tell),
            memory=memory(build, aws, runtime_folder, tell=_tell) if can_limit() else [],
            refunds=refunds(build, aws, runtime_folder, pending=_up_to(options.orders), tell=_tell),
            sizes=sizes(build),
        )
    _put(page.text(figures), options)
    if options.write:
        PICTURE.write_text(page.picture(figures))
        _tell(f"{PICTURE.relative_to(ROOT)} is rewritten")


def _compare(
    build: Build, before: Build, aws: Aws, runtime_folder: Path, folder: Path, options: argparse.Namespace
) -> None:
    """Cold and warm, of another version and of this one, in turn."""
    functions = [options.only] if options.only else list(build.artifacts)
    both = {
        name: replace(one, artifacts={function: one.artifacts[function] for function in functions})
        for name, one in (("before: ", before), ("", build))
    }
    for line in page.cold_table(cold(both, aws, runtime_folder, folder, options.rounds)):
        print(line, flush=True)
    counted = [options.only] if options.only else page.CLIENT_FUNCTIONS
    for line in page.instructions_text(_counted(both, counted, aws, runtime_folder, folder)):
        print(f"\n{line}", flush=True)
    benches = [Bench(one, aws, runtime_folder) for one in both.values()]
    print("\nOf each two rows the first is of before.\n")
    for line in page.warm_table(list(_warm(benches, options.pairs, functions))):
        print(line, flush=True)


def _counted(
    builds: Mapping[str, Build], names: Collection[str], aws: Aws, runtime_folder: Path, folder: Path
) -> Mapping[str, float]:
    """The instructions of these functions, of each build."""
    if not can_count():
        return {}
    functions = {
        before + name: function
        for before, build in builds.items()
        for name, function in alone(build, build.layer, aws, runtime_folder).items()
        if name in names
    }
    counting = folder / "counting"
    counting.mkdir()
    return instructions({BOTO3: bare(functions, counting)[BOTO3]} | functions)


def _warm(benches: Sequence[Bench], pairs: int, functions: Collection[str] = ROUTES) -> Iterator[Warm]:
    for function, (route, sizes_) in ROUTES.items():
        if function not in functions:
            continue
        for rows in sizes_:
            _tell(f"{route}, {rows} rows")
            # A page of long orders takes as long as many short ones.
            number = max(10, pairs // (1 + rows // (5 if function == LIST_FUNCTION else 50)))
            for bench in benches:
                yield bench.measure(function, rows, number)
        if function == LIST_FUNCTION:
            _tell(f"{route}, a page of {LONGEST_PAGE} orders of {LONGEST_PAGE} rows")
            for bench in benches:
                yield bench.measure(function, LONGEST_PAGE, 10, page=LONGEST_PAGE)


def _up_to(orders: int) -> list[int]:
    """Pending refunds: no more than orders are to be put into a table."""
    return [number for number in PENDING if number <= orders] or [orders]


@contextmanager
def _checked_out(commit: str, folder: Path) -> Iterator[Path]:
    subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(folder), commit], cwd=ROOT, check=True)
    try:
        yield folder
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", str(folder)], cwd=ROOT, check=True)


def _machine(now: datetime) -> str:
    models = [line for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")]
    model = models[0].partition(": ")[2] if models else platform.machine()
    python = platform.python_version()
    return f"{now:%d %B %Y}, {os.cpu_count()} processors ({model}), {platform.system()}, Python {python}"


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measures all that docs/performance.md tells, beside its floor, in one run, and writes it there. "
        "Each setting may also come from the environment variable of its name. For a machine with nothing else to do.",
    )

    def add(name: str, kind: Callable[[str], object], default: str | None, what: str) -> None:
        parser.add_argument(f"--{name}", type=kind, default=os.environ.get(name.upper()) or default, help=what)

    add("rounds", int, "25", "cold starts of each function")
    add("pairs", int, "200", "requests beside their floor, of each route")
    add("orders", int, "1000000", "how many the table grows to")
    add("seconds", float, "60", "how long each number of clients comes")
    add(
        "before",
        str,
        None,
        "a commit: cold and warm figures of its build and of this one, in turn, and nothing written",
    )
    add("after", str, None, "with --before: another commit, in place of what is checked out")
    add("only", str, None, f"{PAGES}: these alone; with --before: this function alone, CancelOrderFunction for one")
    parser.add_argument("--no-write", dest="write", action="store_false", help="print the tables, leave the docs")
    return parser.parse_args()


if __name__ == "__main__":
    main()
