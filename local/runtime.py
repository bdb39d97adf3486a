"""Lambda functions as processes: the Runtime API, execution environments, time-outs and crashes.

Each execution environment is a process of its own under AWS's runtime client (``python -m awslambdaric app.handler``),
which takes one invocation at a time from a Runtime API served here. Environments start on first use and stay warm. One
that crashes, exits or overruns the function's time-out is killed and replaced.

    runtime = Runtime([Function("hello", Path("functions/hello"), path=(Path("layers/cancel_core"),))])
    result = runtime.invoke("hello", {"a": 1})     # result.payload, result.error
    runtime.stop()

Source: "Using the Lambda runtime API for custom runtimes" and "Lambda execution environment" of the Lambda developer
guide. Where it departs from Lambda: an environment may take 30 s to initialise (Lambda: 10 s), since this is no server
room; the number of environments is bounded and callers queue for them; memory is not limited.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.metadata
import json
import os
import platform
import queue
import re
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.guard import Guard
from local.server import Handler, Server

INIT_SECONDS = 30.0
# How long is waited, once a process has ended, until its output and what it still said to us are read. It takes
# milliseconds, unless something it started has escaped and holds them open.
END_SECONDS = 5.0
MAX_PAYLOAD = 6 * 1024 * 1024
# On a machine with few processors, more cold starts at once only make each of them slower.
_STARTING = threading.BoundedSemaphore(max(2, (os.cpu_count() or 2) // 2))


def default_command() -> tuple[str, ...]:
    """The runtime client: AWS's on Linux, where alone it has wheels, else our own loop."""
    if platform.system() == "Linux":
        return (sys.executable, "-m", "awslambdaric")
    return (sys.executable, str(Path(__file__).with_name("bootstrap.py")))


