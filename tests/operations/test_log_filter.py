"""What Lambda lets through of what the functions write, at each `LogLevel`: metrics and errors always."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local.runtime.runtime import Runtime
from local.stack import functions_of
from local.template import Template
from tests.operations.conftest import Json, Stage, emitted, metric, payload
from tests.support.machine import ROOT
from tests.support.waiting import wait_until

LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
FUNCTION = "GetOrderFunction"
INTERNAL_ERROR = metric("cancel-core", "InternalError", {"service": "cancel-core"})


def level_for_lambda(line: str) -> str:
    """Source: "Log-level filtering" of the Lambda developer guide. A line without a level that Lambda knows, or without
    a time in RFC 3339, is of level INFO."""
    document: Json = json.loads(line)
    level = str(document.get("level", "")).upper().replace("WARNING", "WARN").replace("CRITICAL", "FATAL")
    time = document.get("timestamp")
    if level not in LEVELS or not isinstance(time, str) or not RFC_3339.fullmatch(time):
        return "INFO"
    return level


def kept(lines: list[str], application_level: str) -> list[str]:
    """Those of `lines` that Lambda hands on to CloudWatch."""
    least = LEVELS.index(application_level)
    return [line for line in lines if LEVELS.index(level_for_lambda(line)) >= least]


@contextmanager
def at(level: str, stage: Stage) -> Iterator[tuple[Runtime, str, list[str], str]]:
    """The runtime of one function, its name, its lines, and the level that Lambda filters by."""
    template = Template(ROOT / "template.yaml", {} if level == "INFO" else {"LogLevel": level})
    function = functions_of(template, {**stage.aws.environment, "CONFIG_CACHE_SECONDS": "0"})[FUNCTION]
    lines: list[str] = []
    with Runtime([function], log=lambda _, line: lines.append(line)) as runtime:
        yield runtime, function.name, lines, template.functions()[FUNCTION]["LoggingConfig"]["ApplicationLogLevel"]


def json_lines(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("{")]


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARN", "ERROR"])
def test_metrics_and_errors_reach_cloudwatch_at_every_level(level: str, stage: Stage) -> None:
    image: Json = payload("publish_events")["Records"][0]["dynamodb"]["OldImage"]
    stage.put("orders", image | {"items": {"S": "gone"}})
    with at(level, stage) as (runtime, name, lines, filtered_by):
        runtime.invoke(name, payload("get_order"))
        wait_until(lambda: INTERNAL_ERROR in emitted(json_lines(lines)), what="the metric is in the log", seconds=10)
        written = json_lines(lines)

        through = kept(written, filtered_by)

        assert emitted(through) == emitted(written)
        # The error with its own level: a filter on `level` finds it.
        assert [line for line in through if json.loads(line).get("message") == "the request failed"]
        assert {level_for_lambda(line) for line in through if '"ERROR"' in line} == {"ERROR"}


@pytest.mark.parametrize(("level", "said"), [("INFO", True), ("WARN", False), ("ERROR", False)])
def test_the_logger_drops_what_the_level_leaves_out(level: str, said: bool, stage: Stage) -> None:
    with at(level, stage) as (runtime, name, lines, filtered_by):
        runtime.invoke(name, payload("get_order"))
        runtime.invoke(name, payload("get_order") | {"pathParameters": {"order_id": "none"}})
        refused = metric("cancel-core", "Refused", {"service": "cancel-core", "code": "ORDER_NOT_FOUND"})
        wait_until(lambda: refused in emitted(json_lines(lines)), what="the refusal is counted", seconds=10)
        messages = {json.loads(line).get("message") for line in kept(json_lines(lines), filtered_by)}
        assert ("answered" in messages) is said


def test_an_error_is_counted_for_its_release_alone_too(stage: Stage) -> None:
    image: Json = payload("publish_events")["Records"][0]["dynamodb"]["OldImage"]
    stage.put("orders", image | {"items": {"S": "gone"}})
    of_release = metric("cancel-core", "InternalError", {"service": "cancel-core", "release": "unreleased"})
    with at("INFO", stage) as (runtime, name, lines, _):
        runtime.invoke(name, payload("get_order"))
        # The release's metric is written at once, the other one at the end of the invocation.
        wait_until(lambda: INTERNAL_ERROR in emitted(json_lines(lines)), what="the metric is in the log", seconds=10)
        counted = emitted(json_lines(lines))
    assert counted[INTERNAL_ERROR] == counted[of_release] == [1]
