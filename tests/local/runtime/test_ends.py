"""A function's process may end at any point of an invocation. What it had not read to its end another one does; what it
had read, or answered, is not done again. Its end is forced at each point, so none of this depends on the load."""

from __future__ import annotations

import os
import platform
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.runtime import api, environment, hangup
from local.runtime.function import Function, default_command
from local.runtime.runtime import Runtime
from tests.local.processes import gone
from tests.local.runtime.programs import CODE, DYING, OURS
from tests.support.waiting import wait_until

SMALL, LARGE = {"x": "x"}, {"x": "x" * 5_000_000}  # the large one does not fit into a socket's buffers

exact = pytest.mark.skipif(platform.system() != "Linux", reason="only Linux tells whether a dead process had read all")


@pytest.fixture
def hearing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """ "late": what the process says reaches us when it has long ended, as it may on a busy machine."""
    if request.param == "late":
        accept = api.ApiServer.get_request
        read = api.RuntimeApi.handle_one_request

        def accept_late(server: api.ApiServer) -> Any:
            time.sleep(0.05)
            return accept(server)

        def read_late(handler: api.RuntimeApi) -> None:
            time.sleep(0.15)
            read(handler)

        monkeypatch.setattr(api.ApiServer, "get_request", accept_late)
        monkeypatch.setattr(api.RuntimeApi, "handle_one_request", read_late)


events = pytest.mark.parametrize(
    ("event", "hearing"),
    [(SMALL, "at once"), (LARGE, "at once"), (SMALL, "late")],
    ids=["small", "large", "heard late"],
    indirect=["hearing"],
)
late_too = pytest.mark.parametrize("hearing", ["at once", "late"], indirect=True)


def outcome(folder: Path, how: str, event: Any, timeout: float = 30) -> tuple[Any, int]:
    """What the caller is told, and by how many the event was read."""
    function = Function("dying", CODE, handler=how, command=DYING, timeout=timeout, environment={"NOTES": str(folder)})
    with Runtime([function], log=lambda *_: None) as runtime:
        result = runtime.invoke("dying", event, patience=60)
    told = result.json()
    told = f"{told['errorType']} {told['errorMessage']}" if result.error else told
    return told, len([*folder.glob("*-*")])


@exact
@events
@pytest.mark.parametrize("how", ["asked", "unread", "read_but_for_one_byte", "left_unread"])
@pytest.mark.usefixtures("hearing")
def test_what_was_not_read_another_does(tmp_path: Path, how: str, event: Any) -> None:
    assert outcome(tmp_path, how, event) == ("well", 1)


@exact
@events
@pytest.mark.usefixtures("hearing")
def test_what_was_not_read_in_time_another_does(tmp_path: Path, event: Any) -> None:
    assert outcome(tmp_path, "stopped", event, timeout=2) == ("well", 1)


@events
@pytest.mark.parametrize(
    ("how", "end"),
    [
        ("read", "SIGKILL"),
        ("half_answered", "SIGKILL"),
        ("half_answered_in_chunks", "SIGKILL"),
        ("about_to_answer", "SIGKILL"),
        ("left_a_child", "exit status 3"),
    ],
)
@pytest.mark.usefixtures("hearing")
def test_what_was_read_is_not_done_again_and_its_caller_is_told(tmp_path: Path, how: str, end: str, event: Any) -> None:
    told, read = outcome(tmp_path, how, event)
    assert told.startswith("Runtime.ExitError ")
    assert end in told
    assert read == 1
    if how == "left_a_child":
        assert gone({int((tmp_path / "child").read_text())}, 10)


@late_too
@pytest.mark.usefixtures("hearing")
def test_an_overrun_is_not_done_again(tmp_path: Path) -> None:
    told, read = outcome(tmp_path, "overrun", SMALL, timeout=1)
    assert "Task timed out after 1.00 seconds" in told
    assert read == 1


@late_too
@pytest.mark.usefixtures("hearing")
def test_what_was_answered_counts(tmp_path: Path) -> None:
    assert outcome(tmp_path, "answered", SMALL) == ("well", 1)


def test_one_that_ends_before_it_asks_has_failed() -> None:
    mute = Function("mute", CODE, command=(sys.executable, "-c", "import time; time.sleep(0.2)"))
    with Runtime([mute], log=lambda *_: None) as runtime:
        assert runtime.invoke("mute", {}, patience=60).json()["errorType"] == "Runtime.ExitError"


@pytest.mark.parametrize("command", [default_command(), OURS], ids=["runtime client", "own loop"])
@pytest.mark.parametrize("when", ["before it is looked at", pytest.param("after it was looked at", marks=exact)])
def test_killed_as_it_is_given_an_event_another_gets_it(
    monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], when: str
) -> None:
    """The end of the process is noticed only when the event is on its way, for no one can know it at once."""
    looks: Callable[[socket.socket], bool] = hangup.is_closed
    with Runtime([Function("one", CODE, timeout=20, command=command)], log=lambda *_: None) as runtime:
        first = runtime.invoke("one", {}).json()["pid"]
        killed: list[int] = []

        def kill_and_look(connection: socket.socket) -> bool:
            if killed:
                return looks(connection)
            if when == "after it was looked at":
                assert not looks(connection)
            os.kill(first, signal.SIGKILL)
            wait_until(lambda: looks(connection), what="the process is gone", every=0.001)
            killed.append(first)
            return looks(connection) if when == "before it is looked at" else False

        monkeypatch.setattr(environment, "is_closed", kill_and_look)
        result = runtime.invoke("one", {"n": 2})
        assert killed
        assert result.error is None
        assert (result.json()["calls"], result.json()["pid"] != first) == (1, True)