def link_runtime(folder: Path) -> Path:
    """Fill ``folder`` with links to what AWS's Python runtime itself carries: boto3, the runtime client, and what they
    require.

    Read from the metadata of the packages installed here. With it on ``Function.path`` and ``python -S`` as the
    command, a function sees these, its own code and its layer, and nothing else. Returns ``folder``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted, seen = ["boto3", "awslambdaric"], set[str]()
    while wanted:
        name = wanted.pop()
        if name in seen:
            continue
        seen.add(name)
        package = importlib.metadata.distribution(name)
        wanted += [
            re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in package.requires or [] if "extra ==" not in line
        ]
        for top in {file.parts[0] for file in package.files or [] if file.parts[0] not in ("..", "__pycache__")}:
            if not (folder / top).exists():
                (folder / top).symlink_to(Path(str(package.locate_file(top))))
    return folder


@dataclass(frozen=True)
class Function:
    """What runs, and with what.

    ``code``: folder that holds the handler's module, the working directory of the process.
    ``path``: PYTHONPATH of the process, in order (a layer's folder: the sources' ``layers/cancel_core``, a built
    layer's ``python/``).
    ``command``: interpreter and runtime client; the handler's name is appended. To keep the interpreter's own
    site-packages out, as the package tests do, give ``(python, "-S", "-m", "awslambdaric")`` and name in ``path``
    whatever it may see.
    ``environment``: on top of Lambda's own variables; nothing is inherited from this process but PATH.
    ``timeout``: seconds. ``concurrency``: environments at most; further callers wait for one.
    ``at_snapshot``: the function has SnapStart, and this is called with the process's id where Lambda would take the
    snapshot; the process then goes on, as one that was restored from it.
    """

    name: str
    code: Path
    handler: str = "app.handler"
    path: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 3.0
    memory: int = 128
    region: str = "eu-north-1"
    account: str = "123456789012"
    concurrency: int = 4
    command: tuple[str, ...] = field(default_factory=default_command)
    at_snapshot: Callable[[int], None] | None = None

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"


@dataclass(frozen=True)
class Result:
    """``payload``: the JSON bytes of the function's answer or, where ``error`` is set, of Lambda's
    ``{"errorMessage", "errorType", ...}``. ``error`` is what Lambda calls FunctionError: "Unhandled", or None."""

    payload: bytes
    error: str | None
    request_id: str

    def json(self) -> Any:
        return json.loads(self.payload or b"null")


class TooManyRequests(Exception):
    """No environment became free while the caller was willing to wait."""


def _failure(request_id: str, kind: str, message: str) -> Result:
    body = {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {message}"}
    return Result(json.dumps(body).encode(), "Unhandled", request_id)


@dataclass
class _Invocation:
    """One event on its way through an environment.

    ``taken``: a thread of ours has it for the process. ``sent``: it is with the kernel, whole. ``unread``: the process
    let go of its connection and had not read all of it, so it cannot have begun.
    ``outcome`` gets one Result, or None when the process ended before it began, so that another may have the event.
    """

    request_id: str
    payload: bytes
    timeout: float
    arn: str
    taken: bool = False
    sent: bool = False
    unread: bool = False
    outcome: queue.SimpleQueue[Result | None] = field(default_factory=queue.SimpleQueue)

    @property
    def begun(self) -> bool:
        """Whether the function may have seen it. Once its process has ended, and not before, this is the last word."""
        return self.taken and not self.unread


class _Environment:
    """One process, and the Runtime API it talks to on a port of its own: that is how we know who is asking.

    A process may end at any moment, and we hear of it later: an invocation can be on its way to one that is no more.
    So what became of it is only decided when the process is known to have ended and its connections are read to their
    ends. What it answered counts; what it had read it has begun, and its caller is told; what it had not goes to
    another. A function that began is never run again.
    """

    def __init__(
        self,
        function: Function,
        extra: Mapping[str, str],
        pool: _Pool,
        log: Callable[[str, str], None],
        guard: Guard | None,
    ) -> None:
        self.function = function
        self.init_over = threading.Event()
        self.init_error: Result | None = None
        self.was_ready = False
        self.unwanted = False  # it is killed, or about to be: nobody is to be given it
        self.ended = False
        self._changed = threading.Condition()  # guards ended and the next three
        self._current: _Invocation | None = None
        self._connections = 0
        self._handed: dict[socket.socket, _Invocation] = {}  # until the process says something else there
        self._reaping = threading.Lock()  # once a process is reaped its id may be another's
        self._reaped = False
        self._pool, self._log, self._guard = pool, log, guard
        self._server = _ApiServer(self)
        try:
            self.process = subprocess.Popen(
                [*function.command, function.handler],
                cwd=function.code,
                env=self._variables(extra),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except OSError:
            self._server.server_close()
            raise
        if guard:
            guard.watch(self.process.pid)

    def open(self) -> None:
        """Serve the process. Not before the pool knows it: on a busy machine it can ask for work, and do some, first.
        Until then it waits."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._output = threading.Thread(target=self._hand_on, daemon=True)
        self._output.start()
        threading.Thread(target=self._watch, daemon=True).start()

    def _variables(self, extra: Mapping[str, str]) -> dict[str, str]:
        function = self.function
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": os.pathsep.join(str(folder.resolve()) for folder in function.path),
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.port}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": uuid.uuid4().hex,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start" if function.at_snapshot else "on-demand",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_REGION": function.region,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            # Whatever is in this person's ~/.aws must neither steer a function nor be used by it.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "LAMBDA_TASK_ROOT": str(function.code.resolve()),
            "_HANDLER": function.handler,
            **function.environment,
            **extra,
        }

    def _hand_on(self) -> None:
        """Hand on what the process prints, until the last that holds its output is gone."""
        assert self.process.stdout
        with self.process.stdout as output:
            for line in output:
                self._log(self.function.name, line.rstrip("\n"))

    def _watch(self) -> None:
        """Wait for the process to end, then tell whoever waits for it."""
        code = self._reap()
        self._server.accept_all()
        with self._changed:
            self.ended = True
            self._changed.notify_all()
        self._pool.lost(self)
        self._close_server()
        self._output.join(END_SECONDS)
        self._wait_for_the_last_word()
        how = f"signal: {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        what = f"Runtime exited with error: {how}" if code else "Runtime exited without providing a reason"
        self.init_error = self.init_error or _failure("none", "Runtime.ExitError", what)
        self.init_over.set()
        with self._changed:
            invocation, self._current = self._current, None
        if invocation:
            failure = _failure(invocation.request_id, "Runtime.ExitError", what)
            invocation.outcome.put(failure if invocation.begun else None)

    def _reap(self) -> int:
        """The exit code of the process, once it has ended. What it has started ends with it, as in a sandbox."""
        if hasattr(os, "waitid"):  # not on a Mac before Python 3.13
            os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
            self._kill_group()
        else:
            self.process.wait()
        with self._reaping:
            self._reaped = True
            if self._guard:
                self._guard.forget(self.process.pid)
            return self.process.wait()

    def _wait_for_the_last_word(self) -> None:
        """Until the process has ended and nothing of what it said is left to be read; at most END_SECONDS."""
        with self._changed:
            self._changed.wait_for(lambda: self.ended and not self._connections, END_SECONDS)

    def _close_server(self) -> None:
        def close() -> None:
            self._server.shutdown()
            self._server.server_close()

        threading.Thread(target=close, daemon=True).start()

    # ------------------------------------------------------------- for the Runtime API

    def connected(self) -> None:
        """The process has opened a connection; ``hung_up`` is called when it is over."""
        with self._changed:
            self._connections += 1

    def spoke(self, connection: socket.socket) -> None:
        """A further request: what was handed over on this connection before has been read."""
        with self._changed:
            self._handed.pop(connection, None)

    def hung_up(self, connection: socket.socket) -> None:
        """A connection is over, and is read to its end. It is still open on our side."""
        with self._changed:
            self._connections -= 1
            invocation = self._handed.pop(connection, None)
            if invocation:
                invocation.unread = not (invocation.sent and _was_read(connection))
            lost = invocation is not None and invocation.unread and invocation is self._current
            self._changed.notify_all()
        if lost:
            self.kill()  # most likely it is dead; whatever does not read its work is of no use

    def next(self, connection: socket.socket) -> _Invocation | None:
        """The process asks for work: it is idle until there is some. None: it is gone."""
        self.was_ready = True
        self.init_over.set()
        self._pool.free(self)
        with self._changed:
            self._changed.wait_for(lambda: self.ended or (self._current and not self._current.taken))
            if self.ended or not self._current:
                return None
            if not _is_closed(connection):
                self._current.taken = True
                self._handed[connection] = self._current
                return self._current
        self.kill()
        return None

    def finish(self, request_id: str, payload: bytes, error: str | None) -> bool:
        """False where no such invocation is under way: it has timed out."""
        with self._changed:
            invocation = self._current
            if invocation is None or invocation.request_id != request_id:
                return False
            self._current = None
        if len(payload) > MAX_PAYLOAD and error is None:
            invocation.outcome.put(
                _failure(request_id, "Function.ResponseSizeTooLarge", "Response payload size exceeded 6 MB")
            )
        else:
            invocation.outcome.put(Result(payload, error, request_id))
        return True

    # ------------------------------------------------------------- for the pool

    def invoke(self, invocation: _Invocation) -> Result | None:
        """Run it to its end; None when the process was gone before it began."""
        with self._changed:
            if self.ended:
                return None
            self._current = invocation
            self._changed.notify_all()
        with contextlib.suppress(queue.Empty):
            return invocation.outcome.get(timeout=invocation.timeout)
        with self._changed:
            overrun = self._current is invocation
            if overrun:
                self._current = None
        if not overrun:  # its end and its time-out met
            return invocation.outcome.get()
        self.kill()
        self._wait_for_the_last_word()
        if not invocation.begun:
            return None
        message = f"Task timed out after {invocation.timeout:.2f} seconds"
        self._log(self.function.name, f"{invocation.request_id} {message}")
        return _failure(invocation.request_id, "Sandbox.Timedout", message)

    def kill(self) -> None:
        """The process and all it has started."""
        self.unwanted = True
        self._kill_group()

    def _kill_group(self) -> None:
        with self._reaping, contextlib.suppress(ProcessLookupError, PermissionError):
            if not self._reaped:
                os.killpg(self.process.pid, signal.SIGKILL)


