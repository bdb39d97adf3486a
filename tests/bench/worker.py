"""One function's handler in a process of its own, and beside it the same DynamoDB calls with nothing around them.

Needs nothing but what the built function sees, so that it can run the artifacts of any version. On stdin JSON:
`events`, pairs of an HTTP API event and the id of an order that is the twin of the event's; `warm`, how many of them
are not counted; `pause`, seconds of rest before each. On stdout JSON: for each pair {"ours": [wall, cpu],
"floor": [wall, cpu], "status", "trips"}, times in seconds.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from types import SimpleNamespace
from typing import Any

import boto3
from botocore.client import BaseClient


def main() -> None:
    asked = json.load(sys.stdin)
    said = os.dup(1)
    # What the handler logs costs what writing it costs, and is not ours to read.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    calls: list[tuple[str, dict[str, Any]]] = []
    _record(calls)
    handler = importlib.import_module("app").handler
    floor = boto3.client("dynamodb")
    measured = []
    for number, (event, twin) in enumerate(asked["events"]):
        calls.clear()
        time.sleep(asked["pause"])
        context = SimpleNamespace(aws_request_id=f"request-{number}")
        began, cpu = time.perf_counter(), time.process_time()
        answer = handler(event, context)
        ours = [time.perf_counter() - began, time.process_time() - cpu]

        order_id = event.get("pathParameters", {}).get("order_id", "")
        same = [(_method(name), _about(twin, order_id, parameters)) for name, parameters in list(calls)]
        body, document = event.get("body"), json.loads(answer["body"] or "null")
        began, cpu = time.perf_counter(), time.process_time()
        if body:
            json.loads(body)
        for method, parameters in same:
            getattr(floor, method)(**parameters)
        json.dumps(document)
        measured.append(
            {
                "ours": ours,
                "floor": [time.perf_counter() - began, time.process_time() - cpu],
                "status": answer["statusCode"],
                "trips": len(same),
            }
        )
    os.write(said, json.dumps(measured[asked["warm"] :]).encode())


def _record(calls: list[tuple[str, dict[str, Any]]]) -> None:
    """Notes each call of any client. It costs a call and an append, on both sides."""
    make = BaseClient._make_api_call  # type: ignore[attr-defined]  # botocore's stubs leave it out

    def noted(self: Any, operation_name: str, api_params: dict[str, Any]) -> Any:
        calls.append((operation_name, api_params))
        return make(self, operation_name, api_params)

    BaseClient._make_api_call = noted  # type: ignore[attr-defined]  # as above


def _method(operation: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).lstrip("_")


def _about(twin: str, order_id: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a call, made for the twin."""
    if not order_id:
        return parameters
    about: dict[str, Any] = json.loads(json.dumps(parameters).replace(json.dumps(order_id), json.dumps(twin)))
    return about


if __name__ == "__main__":
    main()
