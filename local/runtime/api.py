"""The Lambda Runtime API of one environment: handles the process's requests, and detects closed connections."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Any, Protocol

from local.runtime.function import Result
from local.runtime.invocation import Invocation
from local.server import Handler, Server


class Served(Protocol):
    """The environment of the process, as far as the API needs it."""

    def connected(self) -> None: ...
    def spoke(self, connection: socket.socket) -> None: ...
    def hung_up(self, connection: socket.socket) -> None: ...
    def at_snapshot(self) -> bool: ...
    def next(self, connection: socket.socket) -> Invocation | None: ...
    def finish(self, request_id: str, payload: bytes, error: str | None) -> bool: ...
    def failed_to_start(self, why: Result) -> None: ...


class ApiServer(Server):
    """The Runtime API of one environment, which records when a connection opens and closes."""

    def __init__(self, environment: Served) -> None:
        self.environment = environment
        self._last: Any = None
        self._last_accepted = threading.Event()
        super().__init__(0, RuntimeApi)

    def accept_all(self, seconds: float) -> None:
        """Return when every connection made so far is accepted, or after this many seconds.

        Connections are accepted in order, so it waits for one of its own.
        """
        with contextlib.suppress(OSError), socket.socket() as last:
            last.bind(("127.0.0.1", 0))
            self._last = last.getsockname()
            last.connect(self.server_address)
            self._last_accepted.wait(seconds)

    def process_request(self, request: Any, client_address: Any) -> None:
        if client_address == self._last:
            self._last_accepted.set()
            return super().shutdown_request(request)
        self.environment.connected()
        return super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.environment.hung_up(request)
        super().shutdown_request(request)


class RuntimeApi(Handler):
    """The paths of the Lambda Runtime API, for one environment."""

    server: ApiServer
    ROOT = "/2018-06-01/runtime/"

    @property
    def environment(self) -> Served:
        return self.server.environment

    def do_GET(self) -> None:
        self.environment.spoke(self.connection)
        if self.path == self.ROOT + "restore/next" and self.environment.at_snapshot():
            return self.answer(200)
        if self.path != self.ROOT + "invocation/next":
            return self.answer(404)
        invocation = self.environment.next(self.connection)
        if invocation is None:
            self.close_connection = True
            return None
        deadline = int((time.time() + invocation.timeout) * 1000)
        headers = [
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", invocation.request_id),
            ("Lambda-Runtime-Deadline-Ms", str(deadline)),
            ("Lambda-Runtime-Invoked-Function-Arn", invocation.arn),
            ("Lambda-Runtime-Trace-Id", invocation.trace),
        ]
        self.answer(200, invocation.payload, headers)
        invocation.sent = True
        return None

    def do_POST(self) -> None:
        self.environment.spoke(self.connection)
        body = self._body()
        parts = self.path.removeprefix(self.ROOT).split("/")
        if parts == ["init", "error"]:
            self.environment.failed_to_start(Result(body, "Unhandled", "none"))
            return self.answer(202, b"{}")
        if len(parts) != 3 or parts[0] != "invocation" or parts[2] not in ("response", "error"):
            return self.answer(404)
        known = self.environment.finish(parts[1], body, "Unhandled" if parts[2] == "error" else None)
        return self.answer(202 if known else 400, b"{}")

    def _body(self) -> bytes:
        """Raises ConnectionAbortedError if the process ended before it had sent everything: a partial response does not
        count.
        """
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
