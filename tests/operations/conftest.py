"""The template's functions as processes, from the sources, on moto; and the metrics that they write into their logs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from local.demo import seed
from local.runtime.function import Result
from local.runtime.runtime import Runtime
from local.stack import functions_of
from local.template import Template, read
from tests.conftest import MAILS_ARE_ON, Aws, serve
from tests.support.machine import ROOT

Json = dict[str, Any]
NOBODY_LISTENS = "http://127.0.0.1:1"
# A function whose database is unavailable. Its first answer takes as long as any; none waits for the others.
CUT_OFF = "ListOrdersFunction"


class Metric(NamedTuple):
    """What CloudWatch knows a metric by. `dimensions`: sorted pairs of name and value."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


def metric(namespace: str, name: str, dimensions: Json) -> Metric:
    return Metric(namespace, name, tuple(sorted(dimensions.items())))


def emitted(lines: list[str]) -> dict[Metric, list[float]]:
    """The values of each metric in lines of a log, as CloudWatch reads them there (embedded metric format).

    Source: "Specification: Embedded metric format" of the CloudWatch user guide.
    """
    found: dict[Metric, list[float]] = {}
    for line in lines:
        if '"_aws"' not in line:
            continue
        document = json.loads(line)
        for directive in document["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions = {name: document[name] for name in names}
                for told in directive["Metrics"]:
                    values = document[told["Name"]]
                    key = metric(directive["Namespace"], told["Name"], dimensions)
                    found.setdefault(key, []).extend(values if isinstance(values, list) else [values])
    return found


@dataclass
class Stage:
    """A shop with the demo's orders, the functions, and all that they have logged since the last `clear`."""

    aws: Aws
    runtime: Runtime
    lines: list[str]
    dynamodb: Any

    def invoke(self, function: str, event: Any) -> Result:
        return self.runtime.invoke(self.aws.template.name(function), event)

    def put(self, table: str, item: Json) -> None:
        """An item in DynamoDB's own JSON."""
        self.dynamodb.put_item(TableName=self.aws.tables[table], Item=item)

    def clear(self) -> None:
        self.lines.clear()
        seed(self.dynamodb, self.aws.tables["orders"], self.aws.tables["config"])

    @property
    def emitted(self) -> dict[Metric, list[float]]:
        return emitted(self.lines)


@pytest.fixture(scope="session")
def raw() -> Json:
    """template.yaml as it is written."""
    return read(ROOT / "template.yaml")


@pytest.fixture(scope="session")
def resolved() -> Template:
    return Template(ROOT / "template.yaml", MAILS_ARE_ON)


@pytest.fixture(scope="session")
def aws() -> Iterator[Aws]:
    yield from serve("moto")


@pytest.fixture(scope="session")
def running(aws: Aws) -> Iterator[Stage]:
    lines: list[str] = []
    functions = functions_of(aws.template, {**aws.environment, "CONFIG_CACHE_SECONDS": "0"})
    extra = {functions[CUT_OFF].name: {"AWS_ENDPOINT_URL_DYNAMODB": NOBODY_LISTENS}}
    with Runtime(functions.values(), extra_environment=extra, log=lambda _, line: lines.append(line)) as runtime:
        yield Stage(aws, runtime, lines, aws.client("dynamodb"))


@pytest.fixture
def stage(running: Stage) -> Stage:
    running.clear()
    return running


def payload(name: str) -> Any:
    """events/<name>.json"""
    return json.loads((ROOT / "events" / f"{name}.json").read_text())
