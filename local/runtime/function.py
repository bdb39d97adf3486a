"""The definition of a function, and the result of an invocation."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAX_PAYLOAD = 6 * 1024 * 1024  # bytes of an event, and of an answer


def default_command() -> tuple[str, ...]:
    """The runtime client: AWS's on Linux, the only system with wheels, else our own loop."""
    if platform.system() == "Linux":
        return (sys.executable, "-m", "awslambdaric")
    return (sys.executable, str(Path(__file__).with_name("bootstrap.py")))


@dataclass(frozen=True)
class Function:
    """A function's code and settings.

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
    """No environment became free within the caller's patience."""