# States of a TCP socket, from Linux's include/net/tcp_states.h: reset by the other end, or closed by it and not by us.
_TCP_CLOSE, _TCP_CLOSE_WAIT = 7, 8


def _is_closed(connection: socket.socket) -> bool:
    """Whether the other end has closed it. False may be untrue a moment later."""
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _was_read(connection: socket.socket) -> bool:
    """Whether the other end, which has closed it, had read all that we sent. True where that cannot be known.

    Linux says it exactly: a socket that is closed over unread bytes, or gets bytes when it is closed, answers with a
    reset, and else with the end of the stream and the acknowledgement of all it got. Elsewhere (a Mac) only a failing
    write tells, and ``_is_closed`` before.
    """
    if platform.system() != "Linux":
        return True
    # In this order: after a reset nothing counts as unacknowledged any more.
    (unacknowledged,) = struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)))
    state = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    if state == _TCP_CLOSE:
        return False
    return state != _TCP_CLOSE_WAIT or unacknowledged == 0


class _ApiServer(Server):
    """The Runtime API of one environment, which hears when a connection comes and when it is over."""

    def __init__(self, environment: _Environment) -> None:
        self.environment = environment
        self._last: Any = None
        self._last_accepted = threading.Event()
        super().__init__(0, _RuntimeApi)

    def accept_all(self) -> None:
        """Return when every connection made so far is accepted: they are in order, so one of our own is waited for."""
        with contextlib.suppress(OSError), socket.socket() as last:
            last.bind(("127.0.0.1", 0))
            self._last = last.getsockname()
            last.connect(self.server_address)
            self._last_accepted.wait(END_SECONDS)

    def process_request(self, request: Any, client_address: Any) -> None:
        if client_address == self._last:
            self._last_accepted.set()
            return super().shutdown_request(request)
        self.environment.connected()
        return super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.environment.hung_up(request)
        super().shutdown_request(request)


