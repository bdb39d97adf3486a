"""Cold starts of the built functions under the real runtime client, in turn with the least that a function can be."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from local.demo import seed
from local.guard import Guard
from local.runtime.function import Function
from local.runtime.runtime import Runtime
from tests.bench.measure import Spread
from tests.conftest import Aws
from tests.package.conftest import alone, payload, payload_of, run_by_itself
from tests.package.test_payloads import answers
from tests.support.builds import Build

NOTHING, BOTO3 = "a handler that does nothing", "boto3 and one client"
BARE = {
    NOTHING: "def handler(event, context):\n    return {}\n",
    BOTO3: 'import boto3\nclient = boto3.client("dynamodb")\ndef handler(event, context):\n    return {}\n',
}
# These go on from an order that was cancelled.
AFTER_THE_CANCEL = {"GetCancellationFunction", "RefundOrderFunction"}
OWN_LIBRARY = "Python's own library"


@dataclass(frozen=True)
class Cold:
    """One function, or a bare one, in seconds: `init` until it asks for its first event, `answer` until its first
    answer, and the CPU of its process until then. The ratios are to boto3 and one client, of the same round; those of
    init are of what comes on top of a handler that does nothing: the imports, and what is made at init.
    """

    name: str
    init: Spread
    init_cpu: Spread
    answer: Spread
    answer_cpu: Spread
    init_ratio: Spread
    init_cpu_ratio: Spread
    answer_ratio: Spread
    answer_cpu_ratio: Spread


class Times(NamedTuple):
    """Of one cold start, in seconds as in `Cold`. `peak`: the most memory, in bytes."""

    init: float
    init_cpu: float
    answer: float
    answer_cpu: float
    peak: int


def cold(builds: Mapping[str, Build], aws: Aws, runtime_folder: Path, folder: Path, rounds: int) -> list[Cold]:
    """Each round starts every function of every build once, and names it by the build's name before its own.

    `folder` is for what is written on the way.
    """
    built = {
        before + name: function
        for before, build in builds.items()
        for name, function in alone(build, build.layer, aws, runtime_folder).items()
    }
    functions = bare(built, folder) | built
    times: dict[str, list[Times]] = defaultdict(list)
    with events_of(aws) as event_of:
        for number in range(rounds):
            # Another one begins each time: what runs after the same neighbour would be measured with its traces.
            names = list(functions)
            for name in names[number % len(names) :] + names[: number % len(names)]:
                times[name].append(start(functions[name], {} if name in BARE else event_of(functions[name].name)))

    def spread(name: str, which: int) -> Spread:
        return Spread.of([one[which] for one in times[name]])

    def ratio(name: str, which: int, *, without: str | None = None) -> Spread:
        nothing = [one[which] for one in times[without]] if without else [0.0] * rounds
        rows = zip(times[name], times[BOTO3], nothing, strict=True)
        return Spread.of([(ours[which] - none) / (boto3[which] - none) for ours, boto3, none in rows])

    return [
        Cold(
            name,
            *(spread(name, which) for which in range(4)),
            *(ratio(name, which, without=NOTHING) for which in range(2)),
            *(ratio(name, which) for which in range(2, 4)),
        )
        for name in functions
    ]


def bare(built: Mapping[str, Function], folder: Path) -> dict[str, Function]:
    """What is compared with. They see the very paths that a built function sees. Writes into `folder`."""
    like = next(iter(built.values()))
    made = {}
    for number, (name, source) in enumerate(BARE.items()):
        code = folder / f"bare-{number}"
        code.mkdir()
        (code / "app.py").write_text(source)
        subprocess.run([sys.executable, "-m", "compileall", "-q", str(code)], check=True)
        made[name] = replace(like, name=f"bare-{number}", code=code)
    return made


class _Watch(Guard):
    """Knows the process, and what CPU it has used."""

    def __init__(self) -> None:
        self.pid = 0

    def watch(self, pid: int) -> None:
        self.pid = pid

    def forget(self, pid: int) -> None:
        """There is nothing to be guarded."""

    def peak(self) -> int:
        """The most memory that it has used, in bytes. Source: proc_pid_status(5)."""
        (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        return int(kilobytes) * 1024

    def cpu(self) -> float:
        """Of its first thread, which does all of a cold start. Source: Linux, Documentation/scheduler/sched-stats."""
        return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[0]) / 1e9


def start(function: Function, event: Any) -> Times:
    """One cold start of it, and its answer to the event."""
    said: list[str] = []
    process = _Watch()
    with Runtime([function], log=lambda _, line: said.append(line), guard=process) as runtime:
        began = time.perf_counter()
        runtime.warm(function.name)
        init, init_cpu = time.perf_counter() - began, process.cpu()
        result = runtime.invoke(function.name, event)
        answer, answer_cpu, peak = time.perf_counter() - began, process.cpu(), process.peak()
    assert result.error is None, [result.payload, *said]
    return Times(init, init_cpu, answer, answer_cpu, peak)


@contextmanager
def events_of(aws: Aws) -> Iterator[Callable[[str], Any]]:
    """Gives a function's payload of events/, and puts into the tables what it starts from."""
    with ExitStack() as until_then:
        url, _ = until_then.enter_context(answers())
        dynamodb = aws.client("dynamodb")

        def event_of(function: str) -> Any:
            seed(dynamodb, aws.tables["orders"], aws.tables["config"])
            if function in AFTER_THE_CANCEL:
                image = payload("publish_events")["Records"][0]["dynamodb"]["NewImage"]
                refund_id = image["cancellation"]["M"]["refund"]["M"]["refund_id"]
                dynamodb.put_item(TableName=aws.tables["orders"], Item=image)
                dynamodb.delete_item(TableName=aws.tables["refunds"], Key={"refund_id": refund_id})
            return payload_of(function) | ({"ResponseURL": url} if function == "SeedConfigFunction" else {})

        yield event_of


def imports(
    build: Build, aws: Aws, runtime_folder: Path, function: str = "CancelOrderFunction", runs: int = 9
) -> Mapping[str, float]:
    """What the imports of a function's init cost, by package, in seconds, the dearest first; the function's own module
    (`app`) is what it makes at init: the client. Python's `-X importtime` tells, and its telling costs something, too.
    """
    made = alone(build, build.layer, aws, runtime_folder)[function]
    told: dict[str, list[float]] = defaultdict(list)
    for _ in range(runs):
        done = run_by_itself(made, "-X", "importtime", "-c", "import app")
        seconds: dict[str, float] = defaultdict(float)
        for line in done.stderr.splitlines():
            if found := re.fullmatch(r"import time: +(\d+) \| +\d+ \| +(\S+)", line):
                package = found[2].split(".")[0]
                seconds[OWN_LIBRARY if package in sys.stdlib_module_names else package] += int(found[1]) / 1e6
        for package, its in seconds.items():
            told[package].append(its)
    medians = {package: statistics.median(its) for package, its in told.items()}
    return dict(sorted(medians.items(), key=lambda row: -row[1]))
