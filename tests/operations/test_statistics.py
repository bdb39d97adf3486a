"""The dashboard's queries of the log name what the functions really write there, and count each event once."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any

import pytest

from tests.operations.conftest import Json, Stage, payload
from tests.operations.test_alarms import cancelled, changed, dashboard, not_cancelled
from tests.support.waiting import wait_until

SOURCE = "SOURCE '${FunctionsLogGroup}' "
FILTER = re.compile(r'(\w+) = "(\w+)"')
STATS = re.compile(r"stats (count|count_distinct)\((\*|\w+)\) as (\w+) by ([\w, ]+)")
QUERIES: dict[str, str] = {
    widget["properties"]["title"]: widget["properties"]["query"]
    for widget in dashboard()["widgets"]
    if widget["type"] == "log"
}


def answer(query: str, lines: list[str]) -> list[Json]:
    """What Logs Insights makes of lines of JSON, as far as the dashboard asks.

    Source: "CloudWatch Logs Insights language query syntax" of the CloudWatch Logs user guide.
    """
    assert query.startswith(SOURCE)
    documents = [json.loads(line) for line in lines if line.startswith("{")]
    rows: list[Json] = []
    for command in query.removeprefix(SOURCE).removeprefix("| ").split(" | "):
        match command.split()[0]:
            case "filter":
                conditions = [FILTER.fullmatch(part) for part in command.removeprefix("filter ").split(" and ")]
                asked = [condition.groups() for condition in conditions if condition]
                assert len(asked) == len(conditions), command
                documents = [one for one in documents if all(one.get(name) == value for name, value in asked)]
            case "stats":
                rows = counted(command, documents)
            case "sort":
                name, direction = command.split()[1:]
                assert direction == "desc"
                rows.sort(key=lambda row: row[name], reverse=True)
            case "limit":
                rows = rows[: int(command.split()[1])]
            case _:
                raise AssertionError(command)
    return rows


def counted(command: str, documents: list[Json]) -> list[Json]:
    stats = STATS.fullmatch(command)
    assert stats, command
    function, field, name, grouped_by = stats.groups()
    names = grouped_by.split(", ")
    groups: dict[tuple[Any, ...], list[Json]] = defaultdict(list)
    for one in documents:
        groups[tuple(one.get(part) for part in names)].append(one)

    def number(group: list[Json]) -> int:
        return len(group) if function == "count" else len({one[field] for one in group if field in one})

    return [dict(zip(names, key, strict=True)) | {name: number(group)} for key, group in groups.items()]


def published(stage: Stage, query: str, wanted: list[Json]) -> None:
    # What a process prints is read by a thread.
    wait_until(lambda: answer(query, stage.lines) == wanted, what=f"{wanted} is in the log", seconds=10)


def a_cancel(stage: Stage, order_id: str, reason: str) -> None:
    before, after = (image | {"order_id": {"S": order_id}} for image in (not_cancelled(), cancelled()))
    after["cancellation"]["M"]["cancellation_id"] = {"S": f"can_{order_id}"}
    after["cancellation"]["M"]["reason"]["M"]["code"] = {"S": reason}
    stage.invoke("PublishEventsFunction", changed(before, after))


def test_cancels_are_counted_by_reason_and_store_each_once(stage: Stage) -> None:
    store_id = cancelled()["store_id"]["S"]
    # The stream may bring a change again.
    for order_id, reason in (("o1", "late"), ("o2", "other"), ("o3", "other"), ("o3", "other")):
        a_cancel(stage, order_id, reason)
    wanted = [{"reason": "other", "cancels": 2}, {"reason": "late", "cancels": 1}]
    published(stage, QUERIES["Cancels by reason"], wanted)
    published(stage, QUERIES["Cancels by store and reason"], [{"store_id": store_id} | one for one in wanted])


def test_requests_are_counted_by_store_and_reason(stage: Stage) -> None:
    request = asked_about()
    for _ in range(2):
        stage.invoke("ProcessRequestFunction", request)
    wanted = {"store_id": "default", "reason": "other", "requests": 1}
    published(stage, QUERIES["Requests to the shop by store and reason"], [wanted])


def asked_about() -> Json:
    """The orders stream's record of an order about which the shop was asked."""
    request = {
        "request_id": {"S": "crq_1"}, "status": {"S": "open"}, "amount": {"N": "100"}, "made_by": {"S": "gateway"},
        "reason": {"M": {"code": {"S": "other"}, "description": {"S": "Other"}}},
        "requested_at": {"S": "2026-11-22T10:00:00Z"},
    }  # fmt: skip
    after = not_cancelled() | {"store_id": {"S": "default"}, "cancellation_request": {"M": request}}
    return changed(not_cancelled(), after)


def test_refusals_are_counted_by_store_and_code(stage: Stage) -> None:
    stage.put("orders", not_cancelled() | {"status": {"S": "complete"}})
    stage.invoke("CancelOrderFunction", payload("cancel_order"))
    wanted = {"store_id": not_cancelled()["store_id"]["S"], "code": "INVALID_ORDER_STATUS", "refusals": 1}
    published(stage, QUERIES["Refusals by store and code"], [wanted])


@pytest.mark.parametrize("title", sorted(QUERIES))
def test_many_reasons_and_stores_show_those_that_come_first(title: str) -> None:
    query = QUERIES[title]
    (message,) = re.findall(r'message = "(\w+)"', query)
    keys = {"event": "".join(re.findall(r'event = "(\w+)"', query)), "store_id": "se"}
    lines = [
        json.dumps(
            {"message": message, "reason": name, "code": name, "cancellation_id": one, "cancellation_request_id": one}
            | keys
        )
        for name in (f"reason{number}" for number in range(30))
        for one in range(1 + int(name[6:]))
    ]
    shown = answer(query, lines)
    (number,) = shown[0].keys() - {"store_id", "reason", "code"}
    assert [row[number] for row in shown] == list(range(30, 10, -1))