class _RuntimeApi(Handler):
    """The paths of the Lambda Runtime API, for one environment."""

    server: _ApiServer
    ROOT = "/2018-06-01/runtime/"

    @property
    def environment(self) -> _Environment:
        return self.server.environment

    def do_GET(self) -> None:
        self.environment.spoke(self.connection)
        at_snapshot = self.environment.function.at_snapshot
        if at_snapshot and self.path == self.ROOT + "restore/next":
            at_snapshot(self.environment.process.pid)
            return self.answer(200)
        if self.path != self.ROOT + "invocation/next":
            return self.answer(404)
        invocation = self.environment.next(self.connection)
        if invocation is None:
            self.close_connection = True
            return None
        deadline = int((time.time() + invocation.timeout) * 1000)
        trace = uuid.uuid4().hex
        headers = [
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", invocation.request_id),
            ("Lambda-Runtime-Deadline-Ms", str(deadline)),
            ("Lambda-Runtime-Invoked-Function-Arn", invocation.arn),
            ("Lambda-Runtime-Trace-Id", f"Root=1-{int(time.time()):08x}-{trace[:24]};Parent={trace[16:]};Sampled=0"),
        ]
        self.answer(200, invocation.payload, headers)
        invocation.sent = True
        return None

    def do_POST(self) -> None:
        self.environment.spoke(self.connection)
        body = self._body()
        parts = self.path.removeprefix(self.ROOT).split("/")
        if parts == ["init", "error"]:
            self.environment.init_error = Result(body, "Unhandled", "none")
            return self.answer(202, b"{}")
        if len(parts) != 3 or parts[0] != "invocation" or parts[2] not in ("response", "error"):
            return self.answer(404)
        known = self.environment.finish(parts[1], body, "Unhandled" if parts[2] == "error" else None)
        return self.answer(202 if known else 400, b"{}")

    def _body(self) -> bytes:
        """Raises ConnectionAbortedError when the process ended before it had sent all of it: half an answer is none."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self._exactly(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self._line().split(b";")[0], 16):
            body += self._exactly(size)
            self._line()
        self._line()
        return body

    def _exactly(self, size: int) -> bytes:
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionAbortedError
        return data

    def _line(self) -> bytes:
        line = self.rfile.readline()
        if not line.endswith(b"\n"):
            raise ConnectionAbortedError
        return line


class _Pool:
    """The environments of one function. Callers take the most recently used idle one; while some wait, more are
    started."""

    def __init__(
        self, function: Function, extra: Mapping[str, str], log: Callable[[str, str], None], guard: Guard | None
    ) -> None:
        self.function = function
        self._extra, self._log, self._guard = extra, log, guard
        self._changed = threading.Condition()
        self._idle: list[_Environment] = []
        self._environments: set[_Environment] = set()
        self._failures: list[Result] = []
        self._waiting = 0  # callers without an environment
        self._starting = 0
        self._stopped = False

    def take(self, patience: float) -> _Environment | Result:
        """An idle environment, or why none could be started. Raises TooManyRequests after ``patience`` seconds."""
        until, fresh = time.monotonic() + patience, True
        with self._changed:
            self._waiting += 1
            try:
                while not self._stopped:
                    if self._idle:
                        return self._idle.pop()
                    if self._failures:
                        return self._failures.pop()
                    if self._environments and fresh:
                        # One that has just answered is about to ask for more: cheaper than a cold start.
                        fresh = False
                        self._changed.wait(min(patience, 0.03))
                        continue
                    if (
                        self._starting < self._waiting
                        and len(self._environments) + self._starting < self.function.concurrency
                    ):
                        self._starting += 1
                        threading.Thread(target=self._start, daemon=True).start()
                    if not self._changed.wait(until - time.monotonic()):
                        break
                raise TooManyRequests(self.function.name)
            finally:
                self._waiting -= 1
                if not self._waiting:
                    self._failures.clear()

    def _start(self) -> None:
        with _STARTING:
            environment, failure = None, None
            try:
                with self._changed:
                    wanted = not self._stopped and (self._waiting > 0 or not self._environments)
                if wanted:
                    environment = _Environment(self.function, self._extra, self, self._log, self._guard)
                    with self._changed:
                        self._environments.add(environment)
                        stopped = self._stopped
                    environment.open()
                    if stopped:  # meanwhile, and without this one
                        environment.kill()
                    if not environment.init_over.wait(INIT_SECONDS):
                        failure = _failure(
                            "none", "Sandbox.Timedout", f"Initialisation took more than {INIT_SECONDS:.0f} seconds"
                        )
                        environment.kill()
                    elif not environment.was_ready and not environment.unwanted:
                        failure = environment.init_error
            except OSError as error:
                failure = _failure("none", "Runtime.InvalidEntrypoint", str(error))
            with self._changed:
                self._starting -= 1
                if environment and environment.ended:
                    self._environments.discard(environment)
                if failure and self._waiting:
                    self._failures.append(failure)
                if self._stopped and environment:
                    environment.kill()
                self._changed.notify_all()

    def warm(self) -> None:
        """Start one environment, unless there is one; returns when it is ready or has failed."""
        with self._changed:
            if self._environments or self._starting:
                return
            self._starting += 1
        self._start()

    def free(self, environment: _Environment) -> None:
        """It asks for work. One that is killed may have asked just before, and be heard after."""
        with self._changed:
            if not environment.unwanted and not environment.ended:
                self._idle.append(environment)
                self._changed.notify()

    def lost(self, environment: _Environment) -> None:
        with self._changed:
            self._environments.discard(environment)
            if environment in self._idle:
                self._idle.remove(environment)
            self._changed.notify_all()

    def kill(self) -> int:
        """Kill every environment there is, as a fault would; returns how many."""
        with self._changed:
            environments = list(self._environments)
            # It takes a moment until a process is gone; nobody is given one that is about to be.
            self._idle.clear()
            # One that was about to start has not failed: who waits for it gets another.
            for environment in environments:
                environment.unwanted = True
        for environment in environments:
            environment.kill()
        return len(environments)

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self.kill()


def _print(name: str, line: str) -> None:
    print(f"{name} | {line}", file=sys.stderr, flush=True)


class Runtime:
    """All functions of a stack, by name.

    ``extra_environment``: function name -> variables on top of its own (fault injection, tests).
    ``log(name, line)``: where a function's output goes; by default stderr, with the function's name in front.
    """

    def __init__(
        self,
        functions: Iterable[Function],
        *,
        extra_environment: Mapping[str, Mapping[str, str]] | None = None,
        log: Callable[[str, str], None] = _print,
        guard: Guard | None = None,
    ) -> None:
        extra = extra_environment or {}
        self.functions = {function.name: function for function in functions}
        self._pools = {
            name: _Pool(function, extra.get(name, {}), log, guard) for name, function in self.functions.items()
        }

    def invoke(self, name: str, event: Any, *, patience: float = 300.0) -> Result:
        """Run the function on ``event`` (anything JSON, or bytes of JSON) and wait for its answer.

        Never raises for what the function does: see Result. ``patience``: seconds to wait for a free environment.
        Raises KeyError for an unknown name, TooManyRequests when no environment became free.
        """
        payload = event if isinstance(event, bytes) else json.dumps(event).encode()
        pool, request_id = self._pools[name], str(uuid.uuid4())
        if len(payload) > MAX_PAYLOAD:
            return _failure(request_id, "RequestTooLargeException", "Request must be smaller than 6 MB")
        until = time.monotonic() + patience
        while True:
            environment = pool.take(until - time.monotonic())
            if isinstance(environment, Result):
                return environment
            result = environment.invoke(_Invocation(request_id, payload, pool.function.timeout, pool.function.arn))
            if result is not None:
                return result

    def warm(self, name: str) -> None:
        """Start the function's first environment ahead of the first invocation; returns when it is ready or has
        failed."""
        self._pools[name].warm()

    def kill(self, name: str) -> int:
        """Kill the function's environments at this very moment, as a fault would; returns how many there were."""
        return self._pools[name].kill()

    def stop(self) -> None:
        for pool in self._pools.values():
            pool.stop()

    def __enter__(self) -> Runtime:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
