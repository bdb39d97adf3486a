"""A function's environments, under the client of this platform and under the loop that stands in for it elsewhere."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.guard import Guard
from local.runtime.function import Function, TooManyRequests, default_command
from local.runtime.packages import link_runtime
from local.runtime.runtime import Runtime
from tests.local.runtime.programs import CODE, OURS
from tests.support.waiting import wait_until


@pytest.fixture(scope="module", params=["runtime client", "own loop"])
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    """Under the client of this platform, and under the loop that stands in for it elsewhere."""
    command = default_command() if request.param == "runtime client" else OURS
    guard = Guard()
    function = Function("one", CODE, timeout=0.6, concurrency=2, command=command, environment={"COLOUR": "blue"})
    single = replace(function, name="single", concurrency=1)  # where it matters which environment answers
    patient = Function("patient", CODE, timeout=20, concurrency=2, command=command)
    with Runtime(
        [function, single, patient], guard=guard, extra_environment={"single": {"FAULT": "x"}}, log=lambda *_: None
    ) as made:
        yield made
    guard.stop()


def error(runtime: Runtime, event: dict[str, Any]) -> dict[str, Any]:
    result = runtime.invoke("single", event)
    assert result.error == "Unhandled"
    said: dict[str, Any] = result.json()
    return said


def test_an_environment_stays_warm_and_knows_what_lambda_tells(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THIS_SHELL", "x")
    first, second = (runtime.invoke("single", {"n": n}).json() for n in (1, 2))
    assert (second["pid"], second["calls"]) == (first["pid"], first["calls"] + 1)
    assert first["request_id"] != second["request_id"]
    assert 0 < second["remaining"] <= 600
    environment = second["environment"]
    assert (environment["COLOUR"], environment["FAULT"]) == ("blue", "x")
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "single"
    assert environment["LAMBDA_TASK_ROOT"] == str(CODE)
    assert "SECRET_OF_THIS_SHELL" not in environment
    assert "HOME" not in environment


def test_an_exception_is_the_callers_and_the_environment_lives(runtime: Runtime) -> None:
    pid = runtime.invoke("single", {}).json()["pid"]
    said = error(runtime, {"do": "raise"})
    assert (said["errorType"], said["errorMessage"]) == ("ValueError", "as told")
    assert runtime.invoke("single", {}).json()["pid"] == pid


@pytest.mark.parametrize(("code", "text"), [(3, "exit status 3"), (0, "without providing a reason")])
def test_a_process_that_exits_is_replaced(runtime: Runtime, code: int, text: str) -> None:
    pid = runtime.invoke("single", {}).json()["pid"]
    said = error(runtime, {"do": "exit", "code": code})
    assert said["errorType"] == "Runtime.ExitError"
    assert text in said["errorMessage"]
    assert runtime.invoke("single", {}).json()["pid"] != pid


def test_an_overrun_is_killed_and_replaced(runtime: Runtime) -> None:
    pid = runtime.invoke("single", {}).json()["pid"]
    started = time.monotonic()
    said = error(runtime, {"do": "sleep", "seconds": 30})
    assert time.monotonic() - started < 5
    assert said["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 0.60 seconds" in said["errorMessage"]
    assert runtime.invoke("single", {}).json()["pid"] != pid


def test_killed_while_idle_nothing_is_lost(runtime: Runtime) -> None:
    for _ in range(5):
        runtime.invoke("one", {})
        assert runtime.kill("one") >= 1
        assert runtime.invoke("one", {}).error is None


def test_killed_while_it_starts_another_is_started(runtime: Runtime) -> None:
    wait_until(lambda: not runtime.kill("one"), what="none is left of those before", seconds=10)
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(runtime.invoke, "one", {})
        wait_until(lambda: runtime.kill("one"), what="an environment has begun to start", seconds=10, every=0.001)
        assert pending.result().error is None


def test_killed_at_work_the_caller_is_told(runtime: Runtime, tmp_path: Path) -> None:
    runtime.invoke("patient", {})
    begun = tmp_path / "begun"
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(runtime.invoke, "patient", {"do": "sleep", "seconds": 20, "begun": str(begun)})
        wait_until(begun.exists, what="the function has begun")
        runtime.kill("patient")
        result = pending.result(5)
    assert "SIGKILL" in result.json()["errorMessage"]


def test_of_two_at_work_one_is_killed(runtime: Runtime, tmp_path: Path) -> None:
    begun, over = [tmp_path / "first", tmp_path / "second"], tmp_path / "over"
    with ThreadPoolExecutor(2) as pool:
        waiting = {"do": "wait", "until": str(over)}
        pending = [pool.submit(runtime.invoke, "patient", {**waiting, "begun": str(one)}) for one in begun]
        wait_until(lambda: all(one.exists() and one.read_text() for one in begun), what="both are at work")
        assert runtime.kill("patient", begun[0].read_text()) == 1
        assert "SIGKILL" in pending[0].result(5).json()["errorMessage"]
        over.touch()
        assert pending[1].result().json() == "waited"
    assert runtime.kill("patient", begun[1].read_text()) == 0, "it is no longer at work"


def test_callers_queue_for_a_bounded_number_of_environments(runtime: Runtime, tmp_path: Path) -> None:
    with ThreadPoolExecutor(24) as pool:
        pids = {result.json()["pid"] for result in pool.map(lambda n: runtime.invoke("patient", {"n": n}), range(24))}
        assert 1 <= len(pids) <= 2
        begun, over = [tmp_path / "first", tmp_path / "second"], tmp_path / "over"
        waiting = {"do": "wait", "until": str(over)}
        slow = [pool.submit(runtime.invoke, "patient", {**waiting, "begun": str(one)}) for one in begun]
        wait_until(lambda: all(one.exists() for one in begun), what="both environments are at work")
        with pytest.raises(TooManyRequests):
            runtime.invoke("patient", {}, patience=0.2)
        over.touch()
        assert [one.result().error for one in slow] == [None, None]


def test_answers_of_any_size_and_script_come_through_and_too_large_a_one_does_not(runtime: Runtime) -> None:
    value = "blå 日本 " * 50_000
    assert runtime.invoke("patient", {"do": "return", "value": value}).json() == value
    assert runtime.invoke("patient", b'{"do": "return", "value": null}').json() is None
    grown = runtime.invoke(
        "patient", json.dumps({"do": "return", "value": "å" * 2_000_000}, ensure_ascii=False).encode()
    )
    assert grown.error or len(grown.payload) > 4_000_000
    assert runtime.invoke("patient", {"x": "x" * 7_000_000}).json()["errorType"] == "RequestTooLargeException"


def test_what_cannot_be_imported_says_so_and_is_tried_again() -> None:
    missing = Function("missing", CODE, handler="nowhere.handler")
    nothing = Function("nothing", CODE / "no such folder")
    with Runtime([missing, nothing], log=lambda *_: None) as runtime:
        for _ in range(2):
            assert "nowhere" in runtime.invoke("missing", {}).json()["errorMessage"]
        assert runtime.invoke("nothing", {}).json()["errorType"] == "Runtime.InvalidEntrypoint"


def test_output_is_handed_on_with_the_functions_name() -> None:
    lines: list[tuple[str, str]] = []
    with Runtime([Function("talker", CODE)], log=lambda name, line: lines.append((name, line))) as runtime:
        runtime.invoke("talker", {"do": "print", "text": "hello å"})
        until = time.monotonic() + 3
        while ("talker", "hello å") not in lines and time.monotonic() < until:
            time.sleep(0.01)
    assert ("talker", "hello å") in lines


@pytest.mark.skipif(default_command()[-1] != "awslambdaric", reason="AWS's runtime client has wheels for Linux only")
def test_a_function_can_be_kept_from_seeing_anything_but_the_runtimes_own_packages(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "app.py").write_text(
        "import importlib.util as u\n"
        "def handler(event, context):\n    return [n for n in ('boto3', 'pydantic', 'moto', 'app') if u.find_spec(n)]\n"
    )
    alone = Function(
        "alone", code, path=(link_runtime(tmp_path / "runtime"),), command=(sys.executable, "-S", "-m", "awslambdaric")
    )
    with Runtime([alone], log=lambda *_: None) as runtime:
        assert runtime.invoke("alone", {}).json() == ["boto3", "app"]
