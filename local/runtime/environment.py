"""One process that runs a function, from start to end."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import socket
import subprocess
import threading
import uuid
from collections.abc import Callable, Mapping

from local.guard import Guard
from local.runtime.api import ApiServer
from local.runtime.function import MAX_PAYLOAD, Function, Result
from local.runtime.hangup import is_closed, was_read
from local.runtime.invocation import Invocation, failure

# How long to wait, once a process has ended, until its output and its connections are read. It takes milliseconds,
# unless a process that it started keeps them open.
END_SECONDS = 5.0


class Environment:
    """One process, with its own Runtime API on a separate port, which identifies the process.

    A process may end at any moment, and that is detected later: an invocation may have been sent to a process that has
    ended. Its result is therefore decided only when the process is known to have ended and its connections are read to
    the end. A response that was sent counts; an event that was read has begun, and its caller gets an error; an event
    that was not read goes to another environment. A function that began is never run again.
    """

    def __init__(
        self,
        function: Function,
        extra: Mapping[str, str],
        log: Callable[[str, str], None],
        guard: Guard | None,
        *,
        idle: Callable[[Environment], None],
        lost: Callable[[Environment], None],
    ) -> None:
        """``idle`` is called each time the process asks for work, ``lost`` once, when it has ended. OSError: it could
        not be started."""
        self.function = function
        self.init_over = threading.Event()
        self.init_error: Result | None = None
        self.was_ready = False
        self.unwanted = False  # it is killed, or about to be: nobody is to be given it
        self.ended = False
        self._changed = threading.Condition()  # guards ended and the next three
        self._current: Invocation | None = None
        self._connections = 0
        self._handed: dict[socket.socket, Invocation] = {}  # until the process says something else there
        self._reaping = threading.Lock()  # once a process is reaped its id may be another's
        self._reaped = False
        self._log, self._guard, self._idle, self._lost = log, guard, idle, lost
        self._server = ApiServer(self)
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
            # The files in ~/.aws of the user must neither configure a function nor be used by it.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "LAMBDA_TASK_ROOT": str(function.code.resolve()),
            "_HANDLER": function.handler,
            **function.environment,
            **extra,
        }

    def _hand_on(self) -> None:
        """Forward the process's output until the last holder of it has closed it."""
        assert self.process.stdout
        with self.process.stdout as output:
            for line in output:
                self._log(self.function.name, line.rstrip("\n"))

    def _watch(self) -> None:
        """Wait for the process to end, then notify the waiting threads."""
        code = self._reap()
        self._server.accept_all(END_SECONDS)
        with self._changed:
            self.ended = True
            self._changed.notify_all()
        self._lost(self)
        self._close_server()
        self._output.join(END_SECONDS)
        self._wait_for_the_last_word()
        how = f"signal: {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        what = f"Runtime exited with error: {how}" if code else "Runtime exited without providing a reason"
        self.init_error = self.init_error or failure("none", "Runtime.ExitError", what)
        self.init_over.set()
        with self._changed:
            invocation, self._current = self._current, None
        if invocation:
            told = failure(invocation.request_id, "Runtime.ExitError", what)
            invocation.outcome.put(told if invocation.begun else None)

    def _reap(self) -> int:
        """The exit code of the process, once it has ended. Its child processes are killed with it, as in a sandbox."""
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
        """Until the process has ended and all its output and connections are read; at most END_SECONDS."""
        with self._changed:
            self._changed.wait_for(lambda: self.ended and not self._connections, END_SECONDS)

    def _close_server(self) -> None:
        def close() -> None:
            self._server.shutdown()
            self._server.server_close()

        threading.Thread(target=close, daemon=True).start()

    # ------------------------------------------------------------- for the Runtime API

    def connected(self) -> None:
        """The process has opened a connection; ``hung_up`` is called when it is closed."""
        with self._changed:
            self._connections += 1

    def spoke(self, connection: socket.socket) -> None:
        """A further request: it proves that the previous response on this connection was read."""
        with self._changed:
            self._handed.pop(connection, None)

    def hung_up(self, connection: socket.socket) -> None:
        """A connection was closed, and is read to the end. It is still open on our side."""
        with self._changed:
            self._connections -= 1
            invocation = self._handed.pop(connection, None)
            if invocation:
                invocation.unread = not (invocation.sent and was_read(connection))
            lost = invocation is not None and invocation.unread and invocation is self._current
            self._changed.notify_all()
        if lost:
            self.kill()  # most likely it is dead; whatever does not read its work is of no use

    def at_snapshot(self) -> bool:
        """The process is at the point where Lambda would take its snapshot. False: this function has none."""
        if not self.function.at_snapshot:
            return False
        self.function.at_snapshot(self.process.pid)
        return True

    def failed_to_start(self, why: Result) -> None:
        self.init_error = why

    def next(self, connection: socket.socket) -> Invocation | None:
        """The process asks for work, and waits until there is some. None: it has ended."""
        self.was_ready = True
        self.init_over.set()
        self._idle(self)
        with self._changed:
            self._changed.wait_for(lambda: self.ended or (self._current and not self._current.taken))
            if self.ended or not self._current:
                return None
            if not is_closed(connection):
                self._current.taken = True
                self._handed[connection] = self._current
                return self._current
        self.kill()
        return None

    def finish(self, request_id: str, payload: bytes, error: str | None) -> bool:
        """False if there is no such invocation in progress: it has timed out."""
        with self._changed:
            invocation = self._current
            if invocation is None or invocation.request_id != request_id:
                return False
            self._current = None
        if len(payload) > MAX_PAYLOAD and error is None:
            invocation.outcome.put(
                failure(request_id, "Function.ResponseSizeTooLarge", "Response payload size exceeded 6 MB")
            )
        else:
            invocation.outcome.put(Result(payload, error, request_id))
        return True

    # ------------------------------------------------------------- for the pool

    def invoke(self, invocation: Invocation) -> Result | None:
        """Run it to the end; None if the process ended before it began."""
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
        return failure(invocation.request_id, "Sandbox.Timedout", message)

    def processes(self, trace: str) -> bool:
        """Whether it processes the invocation with this trace header now."""
        with self._changed:
            return self._current is not None and self._current.trace == trace

    def kill(self) -> None:
        """Kill the process and its child processes."""
        self.unwanted = True
        self._kill_group()

    def _kill_group(self) -> None:
        with self._reaping, contextlib.suppress(ProcessLookupError, PermissionError):
            if not self._reaped:
                os.killpg(self.process.pid, signal.SIGKILL)
