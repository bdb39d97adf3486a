"""Detects closed connections with the kernel's help."""

from __future__ import annotations

import fcntl
import platform
import socket
import struct
import termios

# States of a TCP socket, from Linux's include/net/tcp_states.h: reset by the other end, or closed by it and not by us.
_TCP_CLOSE, _TCP_CLOSE_WAIT = 7, 8


def is_closed(connection: socket.socket) -> bool:
    """Whether the other end has closed it. False may be untrue a moment later."""
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True


def was_read(connection: socket.socket) -> bool:
    """Whether the other end, which has closed it, had read everything that was sent. True if that is unknown.

    Linux reports it exactly: a socket that is closed with unread bytes, or gets bytes after that, answers with a reset,
    and otherwise with the end of the stream and the acknowledgement of everything. Elsewhere (macOS) only a failing
    write, and ``is_closed`` before it, report it.
    """
    if platform.system() != "Linux":
        return True
    # In this order: after a reset no bytes count as unacknowledged any more.
    (unacknowledged,) = struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)))
    state = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    if state == _TCP_CLOSE:
        return False
    return state != _TCP_CLOSE_WAIT or unacknowledged == 0
