"""A runtime client that ends at one chosen point: ``python dying.py HOW``, and the variable NOTES names a new folder.

Only the first process of a folder does so: those after it take one event after another. For each event that was read to
its end there is a file in the folder, named by its process.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

NOTES = Path(os.environ["NOTES"])
ROOT = "/2018-06-01/runtime/invocation/"


class Client:
    """One connection to the Runtime API, byte by byte."""

    def __init__(self) -> None:
        host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
        self.connection = socket.create_connection((host, int(port)))
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request_id = ""

    def ask(self) -> None:
        self.connection.sendall(f"GET {ROOT}next HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    def wait(self) -> None:
        """Until there is something to read."""
        select.select([self.connection], [], [])

    def read(self, but: int = 0) -> None:
        """A whole answer, except for the last bytes of its body."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._some(1)
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines()[1:] if line)
        self.request_id = fields.get("Lambda-Runtime-Aws-Request-Id", self.request_id)
        left = int(fields["Content-Length"]) - but
        while left:
            left -= len(self._some(min(left, 65536)))

    def _some(self, most: int) -> bytes:
        data = self.connection.recv(most)
        if not data:
            sys.exit(0)
        return data

    def take(self) -> None:
        """Ask for an event, and read it."""
        self.ask()
        self.read()
        NOTES.joinpath(f"{os.getpid()}-{self.request_id}").touch()

    def answer(self, body: bytes, *, length: int | None = None, fields: str = "") -> None:
        head = f"POST {ROOT}{self.request_id}/response HTTP/1.1\r\nHost: x\r\n{fields}"
        self.connection.sendall(f"{head}Content-Length: {length or len(body)}\r\n\r\n".encode() + body)

    def serve(self) -> None:
        while True:
            self.take()
            self.answer(b'"well"')
            self.read()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def asked(client: Client) -> None:
    client.ask()
    die()


def unread(client: Client) -> None:
    client.ask()
    client.wait()
    die()


def read_but_for_one_byte(client: Client) -> None:
    client.ask()
    client.read(but=1)
    die()


def left_unread(client: Client) -> None:
    """The connection is closed, and the process lives."""
    client.ask()
    client.wait()
    client.connection.close()
    time.sleep(60)


def stopped(client: Client) -> None:
    client.ask()
    os.kill(os.getpid(), signal.SIGSTOP)


def read(client: Client) -> None:
    client.take()
    die()


def half_answered(client: Client) -> None:
    client.take()
    client.answer(b'"we', length=6)
    die()


def half_answered_in_chunks(client: Client) -> None:
    client.take()
    client.answer(b"", length=0, fields="Transfer-Encoding: chunked\r\n")
    client.connection.sendall(b'6\r\n"well"\r\n')
    die()


def about_to_answer(client: Client) -> None:
    """What it is sent here is unread when it ends, but that is not the event."""
    client.take()
    client.answer(b"", length=6, fields="Expect: 100-continue\r\n")
    client.wait()
    die()


def answered(client: Client) -> None:
    client.take()
    client.answer(b'"well"')
    die()


def overrun(client: Client) -> None:
    client.take()
    time.sleep(60)


def left_a_child(client: Client) -> None:
    """The child has its output and its connection."""
    client.take()
    child = os.fork()
    if not child:
        time.sleep(60)
    (NOTES / "child").write_text(str(child))
    os._exit(3)


WAYS: dict[str, Callable[[Client], None]] = {
    way.__name__: way
    for way in (
        asked, unread, read_but_for_one_byte, left_unread, stopped, read, half_answered, half_answered_in_chunks,
        about_to_answer, answered, overrun, left_a_child,
    )
}  # fmt: skip


if __name__ == "__main__":
    try:
        (NOTES / "first").touch(exist_ok=False)
    except FileExistsError:
        Client().serve()
    else:
        WAYS[sys.argv[1]](Client())
