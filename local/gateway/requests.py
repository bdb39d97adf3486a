"""Parses a request: its text, its body, and what is refused before that."""

from __future__ import annotations

import re
from email.message import Message
from io import BufferedIOBase
from urllib.parse import unquote

MAX_BODY = 10 * 1024 * 1024
MAX_HEAD = 10_240
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Refusal(Exception):
    """A response of the gateway itself. ``close``: the rest of the request can't be read."""

    def __init__(
        self, status: int, message: str, headers: list[tuple[str, str]] | None = None, *, close: bool = False
    ) -> None:
        super().__init__(message)
        self.status, self.headers, self.close = status, headers, close


def text(value: str) -> str:
    """A request line or a header's value: http.server decodes bytes as Latin-1, clients send UTF-8."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def check_head(line: str, headers: Message) -> None:
    """Raises Refusal if the request line and the headers together exceed API Gateway's limit."""
    if len(line) + sum(len(name) + len(value) for name, value in headers.items()) > MAX_HEAD:
        raise Refusal(431, "Request Header Fields Too Large", close=True)


def decoded(path: str) -> str:
    """The path as HTTP APIs interpret it: decoded before routing, and cut at an escaped question mark.

    So an id with ``/``, ``?`` or ``%`` is ambiguous in a path. Raises Refusal for an invalid escape.
    """
    if _BAD_ESCAPE.search(path):
        raise Refusal(400, "Bad Request")
    try:
        return unquote(path, errors="strict").partition("?")[0]
    except UnicodeDecodeError as error:
        raise Refusal(400, "Bad Request") from error


def read_body(headers: Message, stream: BufferedIOBase) -> bytes:
    """The body. Raises Refusal if it is too large or can't be read."""
    if "chunked" in headers.get("Transfer-Encoding", "").lower():
        body = b""
        try:
            while size := int(stream.readline(1024).split(b";")[0], 16):
                if size < 0 or len(body) + size > MAX_BODY:
                    raise Refusal(413, "Request Entity Too Large", close=True)
                body += stream.read(size)
                stream.readline(1024)
            while stream.readline(65536).strip():
                pass  # trailers
        except ValueError as error:
            raise Refusal(400, "Bad Request", close=True) from error
        return body
    length = headers.get("Content-Length", "0")
    if not (length.isascii() and length.isdigit()):
        raise Refusal(400, "Bad Request", close=True)
    if int(length) > MAX_BODY:
        raise Refusal(413, "Request Entity Too Large", close=True)
    body = stream.read(int(length))
    if len(body) < int(length):  # the client is gone, or as good as
        raise Refusal(400, "Bad Request", close=True)
    return body
