"""The server over HTTP, on the loopback interface only."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from urllib.parse import urlsplit

from local.server import Handler, Server
from local.stripe.control import control
from local.stripe.errors import Answer
from local.stripe.service import Request, handle
from local.stripe.state import State


class StripeServer:
    """In this process: `with StripeServer() as server:`. Tests may use `state` as they would use /control."""

    def __init__(self, port: int = 0) -> None:
        self.state = State()
        self._server = Server(port, type("_Handler", (_Handler,), {"state": self.state}))
        self.url = f"http://127.0.0.1:{self._server.port}"

    def serve(self) -> None:
        """Until the process ends."""
        self._server.serve_forever()

    def __enter__(self) -> StripeServer:
        # Polled often for shutdown, because tests wait for it.
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        # Release the requests that are being delayed.
        self.state.clear_faults()


class _Handler(Handler):
    state: State

    def _any(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length).decode(errors="replace")
        url = urlsplit(self.path)
        hung_up = threading.Event()

        def hang_up() -> None:
            hung_up.set()
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

        if url.path.startswith("/v1/"):
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, url.path, url.query, headers, body)
            answer = handle(self.state, request, hang_up)
            if answer is None:
                hang_up()
        else:
            answer = control(self.state, self.command, url.path, body) or Answer(404, b"{}")
        if answer and not hung_up.is_set():
            content = [("Content-Type", "application/json")]
            self.answer(answer.status, answer.body, [*content, *answer.headers.items()])

    def do_GET(self) -> None:
        self._any()

    def do_POST(self) -> None:
        self._any()

    def do_DELETE(self) -> None:
        self._any()
