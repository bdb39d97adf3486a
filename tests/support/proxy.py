"""A proxy in front of an HTTP service that can fail, delay, lose answers, and stop the world at a request.

with FaultProxy("http://127.0.0.1:4566") as proxy:
    proxy.plan("UpdateItem", drop_answer)
    ...                                     # a client of proxy.url gets the fault once
    proxy.seen                              # every request, and whether it got through
"""

from __future__ import annotations

import http.client
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

UPSTREAM_SECONDS = 60


@dataclass(frozen=True)
class Request:
    """One HTTP request. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def operation(self) -> str:
        """Of an AWS service its operation ("UpdateItem"), else method and path without the query."""
        target = self.headers.get("x-amz-target", "")
        return target.rpartition(".")[2] if target else f"{self.method} {urlsplit(self.path).path}"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


Forward = Callable[[Request], Answer]
Fault = Callable[[Request, Forward], "Answer | None"]
"""Gets the request and the way to the service; what it returns is answered, None breaks the connection off."""
Match = Callable[[Request], bool]


def refuse(_request: Request, _forward: Forward) -> Answer | None:
    """Breaks off; the service hears nothing of it."""
    return None


def drop_answer(request: Request, forward: Forward) -> Answer | None:
    """The service does its work, and the answer is lost."""
    forward(request)
    return None


def fail(status: int, body: bytes = b"{}", **headers: str) -> Fault:
    """Answers in the service's place."""
    return lambda _request, _forward: Answer(status, {"content-type": "application/json", **headers}, body)


def aws_error(code: str, status: int = 400) -> Fault:
    """An error of an AWS service with a JSON protocol."""
    return fail(status, b'{"__type":"%s","message":"by the proxy"}' % code.encode())


def delay(seconds: float) -> Fault:
    """The service does its work, but late."""

    def fault(request: Request, forward: Forward) -> Answer | None:
        time.sleep(seconds)
        return forward(request)

    return fault


def just_before(action: Callable[[], object]) -> Fault:
    """The request waits while something else is done, and then goes on."""

    def fault(request: Request, forward: Forward) -> Answer:
        action()
        return forward(request)

    return fault


def just_after(action: Callable[[], object]) -> Fault:
    """The service does its work, and its answer waits while something else is done."""

    def fault(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        action()
        return answer

    return fault


def before(action: Callable[[Request], object]) -> Fault:
    """Does something about the request, then breaks off: the service hears nothing. With a kill, the last line."""

    def fault(request: Request, _forward: Forward) -> Answer | None:
        action(request)
        return None

    return fault


def after(action: Callable[[Request], object]) -> Fault:
    """The service does its work; then something is done, and the answer is lost."""

    def fault(request: Request, forward: Forward) -> Answer | None:
        forward(request)
        action(request)
        return None

    return fault


def change_answer(change: Callable[[Answer], Answer]) -> Fault:
    return lambda request, forward: change(forward(request))


@dataclass
class _Plan:
    match: Match
    fault: Fault
    skip: int
    times: float


@dataclass
class Seen:
    request: Request
    forwarded: bool = False


@dataclass
class FaultProxy:
    """In front of the service at `target`, on a free port of its own."""

    target: str
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._plans: list[_Plan] = []
        self._lock = threading.Lock()
        upstream = urlsplit(self.target)
        assert upstream.hostname
        self._upstream = (upstream.hostname, upstream.port or 80)
        self._server = _Server(("127.0.0.1", 0), type("_Handler", (_Handler,), {"proxy": self}))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> FaultProxy:
        # Asked often whether it is over, for a test waits for that.
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def plan(self, match: str | Match, fault: Fault, *, times: float = 1, skip: int = 0) -> None:
        """`fault` for the next `times` requests that match (by operation, or what `match` says), after `skip`."""
        wanted = match
        matches: Match = (lambda request: request.operation == wanted) if isinstance(match, str) else match
        with self._lock:
            self._plans.append(_Plan(matches, fault, skip, times))

    def clear(self) -> None:
        """No more faults; and what was seen is forgotten."""
        with self._lock:
            self._plans.clear()
            self.seen.clear()

    def is_over(self, match: Match) -> bool:
        """Whether everything that was planned for `match` has happened."""
        with self._lock:
            return all(plan.match is not match for plan in self._plans)

    def operations(self) -> list[str]:
        return [one.request.operation for one in self.seen]

    def handle(self, request: Request) -> Answer | None:
        seen = Seen(request)
        with self._lock:
            self.seen.append(seen)
            fault = self._next_fault(request)

        def forward(changed: Request) -> Answer:
            seen.forwarded = True
            return self._forward(changed)

        try:
            return fault(request, forward) if fault else forward(request)
        except (OSError, http.client.HTTPException):
            return None

    def _next_fault(self, request: Request) -> Fault | None:
        for plan in self._plans:
            if not plan.match(request):
                continue
            if plan.skip:
                plan.skip -= 1
                continue
            plan.times -= 1
            if plan.times <= 0:
                self._plans.remove(plan)
            return plan.fault
        return None

    def _forward(self, request: Request) -> Answer:
        connection = http.client.HTTPConnection(*self._upstream, timeout=UPSTREAM_SECONDS)
        try:
            headers = {name: value for name, value in request.headers.items() if name not in _OURS}
            connection.request(request.method, request.path, request.body or None, headers)
            answer = connection.getresponse()
            body = answer.read()
            kept = {name.lower(): value for name, value in answer.getheaders() if name.lower() not in _OURS}
            return Answer(answer.status, kept, body)
        finally:
            connection.close()


# What belongs to one connection, or is counted again.
_OURS = {"connection", "content-length", "transfer-encoding", "keep-alive"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that was killed in the meantime is what this is for.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultProxy

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.proxy.handle(Request(self.command, self.path, headers, body))
        if answer is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def __getattr__(self, name: str) -> object:
        if name.startswith("do_"):
            return self._any
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        pass
