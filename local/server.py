"""Shared code of the servers of this package: a threaded HTTP/1.1 server of the standard library, on the loopback
interface.
"""

from __future__ import annotations

import socketserver
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
MAY_WAIT_HEADER = "x-may-wait"
"""In a request for new items: the server may wait with its response until there are some."""


def is_ours(host: str | None, origin: str | None, more: frozenset[str] = frozenset()) -> bool:
    """Whether a request is meant for this machine, and was not sent by a page of another web site.

    Browsers send the target host (``Host``: a name whose DNS points here is not ours) and the page that sends the
    request (``Origin``). Other clients need not send either. ``more``: further names of this machine.
    """
    names = LOOPBACK | more
    return all(
        address is None or (urlsplit(address).hostname or "") in names
        for address in (None if host is None else f"//{host}", origin)
    )


class Server(ThreadingHTTPServer):
    """One thread for each connection. Port 0 takes a free one, which ``port`` returns."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", port), handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def server_bind(self) -> None:
        # HTTPServer resolves the host's name here, which can hang for seconds without a network.
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A disconnected client is ignored; any other error is ours and is printed.
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Keep-alive and buffered writes: a small response in two packets would wait 40 ms for an acknowledgement."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024

    def handle_expect_100(self) -> bool:
        """Tell a client at once that it may send its body: what is buffered would go with the answer, and it waits."""
        allowed = super().handle_expect_100()
        self.wfile.flush()
        return allowed

    def answer(self, status: int, body: bytes = b"", headers: list[tuple[str, str]] | None = None) -> None:
        """Send one complete response. 204 and 304 have neither body nor length."""
        self.send_response_only(status)
        self.send_header("Date", self.date_time_string())
        for name, value in headers or []:
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status not in (204, 304) and self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the functions' logs are enough."""
